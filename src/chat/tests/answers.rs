//! Which events answer what was asked, and which have a position: what is told over HTTP goes by these.

use std::sync::Arc;

use jiff::Timestamp;

use crate::chat::{
    AccountDone, Departure, Done, Epoch, Event, Identity, KeptEvent, Notice, NoticeKind, OrderEvent, Position,
    PublicEvent, Record, Refusal,
};

fn ann() -> Arc<Identity> {
    Arc::new(Identity { name: "ann".to_owned(), addr: "1.2.3.4:5".to_owned(), is_account: false })
}

fn past(event: KeptEvent) -> Event {
    Event::Past(Record { n: 7, at: Timestamp::UNIX_EPOCH, room: "x".into(), event }, Epoch::from_random(0))
}

fn public() -> Event {
    past(KeptEvent::Public(Arc::new(PublicEvent::Joined(ann()))))
}

fn join(position: Option<Position>) -> Event {
    Event::Done(Done::Join { room: "x".into(), members: 1, position, topic: "".into() })
}

#[test]
fn what_was_asked_for_is_an_answer_and_what_others_do_is_none() {
    for event in [
        Event::User(ann()),
        Event::UsersEnd(1),
        Event::Renamed { old: ann(), new: ann() },
        Event::Room { name: "x".into(), members: None, topic: "".into() },
        Event::Synced("1".to_owned()),
        Event::WaitMet("ann".to_owned()),
        Event::WaitTimedOut,
        Event::Refused(Refusal::NoSuchUser),
        Event::Done(Done::Account(AccountDone::Kept("ann".into()))),
        join(None),
        public(),
    ] {
        assert!(event.is_answer(), "{event:?}");
    }
    let notice = Notice { kind: NoticeKind::Muted, by: None, room: None, until: None, text: "".into() };
    for event in [
        Event::Private { from: ann(), text: "hi".to_owned() },
        past(KeptEvent::Private { from: ann(), text: "hi".to_owned() }),
        Event::Order(OrderEvent::Notice(notice)),
        Event::Farewell(Departure::Quit),
    ] {
        assert!(!event.is_answer(), "{event:?}");
    }
}

#[test]
fn what_is_kept_has_its_position_and_answers_have_the_one_they_reach_to() {
    let epoch = Epoch::from_random(0);
    let position = Position { n: 9, epoch };
    assert_eq!(public().position(), Some(Position { n: 7, epoch }));
    assert_eq!((join(Some(position)).position(), join(None).position()), (Some(position), None));
    let done = Event::Done(Done::History { room: "x".into(), count: 1, position: Some(position), has_more: false });
    assert_eq!(done.position(), Some(position));
    // Its line is said already, by an event that has this position.
    assert_eq!(Event::Done(Done::In("x".into(), Some(position))).position(), None);
    assert_eq!(Event::Private { from: ann(), text: "hi".to_owned() }.position(), None);
}
