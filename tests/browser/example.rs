//! What the manual shows of JavaScript works as it stands there.

use pipechat::manual::Page;

use crate::{
    Place,
    webdriver::{DESK, Driver},
};

#[test]
fn the_example_of_the_manual_hears_what_is_said() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let page = Page::on("http").expect("a page").text;
    let (_, example) = page.split_once("```js\n").expect("an example in JavaScript");
    let (example, _) = example.split_once("```").expect("its end");
    let example = example.replace("console.log", "window.heard");
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "lobby");
    let collect = "window.all = []; window.heard = (...words) => window.all.push(words.join(' '));";
    browser.script(&format!("{collect} {example}; window.builds = builds;"));
    browser.until("window.builds.readyState === EventSource.OPEN");
    let mut ci = place.server.join("ci");
    ci.say("in|builds|build green");
    browser.until("window.all.join() === 'ci build green'");
}
