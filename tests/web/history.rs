//! What has happened in rooms, by GET.

use crate::{Web, events::value};

/// Says these lines in a room.
#[track_caller]
fn said(web: &Web, room: &str, lines: &str) -> Vec<String> {
    let answer = web.post(&format!("/rooms/{room}"), lines);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body.lines().map(|line| value(line, "pos")).collect()
}

/// The texts of a history, and what its last line is.
fn texts(web: &Web, target: &str) -> String {
    let answer = web.get(target);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut events = answer.events();
    let last = events.pop().expect("a last line");
    let texts: Vec<_> = events.iter().map(|event| event.rsplit(' ').next().unwrap_or_default()).collect();
    format!("{} | {last}", texts.join(" "))
}

#[test]
fn a_history_is_the_last_events_or_those_since_and_before_a_position() {
    let web = Web::start(&[]);
    let positions = said(&web, "x", "a\nb\nc\nd\ne");
    assert_eq!(texts(&web, "/rooms/x"), "a b c d e | ok history #x 5");
    assert_eq!(texts(&web, "/rooms/x?last=2"), "d e | ok history #x 2");
    assert_eq!(texts(&web, "/rooms/x?last=0"), " | ok history #x 0");
    assert_eq!(texts(&web, &format!("/rooms/x?since={}", positions[1])), "c d e | ok history #x 3");
    assert_eq!(texts(&web, &format!("/rooms/x?before={}", positions[3])), "a b c | ok history #x 3");
    assert_eq!(texts(&web, &format!("/rooms/x?last=2&before={}", positions[3])), "b c | ok history #x 2");
    assert_eq!(
        texts(&web, &format!("/rooms/x?since={}&before={}", positions[0], positions[3])),
        "b c | ok history #x 2"
    );
    assert_eq!(texts(&web, "/rooms/x?since=10m"), "a b c d e | ok history #x 5");
    assert_eq!(texts(&web, "/rooms/x?since=2000-01-01T00:00:00Z"), "a b c d e | ok history #x 5");
    assert_eq!(texts(&web, &format!("/rooms/x?since={}", positions[4])), " | ok history #x 0");
}

#[test]
fn messages_alone_are_counted_where_these_are_asked_for() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    ann.join("x");
    said(&web, "x", "a\nb");
    ann.say("topic|x|news\nleave|x\njoin|x\nsync|1");
    ann.expect_among("sync|1");
    assert_eq!(texts(&web, "/rooms/x?event=message"), "a b | ok history #x 2");
    assert_eq!(texts(&web, "/rooms/x?event=message&last=1"), "b | ok history #x 1");
    let all = web.get("/rooms/x").said();
    assert_eq!(
        all,
        "200 joined #x ann:; message #x 127.0.0.1: a; message #x 127.0.0.1: b; topic #x ann: news; left #x ann:; \
         joined #x ann:; ok history #x 6"
    );
}

#[test]
fn several_rooms_are_one_history_in_order() {
    let web = Web::start(&[]);
    let first = said(&web, "x", "a");
    said(&web, "y", "b");
    said(&web, "x", "c");
    said(&web, "z", "d");
    let answer = web.get("/rooms/x,y?since=10m");
    assert_eq!(
        answer.said(),
        "200 message #x 127.0.0.1: a; message #y 127.0.0.1: b; message #x 127.0.0.1: c; ok history #x,y 3"
    );
    let last = web.get("/rooms/y,x?last=2").events();
    assert_eq!(last[..2], ["message #y 127.0.0.1: b", "message #x 127.0.0.1: c"]);
    assert_eq!(web.get(&format!("/rooms/x,y?since={}", first[0])).events().len(), 3);
    assert_eq!(web.get("/rooms/x,nowhere").said(), "404 refused history no-such-room");
    for target in ["/rooms/,", "/rooms/,?follow", "/rooms/,?format=sse"] {
        assert_eq!(web.get(target).status, 404, "{target}");
    }
}

#[test]
fn a_history_is_not_paged() {
    let web = Web::start(&["--rate", "0", "--burst", "100000", "--recent", "5000"]);
    let body: String = (0..2500).map(|n| format!("{n}\n")).collect();
    said(&web, "x", &body);
    let mut conn = web.open();
    for _ in 0..2 {
        let answer = conn.ask("GET", "/rooms/x?last=2400", &[], "");
        let events = answer.events();
        assert_eq!((answer.status, events.len()), (200, 2401));
        assert_eq!((&*events[0], &*events[2399]), ("message #x 127.0.0.1: 100", "message #x 127.0.0.1: 2499"));
        assert_eq!(events[2400], "ok history #x 2400");
    }
    let whole = conn.ask("HEAD", "/rooms/x?last=2400", &[], "");
    assert_eq!((whole.status, &*whole.body), (200, ""));
    assert_eq!(conn.ask("GET", "/rooms/x?last=1", &[], "").events().len(), 2);
}

