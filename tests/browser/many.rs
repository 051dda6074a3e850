//! Ten thousand messages, and how soon the first one is there.

use std::fs;

use common::note;
use serde_json::json;

use crate::{
    Place,
    webdriver::{DESK, Driver},
};

const MESSAGES: usize = 10_000;
/// The longest that the page may draw nothing, in milliseconds, on a busy machine.
const FRAME_MAX: f64 = 1000.0;
const ROWS_MAX: u64 = 400;
const HEAP_MAX: f64 = 150e6;

#[test]
fn ten_thousand_messages_do_not_freeze_the_page() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&["--max-line", "4096"]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.script(
        "window.longest = 0; let last = performance.now(); \
         const frame = (now) => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(frame); }; \
         requestAnimationFrame(frame)",
    );
    let mut nc = place.server.join("nina");
    let lines: String =
        (1..=MESSAGES).map(|n| format!("in|builds|message {n} about https://example.com/{n}\n")).collect();
    nc.say(lines.trim_end());
    browser.expect(&format!("message {MESSAGES} about https://example.com/{MESSAGES}"));
    // Back and forth through what is kept.
    for _ in 0..20 {
        browser.script("document.querySelector('#scroll').scrollTop = 0");
    }
    let rows = browser.script("return document.querySelectorAll('#log li').length").as_u64().expect("a number");
    browser.click("#jump");
    browser.expect(&format!("message {MESSAGES} about https://example.com/{MESSAGES}"));
    browser.say("I can still type");
    browser.expect("I can still type");
    browser.devtools("HeapProfiler.collectGarbage", &json!({}));
    let longest = browser.script("return window.longest").as_f64().expect("a number");
    let heap = browser.script("return performance.memory.usedJSHeapSize").as_f64().expect("a number");
    let private = private_bytes_of_renderers(driver.pid());
    note(&format!(
        "{MESSAGES} messages: the longest frame {longest:.0} ms, {rows} rows, a heap of {:.1} MB, {:.0} MB of the tab's own",
        heap / 1e6,
        private as f64 / 1e6,
    ));
    assert!(longest < FRAME_MAX && rows < ROWS_MAX && heap < HEAP_MAX);
}

#[test]
fn the_first_message_is_there_at_once() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    nc.say("in|builds|hello");
    nc.fence_anywhere();
    let browser = driver.browser(DESK);
    let watch = "new MutationObserver(() => { if (document.querySelector('#log .text')) window.first ??= performance.now(); }) \
                 .observe(document, { childList: true, subtree: true })";
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": watch }));
    browser.open(&place.page("ann", "builds"));
    browser.expect("hello");
    let after = browser.script("return window.first - performance.getEntriesByType('navigation')[0].loadEventStart");
    note(&format!("the first message is shown {:.0} ms after the page was loaded", after.as_f64().expect("a number")));
}

/// The memory that the processes behind tabs share with no other, of the browsers of this driver.
fn private_bytes_of_renderers(driver: u32) -> u64 {
    let pids: Vec<u32> = fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    let parent = |pid: u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let is_ours = |&pid: &u32| std::iter::successors(Some(pid), |&pid| parent(pid)).any(|pid| pid == driver);
    let is_tab = |pid: &u32| {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains("--type=renderer")
    };
    let private = |pid: &u32| -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let lines = rollup.lines().filter_map(|line| line.strip_prefix("Private_"));
        lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>() * 1024
    };
    // A browser may have one in reserve, which is small.
    pids.iter().filter(|pid| is_tab(pid) && is_ours(pid)).map(private).max().unwrap_or_default()
}
