//! What happens in rooms from now on: NDJSON, text, and server-sent events that go on where they broke off.

use std::{net::Shutdown, thread};

use crate::{
    Web,
    http::{Conn, request},
};

/// Follows rooms, as far as the head of the answer.
#[track_caller]
fn follow(web: &Web, target: &str, fields: &[&str]) -> Conn {
    let mut conn = web.open();
    conn.send(request("GET", target, fields, ""));
    let head = conn.head();
    assert_eq!((head.status, head.get("Connection"), head.get("Content-Length")), (200, Some("close"), None));
    conn
}

#[test]
fn a_room_is_followed_behind_its_history() {
    let web = Web::start(&[]);
    web.post("/rooms/x", "one\ntwo\nthree");
    let mut conn = follow(&web, "/rooms/x?last=2&follow", &[]);
    assert_eq!(conn.event(), "message #x 127.0.0.1: two");
    assert_eq!(conn.event(), "message #x 127.0.0.1: three");
    assert_eq!(conn.event(), "ok history #x 2");
    assert_eq!(conn.event(), "joined #x 127.0.0.1:");
    assert_eq!(conn.event(), "ok join #x 1");
    web.post("/rooms/x", "four");
    assert_eq!(conn.event(), "message #x 127.0.0.1: four");
    web.post("/rooms/lobby", "elsewhere");
    web.post("/rooms/x", "five");
    assert_eq!(conn.event(), "message #x 127.0.0.1: five");
    assert_eq!(web.get("/rooms/x/members").events().len(), 2, "who follows is here");
}

#[test]
fn messages_alone_are_followed_and_in_text_too() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let mut messages = follow(&web, "/rooms/x,y?event=message&follow&name=log", &[]);
    let mut text = follow(&web, "/rooms/x?event=message&follow&format=text", &[]);
    ann.say("join|x\nsync|1");
    ann.expect_among("sync|1");
    web.post("/rooms/y", "one");
    web.post("/rooms/x", "two");
    loop {
        match &*messages.event() {
            "message #y 127.0.0.1: one" => break,
            before => assert!(before.starts_with("ok "), "{before}"),
        }
    }
    assert_eq!(messages.event(), "message #x 127.0.0.1: two");
    let line = loop {
        let line = text.line();
        if !line.starts_with("join|ok|") && !line.starts_with("history|ok|") {
            break line;
        }
    };
    assert!(line.starts_with("history|") && line.contains("|#x [127.0.0.1:") && line.ends_with(":two"), "{line}");
    assert!(web.get("/users").said().contains("user log:"));
}

#[test]
fn who_follows_under_a_name_gets_private_messages_too() {
    let web = Web::start(&[]);
    let mut conn = follow(&web, "/rooms/x?follow&name=bot", &[]);
    while conn.event() != "ok join #x 1" {}
    assert_eq!(web.post("/users/bot", "psst").said(), "200 ok to");
    assert_eq!(conn.event(), "private 127.0.0.1: psst");
    let taken = web.get("/rooms/x?follow&name=bot");
    assert_eq!(taken.said(), "409 refused rename name-taken");
    let mut ann = web.server.join("ann");
    drop(conn);
    ann.say("wait|20|gone|bot");
    ann.expect_among("wait|ok|bot");
}

#[test]
fn server_sent_events_have_positions_and_no_names() {
    let web = Web::start(&[]);
    let answer = web.post("/rooms/x", "one");
    let position = crate::events::value(&answer.body, "pos");
    let mut conn = web.open();
    conn.send(request("GET", "/rooms/x?last=9", &["Accept: text/event-stream"], ""));
    let head = conn.head();
    assert_eq!((head.status, head.get("Content-Type")), (200, Some("text/event-stream")));
    assert_eq!((head.get("Cache-Control"), head.get("X-Accel-Buffering")), (Some("no-store"), Some("no")));
    assert_eq!(conn.line(), format!("id: {position}"));
    let data = conn.line();
    assert!(data.starts_with("data: {\"seq\":") && data.ends_with('}'), "{data}");
    assert_eq!(conn.line(), "");
    assert_eq!(conn.sse_up_to("ok join #x 1").len(), 3);
}

#[test]
fn a_stream_that_breaks_off_anywhere_goes_on_without_gap_or_repetition() {
    const EVENTS: usize = 60;
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let mut last = crate::events::value(&web.post("/rooms/x", "begin").body, "pos");
    let speaker = {
        let addr = web.addr;
        thread::spawn(move || {
            for n in 0..EVENTS {
                Conn::open(addr).ask("POST", "/rooms/x", &[], &format!("{n}"));
            }
        })
    };
    let (mut seen, mut cut) = (Vec::new(), 1);
    while seen.len() < EVENTS {
        let mut conn = web.open();
        conn.send(request("GET", "/rooms/x?format=sse&event=message", &[&format!("Last-Event-ID: {last}")], ""));
        assert_eq!(conn.head().status, 200);
        // So many bytes are read, and then the connection is gone: as a client would, this one knows only whole events.
        let mut text = Vec::new();
        while text.len() < cut && whole(&text).last().is_none_or(|(_, n)| *n < EVENTS - 1) {
            text.push(conn.byte());
        }
        cut += 97;
        for (id, n) in whole(&text) {
            (last, _) = (id, seen.push(n));
        }
    }
    speaker.join().expect("it has spoken");
    assert_eq!(seen, (0..EVENTS).collect::<Vec<_>>());
}

/// The messages that are whole: their ids and numbers.
fn whole(bytes: &[u8]) -> Vec<(String, usize)> {
    let text = String::from_utf8_lossy(bytes);
    let events = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
    let fields = |event: &str| {
        let (id, data) = event.strip_prefix("id: ")?.split_once("\ndata: ")?;
        let n = crate::events::short(data.trim_end()).strip_prefix("message #x 127.0.0.1: ")?.parse().ok()?;
        Some((id.to_owned(), n))
    };
    events.filter_map(fields).collect()
}

#[test]
fn a_follower_that_sends_something_is_not_heard_and_one_that_ends_is_gone() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let mut conn = follow(&web, "/rooms/x?follow&name=bot", &[]);
    conn.send("rename|joe\nGET / HTTP/1.1\r\n\r\n");
    while conn.event() != "ok join #x 1" {}
    web.post("/rooms/x", "one");
    assert_eq!(conn.event(), "message #x 127.0.0.1: one");
    conn.stream.shutdown(Shutdown::Write).expect("connected");
    ann.say("wait|20|gone|bot");
    ann.expect_among("wait|ok|bot");
}

#[test]
fn the_head_of_a_stream_is_an_answer_of_its_own() {
    let web = Web::start(&[]);
    web.post("/rooms/x", "one");
    for target in ["/rooms/x?follow", "/rooms/x?format=sse", "/rooms/x?follow&format=text"] {
        let mut conn = web.open();
        assert_eq!(conn.ask("HEAD", target, &[], "").status, 200);
        assert_eq!(conn.ask("GET", "/rooms/x/members", &[], "").said(), "200 ok who #x 0", "and nobody is here for it");
    }
}

#[test]
fn old_clients_follow_too() {
    let web = Web::start(&[]);
    let mut conn = web.open();
    conn.send("GET /rooms/x?follow HTTP/1.0\r\n\r\n");
    assert_eq!(conn.head().status, 200);
    while conn.event() != "ok join #x 1" {}
    web.post("/rooms/x", "one");
    assert_eq!(conn.event(), "message #x 127.0.0.1: one");
}
