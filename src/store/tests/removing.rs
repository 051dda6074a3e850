//! What is removed: above the number of lines, for its age, for space, and with its room.

use super::*;
use crate::store::retention::STEP_ROWS;

/// The numbers of the events of a room, and the last one that was removed.
fn kept(reader: &mut Reader<'_>, room: &str) -> (Vec<u64>, Option<Gone>) {
    match reader
        .answer(&Query::Page { rooms: vec![(room.into(), 0)], until: u64::MAX, kinds: Kinds::All, limit: 1000 })
        .unwrap()
    {
        Answer::Page { records, gone, .. } => (records.iter().map(|record| record.n).collect(), gone[0]),
        Answer::Behind { .. } | Answer::Further { .. } => panic!("a page was asked for"),
    }
}

pub(super) fn lines(writer: &Writer<'_>, room: &str) -> u64 {
    writer.tables.state.rooms.get(room).unwrap().events.rows
}

fn gone(n: u64) -> Option<Gone> {
    Some(Gone { n, at: NOW })
}

#[test]
fn a_room_keeps_its_last_lines() {
    let folder = Folder::new();
    let options = Options { lines_max: 3, ..OPTIONS };
    with_writer(&folder, options, |writer, reader, _| {
        commit(writer, 1, say("tea", 1..=3));
        assert_eq!(kept(reader, "tea"), (vec![1, 2, 3], None));
        commit(writer, 2, [say("coffee", [4]), say("tea", [5, 6])].concat());
        assert_eq!(kept(reader, "tea"), (vec![3, 5, 6], gone(2)));
        assert_eq!(kept(reader, "coffee"), (vec![4], None));
        assert_eq!(lines(writer, "tea"), 3);
        let seek =
            reader.answer(&Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count: 5, until: u64::MAX });
        assert_eq!(seek.unwrap(), Answer::Behind { n: vec![2], gone: vec![gone(2)] });
        let seek = reader.answer(&Query::SeekOldest { rooms: vec!["tea".into()] });
        assert_eq!(seek.unwrap(), Answer::Behind { n: vec![2], gone: vec![gone(2)] });
        let seek = reader.answer(&Query::SeekSince { rooms: vec!["tea".into()], at: Timestamp::MIN });
        assert_eq!(seek.unwrap(), Answer::Behind { n: vec![2], gone: vec![gone(2)] });
    });
    with_writer(&folder, Options { lines_max: 1, ..OPTIONS }, |writer, reader, _| {
        settle(writer, Instant::now());
        assert_eq!(kept(reader, "tea"), (vec![6], gone(5)), "what was kept before is too much now");
    });
    let (_, loaded, _) = Store::open(&folder.file(), OPTIONS, NOW, 0).unwrap();
    let rooms: Vec<_> = loaded.rooms.iter().map(|room| (&*room.name, room.last, room.gone)).collect();
    assert_eq!(rooms, [("coffee", 4, None), ("tea", 6, gone(5))]);
}

#[test]
fn a_large_room_may_have_a_few_more_so_that_not_each_line_removes_one() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 1000, ..OPTIONS }, |writer, _, _| {
        commit(writer, 1, say("tea", 1..=1100));
        assert_eq!(lines(writer, "tea"), 1100);
        commit(writer, 2, say("tea", [1101]));
        assert_eq!(lines(writer, "tea"), 1000);
    });
}

#[test]
fn a_step_removes_a_few_hundred_rows() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, _| commit(writer, 1, say("tea", 1..=3000)));
    with_writer(&folder, Options { lines_max: 0, ..OPTIONS }, |writer, _, _| {
        let now = Instant::now();
        let mut rest = lines(writer, "tea");
        assert_eq!(rest, 3000);
        while let Some(removed) = writer.tables.step(now).unwrap() {
            let after = lines(writer, "tea");
            assert!(rest - after <= STEP_ROWS && removed.rows == rest - after, "{rest} {after} {removed:?}");
            rest = after;
        }
        assert_eq!(rest, 0);
    });
    assert_eq!(folder.open().loaded.rooms[0].last, 0, "nothing is kept");
}

