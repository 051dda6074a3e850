//! `pipechat chat` at a terminal: what is said, and what the screen shows.

use std::{env, fs, process::Command};

use common::{Client, Server, binary};
use rustix::process::Signal;

use crate::{DONE, LOST, TIMED_OUT, terminal::Terminal};

/// A server, Ann as a plain client, and Bob at a terminal.
pub(crate) fn ann_and_bob() -> (Server, Client, Terminal) {
    let server = Server::start(&["--rate", "0"]);
    let [mut ann] = server.join_all(["ann"]);
    let bob = bob(&server, &[], &[]);
    ann.fence();
    (server, ann, bob)
}

/// Bob at a terminal, greeted.
pub(crate) fn bob(server: &Server, flags: &[&str], env: &[(&str, &str)]) -> Terminal {
    let mut bob = Terminal::spawn_with(server, &[&["chat", "--name", "bob"], flags].concat(), env);
    bob.expect("/help for commands");
    bob
}

/// The next texts that Bob says, as Ann reads them.
pub(crate) fn said(ann: &mut Client, count: usize) -> Vec<String> {
    let texts = std::iter::repeat_with(|| ann.line());
    texts.filter_map(|line| Some(line.split_once("]bob:")?.1.to_owned())).take(count).collect()
}

#[test]
fn the_greeting_says_where_who_and_how_many() {
    let (server, _ann, mut bob) = ann_and_bob();
    let greeting = format!("HH:MM -- connected to {} as bob, 2 online; /help for commands", server.addr);
    bob.expect_rows(&[&greeting, ">"]);
}

#[test]
fn a_new_name_is_shown_once_and_completed() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.rename("zoe");
    bob.type_in("rename|rob\r");
    bob.expect_rows(&["HH:MM ann is now zoe", "HH:MM -- you are now rob", ">"]);
    bob.type_in("zo\t");
    bob.expect_rows(&["HH:MM -- you are now rob", "> zoe:"]);
}

#[test]
fn every_line_of_a_paste_is_said() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    let bracketed = "\x1b[200~one\n\ttwo\tx\r\nthree\r\x1b[201~";
    bob.type_in(bracketed);
    assert_eq!(said(&mut ann, 3), ["one", "\ttwo\tx", "three"]);
    let many: Vec<_> = (0..500).map(|n| format!("\t{n}\t张三")).collect();
    bob.type_in(&(many.join("\r") + "\r"));
    assert_eq!(said(&mut ann, 500), many);
    // Byte by byte; the last line stays to be edited.
    for byte in "four\tx\rfi".bytes() {
        bob.type_in(std::str::from_utf8(&[byte]).expect("ASCII"));
    }
    assert_eq!(said(&mut ann, 1), ["four\tx"]);
    bob.type_in("ve\r");
    assert_eq!(said(&mut ann, 1), ["five"]);
}

#[test]
fn a_terminal_that_does_not_block_loses_nothing() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.set_nonblocking();
    let many: Vec<_> = (0..300).map(|n| format!("{n} {}", "x".repeat(200))).collect();
    for part in many.chunks(10) {
        bob.type_in(&(part.join("\r") + "\r"));
    }
    assert_eq!(said(&mut ann, 300), many);
    bob.expect(&format!(" {}\r", many[299]));
}

#[test]
fn what_is_typed_ahead_is_said() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut bob = Terminal::spawn(&server, &["chat", "--name", "bob"]);
    bob.type_in("one\rtwo\r/quit\r");
    while !ann.line().ends_with("]bob:one") {}
    assert_eq!(said(&mut ann, 1), ["two"]);
    assert_eq!(bob.exit(), DONE);
}

#[test]
fn ones_own_line_stands_once_above_the_next() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.type_in("hello\r");
    bob.type_in("wor");
    bob.expect_rows(&["HH:MM bob: hello", "> wor"]);
    ann.say("news");
    bob.expect_rows(&["HH:MM bob: hello", "HH:MM ann: news", "> wor"]);
    bob.type_in("ld\r");
    bob.expect_rows(&["HH:MM ann: news", "HH:MM bob: world", ">"]);
}

#[test]
fn ctrl_c_clears_the_line_and_leaves_an_empty_one() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.type_in("half a line\x03");
    bob.expect_rows(&[">"]);
    bob.type_in("whole\r");
    assert_eq!(said(&mut ann, 1), ["whole"]);
    bob.type_in("\x03");
    assert_eq!(bob.exit(), DONE);
    assert!(bob.is_cooked(), "the terminal is as it was");
    bob.expect("goodbye");
    bob.expect("\x1b[?2004l");
}

#[test]
fn a_slash_is_a_command_and_never_said_by_mistake() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.type_in("\x1b[200~/no\x1b[2Jsuch secret\r\x1b[201~");
    let unknown = r"HH:MM -- unknown command /no\u{1b}[2Jsuch, nothing was sent; /help, or // to say a slash";
    bob.expect_rows(&[&unknown[..80], &unknown[80..], ">"]);
    bob.type_in("/help\r/who\r");
    bob.expect_rows(&["HH:MM -- help: the server's commands", "HH:MM -- 2 online: ann, bob", ">"]);
    bob.type_in("/msg ann psst\r");
    ann.expect("from:[bob] says:psst");
    bob.expect_rows(&["HH:MM you -> ann: psst", ">"]);
    bob.type_in("to|nobody|psst\r");
    bob.expect_rows(&["HH:MM you -> nobody: psst", "HH:MM -- no such user, please check the name", ">"]);
    bob.type_in("//nosuch\r");
    assert_eq!(said(&mut ann, 1), ["/nosuch"]);
    bob.type_in("/nick rob\r");
    bob.expect_rows(&["HH:MM -- you are now rob", ">"]);
    ann.say("to|rob|psst");
    bob.expect_rows(&["HH:MM ann -> you: psst", ">"]);
    bob.type_in("/quit\r");
    assert_eq!(bob.exit(), DONE);
}

