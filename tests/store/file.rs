//! The file as people read it in the `sqlite3` shell, and as the manual describes it.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{StoreFile, ask, kill, quit, rows::Row, shut_down};

#[test]
fn the_file_reads_like_a_log() {
    let file = StoreFile::new();
    let server = file.serve(&["--history-presence"]);
    let mut ann = server.join("ann");
    ann.join("builds");
    ann.say("hello\ntopic|builds|a | b\nrename|bob\nleave|builds\njoin|日本\n你好\nquit");
    ann.rest();
    let addr = ann.addr.as_str();
    let [mut zoe] = server.join_all(["zoe"]);
    let zoe_addr = &*zoe.addr.clone();
    zoe.say("topic|builds|");
    zoe.expect_among("topic|ok|builds|");
    let (told, _) = ask(&mut zoe, "history|builds", "history|ok|");
    quit(zoe);
    shut_down(server);
    let rows = file.rows();
    let mut expected = vec![
        ("lobby", "online", addr, "is online"),
        ("lobby", "renamed", addr, "is now ann"),
        ("builds", "joined", "ann", "has joined"),
        ("builds", "message", "ann", "hello"),
        ("builds", "topic", "ann", "topic: a | b"),
        ("lobby", "renamed", "ann", "is now bob"),
        ("builds", "renamed", "ann", "is now bob"),
        ("builds", "left", "bob", "has left"),
        ("日本", "joined", "bob", "has joined"),
        ("日本", "message", "bob", "你好"),
        ("lobby", "offline", "bob", "is offline (quit)"),
        ("日本", "offline", "bob", "is offline (quit)"),
        ("lobby", "online", zoe_addr, "is online"),
        ("lobby", "renamed", zoe_addr, "is now zoe"),
        ("builds", "topic", "zoe", "topic: "),
        ("lobby", "offline", "zoe", "is offline (quit)"),
    ];
    let parts = |row: &Row| (row.room.clone(), row.kind.clone(), row.name.clone(), row.text.clone());
    // Of those that are told to several rooms at once the order is not promised.
    let mut rows_sorted: Vec<_> = rows.iter().map(parts).collect();
    rows_sorted.sort();
    expected.sort_unstable();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(room, kind, name, text)| (room.to_owned(), kind.to_owned(), name.to_owned(), Some(text.to_owned())))
        .collect();
    assert_eq!(rows_sorted, expected);
    assert!(rows.iter().map(|row| row.n).eq(1..=16), "{rows:#?}");
    for row in &rows {
        let shape: String = row.at.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{row:?}");
    }
    assert!(rows.is_sorted_by_key(|row| &row.at), "times as texts are in order: {rows:#?}");
    // The time of each line that is told again is that in the file.
    let times: Vec<_> = rows.iter().filter(|row| row.room == "builds").map(|row| &*row.at).collect();
    let told: Vec<_> = told.iter().filter_map(|line| line.split('|').nth(2)).collect();
    assert_eq!(told, times, "as many, and the same");
}

#[test]
fn the_question_in_the_manual_is_answered() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    ann.say("in|builds|one\nin|builds|two\nin|deploys|three\nsync|1");
    ann.expect_among("sync|1");
    // While the server runs, too.
    let open = file.open();
    let mut query =
        open.prepare("select at, name, text from messages order by n desc limit 5").expect("as in the manual");
    let lines = query.query_map([], |row| Ok((row.get::<_, String>(1)?, row.get::<_, String>(2)?)));
    let lines: Vec<_> = lines.and_then(Iterator::collect).expect("texts");
    let ann = |text: &str| ("ann".to_owned(), text.to_owned());
    assert_eq!(lines, [ann("three"), ann("two"), ann("one")]);
    kill(server);
}

#[test]
fn the_tables_are_those_that_are_documented() {
    let file = StoreFile::new();
    shut_down(file.serve(&[]));
    let columns = |table: &str| -> String {
        file.value(&format!("select group_concat(name, ' ') from pragma_table_info('{table}')"))
    };
    assert_eq!(columns("messages"), "n at room kind name addr text account");
    assert_eq!(columns("rooms"), "id name topic keeper lines counted gone gone_at owner locked bytes");
    assert_eq!(columns("settings"), "name value");
    assert_eq!(columns("log"), "n at room kind name addr text account");
    assert_eq!(columns("accounts"), "id name key password role created read generation");
    assert_eq!(columns("tokens"), "account label digest created used addr");
    assert_eq!(columns("room_roles"), "room account role");
    assert_eq!(columns("bans"), "kind who room until by reason created");
    assert_eq!(columns("audit"), "at who act whom room reason");
    let (version, application): (u32, i32) = (file.value("pragma user_version"), file.value("pragma application_id"));
    assert_eq!((version, application.to_be_bytes()), (3, *b"pipc"));
    let check: String = file.value("pragma integrity_check");
    assert_eq!(check, "ok");
}

#[test]
fn only_the_owner_can_read_the_files() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    ann.say("in|builds|one\nsync|1");
    ann.expect_among("sync|1");
    drop(ann);
    let mut names = Vec::new();
    for entry in fs::read_dir(&file.folder).expect("a folder of ours") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{entry:?}: {mode:o}");
        names.push(entry.file_name().into_string().expect("UTF-8"));
    }
    names.sort();
    assert_eq!(names, ["chat.db", "chat.db-shm", "chat.db-wal", "chat.db.lock"]);
    shut_down(server);
    assert!(!fs::exists(file.beside("chat.db-wal")).expect("a folder of ours"), "a clean end leaves one file to copy");
}
