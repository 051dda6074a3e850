//! History: what has happened in a room is told to those who ask for it.

use common::{Client, EN, Server, mask_epochs, positions};

use crate::{in_both, rooms::two_in_a_room};

/// What a `history` may look like.
pub(crate) const FORM: &str = "history|ROOM, history|ROOM|N, history|ROOM|since|START";

/// An event, told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) position: String,
    pub(crate) time: String,
    /// As it was shown when it happened.
    pub(crate) line: String,
}

/// What a line tells again, if that is what it does.
pub(crate) fn past(line: &str) -> Option<Past> {
    let [position, time, line] = line.strip_prefix("history|")?.splitn(3, '|').collect::<Vec<_>>()[..] else {
        return None;
    };
    positions(position).contains(&position).then(|| Past {
        position: position.to_owned(),
        time: time.to_owned(),
        line: line.to_owned(),
    })
}

/// Reads the line that tells this one again, at this position.
#[track_caller]
pub(crate) fn expect_past(client: &mut Client, n: u64, line: &str) -> Past {
    let heard = client.line();
    let past = past(&heard).unwrap_or_else(|| panic!("event {n} was expected, {line:?}: {heard:?}"));
    assert_eq!((mask_epochs(&past.position), &*past.line), (format!("{n}.EPOCH"), line), "{heard}");
    // RFC 3339, UTC, milliseconds
    let shape: String = past.time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{heard}");
    past
}

/// Asks, and reads that these are told again, from this number on, and then this answer.
#[track_caller]
pub(crate) fn ask(client: &mut Client, line: &str, from: u64, expected: &[String], answer: &str) {
    client.say(line);
    expected.iter().zip(from..).for_each(|(line, n)| drop(expect_past(client, n, line)));
    client.expect(answer);
}

#[test]
fn all_that_is_told_in_a_room_is_kept() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        let mut happened = vec![texts.joined("builds", &ann.addr, "ann"), texts.joined("builds", &bob.addr, "bob")];
        bob.say("build 1 is | green\ntopic|builds|red\nin|lobby|not there\nrename|rob\nleave|builds\nin|builds|\u{7}");
        happened.extend([
            bob.says_in("builds", "build 1 is | green"),
            texts.topic("builds", &bob.addr, "bob", "red"),
            format!("#builds {}", texts.known_as(&bob.addr, "bob", "rob")),
            texts.left("builds", &bob.addr, "rob"),
            format!("#builds [{}]rob:\\u{{7}}", bob.addr),
        ]);
        bob.expect_among("in|ok|builds|8.EPOCH");
        ann.say("quit");
        ann.rest();
        happened.push(texts.offline_in("builds", &ann.addr, "ann"));
        cid.say("wait|20|gone|ann\nhistory|builds");
        cid.expect_among("wait|ok|ann");
        for (line, n) in happened.iter().zip([1, 2, 3, 4, 6, 7, 8, 9]) {
            expect_past(&mut cid, n, line); // 5 is what was said in the lobby
        }
        cid.expect("history|ok|builds|8|9.EPOCH");
        ask(&mut cid, "History｜#BUILDS|3", 7, &happened[5..], "history|ok|builds|3|9.EPOCH");
        ask(&mut cid, "history|builds|0", 0, &[], "history|ok|builds|0|9.EPOCH");
        ask(&mut cid, "history|lobby", 5, &[format!("[{}]bob:not there", bob.addr)], "history|ok|lobby|1|9.EPOCH");
        cid.nothing();
    });
}

#[test]
fn of_the_lobby_arrivals_and_departures_are_kept_where_that_is_asked_for() {
    in_both(&["--history-presence"], |server, texts| {
        let (mut ann, mut bob) = (server.join("ann"), server.join("bob"));
        bob.say("hello\nquit");
        bob.rest();
        let first = |client: &Client| format!("[{0}]{0}:{1}", client.addr, texts.online);
        let happened = [first(&ann), ann.known_as(), first(&bob), bob.known_as(), bob.says("hello"), bob.offline()];
        ann.expect_among(&bob.offline());
        ask(&mut ann, "history|lobby", 1, &happened, "history|ok|lobby|6|6.EPOCH");
    });
}

