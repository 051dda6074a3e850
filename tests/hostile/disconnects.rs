//! Port probes, resets, and clients that are killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
};

use common::{Client, DEADLINE, EN, Server, binary, until};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::MB;

#[test]
fn a_thousand_port_probes_leave_nothing_behind() {
    let server = Server::start_alone(&[]);
    let mut ann = server.join("ann");
    let (files, mut before) = (server.open_files(), 0);
    for round in 0..10 {
        let mut probes = BTreeMap::new();
        for number in 0..100 {
            let probe = server.dial();
            *probes.entry(probe.says("")).or_insert(0) += 1;
            if number % 2 == 0 {
                probe.reset();
            }
        }
        let mut last = server.connect(); // all that came before have been accepted
        last.half_close();
        last.rest();
        let announced_for_sure = last.says("");
        *probes.entry(announced_for_sure.clone()).or_insert(0) += 1;
        drop(last);
        until("the probes' files are closed", || server.open_files() == files);
        let announced = pairs(&ann.fence());
        for (prefix, times) in &announced {
            assert!(probes.get(prefix).is_some_and(|came| times <= came), "{prefix} {times} times of {probes:?}");
        }
        assert!(announced.contains_key(&announced_for_sure), "{announced:?}");
        if round == 0 {
            before = server.rss();
        }
    }
    ann.nothing();
    let grown = server.rss().saturating_sub(before);
    assert!(grown < 2 * MB, "{grown} bytes more");
    server.signal(Signal::TERM);
    ann.expect_among(EN.shutting_down);
    drop(ann);
    let (_, _, log) = server.exit(DEADLINE);
    assert!(log.len() < 30, "probes are not worth a line: {log:#?}");
}

/// How often each has come and gone, by the beginning of its lines: first the one, then the other, and nothing else.
fn pairs(notices: &[String]) -> BTreeMap<String, usize> {
    let (mut pairs, mut here) = (BTreeMap::new(), BTreeSet::new());
    for line in notices {
        if let Some(prefix) = line.strip_suffix(EN.online) {
            assert!(here.insert(prefix), "{line}: it was announced before");
        } else {
            let prefix = line.strip_suffix(EN.offline).unwrap_or_else(|| panic!("{line}: a probe says nothing"));
            assert!(here.remove(prefix), "{line}: it was not announced");
            *pairs.entry(prefix.to_owned()).or_insert(0) += 1;
        }
    }
    assert!(here.is_empty(), "they have left: {here:?}");
    pairs
}

#[test]
fn who_is_gone_before_the_server_looks_leaves_no_more_than_a_pair_and_a_speaker_is_heard() {
    const PROBES: usize = 40;
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let files = server.open_files();
    // Everything has happened before the server sees any of it.
    server.signal(Signal::STOP);
    for number in 0..PROBES {
        let probe = server.dial();
        if number % 2 == 0 {
            probe.reset();
        }
    }
    let mut speaker = server.dial();
    speaker.say("hi");
    let lines = [speaker.online(), speaker.says("hi"), speaker.offline()];
    drop(speaker);
    server.signal(Signal::CONT);
    let [online, hi, offline] = &lines;
    let mut heard = ann.expect_among(online);
    heard.extend(ann.expect_among(hi));
    heard.extend(ann.expect_among(offline));
    until("the probes' files are closed", || server.open_files() == files);
    heard.extend(ann.fence());
    let announced = pairs(&heard).len();
    assert!(announced < PROBES / 2, "{announced} of {PROBES} were announced");
}

#[test]
fn a_port_probe_is_logged_at_debug_level() {
    let mut command = binary();
    command.env("RUST_LOG", "pipechat=debug");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    let mut ann = server.join("ann");
    let probe = server.dial();
    let addr = probe.addr.clone();
    drop(probe);
    let log = server.expect_log(1, &addr);
    assert!(log[0].contains("DEBUG"), "{log:#?}");
    ann.nothing();
}

