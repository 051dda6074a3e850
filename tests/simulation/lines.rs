//! What a reader can make of any line, and what a terminal does with it.

use std::{net::SocketAddr, sync::Arc};

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, Identity, Name, PublicEvent},
    protocol::{Dialect, Format, Reply, Stamp, render_reply},
};
use proptest::prelude::*;

use super::{
    any_event::AnyEvent,
    kinds::{events, past, public_events, replies},
    object::read_object,
    reader::{Heard, dialects, ending_of, is_obeyed, plain, read},
};

const SEQ: u64 = 7;
const LOBBY: &str = "lobby";

fn line(event: &AnyEvent, room: &str, dialect: Dialect) -> String {
    let mut line = Vec::new();
    let stamp = Stamp { seq: Some(SEQ), room: Some(room), ..Stamp::private(Timestamp::UNIX_EPOCH) };
    event.render(&mut line, stamp, dialect);
    String::from_utf8(line).expect("UTF-8")
}

/// Any valid name, or none: then the address stands for it.
fn any_identity() -> impl Strategy<Value = Arc<Identity>> {
    let addr = prop_oneof![
        any::<([u8; 4], u16)>().prop_map(SocketAddr::from),
        any::<([u16; 8], u16)>().prop_map(SocketAddr::from)
    ];
    let name = prop_oneof!["[a-z]{1,8}", "\\PC{1,6}", "已上线|下线|来自|from|says|张三|is"];
    let name = name.prop_filter_map("a valid name", |name| Name::parse(&name).ok());
    (addr, proptest::option::of(name)).prop_map(|(addr, name)| {
        let addr = addr.to_string();
        Arc::new(Identity {
            name: name.map_or_else(|| addr.clone(), |name| name.as_str().to_owned()),
            addr,
            is_account: false,
        })
    })
}

/// The name of any room.
fn any_room() -> impl Strategy<Value = String> {
    let name = prop_oneof!["[a-z]{1,8}", "\\PC{1,6}", Just(LOBBY.to_owned())];
    name.prop_filter("the name of a room", |name| Name::parse(name).is_ok() && !name.contains(['/', ',']))
}

/// The same user under another name.
fn known_as(who: &Identity, name: &str) -> Arc<Identity> {
    Arc::new(Identity { name: name.to_owned(), addr: who.addr.clone(), is_account: false })
}

/// Any text of a line.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        (0..0xa0u8).prop_map(|c| char::from(c).to_string()),
        "\\PC{0,9}",
        "[\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}\u{61c}]",
        prop_oneof![
            Just("]"),
            Just("["),
            Just(":"),
            Just("|"),
            Just("]的消息,内容是:"),
            Just("#"),
            Just(" has joined"),
            Just(" 主题:"),
            Just("] says:"),
            Just("[127.0.0.1:1]ann:"),
            Just(" is now ["),
            Just(" 已改名为[")
        ]
        .prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().replace('\n', ""))
}

proptest! {
    #[test]
    fn a_reader_recovers_sender_and_text(from in any_identity(), other in any_identity(), room in any_room(), text in any_text()) {
        for dialect in dialects() {
            let presence = [
                PublicEvent::Online(Arc::clone(&from)),
                PublicEvent::Offline(Arc::clone(&from), Departure::Lost),
                PublicEvent::KnownAs { old: Arc::clone(&from), new: known_as(&from, &other.name) },
                PublicEvent::Joined(Arc::clone(&from)),
                PublicEvent::Left(Arc::clone(&from)),
                PublicEvent::Topic { from: Arc::clone(&from), text: text.as_str().into() },
            ];
            for event in presence {
                let (past, event) = (AnyEvent::Alone(past(&room, event.clone())), AnyEvent::Public(event));
                let line = line(&event, &room, dialect);
                let line = line.strip_suffix(ending_of(dialect)).expect("the end of the line");
                prop_assert_eq!(read(line, dialect), Heard::in_room(Some(&room), &event), "{:?}", line);
                let line = self::line(&past, LOBBY, dialect);
                let line = line.strip_suffix(ending_of(dialect)).expect("the end of the line");
                prop_assert_eq!(read(line, dialect), Heard::of(&past), "{:?}", line);
            }
            let user = AnyEvent::Alone(Event::User(Arc::clone(&from)));
            let listed = line(&user, LOBBY, dialect);
            let listed = listed.strip_suffix(ending_of(dialect)).expect("the end of the line");
            prop_assert_eq!(read(listed, dialect), Heard::of(&user), "{:?}", listed);
            // A text that is just the words of presence is no forgery: it is said in one's own name, of oneself.
            let text = format!("{text}.");
            let message = AnyEvent::Public(PublicEvent::Message { from: Arc::clone(&from), text: text.clone() });
            let private = AnyEvent::Alone(Event::Private { from: Arc::clone(&from), text: text.clone() });
            for (event, room) in [(&message, room.as_str()), (&message, LOBBY), (&private, LOBBY)] {
                let line = line(event, room, dialect);
                prop_assert_eq!(line.matches('\n').count(), 1);
                let line = line.strip_suffix(ending_of(dialect)).expect("the end of the line");
                prop_assert!(!plain(line).contains(is_obeyed), "{:?}", line);
                prop_assert_eq!(read(line, dialect), Heard::in_room(Some(room), event));
                if dialect.format == Format::Json {
                    let object = read_object(line);
                    prop_assert_eq!((object.seq, object.room.as_deref()), (Some(SEQ), Some(room)));
                    prop_assert_eq!(object.text.as_ref(), Some(&text));
                    prop_assert_eq!(object.from, Some((from.name.clone(), from.addr.clone())));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_is_whole_lines_that_no_terminal_obeys(who in any_identity(), room in any_room(), text in any_text()) {
        for dialect in dialects() {
            for event in events(&who, &text) {
                let is_silent = matches!(event, Event::UsersEnd(_)) && dialect.format == Format::Text;
                assert_lines(&line(&event.into(), LOBBY, dialect), usize::from(!is_silent), dialect);
            }
            for event in public_events(&who, &text) {
                assert_lines(&line(&event.into(), &room, dialect), 1, dialect);
            }
        }
    }
}

#[test]
fn every_reply_is_whole_lines() {
    for reply in replies() {
        for dialect in dialects() {
            let mut line = Vec::new();
            render_reply(&mut line, &reply, Timestamp::UNIX_EPOCH, dialect);
            let line = String::from_utf8(line).expect("UTF-8");
            let lines = match (&reply, dialect.format) {
                (Reply::Help(_), Format::Text) => line.lines().count(),
                (Reply::Alive, _) => 0,
                _ => 1,
            };
            assert_lines(&line, lines, dialect);
        }
    }
}

fn assert_lines(text: &str, lines: usize, dialect: Dialect) {
    assert_eq!(text.matches('\n').count(), lines, "{text:?}");
    let ending = ending_of(dialect);
    assert!(text.is_empty() || text.ends_with(ending), "{text:?}");
    assert!(!text.split(ending).any(|line| plain(line).contains(is_obeyed)), "{text:?}");
    if dialect.format == Format::Json && !text.is_empty() {
        read_object(text.trim_end_matches(ending));
    }
}
