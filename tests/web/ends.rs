//! How connections end: slow heads, the server's end, and connections that are not let in.

use std::time::{Duration, Instant};

use common::DEADLINE;
use rustix::process::Signal;

use crate::{
    Web,
    http::{End, request},
    sessions::place,
};

#[test]
fn a_head_that_does_not_come_is_given_up_after_ten_seconds() {
    let web = Web::start(&[]);
    let mut conn = web.open();
    assert_eq!(conn.ask("GET", "/rooms", &[], "").status, 200);
    let start = Instant::now();
    // Bytes that come now and then do not help.
    conn.send("GET /rooms HTTP/1.1\r\n");
    let mut writer = conn.stream.try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        use std::io::Write;
        while writer.write_all(b"X: y\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(500)); // the client is slow: that is what is tested
        }
    });
    let answer = conn.answer(true);
    assert_eq!((answer.said(), answer.get("Connection")), ("408 refused too-slow".to_owned(), Some("close")));
    let took = start.elapsed();
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(18), "after {took:?}");
}

#[test]
fn at_the_end_of_the_server_who_listens_is_told_and_who_asks_is_answered() {
    let web = Web::start(&[]);
    let session = place(&web.post("/sessions", ""));
    let mut kept = web.open();
    assert_eq!(kept.ask("GET", "/rooms", &[], "").status, 200);
    let mut stream = web.open();
    stream.send(request("GET", &session, &[], ""));
    assert_eq!(stream.head().status, 200);
    let mut follower = web.open();
    follower.send(request("GET", "/rooms/x?follow&format=sse", &[], ""));
    assert_eq!(follower.head().status, 200);
    follower.sse_up_to("ok join #x 1");
    let mut waits = web.open();
    waits.send(request("GET", "/wait?user=nobody&timeout=1m", &[], ""));
    let mut says = web.open();
    says.send(request("PUT", "/rooms/x", &["Transfer-Encoding: chunked"], ""));
    says.send_chunk("one\n");
    assert_eq!((says.head().status, &*says.event()), (200, "ok in #x"));
    follower.sse_up_to("message #x 127.0.0.1: one");
    // What was asked for before is at work when a later request of another connection is answered.
    let mut ann = web.server.join("ann");
    ann.fence();
    web.server.signal(Signal::TERM);
    kept.eof();
    let farewell = "farewell shutting-down the server is shutting down, goodbye";
    stream.sse_up_to(farewell);
    assert_eq!(stream.rest(), (String::new(), End::Whole));
    follower.sse_up_to(farewell);
    assert_eq!(follower.rest(), (String::new(), End::Whole));
    let answer = waits.answer(true);
    assert_eq!((answer.said(), answer.get("Connection")), ("503 refused shutting-down".to_owned(), Some("close")));
    assert_eq!(says.rest().1, End::BrokenOff);
    let Web { server, .. } = web;
    assert!(server.exit(DEADLINE).0.success());
}

#[test]
fn who_is_not_let_in_is_told_so_in_http() {
    let web = Web::start(&["--max-clients", "1"]);
    let _first = web.server.connect();
    let answer = web.ask_raw(b"");
    assert_eq!((answer.said(), answer.get("Retry-After")), ("503 refused full".to_owned(), Some("1")));
    let web = Web::start(&["--trusted", "", "--max-clients-per-ip", "1"]);
    let _first = web.server.connect();
    let answer = web.ask_raw(request("GET", "/rooms", &[], "").as_bytes());
    assert_eq!((answer.said(), answer.get("Retry-After")), ("429 refused full-for-address".to_owned(), Some("1")));
}

#[test]
fn an_idle_connection_is_no_user_and_one_that_breaks_is_gone() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let _idle: Vec<_> = (0..10).map(|_| web.open()).collect();
    for cut in 1..60 {
        let mut conn = web.open();
        conn.send(&request("POST", "/rooms/lobby", &["Content-Length: 100"], "")[..cut]);
    }
    ann.nothing();
    assert_eq!(web.get("/users").said(), "200 user ann:; users_end 1");
}
