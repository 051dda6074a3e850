use super::{
    tail::{BLOCK_BYTES, ENTRY_BYTES},
    *,
};
use crate::chat::{Departure, Identity};

const A: RoomId = RoomId(1);
const B: RoomId = RoomId(2);

fn second(n: u64) -> Timestamp {
    Timestamp::from_second(n.try_into().expect("few")).expect("in our time")
}

fn message() -> Arc<PublicEvent> {
    let from = Arc::new(Identity { name: "ann".to_owned(), addr: "10.0.0.1:9".to_owned(), is_account: false });
    Arc::new(PublicEvent::Message { from, text: "x".repeat(100) })
}

fn bytes_of_one() -> usize {
    Tail::new(0).push(1, second(0), &message())
}

/// Each room is told something, in this order; number `n` at second `n`.
fn recent(per_room_max: usize, events: &[RoomId]) -> Recent {
    let mut recent = Recent::new(RecentLimits { per_room_max, bytes_max: 1 << 20 });
    for (n, &room) in (1..).zip(events) {
        recent.push(room, n, second(n), &message());
        assert_eq!(recent.bytes(), count(&recent) * bytes_of_one());
    }
    recent
}

fn last(recent: &Recent, room: RoomId, count: usize) -> Place {
    recent.last(&[room], Kinds::All, count, u64::MAX)
}

fn count(recent: &Recent) -> usize {
    recent.by_room.values().map(|of| of.len()).sum()
}

fn numbers(recent: &Recent, room: RoomId, after: u64) -> Vec<u64> {
    recent.after([(room, after)].into_iter()).map(|(_, kept)| kept.n()).collect()
}

#[test]
fn the_last_events_of_each_room_are_kept() {
    let recent = recent(3, &[A, B, A, A, A, B]);
    assert_eq!(numbers(&recent, A, 0), [3, 4, 5]);
    assert_eq!(numbers(&recent, A, 3), [4, 5]);
    assert_eq!((numbers(&recent, A, 5), numbers(&recent, A, 99)), (vec![], vec![]));
    assert_eq!(numbers(&recent, B, 0), [2, 6]);
    assert!(numbers(&recent, RoomId(3), 0).is_empty());
}

#[test]
fn the_last_ones_begin_behind_the_one_before_them() {
    let recent = recent(3, &[A, B, A, A, A, B]);
    for (room, count, place) in [
        (A, 0, Place::Here(u64::MAX)),
        (A, 1, Place::Here(4)),
        (A, 2, Place::Here(3)),
        (A, 3, Place::Here(2)),
        (A, 4, Place::Older),
        (B, 2, Place::Here(1)),
        (B, 9, Place::Here(0)),
        (RoomId(3), 9, Place::Here(0)),
    ] {
        assert_eq!(last(&recent, room, count), place, "{room:?} {count}");
    }
}

#[test]
fn several_rooms_have_one_order_and_their_last_ones_are_counted_together() {
    let few = recent(2, &[A, B, A, B, B, A]); // number 2 is not here any more
    let in_order: Vec<_> = few.after([(B, 0), (A, 1)].into_iter()).map(|(room, kept)| (room, kept.n())).collect();
    assert_eq!(in_order, [(A, 3), (B, 4), (B, 5), (A, 6)]);
    let last = |count, until| few.last(&[A, RoomId(3), B], Kinds::All, count, until);
    for (count, until, place) in [
        (1, u64::MAX, Place::Here(5)),
        (4, u64::MAX, Place::Here(2)),
        (5, u64::MAX, Place::Older),
        (2, 4, Place::Here(2)),
        (3, 4, Place::Older),
        (1, 2, Place::Older),
        (0, 4, Place::Here(4)),
    ] {
        assert_eq!(last(count, until), place, "{count} {until}");
    }
    assert_eq!((few.lost([A, B].into_iter()), few.lost([RoomId(3)].into_iter())), (Some(2), None));
    let all = recent(9, &[A, B, A]);
    assert_eq!(all.last(&[A, B], Kinds::All, 9, u64::MAX), Place::Here(0));
    assert_eq!(all.last(&[A, B], Kinds::Messages, 2, u64::MAX), Place::Here(1));
}

