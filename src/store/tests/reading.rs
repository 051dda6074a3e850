//! What is asked of the events of a room.

use super::*;

fn page(open: &Open, after: u64, until: u64, limit: usize) -> (Vec<u64>, u64) {
    match open.read(Query::Page { rooms: vec![("tea".into(), after)], until, kinds: Kinds::All, limit }) {
        Answer::Page { records, through, gone } if gone == [None] => {
            (records.iter().map(|record| record.n).collect(), through)
        }
        other => panic!("{other:?}"),
    }
}

fn behind(open: &Open, query: Query) -> u64 {
    match open.read(query) {
        Answer::Behind { n, gone } if gone == [None] => n[0],
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_is_what_lies_between_two_numbers() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit([say("tea", [2, 4, 6, 8]), say("coffee", [9, 11]), say("tea", [12])].concat());
    for (after, until, limit, numbers, through) in [
        (0, u64::MAX, 10, &[2, 4, 6, 8, 12][..], u64::MAX),
        (0, 12, 10, &[2, 4, 6, 8, 12], 12),
        (0, 11, 10, &[2, 4, 6, 8], 11),
        (2, 8, 10, &[4, 6, 8], 8),
        (1, 7, 10, &[2, 4, 6], 7),
        (0, 12, 3, &[2, 4, 6], 6),
        (6, 12, 2, &[8, 12], 12),
        (12, u64::MAX, 10, &[], u64::MAX),
        (8, 4, 10, &[], 4),
        (u64::MAX, u64::MAX, 10, &[], u64::MAX),
    ] {
        assert_eq!(page(&open, after, until, limit), (numbers.to_vec(), through), "{after} {until} {limit}");
    }
    let nowhere = Query::Page { rooms: vec![("nowhere".into(), 1)], until: 9, kinds: Kinds::All, limit: 10 };
    assert_eq!(open.read(nowhere), Answer::Page { records: vec![], through: 9, gone: vec![None] });
}

#[test]
fn a_page_has_a_bound() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", 1..=1500));
    assert_eq!(page(&open, 0, u64::MAX, usize::MAX), ((1..=1000).collect(), 1000));
    assert_eq!(page(&open, 1000, u64::MAX, usize::MAX), ((1001..=1500).collect(), u64::MAX));
    let long = message(&"x".repeat(12_000));
    open.commit((1501..=1509).map(|n| Change::Event(record(n, NOW, "tea", long.clone()))).collect());
    assert_eq!(page(&open, 1500, u64::MAX, usize::MAX), ((1501..=1503).collect(), 1503), "in bytes, too");
}

#[test]
fn the_last_events_are_behind_a_number() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit([say("tea", [2, 4, 6, 8]), say("coffee", [9])].concat());
    for (count, n) in [(0, 8), (1, 6), (2, 4), (3, 2), (4, 0), (5, 0), (usize::MAX, 0)] {
        assert_eq!(
            behind(&open, Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count, until: u64::MAX }),
            n,
            "{count}"
        );
    }
    assert_eq!(behind(&open, Query::SeekOldest { rooms: vec!["tea".into()] }), 0);
    assert_eq!(
        behind(&open, Query::SeekLast { rooms: vec!["nowhere".into()], kinds: Kinds::All, count: 5, until: u64::MAX }),
        0
    );
}

#[test]
fn the_events_since_a_time_are_behind_a_number() {
    let folder = Folder::new();
    let mut open = folder.open();
    let at = |seconds: i64| Timestamp::new(1_000_000 + seconds, 500_000_000).unwrap();
    // Sparse numbers, several at one time, and those of another room between.
    let events = [(3, 10), (5, 20), (6, 20), (1000, 30), (70_000, 40)];
    for (n, seconds) in events {
        let event = |n, room| Change::Event(record(n, at(seconds), room, message("")));
        open.commit(vec![event(n, "tea"), event(n + 1_000_000, "coffee")]);
    }
    let since = |at| behind(&open, Query::SeekSince { rooms: vec!["tea".into()], at });
    let expected =
        |from: Timestamp| events.iter().filter(|(_, seconds)| at(*seconds) >= from).map(|(n, _)| *n).collect();
    for seconds in 5..=45 {
        for nanos in [-1_000_000, 0, 999_999] {
            let from = at(seconds) + jiff::SignedDuration::from_nanos(nanos);
            let expected: Vec<_> = if nanos == 999_999 { expected(at(seconds)) } else { expected(from) };
            assert_eq!(page(&open, since(from), u64::MAX, 10).0, expected, "{from}");
        }
    }
    assert_eq!((since(Timestamp::MIN), since(at(10))), (2, 2), "all");
    assert_eq!((since(at(41)), since(Timestamp::MAX)), (70_000, 70_000), "none");
}

