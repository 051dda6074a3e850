//! Pages from elsewhere: neither they nor names that were made to point here can speak or listen.

use crate::Web;

#[test]
fn the_server_answers_only_to_its_own_names() {
    let web = Web::start(&["--public-host", "chat.example.org"]);
    let ask = |host: &str| {
        web.ask_raw(format!("GET /rooms HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
    };
    for host in ["127.0.0.1", "localhost:80", "[::1]:1", "chat.example.org", "CHAT.example.org:443"] {
        assert_eq!(ask(host).status, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", ""] {
        assert_eq!(ask(host).said(), "421 refused wrong-host", "{host}");
    }
    assert_eq!(web.ask_raw(b"GET /rooms HTTP/1.1\r\n\r\n").said(), "400 refused malformed", "RFC 9112, 3.2");
    assert_eq!(web.ask_raw(b"GET /rooms HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_foreign_page_may_not_ask_and_a_named_one_may() {
    let web = Web::start(&["--cors", "https://app.example.org"]);
    let session = web.post("/sessions", "").get("Location").expect("a place").to_owned();
    let targets = [
        ("POST", "/rooms/x"),
        ("PUT", "/rooms/x"),
        ("POST", "/sessions"),
        ("POST", &session),
        ("DELETE", &session),
        ("GET", "/rooms/x?follow"),
        ("GET", &session),
    ];
    for (method, target) in targets {
        for origin in
            ["Origin: https://evil.example", "Origin: null", "Origin: http://127.0.0.1:1", "Sec-Fetch-Site: cross-site"]
        {
            let answer = web.ask(method, target, &[origin], "");
            assert_eq!(answer.said(), "403 refused foreign-origin", "{method} {target} {origin}");
            assert_eq!(answer.get("Access-Control-Allow-Origin"), None);
        }
    }
    assert_eq!(web.get("/rooms/x").status, 404, "nothing was said");
    for fields in [&["Origin: http://127.0.0.1"][..], &["Sec-Fetch-Site: same-origin"], &["Sec-Fetch-Site: none"]] {
        let answer = web.ask("POST", "/rooms/x", fields, "hi");
        assert_eq!((answer.status, answer.get("Access-Control-Allow-Origin")), (200, None), "{fields:?}");
    }
    let own = ["Origin: https://app.example.org", "Sec-Fetch-Site: cross-site"];
    for (target, status) in [("/rooms/x", 200), ("/users/nobody", 404), ("/nonsense/at/all", 404)] {
        let answer = web.ask("POST", target, &own, "hi");
        assert_eq!(answer.status, status);
        assert_eq!(answer.get("Access-Control-Allow-Origin"), Some("https://app.example.org"));
        assert_eq!(answer.get("Vary"), Some("Origin"));
    }
    let navigates = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
    assert_eq!(web.ask("GET", "/rooms/x?follow", &navigates, "").status, 403, "to the page alone");
    assert_eq!(web.ask("GET", "/", &navigates, "").status, 200, "links lead here");
    assert_eq!(web.ask("POST", "/rooms/x", &[&navigates[..], &["Origin: null"]].concat(), "hi").status, 403);
}

#[test]
fn a_browser_may_ask_what_it_may_ask() {
    let web = Web::start(&["--cors", "https://app.example.org"]);
    let preflight = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization"];
    let answer = web.ask("OPTIONS", "/rooms/x", &[&["Origin: https://app.example.org"][..], &preflight].concat(), "");
    assert_eq!((answer.status, answer.get("Content-Length")), (204, None));
    assert_eq!(answer.get("Access-Control-Allow-Origin"), Some("https://app.example.org"));
    assert_eq!(answer.get("Access-Control-Allow-Methods"), Some("GET, HEAD, POST, PUT, OPTIONS"));
    assert!(answer.get("Access-Control-Allow-Headers").is_some_and(|fields| fields.contains("Authorization")));
    let answer = web.ask("OPTIONS", "/rooms/x", &[&["Origin: https://evil.example"][..], &preflight].concat(), "");
    assert_eq!((answer.status, answer.get("Access-Control-Allow-Origin")), (204, None));
    assert_eq!(answer.get("Access-Control-Allow-Methods"), None);
}

#[test]
fn its_own_page_allows_nothing_but_its_own() {
    let web = Web::start(&[]);
    let answer = web.get("/");
    assert_eq!((answer.status, answer.get("Content-Type")), (200, Some("text/html; charset=utf-8")));
    let policy = answer.get("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") || policy.contains("default-src 'self'"), "{policy}");
    assert_eq!(answer.get("X-Content-Type-Options"), Some("nosniff"));
    let tag = answer.get("ETag").expect("a tag");
    let again = web.ask("GET", "/", &[&format!("If-None-Match: {tag}")], "");
    assert_eq!((again.status, &*again.body, again.get("ETag")), (304, "", Some(tag)));
    assert_eq!(web.get("/page/nothing.js").said(), "404 refused not-found");
}