#[test]
fn those_since_a_time_begin_behind_the_last_one_before_it() {
    let recent = recent(3, &[A, B, A, A, A, B]);
    for (room, at, place) in [
        (A, 0, Place::Older),
        (A, 1, Place::Older),
        (A, 2, Place::Here(1)),
        (A, 3, Place::Here(1)),
        (A, 4, Place::Here(3)),
        (A, 6, Place::Here(5)),
        (B, 0, Place::Here(0)),
        (RoomId(3), 0, Place::Here(0)),
    ] {
        assert_eq!(recent.since(room, second(at)), place, "{room:?} {at}");
    }
}

#[test]
fn behind_a_number_all_must_be_here() {
    let recent = recent(3, &[A, B, A, A, A, B]);
    for (n, place) in [(0, Place::Older), (1, Place::Here(1)), (2, Place::Here(2)), (99, Place::Here(99))] {
        assert_eq!(recent.behind(A, n), place, "{n}");
    }
    assert_eq!((recent.oldest(A), recent.oldest(B)), (1, 0));
}

#[test]
fn the_room_that_has_been_silent_longest_gives_first() {
    let mut recent = recent(9, &[A, A, B, B, A]);
    let one = bytes_of_one();
    assert_eq!(recent.shrink(5 * one, 9), []);
    assert_eq!((recent.shrink(4 * one, 9), numbers(&recent, B, 0)), (vec![], vec![4]));
    assert_eq!((recent.shrink(0, 2), numbers(&recent, A, 0)), (vec![B], vec![2, 5]));
    assert_eq!(recent.shrink(0, 0), [], "so many at once");
    assert_eq!(numbers(&recent, A, 0), [2, 5]);
    assert_eq!((recent.shrink(0, 9), recent.bytes()), (vec![A], 0));
    assert_eq!((recent.oldest(A), recent.oldest(B)), (5, 4));
    recent.push(B, 6, second(6), &message());
    assert_eq!((recent.shrink(0, 9), recent.oldest(B)), (vec![B], 6));
}

#[test]
fn no_more_is_kept_than_may_be() {
    let one = bytes_of_one();
    let mut recent = Recent::new(RecentLimits { per_room_max: 99, bytes_max: 3 * one });
    for n in 1..=9 {
        recent.push(if n % 2 == 0 { A } else { B }, n, second(n), &message());
        assert_eq!(recent.trim(), []);
        assert!(recent.bytes() <= 3 * one);
    }
    assert_eq!((numbers(&recent, A, 0), numbers(&recent, B, 0)), (vec![8], vec![7, 9]));
}

#[test]
fn a_room_of_the_same_name_does_not_have_what_another_one_had() {
    let mut recent = recent(9, &[A, A, B]);
    recent.remove(A);
    recent.remove(RoomId(7));
    assert_eq!((count(&recent), recent.bytes()), (1, bytes_of_one()));
    assert_eq!((recent.behind(RoomId(3), 1), recent.behind(RoomId(3), 2)), (Place::Older, Place::Here(2)));
    recent.push(RoomId(3), 4, second(4), &message());
    assert_eq!((recent.behind(RoomId(3), 1), recent.behind(RoomId(3), 2)), (Place::Older, Place::Here(2)));
    assert_eq!((last(&recent, RoomId(3), 9), recent.since(RoomId(3), second(0))), (Place::Here(0), Place::Here(2)));
    assert_eq!(recent.behind(B, 0), Place::Here(0), "it was there before");
}

#[test]
fn rooms_that_come_and_go_leave_nothing() {
    let mut recent = recent(9, &[]);
    for n in 1..=10_000 {
        recent.push(RoomId(n), n, second(n), &message());
        recent.remove(RoomId(n));
    }
    assert_eq!((recent.bytes(), recent.by_room.len()), (0, 1), "the lobby alone");
    assert!(recent.silent.len() <= 65, "{}", recent.silent.len());
}

#[test]
fn all_rooms_are_looked_at_rarely_for_those_that_are_no_more() {
    let mut recent = recent(9, &[A, B]);
    let mut come_and_go = |rooms: usize| {
        for n in (3..).take(rooms) {
            recent.push(RoomId(n), n, second(n), &message());
            recent.remove(RoomId(n));
        }
        recent.silent.len()
    };
    assert_eq!(
        (come_and_go(68), come_and_go(1)),
        (2 * 3 + 64, 2),
        "the lobby, two with events, and then these two alone"
    );
}

