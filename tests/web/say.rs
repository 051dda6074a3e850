//! Saying something in a room: each line of a body.

use crate::{
    Web,
    events::value,
    http::{Conn, End, request},
};

const CHUNKED: &str = "Transfer-Encoding: chunked";

/// A request whose body comes in chunks, as far as its head.
fn begin_chunked(conn: &mut Conn, target: &str) {
    conn.send(request("PUT", target, &[CHUNKED], ""));
}

#[test]
fn each_line_that_is_not_blank_is_said_by_a_visitor_and_answered_with_its_position() {
    let web = Web::start(&[]);
    let [mut ann] = web.server.join_all(["ann"]);
    ann.join("builds");
    let answer = web.post("/rooms/builds", "build green\r\n\n  \t\r\nfine \u{e9}day\n last");
    assert_eq!(answer.said(), "200 ok in #builds; ok in #builds; ok in #builds");
    assert_eq!(answer.get("Content-Type"), Some("application/x-ndjson"));
    for text in ["build green", "fine \u{e9}day", " last"] {
        let line = ann.line();
        assert!(line.starts_with("#builds [127.0.0.1:") && line.ends_with(&format!(":{text}")), "{line:?}");
    }
    let positions: Vec<_> = answer.body.lines().map(|line| value(line, "pos")).collect();
    let history = web.get("/rooms/builds?event=message").body;
    let kept: Vec<_> = history.lines().take(3).map(|line| value(line, "pos")).collect();
    assert_eq!(positions, kept);
    assert_eq!(web.ask("PUT", "/rooms/builds", &[], "by put").said(), "200 ok in #builds");
    assert!(ann.line().ends_with(":by put"));
    ann.nothing();
    assert_eq!(web.get("/users").said(), "200 user ann:; users_end 1", "a visitor is not here");
}

#[test]
fn a_body_of_nothing_says_nothing() {
    let web = Web::start(&[]);
    for body in ["", "\n\r\n  \n"] {
        let answer = web.post("/rooms/lobby", body);
        assert_eq!((answer.said(), &*answer.body), ("200".to_owned(), ""));
    }
}

#[test]
fn after_the_first_line_that_is_refused_none_is_said_unless_they_are_skipped() {
    let web = Web::start(&["--max-line", "20"]);
    let mut ann = web.server.join("ann");
    let body = "one\n123456789 123456789 123456789\ntwo\n";
    let answer = web.post("/rooms/lobby", body);
    assert_eq!(answer.said(), "413 ok in #lobby; refused line-too-long");
    assert!(ann.line().ends_with(":one"));
    ann.nothing();
    let answer = web.post("/rooms/lobby?skip", body);
    assert_eq!(answer.said(), "413 ok in #lobby; refused line-too-long; ok in #lobby");
    assert!(ann.line().ends_with(":one") && ann.line().ends_with(":two"));
    ann.nothing();
}

#[test]
fn what_is_no_text_is_refused_with_its_status() {
    let web = Web::start(&["--max-line", "20"]);
    for (body, said) in [
        (&b"caf\xe9"[..], "400 refused not-utf8"),
        (b"a\0b", "400 refused nul"),
        (b"123456789 123456789 x", "413 refused line-too-long"),
    ] {
        let mut conn = web.open();
        let head = format!("POST /rooms/lobby HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        conn.send([head.as_bytes(), body].concat());
        assert_eq!(conn.answer(true).said(), said);
    }
    let answer = web.ask("POST", "/rooms/lobby", &["Content-Type: multipart/form-data; boundary=x"], "--x\r\n");
    assert_eq!(answer.said(), "415 refused not-text");
    for kind in ["application/x-www-form-urlencoded", "application/json", "image/png"] {
        let answer = web.ask("POST", "/rooms/lobby", &[&format!("Content-Type: {kind}")], "a=b&c=%20");
        assert_eq!(answer.said(), "200 ok in #lobby");
    }
    assert!(web.get("/rooms/lobby").said().contains("127.0.0.1: a=b&c=%20;"), "verbatim");
    let answer = web.post("/rooms/a%2Fb", "hi");
    assert_eq!((answer.status, &*answer.events()[0]), (400, "refused in room-invalid"));
}

#[test]
fn a_body_that_is_too_long_is_refused_before_it_comes() {
    let web = Web::start(&[]);
    let mut conn = web.open();
    conn.send(request("POST", "/rooms/lobby", &["Content-Length: 4194305", "Expect: 100-continue"], ""));
    assert_eq!(conn.answer(true).said(), "413 refused body-too-long");
    conn.eof();
}

#[test]
fn many_lines_are_said_at_once_and_in_order() {
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let mut ann = web.server.join("ann");
    let body: String = (0..1000).map(|n| format!("line {n}\n")).collect();
    let answer = web.post("/rooms/lobby", &body);
    assert_eq!((answer.status, answer.body.lines().count()), (200, 1000));
    for n in 0..1000 {
        let line = ann.line();
        assert!(line.ends_with(&format!(":line {n}")), "{line:?}");
    }
}

#[test]
fn a_line_of_a_stream_is_said_and_answered_when_it_comes() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let mut conn = web.open();
    begin_chunked(&mut conn, "/rooms/lobby");
    conn.send_chunk("one\n\ntw");
    let head = conn.head();
    assert_eq!((head.status, head.get("Transfer-Encoding")), (200, Some("chunked")));
    assert_eq!(conn.event(), "ok in #lobby");
    assert!(ann.line().ends_with(":one"));
    ann.nothing();
    conn.send_chunk("o\n");
    assert_eq!(conn.event(), "ok in #lobby");
    assert!(ann.line().ends_with(":two"));
    conn.send_chunk("last");
    conn.send("0\r\n\r\n");
    assert_eq!(conn.event(), "ok in #lobby");
    assert_eq!(conn.rest(), (String::new(), End::Whole));
    assert!(ann.line().ends_with(":last"));
    assert_eq!(conn.ask("GET", "/rooms", &[], "").status, 200, "the connection goes on");
}