#[test]
fn mentions_stand_out() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    ann.say("hi Bob!");
    bob.expect("mann\x1b[0m: \x1b[1;7mhi Bob!\x1b[0m");
    ann.say("bobby");
    bob.expect("mann\x1b[0m: bobby");
}

#[test]
fn the_local_time_is_shown_and_addresses_if_asked_for() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    const ZONE: &str = "XXX-05:45";
    let mut bob = bob(&server, &["--addr"], &[("NO_COLOR", "1"), ("TZ", ZONE)]);
    let before = local_time(ZONE);
    ann.say("hi bob");
    let shown = bob.expect_line_end(&format!(" * [{}]ann: hi bob", ann.addr));
    assert!([before, local_time(ZONE)].contains(&shown), "{shown}");
}

/// The hour and minute in this time zone, which is nobody's.
fn local_time(zone: &str) -> String {
    let output = Command::new("date").arg("+%H:%M").env("TZ", zone).output().expect("date");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn tab_completes_names_and_commands() {
    let server = Server::start(&[]);
    let [mut ann, _annabel] = server.join_all(["ann", "annabel"]);
    let mut bob = bob(&server, &[], &[]);
    bob.type_in("an\t");
    bob.expect_rows(&["> ann"]);
    bob.type_in("\t");
    bob.expect_rows(&["HH:MM -- ann  annabel", "> ann"]);
    bob.type_in("a\t");
    bob.expect_rows(&["> annabel:"]);
    bob.type_in("\x15/m\t");
    bob.expect_rows(&["> /msg"]);
    bob.type_in("annab\t");
    bob.expect_rows(&["> /msg annabel"]);
    bob.type_in("\x15x\t");
    bob.type_in("y\r");
    assert_eq!(said(&mut ann, 1), ["x\ty"], "a Tab that completes nothing stays");
}

#[test]
fn history_lasts_over_sessions() {
    let folder = env::temp_dir().join(format!("pipechat-history-of-bob-{}", std::process::id()));
    let state = folder.to_str().expect("UTF-8");
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for (flags, keys, text) in [
        (&[][..], "make test\rmake lint\r\x1b[A\x1b[A\r", "make test"),
        (&[], "\x1b[A\x1b[A\r", "make lint"),
        (&[], "\x12test\r", "make test"),
        (&["--no-history"], "new\r\x1b[A\x1b[A\r", "new"),
        (&[], "\x1b[A\r", "make test"),
    ] {
        let mut bob = bob(&server, flags, &[("XDG_STATE_HOME", state)]);
        bob.type_in(keys);
        bob.type_in("\x04");
        assert_eq!(bob.exit(), DONE);
        let lines = ann.fence();
        let last = lines.iter().rfind(|line| !line.contains("is o")).expect("Bob says something");
        assert!(last.ends_with(&format!("]bob:{text}")), "{keys:?} {lines:?}");
    }
    fs::remove_dir_all(folder).expect("it was made");
}

#[test]
fn a_lost_connection_is_made_anew() {
    let (server, ann, mut bob) = ann_and_bob();
    let port = server.addr.port().to_string();
    bob.type_in("/nick rob\r");
    bob.expect_rows(&["HH:MM -- you are now rob", ">"]);
    bob.type_in("half a li");
    bob.expect_rows(&["> half a li"]);
    drop(server); // kills it
    bob.expect_rows(&["HH:MM -- connection lost; connecting again in 1 s", "> half a li"]);
    drop(ann);
    let server = Server::start_with(binary(), &["--port", &port, "--lang", "en"]);
    bob.expect(&format!("connected to {} as rob, 1 online", server.addr));
    let mut ann = server.connect();
    bob.type_in("ne\r");
    while !ann.line().ends_with("]rob:half a line") {}
    bob.type_in("\x04");
    assert_eq!(bob.exit(), DONE);
}

#[test]
fn a_wait_that_times_out_does_not_end_the_client() {
    let (_server, mut ann, mut bob) = ann_and_bob();
    bob.type_in("wait|0.05|user|nobody\r");
    bob.expect("wait timed out");
    bob.expect("/help for commands");
    bob.type_in("still here\r");
    while !ann.line().ends_with("]bob:still here") {}
}

#[test]
fn scripts_ask_for_no_reconnection() {
    let server = Server::start(&[]);
    let mut bob = bob(&server, &["--no-reconnect"], &[]);
    bob.type_in("wait|0.05|user|nobody\r");
    assert_eq!(bob.exit(), TIMED_OUT);
    let mut bob = self::bob(&server, &["--no-reconnect"], &[]);
    bob.type_in("half a li");
    bob.expect_rows(&["> half a li"]);
    drop(server); // kills it
    assert_eq!(bob.exit(), LOST);
    assert!(bob.is_cooked(), "the terminal is as it was");
}

#[test]
fn a_signal_restores_the_terminal() {
    let server = Server::start(&[]);
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut bob = bob(&server, &[], &[]);
        assert!(!bob.is_cooked());
        bob.signal(signal);
        bob.expect("\x1b[?2004l\r");
        assert_eq!(bob.exit(), 128 + signal.as_raw());
        assert!(bob.is_cooked(), "{signal:?}");
        server.expect_log(1, "departed");
    }
}