#[test]
fn rows_that_somebody_has_edited_are_read_as_far_as_they_can_be() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", 1..=10));
    let edit =
        |n, what: &str| folder.shell().execute(&format!("update messages set {what} where n = {n}"), []).unwrap();
    edit(1, "kind = 'applause'");
    edit(2, "at = 'yesterday'");
    edit(3, "name = x'ff'");
    edit(4, "text = null");
    edit(5, "kind = 'offline', text = 'out-to-lunch'");
    edit(6, "text = 42");
    edit(7, "n = -7");
    edit(8, "text = cast(x'ff' as text)");
    edit(10, "kind = 'renamed', text = 'is now x' || char(10) || 'sync|y'");
    let records = open.records("tea");
    let events: Vec<_> = records.iter().map(|record| (record.n, record.event.clone())).collect();
    let gone = PublicEvent::Offline(ann(), Departure::Left);
    assert_eq!(
        events,
        [(4, message("")), (5, gone), (6, message("42")), (9, message("line 9"))].map(|(n, event)| (n, event.into()))
    );
    assert_eq!(page(&open, 0, u64::MAX, 3), (vec![], 3), "the next page goes on behind those that were left out");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(say("tea", [1]));
    folder.shell().execute_batch("drop view log; drop table messages").unwrap();
    let query = Query::SeekLast { rooms: vec!["tea".into()], kinds: Kinds::All, count: 1, until: u64::MAX };
    assert_eq!(block_on(open.store.read(query)).unwrap(), Err("no such table: messages".to_owned()));
}

#[test]
fn queries_look_at_the_rows_of_their_room_only() {
    let folder = Folder::new();
    folder.open().close();
    for (sql, plan) in [
        ("n > 1 and n <= 9 order by n limit 3", "USING INDEX messages_by_room (room=? AND rowid>? AND rowid<?)"),
        ("n <= 9", "USING INDEX messages_by_room (room=? AND rowid<?)"),
    ] {
        let steps: String = folder
            .shell()
            .query_row(&format!("explain query plan select * from messages where room = 1 and {sql}"), [], |row| {
                row.get(3)
            })
            .unwrap();
        assert_eq!(steps, format!("SEARCH messages {plan}"));
    }
}

#[test]
fn the_connection_that_reads_cannot_write() {
    let folder = Folder::new();
    let (Opened { database, reader }, _) = open::open(&folder.file(), OPTIONS, NOW, 0).unwrap();
    let error = reader.execute_batch("delete from messages").unwrap_err();
    assert_eq!(error.to_string(), "attempt to write a readonly database");
    drop((reader, database));
}

#[test]
fn every_kind_of_event_comes_back() {
    let named = |name: &str, is_account| Arc::new(Identity { name: name.to_owned(), is_account, ..(*ann()).clone() });
    let (bea, owner) = (|| named("béa|\"", false), || named("ann", true));
    let events = [
        message("hello\n'there' 世界 \u{1f600}"),
        message(""),
        PublicEvent::Joined(ann()),
        PublicEvent::Left(ann()),
        PublicEvent::Offline(ann(), Departure::SlowConsumer),
        PublicEvent::Offline(ann(), Departure::Left),
        PublicEvent::Online(ann()),
        PublicEvent::KnownAs { old: ann(), new: bea() },
        PublicEvent::KnownAs { old: bea(), new: owner() },
        PublicEvent::KnownAs { old: owner(), new: bea() },
        PublicEvent::Message { from: owner(), text: "it is me".to_owned() },
        PublicEvent::Topic { from: ann(), text: "tea".into() },
        PublicEvent::Topic { from: ann(), text: "".into() },
    ];
    let at: Timestamp = "2026-11-26T02:28:43.123Z".parse().unwrap();
    let psst = KeptEvent::Private { from: owner(), text: "psst".to_owned() };
    let events = events.map(KeptEvent::from).into_iter().chain([psst]);
    let records: Vec<_> = (1..).zip(events).map(|(n, event)| record(n, at, "tea", event)).collect();
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(records.iter().cloned().map(Change::Event).collect());
    assert_eq!(open.records("tea"), records);
    open.close();
    assert_eq!(folder.open().records("tea"), records);
}