#[test]
fn a_stream_whose_later_line_is_refused_is_broken_off_with_the_reason() {
    let web = Web::start(&["--max-line", "20"]);
    let mut ann = web.server.join("ann");
    let mut conn = web.open();
    begin_chunked(&mut conn, "/rooms/lobby");
    conn.send_chunk("one\n");
    assert_eq!((conn.head().status, &*conn.event()), (200, "ok in #lobby"));
    conn.send_chunk("123456789 123456789 123456789\nthree\n");
    assert_eq!(conn.event(), "refused line-too-long");
    assert_eq!(conn.rest(), (String::new(), End::BrokenOff));
    assert!(ann.line().ends_with(":one"));
    ann.nothing();
    let mut conn = web.open();
    begin_chunked(&mut conn, "/rooms/lobby");
    conn.send_chunk("123456789 123456789 123456789\nthree\n");
    assert_eq!(conn.answer(true).said(), "413 refused line-too-long", "the first has its status");
    ann.nothing();
}

#[test]
fn a_stream_of_chunks_that_are_none_is_told_so_behind_what_it_has_said() {
    for (target, ok) in [("/rooms/lobby", "ok in #lobby"), ("/sessions/ID", "sync 1")] {
        let web = Web::start(&[]);
        let session = web.post("/sessions", "").get("Location").expect("a session").to_owned();
        let mut conn = web.open();
        begin_chunked(&mut conn, &target.replace("/sessions/ID", &session));
        conn.send_chunk(if ok.starts_with("sync") { "sync|1\n" } else { "one\n" });
        assert_eq!((conn.head().status, &*conn.event()), (200, ok));
        conn.send("nonsense\r\n");
        assert_eq!(conn.event(), "refused malformed");
        assert_eq!(conn.rest(), (String::new(), End::BrokenOff));
    }
}

#[test]
fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let web = Web::start(&[]);
    let mut conn = web.open();
    conn.send(request("POST", "/rooms/lobby", &["Content-Length: 2", "Expect: 100-continue"], ""));
    assert_eq!(conn.head().status, 100);
    conn.send("hi");
    assert_eq!(conn.answer(true).said(), "200 ok in #lobby");
    conn.send(request("POST", "/rooms/lobby?nonsense", &["Content-Length: 2", "Expect: 100-continue"], ""));
    assert_eq!(conn.answer(true).said(), "400 refused malformed", "and is not asked if it is refused anyway");
    conn.eof();
    let answer = web.ask("POST", "/rooms/lobby", &["Expect: miracles"], "hi");
    assert_eq!(answer.said(), "417 refused expectation-failed");
}

#[test]
fn who_sends_lines_faster_than_the_rate_is_slowed_down_and_nothing_is_lost() {
    let web = Web::start(&["--rate", "50", "--burst", "1"]);
    let body: String = (0..20).map(|n| format!("{n}\n")).collect();
    let answer = web.post("/rooms/slow", &body);
    assert_eq!((answer.status, answer.body.lines().count()), (200, 20));
}
