//! The forms of HTTP: methods, versions, connections that are kept, and requests that are none.

use crate::{
    Web,
    http::{Conn, request},
};

#[test]
fn each_resource_has_its_methods() {
    let web = Web::start(&[]);
    for (target, methods) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
        ("/metrics", "GET, HEAD, OPTIONS"),
        ("/rooms", "GET, HEAD, OPTIONS"),
        ("/users", "GET, HEAD, OPTIONS"),
        ("/rooms/x", "GET, HEAD, POST, PUT, OPTIONS"),
        ("/rooms/x/members", "GET, HEAD, OPTIONS"),
        ("/users/x", "POST, PUT, OPTIONS"),
        ("/wait?users=1", "GET, HEAD, OPTIONS"),
        ("/sessions", "POST, OPTIONS"),
        ("/sessions/x", "GET, POST, PUT, DELETE, OPTIONS"),
    ] {
        let answer = web.ask("OPTIONS", target, &[], "");
        assert_eq!((answer.status, answer.get("Allow"), &*answer.body), (204, Some(methods), ""), "{target}");
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
            if !methods.split(", ").any(|allowed| allowed == method) {
                let answer = web.ask(method, target, &[], "");
                assert_eq!((answer.status, answer.get("Allow")), (405, Some(methods)), "{method} {target}");
            }
        }
        for method in ["PATCH", "TRACE", "get", "BREW"] {
            assert_eq!(web.ask(method, target, &[], "").said(), "501 refused method-not-known", "{method}");
        }
    }
    for target in ["/nowhere", "/rooms/x/y", "/rooms/x/members/y", "/sessions/x/y", "/wait/x"] {
        assert_eq!(web.get(target).said(), "404 refused not-found", "{target}");
    }
}

#[test]
fn head_is_get_without_a_body() {
    let web = Web::start(&[]);
    web.post("/rooms/x", "hi");
    let mut conn = web.open();
    for target in [
        "/",
        "/health",
        "/metrics",
        "/rooms",
        "/users",
        "/rooms/x",
        "/rooms/x/members",
        "/rooms/none",
        "/nowhere",
        "/wait?users=0",
    ] {
        let head = conn.ask("HEAD", target, &[], "");
        let get = conn.ask("GET", target, &[], "");
        let kind = |name| (head.get(name).map(str::to_owned), get.get(name).map(str::to_owned));
        assert_eq!(head.status, get.status, "{target}");
        assert_eq!(kind("Content-Type").0, kind("Content-Type").1);
        if target != "/metrics" {
            assert_eq!(kind("Content-Length").0, kind("Content-Length").1, "{target}");
        }
    }
}

