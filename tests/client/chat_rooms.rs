//! Rooms: `pipechat chat`.

use common::{EN, Server, binary};
use rustix::process::Signal;

use crate::{
    DONE,
    chat_terminal::bob,
    process::Cli,
    rooms::{ann_and_zoe, until_members},
};

#[test]
fn chat_in_a_pipe_shows_rooms_as_nc_does() {
    let server = Server::start(&[]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    let mut cli = Cli::spawn(&server, &["chat", "--name", "bob", "--room", "builds"]);
    cli.type_in("green\nrooms\nwho|builds\njoin|..\nleave|nowhere\ncheck|end\n");
    cli.close_stdin();
    let (code, lines, stderr) = cli.exit();
    assert_eq!((code, &*stderr), (DONE, ""), "{lines:?}");
    while !ann.line().ends_with("]bob:green") {}
    let expected = [
        "]bob:green",
        "rooms|2|builds|",
        "rooms|3|lobby|",
        "rooms|ok|2",
        "[ann] is online",
        "[bob] is online",
        "who|ok|builds|2",
        &format!("join|room-invalid|{}", EN.room_invalid(EN.room_rules[1].1)),
        &format!("leave|no-such-room|{}", EN.no_such_room),
        "check|room-invalid|end",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    assert!(lines.iter().zip(expected).all(|(line, end)| line.ends_with(end)), "{lines:?}");
    assert!(lines[0].starts_with("#builds ["), "{lines:?}");
}

#[test]
fn the_prompt_of_chat_shows_the_room() {
    let server = Server::start(&[]);
    let [mut ann, mut zoe] = ann_and_zoe(&server);
    let mut bob = bob(&server, &[], &[("NO_COLOR", "1")]);
    ann.fence();
    bob.type_in("/join #builds\r");
    bob.expect_rows(&["HH:MM -- you are in #builds, 2 there", "#builds>"]);
    assert!(ann.line().ends_with("bob has joined"));
    bob.type_in("green\r");
    assert!(ann.line().starts_with("#builds ["));
    bob.expect_rows(&["HH:MM #builds bob: green", "#builds>"]);
    zoe.say("in|builds|hi bob\nhi");
    bob.expect_rows(&["HH:MM #builds * zoe: hi bob", "HH:MM zoe: hi", "#builds>"]);
    bob.type_in("/topic\r/topic nightly builds\r");
    bob.expect_rows(&["HH:MM -- #builds has no topic", "HH:MM -- #builds topic: nightly builds", "#builds>"]);
    bob.type_in("/rooms\r");
    bob.expect_rows(&["HH:MM -- #builds (2): nightly builds", "HH:MM -- lobby (3)", "#builds>"]);
    ann.say("topic|builds|weekly\nleave|builds");
    bob.expect_rows(&["HH:MM #builds ann topic: weekly", "HH:MM #builds ann has left", "#builds>"]);
    bob.type_in("/leave\r");
    bob.expect_rows(&["HH:MM -- you have left #builds", ">"]);
    bob.type_in("in|builds|bye\r/leave builds\r");
    bob.expect_rows(&["HH:MM -- said in #builds", "HH:MM -- not in this room", ">"]);
    bob.type_in("/leave\r");
    bob.expect_rows(&["HH:MM -- usage: /leave ROOM", ">"]);
    bob.type_in("/jo\t");
    bob.expect_rows(&["> /join"]);
    bob.type_in("bu\t");
    bob.expect_rows(&["> /join builds"]);
    bob.type_in("\r/quit\r");
    assert_eq!(bob.exit(), DONE);
}

#[test]
fn chat_joins_its_rooms_again_when_it_reconnects() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let [mut ann, _zoe] = ann_and_zoe(&server);
    let mut bob = bob(&server, &["--room", "builds"], &[("NO_COLOR", "1")]);
    bob.expect_rows(&["#builds>"]);
    bob.type_in("/join deploys\r");
    bob.expect_rows(&["#deploys>"]);
    ann.fence();
    drop(server); // kills it
    bob.expect_rows(&["HH:MM -- connection lost; connecting again in 1 s", "#deploys>"]);
    bob.type_in("typed meanwhile\r");
    let server = Server::start_with(binary(), &["--port", &port, "--lang", "en"]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    until_members(&mut ann, "deploys", 1);
    bob.expect("#deploys bob: typed meanwhile\r");
    until_members(&mut ann, "builds", 2);
    assert!(!ann.fence().iter().any(|line| line.contains("typed meanwhile")), "it is said in the room alone");
}

#[test]
fn chat_says_nothing_elsewhere_when_its_room_is_refused() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let mut bob = bob(&server, &["--room", "buіlds"], &[("NO_COLOR", "1")]); // that i is Cyrillic
    drop(server); // kills it
    bob.expect_rows(&["HH:MM -- connection lost; connecting again in 1 s", "#buіlds>"]);
    bob.signal(Signal::STOP); // until the name is one that looks like another
    let server = Server::start_with(binary(), &["--port", &port, "--lang", "en"]);
    let [mut ann, _zoe] = ann_and_zoe(&server);
    bob.type_in("secret\r");
    bob.signal(Signal::CONT);
    bob.expect("lines that waited are not sent");
    bob.expect("can't join buіlds: looks like room builds");
    bob.expect("/help for commands");
    bob.type_in("hi\r");
    let mut heard = vec![ann.line()];
    while !heard[heard.len() - 1].ends_with("]bob:hi") {
        heard.push(ann.line());
    }
    assert!(!heard.iter().any(|line| line.contains("secret")), "{heard:?}");
}
