//! What a file must be, what is said of one that is not, and which numbers are given out next.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::{commit::RESERVED_AHEAD, schema};

/// Why a store cannot be opened, without the beginning of the sentence.
fn refusal(path: &Path) -> String {
    let sentence = Store::open(path, OPTIONS, NOW, 0).expect_err("it cannot be opened");
    let reason = sentence.strip_prefix(&format!("cannot open store {path:?}: ")).unwrap_or(&sentence);
    reason.to_owned()
}

#[test]
fn a_store_that_cannot_be_opened_has_one_sentence() {
    let folder = Folder::new();
    assert_eq!(refusal(&folder.0), "it is a folder");
    assert_eq!(refusal(Path::new("/dev/null")), "it is not a regular file");
    let nowhere = folder.0.join("no/where");
    assert_eq!(refusal(&nowhere.join("chat.db")), format!("there is no folder {nowhere:?}"));
    let circle = folder.0.join("circle.db");
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    assert_eq!(refusal(&circle), "Too many levels of symbolic links (os error 40)");
    fs::create_dir(folder.0.join("chat.db.lock")).unwrap();
    let lock = folder.0.join("chat.db.lock");
    assert_eq!(refusal(&folder.file()), format!("{lock:?} cannot be written (Is a directory (os error 21))"));
    fs::remove_dir(lock).unwrap();
    assert!(!folder.file().exists(), "nothing was made");
    let _open = folder.open();
    assert_eq!(
        Store::open(&folder.file(), OPTIONS, NOW, 0).err(),
        Some(format!("cannot open store {:?}: it is in use by another process", folder.file()))
    );
    let link = folder.0.join("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    assert_eq!(refusal(&link), "it is in use by another process", "by another name");
}

#[test]
fn the_lock_is_beside_the_file_though_a_link_leads_to_it_before_it_is_there() {
    let folder = Folder::new();
    let link = folder.0.join("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    let _open = Store::open(&link, OPTIONS, NOW, 0).unwrap();
    assert_eq!(refusal(&folder.file()), "it is in use by another process");
    assert!(folder.0.join("chat.db.lock").exists() && !folder.0.join("link.db.lock").exists());
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let garbage = "no database, but long enough for a header of one\n".repeat(100);
    let cases: [(&str, Option<&str>, &str); 6] = [
        (&garbage, None, "it is not an SQLite database"),
        ("", Some("create table recipes (name)"), "it is the database of another program"),
        ("", Some("pragma application_id = 7"), "it is the database of another program"),
        (
            "",
            Some("pragma application_id = 0x70697063; pragma user_version = 4"),
            "it is of version 4, and this pipechat knows versions up to 3",
        ),
        (
            "",
            Some("pragma application_id = 0x70697063; pragma user_version = 1; create table messages (n)"),
            "it is damaged (no such table: rooms)",
        ),
        (
            "",
            Some("pragma application_id = 0x70697063; pragma user_version = 3; create table messages (n)"),
            "it is damaged (no such table: settings)",
        ),
    ];
    for (content, sql, reason) in cases {
        let folder = Folder::new();
        fs::write(folder.file(), content).unwrap();
        if let Some(sql) = sql {
            folder.shell().execute_batch(sql).unwrap();
        }
        assert_eq!(refusal(&folder.file()), reason);
        if sql.is_none() {
            assert_eq!(fs::read_to_string(folder.file()).unwrap(), content);
        }
    }
}

#[test]
fn a_damaged_store_is_not_opened() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", 1..=1000));
    open.close();
    let mut bytes = fs::read(folder.file()).unwrap();
    bytes[4096..].fill(b'x');
    fs::write(folder.file(), bytes).unwrap();
    assert_eq!(refusal(&folder.file()), "it is damaged (database disk image is malformed)");
}

#[test]
fn a_store_that_another_process_has_locked_is_not_opened() {
    let folder = Folder::new();
    folder.open().close();
    let shell = folder.shell();
    shell.execute_batch("begin immediate").unwrap();
    assert_eq!(refusal(&folder.file()), "another process has locked it");
}

#[test]
fn a_file_without_permission_is_not_opened() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().write(true).open(folder.file()).is_err() {
        let reason = format!("{:?} cannot be written (Permission denied (os error 13))", folder.file());
        assert_eq!(refusal(&folder.file()), reason);
    } // else the tests run as root
}

#[test]
fn a_new_store_is_for_its_user_alone() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", [1]));
    let mut files = 0;
    for file in fs::read_dir(&folder.0).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        files += 1;
    }
    assert_eq!(files, 4, "the file, its lock, and the two of SQLite");
    open.close();
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2);
}

#[test]
fn an_empty_file_becomes_a_store() {
    for sql in ["", "vacuum", "pragma journal_mode = wal"] {
        let folder = Folder::new();
        folder.shell().execute_batch(sql).unwrap();
        let mut open = folder.open();
        open.commit(say("tea", [1]));
        assert_eq!(open.numbers("tea"), [1], "{sql}");
    }
}

#[test]
fn the_epoch_is_that_of_the_file() {
    let folder = Folder::new();
    let (store, loaded, _) = Store::open(&folder.file(), OPTIONS, NOW, 12_345).unwrap();
    block_on(store.close(Duration::ZERO)).unwrap();
    assert_eq!(loaded.epoch, Epoch::from_random(12_345));
    assert_eq!(folder.open().loaded.epoch, loaded.epoch);
}

