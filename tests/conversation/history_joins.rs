//! Joining a room and being told first what one has missed there: without a gap, and nothing twice.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use common::{Client, Server, positions};

use crate::{history::expect_past, in_both, rooms::two_in_a_room};

#[test]
fn one_who_joins_is_told_first_what_it_has_missed() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        ann.say("one\ntopic|builds|green\ntwo");
        let missed = [
            ann.says_in("builds", "one"),
            texts.topic("builds", &ann.addr, "ann", "green"),
            ann.says_in("builds", "two"),
        ];
        bob.expect(&missed[0]);
        bob.expect(&missed[1]);
        bob.expect(&missed[2]);
        cid.say("join|#BUILDS|since|2\nthanks\nleave|builds");
        missed.iter().zip(3..).for_each(|(line, n)| drop(expect_past(&mut cid, n, line)));
        cid.expect("history|ok|builds|3|5.EPOCH");
        let joined = texts.joined("builds", &cid.addr, "cid");
        cid.expect(&joined);
        cid.expect("join|ok|builds|3|6.EPOCH|green");
        cid.expect(&cid.says_in("builds", "thanks")); // its later lines have waited
        cid.expect(&texts.left("builds", &cid.addr, "cid"));
        cid.expect("leave|ok|builds");
        bob.expect(&joined);
        bob.say("three\njoin|builds|last|2"); // one who is there is told of it again, and nobody else is
        let three = bob.says_in("builds", "three");
        bob.expect_among(&three);
        expect_past(&mut bob, 8, &texts.left("builds", &cid.addr, "cid"));
        expect_past(&mut bob, 9, &three);
        bob.expect("history|ok|builds|2|9.EPOCH");
        bob.expect("join|ok|builds|2|9.EPOCH|green");
        ann.expect_among(&three);
        ann.nothing();
        // A room that there is not is made.
        cid.say("join|new|since|1h\njoin|newer|last|5");
        cid.expect("history|ok|new|0|9.EPOCH");
        cid.expect(&texts.joined("new", &cid.addr, "cid"));
        cid.expect("join|ok|new|1|10.EPOCH|");
        cid.expect("history|ok|newer|0|10.EPOCH");
        cid.expect(&texts.joined("newer", &cid.addr, "cid"));
        cid.expect("join|ok|newer|1|11.EPOCH|");
    });
}

#[test]
fn one_comes_back_to_the_lobby_without_a_gap() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        ann.say("one\nleave|lobby\njoin|builds");
        ann.expect(&ann.says("one"));
        ann.expect_among("join|ok|builds|1|2.EPOCH|");
        bob.say("two\nthree");
        bob.expect_among(&bob.says("three"));
        ann.nothing();
        ann.say("join|lobby|since|2.unknown\njoin|lobby|since|2");
        ann.expect(&format!("join|history-gone|lobby|0.EPOCH|{}", texts.history_gone));
        expect_past(&mut ann, 3, &bob.says("two"));
        expect_past(&mut ann, 4, &bob.says("three"));
        ann.expect("history|ok|lobby|2|4.EPOCH");
        ann.expect(&texts.joined("lobby", &ann.addr, "ann").replacen("#lobby ", "", 1));
        ann.expect("join|ok|lobby|2|4.EPOCH|"); // in the lobby, that is not kept
        bob.say("four");
        ann.expect(&bob.says("four"));
    });
}

#[test]
fn a_visitor_is_told_as_well() {
    in_both(&[], |server, texts| {
        let [mut ann, _bob, _cid] = two_in_a_room(&server);
        ann.say("one");
        ann.fence();
        let mut ci = server.dial();
        ci.say("visit\nhistory|builds|1\njoin|builds|since|2");
        ci.expect(texts.set_visit);
        for answer in ["history|ok|builds|1|3.EPOCH"; 2] {
            expect_past(&mut ci, 3, &ann.says_in("builds", "one"));
            ci.expect(answer);
        }
        let joined = texts.joined("builds", &ci.addr, &ci.addr);
        ci.expect(&joined);
        ci.expect("join|ok|builds|3|4.EPOCH|");
        ann.expect(&joined);
        ann.say("two");
        ci.expect(&ann.says_in("builds", "two"));
    });
}

