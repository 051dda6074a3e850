//! Clients that leave before they are answered, or do not read.

use std::{io::Write, net::Shutdown};

use common::until;

use crate::{
    Web,
    http::{Conn, End, request},
};

#[test]
fn who_has_said_all_and_closes_its_half_is_answered() {
    let web = Web::start(&[]);
    let mut conn = web.open();
    conn.send([request("POST", "/rooms/x", &[], "hi"), request("GET", "/rooms/x", &[], "")].concat());
    conn.stream.shutdown(Shutdown::Write).expect("connected");
    assert_eq!(conn.answer(true).said(), "200 ok in #x");
    assert_eq!(conn.answer(true).said(), "200 message #x 127.0.0.1: hi; ok history #x 1");
    conn.eof();
}

#[test]
fn who_waits_no_longer_has_no_place() {
    let web = Web::start(&["--max-clients", "2"]);
    let mut ann = web.server.join("ann");
    for n in 0..20 {
        let mut conn = web.open();
        conn.send(request("GET", "/wait?user=nobody&timeout=1h", &[], ""));
        if n % 2 == 0 {
            ann.fence(); // the server may have taken the request by now
        }
        drop(conn);
        until("there is a place again", || Conn::open(web.addr).ask("GET", "/health", &[], "").status == 200);
    }
}

#[test]
fn who_streams_and_does_not_read_its_answers_is_cut() {
    let web = Web::start(&["--rate", "0", "--burst", "1000000", "--write-timeout", "1"]);
    let mut conn = web.open();
    conn.send(request("PUT", "/rooms/x", &["Transfer-Encoding: chunked"], ""));
    let lines = "x\n".repeat(1000);
    let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
    let is_cut = (0..10_000).any(|_| conn.stream.write_all(chunk.as_bytes()).is_err());
    assert!(is_cut, "ten million answers of two hundred bytes wait");
    assert_eq!(web.get("/health").status, 200);
}

#[test]
fn who_follows_and_does_not_read_is_cut_like_any_slow_reader() {
    let web = Web::start_alone(&["--rate", "0", "--burst", "1000000", "--max-queue", "1M"]);
    let mut conn = web.open();
    conn.send(request("GET", "/rooms/x?follow&name=slow", &[], ""));
    assert_eq!(conn.head().status, 200);
    while conn.event() != "ok join #x 1" {}
    let body = format!("{}\n", "x".repeat(4000)).repeat(500);
    let mut posts = 0;
    while web.get("/users").said().contains("user slow:") {
        assert_eq!(web.post("/rooms/x", &body).status, 200);
        posts += 1;
        assert!(posts < 100, "200 MB wait");
    }
    let (text, end) = conn.rest();
    let last = crate::events::short(text.lines().last().expect("a line"));
    assert_eq!((&*last, end), ("farewell slow-consumer disconnected: output queue full", End::Whole));
}
