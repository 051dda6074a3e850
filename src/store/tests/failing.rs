//! A disk that is full, a file that is locked, threads that have ended: nothing is lost that has space, and all is told.

use super::*;
use crate::store::{
    held::{HELD_BYTES_MAX, HELD_CHANGES_MAX},
    thread::Alarm,
};

/// From now on the file can get no larger, or can again.
fn set_full(writer: &Writer<'_>, is_full: bool) {
    let pages: u32 = if is_full { 1 } else { u32::MAX - 1 }; // it never gets smaller than it is
    writer.tables.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
}

fn numbers(reader: &mut Reader<'_>) -> Vec<u64> {
    let query = Query::Page { rooms: vec![("tea".into(), 0)], until: u64::MAX, kinds: Kinds::All, limit: 1000 };
    match reader.answer(&query).unwrap() {
        Answer::Page { records, .. } => records.iter().map(|record| record.n).collect(),
        Answer::Behind { .. } | Answer::Further { .. } => panic!("a page was asked for"),
    }
}

#[test]
fn what_a_full_disk_does_not_take_is_tried_again_each_second() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, reader, outcomes| {
        commit(writer, 1, say("tea", 1..=10));
        set_full(writer, true);
        outcomes.take();
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        writer.take(Task::Commit { batch: 2, changes: say("tea", 11..=20) }, now);
        writer.work(now);
        assert_eq!(outcomes.take(), [Outcome::Committed(2)], "there was space for a few");
        writer.take(Task::Commit { batch: 3, changes: [say("coffee", [21]), say("tea", 22..=500)].concat() }, now);
        writer.work(now);
        assert_eq!(outcomes.take(), [Outcome::Failed { batch: 3, reason: "database or disk is full".to_owned() }]);
        assert_eq!(numbers(reader), (1..=20).collect::<Vec<_>>(), "all of a batch or nothing");
        writer.take(Task::Commit { batch: 4, changes: say("tea", 501..=510) }, now);
        assert_eq!((writer.due(now), writer.takes_more()), (Some(now + second), true));
        set_full(writer, false);
        writer.work(now + second / 2);
        assert_eq!(outcomes.take(), [], "not before the second has passed");
        set_full(writer, true);
        writer.work(now + second);
        assert_eq!((outcomes.take(), writer.due(now)), (vec![], Some(now + 2 * second)), "told once");
        set_full(writer, false);
        writer.work(now + 2 * second);
        assert_eq!(outcomes.take(), [Outcome::Committed(4)]);
        assert_eq!(numbers(reader), [1..=20, 22..=510].into_iter().flatten().collect::<Vec<_>>());
        assert_eq!(writer.tables.state.rooms.get("tea").unwrap().events.rows, 509);
        set_full(writer, true);
        writer.take(Task::Commit { batch: 5, changes: say("tea", 511..=2000) }, now);
        writer.work(now);
        assert!(matches!(outcomes.take()[..], [Outcome::Failed { batch: 5, .. }]), "the next time it is told again");
    });
}

#[test]
fn a_step_that_fails_is_tried_again_and_stops_no_commit() {
    let folder = Folder::new();
    with_writer(&folder, Options { lines_max: 10, ..OPTIONS }, |writer, reader, outcomes| {
        writer
            .tables
            .connection
            .execute_batch(
                "create temp trigger keep before delete on messages
            begin select raise(abort, 'they stay'); end",
            )
            .unwrap();
        let now = Instant::now();
        writer.take(Task::Commit { batch: 1, changes: say("tea", 1..=20) }, now);
        writer.work(now);
        assert_eq!(outcomes.take(), [Outcome::Committed(1)]);
        assert_eq!(writer.due(now), Some(now + Duration::from_secs(1)));
        writer.tables.connection.execute_batch("drop trigger keep").unwrap();
        writer.take(Task::Commit { batch: 2, changes: say("tea", [21]) }, now);
        writer.work(now);
        assert_eq!((outcomes.take(), numbers(reader).len()), (vec![Outcome::Committed(2)], 21), "not yet");
        settle(writer, now + Duration::from_secs(1));
        assert_eq!(numbers(reader), (12..=21).collect::<Vec<_>>());
    });
}

#[test]
fn a_locked_file_is_waited_for() {
    let folder = Folder::new();
    let mut open = folder.open();
    let shell = folder.shell();
    shell.execute_batch("begin immediate").unwrap();
    open.store.commit(say("tea", [1]));
    let reason = "database is locked".to_owned();
    assert_eq!(block_on(open.outcomes.next()), Some(Outcome::Failed { batch: 1, reason }));
    open.store.commit(say("tea", [2]));
    assert_eq!(open.numbers("tea"), NONE, "reading goes on");
    shell.execute_batch("rollback").unwrap();
    assert_eq!(block_on(open.outcomes.next()), Some(Outcome::Committed(2)));
    assert_eq!(open.numbers("tea"), [1, 2]);
    assert_eq!(open.close(), 0);
}

#[test]
fn what_cannot_be_stored_to_the_end_is_counted() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", [1]));
    let shell = folder.shell();
    shell.execute_batch("begin immediate").unwrap();
    open.store.commit(say("tea", [2, 3]));
    open.store.commit(say("tea", [4]));
    assert_eq!(open.close(), 3);
    drop(shell);
    let open = folder.open();
    assert_eq!(open.numbers("tea"), [1]);
    assert!(open.loaded.next > 4, "numbers of what is lost are not given out again: {}", open.loaded.next);
}

