//! How connections end: what waits for a client that leaves is sent to it, however slowly it reads, but not for ever.

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Received, Server, until};
use rustix::process::Signal;

use crate::{flood, numbered, read_flood};

/// Bytes of each text.
const SIZE: usize = 4000;

/// Two clients: ann, and one that has read none of so many texts of hers; nor has its kernel taken many of them.
fn after_a_flood(server: &Server, texts: usize) -> (Client, Client) {
    let mut ann = server.join("ann");
    let slow = server.connect_narrow();
    ann.expect(&slow.online());
    let says = ann.says("");
    let mut writer = ann.writer();
    thread::scope(|scope| {
        scope.spawn(|| flood(&mut writer, 0..texts, SIZE));
        assert!(read_flood(&mut ann, &says, 0..texts, SIZE).is_empty());
    });
    (ann, slow)
}

/// Reads the texts of a flood in about so long.
fn read_slowly(reader: &mut Client, says: &str, texts: usize, time: Duration) {
    let (start, step) = (Instant::now(), time / u32::try_from(texts).expect("few"));
    for (number, due) in (0..texts).zip(1..) {
        assert!(read_flood(reader, says, number..number + 1, SIZE).is_empty());
        thread::sleep((step * due).saturating_sub(start.elapsed())); // this makes the reader slow
    }
}

#[test]
fn a_slow_but_steady_reader_gets_everything_at_shutdown() {
    const TEXTS: usize = 1000;
    let times = ["--drain-timeout", "60", "--write-timeout", "3"]; // of which the reading takes more than one
    let server = Server::start(&[&["--rate", "0", "--max-queue", "8000000"], &times[..]].concat());
    let (ann, mut bob) = after_a_flood(&server, TEXTS);
    let says = ann.says("");
    drop(ann);
    server.signal(Signal::TERM);
    read_slowly(&mut bob, &says, TEXTS, Duration::from_secs(5));
    assert_eq!(bob.rest().pop().as_deref(), Some(EN.shutting_down));
    drop(bob);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("WARN")), "nothing is lost: {log:#?}");
}

#[test]
fn the_last_answer_comes_behind_all_that_waited_when_the_input_has_ended() {
    const TEXTS: usize = 400;
    let server = Server::start(&["--rate", "0", "--max-queue", "8000000"]);
    let (ann, mut bob) = after_a_flood(&server, TEXTS);
    bob.send(b"sync|last");
    bob.half_close();
    read_slowly(&mut bob, &ann.says(""), TEXTS, Duration::from_secs(4));
    bob.expect("sync|last");
    bob.eof();
}

#[test]
fn a_client_that_leaves_and_takes_nothing_is_given_up_after_the_write_timeout() {
    const TEXTS: usize = 200;
    let server = Server::start(&["--rate", "0", "--write-timeout", "1"]);
    let (mut ann, mut bob) = after_a_flood(&server, TEXTS);
    let (files, start) = (server.open_files(), Instant::now());
    bob.send(b"quit\n");
    ann.expect(&bob.offline());
    let log = server.expect_log(1, "did not take its last");
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(log.len(), 1, "{log:#?}");
    until("its connection is closed, though the peer never closes", || server.open_files() < files);
    // It was given up in the middle of a text, or behind one, and no farewell has come after that.
    let says = ann.says("");
    let mut texts = 0;
    let end = loop {
        match bob.receive(DEADLINE) {
            Received::Line(line) if line.starts_with(&says) => texts += 1,
            end => break end,
        }
    };
    let begun = match end {
        Received::Eof | Received::Reset => String::new(),
        Received::Unfinished(line) => line,
        heard @ (Received::Line(_) | Received::Nothing) => panic!("after {texts} texts: {heard:?}"),
    };
    let expected = format!("{says}{}", numbered(texts, SIZE));
    assert!(texts < TEXTS && expected.starts_with(&begun), "after {texts} texts: {begun:?}");
}

#[test]
fn what_is_lost_at_shutdown_is_said_in_one_line() {
    const TEXTS: usize = 200;
    let server = Server::start(&["--rate", "0", "--drain-timeout", "0.3"]);
    let (ann, _stuck) = after_a_flood(&server, TEXTS);
    drop(ann);
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0));
    let lost: Vec<_> = log.iter().filter(|line| line.contains("WARN")).collect();
    let [line] = &lost[..] else { panic!("{log:#?}") };
    let bytes = line.split(' ').zip(line.split(' ').skip(1)).find(|(_, word)| *word == "bytes");
    let bytes: usize = bytes.and_then(|(number, _)| number.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    assert!((TEXTS * SIZE / 2..TEXTS * SIZE * 2).contains(&bytes), "{line}");
    assert!(line.ends_with("(clients: 1)"), "{line}");
}

#[test]
fn a_client_that_was_hung_up_on_holds_its_place_until_it_is_closed() {
    let server = Server::start(&["--max-clients", "4"]);
    let [mut ann, mut bob, _cat] = server.join_all(["ann", "bob", "cat"]);
    bob.say("quit");
    bob.expect(EN.goodbye);
    bob.eof();
    ann.expect(&bob.offline());
    let dan = server.connect();
    let mut eve = server.dial();
    eve.expect(EN.full);
    eve.eof();
    drop(bob);
    // Its place is free as soon as its end has come.
    until("somebody else gets in", || {
        let mut fay = server.dial();
        let line = fay.line();
        assert!(line == EN.full || line == fay.online(), "{line}");
        line != EN.full
    });
    drop(dan);
}
