//! Order: bans, owners of rooms, and what was done.

use super::*;
use crate::chat::{Act, Deed, OrderChange, Penalty, RoomOrder, RoomRole, Sanction, Whom};

fn sanction(penalty: Penalty, whom: Whom, until: Option<i64>) -> Sanction {
    let until = until.map(|second| Timestamp::from_second(NOW.as_second() + second).unwrap());
    Sanction { penalty, whom, until, by: "op".into(), reason: "flood".into(), created: NOW }
}

fn block(text: &str) -> Whom {
    Whom::Block(text.parse().unwrap())
}

fn room_order(is_locked: bool) -> RoomOrder {
    let roles = vec![("eve".into(), RoomRole::Invited), ("bob".into(), RoomRole::Owner)];
    RoomOrder { room: "ops".into(), maker: Some("ann".into()), is_locked, roles }
}

fn deed(act: Act, room: Option<&str>) -> Change {
    let (who, whom) = ("op".into(), Some("bob".into()));
    Change::Order(OrderChange::Act(Deed {
        at: NOW,
        who,
        is_operators: true,
        act,
        whom,
        room: room.map(Into::into),
        reason: "x".into(),
    }))
}

#[test]
fn bans_come_back_until_they_are_over() {
    let folder = Folder::new();
    let mut open = folder.open();
    let ann = sanction(Penalty::Ban, Whom::Account("Ann".into()), None);
    let net = sanction(Penalty::Ban, block("10.0.0.0/8"), Some(60));
    let bob = sanction(Penalty::Mute, Whom::Account("bob".into()), Some(60));
    let over = sanction(Penalty::Ban, block("10.0.0.1"), Some(0));
    let client = sanction(Penalty::Mute, Whom::Client(crate::chat::ClientId(1), "127.0.0.1:9".into()), None);
    let put = |room: Option<&str>, it: &Sanction| Change::Order(OrderChange::Put(room.map(Into::into), it.clone()));
    open.commit(vec![put(None, &ann), put(None, &net), put(Some("ops"), &bob), put(None, &over), put(None, &client)]);
    open.commit(vec![put(None, &bob), put(None, &Sanction { reason: "again".into(), ..ann.clone() })]);
    open.commit(vec![Change::Order(OrderChange::Gone(None, Penalty::Mute, bob.whom.clone()))]);
    open.crash();
    let open = folder.open();
    let ann = Sanction { reason: "again".into(), ..ann };
    let expected = [(None, net), (None, ann), (Some("ops".into()), bob)];
    assert_eq!(open.loaded.order.sanctions, expected);
    assert_eq!(folder.ask_number("select count(*) from bans"), 3, "what is over is removed");
}

#[test]
fn who_owns_a_room_comes_back_and_goes_with_the_room_and_the_account() {
    let folder = Folder::new();
    let mut open = folder.open();
    let order = |is_locked| Change::Order(OrderChange::Room(room_order(is_locked)));
    let bob = Account::new(&crate::chat::Name::parse("bob").unwrap(), None, NOW);
    let mute = sanction(Penalty::Mute, Whom::Account("bob".into()), None);
    let mute = Change::Order(OrderChange::Put(Some("ops".into()), mute));
    open.commit(vec![Change::Account(AccountChange::Put(bob)), order(true), order(false), order(true), mute]);
    open.close();
    let mut open = folder.open();
    let roles = vec![("eve".into(), RoomRole::Invited), ("bob".into(), RoomRole::Owner)];
    let [loaded] = &*open.loaded.order.rooms else { panic!("{:?}", open.loaded.order.rooms) };
    let mut sorted = loaded.roles.clone();
    sorted.sort_by(|(one, _), (other, _)| other.cmp(one));
    assert_eq!((sorted, loaded.is_locked, loaded.maker.as_deref()), (roles, true, Some("ann")));
    assert!(open.loaded.rooms.iter().any(|room| room.name == "ops" && room.is_locked), "{:?}", open.loaded.rooms);
    open.commit(vec![Change::Account(AccountChange::Gone("bob".into()))]);
    open.close();
    let mut open = folder.open();
    assert_eq!(open.loaded.order.rooms[0].roles, [("eve".into(), RoomRole::Invited)]);
    assert_eq!(open.loaded.order.sanctions, []);
    open.commit(vec![Change::Forget("ops".into())]);
    open.close();
    assert_eq!(folder.open().loaded.order, PastOrder::default());
    assert_eq!(folder.ask_number("select count(*) from room_roles"), 0);
}

#[test]
fn what_was_done_is_written_down_and_does_not_grow_for_ever() {
    let folder = Folder::new();
    let mut open = folder.open();
    open.commit(vec![deed(Act::Kick, None), deed(Act::Lock, Some("ops"))]);
    let all = "select group_concat(concat_ws(' ', at, who, act, whom, room, reason), '; ') from audit";
    assert_eq!(folder.ask(all), "2026-11-26T02:28:43.000Z op kick bob x; 2026-11-26T02:28:43.000Z op lock bob ops x");
    for _ in 0..6 {
        open.commit((0..10_000).map(|_| deed(Act::Lock, Some("ops"))).collect());
    }
    assert!(folder.ask_number("select count(*) from audit where room is not null") <= 51_000);
    assert_eq!(folder.ask_number("select count(*) from audit where room is null"), 1, "it is not pushed out");
}

#[test]
fn bans_that_somebody_has_edited_are_told_when_that_is_asked_for() {
    let folder = Folder::new();
    with_writer(&folder, OPTIONS, |writer, _, outcomes| {
        let net = sanction(Penalty::Ban, block("10.0.0.0/8"), None);
        commit(writer, 1, vec![Change::Order(OrderChange::Put(None, net.clone()))]);
        let edit = "insert into bans (kind, who, room, by, reason, created)
            values ('ban', '@bob', '', 'hand', 'spam', '2026-11-26T02:28:44.000Z')";
        folder.shell().execute_batch(edit).unwrap();
        outcomes.take();
        let now = Instant::now();
        writer.take(Task::TellBans, now);
        assert!(writer.due(now).is_some_and(|due| due <= now));
        writer.work(now);
        let bob = Sanction {
            by: "hand".into(),
            reason: "spam".into(),
            created: NOW + Duration::from_secs(1),
            ..sanction(Penalty::Ban, Whom::Account("bob".into()), None)
        };
        let sanctions = vec![(None, net), (None, bob)];
        assert_eq!(outcomes.take(), [Outcome::Bans { batch: 1, sanctions }]);
        writer.work(now);
        assert_eq!(outcomes.take(), [], "it is told once");
    });
}
