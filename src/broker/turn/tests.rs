//! What a turn renders and counts, and for whom.

use super::*;
use crate::{
    chat::{Identity, PublicEvent},
    protocol::{Envelope, Lang},
};

const TEXT: Dialect = Dialect { format: Format::Text, lang: Lang::En, envelope: Envelope::Lf };
const JSON: Dialect = Dialect { format: Format::Json, lang: Lang::En, envelope: Envelope::Lf };

fn public(seq: u64, event: PublicEvent) -> Public {
    Public {
        room: RoomId::LOBBY,
        name: "lobby".into(),
        members: 2,
        except: None,
        seq,
        position: None,
        event: Arc::new(event),
    }
}

/// What stands before what is said.
const SAID: &str = "[10.0.0.1:9]ann:";

fn say(text: &str) -> PublicEvent {
    let from = Arc::new(Identity { name: "ann".to_owned(), addr: "10.0.0.1:9".to_owned(), is_account: false });
    PublicEvent::Message { from, text: text.to_owned() }
}

/// What a client in this format is told of a turn in which one event is for all except it.
fn told(format: Format) -> Vec<String> {
    let (mut turn, memory) = (Turn::new(), Memory::new(0));
    let [mut client, mut other] = [(); 2].map(|()| Listener::new(Dialect { format, ..Dialect::default() }));
    turn.enter(&mut client, RoomId::LOBBY);
    turn.enter(&mut other, RoomId::LOBBY);
    turn.publish(&public(1, say("before")));
    turn.publish_except(&mut client, &public(2, say("except")));
    turn.publish(&public(3, say("after")));
    let mut public = turn.end(&memory);
    [client, other]
        .map(|mut listener| {
            let mut bytes = Vec::new();
            listener
                .take(&mut public, &memory, |parts| parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes)));
            String::from_utf8(bytes).unwrap()
        })
        .into()
}

#[test]
fn in_text_exactly_the_event_is_left_out() {
    assert_eq!(
        told(Format::Text),
        [format!("{SAID}before\n{SAID}after\n"), format!("{SAID}before\n{SAID}except\n{SAID}after\n")]
    );
}

#[test]
fn in_json_no_number_is_missing() {
    let [client, other] = &told(Format::Json)[..] else { panic!("two clients") };
    assert_eq!(client, other);
    assert_eq!(client.lines().count(), 3, "{client}");
}

#[test]
fn what_is_sent_of_a_long_answer_is_held_no_more() {
    const ANSWER: usize = 100_000;
    let (mut turn, memory) = (Turn::new(), Memory::new(1 << 30));
    let mut client = Listener::new(TEXT);
    turn.enter(&mut client, RoomId::LOBBY);
    let mut expected = String::new();
    for (seq, bytes) in (1..).zip([10, ANSWER, 20, 20_000]) {
        let text = seq.to_string().repeat(bytes);
        turn.publish(&public(seq, say(&text)));
        turn.tell(&mut client, &Event::Synced(text.clone()));
        expected.push_str(&format!("{SAID}{text}\nsync|{text}\n"));
    }
    let mut output = turn.end(&memory);
    let shared = memory.used();
    let mut parts = Vec::new();
    client.take(&mut output, &memory, |taken| {
        let taken = taken.iter().map(|part| Part { bytes: part.bytes.clone(), told: part.told });
        parts.extend(taken);
    });
    let told: Vec<_> = parts.iter().flat_map(|part| part.bytes.to_vec()).collect();
    assert!(told == expected.as_bytes());
    let mut left: usize = parts.iter().filter(|part| part.told.is_private()).map(|part| part.bytes.len()).sum();
    assert_eq!(memory.used() - shared, left);
    for part in parts {
        left -= if part.told.is_private() { part.bytes.len() } else { 0 };
        drop(part);
        assert!(memory.used() - shared < left + (16 << 10) + 1, "{left} bytes are left to send");
    }
    assert_eq!(memory.used(), shared);
}

