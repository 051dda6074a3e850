//! Two thousand rooms with history and topics.

use common::Client;

use crate::{StoreFile, ask, quit, shut_down, texts};

const ROOMS: usize = 2000;
/// The messages of each.
const LINES: usize = 5;

/// A file with so many rooms; the one with the highest number was used last.
fn full() -> StoreFile {
    let file = StoreFile::new();
    shut_down(file.serve(&[]));
    file.edit(&format!(
        "begin;
        with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < {ROOMS} - 1)
        insert into rooms (name, topic) select printf('room%04d', i), iif(i % 2, 'topic ' || i, null) from numbers;
        with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < {ROOMS} * {LINES} - 1)
        insert into messages (n, at, room, kind, name, addr, text)
            select i + 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), rooms.id, 'message', 'ann', '127.0.0.1:1', 'line ' || (i % {LINES})
            from numbers join rooms on rooms.name = printf('room%04d', i / {LINES});
        commit"
    ));
    file
}

/// The names of rooms, and their topics.
#[track_caller]
fn rooms(client: &mut Client) -> Vec<String> {
    let (lines, _) = ask(client, "rooms", "rooms|ok|");
    lines.into_iter().filter(|line| line.starts_with("rooms|")).collect()
}

#[test]
fn thousands_of_rooms_are_there_again() {
    let file = full();
    let server = file.serve(&[]);
    let mut bob = server.join("bob");
    let listed = rooms(&mut bob);
    assert_eq!(listed.len(), ROOMS + 1);
    assert_eq!(listed[..3], ["rooms|1|lobby|", "rooms|0|room0000|", "rooms|0|room0001|topic 1"]);
    for number in [0, 1, 999, ROOMS - 1] {
        let (told, _) = ask(&mut bob, &format!("history|room{number:04}"), &format!("history|ok|room{number:04}|5|"));
        assert_eq!(texts(&told), ["ann:line 0", "ann:line 1", "ann:line 2", "ann:line 3", "ann:line 4"]);
    }
    let after = LINES * (ROOMS - 1) + 2;
    ask(&mut bob, &format!("join|room{:04}|since|{after}", ROOMS - 1), &format!("history|ok|room{:04}|3|", ROOMS - 1));
    quit(bob);
    shut_down(server);
    assert_eq!(file.rows().len(), ROOMS * LINES + 2, "and one who has joined, and is gone");
}

#[test]
fn with_a_lower_limit_the_rooms_used_last_are_kept() {
    let file = full();
    let server = file.serve(&["--max-rooms", "100"]);
    let mut bob = server.join("bob");
    let listed = rooms(&mut bob);
    assert!((100..=101).contains(&listed.len()), "{}: {listed:?}", listed.len());
    assert!(listed[1..].iter().all(|line| *line > format!("rooms|0|room{:04}", ROOMS - 102)), "{listed:?}");
    ask(&mut bob, "history|room0000", "history|no-such-room|");
    common::until("the others are removed", || file.value::<i64>("select count(*) from rooms") <= 101);
    quit(bob);
    shut_down(server);
    let left: i64 = file.value("select count(*) from messages");
    let listed = i64::try_from(listed.len() - 1).expect("a hundred");
    assert_eq!(left, listed * 5, "with their messages");
}
