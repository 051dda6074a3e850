//! What is left of history when rooms are forgotten, or memory is short.

use common::Server;

use crate::{
    history::{ask, expect_past},
    history_gone::{LONG, count},
    in_both,
};

#[test]
fn a_room_that_is_forgotten_takes_its_history_with_it() {
    in_both(&["--max-rooms", "3"], |server, texts| {
        let mut ann = server.join("ann");
        ann.say("in|one|1\nin|two|2\nin|three|3\nhistory|one");
        for line in ["in|ok|one|1.EPOCH", "in|ok|two|2.EPOCH", "in|ok|three|3.EPOCH"] {
            ann.expect(line);
        }
        ann.expect(&format!("history|no-such-room|{}", texts.no_such_room));
        let said = [ann.says_in("two", "2")];
        ask(&mut ann, "history|two", 2, &said, "history|ok|two|1|3.EPOCH");
        ask(&mut ann, "history|lobby", 0, &[], "history|ok|lobby|0|3.EPOCH");
        ann.say("join|one|last|9");
        ann.expect("history|ok|one|0|3.EPOCH");
        ann.expect(&texts.joined("one", &ann.addr, "ann"));
        ann.expect("join|ok|one|1|4.EPOCH|");
    });
}

#[test]
fn a_join_that_is_refused_makes_no_room_and_no_other_has_to_go_for_it() {
    in_both(&["--max-rooms", "3"], |server, texts| {
        let mut ann = server.join("ann");
        ann.say("in|one|1\nin|two|2\njoin|three|since|1.zzzzz\nrooms");
        ann.expect("in|ok|one|1.EPOCH");
        ann.expect("in|ok|two|2.EPOCH");
        ann.expect(&format!("join|history-gone|three|-|{}", texts.history_gone));
        for line in ["rooms|1|lobby|", "rooms|0|one|", "rooms|0|two|", "rooms|ok|3"] {
            ann.expect(line);
        }
    });
}

#[test]
fn one_comes_back_to_the_lobby_whatever_was_forgotten_elsewhere() {
    in_both(&["--max-rooms", "2"], |server, _| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        ann.say("in|one|1\nin|two|2\nin|three|3\nhello");
        ann.expect_among("in|ok|three|3.EPOCH");
        let hello = ann.says("hello");
        ann.expect(&hello);
        bob.expect(&hello);
        bob.say("join|lobby|since|1");
        expect_past(&mut bob, 4, &hello);
        bob.expect("history|ok|lobby|1|4.EPOCH");
        bob.expect("join|ok|lobby|2|4.EPOCH|");
    });
}

#[test]
fn where_memory_is_short_history_is_given_back_and_nobody_is_disconnected() {
    let server = Server::start(&["--max-memory", "4M", "--recent", "100000"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.join("builds");
    for _ in 0..40 {
        ann.send(format!("{}\n", "x".repeat(LONG)).repeat(50).as_bytes());
        ann.fence();
    }
    let kept = count(&mut bob, "builds");
    assert!((1..1000).contains(&kept), "{kept}");
    ann.nothing();
    bob.fence();
    assert!(!server.log().iter().any(|line| line.contains("slow-consumer")), "{:#?}", server.log());
}