#[test]
fn numbers_go_on_behind_the_last_one_or_after_a_crash_behind_the_reserved_ones() {
    let folder = Folder::new();
    folder.open().close();
    let mut open = folder.open();
    assert_eq!(open.loaded.next, 1);
    open.commit(say("tea", [1, 2, 7]));
    open.close();
    let open = folder.open();
    assert_eq!(open.loaded.next, 8);
    open.crash();
    let mut open = folder.open();
    let next = 8 + RESERVED_AHEAD;
    assert_eq!(open.loaded.next, next, "nothing is known of those between");
    open.commit(say("tea", [next]));
    open.crash();
    let mut open = folder.open();
    assert!(open.loaded.next > next);
    let next = open.loaded.next;
    open.commit(say("tea", [next + 3 * RESERVED_AHEAD]));
    open.crash();
    assert!(folder.open().loaded.next > next + 3 * RESERVED_AHEAD);
}

#[test]
fn numbers_are_reserved_with_the_commit_that_comes_near_the_end_of_the_reserved_ones() {
    let folder = Folder::new();
    let mut open = folder.open();
    let reserved = || folder.ask_number("select value from settings where name = 'reserved'");
    assert_eq!(reserved(), 1 + RESERVED_AHEAD);
    let mut times = 0;
    for n in (1..500_000).step_by(7777) {
        let before = reserved();
        open.commit(say("tea", [n]));
        assert!(n < before && n + 40_000 < reserved(), "{n}: {before}, {}", reserved());
        assert!(reserved() <= n + RESERVED_AHEAD + 1, "{n}: {}", reserved());
        times += u32::from(reserved() > before);
    }
    assert!(times < 15, "{times} times");
}

#[test]
fn numbers_that_somebody_has_used_by_hand_are_not_given_out() {
    let folder = Folder::new();
    folder.open().close();
    let insert = "insert into messages values (500, '2026-11-26T02:28:43.123Z', 1, 'message', 'ann', '', 'hi', null)";
    folder.shell().execute_batch(insert).unwrap();
    assert_eq!(folder.open().loaded.next, 501);
}

/// The tables of version 1, as files have them. This text never changes.
const VERSION_1: &str = "
    create table messages (n integer primary key, at text not null, room integer not null, kind text not null,
        name text not null, addr text not null, text text);
    create index messages_by_room on messages (room);
    create table rooms (id integer primary key, name text unique, topic text, keeper text,
        lines integer not null default 0, counted integer not null default 0, gone integer, gone_at text);
    create table settings (name text primary key, value) without rowid;
    create view log as select n, at, rooms.name as room, kind, messages.name, addr, text
        from messages join rooms on rooms.id = room;
    insert into settings values ('epoch', 'hello'), ('reserved', 20001);
    insert into rooms values (3, 'tea', 'green', '10.0.0.1', 1, 17, 12, '2026-11-25T00:00:00.000Z');
    insert into messages values
        (17, '2026-11-26T02:28:43.123Z', 3, 'joined', 'ann', '10.0.0.1:9', null),
        (18, '2026-11-26T02:28:44.123Z', 3, 'message', 'ann', '10.0.0.1:9', 'hello');
    pragma application_id = 0x70697063;
    pragma user_version = 1;";

#[test]
fn a_store_of_version_1_is_read() {
    let folder = Folder::new();
    folder.shell().execute_batch(VERSION_1).unwrap();
    let mut open = folder.open();
    let gone = Some(Gone { n: 12, at: "2026-11-25T00:00:00Z".parse().unwrap() });
    let (topic, keeper) = (Some("green".into()), Some(network("10.0.0.1")));
    let rooms = vec![PastRoom { name: "tea".to_owned(), topic, keeper, is_locked: false, last: 18, gone }];
    assert_eq!(
        open.loaded,
        Loaded {
            epoch: "hello".parse().unwrap(),
            next: 20_001,
            forgotten: 0,
            rooms,
            accounts: vec![],
            mailboxes: vec![],
            order: PastOrder::default()
        }
    );
    let [one, two] =
        [17, 18].map(|n| ("2026-11-26T02:28:26.123Z".parse::<Timestamp>().unwrap() + Duration::from_secs(n), n));
    let mut records =
        vec![record(17, one.0, "tea", PublicEvent::Joined(ann())), record(18, two.0, "tea", message("hello"))];
    assert_eq!(open.records("tea"), records);
    open.commit(say("tea", [20_001]));
    records.push(record(20_001, NOW, "tea", message("line 20001")));
    assert_eq!(open.records("tea"), records);
}

#[test]
fn what_is_made_now_is_what_files_of_this_version_have() {
    let schema = |folder: &Folder| {
        folder.ask(
            "select group_concat(m.name || ' ' || c.name || ' ' || c.type || c.pk || c.\"notnull\")
            || (select group_concat(sql) from (select sql from sqlite_schema where type = 'index' order by name))
            from sqlite_schema m, pragma_table_info(m.name) c",
        )
    };
    let [old, new] = [(); 2].map(|()| Folder::new());
    old.shell().execute_batch(VERSION_1).unwrap();
    schema::migrate(&old.shell(), 1, |_| Ok(())).unwrap();
    schema::migrate(&new.shell(), 0, |_| Ok(())).unwrap();
    assert_eq!(schema(&new), schema(&old));
    assert_eq!(
        (new.ask_number("pragma user_version"), new.ask_number("pragma application_id")),
        (schema::VERSION.into(), schema::APPLICATION_ID as u64)
    );
}

#[test]
fn what_is_started_is_done_completely_or_not_at_all() {
    let folder = Folder::new();
    let fails = |connection: &rusqlite::Connection| connection.execute_batch("insert into nothing values (1)");
    assert!(schema::migrate(&folder.shell(), 0, fails).is_err());
    assert_eq!(
        (folder.ask_number("select count(*) from sqlite_schema"), folder.ask_number("pragma application_id")),
        (0, 0)
    );
    folder.open().close();
}
