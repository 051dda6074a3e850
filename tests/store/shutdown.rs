//! A shutdown while the store fails.

use std::time::{Duration, Instant};

use common::{DEADLINE, EN, Server};
use rustix::process::Signal;

use crate::StoreFile;

/// A server that shows a line which is not stored, since the file is locked.
fn held(file: &StoreFile, flags: &[&str]) -> (Server, rusqlite::Connection) {
    let server = file.serve(flags);
    let mut ann = server.join("ann");
    ann.join("builds");
    ann.fence();
    let lock = file.lock();
    ann.say("held");
    ann.expect(&ann.says_in("builds", "held"));
    ann.say("refused");
    ann.expect(EN.not_stored);
    (server, lock)
}

#[test]
fn a_shutdown_waits_for_the_store_and_loses_nothing() {
    let file = StoreFile::new();
    let (server, lock) = held(&file, &["--drain-timeout", "15"]);
    let start = Instant::now();
    server.signal(Signal::TERM);
    server.expect_log(1, "shutting down");
    drop(lock);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(start.elapsed() < Duration::from_secs(10), "as soon as it can, not at the end of its time");
    assert!(file.rows().iter().any(|row| row.text.as_deref() == Some("held")));
}

#[test]
fn a_shutdown_that_cannot_store_what_was_shown_says_so() {
    let file = StoreFile::new();
    let (server, lock) = held(&file, &["--drain-timeout", "2"]);
    let start = Instant::now();
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(1), "{log:#?}");
    assert!(start.elapsed() > Duration::from_millis(1500), "{:?}: it waits first", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}: no longer than the drain timeout", start.elapsed());
    assert!(log.iter().any(|line| line.contains("could not keep all")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("not all clients")), "they have all gone: {log:#?}");
    drop(lock);
    // The file is as it was, and works.
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    ann.say("in|builds|after\nsync|1");
    ann.expect_among("sync|1");
    let said: Vec<_> = file.rows().into_iter().filter(|row| row.kind == "message").filter_map(|row| row.text).collect();
    assert_eq!(said, ["after"]);
}

#[test]
fn a_shutdown_ends_in_time_while_people_stay_connected_and_the_store_fails() {
    let file = StoreFile::new();
    let (server, lock) = held(&file, &["--drain-timeout", "1"]);
    let mut bob = server.connect(); // her own side stays open
    let start = Instant::now();
    server.signal(Signal::TERM);
    bob.expect_among(EN.shutting_down);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(1), "{log:#?}");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    drop(lock);
}

#[test]
fn clients_and_store_have_one_drain_timeout_together() {
    let file = StoreFile::new();
    let (server, lock) = held(&file, &["--drain-timeout", "3"]);
    let mut bob = server.connect(); // the server waits 2 seconds for the end of this side
    let start = Instant::now();
    server.signal(Signal::TERM);
    bob.expect_among(EN.shutting_down);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(1), "{log:#?}");
    assert!(start.elapsed() > Duration::from_millis(2500), "{:?}: the rest is the store's", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(4900), "{:?}", start.elapsed());
    drop(lock);
}

#[test]
fn a_shutdown_of_a_server_that_has_nothing_to_store_needs_no_lock() {
    let file = StoreFile::new();
    let server = file.serve(&["--drain-timeout", "10"]);
    let mut ann = server.join("ann");
    ann.say("in|builds|stored\nsync|1");
    ann.expect_among("sync|1");
    let lock = file.lock();
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "all is stored: {log:#?}");
    drop(lock);
    let server = file.serve(&[]);
    assert_eq!(file.rows().len(), 1);
    drop(server);
}