#[test]
fn twenty_are_told_where_no_number_is_given() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    (1..=25).for_each(|n| ann.say(&n.to_string()));
    ann.fence();
    bob.fence();
    let said: Vec<_> = (1..=25).map(|n| ann.says(&n.to_string())).collect();
    ask(&mut bob, "history|lobby", 6, &said[5..], "history|ok|lobby|20|25.EPOCH");
    ask(&mut bob, "history|lobby|1000", 1, &said, "history|ok|lobby|25|25.EPOCH");
}

#[test]
fn one_asks_for_what_has_happened_since() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        ann.say("one\ntwo\nthree");
        ann.fence();
        bob.fence();
        let said = ["one", "two", "three"].map(|text| ann.says(text));
        bob.say("history|lobby|1");
        let last = expect_past(&mut bob, 3, &said[2]);
        bob.expect("history|ok|lobby|1|3.EPOCH");
        let all = "history|ok|lobby|3|3.EPOCH";
        for start in ["10m", "1.5h", "30d", "0", "2020-01-01T00:00:00Z", "2020-01-01T08:00:00.5+08:00"] {
            ask(&mut bob, &format!("history|lobby|since|{start}"), 1, &said, all);
        }
        let (_, epoch) = last.position.split_once('.').expect("a position");
        ask(&mut bob, &format!("history|lobby|since|0.{epoch}"), 1, &said, all);
        for start in [&format!("1.{epoch}"), "1"] {
            ask(&mut bob, &format!("history|lobby|since|{start}"), 2, &said[1..], "history|ok|lobby|2|3.EPOCH");
        }
        for start in [&last.position, "3", "99", "2099-01-01T00:00:00Z"] {
            ask(&mut bob, &format!("history|lobby|since|{start}"), 0, &[], "history|ok|lobby|0|3.EPOCH");
        }
        // The time that is shown has no more than milliseconds, in which the others may have been said too.
        bob.say(&format!("history|lobby|since|{}", last.time));
        let mut heard = bob.fence();
        assert!(heard.pop().is_some_and(|answer| answer.starts_with("history|ok|lobby|")), "{heard:?}");
        let heard: Vec<_> = heard.iter().filter_map(|line| past(line)).collect();
        assert!(heard.last() == Some(&last) && heard.iter().all(|past| past.time == last.time), "{heard:?}");
    });
}

