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