#[test]
fn a_commit_does_not_wait_until_all_is_removed() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, _| commit(writer, 1, say("tea", 1..=3000)));
    with_writer(&folder, Options { lines_max: 0, ..OPTIONS }, |writer, _, outcomes| {
        let now = Instant::now();
        for n in 1..=3 {
            writer.take(Task::Commit { batch: n, changes: say("tea", [3000 + n]) }, now);
            writer.work(now);
            assert_eq!(outcomes.take(), [Outcome::Committed(n)]);
            let removed = 3000 + n - lines(writer, "tea");
            assert!((n * STEP_ROWS..n * (STEP_ROWS + 1)).contains(&removed), "{n} {removed}");
        }
        settle(writer, now);
        assert_eq!(lines(writer, "tea"), 0);
    });
}

#[test]
fn private_messages_are_kept_for_a_time_of_their_own() {
    let folder = Folder::new();
    let day = Duration::from_hours(24);
    let private = |n, days: u32, name: &str| {
        let event = KeptEvent::Private { from: ann(), text: String::new() };
        Change::Event(record(n, NOW - day * days, &crate::chat::mailbox(name), event))
    };
    for days_max in [0, 7, 90] {
        fs::remove_file(folder.file()).ok();
        with_writer(&folder, Options { days_max, ..OPTIONS }, |writer, reader, _| {
            let now = Instant::now();
            let said = Change::Event(record(551, NOW - day * 20, "tea", message("")));
            let old = (1..=550).map(|n| private(n, 31, if n % 2 == 0 { "ann" } else { "bob" }));
            let new = [said, private(552, 20, "ann"), private(553, 1, "zoe")];
            writer.take(Task::Commit { batch: 1, changes: old.chain(new).collect() }, now);
            settle(writer, now);
            assert_eq!(kept(reader, "@:ann"), (vec![552], Some(Gone { n: 550, at: NOW - day * 31 })), "{days_max}");
            assert_eq!((kept(reader, "@:bob").0, lines(writer, "@:bob")), (vec![], 0));
            assert_eq!(kept(reader, "@:zoe").0, [553]);
            assert_eq!(kept(reader, "tea").0.is_empty(), days_max == 7, "those of rooms for as long as it is said");
            settle(writer, now + 10 * day + Duration::from_mins(1));
            assert_eq!((kept(reader, "@:ann").0, kept(reader, "@:zoe").0), (vec![], vec![553]));
        });
    }
}

#[test]
fn old_events_are_removed() {
    let folder = Folder::new();
    let day = Duration::from_hours(24);
    let options = Options { days_max: 30, ..OPTIONS };
    let at = |days: u32| NOW - day * days;
    let said = |n, days, room| Change::Event(record(n, at(days), room, message("")));
    let soon = at(30) + Duration::from_secs(30);
    let almost = Change::Event(record(501, soon, "tea", message("")));
    with_writer(&folder, options, |writer, reader, _| {
        let now = Instant::now();
        let old = (1..=500).map(|n| said(n, 31, if n % 2 == 0 { "tea" } else { "coffee" }));
        writer.take(Task::Commit { batch: 1, changes: old.chain([almost, said(502, 29, "tea")]).collect() }, now);
        settle(writer, now);
        assert_eq!(kept(reader, "tea"), (vec![501, 502], Some(Gone { n: 500, at: at(31) })));
        assert_eq!(kept(reader, "coffee"), (vec![], Some(Gone { n: 499, at: at(31) })));
        assert_eq!((lines(writer, "tea"), lines(writer, "coffee")), (2, 0));
        settle(writer, now + Duration::from_secs(59));
        assert_eq!(kept(reader, "tea").0, [501, 502]);
        settle(writer, now + Duration::from_mins(1));
        assert_eq!(kept(reader, "tea"), (vec![502], Some(Gone { n: 501, at: soon })));
        settle(writer, now + day + day);
        assert_eq!(kept(reader, "tea").0, NONE);
    });
    let rooms = folder.open().loaded.rooms;
    let rooms: Vec<_> = rooms.iter().map(|room| (&*room.name, room.last, room.gone.unwrap().n)).collect();
    assert_eq!(rooms, [("coffee", 0, 499), ("tea", 0, 502)]);
}

#[test]
fn without_a_limit_nothing_is_too_old() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, reader, _| {
        commit(writer, 1, vec![Change::Event(record(1, Timestamp::UNIX_EPOCH, "tea", message("")))]);
        assert_eq!((kept(reader, "tea").0, is_idle(writer)), (vec![1], true));
    });
}

