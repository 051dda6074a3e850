//! Readers that are slow, stuck, or many.

use std::{
    io::Write,
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Server};

use crate::{MB, flood, numbered, read_flood};

#[test]
fn a_slow_consumer_is_disconnected_while_the_others_get_every_line() {
    const LINES: usize = 25_000;
    const SIZE: usize = 4000;
    const WINDOW: usize = 100; // lines that the two who read have not read yet: far below the limit
    let server = Server::start_alone(&["--rate", "0", "--max-queue", "1048576"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let mut stuck = server.connect_narrow();
    ann.fence();
    bob.fence();
    let (says, stuck_offline, before) = (ann.says(""), stuck.offline(), server.rss());
    let (cut, is_cut) = channel();
    let (read_by_ann, ann_has_read) = channel();
    let (read_by_bob, bob_has_read) = channel();
    thread::scope(|scope| {
        let mut writer = ann.writer();
        let windows = || (0..LINES).step_by(WINDOW).map(|first| first..first + WINDOW);
        scope.spawn(move || {
            for window in windows() {
                flood(&mut writer, window, SIZE);
                ann_has_read.recv_timeout(DEADLINE).expect("ann reads every line");
                bob_has_read.recv_timeout(DEADLINE).expect("bob reads every line");
            }
        });
        let (says, stuck_offline, ann, bob) = (&says, &stuck_offline, &mut ann, &mut bob);
        scope.spawn(move || {
            let mut others = Vec::new();
            for window in windows() {
                others.extend(read_flood(ann, says, window, SIZE));
                read_by_ann.send(()).ok();
            }
            others.extend(ann.fence());
            assert_eq!(others, std::slice::from_ref(stuck_offline));
        });
        scope.spawn(move || {
            for window in windows() {
                if !read_flood(bob, says, window, SIZE).is_empty() {
                    cut.send(()).ok();
                }
                read_by_bob.send(()).ok();
            }
            bob.nothing();
        });
        is_cut.recv_timeout(DEADLINE).expect("the others are told that the slow consumer is gone");
        let mut rest = stuck.rest();
        assert_eq!(rest.pop().as_deref(), Some(EN.slow_consumer), "the last line");
        assert!(!rest.is_empty());
        for (number, line) in rest.iter().enumerate() {
            assert_eq!(line[..says.len() + 7], format!("{says}{number:07}"), "what it got before has no gaps");
            assert_eq!(line.len(), says.len() + SIZE);
        }
    });
    let grown = server.peak_rss() - before;
    // A queue of 1 MB, 4 MB of recent lines, and what the program touches of itself.
    assert!(grown < 24 * MB, "{grown} bytes more while {} bytes went past a stuck reader", LINES * SIZE);
    let log = server.expect_log(1, "slow-consumer");
    assert!(log.len() == 1 && log[0].contains(&stuck.addr), "{log:#?}");
}

#[test]
fn a_client_without_write_progress_is_told_why_it_is_disconnected() {
    let server = Server::start(&["--rate", "0", "--write-timeout", "0.5"]);
    let [mut ann] = server.join_all(["ann"]);
    let mut stuck = server.connect_narrow();
    ann.expect(&stuck.online());
    let (says, start) = (ann.says(""), Instant::now());
    flood(&mut ann.writer(), 0..120, 4000);
    assert!(read_flood(&mut ann, &says, 0..120, 4000).is_empty());
    ann.expect(&stuck.offline());
    assert!(start.elapsed() >= Duration::from_millis(500), "cut after {:?}", start.elapsed());
    let mut rest = stuck.rest();
    assert_eq!(rest.pop().as_deref(), Some(EN.write_timeout), "the last line");
    for (number, line) in rest.iter().enumerate() {
        assert_eq!(*line, format!("{says}{}", numbered(number, 4000)), "whole lines without gaps");
    }
    let log = server.expect_log(1, "write-timeout");
    assert!(log.len() == 1 && log[0].contains(&stuck.addr), "{log:#?}");
}

#[test]
fn a_stuck_reader_slows_nobody() {
    let server = Server::start_alone(&["--rate", "0", "--max-queue", "100000", "--write-timeout", "100"]);
    let mut ann = server.join("ann");
    let stuck = server.connect_narrow();
    ann.expect(&stuck.online());
    let offline = stuck.offline();
    // Each line is a turn, and in none of them the broker waits for the reader, although less and less room is left in
    // the queue.
    let mut round_trips = Vec::new();
    loop {
        let start = Instant::now();
        let text = numbered(round_trips.len(), 1000);
        ann.say(&text);
        let before = ann.expect_among(&ann.says(&text));
        if before.contains(&offline) {
            break;
        }
        round_trips.push(start.elapsed());
        assert!(round_trips.len() < 5000, "the stuck reader is still here");
    }
    let mut last = round_trips.split_off(round_trips.len() - 15);
    last.sort();
    assert!(last[7] < Duration::from_millis(8), "the last round trips before the cut took {last:?}");
}

#[test]
fn a_slow_but_steady_reader_gets_everything() {
    const LINES: usize = 5000;
    const SIZE: usize = 4000;
    let server = Server::start_alone(&["--rate", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let says = ann.says("");
    let flood_past = |ann: &mut Client, bob: &mut Client, rate: Option<f64>| {
        let start = Instant::now();
        let mut writer = ann.writer();
        thread::scope(|scope| {
            scope.spawn(move || flood(&mut writer, 0..LINES, SIZE));
            scope.spawn(|| assert!(read_flood(ann, &says, 0..LINES, SIZE).is_empty()));
            for number in 0..LINES {
                assert!(read_flood(bob, &says, number..number + 1, SIZE).is_empty());
                if let Some(rate) = rate {
                    let due = Duration::from_secs_f64((number * SIZE) as f64 / rate);
                    thread::sleep(due.saturating_sub(start.elapsed())); // this makes the reader slow
                }
            }
        });
        start.elapsed()
    };
    let unhindered = flood_past(&mut ann, &mut bob, None);
    let rate = (LINES * SIZE) as f64 / unhindered.as_secs_f64() / 10.0;
    flood_past(&mut ann, &mut bob, Some(rate));
    bob.say("still here");
    bob.expect(&bob.says("still here"));
    ann.expect(&bob.says("still here"));
}

#[test]
fn when_memory_runs_out_the_client_that_holds_most_goes() {
    const READERS: usize = 40;
    // Each is sent a private message of so many bytes so often. Its kernel takes some 128 KiB; what is left is not enough
    // that one is refused.
    const PRIVATE_LINES: usize = 90;
    const PRIVATE_BYTES: usize = 4000;
    let server = Server::start_alone(&["--rate", "0", "--max-memory", "4194304", "--write-timeout", "100"]);
    let mut ann = server.join("ann");
    let stuck: Vec<_> = (0..READERS).map(|_| server.connect_narrow()).collect();
    ann.fence();
    let before = server.rss();
    // Private messages share no bytes. A sender that holds no more than a line of its own is read to the end.
    let (text, mut heard) = ("x".repeat(PRIVATE_BYTES), Vec::new());
    for (number, reader) in stuck.iter().enumerate() {
        let line = format!("to|{}|{text}", reader.addr);
        for _ in 0..PRIVATE_LINES {
            ann.say(&line);
            heard.extend(ann.fence());
        }
        if number < 10 {
            assert!(heard.is_empty(), "there is room for them: {heard:?}");
        }
    }
    let mut offline: Vec<_> = stuck.iter().map(Client::offline).collect();
    offline.retain(|line| heard.contains(line));
    // Some 9 MB came for 4 MiB, and each that went held less than 256 KiB.
    assert!(offline.len() >= READERS / 4 && offline.len() < READERS - 10, "{} are cut", offline.len());
    let others: Vec<_> = heard.iter().filter(|line| !offline.contains(line)).collect();
    // A line to a client that was disconnected just now is refused.
    assert!(others.iter().all(|line| **line == EN.no_such_user), "{others:?}");
    ann.nothing();
    let log = server.expect_log(offline.len(), "slow-consumer");
    assert_eq!(log.len(), offline.len(), "{log:#?}");
    let grown = server.peak_rss() - before;
    assert!(grown < 20 * MB, "{grown} bytes more");
}

#[test]
fn a_client_that_reads_its_answers_late_gets_all_of_them() {
    const QUESTIONS: usize = 3000; // their lines fit into one read, their answers do not fit into the queue
    let server = Server::start(&["--rate", "0", "--idle-timeout", "1"]);
    let mut bob = server.join("bob");
    bob.say("stay");
    bob.fence();
    let mut ann = server.connect_narrow();
    bob.expect(&ann.online());
    ann.send(b"help\nsync|one\n");
    let one = ann.expect_among("sync|one").len();
    let mut writer = ann.writer();
    let asking = thread::spawn(move || writer.write_all(("help\n".repeat(QUESTIONS) + "sync|all\n").as_bytes()));
    // Megabytes of answers, more than her queue takes: the server stops handling her commands.
    (0..3000).for_each(|_| bob.nothing());
    // It does not take her for idle meanwhile, as it does a client that sends nothing.
    let mut cid = server.connect();
    cid.expect_among(EN.idle);
    assert_eq!(ann.expect_among("sync|all").len(), one * QUESTIONS + [cid.online(), cid.offline()].len());
    asking.join().expect("no panic").expect("the server reads");
}
