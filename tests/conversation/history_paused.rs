//! Long answers to those who read slowly: nobody else notices, and they get all of it, unless it has given way meanwhile.

use common::{Client, EN, Server};

use crate::history::{expect_past, past};

/// Bytes of each of the lines that are told again: a thousand of them are four times of what may wait for a client.
const LONG: usize = 3900;
const QUEUES: [&str; 4] = ["--max-queue", "1M", "--soft-queue", "1M"];

/// Says this many long lines in the room `builds`, after it has joined it. Each is kept.
fn say_long_lines(client: &mut Client, count: usize) {
    client.join("builds");
    for _ in 0..count / 50 {
        client.send(format!("{}\n", "x".repeat(LONG)).repeat(50).as_bytes());
        client.fence();
    }
}

#[test]
fn one_who_reads_a_long_replay_slowly_is_waited_for_and_holds_up_nobody() {
    let server = Server::start(&[&QUEUES[..], &["--recent", "2000"]].concat());
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    say_long_lines(&mut ann, 1000);
    let mut slow = server.connect_narrow();
    slow.say("join|builds|since|1\nsync|joined");
    ann.fence();
    bob.fence();
    // Others are answered meanwhile, and what they say there is told to it in its turn.
    for n in 1002..1102 {
        let said = ann.says_in("builds", &n.to_string());
        ann.say(&n.to_string());
        ann.expect(&said);
        bob.say("history|builds|1");
        expect_past(&mut bob, n, &said);
        bob.expect(&format!("history|ok|builds|1|{n}.EPOCH"));
    }
    bob.say("who|builds");
    bob.expect("[ann] is online");
    bob.expect("who|ok|builds|1"); // it is not there yet
    let long = ann.says_in("builds", &"x".repeat(LONG));
    (2..1002).for_each(|n| drop(expect_past(&mut slow, n, &long)));
    (1002..1102).for_each(|n| drop(expect_past(&mut slow, n, &ann.says_in("builds", &n.to_string()))));
    slow.expect("history|ok|builds|1100|1101.EPOCH");
    slow.expect(&EN.joined("builds", &slow.addr, &slow.addr));
    slow.expect("join|ok|builds|2|1102.EPOCH|");
    slow.expect("sync|joined");
}

#[test]
fn one_who_reads_so_slowly_that_it_would_miss_something_is_told_so() {
    let server = Server::start(&QUEUES);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    say_long_lines(&mut ann, 1000);
    let mut slow = server.connect_narrow();
    slow.say("join|builds|last|1000\nsync|asked");
    ann.fence();
    bob.fence();
    ann.send("x\n".repeat(1000).as_bytes()); // now the room keeps these alone
    ann.fence();
    let told = (2..).map_while(|n| Some((n, past(&slow.line())?)));
    let told = told.map(|(n, past)| assert!(past.position.starts_with(&format!("{n}.")), "{n}: {past:?}")).count();
    assert!((64..1000).contains(&told), "{told}");
    slow.expect("sync|asked");
    bob.say("who|builds");
    bob.expect_among("who|ok|builds|1");
}
