//! Rooms: `send`, `listen` and `wait`.

use std::time::Instant;

use common::{Client, DEADLINE, EN, Server, binary};
use rustix::process::Signal;

use crate::{DONE, REFUSED, TIMED_OUT, cli, process::Cli};

/// Ann in the room `builds`, and Zoe in the lobby alone.
pub(crate) fn ann_and_zoe(server: &Server) -> [Client; 2] {
    let [mut ann, mut zoe] = server.join_all(["ann", "zoe"]);
    ann.join("builds");
    zoe.fence();
    [ann, zoe]
}

#[test]
fn send_says_each_line_in_the_room() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    for (args, said) in [
        (&["send", "--room", "builds", "--name", "ci", "build", "42"][..], &["build 42"][..]),
        (&["send", "--room", "#Builds", "--name", "ci", "quit\nin|builds|x"], &["quit", "in|builds|x"]),
    ] {
        assert_eq!(cli(&server, args), (DONE, String::new(), String::new()));
        let heard = ann.fence();
        let texts: Vec<_> = heard.iter().map(|line| line.split_once("]ci:").expect("from ci")).collect();
        assert_eq!(texts.iter().map(|(_, text)| *text).collect::<Vec<_>>(), said);
        assert!(texts.iter().all(|(before, _)| before.starts_with("#builds [")), "{heard:?}");
        ann.rename("ci"); // it is free again
        ann.rename("ann");
    }
    assert!(zoe.fence().iter().all(|line| line.contains(" is now [")), "the lobby hears nothing of it");
    let mut cli = Cli::spawn(&server, &["send", "--room", "builds", "-"]);
    cli.type_in("one\n");
    while !ann.line().ends_with(":one") {}
    cli.close_stdin();
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
}

#[test]
fn send_tells_which_line_the_room_has_refused() {
    let server = Server::start(&[]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    let mut cli = Cli::spawn(&server, &["send", "--room", "builds", "-"]);
    cli.type_in("one\n\ntwo\r\n\r\nthree");
    cli.close_stdin();
    let refused = [2, 4].map(|line| format!("pipechat: line {line}: {}\n", EN.empty_text));
    assert_eq!(cli.exit(), (REFUSED, vec![], refused.concat()));
    let heard = ann.fence();
    assert!(["one", "two", "three"].iter().zip(&heard).all(|(text, line)| line.ends_with(text)), "{heard:?}");
    let looks_like = "buіlds"; // that i is Cyrillic
    let (code, _, stderr) = crate::cli(&server, &["send", "--room", looks_like, "hi"]);
    assert_eq!((code, stderr), (REFUSED, format!("pipechat: {}\n", EN.room_confusable("builds"))));
}

#[test]
fn send_to_a_room_reconnects() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let [mut ann, _zoe] = ann_and_zoe(&server);
    let mut cli = Cli::spawn(&server, &["send", "--reconnect", "--room", "builds", "--name", "log", "-"]);
    cli.type_in("one\n");
    while !ann.line().ends_with("]log:one") {}
    server.signal(Signal::STOP); // what is sent from now on is not read
    cli.type_in("two\n");
    drop(server); // kills it
    cli.signal(Signal::STOP); // until somebody is there to hear it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    cli.signal(Signal::CONT);
    while !ann.line().ends_with("]log:two") {}
    cli.close_stdin();
    assert_eq!(cli.exit().0, DONE);
}

/// Waits until so many are in a room.
#[track_caller]
pub(crate) fn until_members(client: &mut Client, room: &str, members: usize) {
    client.say(&format!("wait|20|members|{room}|{members}"));
    client.expect_among(&format!("wait|ok|{members}"));
}

#[test]
fn listen_joins_rooms_and_leaves_the_lobby() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    let rooms = ["listen", "--name", "ear", "--room", "builds", "--room", "#deploys", "--count", "7"];
    let mut listener = Cli::spawn(&server, &rooms);
    until_members(&mut ann, "deploys", 1);
    zoe.fence(); // it has left the lobby by then, or does so before it is told any more
    ann.say("to|ear|psst\ngreen");
    ann.expect_among(&ann.says_in("builds", "green"));
    zoe.say("not for rooms\njoin|deploys\ntopic|deploys|nightly\nto deploy\nleave|deploys");
    zoe.expect_among("leave|ok|deploys");
    let offline = EN.offline_in("builds", &ann.addr, "ann");
    ann.say("quit");
    let expected = [
        EN.private("ann", "psst"),
        ann.says_in("builds", "green"),
        EN.joined("deploys", &zoe.addr, "zoe"),
        EN.topic("deploys", &zoe.addr, "zoe", "nightly"),
        zoe.says_in("deploys", "to deploy"),
        EN.left("deploys", &zoe.addr, "zoe"),
        offline,
    ];
    assert_eq!(listener.exit(), (DONE, expected.to_vec(), String::new()));
}

