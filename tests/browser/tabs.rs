//! Many tabs of a browser are one user.

use serde_json::json;

use crate::{
    Place, hear,
    webdriver::{Browser, DESK, Driver},
};

#[test]
fn ten_tabs_are_one_user_and_all_of_them_work() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    nc.say("join|builds");
    nc.say("in|builds|first");
    browser.expect("first");
    let mut tabs = vec![browser.tab()];
    for _ in 1..10 {
        tabs.push(browser.new_tab());
        browser.open(&format!("{}/#builds", place.url));
        browser.expect("first");
    }
    nc.say("in|builds|to all");
    for (n, tab) in tabs.iter().enumerate() {
        browser.switch_to(tab);
        browser.expect("to all");
        browser.say(&format!("from tab {n}"));
        hear(&mut nc, &format!("ann:from tab {n}"));
    }
    browser.switch_to(&tabs[0]);
    browser.expect("from tab 9");

    // The one that leads is closed, and the one that leads then, too.
    for closed in 0..2 {
        browser.switch_to(&tabs[closed]);
        browser.close_tab();
        browser.switch_to(&tabs[9]);
        nc.say(&format!("in|builds|without {closed}"));
        browser.expect(&format!("without {closed}"));
    }
    browser.say("still here");
    nc.say("sync|end");
    let mut heard = Vec::new();
    while heard.last().is_none_or(|line: &String| !line.ends_with("ann:still here")) {
        heard.push(nc.line());
    }
    assert!(!heard.iter().any(|line| line.contains("offline") || line.contains("online")), "{heard:?}");
    browser.switch_to(&tabs[5]);
    browser.expect("still here");
    let mut expected = vec!["first".to_owned(), "to all".to_owned()];
    expected.extend((0..10).map(|n| format!("from tab {n}")));
    expected.extend(["without 0", "without 1", "still here"].map(str::to_owned));
    assert_eq!(browser.texts(), expected);
}

#[test]
fn without_locks_one_tab_leads_too() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    let browser = driver.browser(DESK);
    // As for a page that came from another machine without https.
    let without_locks = |browser: &Browser<'_>| {
        let source = "Object.defineProperty(navigator, 'locks', { value: undefined })";
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
    };
    without_locks(&browser);
    browser.enter(&place, "ann", "builds");
    let first = browser.tab();
    let tabs = [(); 2].map(|()| {
        let tab = browser.new_tab();
        without_locks(&browser);
        browser.enter(&place, "ann", "builds");
        tab
    });
    browser.say("one");
    let heard = nc.fence_anywhere();
    assert_eq!(heard.iter().filter(|line| line.contains("online")).count(), 1, "{heard:?}");
    browser.switch_to(&first);
    browser.expect("one");
    browser.close_tab();
    browser.switch_to(&tabs[0]);
    nc.say("in|builds|two");
    browser.expect("two");
    let heard = nc.fence_anywhere();
    assert!(!heard.iter().any(|line| line.contains("offline") || line.contains("online")), "{heard:?}");
}
