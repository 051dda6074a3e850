use std::{net::SocketAddr, rc::Rc};

use jiff::Timestamp;

use super::*;
use crate::{
    broker::{Broker, Inbox, QUEUE_ITEM_OVERHEAD, QueueItem, Request, outbox},
    chat::{Chat, ClientId, Command, Epoch, Input},
    protocol::{Batch, Step},
};

fn of(labelled: &Labelled, label: &str) -> Option<u64> {
    labelled.iter().find(|(of, _)| *of == label).map(|&(_, value)| value)
}

/// A client comes, or is here, and does this.
fn act(broker: &mut Broker, client: u64, steps: Vec<Step>) {
    let lines = steps.len();
    broker.accept(Request::Batch(ClientId(client), Batch { steps, lines }), Duration::ZERO);
}

fn come(broker: &mut Broker, client: u64) -> Inbox {
    let (outbox, inbox) = outbox(None, Arc::clone(&broker.memory));
    let origin = SocketAddr::from(([127, 0, 0, 1], 9)).into();
    broker.accept(Request::Connect(ClientId(client), origin, outbox), Duration::ZERO);
    act(broker, client, vec![Step::Arrive]);
    inbox
}

fn turn(broker: &mut Broker, chat: &mut Chat) {
    let mut out = Vec::new();
    broker.begin_turn(Timestamp::UNIX_EPOCH);
    while let Some(entry) = broker.next_entry(Duration::ZERO, chat) {
        chat.handle(entry, &mut out);
        broker.apply(&mut out);
    }
    broker.flush(chat, Duration::ZERO);
}

#[test]
fn what_clients_do_and_are_told_is_counted() {
    let (config, memory) = (Config::default(), Memory::new(1 << 30));
    let mut chat = Chat::new(config.rules(), Epoch::from_random(0));
    let mut broker = Broker::new(config, Arc::clone(&memory), Rc::default(), Rc::default());
    let (mut ann, bob) = (come(&mut broker, 1), come(&mut broker, 2));
    turn(&mut broker, &mut chat);
    let join = Command::Join { room: "builds".to_owned(), start: None };
    let whisper = Command::Private { to: "nobody".to_owned(), text: "psst".to_owned() };
    act(&mut broker, 1, [join, whisper].map(Step::Command).to_vec());
    turn(&mut broker, &mut chat);
    let now = broker.metrics.snapshot();
    assert_eq!((now.clients, now.rooms, now.lines), (2, 2, 4));
    assert_eq!(now.refusals, [("no-such-user", 1)]);
    assert_eq!(now.recent_bytes, chat.recent_bytes() as u64);
    assert_eq!((now.memory_used, now.memory_max), (memory.used() as u64, Some(1 << 30)));
    // Nothing was written: all is queued.
    assert_eq!(now.queued_bytes, (ann.queued() + bob.queued()) as u64);
    let overhead = now.deliveries * QUEUE_ITEM_OVERHEAD as u64;
    assert_eq!((now.deliveries, now.delivered_bytes + overhead), (4, now.queued_bytes));
    let mut got = 0;
    while let Some(item) = ann.try_next() {
        let QueueItem::Bytes(item) = item else { continue };
        ann.gauge().release(item.bytes.len(), item.told.is_private());
        ann.gauge().release_item();
        got += item.bytes.len();
    }
    assert!(got > 0);
    assert_eq!(broker.metrics.snapshot().queued_bytes, bob.queued() as u64);
    act(&mut broker, 1, vec![Step::Close(Departure::Quit)]);
    turn(&mut broker, &mut chat);
    let then = broker.metrics.snapshot();
    assert_eq!((then.clients, of(&then.disconnects, "quit"), of(&then.disconnects, "left")), (1, Some(1), Some(0)));
    assert_eq!(of(&then.disconnects, "full"), None, "who was never here does not leave");
    assert!(then.delivered_bytes > now.delivered_bytes, "bob is told, and ann too");
}

#[test]
fn without_a_limit_memory_has_none() {
    assert_eq!(Metrics::new(Memory::new(Config::MEMORY_BYTES_MAX)).snapshot().memory_max, None);
}

#[test]
fn connections_are_counted_by_where_they_come_in() {
    let metrics = Metrics::new(Memory::new(1));
    for (url, word) in [
        ("tcp://127.0.0.1:1", "line"),
        ("tcp+proxy://127.0.0.1:1", "line"),
        ("tls+proxy://127.0.0.1:1", "tls"),
        ("unix:/a", "unix"),
        ("http://127.0.0.1:1", "web"),
        ("https://127.0.0.1:1", "web"),
    ] {
        let entrance = Entrance::of(&url.parse().unwrap());
        let (open, before) = (&metrics.snapshot().connections, &metrics.snapshot().accepted);
        metrics.accepted(entrance);
        metrics.opened(entrance);
        let now = metrics.snapshot();
        assert_eq!(of(&now.connections, word), of(open, word).map(|open| open + 1), "{url}");
        assert_eq!(of(&now.accepted, word), of(before, word).map(|before| before + 1), "{url}");
        metrics.closed(entrance);
        assert_eq!(&metrics.snapshot().connections, open);
    }
    for (n, entrance) in Entrance::ALL.into_iter().enumerate() {
        assert_eq!(entrance as usize, n);
    }
    metrics.refused_connection(Departure::Full);
    assert_eq!(metrics.snapshot().refused, [("full", 1), ("full-for-address", 0), ("too-many-arrivals", 0)]);
}

#[test]
fn times_fall_into_buckets() {
    let metrics = Metrics::new(Memory::new(1));
    let us = Duration::from_micros;
    for took in [us(0), us(50), us(51), us(5000), us(1_000_000), us(1_000_001)] {
        metrics.turn_ended(took);
    }
    let turns = metrics.snapshot().turns;
    assert_eq!((turns.count, turns.sum), (6, us(2_005_102)));
    let within = |most| turns.buckets.iter().find(|(of, _)| *of == most).unwrap().1;
    assert_eq!([us(50), us(100), us(2500), us(5000), us(1_000_000)].map(within), [2, 3, 3, 4, 5]);
    assert!(TIMES.is_sorted());
    assert_eq!(metrics.snapshot().commits.count, 0);
}

#[test]
fn the_store_may_fail_and_work_again_and_a_server_may_end() {
    let memory = Memory::new(1 << 30);
    let mut broker = Broker::new(Config::default(), memory, Rc::default(), Rc::default());
    let metrics = Rc::clone(&broker.metrics);
    assert_eq!(metrics.health(), Health::Ok);
    metrics.committed(Duration::from_secs(1));
    broker.tell_chat(Input::StoreDown);
    assert_eq!(metrics.health(), Health::StoreFails);
    metrics.committed(Duration::ZERO);
    assert_eq!(metrics.snapshot().commits.count, 1, "a turn does not wait for what fails");
    broker.tell_chat(Input::StoreUp);
    assert_eq!(metrics.health(), Health::Ok);
    metrics.drain();
    broker.tell_chat(Input::StoreDown);
    assert_eq!(metrics.health(), Health::Draining);
}
