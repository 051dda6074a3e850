//! What is removed: above the lines that a room may have, above an age, and with the room.

use common::{Client, EN, Server, until};

use crate::{StoreFile, ask, quit, shut_down, texts};

/// Has a client say so many numbered lines in a room.
#[track_caller]
fn say(client: &mut Client, room: &str, lines: std::ops::Range<usize>) {
    for line in lines {
        client.say(&format!("in|{room}|{line}"));
    }
    client.fence();
}

/// Waits until there are so many rows of a room in the file.
#[track_caller]
fn until_rows(file: &StoreFile, room: &str, rows: usize) {
    until(&format!("{rows} rows of {room}"), || file.rows_of(room).len() == rows);
}

/// Asks what is behind a position that is gone, and then, as one is told to, behind the oldest there is. Returns that.
#[track_caller]
fn ask_again(client: &mut Client, room: &str, position: &str, sees: usize) -> String {
    for verb in ["history", "join"] {
        let gone = format!("{verb}|history-gone|{room}|");
        let (told, answer) = ask(client, &format!("{verb}|{room}|since|{position}"), &gone);
        assert!(!told.iter().any(|line| line.contains("|ok|")), "{told:?}");
        let (oldest, sentence) = answer[gone.len()..].split_once('|').expect("a position and a sentence");
        assert_eq!(sentence, EN.history_gone);
        let (told, _) = ask(client, &format!("{verb}|{room}|since|{oldest}"), &format!("history|ok|{room}|{sees}|"));
        assert_eq!(texts(&told).len(), sees, "{told:?}");
        if verb == "join" {
            let (_, answer) = ask(client, "sync|joined", "sync|joined");
            assert_eq!(answer, "sync|joined");
            return oldest.to_owned();
        }
    }
    unreachable!("there are two verbs")
}

#[test]
fn above_the_lines_of_a_room_the_oldest_are_gone_and_that_is_told() {
    for recent in ["1000", "10", "0"] {
        let file = StoreFile::new();
        let server = file.serve(&["--history-lines", "50", "--recent", recent]);
        let mut ann = server.join("ann");
        say(&mut ann, "builds", 0..120);
        say(&mut ann, "other", 0..20);
        until_rows(&file, "builds", 50);
        assert_eq!(file.rows_of("other").len(), 20, "each room has its own");
        quit(ann);
        shut_down(server);
        let server = file.serve(&["--history-lines", "50", "--recent", recent]);
        let mut bob = server.join("bob");
        let oldest = ask_again(&mut bob, "builds", "0", 50);
        assert_eq!(oldest, format!("70.{}", file.epoch()));
        let (told, _) = ask(&mut bob, "history|builds|3", "history|ok|builds|3|");
        let joined = format!("bob{}", EN.joined("", "", "").split_once(']').expect("an address").1);
        assert_eq!(texts(&told), ["ann:118", "ann:119", &joined]);
        let (_, answer) = ask(&mut bob, "history|builds|since|5.zzzzz", "history|history-gone|");
        let (n, epoch) = answer.split('|').nth(3).and_then(|oldest| oldest.split_once('.')).expect("a position");
        assert!(n.parse::<u64>().expect("a number") >= 70 && epoch == file.epoch(), "another epoch: {answer}");
        let (_, answer) = ask(&mut bob, "history|builds|since|2020-01-01T00:00:00Z", "history|");
        assert!(answer.starts_with("history|history-gone|builds|"), "{answer}");
        quit(bob);
        shut_down(server);
    }
}

#[test]
fn lower_limits_hold_for_what_is_in_the_file() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    say(&mut ann, "builds", 0..700);
    quit(ann);
    shut_down(server);
    let server = file.serve(&["--history-lines", "5"]);
    until_rows(&file, "builds", 5);
    let (told, _) = ask(&mut server.join("bob"), "history|builds", "history|ok|builds|5|");
    assert_eq!(texts(&told).first().map(String::as_str), Some("ann:695"));
    let n: i64 = file.value("select gone from rooms where name = 'builds'");
    assert_eq!(n, 695);
    shut_down(server);
    let server = file.serve(&["--history-lines", "0"]);
    let mut ann = server.join("ann");
    say(&mut ann, "builds", 700..800);
    assert_eq!(file.rows_of("builds").len(), 105);
}

