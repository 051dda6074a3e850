//! Talk between browsers and an nc, in both directions; what is refused; and what must stay text.

use common::run;

use crate::{
    Place, StoreFile, hear,
    webdriver::{Browser, DESK, Driver, TAB},
};

#[test]
fn two_browsers_and_an_nc_talk_in_both_directions() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    nc.say("join|builds");
    let [ann, bob] = ["ann", "bob"].map(|name| {
        let browser = driver.browser(DESK);
        browser.enter(&place, name, "builds");
        browser
    });
    let all_expect = |text: &str| [&ann, &bob].map(|browser| browser.expect(text));
    ann.say("from ann");
    all_expect("from ann");
    bob.say("from bob");
    all_expect("from bob");
    hear(&mut nc, "ann:from ann");
    hear(&mut nc, "bob:from bob");
    nc.say("in|builds|from nina");
    all_expect("from nina");
    assert_eq!([ann.texts(), bob.texts()], [["from ann", "from bob", "from nina"]; 2]);

    nc.say("to|ann|a word");
    ann.until("document.querySelector('#privates .badge')");
    ann.go("@nina");
    ann.expect("a word");
    ann.say("alone");
    ann.expect("alone");
    hear(&mut nc, "[ann] says:alone");
    ann.go("#lobby");
    ann.say("to all");
    hear(&mut nc, "ann:to all");
    bob.until("document.querySelector('#rooms .badge')");
}

#[test]
fn who_comes_later_sees_what_was_said() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    (0..200).for_each(|n| nc.say(&format!("in|builds|line {n}")));
    nc.fence();
    nc.say("topic|builds|green since noon");
    nc.fence_anywhere();
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.expect("line 199");
    browser.until("document.querySelector('#topic input').value === 'green since noon'");
    // What came before is asked for as one scrolls up.
    for first in ["line 120", "line 80", "line 0"] {
        let found = format!("[...document.querySelectorAll('#log .text')].some((it) => it.textContent === '{first}')");
        browser.until(&format!("(document.querySelector('#scroll').scrollTop = 0, {found})"));
    }
    browser.click("#jump");
    browser.expect("line 199");
    browser.until("document.querySelector('#jump').hidden");
}

#[test]
fn a_refusal_is_shown_where_one_types() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&["--max-line", "200"]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    let expect_refusal = |browser: &Browser<'_>, refusal: &str| {
        browser.until(&format!("document.querySelector('#write [role=alert]').textContent === '{refusal}'"));
    };
    browser.go("@nobody");
    browser.say("are you there?");
    expect_refusal(&browser, place.server.texts.no_such_user);
    // It was not sent, so it is there to be sent again.
    browser.until("document.querySelector('textarea').value === 'are you there?'");
    browser.go("#lobby");
    browser.until("document.querySelector('textarea').value === ''");
    browser.go("@nobody");
    browser.until("document.querySelector('textarea').value === 'are you there?'");
    browser.go("#builds");
    let long = "x".repeat(300);
    browser.say(&long);
    browser.until("document.querySelector('#write [role=alert]').textContent !== ''");
    browser.until(&format!("document.querySelector('textarea').value === '{long}'"));
    browser.script("document.querySelector('textarea').value = ''");
    browser.say("login|ann|correct horse");
    browser.until("document.querySelector('#write [role=alert]').textContent !== ''");
    assert_eq!(browser.texts(), [""; 0]);
}

#[test]
fn a_name_that_is_taken_is_asked_for_again() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("ann");
    let browser = driver.browser(DESK);
    browser.open(&place.page("ann", "builds"));
    browser.until("document.querySelector('dialog').open");
    browser.until("document.querySelector('dialog [role=alert]').textContent !== ''");
    browser.until("document.querySelector('#log .presence') !== null");
    browser.keys("dialog input[name=name]", "a\u{e007}"); // behind the name that is taken
    browser.until("!document.querySelector('dialog').open");
    hear(&mut nc, "is now [anna]");
    browser.until("document.querySelector('#me bdi')?.textContent === 'anna'");
}