#[test]
fn a_room_that_is_given_twice_is_joined_once() {
    let server = Server::start(&["--recent", "2"]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    for number in 1..=3 {
        ann.say(&format!("in|builds|{number}"));
    }
    ann.fence();
    let rooms = ["--room", "builds", "--room", "#Builds", "--room", "builds"];
    let (code, out, stderr) = cli(&server, &[&["listen", "--since", "0", "--count", "2"], &rooms[..]].concat());
    assert_eq!((code, out), (DONE, ["2\n", "3\n"].map(|text| ann.says_in("builds", text)).concat()));
    assert_eq!(stderr.matches("is not kept any more").count(), 1, "told once: {stderr}");
    let mut listener = Cli::spawn(&server, &[&["listen", "--name", "ear", "--count", "1"], &rooms[..]].concat());
    until_members(&mut ann, "builds", 2);
    ann.say("in|builds|4");
    assert_eq!(listener.exit(), (DONE, vec![ann.says_in("builds", "4")], String::new()));
}

#[test]
fn listen_stays_in_the_lobby_if_told_to() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    let args =
        ["listen", "--name", "ear", "--room", "builds", "--room", "#Lobby", "--event", "message", "--count", "2"];
    let mut listener = Cli::spawn(&server, &args);
    until_members(&mut ann, "builds", 2);
    ann.say("green\nin|lobby|hi");
    assert_eq!(listener.exit(), (DONE, vec![ann.says_in("builds", "green"), ann.says("hi")], String::new()));
    zoe.fence();
}

#[test]
fn listen_filters_what_happens_in_rooms() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    let listen = |members: usize, flags: &[&str], ann: &mut Client| {
        let listener = Cli::spawn(&server, &[&["listen", "--room", "builds"], flags].concat());
        until_members(ann, "builds", members);
        listener
    };
    let mut kinds = listen(2, &["--event", "joined,left,topic", "--from", "zoe", "--count", "3"], &mut ann);
    let mut no_presence = listen(3, &["--no-presence", "--count", "2"], &mut ann);
    let mut json = listen(4, &["--json", "--from", "zoe", "--event", "joined", "--count", "1"], &mut ann);
    zoe.say("join|builds\ntopic|builds|nightly\nhi\nleave|builds");
    zoe.expect_among("leave|ok|builds");
    let joined = EN.joined("builds", &zoe.addr, "zoe");
    let topic = EN.topic("builds", &zoe.addr, "zoe", "nightly");
    let left = EN.left("builds", &zoe.addr, "zoe");
    assert_eq!(kinds.exit(), (DONE, vec![joined, topic.clone(), left], String::new()));
    assert_eq!(no_presence.exit(), (DONE, vec![topic, zoe.says_in("builds", "hi")], String::new()));
    let (code, lines, _) = json.exit();
    let parts = [r#""event":"joined""#, r#""name":"zoe""#, r#""room":"builds""#];
    assert!(code == DONE && parts.iter().all(|part| lines[0].contains(part)), "{lines:?}");
}

#[test]
fn a_room_that_is_refused_exits_1() {
    let server = Server::start(&["--max-rooms-per-client", "1"]);
    let [_ann, mut zoe] = ann_and_zoe(&server);
    let looks_like = "buіlds"; // that i is Cyrillic
    for (args, room, sentence) in [
        (&["listen", "--room", looks_like][..], looks_like, EN.room_confusable("builds")),
        (&["listen", "--room", "builds", "--room", "#deploys"], "#deploys", EN.too_many_rooms(1)),
        (&["listen", "--reconnect", "--room", looks_like], looks_like, EN.room_confusable("builds")),
        (&["chat", "--room", looks_like], looks_like, EN.room_confusable("builds")),
    ] {
        let expected = (REFUSED, String::new(), format!("pipechat: can't join {room}: {sentence}\n"));
        assert_eq!(cli(&server, args), expected, "{args:?}");
    }
    zoe.fence();
}

#[test]
fn listen_joins_again_when_it_reconnects() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let mut listener =
        Cli::spawn(&server, &["listen", "--reconnect", "--room", "builds", "--event", "message", "--count", "2"]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    until_members(&mut ann, "builds", 2);
    ann.say("one");
    assert_eq!(listener.line(), ann.says_in("builds", "one"));
    drop(server); // kills it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    until_members(&mut ann, "builds", 2);
    ann.say("in|lobby|not this\ntwo");
    let (code, lines, stderr) = listener.exit();
    assert_eq!((code, lines), (DONE, vec![ann.says_in("builds", "two")]), "{stderr}");
}

#[test]
fn wait_for_members_and_for_texts_of_a_room() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    let done = (DONE, String::new(), String::new());
    assert_eq!(cli(&server, &["wait", "members", "#Builds", "1"]), done);
    let mut members = Cli::spawn(&server, &["wait", "members", "builds", "2"]);
    until_members(&mut ann, "lobby", 3);
    zoe.join("builds");
    assert_eq!(members.exit(), (DONE, vec![], String::new()));
    let mut text = Cli::spawn(&server, &["wait", "in", "builds", "is | green"]);
    // No line announces that a client waits for a text, so it is sent until the subcommand exits.
    let start = Instant::now();
    while text.is_running() {
        ann.say("42 is | green");
        ann.fence();
        assert!(start.elapsed() < DEADLINE, "received in time");
    }
    assert_eq!(text.exit(), (DONE, vec![], String::new()));
    for args in [["members", "builds", "9"], ["members", "nowhere", "1"], ["in", "builds", "x"]] {
        let (code, _, stderr) = cli(&server, &[&["wait", "--timeout", "0.3"], &args[..]].concat());
        assert_eq!((code, &*stderr), (TIMED_OUT, "pipechat: timed out\n"), "{args:?}");
    }
}