#[test]
fn a_connection_is_kept_or_closed_as_the_client_wants() {
    let web = Web::start(&[]);
    for (fields, version, is_kept) in [
        (&[][..], "1.1", true),
        (&["Connection: close"], "1.1", false),
        (&["Connection: foo, Close"], "1.1", false),
        (&[], "1.0", false),
        (&["Connection: Keep-Alive"], "1.0", true),
    ] {
        let mut conn = web.open();
        conn.send(request("GET", "/rooms", fields, "").replace("HTTP/1.1", &format!("HTTP/{version}")));
        let answer = conn.answer(true);
        let expected = if is_kept { "keep-alive" } else { "close" };
        assert_eq!((answer.status, answer.get("Connection")), (200, Some(expected)), "{fields:?}");
        match is_kept {
            true => assert_eq!(conn.ask("GET", "/users", &[], "").status, 200),
            false => conn.eof(),
        }
    }
    let answer = web.ask_raw(b"POST /rooms/x HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(answer.said(), "200 ok in #x");
}

#[test]
fn requests_that_come_at_once_are_answered_in_order() {
    let web = Web::start(&[]);
    let mut all = String::new();
    for n in 0..100 {
        all += &request("POST", "/rooms/x", &[], &format!("{n}"));
        all += &request("GET", "/rooms/x?last=1", &[], "");
    }
    let mut conn = web.open();
    conn.send(all);
    for n in 0..100 {
        assert_eq!(conn.answer(true).said(), "200 ok in #x");
        assert_eq!(conn.answer(true).events()[0], format!("message #x 127.0.0.1: {n}"));
    }
}

#[test]
fn requests_mean_the_same_however_they_are_cut() {
    let web = Web::start(&["--rate", "0", "--burst", "100000"]);
    let chunked = "PUT /rooms/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\none\r\n2;x=y\r\n\nt\r\n2\r\nwo\r\n0\r\nX: y\r\n\r\n";
    let bytes = [
        request("POST", "/rooms/x", &[], "an\r\nb\nc"),
        chunked.to_owned(),
        request("GET", "/rooms/构建/members", &[], "ignored"),
        request("GET", "/rooms/x?last=1", &["Connection: close"], ""),
    ]
    .concat()
    .into_bytes();
    for size in [1, 2, 3, 5, 7, 11, 64, 500].into_iter().chain([bytes.len()]) {
        let mut conn = web.open();
        for piece in bytes.chunks(size) {
            conn.send(piece);
        }
        let answers: Vec<_> = (0..4).map(|_| conn.answer(true).said()).collect();
        let expected = [
            "200 ok in #x; ok in #x; ok in #x",
            "200 ok in #x; ok in #x",
            "404 refused who no-such-room",
            "200 message #x 127.0.0.1: two; ok history #x 1",
        ];
        assert_eq!(answers, expected, "in pieces of {size}");
        conn.eof();
    }
}

#[test]
fn what_has_two_meanings_has_none() {
    let web = Web::start(&[]);
    let long = format!("POST /rooms/x HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(8 << 10));
    let many = format!("POST /rooms/x HTTP/1.1\r\n{}Host: a\r\n\r\n", "X: y\r\n".repeat(70));
    for (head, said) in [
        (
            "POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
            "400 refused malformed",
        ),
        ("POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2, 2\r\n\r\nhi", "400 refused malformed"),
        (
            "POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi",
            "400 refused malformed",
        ),
        ("POST /rooms/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\nhi", "400 refused malformed"),
        ("POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\nhi", "400 refused malformed"),
        (
            "POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nhi",
            "400 refused malformed",
        ),
        (
            "POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\nhi",
            "501 refused coding-not-supported",
        ),
        ("POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\nhi", "400 refused malformed"),
        ("POST /rooms/x HTTP/1.1\nHost: localhost\n\nhi", "400 refused malformed"),
        ("POST /rooms/x HTTP/1.1\r\nHost: localhost\nContent-Length: 2\r\n\r\nhi", "400 refused malformed"),
        ("POST /rooms/x HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "400 refused malformed"),
        ("POST /rooms/x HTTP/1.1\r\nHost : localhost\r\n\r\n", "400 refused malformed"),
        ("POST rooms HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 refused malformed"),
        ("GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "400 refused malformed"),
        ("GET /rooms HTTP/2.0\r\nHost: localhost\r\n\r\n", "505 refused version-not-supported"),
        ("GET /rooms\r\n\r\n", "400 refused malformed"),
        ("hello\r\n\r\n", "400 refused malformed"),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{7f}\x03\x03", "400 refused malformed"),
        ("GET /rooms HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400 refused malformed"),
        (
            "GET /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "404 refused not-found",
        ),
        (&long, "431 refused head-too-long"),
        (&many, "431 refused head-too-long"),
    ] {
        assert_eq!(web.ask_raw(head.as_bytes()).said(), said, "{head:.200}");
    }
    assert_eq!(web.get("/rooms/x").status, 404, "nothing was said");
}

#[test]
fn what_follows_a_body_that_was_not_read_is_not_taken_for_a_request() {
    let web = Web::start(&[]);
    let smuggled = request("POST", "/rooms/x", &[], "smuggled");
    for target in ["/rooms/x?nonsense", "/nowhere", "/users/nobody", "/rooms?last=1"] {
        let mut conn = web.open();
        conn.send(request("POST", target, &[&format!("Content-Length: {}", smuggled.len())], ""));
        conn.send(&smuggled);
        let status = conn.answer(true).status;
        assert!(status >= 400, "{target}");
        // It goes on behind the body, or the connection is closed.
        conn.send(request("GET", "/rooms/x", &["Connection: close"], ""));
        let rest = rest_of(&mut conn);
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 404"), "{target}: {rest}");
    }
}

fn rest_of(conn: &mut Conn) -> String {
    use std::io::Read;
    let mut text = Vec::new();
    conn.stream.read_to_end(&mut text).ok(); // it may be reset
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn it_says_how_it_is() {
    let web = Web::start(&[]);
    for target in ["/health", "/healthz"] {
        let answer = web.get(target);
        assert_eq!((answer.status, &*answer.body), (200, "ok\n"));
    }
    let metrics = web.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("# TYPE pipechat_"), "{:.300}", metrics.body);
    let web = Web::start(&["--trusted", ""]);
    assert_eq!(web.get("/metrics").said(), "403 refused not-allowed");
    assert_eq!(web.get("/health").status, 200);
}