const STAMP: Stamp<'_> =
    Stamp { seq: Some(1), at: Timestamp::UNIX_EPOCH, room: Some("lobby"), position: None, is_replay: false };

fn tell_all(turn: &mut Turn, event: &PublicEvent, members: usize) {
    turn.publish(&Public { members, ..public(1, event.clone()) });
}

fn message(bytes: usize) -> PublicEvent {
    say(&"x".repeat(bytes))
}

fn length(event: &PublicEvent, dialect: Dialect) -> usize {
    let mut bytes = Vec::new();
    render_public(&mut bytes, event, STAMP, dialect);
    bytes.len()
}

fn length_of_answer(event: &Event) -> usize {
    let mut bytes = Vec::new();
    render(&mut bytes, event, Stamp::private(Timestamp::UNIX_EPOCH), TEXT);
    bytes.len()
}

/// A turn with so many listeners.
fn turn(listeners: usize) -> Turn {
    let mut turn = Turn::new();
    (0..listeners).for_each(|_| turn.enter(&mut Listener::new(TEXT), RoomId::LOBBY));
    turn
}

/// How many messages of so many bytes each a turn tells its listeners before it is full.
fn messages_of(turn: &mut Turn, bytes: usize) -> usize {
    let (mut messages, members) = (0, turn.listeners.iter().sum());
    while !turn.is_full() {
        tell_all(turn, &message(bytes), members);
        messages += 1;
    }
    messages
}

#[test]
fn an_event_is_rendered_and_counted_for_those_who_listen() {
    let (mut turn, event) = (turn(2), message(10));
    let mut json = Listener::new(JSON);
    let told = |turn: &mut Turn, members| {
        let before = turn.delivered_bytes();
        tell_all(turn, &event, members);
        turn.delivered_bytes() - before
    };
    assert_eq!(told(&mut turn, 2), 2 * length(&event, TEXT));
    turn.enter(&mut json, RoomId::LOBBY);
    assert_eq!(told(&mut turn, 3), 3 * length(&event, JSON), "as if all were told the longest");
    turn.leave(&mut json);
    assert_eq!(told(&mut turn, 2), 2 * length(&event, TEXT));
    let public = turn.end(&Memory::new(1 << 20));
    let rendered = |dialect: Dialect| public.slice(dialect, ..).len();
    assert_eq!((rendered(TEXT), rendered(JSON)), (3 * length(&event, TEXT), length(&event, JSON)));
    assert_eq!(turn.delivered_bytes(), 0);
}