#[test]
fn above_the_size_the_largest_room_loses_its_oldest_events() {
    let folder = Folder::new();
    let bytes_max = 2 << 20;
    with_writer(&folder, Options { bytes_max, ..OPTIONS }, |writer, reader, _| {
        let mut n = 0;
        for batch in 1..=40 {
            let text = "x".repeat(400);
            let said = (0..500).map(|each| {
                n += 1;
                let room = if each % 10 == 0 { "tea" } else { "coffee" };
                Change::Event(record(n, NOW, room, message(&text)))
            });
            let said = said.collect();
            commit(writer, batch, said);
        }
        let used: u64 = writer.tables.statements.used_bytes.query_row([], |row| row.get::<_, i64>(0)).unwrap() as u64;
        assert!(used <= bytes_max + (1 << 20), "{used}"); // it is looked at now and then
        let [tea, coffee] = ["tea", "coffee"].map(|room| lines(writer, room));
        assert!(coffee < 5000 && tea > 1000, "{tea} {coffee}");
        let coffee_gone = kept(reader, "coffee").1.expect("it was the largest");
        assert!(coffee_gone.n > 10_000, "{coffee_gone:?}");
        assert_eq!(coffee, folder.ask_number("select count(*) from log where room = 'coffee'"));
        let file = fs::metadata(folder.file()).unwrap().len();
        assert!(file < 2 * bytes_max, "the space is used again: {file}");
    });
}

#[test]
fn a_room_is_not_emptied_for_space_in_one_step() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, _| commit(writer, 1, say("tea", 1..=500)));
    with_writer(&folder, Options { bytes_max: 0, ..OPTIONS }, |writer, reader, _| {
        let now = Instant::now();
        writer.tables.step(now).unwrap();
        assert_eq!(lines(writer, "tea"), 250, "a half of it at once");
        settle(writer, now);
        assert_eq!(kept(reader, "tea"), (vec![], gone(500)), "there is nothing else to remove");
        assert!(is_idle(writer));
    });
}

#[test]
fn the_rows_of_a_room_that_is_no_more_go_step_by_step_and_after_a_crash() {
    let folder = Folder::new();
    let rows = || folder.ask_number("select count(*) from messages");
    with_writer(&folder, OPTIONS, |writer, reader, _| {
        let now = Instant::now();
        commit(writer, 1, [say("tea", 1..=1000), say("coffee", 1001..=1001)].concat());
        writer.take(Task::Commit { batch: 2, changes: vec![Change::Forget("tea".into())] }, now);
        writer.work(now);
        assert_eq!((kept(reader, "tea"), rows()), ((vec![], None), 1001 - STEP_ROWS));
        writer.take(Task::Commit { batch: 3, changes: say("tea", [1002]) }, now);
        writer.work(now);
        assert_eq!((kept(reader, "tea").0, rows()), (vec![1002], 1002 - 2 * STEP_ROWS), "it is a new one");
    });
    with_writer(&folder, OPTIONS, |writer, reader, _| {
        settle(writer, Instant::now());
        assert_eq!((kept(reader, "tea").0, kept(reader, "coffee").0, rows()), (vec![1002], vec![1001], 2));
    });
    assert_eq!(folder.ask_number("select count(*) from rooms"), 2);
}

#[test]
fn many_small_rooms_that_are_no_more_go_step_by_step_too() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, _| {
        commit(writer, 1, (1..=600).flat_map(|n| say(&format!("room-{n}"), [n])).collect());
    });
    folder.shell().execute("update rooms set name = null", []).unwrap();
    with_writer(&folder, OPTIONS, |writer, _, _| {
        let now = Instant::now();
        writer.tables.step(now).unwrap();
        assert_eq!(folder.ask_number("select count(*) from rooms"), 600 - STEP_ROWS / 2);
        settle(writer, now);
        assert_eq!(folder.ask_number("select count(*) from rooms"), 0);
    });
}

#[test]
fn a_room_that_is_no_more_has_no_limits() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 0, ..OPTIONS }, |writer, reader, _| {
        let now = Instant::now();
        writer.take(Task::Commit { batch: 1, changes: say("tea", 1..=3000) }, now);
        writer.take(Task::Commit { batch: 2, changes: vec![Change::Forget("tea".into())] }, now);
        settle(writer, now);
        assert_eq!((kept(reader, "tea"), folder.ask_number("select count(*) from rooms")), ((vec![], None), 0));
    });
}

