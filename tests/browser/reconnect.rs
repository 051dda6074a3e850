//! The network goes and comes, and so does the server.

use common::Client;

use crate::{
    Place, StoreFile, hear,
    proxy::Proxy,
    webdriver::{DESK, Driver},
};

const OFFLINE: &str = "document.querySelector('#status').textContent !== ''";
const ONLINE: &str = "document.querySelector('#status').textContent === ''";

fn say_as_ci(place: &Place, text: &str) {
    let mut ci: Client = place.server.dial();
    ci.say(&format!("visit\nrename|ci\nin|builds|{text}"));
    while !ci.line().starts_with("in|ok|") {}
}

#[test]
fn a_server_that_is_killed_and_started_again_leaves_no_gap_and_says_nothing_twice() {
    let Some(driver) = Driver::start() else { return };
    let store = StoreFile::new("killed");
    let flags = ["--store", store.path()];
    let place = Place::new(&flags);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.say("before");
    browser.expect("before");
    let place = place.start_again(&flags, || {
        browser.until(OFFLINE);
        browser.say("meanwhile");
        browser.until("document.querySelector('#waiting').textContent === 'meanwhile'");
    });
    say_as_ci(&place, "while she was away");
    browser.until(ONLINE);
    browser.expect("meanwhile");
    say_as_ci(&place, "after");
    browser.expect("after");
    let mut texts = browser.texts();
    // Who is first after the start is open.
    texts[1..3].sort();
    assert_eq!(texts, ["before", "meanwhile", "while she was away", "after"]);
    browser.until("document.querySelector('#me bdi')?.textContent === 'ann'");
    assert_eq!(browser.script("return document.querySelectorAll('#log .gap').length"), 0);
}

#[test]
fn a_server_that_has_forgotten_is_said_to_have() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.say("before");
    browser.expect("before");
    let place = place.start_again(&[], || {
        browser.until(OFFLINE);
    });
    browser.until(ONLINE);
    browser.until("document.querySelectorAll('#log .gap').length === 1");
    say_as_ci(&place, "after");
    browser.expect("after");
    assert_eq!(browser.texts(), ["before", "after"]);
}

#[test]
fn a_network_that_comes_back_brings_what_was_missed_once() {
    let Some(driver) = Driver::start() else { return };
    let mut place = Place::new(&[]);
    let proxy = Proxy::to(place.url.strip_prefix("http://").expect("a URL").parse().expect("an address"));
    place.url = format!("http://{}", proxy.addr);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    let mut nc = place.server.join("nina");
    nc.say("join|builds");
    hear(&mut nc, "|");
    browser.say("one");
    browser.expect("one");
    hear(&mut nc, "ann:one");
    proxy.cut();
    browser.until(OFFLINE);
    browser.say("typed meanwhile");
    nc.say("in|builds|said meanwhile");
    nc.fence();
    proxy.mend();
    browser.expect("typed meanwhile");
    browser.until(ONLINE);
    nc.say("in|builds|last");
    browser.expect("last");
    assert_eq!(browser.texts(), ["one", "said meanwhile", "typed meanwhile", "last"]);
    // She was there all the time.
    let heard = nc.fence_anywhere();
    assert!(!heard.iter().any(|line| line.contains("offline") || line.contains("online")), "{heard:?}");
}

#[test]
fn more_than_is_kept_for_a_session_is_told_by_the_room() {
    let Some(driver) = Driver::start() else { return };
    let mut place = Place::new(&["--recent", "5000"]);
    let proxy = Proxy::to(place.url.strip_prefix("http://").expect("a URL").parse().expect("an address"));
    place.url = format!("http://{}", proxy.addr);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    let mut nc = place.server.join("nina");
    browser.say("before");
    browser.expect("before");
    proxy.cut();
    browser.until(OFFLINE);
    let lines: Vec<_> = (1..=2000).map(|n| format!("in|builds|line {n}")).collect();
    nc.say(&lines.join("\n"));
    nc.fence_anywhere();
    proxy.mend();
    browser.expect("line 2000");
    // The first of them is there, right behind what was said before.
    browser.until(
        "(document.querySelector('#scroll').scrollTop = 0, \
         [...document.querySelectorAll('#log .text')].some((it) => it.textContent === 'before'))",
    );
    assert_eq!(browser.texts()[..3], ["before", "line 1", "line 2"]);
    assert_eq!(browser.script("return document.querySelectorAll('#log .gap').length"), 0);
}

#[test]
fn a_page_that_is_loaded_again_is_the_same_user() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    let mut nc = place.server.join("nina");
    nc.say("to|ann|a word\nin|builds|before");
    browser.expect("before");
    nc.fence();
    browser.reload();
    browser.expect("before");
    browser.until("document.querySelector('#privates bdi')?.textContent === 'nina'");
    browser.say("after");
    nc.say("join|builds");
    browser.expect("after");
    browser.open(&format!("{}/#lobby", place.url));
    browser.until("document.querySelector('#me bdi')?.textContent === 'ann'");
    browser.say("in the lobby");
    let heard = nc.fence_anywhere();
    assert!(!heard.iter().any(|line| line.contains("online") || line.contains("offline")), "{heard:?}");
}

#[test]
fn who_leaves_is_gone_until_coming_back() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.click("#me");
    browser.click("#quit");
    hear(&mut nc, "ann:is offline");
    browser.click("#back");
    hear(&mut nc, ":is online");
    browser.until("document.querySelector('#me bdi')?.textContent === 'ann'");
}

#[test]
fn who_has_logged_in_is_logged_in_again_after_a_restart() {
    let Some(driver) = Driver::start() else { return };
    let store = StoreFile::new("login");
    let flags = ["--store", store.path()];
    let place = Place::new(&flags);
    let mut nc = place.server.join("ann");
    nc.say("register|correct horse");
    hear(&mut nc, "register|ok|ann");
    nc.say("rename|nina");
    hear(&mut nc, "[ann]->[nina]");
    let browser = driver.browser(DESK);
    browser.open(&format!("{}/#builds", place.url));
    browser.until("document.querySelector('#me bdi') !== null");
    browser.click("#me");
    browser.keys("dialog input[name=name]", "ann");
    browser.keys("dialog input[name=password]", "wrong horse\u{e007}");
    browser.until("document.querySelector('dialog [role=alert]').textContent !== ''");
    browser.keys("dialog input[name=password]", "\u{e009}a\u{e000}correct horse\u{e007}");
    browser.until("!document.querySelector('dialog').open");
    browser.until("document.querySelector('#me bdi').textContent === 'ann'");
    let place = place.start_again(&flags, || {
        browser.until(OFFLINE);
    });
    browser.until(ONLINE);
    browser.until("document.querySelector('#me bdi')?.textContent === 'ann'");
    let mut nc = place.server.join("nina");
    nc.say("wait|60|by|ann|builds|it is me");
    browser.say("it is me");
    hear(&mut nc, "wait|ok|it is me");
}
