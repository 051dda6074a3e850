//! A server that ends in order, and starts again.

use common::{DEADLINE, EN, Server};
use rustix::process::Signal;

use crate::{StoreFile, ask, kill, quit, shut_down, texts};

/// The position in the answer to `join|ROOM`.
fn position(answer: &str) -> (u64, String) {
    let (n, epoch) = answer.split('|').nth(4).and_then(|position| position.split_once('.')).expect("a position");
    (n.parse().expect("a number"), epoch.to_owned())
}

#[test]
fn after_a_shutdown_numbers_go_on_without_a_gap() {
    let file = StoreFile::new();
    let mut next = 1;
    let mut epochs = Vec::new();
    for _ in 0..4 {
        let server = file.serve(&[]);
        let mut ann = server.join("ann");
        let (_, answer) = ask(&mut ann, "join|builds", "join|ok|");
        let (n, epoch) = position(&answer);
        assert_eq!(n, next, "{answer}");
        epochs.push(epoch);
        ann.say("hello\nin|lobby|hi\nleave|builds");
        ann.expect_among("leave|ok|builds");
        next += 4;
        quit(ann);
        shut_down(server);
    }
    assert!(epochs.iter().all(|epoch| *epoch == file.epoch()), "{epochs:?}");
    assert!(file.rows().iter().map(|row| row.n).eq(1..next), "{:#?}", file.rows());
}

#[test]
fn a_shutdown_while_people_are_in_rooms_leaves_no_gap_either() {
    let file = StoreFile::new();
    for round in 0..2 {
        let server = file.serve(&[]);
        let mut ann = server.join("ann");
        let (_, answer) = ask(&mut ann, "join|builds", "join|ok|");
        assert_eq!(position(&answer).0, 1 + 3 * round, "{answer}");
        ann.say("hello");
        ann.expect(&ann.says_in("builds", "hello"));
        shut_down(server);
    }
}

#[test]
fn a_history_tells_that_everybody_has_left_when_the_server_ended() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for client in [&mut ann, &mut bob] {
        client.join("builds");
        client.join("deploys");
    }
    ann.say("bye");
    ann.expect_among(&ann.says_in("deploys", "bye"));
    bob.fence();
    server.signal(Signal::TERM);
    let farewell: Vec<_> = bob.rest();
    assert!(farewell.last().is_some_and(|line| line == EN.shutting_down), "{farewell:?}");
    assert!(!farewell.iter().any(|line| line.contains("offline")), "nobody is told of the others: {farewell:?}");
    drop((ann, bob));
    assert_eq!(server.exit(DEADLINE).0.code(), Some(0));
    for room in ["builds", "deploys"] {
        let rows = file.rows_of(room);
        let left: Vec<_> = rows.iter().rev().take(2).map(|row| (&*row.kind, &*row.name, row.text.as_deref())).collect();
        let offline = |name| ("offline", name, Some("is offline (shutting-down)"));
        assert_eq!(left, [offline("bob"), offline("ann")], "{rows:#?}");
    }
    let server = file.serve(&[]);
    let (told, _) = ask(&mut server.join("cid"), "history|builds|2", "history|ok|");
    assert_eq!(texts(&told), ["ann is offline", "bob is offline"]);
}

#[test]
fn after_a_kill_numbers_go_on_behind_those_that_were_reserved() {
    let file = StoreFile::new();
    let mut last = 0;
    for _ in 0..3 {
        let server = file.serve(&[]);
        let mut ann = server.join("ann");
        let (_, answer) = ask(&mut ann, "join|builds", "join|ok|");
        let (n, epoch) = position(&answer);
        assert!(n > last && n <= last + 100_001, "{n} behind {last}");
        assert_eq!(epoch, file.epoch());
        last = n;
        kill(server);
    }
}

#[test]
fn without_a_store_each_start_has_an_epoch_of_its_own() {
    let epoch = || {
        let server = Server::start(&[]);
        let (_, answer) = ask(&mut server.join("ann"), "join|builds", "join|ok|");
        position(&answer)
    };
    let [(first, one), (again, another)] = [epoch(), epoch()];
    assert_eq!((first, again), (1, 1));
    assert_ne!(one, another, "one in twelve million, if they were random");
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.say(&format!("in|builds|x\nhistory|builds|since|1.{one}"));
    ann.expect_among(&format!("history|history-gone|builds|{}|{}", oldest(&server), EN.history_gone));
}

/// Where the history of `builds` begins.
fn oldest(server: &Server) -> String {
    let (_, answer) = ask(&mut server.join("bob"), "history|builds|since|0", "history|ok|");
    let epoch = answer.rsplit_once('.').expect("a position").1;
    format!("0.{epoch}")
}

#[test]
fn rooms_topics_and_history_are_there_again() {
    let file = StoreFile::new();
    for end in [shut_down, kill] {
        let server = file.serve(&[]);
        let mut ann = server.join("ann");
        ann.say("in|builds|one\ntopic|builds|nightly | weekly\nin|日本|你好\nin|lobby|hello\nsync|1");
        ann.expect_among("sync|1");
        quit(ann);
        end(server);
        let server = file.serve(&[]);
        let mut bob = server.join("bob");
        bob.say("rooms");
        bob.expect("rooms|0|builds|nightly | weekly");
        bob.expect("rooms|1|lobby|");
        bob.expect("rooms|0|日本|");
        bob.expect("rooms|ok|3");
        let (told, _) = ask(&mut bob, "history|builds|2", "history|ok|builds|2|");
        assert_eq!(texts(&told), ["ann:one", "ann topic: nightly | weekly"]);
        let (told, _) = ask(&mut bob, "history|lobby|1", "history|ok|lobby|1|");
        assert_eq!(texts(&told), ["ann:hello"]);
        let (_, answer) = ask(&mut bob, "join|builds", "join|ok|");
        assert!(answer.ends_with("|nightly | weekly"), "{answer}");
        bob.say("leave|builds\ntopic|builds|");
        bob.expect_among("topic|ok|builds|");
        quit(bob);
        end(server);
    }
}
