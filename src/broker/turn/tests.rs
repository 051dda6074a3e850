//! What a turn renders and counts, and for whom.

use super::*;
use crate::{
    chat::Identity,
    protocol::{Lang, LineEnding},
};

const TEXT: Dialect = Dialect { format: Format::Text, lang: Lang::En, ending: LineEnding::Lf };
const JSON: Dialect = Dialect { format: Format::Json, lang: Lang::En, ending: LineEnding::Lf };

/// What a client in this format is told of a turn in which one event is for all except it.
fn told(format: Format) -> Vec<String> {
    let (mut turn, memory) = (Turn::new(), Memory::new(0));
    let say = |text: &str| Event::WaitMet(text.to_owned());
    let [mut client, mut other] = [(); 2].map(|()| Listener::new(Dialect { format, ..Dialect::default() }));
    turn.listen(&mut client);
    turn.listen(&mut other);
    turn.publish(RoomId::LOBBY, Some(1), &say("before"));
    turn.publish_except(&mut client, RoomId::LOBBY, Some(2), &say("except"));
    turn.publish(RoomId::LOBBY, Some(3), &say("after"));
    let public = turn.end(&memory);
    [client, other]
        .map(|mut listener| {
            let mut bytes = Vec::new();
            listener.take(&public, &memory, |parts| parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes)));
            String::from_utf8(bytes).unwrap()
        })
        .into()
}

#[test]
fn in_text_exactly_the_event_is_left_out() {
    assert_eq!(
        told(Format::Text),
        ["wait|ok|before\nwait|ok|after\n", "wait|ok|before\nwait|ok|except\nwait|ok|after\n"]
    );
}

#[test]
fn in_json_no_number_is_missing() {
    let [client, other] = &told(Format::Json)[..] else { panic!("two clients") };
    assert_eq!(client, other);
    assert_eq!(client.lines().count(), 3, "{client}");
}

const STAMP: Stamp = Stamp { seq: Some(1), at: Timestamp::UNIX_EPOCH };

fn message(bytes: usize) -> Event {
    let from = Arc::new(Identity { name: "ann".to_owned(), addr: "10.0.0.1:9".to_owned() });
    Event::Message { from, text: "x".repeat(bytes) }
}

fn length(event: &Event, dialect: Dialect) -> usize {
    let mut bytes = Vec::new();
    render(&mut bytes, event, STAMP, dialect);
    bytes.len()
}

/// A turn with so many listeners.
fn turn(listeners: usize) -> Turn {
    let mut turn = Turn::new();
    (0..listeners).for_each(|_| turn.listen(&mut Listener::new(TEXT)));
    turn
}

/// How many messages of so many bytes each a turn tells all before it is full.
fn messages_of(turn: &mut Turn, bytes: usize) -> usize {
    let mut messages = 0;
    while !turn.is_full() {
        turn.publish(RoomId::LOBBY, Some(1), &message(bytes));
        messages += 1;
    }
    messages
}

#[test]
fn an_event_is_rendered_and_counted_for_those_who_listen() {
    let (mut turn, event) = (turn(2), message(10));
    let mut json = Listener::new(JSON);
    let told = |turn: &mut Turn| {
        let before = turn.delivered_bytes();
        turn.publish(RoomId::LOBBY, Some(1), &event);
        turn.delivered_bytes() - before
    };
    assert_eq!(told(&mut turn), 2 * length(&event, TEXT));
    turn.listen(&mut json);
    assert_eq!(told(&mut turn), 3 * length(&event, JSON), "as if all were told the longest");
    turn.leave(&mut json);
    assert_eq!(told(&mut turn), 2 * length(&event, TEXT));
    let public = turn.end(&Memory::new(1 << 20));
    let rendered = |dialect: Dialect| public.bytes[dialect.index()].len();
    assert_eq!((rendered(TEXT), rendered(JSON)), (3 * length(&event, TEXT), length(&event, JSON)));
    assert_eq!(turn.delivered_bytes(), 0);
}

#[test]
fn what_one_client_is_told_alone_counts_once() {
    let (mut turn, event, mut listener) = (turn(5), message(10), Listener::new(TEXT));
    for times in 1..=3 {
        turn.tell(&mut listener, &event);
        assert_eq!(turn.delivered_bytes(), times * length(&event, TEXT));
        assert_eq!(listener.private_bytes(), turn.delivered_bytes());
    }
}

#[test]
fn a_turn_is_full_when_so_much_is_told_to_all() {
    let mut turn = turn(1);
    assert_eq!(messages_of(&mut turn, 1000), PUBLIC_BYTES_MAX.div_ceil(length(&message(1000), TEXT)));
    turn.end(&Memory::new(1 << 20));
    assert!(!turn.is_full());
}

#[test]
fn a_turn_is_full_when_so_much_is_told_to_single_clients() {
    let (mut turn, event) = (turn(1), message(4000));
    let mut told = 0;
    while !turn.is_full() {
        turn.tell(&mut Listener::new(TEXT), &event);
        told += length(&event, TEXT);
    }
    assert_eq!(told.div_ceil(length(&event, TEXT)), PRIVATE_BYTES_MAX.div_ceil(length(&event, TEXT)));
}

#[test]
fn a_turn_is_full_when_so_much_is_delivered_and_a_larger_crowd_is_told_more() {
    let each = length(&message(1000), TEXT);
    assert_eq!(messages_of(&mut turn(LISTENERS), 1000), DELIVERED_BYTES_MAX.div_ceil(LISTENERS * each));
    // Each listener above adds as much as all have of it.
    let crowd = 3 * LISTENERS;
    let delivered_max = 2 * LISTENERS * DELIVERED_BYTES_EACH;
    assert_eq!(messages_of(&mut turn(crowd), 1000), delivered_max.div_ceil(crowd * each));
}
