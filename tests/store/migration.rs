//! Stores that older versions have written; `tests/fixtures/README.md` tells how they were made.

use std::fs;

use crate::{StoreFile, ask, quit, shut_down, texts};

#[test]
fn a_store_of_version_1_goes_on() {
    let file = StoreFile::new();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/store-v1.db"), file.path()).expect("the fixture");
    let before = file.rows();
    let epoch = file.epoch();
    let last = before.last().expect("some rows").n;
    let server = file.serve(&["--history-days", "0", "--history-presence"]);
    let mut zoe = server.join("zoe");
    zoe.say("rooms");
    let (listed, _) = ask(&mut zoe, "rooms", "rooms|ok|3");
    let expected = ["rooms|0|builds|nightly | weekly", "rooms|1|lobby|", "rooms|0|日本|"];
    assert_eq!(listed[listed.len() - 3..], expected);
    let (told, _) = ask(&mut zoe, "history|builds", "history|ok|builds|6|");
    assert_eq!(
        texts(&told),
        [
            "ann has joined",
            "ann:build 1 is green",
            "ann topic: nightly | weekly",
            "ann is now [bob]",
            "bob:a | b",
            "bob has left"
        ]
    );
    let (told, _) = ask(&mut zoe, "history|日本", "history|ok|日本|3|");
    assert_eq!(texts(&told), ["bob has joined", "bob:你好 👋", "bob is offline"]);
    let (told, _) = ask(&mut zoe, "history|lobby", "history|ok|lobby|");
    assert_eq!(texts(&told)[2], "ann:hello, all");
    // A position of then is one of now.
    let position = &before[before.len() - 3];
    let behind = before[before.len() - 2..].iter().filter(|row| row.room == "日本").count();
    let question = format!("history|日本|since|{}.{epoch}", position.n);
    ask(&mut zoe, &question, &format!("history|ok|日本|{behind}|"));
    zoe.say("in|builds|behind\nsync|1");
    zoe.expect_among("sync|1");
    quit(zoe);
    shut_down(server);
    let kept = file.rows();
    assert_eq!(kept[..before.len()], before[..], "nothing is changed");
    let size = "(select sum(octet_length(text)) from messages where room = rooms.id)";
    let wrong: i64 = file.value(&format!("select count(*) from rooms where bytes <> {size}"));
    assert_eq!(wrong, 0, "what was there is measured");
    assert!(kept[before.len()..].iter().map(|row| row.n).eq(last + 1..=last + kept.len() as u64 - before.len() as u64));
    assert_eq!((kept.last().expect("more").text.as_deref(), file.epoch()), (Some("is offline (quit)"), epoch));
}

#[test]
fn a_store_of_version_2_goes_on() {
    const OPS: &str = "pc_dh867hmxc5ytdzsw9hgqsc76fh";
    const BOBS: &str = "pc_g0d7gba2gpht2bj456bsc4088c";
    let file = StoreFile::new();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/store-v2.db"), file.path()).expect("the fixture");
    // Private messages are kept for a month.
    file.edit("update messages set at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where kind = 'private'");
    let (before, epoch) = (file.rows(), file.epoch());
    let server = file.serve(&["--history-days", "0", "--history-presence"]);

    // The password and the tokens are as they were, and the room is its owner's and locked.
    let mut ann = server.connect();
    ask(&mut ann, "login|ann|correct horse", "login|ok|ann|0");
    let (tokens, _) = ask(&mut ann, "tokens", "tokens|ok|1");
    assert!(tokens.len() == 1 && tokens[0].ends_with("|-|-|laptop"), "{tokens:?}");
    let mut zoe = server.join("zoe");
    zoe.say("join|builds");
    zoe.expect("join|room-locked|this room is locked");
    let (told, _) = ask(&mut ann, "history|builds", "history|ok|builds|3|");
    assert_eq!(texts(&told), ["ann has joined", "ann:build 1 is green", "ann has left"]);

    // So is what the operator has decided, and what was kept for one who is away.
    let mut op = server.connect();
    ask(&mut op, &format!("login|{OPS}"), "login|ok|op|0");
    let (bans, _) = ask(&mut op, "bans", "bans|ok|2");
    let bans: Vec<_> = bans.iter().filter(|line| line.starts_with("bans|")).collect();
    assert_eq!(bans, ["bans|-|ban|eve|op|flood", "bans|-|ban|203.0.113.0/24|op|spam"]);
    let mut bob = server.connect();
    let (told, _) = ask(&mut bob, &format!("login|{BOBS}"), "login|ok|bob|2");
    assert_eq!(texts(&told), [" says:read this", " says:and this"]);
    ask(&mut bob, "join|builds", "join|ok|builds|1|");

    for client in [zoe, ann, op, bob] {
        quit(client);
    }
    shut_down(server);
    let kept = file.rows();
    assert_eq!(kept[..before.len()], before[..], "nothing is changed");
    assert_eq!(file.epoch(), epoch);
    assert_eq!(file.value::<i64>("select count(*) from bans"), 3, "the mute in the room, too");
}
