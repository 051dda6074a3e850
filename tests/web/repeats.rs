//! Requests that come again with the same `Idempotency-Key`.

use crate::{Web, http::request};

fn count(web: &Web, room: &str) -> usize {
    web.get(&format!("/rooms/{room}?event=message&last=1000")).events().len() - 1
}

#[test]
fn a_request_that_comes_again_says_nothing_and_has_the_same_answer() {
    let web = Web::start(&[]);
    let first = web.ask("POST", "/rooms/x", &["Idempotency-Key: k"], "hi\nho");
    assert_eq!(first.said(), "200 ok in #x; ok in #x");
    for _ in 0..3 {
        let again = web.ask("POST", "/rooms/x", &["idempotency-key: k"], "hi\nho");
        assert_eq!((again.status, again.body), (200, first.body.clone()));
    }
    assert_eq!(count(&web, "x"), 2);
    let refused = web.ask("POST", "/users/joe", &["Idempotency-Key: k"], "hi");
    let _joe = web.server.join("joe");
    let again = web.ask("POST", "/users/joe", &["Idempotency-Key: k"], "hi");
    assert_eq!((again.status, again.body), (404, refused.body));
}

#[test]
fn another_key_path_or_name_is_another_request() {
    let web = Web::start(&[]);
    for (target, key) in [("/rooms/x", "k"), ("/rooms/x", "K"), ("/rooms/x?name=ci", "k"), ("/rooms/x?name=bot", "k")] {
        assert_eq!(web.ask("POST", target, &[&format!("Idempotency-Key: {key}")], "hi").status, 200);
    }
    assert_eq!(web.ask("POST", "/rooms/y", &["Idempotency-Key: k"], "hi").status, 200);
    assert_eq!((count(&web, "x"), count(&web, "y")), (4, 1));
    let long = "k".repeat(129);
    for key in ["", &long] {
        let answer = web.ask("POST", "/rooms/x", &[&format!("Idempotency-Key: {key}")], "hi");
        assert_eq!(answer.said(), "400 refused malformed");
    }
}

#[test]
fn one_that_is_at_work_is_a_conflict() {
    let web = Web::start(&[]);
    let session = web.post("/sessions", "");
    let session = session.get("Location").expect("a place").to_owned();
    let mut listener = web.server.join("ann");
    let lines = "to|ann|begun\nwait|60|user|joe";
    let mut first = web.open();
    first.send(request("POST", &session, &["Idempotency-Key: k"], lines));
    assert!(listener.line().ends_with("begun"), "it is at work");
    let again = web.ask("POST", &session, &["Idempotency-Key: k"], lines);
    assert_eq!((again.said(), again.get("Retry-After")), ("409 refused in-progress".to_owned(), Some("1")));
    let _joe = web.server.join("joe");
    let answer = first.answer(true);
    assert_eq!(answer.status, 200);
    let again = web.ask("POST", &session, &["Idempotency-Key: k"], lines);
    assert_eq!((again.status, again.body), (200, answer.body));
}

#[test]
fn one_that_was_broken_off_is_none() {
    let web = Web::start(&[]);
    let mut first = web.open();
    first.send(request("POST", "/rooms/x", &["Idempotency-Key: k", "Content-Length: 2", "Expect: 100-continue"], ""));
    assert_eq!(first.head().status, 100);
    first.send("h");
    drop(first);
    for _ in 0..2 {
        assert_eq!(web.ask("POST", "/rooms/x", &["Idempotency-Key: k"], "hi").status, 200);
    }
    assert_eq!(count(&web, "x"), 1);
}

#[test]
fn another_body_is_another_request() {
    let web = Web::start(&[]);
    for body in ["hi", "ho", "hi\nho"] {
        assert_eq!(web.ask("POST", "/rooms/x", &["Idempotency-Key: k"], body).status, 200);
    }
    assert_eq!(count(&web, "x"), 4);
}

#[test]
fn what_was_said_for_a_client_that_did_not_wait_is_not_said_again() {
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let body: String = (0..200).map(|n| format!("{n}\n")).collect();
    for n in 0..30 {
        let key = format!("Idempotency-Key: {n}");
        let mut conn = web.open();
        conn.send(request("POST", "/rooms/x", &[&key], &body));
        drop(conn); // without a word, or with a reset
        let answer = loop {
            let answer = web.ask("POST", "/rooms/x", &[&key], &body);
            if answer.status != 409 {
                break answer;
            }
        };
        assert_eq!((answer.status, answer.body.lines().count()), (200, 200));
    }
    let said: Vec<_> = web.get("/rooms/x?event=message&last=1000").events();
    let said = said[..said.len() - 1].iter().map(|event| event.rsplit(' ').next().expect("a number").to_owned());
    let expected: Vec<_> = (0..1000).map(|n| (n % 200).to_string()).collect();
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

#[test]
fn a_stream_with_a_key_is_said_when_all_of_it_has_come_and_has_a_bound() {
    let web = Web::start(&[]);
    let fields = ["Idempotency-Key: k", "Transfer-Encoding: chunked"];
    for _ in 0..2 {
        let mut conn = web.open();
        conn.send(request("PUT", "/rooms/x", &fields, ""));
        conn.send_chunk("one\n");
        conn.send_chunk("two");
        conn.send("0\r\n\r\n");
        assert_eq!(conn.answer(true).said(), "200 ok in #x; ok in #x");
    }
    assert_eq!(count(&web, "x"), 2);
    let answer = web.ask("POST", "/rooms/x", &["Idempotency-Key: long"], &"x".repeat(33 << 10));
    assert_eq!(answer.said(), "413 refused body-too-long");
    let lines = "x\n".repeat(300);
    let answer = web.ask("POST", "/rooms/x", &["Idempotency-Key: many"], &lines);
    assert_eq!(answer.said(), "413 refused body-too-long");
    assert_eq!(count(&web, "x"), 2);
}

#[test]
fn lines_of_a_session_that_come_again_are_not_done_again() {
    let web = Web::start(&[]);
    let session = web.post("/sessions?name=ann", "").get("Location").expect("a place").to_owned();
    let key = ["Idempotency-Key: k"];
    let first = web.ask("POST", &session, &key, "join|x\nin|x|hi\nto|nobody|hi");
    assert_eq!(first.said(), "404 ok join #x 1; ok in #x; refused to no-such-user");
    let again = web.ask("POST", &session, &key, "join|x\nin|x|hi\nto|nobody|hi");
    assert_eq!((again.status, again.body), (404, first.body));
    assert_eq!(count(&web, "x"), 1);
}

#[test]
fn a_long_answer_that_nobody_has_read_does_not_make_a_request_another() {
    let web = Web::start(&["--rate", "0", "--burst", "100000", "--recent", "5000"]);
    let body: String = (0..1000).map(|n| format!("{n} {}\n", "x".repeat(500))).collect();
    assert_eq!(web.post("/rooms/long", &body).status, 200);
    let session = web.post("/sessions", "").get("Location").expect("a place").to_owned();
    let lines = "history|long|1000\n".repeat(20) + "in|x|hi";
    let mut conn = web.open();
    conn.send(request("POST", &session, &["Idempotency-Key: k"], &lines));
    assert_eq!(conn.head().status, 200, "it is at work");
    drop(conn);
    let answer = loop {
        let answer = web.ask("POST", &session, &["Idempotency-Key: k"], &lines);
        if answer.status != 409 {
            break answer;
        }
    };
    assert_eq!((answer.status, &*answer.body), (200, ""), "of a long answer, the status is kept");
    assert_eq!(count(&web, "x"), 1);
}