#[test]
fn what_one_client_is_told_alone_counts_once() {
    let (mut turn, event, mut listener) = (turn(5), Event::Synced("x".repeat(10)), Listener::new(TEXT));
    for times in 1..=3 {
        turn.tell(&mut listener, &event);
        assert_eq!(turn.delivered_bytes(), times * length_of_answer(&event));
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
    let (mut turn, event) = (turn(1), Event::Synced("x".repeat(4000)));
    let (mut told, length) = (0, length_of_answer(&event));
    while !turn.is_full() {
        turn.tell(&mut Listener::new(TEXT), &event);
        told += length;
    }
    assert_eq!(told.div_ceil(length), PRIVATE_BYTES_MAX.div_ceil(length));
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

/// Plays what happens in a turn, apart by spaces: `1+a` (client 1 enters room a), `1-a`, `a:x` (x happens there), `1:x`
/// (in private), `1:json`. Answers what clients 1 and 2 are told.
fn play(script: &str) -> [String; 2] {
    let (mut turn, memory) = (Turn::new(), Memory::new(0));
    let mut clients = [(); 2].map(|()| Listener::new(Dialect::default()));
    for step in script.split_ascii_whitespace() {
        let (who, rest) = step.split_at(1);
        let (what, rest) = rest.split_at(1);
        let room = |name: &str| RoomId(name.bytes().next().map_or(0, u64::from));
        let client = who.parse::<usize>().ok().map(|n| &mut clients[n - 1]);
        match (client, what, rest) {
            (Some(client), "+", name) => turn.enter(client, room(name)),
            (Some(client), "-", "") => turn.leave(client),
            (Some(client), "-", name) => turn.exit(client, room(name)),
            (Some(client), ":", "json") => turn.speak(client, Dialect { format: Format::Json, ..Dialect::default() }),
            (Some(client), ":", text) => turn.tell(client, &Event::WaitMet(text.to_owned())),
            (None, ":", text) => {
                let (room, name) = (room(who), who.into());
                turn.publish(&Public { room, name, members: 1, ..public(1, say(text)) });
            }
            other => panic!("{other:?}"),
        }
    }
    let mut public = turn.end(&memory);
    clients.map(|mut listener| {
        let mut bytes = Vec::new();
        listener.take(&mut public, &memory, |parts| parts.iter().for_each(|part| bytes.extend_from_slice(&part.bytes)));
        let text = String::from_utf8(bytes).unwrap();
        let words = text.lines().map(|line| {
            let (line, mark) = if line.starts_with('{') { (line, "{") } else { (line, "") };
            let word = line.split(r#""text":""#).last().unwrap();
            let word = word.strip_prefix('#').map_or(word, |line| line.split_once(' ').unwrap().1);
            format!("{mark}{}", word.trim_start_matches("wait|ok|").trim_start_matches(SAID).split('"').next().unwrap())
        });
        words.collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn each_is_told_what_happens_in_its_rooms_in_the_order_of_all() {
    assert_eq!(play("1+a 1+b 2+b a:1 b:2 a:3 c:4 b:5"), ["1 2 3 5", "2 5"]);
    assert_eq!(play("1+a 1+c 2+c 2+a a:1 b:2 c:3 a:4"), ["1 3 4", "1 3 4"]);
    assert_eq!(play("1+a a:1 a:2 b:3"), ["1 2", ""]);
    assert_eq!(play("1+a 2+b a:1"), ["1", ""]);
}

#[test]
fn whoever_enters_or_leaves_in_the_middle_is_told_what_happens_meanwhile() {
    assert_eq!(play("2+a a:1 1+a a:2 1-a a:3"), ["2", "1 2 3"]);
    assert_eq!(play("1+a a:1 b:2 1+b b:3 a:4 1-a a:5 b:6"), ["1 3 4 6", ""]);
    assert_eq!(play("1+a a:1 1-a a:2 1+a a:3"), ["1 3", ""]);
    assert_eq!(play("1+a 1+b a:1 b:2 1- a:3 b:4"), ["1 2", ""]);
    assert_eq!(play("2+a a:1 1- 1+a a:2"), ["2", "1 2"]);
}

#[test]
fn what_is_for_one_alone_keeps_its_place_among_all_rooms() {
    assert_eq!(play("1+a 1+b 2+a a:1 1:x b:2 c:3 1:y a:4"), ["1 x 2 y 4", "1 4"]);
    assert_eq!(play("1:x a:1 1+a 1:y a:2"), ["x y 2", ""]);
    assert_eq!(play("1+a 2+b 2:json a:1 b:2 1:json a:3 b:4"), ["1 {3", "{2 {4"]);
}

#[test]
fn a_turn_takes_more_where_it_is_for_many_rooms() {
    let mut turn = turn(1);
    let mut listener = Listener::new(TEXT);
    (1..=1000).for_each(|room| turn.enter(&mut listener, RoomId(room)));
    let mut told = 0;
    while !turn.is_full() {
        turn.publish(&Public { room: RoomId(1 + told % 1000), members: 1, ..public(1, message(1000)) });
        told += 1;
    }
    assert_eq!(told, (ROOMS_BYTES_MAX as u64).div_ceil(length(&message(1000), TEXT) as u64));
}

#[test]
fn a_turn_may_take_longer_where_sending_it_may() {
    assert_eq!(turn(LISTENERS).time_max(), TURN_TIME_MAX);
    assert_eq!(turn(LISTENERS + 1000).time_max(), TURN_TIME_MAX + 1000 * TURN_TIME_EACH);
}
