//! Attacks by many clients at once, each of which does only a little: an innocent client must be answered all the time.

use std::time::Duration;

use common::{Crowd, Innocent, Server, until};

use crate::MB;

/// How long an innocent client may wait for an answer. A debug build on a busy machine takes long for everything.
const LIMIT: Duration = Duration::from_secs(2);
const CLIENTS: usize = 800;

/// Everyone sends this, a few times, and reads all.
#[track_caller]
fn all_send(bytes: &[u8]) {
    let server = Server::start_alone(&[]);
    let crowd = Crowd::join(&server, CLIENTS, |_| String::new());
    let innocent = Innocent::start(server.connect());
    crowd.send(bytes);
    let crowd = crowd.read();
    innocent.finish_within(LIMIT);
    assert_eq!(crowd.finish(), 0, "are cut");
}

/// Once, escaping took the time of everyone: half a second for twice as many in a release build.
#[test]
fn answers_that_are_long_to_escape() {
    all_send(format!("sync|{}\n", "\x1b".repeat(4000)).repeat(4).as_bytes());
}

#[test]
fn numbers_that_are_long_to_parse() {
    all_send(format!("wait|0.{}1|user|x\n", "0".repeat(4040)).repeat(8).as_bytes());
}

#[test]
fn telnet_commands_without_end() {
    all_send(&b"\xff\xfd\x01".repeat(5000));
}

#[test]
fn settings_that_change_all_the_time() {
    all_send(&b"format|json\nlang|en\nformat|text\nlang|zh\n".repeat(100));
}

/// Once, those that are told of the first one were all found broken at once, and read to the end.
#[test]
fn resets_with_much_that_is_not_read() {
    let server = Server::start_alone(&[]);
    let crowd = Crowd::join(&server, CLIENTS, |_| String::new());
    crowd.send(b"wait|600|text|godot\n");
    for _ in 0..2 {
        crowd.send_now(&b"\xff\xf1".repeat(100_000));
    }
    let innocent = Innocent::start(server.connect());
    crowd.reset();
    let mut last = server.connect();
    until("all of them are gone", || {
        last.say("who\nsync|who");
        let mut users = 0;
        while last.line() != "sync|who" {
            users += 1;
        }
        users < 10
    });
    innocent.finish_within(LIMIT);
}

/// Once, it was heard when the others had been disconnected for reading nothing.
#[test]
fn a_client_that_sends_much_at_once_is_heard_while_others_fill_the_memory() {
    const NARROW: usize = 300;
    let server = Server::start_alone(&["--max-memory", "16777216", "--write-timeout", "600"]);
    let mut innocent = server.connect();
    let before = server.rss();
    let narrow = (0..NARROW).map(|_| server.connect_narrow());
    let crowd = Crowd::from(narrow.collect::<Vec<_>>());
    let line = format!("sync|{}\n", "x".repeat(4000));
    let mut sent = 0;
    until("three quarters of the memory are used", || {
        if sent < 64 {
            crowd.send_now(line.as_bytes());
            sent += 1;
        }
        server.rss() > before + 13 * MB
    });
    let long = (0..300).map(|number| format!("sync|{number}{}\n", "y".repeat(40))).collect::<String>();
    innocent.send((long + "who\nsync|end\n").as_bytes());
    let asked = std::time::Instant::now();
    while innocent.line() != "sync|end" {}
    assert!(asked.elapsed() < LIMIT, "answered after {:?}", asked.elapsed());
}

/// Each rename is told to everyone, like a line that is said.
#[test]
fn names_that_change_all_the_time_beside_many_listeners() {
    let server = Server::start_alone(&[]);
    let listeners = Crowd::join(&server, 300, |_| String::new()).read();
    let innocent = Innocent::start(server.connect());
    let renames = |number| (0..100).map(|time| format!("rename|crowd{number}.{}\n", time % 2)).collect();
    let crowd = Crowd::join(&server, 50, renames).read();
    innocent.finish_within(LIMIT);
    assert_eq!((listeners.finish(), crowd.finish()), (0, 0), "are cut");
}
