//! What is asked of the events of several rooms as one.

use super::*;
use crate::store::reader::{ROWS_MAX, backwards_sql, page_sql};

fn names(rooms: &[&str]) -> Vec<Arc<str>> {
    rooms.iter().map(|&room| room.into()).collect()
}

/// The numbers of a page, each with its room, and how far it goes.
fn page(open: &Open, rooms: &[(&str, u64)], until: u64, kinds: Kinds, limit: usize) -> (Vec<(u64, String)>, u64) {
    let asked = rooms.iter().map(|&(room, after)| (room.into(), after)).collect();
    match open.read(Query::Page { rooms: asked, until, kinds, limit }) {
        Answer::Page { records, through, gone } => {
            assert_eq!(gone, vec![None; rooms.len()]);
            (records.iter().map(|record| (record.n, record.room.to_string())).collect(), through)
        }
        other => panic!("{other:?}"),
    }
}

fn expected(events: &[(u64, &str)]) -> Vec<(u64, String)> {
    events.iter().map(|&(n, room)| (n, room.to_owned())).collect()
}

fn joined(room: &str, n: u64) -> Change {
    Change::Event(record(n, NOW, room, PublicEvent::Joined(ann())))
}

/// The answer, if it is a number for each room.
fn behind(open: &Open, query: Query) -> Vec<u64> {
    match open.read(query) {
        Answer::Behind { n, .. } => n,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_of_several_rooms_has_their_events_in_one_order() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit([say("tea", [1, 4, 5]), say("coffee", [2, 6]), say("milk", [3, 7])].concat());
    let (tea, coffee, nowhere) = ("tea", "coffee", "nowhere");
    let all = |rooms: &[(&str, u64)], until, limit| page(&open, rooms, until, Kinds::All, limit);
    let rooms = [(tea, 0), (nowhere, 0), (coffee, 0)];
    assert_eq!(all(&rooms, 9, 9), (expected(&[(1, tea), (2, coffee), (4, tea), (5, tea), (6, coffee)]), 9));
    // A page may end between two rooms, and the next one goes on there.
    assert_eq!(all(&rooms, 9, 2), (expected(&[(1, tea), (2, coffee)]), 2));
    assert_eq!(all(&[(tea, 2), (coffee, 2)], 9, 3), (expected(&[(4, tea), (5, tea), (6, coffee)]), 6));
    assert_eq!(all(&[(tea, 2), (coffee, 2)], 5, 9), (expected(&[(4, tea), (5, tea)]), 5));
    assert_eq!(all(&[(coffee, 2), (tea, 4)], 9, 9), (expected(&[(5, tea), (6, coffee)]), 9), "from where on differs");
    assert_eq!(all(&[(nowhere, 0), (nowhere, 0)], 9, 9), (vec![], 9));
}

#[test]
fn the_bytes_of_a_page_of_several_rooms_are_counted_together() {
    let folder = Folder::new();
    let mut open = folder.open();
    let long = message(&"x".repeat(12_000));
    let room = |n| if n % 2 == 0 { "tea" } else { "coffee" };
    open.commit((1..=9).map(|n| Change::Event(record(n, NOW, room(n), long.clone()))).collect());
    let (events, through) = page(&open, &[("tea", 0), ("coffee", 0)], 9, Kinds::All, 9);
    assert_eq!((events.len(), through), (3, 3));
}

#[test]
fn a_page_of_messages_has_no_others_and_looks_at_so_many_rows() {
    let folder = Folder::new();
    let mut open = folder.open();
    let last = 2 * ROWS_MAX as u64 + 10;
    let notices = (2..last).map(|n| joined(if n % 2 == 0 { "tea" } else { "coffee" }, n));
    open.commit([say("tea", [1]), notices.collect(), say("coffee", [last])].concat());
    let rooms = |after| [("tea", after), ("coffee", after)];
    let messages = |after| page(&open, &rooms(after), u64::MAX, Kinds::Messages, 1000);
    let rows = ROWS_MAX as u64;
    assert_eq!(messages(0), (expected(&[(1, "tea")]), rows), "it goes on behind what was looked at");
    assert_eq!(messages(rows), (vec![], 2 * rows), "though there is nothing");
    assert_eq!(messages(2 * rows), (expected(&[(last, "coffee")]), u64::MAX));
    assert_eq!(page(&open, &rooms(0), u64::MAX, Kinds::Messages, 1), (expected(&[(1, "tea")]), 1));
}

#[test]
fn the_last_events_of_several_rooms_are_counted_together() {
    let folder = Folder::new();
    let mut open = folder.open();
    let notices = vec![joined("tea", 5), joined("coffee", 7)];
    open.commit([say("tea", [1, 4]), say("coffee", [2, 6]), say("milk", [3, 8]), notices].concat());
    let last = |kinds, count, until| {
        let rooms = names(&["tea", "nowhere", "coffee"]);
        let numbers = behind(&open, Query::SeekLast { rooms, kinds, count, until });
        assert_eq!(numbers[1..], [numbers[0]; 2]);
        numbers[0]
    };
    for (count, all, messages) in
        [(0, 7, 7), (1, 6, 5), (2, 5, 2), (3, 4, 1), (4, 2, 0), (5, 1, 0), (6, 0, 0), (9, 0, 0)]
    {
        assert_eq!(last(Kinds::All, count, u64::MAX), all, "{count}");
        assert_eq!(last(Kinds::Messages, count, u64::MAX), messages, "{count} messages");
    }
    assert_eq!((last(Kinds::All, 1, 5), last(Kinds::Messages, 1, 5), last(Kinds::All, 1, 3)), (4, 2, 1));
}

#[test]
fn a_question_for_the_last_messages_goes_on_where_many_rows_were_looked_at() {
    let folder = Folder::new();
    let mut open = folder.open();
    let last = 3 * ROWS_MAX as u64;
    let notices = (3..last).map(|n| joined("tea", n)).collect();
    open.commit([say("tea", [1]), say("coffee", [2]), notices, say("coffee", [last])].concat());
    let (mut left, mut end, mut questions) = (3, u64::MAX, 0);
    let found = loop {
        questions += 1;
        let rooms = names(&["tea", "coffee"]);
        match open.read(Query::SeekLast { rooms, kinds: Kinds::Messages, count: left, until: end }) {
            Answer::Further { count, until } => (left, end) = (count, until),
            Answer::Behind { n, .. } => break n,
            other @ Answer::Page { .. } => panic!("{other:?}"),
        }
    };
    assert_eq!((found, questions, left), (vec![0, 0], 4, 0), "the last row of the third was the first message");
}

#[test]
fn what_was_removed_of_one_room_is_not_missing_among_the_last_ones_of_another() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit([say("tea", [1, 6]), say("coffee", [2, 5]), say("milk", [3, 4])].concat());
    let shell = folder.shell();
    shell.execute_batch("update rooms set gone = 4, gone_at = '2026-11-26T02:28:43.123Z' where name = 'milk'").unwrap();
    // Rooms of before may have been called like this one.
    shell.execute_batch("update rooms set gone = 5, gone_at = '1970-01-01T00:00:00.000Z' where name = 'tea'").unwrap();
    let last = |rooms: &[&str]| {
        let query = Query::SeekLast { rooms: names(rooms), kinds: Kinds::All, count: 9, until: 9 };
        behind(&open, query)
    };
    assert_eq!(last(&["coffee", "milk"]), [4, 4]);
    assert_eq!(last(&["coffee", "tea"]), [0, 5]);
    assert_eq!(last(&["milk", "tea", "coffee"]), [4, 5, 4]);
    assert_eq!(behind(&open, Query::SeekOldest { rooms: names(&["milk", "nowhere", "tea"]) }), [4, 0, 5]);
}

