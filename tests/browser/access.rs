//! By keyboard and with a screen reader: what axe-core finds, and what it cannot.

use std::{fs, process::Command};

use common::{note, output};
use serde_json::Value;

use crate::{
    Place, kept_file,
    webdriver::{Browser, DESK, Driver, Look},
};

/// What npm is asked for, once: it is kept with what the build has made.
const AXE: &str = "axe-core@4.14.1";

#[test]
fn axe_finds_nothing() {
    let Some(driver) = Driver::start() else { return };
    let Some(axe) = axe() else {
        note(&format!("SKIPPED: the page under axe-core, because npm has not brought {AXE}"));
        return;
    };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    for look in [DESK, Look { is_dark: true, lang: "zh-CN", ..DESK }, Look { width: 390, height: 844, ..DESK }] {
        let browser = driver.browser(look);
        browser.open(&place.page(&format!("ann{}{}", look.width, look.lang), "builds"));
        browser.until("document.querySelector('#log .presence') !== null");
        nc.say("in|builds|see https://example.com \u{1b}\nin|builds|again\ntopic|builds|green\nin|lobby|unread");
        browser.expect("again");
        nc.say(&format!("to|ann{}{}|hi", look.width, look.lang));
        browser.until("document.querySelector('#privates .badge') !== null");
        check(&browser, &axe, "the page");
        browser.script("document.querySelector('#open-nav').click()");
        check(&browser, &axe, "the rooms");
        browser.script("document.querySelector('#shade').click(); document.querySelector('#me').click()");
        check(&browser, &axe, "the dialog");
    }
}

#[test]
fn all_is_reached_by_keyboard() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.script("document.activeElement.blur(); document.querySelector('.skip').focus()");
    assert_eq!(browser.script("return getComputedStyle(document.activeElement).position"), "static");
    browser.keys(".skip", "\u{e007}");
    assert_eq!(browser.script("return document.activeElement.tagName"), "TEXTAREA");
    assert_eq!(browser.script("return location.hash"), "#builds");
    // What is said is told to those who hear the page.
    let mut nc = place.server.join("nina");
    nc.say("in|builds|hear me");
    browser.until("document.querySelector('#heard').textContent === 'nina: hear me'");
}

#[track_caller]
fn check(browser: &Browser<'_>, axe: &str, what: &str) {
    browser.until("document.getAnimations().length === 0");
    let script = format!("{axe}; axe.run().then(({{ violations }}) => arguments[arguments.length - 1](violations))");
    let violations = browser.script_with_callback(&script);
    let told = |violation: &Value| format!("{}: {}", violation["help"], violation["nodes"]);
    let all: Vec<_> = violations.as_array().expect("a list").iter().map(told).collect();
    assert!(all.is_empty(), "{what}: {}", all.join("\n"));
}

/// The source of axe-core, from npm unless it is there already.
fn axe() -> Option<String> {
    let folder = kept_file("axe", "");
    let file = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
            .arg(&folder)
            .arg(AXE);
        output(&mut npm).ok()?;
    }
    fs::read_to_string(file).ok()
}
