//! Lists, and what is waited for.

use std::thread;

use crate::{
    Web,
    who::{StorePath, register},
};

#[test]
fn rooms_users_and_members_are_listed_as_objects_and_as_text() {
    let web = Web::start(&[]);
    let [mut ann, _bob] = web.server.join_all(["ann", "bob"]);
    ann.join("构建");
    ann.say("topic|构建|nightly");
    ann.fence();
    assert_eq!(web.get("/rooms").said(), "200 room #lobby 2; room #构建 1 nightly; ok rooms 2");
    assert_eq!(web.get("/users").said(), "200 user ann:; user bob:; users_end 2");
    for target in ["/rooms/构建/members", "/rooms/%E6%9E%84%E5%BB%BA/members", "//rooms///构建/members/"] {
        assert_eq!(web.get(target).said(), "200 user ann:; ok who #构建 1", "{target}");
    }
    assert_eq!(web.get("/users?format=text").body, "[ann] is online\n[bob] is online\n");
    let text = web.ask("GET", "/rooms", &["Accept: text/plain"], "").body;
    assert_eq!(text, "rooms|2|lobby|\nrooms|1|构建|nightly\nrooms|ok|2\n");
    let text = web.get("/rooms/构建/members?format=text").body;
    assert!(text.contains("[ann]") && text.ends_with("who|ok|构建|1\n"), "{text}");
    assert_eq!(web.get("/rooms/nowhere/members").said(), "404 refused who no-such-room");
    for target in ["/rooms?format=sse", "/users?format=xml", "/users?last=3"] {
        assert_eq!(web.get(target).said(), "400 refused malformed", "{target}");
    }
}

#[test]
fn what_is_so_already_is_answered_at_once() {
    let web = Web::start(&[]);
    let [mut ann, _bob] = web.server.join_all(["ann", "bob"]);
    ann.join("x");
    for (query, said) in [
        ("user=ann", "200 wait ok ann"),
        ("gone=joe", "200 wait ok joe"),
        ("users=2", "200 wait ok 2"),
        ("members=1&room=x", "200 wait ok 1"),
    ] {
        assert_eq!(web.get(&format!("/wait?{query}&timeout=20")).said(), said, "{query}");
    }
}

#[test]
fn what_is_waited_for_is_answered_when_it_happens() {
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    ann.join("x");
    for (query, line) in [
        ("text=gre%65n+day", "in|lobby|a green day"),
        ("text=green&room=x", "in|x|green"),
        ("user=joe", "rename|joe"),
        ("gone=joe", "rename|ann"),
        ("members=2&room=y", ""),
    ] {
        let mut conn = web.open();
        conn.send(format!("GET /wait?{query}&timeout=1m HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        // It is asked for, since whoever asks behind it over the same connection has to wait.
        let waiting = thread::spawn(move || conn.answer(true));
        let mut other = web.server.join("other");
        other.join("y");
        let mut n = 0;
        while !waiting.is_finished() {
            if query.starts_with("members") {
                other.say("leave|y");
                other.join("y");
                ann.say("join|y");
            } else {
                ann.say(line);
            }
            ann.fence();
            n += 1;
            assert!(n < 10_000, "{query} is not answered");
        }
        let answer = waiting.join().expect("an answer");
        assert!(answer.said().starts_with("200 wait ok"), "{query}: {}", answer.said());
    }
}

#[test]
fn what_does_not_happen_in_time_is_a_conflict() {
    let web = Web::start(&["--max-wait", "100"]);
    for query in ["user=joe", "users=5", "text=never", "text=never&room=lobby", "members=9&room=lobby"] {
        assert_eq!(web.get(&format!("/wait?{query}&timeout=0.05")).said(), "409 wait timeout", "{query}");
    }
    for query in [
        "",
        "user=",
        "user=a&gone=b",
        "users=x",
        "users=-1",
        "members=1",
        "room=x",
        "user=a&room=x",
        "by=ann",
        "user=a&timeout=x",
        "user=a&what=b",
    ] {
        assert_eq!(web.get(&format!("/wait?{query}")).said(), "400 refused malformed", "{query}");
    }
    let answer = web.get("/wait?user=joe&timeout=1h");
    assert_eq!((answer.status, &*answer.events()[0]), (400, "refused wait wait-too-long"));
    let mut conn = web.open();
    assert_eq!(conn.ask("GET", "/wait?user=joe&timeout=0.05", &[], "").status, 409);
    assert_eq!(conn.ask("GET", "/rooms", &[], "").status, 200, "the connection goes on");
}

#[test]
fn what_an_account_says_is_waited_for() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut ann = web.server.join("ann");
    register(&mut ann);
    let mut bob = web.server.join("bob");
    for (query, line) in [
        ("text=green&by=ann&room=lobby", "green"),
        ("text=gree&by=Ann&room=Lobby", "green"),
        ("text=green&by=ann&name=ci", "to|ci|green"),
    ] {
        let mut conn = web.open();
        conn.send(format!("GET /wait?{query}&timeout=1m HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        let waiting = thread::spawn(move || conn.answer(true));
        for n in 0.. {
            bob.say(line);
            bob.fence();
            if n >= 3 {
                ann.say(line);
                ann.fence();
            } else {
                assert!(!waiting.is_finished(), "anybody could say so");
            }
            if waiting.is_finished() {
                break;
            }
            assert!(n < 10_000, "{query} is not answered");
        }
        let answer = waiting.join().expect("an answer");
        assert!(answer.said().starts_with("200 wait ok"), "{query}: {}", answer.said());
    }
}
