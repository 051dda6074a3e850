//! Removing keeps up with what is committed, however it is spread over rooms.

use super::{removing::lines, *};

#[test]
fn removing_keeps_up_with_commits() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 1000, ..OPTIONS }, |writer, _, _| {
        let now = Instant::now();
        for batch in 1..=20 {
            writer.take(Task::Commit { batch, changes: say("tea", 1000 * batch..1000 * (batch + 1)) }, now);
            writer.work(now);
        }
        assert!(lines(writer, "tea") < 3000, "{}", lines(writer, "tea"));
    });
}

/// Says one thing in each of so many rooms with each commit, and gives the writer no time but for that.
fn flood(writer: &mut Writer<'_>, commits: u64, rooms: u64, text: &str) {
    let now = Instant::now();
    for batch in 1..=commits {
        let said = (0..rooms).map(|room| {
            let n = rooms * batch + room;
            Change::Event(record(n, NOW, &format!("room-{room}"), message(text)))
        });
        let changes = said.collect();
        writer.take(Task::Commit { batch, changes }, now);
        writer.work(now);
    }
}

fn used_bytes(writer: &mut Writer<'_>) -> u64 {
    let used: i64 = writer.tables.statements.used_bytes.query_row([], |row| row.get(0)).unwrap();
    used.try_into().unwrap()
}

#[test]
fn removing_keeps_up_with_commits_to_many_rooms() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 5, ..OPTIONS }, |writer, _, _| flood(writer, 30, 1000, ""));
    let rows = folder.ask_number("select count(*) from messages");
    assert!(rows <= 6000, "{rows}");
}

#[test]
fn the_size_keeps_up_with_commits_to_many_rooms() {
    let bytes_max = 2 << 20;
    for lines_max in [2, u64::MAX] {
        let folder = Folder::new();
        with_writer(&folder, Options { lines_max, bytes_max, ..OPTIONS }, |writer, _, _| {
            flood(writer, 20, 1000, &"x".repeat(800));
            let used = used_bytes(writer);
            assert!(used <= 2 * bytes_max, "{used}");
        });
    }
}

#[test]
fn the_size_keeps_up_with_few_long_lines() {
    let folder = Folder::new();
    let bytes_max = 4 << 20;
    with_writer(&folder, Options { bytes_max, ..OPTIONS }, |writer, _, _| {
        flood(writer, 30, 1, &"x".repeat(1_000_000));
        let used = used_bytes(writer);
        assert!(used <= bytes_max + (2 << 20), "{used}");
        let log = fs::metadata(folder.0.join("chat.db-wal")).unwrap().len();
        assert!(log < 12 << 20, "{log}");
    });
}

#[test]
fn a_room_of_many_short_lines_is_not_the_largest() {
    let folder = Folder::new();
    with_writer(&folder, Options { bytes_max: 4 << 20, ..OPTIONS }, |writer, _, _| {
        let now = Instant::now();
        commit(writer, 1, (1..=500).flat_map(|n| say("tea", [n])).collect());
        for batch in 2..=40 {
            let text = "x".repeat(4000);
            let said = (0..40)
                .map(|each| Change::Event(record(1000 * batch + each, NOW, &format!("room-{each}"), message(&text))));
            commit(writer, batch, said.collect());
        }
        settle(writer, now);
        assert_eq!(lines(writer, "tea"), 500);
        let others: u64 = (0..40).map(|room| lines(writer, &format!("room-{room}"))).sum();
        assert!((500..1300).contains(&others), "{others}");
    });
}
