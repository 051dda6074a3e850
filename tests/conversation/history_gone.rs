//! History that is kept no longer, or never was: whoever asks for it is told so.

use common::{Client, EN, Server};

use crate::{
    history::{ask, expect_past, past},
    in_both,
    rooms::two_in_a_room,
};

#[test]
fn what_has_given_way_to_newer_events_is_gone() {
    in_both(&["--recent", "3"], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        ann.say("one\ntwo\nthree\nfour");
        let said = ["one", "two", "three", "four"].map(|text| ann.says_in("builds", text));
        for client in [&mut ann, &mut bob] {
            said.iter().for_each(|line| client.expect(line));
        }
        for start in ["0", "2", "1h", "2020-01-01T00:00:00Z", "9.zzzzz", "9.x", "-"] {
            for verb in ["history", "join"] {
                cid.say(&format!("{verb}|#Builds|since|{start}"));
                cid.expect(&format!("{verb}|history-gone|builds|3.EPOCH|{}", texts.history_gone));
            }
        }
        ask(&mut cid, "history|builds|since|3", 4, &said[1..], "history|ok|builds|3|6.EPOCH");
        // One who asks for the last ones is told those that there are.
        ask(&mut cid, "history|builds|100", 4, &said[1..], "history|ok|builds|3|6.EPOCH");
        cid.say("who|builds");
        cid.expect_among("who|ok|builds|2");
        cid.say("join|builds|last|100");
        said[1..].iter().zip(4..).for_each(|(line, n)| drop(expect_past(&mut cid, n, line)));
        cid.expect("history|ok|builds|3|6.EPOCH");
        cid.expect(&texts.joined("builds", &cid.addr, "cid"));
        cid.expect("join|ok|builds|3|7.EPOCH|");
        for client in [&mut ann, &mut bob] {
            client.expect(&texts.joined("builds", &cid.addr, "cid"));
            client.nothing();
        }
    });
}

#[test]
fn in_a_room_that_is_there_one_goes_on_hearing_after_a_refusal() {
    let server = Server::start(&["--recent", "3"]);
    let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
    bob.say("one\ntwo\nthree");
    ann.expect(&bob.says_in("builds", "one"));
    ann.expect(&bob.says_in("builds", "two"));
    ann.expect(&bob.says_in("builds", "three"));
    ann.say("join|builds|since|0");
    ann.expect(&format!("join|history-gone|builds|2.EPOCH|{}", EN.history_gone));
    cid.say("in|builds|still there?");
    ann.expect(&cid.says_in("builds", "still there?"));
}

#[test]
fn nobody_keeps_more_rooms_than_it_may() {
    in_both(&["--max-rooms-per-client", "2"], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        bob.say("in|bobs|0");
        bob.expect("in|ok|bobs|1.EPOCH");
        ann.say("in|one|1\nin|two|2\nin|three|3\nin|bobs|4");
        ann.expect("in|ok|one|2.EPOCH");
        ann.expect("in|ok|two|3.EPOCH");
        ann.expect(&format!("in|too-many-rooms|{}", texts.too_many_rooms(2)));
        ann.expect("in|ok|bobs|4.EPOCH"); // others' rooms are not on its account
        // The one of them that has been silent longest gives way to a room that it was in.
        ann.say("join|four\nleave|four\nrooms");
        ann.expect_among("leave|ok|four");
        for line in ["rooms|0|bobs|", "rooms|0|four|", "rooms|2|lobby|", "rooms|0|two|", "rooms|ok|4"] {
            ann.expect(line);
        }
    });
}

#[test]
fn without_history_a_room_is_kept_for_its_topic_alone() {
    in_both(&["--recent", "0"], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        ann.say("topic|builds|a\njoin|Apples\nleave|Apples\nleave|builds");
        bob.say("leave|builds\nsync|left");
        ann.expect_among("leave|ok|builds");
        bob.expect_among("sync|left");
        cid.say("in|Apples|nobody will hear that\nrooms");
        for line in ["in|ok|Apples|-", "rooms|0|builds|a", "rooms|3|lobby|", "rooms|ok|2"] {
            cid.expect(line);
        }
        for (line, room) in
            [("join|builds|since|-", "builds"), ("join|Apples|since|-", "Apples"), ("history|builds|since|-", "builds")]
        {
            cid.say(line);
            let (verb, _) = line.split_once('|').expect("a command");
            cid.expect(&format!("{verb}|history-gone|{room}|-|{}", texts.history_gone));
        }
    });
}

#[test]
fn a_restart_forgets_all_of_it() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.say("in|builds|1");
    let answer = ann.line();
    let (_, position) = answer.rsplit_once('|').expect("a position");
    let other = server.start_another(&[]);
    let mut ann = other.connect();
    ann.say(&format!("in|builds|1\nhistory|builds|since|{position}"));
    ann.expect("in|ok|builds|1.EPOCH");
    ann.expect(&format!("history|history-gone|builds|0.EPOCH|{}", EN.history_gone));
}

/// Bytes of a line that takes much memory.
pub(crate) const LONG: usize = 3900;

#[test]
fn the_room_that_has_been_silent_longest_gives_its_memory_first() {
    let server = Server::start(&["--recent-memory", "200K"]);
    let mut ann = server.connect();
    ["old", "new", "newer"].iter().for_each(|room| say_in(&mut ann, room, 20));
    let mut kept = ["old", "new", "newer"].map(|room| count(&mut ann, room));
    assert!(kept[0] < 20 && kept[1..] == [20, 20], "{kept:?}");
    say_in(&mut ann, "newer", 20);
    kept = ["old", "new", "newer"].map(|room| count(&mut ann, room));
    assert!(kept[0] == 0 && kept[1] < 20 && kept[2] == 40, "{kept:?}");
}

fn say_in(client: &mut Client, room: &str, count: usize) {
    client.send(format!("in|{room}|{}\n", "x".repeat(LONG)).repeat(count).as_bytes());
    (0..count).for_each(|_| assert!(client.line().starts_with(&format!("in|ok|{room}|"))));
}

/// How many events of a room are kept; none where there is no room.
pub(crate) fn count(client: &mut Client, room: &str) -> usize {
    client.say(&format!("history|{room}|1000\nsync|told"));
    let heard = client.expect_among("sync|told");
    heard.iter().filter(|line| past(line).is_some()).count()
}
