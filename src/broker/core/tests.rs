use std::net::SocketAddr;

use super::*;
use crate::{
    broker::outbox,
    chat::{Chat, Command, Departure, Epoch},
    origin::Origin,
    protocol::Step,
};

fn loopback() -> Origin {
    SocketAddr::from(([127, 0, 0, 1], 9)).into()
}

#[test]
fn it_is_told_once_that_somebody_has_left() {
    let (config, memory) = (Config::default(), Memory::new(1 << 20));
    let chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::default());
    let (client, now) = (ClientId(1), Duration::ZERO);
    let (outbox, _inbox) = outbox(None, memory);
    broker.accept(Request::Connect(client, loopback(), outbox), now);
    assert!(!broker.take_departed());
    broker.accept(Request::Batch(client, Batch { steps: vec![Step::Close(Departure::Http)], lines: 1 }), now);
    broker.begin_turn(Timestamp::UNIX_EPOCH);
    assert!(broker.next_entry(now, &chat).is_none());
    broker.flush(&chat, now);
    assert!(broker.take_departed() && !broker.take_departed());
}

#[test]
fn of_connections_that_break_with_lines_in_the_queue_some_are_heard() {
    const LINES: usize = 256;
    let (config, memory, backlog) = (Config::default(), Memory::new(1 << 30), Rc::<BrokenBacklog>::default());
    let mut chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::clone(&backlog), Rc::default());
    for client in (1..=100).map(ClientId) {
        let (outbox, _inbox) = outbox(None, Arc::clone(&memory));
        broker.accept(Request::Connect(client, loopback(), outbox), Duration::ZERO);
        let mut steps = vec![Step::Arrive];
        steps.resize(1 + LINES, Step::Command(Command::Say("x".to_owned())));
        broker.accept(Request::Batch(client, Batch { steps, lines: LINES }), Duration::ZERO);
        let last = Batch { steps: vec![Step::Broken, Step::Close(Departure::Lost)], lines: 0 };
        broker.accept(Request::Broken(client, last, backlog.take(0, 0, 0)), Duration::ZERO);
    }
    assert!(memory.used() < 4 << 20, "{} bytes", memory.used());
    let (mut said, mut departed, mut out) = (0, 0, Vec::new());
    while broker.has_work() {
        broker.begin_turn(Timestamp::UNIX_EPOCH);
        while let Some(entry) = broker.next_entry(Duration::ZERO, &chat) {
            said += usize::from(matches!(entry.input, Input::Command(..)));
            departed += usize::from(matches!(entry.input, Input::End(..)));
            chat.handle(entry, &mut out);
            broker.apply(&mut out);
        }
        broker.flush(&chat, Duration::ZERO);
    }
    assert_eq!((said, departed), (10_000, 100), "as many as may wait, and all have left");
    assert_eq!(memory.used(), chat.recent_bytes());
    assert_eq!(backlog.room(), 10_000);
}