#[test]
fn a_store_that_closes_tries_at_once() {
    let folder = Folder::new();
    let mut open = folder.open();
    let shell = folder.shell();
    shell.execute_batch("begin immediate").unwrap();
    open.store.commit(say("tea", [1]));
    assert!(matches!(block_on(open.outcomes.next()), Some(Outcome::Failed { .. })));
    shell.execute_batch("rollback").unwrap();
    assert_eq!(open.close(), 0);
    assert_eq!(folder.open().numbers("tea"), [1]);
}

#[test]
fn a_store_that_closes_tries_as_long_as_it_is_told_to() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, reader, _| {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        commit(writer, 1, say("tea", [1]));
        set_full(writer, true);
        writer.take(Task::Commit { batch: 2, changes: say("tea", 2..=500) }, now);
        writer.take(Task::Close { patience: 5 * second / 2, done: oneshot::channel().0 }, now);
        for (after, due) in [(0, 1000), (1000, 2000), (2000, 2500)] {
            let [now, due] = [after, due].map(|millis| now + Duration::from_millis(millis));
            writer.work(now);
            assert_eq!((writer.is_done(now), writer.due(now)), (false, Some(due)), "{after}");
        }
        assert!(writer.is_done(now + 5 * second / 2));
        set_full(writer, false);
        writer.work(now + 3 * second);
        assert_eq!((writer.is_done(now), numbers(reader).len()), (true, 500), "and no longer than it takes");
    });
}

#[test]
fn what_is_committed_twice_is_there_once() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, reader, _| {
        commit(writer, 1, say("tea", 1..=3));
        commit(writer, 2, say("tea", 2..=4));
        assert_eq!((numbers(reader), writer.tables.state.rooms.get("tea").unwrap().events.rows), (vec![1, 2, 3, 4], 4));
    });
}

#[test]
fn only_so_much_is_held() {
    let mut held = held::Held::default();
    let long = Change::Event(record(1, NOW, "tea", message(&"x".repeat(1 << 20))));
    assert_eq!(held.push(1, say("tea", 1..=HELD_CHANGES_MAX as u64 - 1)), 0);
    assert_eq!(held.push(2, say("tea", 1..=3)), 2, "the newest are dropped");
    assert_eq!((held.push(3, vec![]), held.dropped(), held.lost()), (0, 2, HELD_CHANGES_MAX as u64 + 2));
    let mut held = held::Held::default();
    assert_eq!(held.push(1, say("tea", 1..=HELD_CHANGES_MAX as u64 + 9)), 0, "not of what comes alone");
    assert_eq!(held.push(2, say("tea", [1])), 1);
    let mut held = held::Held::default();
    held.push(0, vec![]);
    let dropped = held.push(1, vec![long; HELD_BYTES_MAX / (1 << 20) + 5]);
    assert_eq!(dropped, 6, "the bytes besides texts count, too");
    assert_eq!(held.push(2, say("tea", [1])), 0, "there is space for something short");
    assert_eq!((held.committed(3), held.lost(), held.is_empty()), (Some(2), 6, true));
    assert_eq!(held.push(3, say("tea", 1..=HELD_CHANGES_MAX as u64)), 0, "there is space again");
}

#[test]
fn what_is_left_of_a_batch_is_held_in_its_place() {
    let numbers = |held: &held::Held| {
        let (batches, changes) = held.group();
        (batches, changes.count())
    };
    let mut held = held::Held::default();
    held.push(1, say("tea", [1]));
    held.push(2, vec![]);
    assert_eq!((held.first(), numbers(&held)), (Some(1), (2, 1)));
    let long = Change::Event(record(2, NOW, "tea", message(&"x".repeat(HELD_BYTES_MAX / 2))));
    assert_eq!(held.push(3, vec![long.clone(), long.clone()]), 1);
    assert_eq!((numbers(&held), held.committed(2)), ((2, 1), Some(2)), "it is too large to be committed with others");
    assert_eq!(numbers(&held), (1, 1), "the first of its changes");
    assert_eq!((held.push(4, vec![long.clone()]), held.push(5, vec![long])), (1, 1));
    assert_eq!(numbers(&held), (1, 1), "they take nothing");
    assert_eq!((held.committed(1), held.is_empty()), (Some(5), true));
}

#[test]
fn a_panic_of_the_thread_that_writes_is_told() {
    let (outcomes, mut told) = unbounded();
    let thread = std::thread::spawn(move || {
        let _alarm = Alarm(outcomes);
        panic!("a bug");
    });
    thread.join().unwrap_err();
    let reason = "the thread that writes has ended".to_owned();
    assert_eq!(told.try_recv().ok(), Some(Outcome::Failed { batch: 0, reason }));
}

#[test]
fn a_thread_that_has_ended_is_told() {
    let folder = Folder::new();
    let Open { mut store, mut outcomes, .. } = folder.open();
    // As if both had ended by a bug.
    store.writer = mpsc::channel().0;
    store.reader = mpsc::channel().0;
    let failed = |batch| Outcome::Failed { batch, reason: "the thread that writes has ended".to_owned() };
    assert_eq!((store.commit(vec![]), block_on(outcomes.next())), (1, Some(failed(1))));
    assert_eq!((store.commit(vec![]), outcomes.try_recv().is_err()), (2, true), "once");
    let query = Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count: 1, until: u64::MAX };
    assert_eq!(block_on(store.read(query)), Ok(Err("the thread that reads has ended".to_owned())));
    assert!(block_on(store.close(Duration::ZERO)).is_err());
    block_on(outcomes.for_each(|_| async {})); // the real ones have ended
}
