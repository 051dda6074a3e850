//! Attacks on what is kept of rooms: long answers again and again, and rooms that nobody is in.

use std::{fs, path::PathBuf, process, time::Duration};

use common::{Crowd, Innocent, Server, note};

use crate::MB;

/// How long an innocent client may wait for an answer, on a busy machine and in a debug build.
const LIMIT: Duration = Duration::from_secs(2);

/// A server with a thousand long lines in the room `builds`.
fn with_history(flags: &[&str]) -> Server {
    with_history_of("x", flags)
}

fn with_history_of(what: &str, flags: &[&str]) -> Server {
    let server = Server::start_alone(flags);
    let mut ann = server.dial();
    let lines = format!("in|builds|{}\n", what.repeat(2000)).repeat(100);
    ann.say("visit");
    for _ in 0..10 {
        ann.send(lines.as_bytes());
        ann.fence_anywhere();
    }
    server
}

#[test]
fn asking_for_long_histories_and_reading_them() {
    let server = with_history(&[]);
    let crowd = Crowd::join(&server, 50, |_| "visit\n".to_owned());
    let innocent = Innocent::start(server.connect());
    let lines = "history|builds|1000\njoin|builds|last|1000\nhistory|builds|since|0\n".repeat(3);
    crowd.send_now(lines.as_bytes());
    let crowd = crowd.read();
    innocent.finish_within(LIMIT);
    assert_eq!(crowd.finish(), 0, "those who read are not disconnected");
}

/// Once, an innocent client waited for 2 s.
#[test]
fn asking_the_store_for_long_histories_and_reading_them() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{}", process::id()));
    for (number, what) in ["x", "\x1b"].into_iter().enumerate() {
        fs::create_dir_all(&folder).expect("a folder of ours");
        let file = folder.join(format!("{number}.db"));
        let server = with_history_of(what, &["--store", file.to_str().expect("UTF-8"), "--recent", "5"]);
        let crowd = Crowd::join(&server, 50, |_| "visit\n".to_owned());
        let innocent = Innocent::start(server.connect());
        crowd.send_now(b"history|builds|since|0\n");
        let crowd = crowd.read();
        innocent.finish_within(LIMIT);
        assert_eq!(crowd.finish(), 0, "those who read are not disconnected");
        drop(server);
        fs::remove_dir_all(&folder).ok();
    }
}

#[test]
fn asking_for_long_histories_and_reading_nothing() {
    let server = with_history(&["--write-timeout", "100"]);
    let before = server.rss();
    let crowd = Crowd::join(&server, 200, |_| "visit\n".to_owned());
    let innocent = Innocent::start(server.connect());
    crowd.send_now("history|builds|1000\njoin|builds|last|1000\n".repeat(20).as_bytes());
    innocent.finish_within(LIMIT);
    let more = server.peak_rss().saturating_sub(before) / MB;
    note(&format!("{more} MB more"));
    // What may wait for each before its answer pauses, and a page: 400 MB would be all that they have asked for first.
    assert!(more < 150, "{more} MB");
}

#[test]
fn rooms_that_nobody_is_in() {
    let server = Server::start_alone(&["--max-rooms", "2000"]);
    let innocent = Innocent::start(server.connect());
    let before = server.rss();
    // Each connection counts by itself here, so that all of them together fill the server with rooms.
    for client in 0..100 {
        let mut attacker = server.dial();
        let lines: String = (0..150).map(|room| format!("in|r{client}-{room}|{}\n", "x".repeat(1000))).collect();
        attacker.send(format!("visit\n{lines}").as_bytes());
        let answers = attacker.fence_anywhere();
        let refused = answers.iter().filter(|line| line.starts_with("in|too-many-rooms|")).count();
        // When there is no space for others' either, what is made by one that keeps most pushes out its own.
        let expected = if client < 20 { 50 } else { 0 };
        assert_eq!(refused, expected, "{client} keeps no more than a hundred: {answers:?}");
    }
    innocent.finish_within(LIMIT);
    let mut asker = server.connect();
    asker.say("rooms");
    asker.expect_among("rooms|ok|2000");
    let more = server.peak_rss().saturating_sub(before) / MB;
    note(&format!("{more} MB more"));
    assert!(more < 60, "{more} MB");
}