#[test]
fn a_reset_in_the_middle_of_a_line_is_announced_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    for _ in 0..20 {
        let mut bob = server.connect();
        ann.expect(&bob.online());
        bob.send(b"half a li");
        let offline = bob.offline();
        bob.reset();
        ann.expect(&offline);
    }
    ann.nothing();
    ann.say("who");
    ann.expect("[ann] is online");
    ann.nothing();
}

#[test]
fn lines_sent_before_a_reset_are_delivered() {
    const LINES: usize = 2_000; // several batches, and more than one read takes
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    for _ in 0..5 {
        let mut bob = server.connect();
        ann.expect(&bob.online());
        bob.stream.set_nodelay(true).expect("TCP"); // on loopback, everything has then arrived when `send` returns
        bob.send((0..LINES).map(|n| format!("{n}\n")).collect::<String>().as_bytes());
        let (says, offline) = (bob.says(""), bob.offline());
        bob.reset();
        for n in 0..LINES {
            ann.expect(&format!("{says}{n}"));
        }
        ann.expect(&offline);
    }
    ann.nothing();
}

#[test]
fn a_reset_during_a_wait_is_announced_at_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let mut bob = server.connect();
    ann.expect(&bob.online());
    bob.say("here");
    ann.expect(&bob.says("here"));
    bob.send(b"wait|60|user|nobody\nsync|later\n");
    ann.nothing();
    let offline = bob.offline();
    bob.reset();
    ann.expect(&offline);
    // The same after a half-close, and while the server has stopped reading from the client.
    let much = "later\n".repeat(20_000);
    for (last, is_last) in [("wait|60|user|nobody\n", true), (&format!("wait|60|user|nobody\n{much}"), false)] {
        let mut carl = server.connect();
        ann.expect(&carl.online());
        carl.send(last.as_bytes());
        if is_last {
            carl.half_close();
        }
        ann.nothing();
        let offline = carl.offline();
        carl.reset();
        ann.expect(&offline);
    }
    ann.nothing();
}

#[test]
fn the_departure_of_a_killed_client_is_announced_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let script =
        format!("exec 3<>/dev/tcp/127.0.0.1/{}; echo hi >&3; printf half >&3; exec cat <&3", server.addr.port());
    let mut bob = Command::new("bash").args(["-c", &script]).stdout(Stdio::null()).spawn().expect("bash");
    let arrival = ann.line();
    let prefix = arrival.strip_suffix("is online").expect("an arrival");
    ann.expect(&format!("{prefix}hi"));
    bob.kill().expect("ours");
    bob.wait().expect("ours");
    // The kernel of a killed process may still send a FIN: then the incomplete line counts as its last.
    let mut gone = ann.line();
    if gone == format!("{prefix}half") {
        gone = ann.line();
    }
    assert_eq!(gone, format!("{prefix}is offline"));
    ann.nothing();
}

#[test]
fn a_crowd_that_leaves_at_once_takes_no_memory() {
    const CLIENTS: usize = 2000;
    let files = getrlimit(Resource::Nofile);
    let all = Rlimit { current: files.maximum, ..files };
    setrlimit(Resource::Nofile, all).expect("up to the maximum");
    let server = Server::start_alone(&[]);
    let mut ann = server.join("ann");
    let mut crowd: Vec<_> = (0..CLIENTS).map(|_| server.dial()).collect();
    crowd.iter_mut().for_each(|client| drop(client.fence()));
    ann.fence();
    let before = server.peak_rss();
    let mut offline: Vec<_> = crowd.iter().map(Client::offline).collect();
    drop(crowd);
    let mut heard: Vec<_> = (0..CLIENTS).map(|_| ann.line()).collect();
    offline.sort_unstable();
    heard.sort_unstable();
    assert_eq!(heard, offline, "each once");
    ann.nothing();
    let grown = server.peak_rss().saturating_sub(before);
    assert!(grown < 4 * MB, "{grown} bytes more");
}