/// How often one leaves a room and comes back.
const ROUNDS: usize = 40;
/// How many lines each of those who talk all the time says, at most.
const LINES: usize = 10_000;

/// An event of the room, in JSON.
#[derive(Debug, PartialEq)]
struct Told {
    n: u64,
    position: String,
    is_replay: bool,
    /// When and what: the same whether it is live or told again.
    text: String,
}

fn told(object: &str) -> Option<Told> {
    let (_, rest) = object.split_once("\"at\":")?;
    let (text, replay) = rest.split_once(",\"replay\":")?;
    let position = positions(text).pop().filter(|_| text.contains("\"room\":\"builds\",\"verb\":null"))?.to_owned();
    let n = position.split_once('.')?.0.parse().ok()?;
    Some(Told { n, position, is_replay: replay == "true}", text: text.to_owned() })
}

/// Reads up to this, and returns what is told.
fn hear(client: &mut Client, last: &str) -> Vec<Told> {
    let mut heard = Vec::new();
    loop {
        let line = client.line();
        heard.extend(told(&line));
        if line.contains(last) {
            return heard;
        }
    }
}

#[test]
fn while_others_talk_all_the_time_nothing_is_missed_and_nothing_is_told_twice() {
    let server = Server::start(&["--recent", "100000", "--recent-memory", "64M"]);
    let [mut ann, mut bob, mut witness, mut cid] = server.join_all(["ann", "bob", "witness", "cid"]);
    let here = |client: &mut Client| {
        client.say("format|json\njoin|builds\nsync|here");
        hear(client, "\"here\"")
    };
    let (mut seen, mut heard) = (here(&mut witness), here(&mut cid));
    let is_over = AtomicBool::new(false);
    let mut replays = 0;
    thread::scope(|scope| {
        let _end = server.ends_with_failure();
        for client in [&mut ann, &mut bob] {
            let is_over = &is_over;
            scope.spawn(move || {
                for n in (0..LINES).step_by(10).take_while(|_| !is_over.load(Relaxed)) {
                    let lines: String = (n..n + 10).map(|n| format!("in|builds|{n}\n")).collect();
                    client.send(lines.as_bytes());
                    client.fence();
                }
            });
        }
        scope.spawn(|| seen.extend(hear(&mut witness, "\"the end\"")));
        for round in 0..ROUNDS {
            // It leaves, while the others go on; or it stays, and asks for what has happened since it has read the last line.
            let leaves = round % 3 > 0;
            if leaves {
                cid.say("leave|builds");
                heard.extend(hear(&mut cid, "\"verb\":\"leave\""));
            }
            let last = heard.last().expect("it has heard itself join").position.clone();
            cid.say(&format!("join|builds|since|{last}"));
            let told = hear(&mut cid, "\"verb\":\"join\"");
            replays += told.iter().filter(|told| told.is_replay).count();
            if leaves {
                heard.extend(told);
            } else {
                // What came until the server has read that was told live, and then once more with the rest.
                let (replayed, live): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| told.is_replay);
                assert!(live.iter().zip(&replayed).all(|(live, replayed)| live.text == replayed.text), "{live:?}");
                assert!(live.len() <= replayed.len(), "{live:?}, {replayed:?}");
                heard.extend(replayed);
            }
        }
        is_over.store(true, Relaxed);
        cid.say("in|builds|the end");
        heard.extend(hear(&mut cid, "\"the end\""));
    });
    let first = seen.iter().position(|told| told.n == heard[0].n).expect("the witness came first");
    let seen = &seen[first..];
    let differs = seen.iter().zip(&heard).find(|(seen, heard)| seen.text != heard.text);
    assert!(differs.is_none() && seen.len() == heard.len(), "{differs:#?}, {} and {}", seen.len(), heard.len());
    assert!(heard.windows(2).all(|pair| pair[0].n < pair[1].n));
    assert!(replays > ROUNDS, "nobody has talked: {replays}");
}
