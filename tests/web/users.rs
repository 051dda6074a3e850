//! Private messages: to one who is here, one who is away, one who is not there, and one who does not read.

use std::io::Write;

use crate::{
    Web,
    http::{End, request},
    who::{StorePath, register},
};

#[test]
fn a_private_message_is_delivered_or_it_is_said_why_not() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    assert_eq!(web.post("/users/ann", "psst").said(), "200 ok to");
    let line = ann.line();
    assert!(line.starts_with("from:[127.0.0.1:") && line.ends_with("] says:psst"), "{line:?}");
    assert_eq!(web.post("/users/ann?name=ci", "one\n\ntwo").said(), "200 ok to; ok to");
    ann.expect("from:[ci] says:one");
    ann.expect("from:[ci] says:two");
    assert_eq!(web.post("/users/bob", "psst\nmore").said(), "404 refused to no-such-user");
    assert_eq!(
        web.post("/users/bob?skip", "psst\nmore").said(),
        "404 refused to no-such-user; refused to no-such-user"
    );
    ann.nothing();
    let answer = web.get("/users/ann");
    assert_eq!(
        (answer.said(), answer.get("Allow")),
        ("405 refused method-not-allowed".to_owned(), Some("POST, PUT, OPTIONS"))
    );
}

#[test]
fn a_message_for_one_who_is_away_is_kept() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut ann = web.server.join("ann");
    register(&mut ann);
    ann.say("quit");
    let mut bob = web.server.join("bob");
    bob.say("wait|20|gone|ann");
    bob.expect_among("wait|ok|ann");
    assert_eq!(web.post("/users/ann", "psst").said(), "202 ok to kept ann");
    let answer = web.post("/users/ann?skip", "a\n\0\nb");
    assert_eq!(answer.said(), "400 ok to kept ann; refused nul; ok to kept ann");
    assert_eq!(web.post("/users/bob", r#"{"code":"kept"}"#).said(), "200 ok to", "what is said does not count");
}

#[test]
fn one_who_does_not_read_gets_no_more_and_the_sender_knows() {
    let web = Web::start(&[]);
    let mut stuck = web.server.connect_narrow();
    stuck.rename("stuck");
    let text = "x".repeat(4000);
    let mut conn = web.open();
    conn.send(request("PUT", "/users/stuck", &["Transfer-Encoding: chunked"], ""));
    conn.send_chunk(&format!("{text}\n"));
    assert_eq!((conn.head().status, &*conn.event()), (200, "ok to"));
    let mut sent = 1;
    loop {
        conn.send_chunk(&format!("{text}\n"));
        sent += 1;
        match &*conn.event() {
            "ok to" => assert!(sent < 1000, "all of it is taken"),
            refused => break assert_eq!(refused, "refused to recipient-behind"),
        }
    }
    assert_eq!(conn.rest(), (String::new(), End::BrokenOff));
    assert_eq!(web.post("/users/stuck", "more").said(), "409 refused to recipient-behind");
    stuck.stream.flush().expect("it was here all the time");
}
