//! Pictures of the page, to be looked at: narrow and wide, light and dark, in both languages. Those of the READMEs are copies:
//! `cp target/tmp/screenshots/page.png target/tmp/screenshots/page.zh.png scripts/pictures/`.

use crate::{
    Place, hear, kept_file,
    webdriver::{Driver, Look},
};

#[test]
fn pictures_of_the_page() {
    let Some(driver) = Driver::start() else { return };
    for lang in ["en-US", "zh-CN"] {
        for (width, height) in [(390, 844), (1280, 800)] {
            for is_dark in [false, true] {
                let scheme = if is_dark { "dark" } else { "light" };
                let name = format!("{}-{width}-{scheme}.png", &lang[..2]);
                picture(&driver, Look { width, height, is_dark, lang }, &name);
            }
        }
    }
    for (lang, name) in [("en-US", "page.png"), ("zh-CN", "page.zh.png")] {
        picture(&driver, Look { width: 1280, height: 560, is_dark: false, lang }, name);
    }
}

#[track_caller]
fn picture(driver: &Driver, look: Look, name: &str) {
    let is_chinese = look.lang.starts_with("zh");
    let say = |chinese: &'static str, english: &'static str| if is_chinese { chinese } else { english };
    let place = Place::new(&[]);
    let names = [say("李雷", "lena"), say("韩梅梅", "mia"), "ci"];
    let [mut lena, mut mia, mut ci] = place.server.join_all(names);
    let topic = say("发布与构建，CI 在这里报告", "Releases and builds: CI reports here");
    lena.say(&format!("join|builds\ntopic|builds|{topic}"));
    ci.say("in|builds|4711 is red: 1 of 812 tests failed");
    hear(&mut lena, "tests failed");
    lena.say(say(
        "in|builds|我来看看：https://ci.example.com/run/4711",
        "in|builds|I'll have a look: https://ci.example.com/run/4711",
    ));
    mia.say("join|builds");
    mia.say(say("in|builds|谢谢！文档的草稿也写好了", "in|builds|thanks! the release notes are ready, too"));
    ci.say("in|alerts|disk /var is 91 % full on db-3");
    let [_, _, _] = [&mut lena, &mut mia, &mut ci].map(common::Client::fence_anywhere);
    let browser = driver.browser(look);
    browser.open(&place.page("ann", "builds"));
    browser.until("document.querySelectorAll('#log .head').length === 3");
    ci.say("in|builds|build green");
    browser.expect("build green");
    lena.say(say("in|builds|ann，可以发布了吗？", "in|builds|ann: shall we ship it?"));
    lena.say(say("in|lobby|有人要喝咖啡吗？", "in|lobby|coffee, anyone?"));
    browser.until("document.querySelector('#rooms .badge') !== null");
    mia.say(say("to|ann|有空吗？", "to|ann|got a minute?"));
    browser.until("document.querySelector('#privates .badge') !== null");
    browser.keys("textarea", say("马上", "on it"));
    browser.script("document.activeElement.blur()");
    browser.screenshot(&kept_file("screenshots", name));
}