#[test]
fn what_is_too_old_is_removed_at_the_start() {
    const OLD: usize = 900; // several steps
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    say(&mut ann, "builds", 0..OLD);
    say(&mut ann, "old", 0..5);
    say(&mut ann, "builds", OLD..OLD + 10);
    quit(ann);
    shut_down(server);
    file.edit(&format!(
        "update messages set at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-8 days') where n <= {}",
        OLD + 5
    ));
    let server = file.serve(&["--history-days", "9"]);
    let (told, _) = ask(&mut server.join("bob"), "history|old", "history|ok|old|5|");
    assert_eq!(texts(&told).len(), 5);
    shut_down(server);
    let server = file.serve(&["--history-days", "7"]);
    let mut bob = server.join("bob"); // it does not wait for that
    until_rows(&file, "builds", 10);
    until_rows(&file, "old", 0);
    let oldest = ask_again(&mut bob, "builds", "0", 10);
    assert_eq!(oldest, format!("{OLD}.{}", file.epoch()));
    let (told, _) = ask(&mut bob, "history|old", "history|ok|old|0|");
    assert_eq!(told, [""; 0]);
    ask(&mut bob, "history|old|since|0", &format!("history|history-gone|old|{}.", OLD + 5));
}

#[test]
fn above_the_size_of_the_store_the_oldest_of_the_largest_room_are_gone() {
    let file = StoreFile::new();
    let server = file.serve(&["--store-max", "1M", "--history-lines", "0"]);
    let mut ann = server.join("ann");
    say(&mut ann, "small", 0..20);
    let filling = "x".repeat(1000);
    for line in 0..2000 {
        ann.say(&format!("in|large|{line} {filling}"));
    }
    ann.fence();
    let used = "select (page_count - freelist_count) * page_size from pragma_page_count, pragma_freelist_count, pragma_page_size";
    // It is looked at after each 64 KiB.
    until("there is little in the file", || file.value::<i64>(used) <= (1 << 20) + (68 << 10));
    assert_eq!(file.rows_of("small").len(), 20, "the largest room gives");
    let large = file.rows_of("large");
    let last = large.last().and_then(|row| row.text.clone()).expect("not all of it");
    assert!(last.starts_with("1999 "), "the newest stay");
    assert!((500..1000).contains(&large.len()), "{} of a kilobyte in 1024", large.len());
}

/// Names of the rooms in the file.
fn rooms(file: &StoreFile) -> String {
    file.value("select coalesce(group_concat(name, ' '), '') from (select name from rooms order by name)")
}

#[test]
fn a_room_that_gives_way_to_another_is_gone_from_the_file() {
    let file = StoreFile::new();
    let server = file.serve(&["--max-rooms", "3"]);
    let mut ann = server.join("ann");
    for room in ["one", "two", "three"] {
        say(&mut ann, room, 0..3);
    }
    say(&mut ann, "four", 0..300);
    say(&mut ann, "five", 0..3);
    until("the rooms used last are left", || rooms(&file) == "five four" || rooms(&file) == "five four three");
    let left: i64 = file.value("select count(*) from messages where room not in (select id from rooms)");
    assert_eq!(left, 0);
    say(&mut ann, "one", 0..1);
    let (told, _) = ask(&mut ann, "history|one", "history|ok|one|1|");
    assert_eq!(texts(&told), ["ann:0"], "a room of the same name is a new one");
    quit(ann);
    shut_down(server);
    assert!(rooms(&file).split(' ').any(|room| room == "one"), "{}", rooms(&file));
}

#[test]
fn a_room_that_nothing_keeps_is_gone_from_the_file() {
    let file = StoreFile::new();
    let server: Server = file.serve(&["--history-lines", "1"]);
    let mut ann = server.join("ann");
    ann.say("in|builds|x\nsync|1");
    ann.expect_among("sync|1");
    assert_eq!(rooms(&file), "builds");
    quit(ann);
    shut_down(server);
    file.edit("delete from messages; update rooms set lines = 0, counted = 0");
    shut_down(file.serve(&[]));
    assert_eq!(rooms(&file), "", "without messages, topic and members");
}