#[test]
fn space_is_given_back_when_three_quarters_of_it_are_empty() {
    let mut recent = recent(999, &[A; 500]);
    let space = recent.by_room[&A].capacity();
    assert!(space.1 <= 500 * 125, "a quarter of what texts take is empty at most");
    let mut keep = |count: usize| {
        recent.shrink(count * bytes_of_one(), 999);
        recent.by_room[&A].capacity()
    };
    assert_eq!(keep(space.0 / 4).0, space.0);
    assert!(keep(space.0 / 4 - 1).0 <= space.0 / 2);
    assert!(keep(space.1 / 100 / 4 - 1).1 <= space.1 / 2);
}

#[test]
fn texts_are_what_they_were_however_many_come_and_go() {
    let mut recent = Recent::new(RecentLimits { per_room_max: 7, bytes_max: 1 << 20 });
    let from = Arc::new(Identity { name: "ann".to_owned(), addr: "1:2".to_owned(), is_account: false });
    let event = |n: u64| match n % 3 {
        0 => PublicEvent::Joined(Arc::clone(&from)),
        _ => PublicEvent::Message { from: Arc::clone(&from), text: "张x".repeat((n * n % 31) as usize) },
    };
    for n in 1..=999 {
        recent.push(A, n, second(n), &Arc::new(event(n)));
        let kept: Vec<_> =
            recent.after([(A, 0)].into_iter()).map(|(_, kept)| (kept.n(), (*kept.event()).clone())).collect();
        assert_eq!(kept, (n.saturating_sub(6).max(1)..=n).map(|n| (n, event(n))).collect::<Vec<_>>());
    }
    assert!(recent.by_room[&A].capacity().1 < 7 * 31 * 4 * 2);
    recent.shrink(0, 99);
    let (events, texts) = recent.by_room[&A].capacity();
    assert!(recent.bytes() == 0 && events < 4 && texts == 0, "{events} {texts}");
}

#[test]
fn what_was_forgotten_before_a_start_may_have_been_of_any_name() {
    let mut recent = recent(9, &[]);
    recent.forget_until(5);
    recent.forget_until(3);
    assert_eq!((recent.behind(A, 4), recent.behind(A, 5)), (Place::Older, Place::Here(5)));
}

#[test]
fn what_a_room_had_before_a_start_is_elsewhere_if_there_is_anything() {
    let mut recent = recent(9, &[]);
    recent.restore(A, 0);
    recent.restore(B, 7);
    assert_eq!(
        (last(&recent, A, 9), recent.since(A, second(0)), recent.oldest(A)),
        (Place::Here(0), Place::Here(0), 0)
    );
    assert_eq!((last(&recent, B, 9), recent.since(B, second(9)), recent.oldest(B)), (Place::Older, Place::Older, 7));
}

#[test]
fn every_kept_event_counts_with_its_texts_and_users() {
    let who = |name: &str| Arc::new(Identity { name: name.to_owned(), addr: "1:2".to_owned(), is_account: false });
    let user = size_of::<Identity>() + "1:2".len();
    for (event, of_it) in [
        (PublicEvent::Message { from: who("ann"), text: "12345".to_owned() }, user + 8),
        (PublicEvent::Topic { from: who("ann"), text: "12345".into() }, BLOCK_BYTES + user + 8),
        (PublicEvent::KnownAs { old: who("ann"), new: who("anna") }, BLOCK_BYTES + 2 * user + 7),
        (PublicEvent::Online(who("ann")), BLOCK_BYTES + user + 3),
        (PublicEvent::Offline(who("ann"), Departure::Left), user + 3),
        (PublicEvent::Joined(who("ann")), user + 3),
        (PublicEvent::Left(who("ann")), user + 3),
    ] {
        let (mut tail, event) = (Tail::new(0), Arc::new(event));
        let bytes = tail.push(1, second(7), &event);
        assert_eq!(bytes, ENTRY_BYTES + of_it, "{event:?}");
        let kept = tail.after(0).next().expect("it is there");
        assert_eq!((kept.bytes(), kept.at(), kept.event()), (bytes, second(7), event));
        assert_eq!((tail.bytes(), tail.pop(), tail.bytes()), (bytes, bytes, 0));
    }
}