#[test]
fn tab_completes_names_and_moves_on_where_there_is_none() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let mut nc = place.server.join("nina");
    nc.say("join|builds");
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    browser.keys("textarea", &format!("ni{TAB}"));
    assert_eq!(browser.script("return document.querySelector('textarea').value"), "nina: ");
    assert_eq!(browser.script("return document.activeElement.tagName"), "TEXTAREA");
    browser.keys("textarea", TAB);
    assert_eq!(browser.script("return document.activeElement.dataset.say"), "send");
}

#[test]
fn a_hostile_text_stays_text() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let browser = driver.browser(DESK);
    browser.enter(&place, "ann", "builds");
    let mut nc = place.server.join("<b>eve</b>");
    let texts = [
        "<img src=x onerror='window.caught = 1'><script>window.caught = 2</script>",
        "javascript:alert(1) https://good.example/<script>",
        "&lt;i&gt; ${window.caught = 3} {{7*7}}",
        "data:text/html,<h1>x</h1> file:///etc/passwd",
    ];
    for text in texts {
        nc.say(&format!("in|builds|{text}"));
        browser.expect(text);
    }
    // Controls, and what changes the direction of the text, are shown; a tab and words in Arabic are themselves.
    nc.say("in|builds|\u{1b}[31mred\u{202e}dlrow\u{2028}\u{7f} مرحبا\ttab");
    browser.expect("\\u{1b}[31mred\\u{202e}dlrow\\u{2028}\\u{7f} مرحبا\ttab");
    nc.say("topic|builds|<u>\u{202e}topic</u>");
    browser.until("document.querySelector('#topic input').value === '<u>\\\\u{202e}topic</u>'");
    let links = browser.script("return [...document.querySelectorAll('#log a')].map((it) => it.href + ' ' + it.rel)");
    assert_eq!(links, serde_json::json!(["https://good.example/ noopener noreferrer"]));
    let markup = browser
        .script("return document.querySelectorAll('#log img, #log script, #log b, #log i, #log u, h1 *').length");
    assert_eq!((markup, browser.script("return window.caught ?? null")), (0.into(), serde_json::Value::Null));
    assert_eq!(browser.console(), serde_json::json!([]));
}

#[test]
fn a_room_that_cannot_be_joined_says_why() {
    let Some(driver) = Driver::start() else { return };
    let place = Place::new(&[]);
    let browser = driver.browser(DESK);
    browser.open(&place.page("ann", "a%2Fb"));
    browser.until("document.querySelector('#write [role=alert]').textContent !== ''");
    browser.click("#leave");
    browser.until("document.querySelector('h1').textContent === '#lobby'");
    // The room is called as the one who has made it did.
    place.server.join("nina").join("Builds");
    browser.keys("#add input", "builds\u{e007}");
    browser.until("document.querySelector('h1').textContent === '#Builds'");
    browser.say("hello");
    browser.expect("hello");
    assert_eq!(browser.script("return document.querySelectorAll('#rooms li').length"), 2);
}

#[test]
fn who_has_to_log_in_is_asked_to() {
    let Some(driver) = Driver::start() else { return };
    let store = StoreFile::new("asked");
    let account = run(&["account", "add", "ann", "--no-password", "--store", store.path()]);
    let (_, token, _) = run(&["account", "token", "ann", "page", "--store", store.path()]);
    assert!(token.starts_with("pc_"), "{account:?} {token}");
    let place = Place::new(&["--store", store.path(), "--require-login"]);
    let browser = driver.browser(DESK);
    browser.open(&format!("{}/#builds", place.url));
    browser.until("document.querySelector('dialog').open");
    browser.keys("dialog input[name=token]", &format!("{}\u{e007}", token.trim()));
    browser.until("document.querySelector('#me bdi')?.textContent === 'ann'");
    browser.say("hello");
    browser.expect("hello");
}