#[test]
fn after_a_thousand_the_answer_says_that_there_is_more() {
    let server = Server::start(&["--recent", "3000"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let lines: String = (1..=2100).map(|n| format!("in|builds|{n}\n")).collect();
    ann.send(lines.as_bytes());
    ann.expect_among("in|ok|builds|2100.EPOCH");
    let said: Vec<_> = (1..=2100).map(|n| ann.says_in("builds", &n.to_string())).collect();
    ask(&mut bob, "history|builds|since|0", 1, &said[..1000], "history|more|builds|1000|1000.EPOCH");
    ask(&mut bob, "history|builds|since|1000", 1001, &said[1000..2000], "history|more|builds|1000|2000.EPOCH");
    ask(&mut bob, "history|builds|since|2000", 2001, &said[2000..], "history|ok|builds|100|2100.EPOCH");
    ask(&mut bob, "history|builds|1000", 1101, &said[1100..], "history|ok|builds|1000|2100.EPOCH");
}

#[test]
fn what_is_no_room_or_no_start_is_refused() {
    in_both(&[], |server, texts| {
        let [_ann, _bob, mut cid] = two_in_a_room(&server);
        for room in ["nowhere", "", "a b", "buіlds"] {
            for tail in ["", "|5", "|since|1h"] {
                cid.say(&format!("history|{room}{tail}"));
                cid.expect(&format!("history|no-such-room|{}", texts.no_such_room));
            }
        }
        let starts = ["", "x", "-1", "1.5", "soon", "10x", "T", "2026-13-01T00:00:00Z", "1.abcde.f", "1|2"];
        let starts = starts.map(|start| format!("builds|since|{start}"));
        let others = ["|", "|1001", "|x", "|-1", "|since", "|last|3", "|3|4"].map(|tail| format!("builds{tail}"));
        for tail in starts.iter().chain(&others) {
            cid.say(&format!("history|{tail}"));
            cid.expect(&format!("history|malformed|{}", texts.malformed(FORM)));
        }
        let others = ["|", "|5", "|last", "|last|", "|last|x", "|last|1001", "|since", "|until|5"];
        for tail in starts.iter().chain(&others.map(|tail| format!("builds{tail}"))) {
            cid.say(&format!("join|{tail}"));
            cid.expect(&format!("join|malformed|{}", texts.malformed(crate::rooms::FORM)));
        }
        cid.say("join|a b|since|1h");
        cid.expect(&format!("join|room-invalid|{}", texts.room_invalid(texts.name_rules[common::SPACE].1)));
        cid.say("who|builds");
        cid.expect_among("who|ok|builds|2");
    });
}

#[test]
fn one_who_ends_its_input_gets_all_of_the_answer() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.join("builds");
    ann.send("x\n".repeat(999).as_bytes());
    ann.fence();
    let mut visitor = server.dial();
    visitor.send(b"visit\nhistory|builds|1000");
    visitor.half_close();
    visitor.expect(EN.set_visit);
    expect_past(&mut visitor, 1, &EN.joined("builds", &ann.addr, "ann"));
    (2..=1000).for_each(|n| drop(expect_past(&mut visitor, n, &ann.says_in("builds", "x"))));
    visitor.expect("history|ok|builds|1000|1000.EPOCH");
    visitor.eof();
}

#[test]
fn without_recent_events_there_is_no_history_and_there_are_no_positions() {
    in_both(&["--recent", "0"], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        ann.say("join|builds\nhello\nin|builds|again");
        ann.expect("join|ok|builds|2|-|");
        let said = ["hello", "again"].map(|text| ann.says_in("builds", text));
        said.iter().for_each(|line| ann.expect(line));
        ann.expect("in|ok|builds|-");
        said.iter().for_each(|line| bob.expect(line));
        for line in ["history|builds", "history|builds|since|1h", "history|builds|since|0"] {
            ask(&mut cid, line, 0, &[], "history|ok|builds|0|-");
        }
        cid.say("history|builds|since|1.zzzzz");
        cid.expect(&format!("history|history-gone|builds|-|{}", texts.history_gone));
        cid.say("join|builds|last|9");
        cid.expect("history|ok|builds|0|-");
        cid.expect(&texts.joined("builds", &cid.addr, "cid"));
        cid.expect("join|ok|builds|3|-|");
    });
}

#[test]
fn epochs_are_masked_and_nothing_else_is() {
    for (line, masked) in [
        ("join|ok|builds|1|3.abcde|green", "join|ok|builds|1|3.EPOCH|green"),
        ("in|ok|builds|12.abcde", "in|ok|builds|12.EPOCH"),
        (r#"{"pos":"7.abcde","replay":null}"#, r#"{"pos":"7.EPOCH","replay":null}"#),
        ("history|1.abcde|2026-11-25T09:30:00.000Z|x", "history|1.EPOCH|2026-11-25T09:30:00.000Z|x"),
    ] {
        assert_eq!(mask_epochs(line), masked);
    }
    for line in ["1.abcdef|", "a1.abcde", "1.abcd", "1.Abcde", ".abcde", "见1.abcde", "x|-|"] {
        assert_eq!(mask_epochs(line), line);
    }
    assert_eq!(positions("history|ok|builds|1|3.abcde"), ["3.abcde"]);
    assert_eq!(positions(r#"{"pos":"7.abcde","replay":null}"#), ["7.abcde"]);
}
