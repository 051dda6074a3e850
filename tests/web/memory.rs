//! What requests and sessions make the server hold, and that it is given back.

use crate::{Web, http::request};

/// One of the server's numbers.
fn number(web: &Web, name: &str) -> f64 {
    let numbers = web.get("/metrics").body;
    let found = numbers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {name} in {numbers}")).parse().expect("a number")
}

fn used(web: &Web) -> f64 {
    number(web, "pipechat_memory_used_bytes")
}

#[test]
fn sessions_that_end_give_back_all() {
    let web = Web::start(&[]);
    web.post("/rooms/x", &"x".repeat(4000));
    let before = used(&web);
    for n in 0..30 {
        let session = web.post("/sessions", "").get("Location").expect("a place").to_owned();
        for _ in 0..10 {
            assert_eq!(web.post(&session, "join|x|last|1").status, 200);
        }
        let (method, body) = if n % 2 == 0 { ("DELETE", "") } else { ("POST", "quit") };
        assert!(web.ask(method, &session, &[], body).status < 300);
    }
    common::until("nothing is held any more", || used(&web) < before + 40_000.0); // the joins are kept
    let sessions = "pipechat_connections{door=\"session\"}";
    common::until("their places are free", || number(&web, sessions) == 0.0);
}

#[test]
fn requests_that_are_broken_off_give_back_all() {
    let web = Web::start(&[]);
    let before = used(&web);
    for _ in 0..50 {
        let mut conn = web.open();
        let refused = "a\n".repeat(20) + &"y".repeat(4000);
        conn.send(request("POST", "/rooms/a%7cb?skip", &["Content-Length: 100000"], ""));
        conn.send(refused);
        web.get("/health"); // what it has sent is answered by then
        drop(conn);
    }
    common::until("nothing is held any more", || used(&web) <= before + 1000.0);
    common::until("nothing waits", || number(&web, "pipechat_queued_bytes") == 0.0);
}

#[test]
fn a_session_whose_stream_is_behind_ends_at_once() {
    let web = Web::start(&["--rate", "0"]);
    let session = web.post("/sessions?name=bob", "").get("Location").expect("a place").to_owned();
    let mut stream = web.open();
    stream.send(request("GET", &session, &[], ""));
    assert_eq!(stream.head().status, 200);
    let mut ann = web.server.join("ann");
    for _ in 0..2000 {
        ann.say(&"x".repeat(4000)); // the stream is not read
    }
    ann.fence();
    assert_eq!(web.ask("DELETE", &session, &[], "").status, 204);
    let sessions = "pipechat_connections{door=\"session\"}";
    common::until("its place is free", || number(&web, sessions) == 0.0);
}