#[test]
fn a_history_has_the_form_that_is_asked_for() {
    let web = Web::start(&[]);
    let position = said(&web, "x", "hi").remove(0);
    for (target, fields) in [
        ("/rooms/x?format=text", &[][..]),
        ("/rooms/x", &["Accept: text/plain"]),
        ("/rooms/x", &["Accept: text/plain;q=0.9, */*"]),
    ] {
        let answer = web.ask("GET", target, fields, "");
        let lines: Vec<_> = answer.body.lines().collect();
        let [line, last] = lines[..] else { panic!("{}", answer.body) };
        assert_eq!(answer.get("Content-Type"), Some("text/plain; charset=utf-8"));
        assert!(line.starts_with(&format!("history|{position}|20")), "{line}");
        assert!(line.contains("Z|#x [127.0.0.1:") && line.ends_with(":hi"), "{line}");
        assert!(last.starts_with("history|ok|x|1|"), "{last}");
    }
    for fields in [&["Accept: */*"][..], &["Accept: application/json"], &["Accept: text/html, application/x-ndjson"]] {
        assert_eq!(web.ask("GET", "/rooms/x", fields, "").get("Content-Type"), Some("application/x-ndjson"));
    }
    assert_eq!(web.ask("GET", "/rooms/x?format=json", &["Accept: text/plain"], "").events().len(), 2);
}

#[test]
fn a_history_that_is_asked_for_wrongly_is_none() {
    let web = Web::start(&[]);
    said(&web, "x", "hi");
    for query in [
        "last=x",
        "last=-1",
        "last=+1",
        "last=",
        "since=",
        "since=x",
        "since=1.zzzzz!",
        "before=10m",
        "before=x",
        "event=joined",
        "format=xml",
        "follow&before=1",
        "lats=1",
        "last=99999999999999999999999",
    ] {
        let answer = web.get(&format!("/rooms/x?{query}"));
        assert_eq!(answer.said(), "400 refused malformed", "{query}");
        assert!(answer.body.contains("usage: GET /rooms/ROOM"), "{}", answer.body);
    }
    assert_eq!(web.get("/rooms/nowhere").said(), "404 refused history no-such-room");
    assert_eq!(web.get("/rooms/x?since=5.abcde").status, 410, "of another server, or of this one before");
}

#[test]
fn what_is_gone_is_410() {
    let web = Web::start(&["--recent", "10"]);
    let positions = said(&web, "x", &(0..50).map(|n| format!("{n}\n")).collect::<String>());
    let answer = web.get(&format!("/rooms/x?since={}", positions[0]));
    assert_eq!((answer.status, &*answer.events()[0]), (410, "refused history history-gone #x"));
    let answer = web.get(&format!("/rooms/x?follow&since={}", positions[0]));
    assert_eq!(answer.status, 410);
    let answer = web.ask("GET", "/rooms/x?format=sse", &[&format!("Last-Event-ID: {}", positions[0])], "");
    assert_eq!((answer.status, answer.get("Content-Type")), (410, Some("application/x-ndjson")));
    assert_eq!(web.get("/rooms/x?last=5").status, 200);
}

#[test]
fn a_long_history_is_told_though_memory_is_tight() {
    let web = Web::start(&["--rate", "0", "--burst", "100000", "--max-memory", "2M", "--write-timeout", "300"]);
    let body: String = (0..800).map(|n| format!("{n} {}\n", "x".repeat(200))).collect();
    said(&web, "x", &body);
    // Those who do not read hold what others say to them.
    let mut stuck: Vec<_> = (0..5).map(|_| web.server.connect_narrow()).collect();
    stuck.iter_mut().zip(0..).for_each(|(client, n)| client.rename(&format!("stuck{n}")));
    let text = "x".repeat(4000);
    for n in 0..5 {
        while web.post(&format!("/users/stuck{n}"), &text).status == 200 {}
    }
    let metrics = web.get("/metrics").body;
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<u64>().ok()).unwrap_or_else(|| panic!("no {name}"))
    };
    assert!(value("pipechat_memory_used_bytes") > value("pipechat_memory_max_bytes") * 3 / 4, "it is tight");
    // Some of it was given up, and what is left is more than waits for a client then.
    let answer = web.get("/rooms/x?last=500");
    assert!(answer.status == 200 && answer.body.len() > 16 << 10, "{} {}", answer.status, answer.body.len());
}