#[test]
fn rows_that_somebody_has_removed_by_hand_are_not_waited_for() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 10, ..OPTIONS }, |writer, reader, _| {
        commit(writer, 1, say("tea", 1..=10));
        folder.shell().execute("delete from messages where n > 2", []).unwrap();
        commit(writer, 2, say("tea", 11..=13));
        assert_eq!(kept(reader, "tea").0, [12, 13], "as many are removed as there seemed to be too many");
        folder.shell().execute("delete from messages", []).unwrap();
        commit(writer, 3, say("tea", 14..=15));
        folder.shell().execute("delete from messages", []).unwrap();
        commit(writer, 4, say("tea", 16..=25));
        settle(writer, Instant::now());
        assert!(lines(writer, "tea") <= 10);
    });
}

#[test]
fn lines_are_counted_again_after_a_crash_and_not_many_of_them() {
    let folder = Folder::new();
    let sum = || folder.ask_number("select sum(lines) from rooms");
    with_writer(&folder, OPTIONS, |writer, _, _| {
        for batch in 0..25 {
            let room = ["a", "b", "c"][batch as usize % 3];
            commit(writer, batch + 1, say(room, 1000 * batch + 1..=1000 * (batch + 1)));
        }
        assert_eq!((lines(writer, "a"), lines(writer, "b"), lines(writer, "c")), (9000, 8000, 8000));
        assert!(sum() >= 15_000, "{}", sum());
    });
    with_writer(&folder, OPTIONS, |writer, _, _| {
        assert_eq!((lines(writer, "a"), lines(writer, "b"), lines(writer, "c")), (9000, 8000, 8000));
    });
    folder.open().close();
    assert_eq!(sum(), 25_000, "a store that is closed has counted");
    with_writer(&folder, OPTIONS, |writer, _, _| {
        assert!(!writer.tables.state.rooms.is_uncounted(), "nothing is left to count");
    });
}

#[test]
fn few_lines_are_counted_when_the_store_is_closed() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", 1..=5));
    assert_eq!(folder.ask_number("select lines from rooms"), 0, "not at each commit");
    open.close();
    assert_eq!(folder.ask_number("select lines from rooms"), 5);
}

#[test]
fn the_log_of_sqlite_is_emptied_between_commits() {
    for (batches, lines, bytes) in [(300, 100, 10), (1000, 1, 10), (6, 1000, 4000)] {
        let folder = Folder::new();
        with_writer(&folder, OPTIONS, |writer, _, _| {
            for batch in 0..batches {
                let text = message(&"x".repeat(bytes));
                let said = (1..=lines).map(|n| Change::Event(record(lines * batch + n, NOW, "tea", text.clone())));
                commit(writer, batch + 1, said.collect());
            }
            let log = fs::metadata(folder.0.join("chat.db-wal")).unwrap().len();
            assert!(log < 1500 * 4096, "{batches} batches of {lines}: {log}");
        });
    }
}

#[test]
fn as_many_private_messages_are_kept_as_may_wait_for_an_account() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 2, unread_max: 5, ..OPTIONS }, |writer, reader, _| {
        let psst = |n| {
            let event = KeptEvent::Private { from: ann(), text: "psst".to_owned() };
            Change::Event(record(n, NOW, "@:ann", event))
        };
        commit(writer, 1, (1..=5).map(psst).chain(say("tea", 6..=10)).collect());
        settle(writer, Instant::now());
        assert_eq!((kept(reader, "@:ann").0, kept(reader, "tea").0), (vec![1, 2, 3, 4, 5], vec![9, 10]));
        commit(writer, 2, vec![psst(11)]);
        settle(writer, Instant::now());
        assert_eq!(kept(reader, "@:ann").0, [2, 3, 4, 5, 11]);
    });
    // Another start, where fewer may wait: those that do are kept all the same.
    let shell = folder.shell();
    shell
        .execute_batch("insert into accounts (name, key, created, read, generation) values ('ann', 'ann', '', 2, 1)")
        .unwrap();
    with_writer(&folder, Options { lines_max: 0, unread_max: 0, ..OPTIONS }, |writer, reader, _| {
        settle(writer, Instant::now());
        assert_eq!((kept(reader, "@:ann").0, kept(reader, "tea").0), (vec![3, 4, 5, 11], vec![]));
    });
}