#[test]
fn a_time_is_looked_for_in_each_room() {
    let folder = Folder::new();
    let mut open = folder.open();
    let at = |n: u64| NOW + Duration::from_secs(n);
    let said = |room, n| Change::Event(record(n, at(n), room, message("x")));
    open.commit(vec![said("tea", 1), said("coffee", 2), said("tea", 3), said("coffee", 4), said("tea", 5)]);
    let since = |n| behind(&open, Query::SeekSince { rooms: names(&["tea", "coffee", "nowhere"]), at: at(n) });
    assert_eq!(since(9), [5, 4, 0]);
    for (second, tea, coffee) in [(0, 0..1, 0..2), (3, 1..3, 2..4), (4, 3..5, 2..4)] {
        let n = since(second);
        assert!(tea.contains(&n[0]) && coffee.contains(&n[1]) && n[2] == 0, "{second}: {n:?}");
    }
}

#[test]
fn rooms_are_merged_row_by_row_from_the_index() {
    let folder = Folder::new();
    folder.open().close();
    let shell = folder.shell();
    for rooms in [1, 2, 16] {
        for sql in [page_sql(rooms), backwards_sql(rooms, Kinds::All), backwards_sql(rooms, Kinds::Messages)] {
            let mut explain = shell.prepare(&format!("explain query plan {sql}")).unwrap();
            let (mut rows, mut plan) = (explain.raw_query(), Vec::new());
            while let Some(row) = rows.next().unwrap() {
                plan.push(row.get::<_, String>(3).unwrap());
            }
            let searches = plan.iter().filter(|step| step.starts_with("SEARCH messages USING ")).count();
            assert_eq!(searches, rooms, "{plan:?}");
            let others = plan.iter().filter(|step| step.contains("SCAN") || step.contains("TEMP B-TREE"));
            assert_eq!(others.count(), 0, "{plan:?}");
        }
    }
}
