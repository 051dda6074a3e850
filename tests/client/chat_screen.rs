//! `pipechat chat` on terminals that can do less, and on one that gets another width.

use common::Server;

use crate::{
    DONE,
    chat_terminal::{ann_and_bob, bob, said},
};

#[test]
fn a_dumb_terminal_gets_no_escapes() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut bob = bob(&server, &[], &[("TERM", "dumb")]);
    assert!(bob.is_cooked(), "it edits lines itself");
    bob.type_in("hello\n");
    assert_eq!(said(&mut ann, 1), ["hello"]);
    ann.say("hi bob");
    bob.expect_rows(&["hello", "HH:MM * ann: hi bob", ""]);
    bob.type_in("/quit\n");
    assert_eq!(bob.exit(), DONE);
    assert!(!bob.has_escapes());
}

#[test]
fn no_color_leaves_the_line_editor() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut bob = bob(&server, &[], &[("NO_COLOR", "1")]);
    bob.type_in("wor");
    ann.say("hi bob");
    bob.expect_rows(&["HH:MM * ann: hi bob", "> wor"]);
    assert!(!bob.has_colours());
}

#[test]
fn a_narrower_window_is_drawn_cleanly() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    let text = "a line that is longer than the window is wide once it has become narrow";
    ann.say("before");
    bob.type_in(text);
    bob.expect_rows(&["HH:MM ann: before", &format!("> {text}")]);
    bob.resize(40);
    ann.say("after");
    bob.expect_rows(&[
        "HH:MM ann: before",
        "HH:MM ann: after",
        "> a line that is longer than the window",
        "is wide once it has become narrow",
    ]);
    bob.resize(20);
    ann.say("again");
    bob.expect_rows(&[
        "HH:MM ann: before",
        "HH:MM ann: after",
        "HH:MM ann: again",
        "> a line that is lon",
        "ger than the window",
        "is wide once it has",
        "become narrow",
    ]);
    bob.resize(80);
    ann.say("wide");
    bob.expect_rows(&["HH:MM ann: again", "HH:MM ann: wide", &format!("> {text}")]);
}
