//! Which fields each object has.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::*;
use crate::{
    chat::{Asked, Departure, Epoch, OrderRefusal, Record, Refusal},
    protocol::{FormError, Format, Limits, Setting},
};

fn position(n: u64) -> Option<Position> {
    Some(Position { n, epoch: Epoch::from_random(0) })
}

/// The fields of an object that are not null, as `event key=value …`, and its order in a log if it has one.
fn shown(line: &[u8]) -> String {
    let object: Value = serde_json::from_slice(line).unwrap();
    assert_eq!(object.as_object().unwrap().len(), 13, "all fields are there always: {object}");
    let at = object["at"].as_str().unwrap();
    assert_eq!(at, "1970-01-01T00:00:01.500Z");
    let mut shown = object["event"].as_str().unwrap().to_owned();
    for key in ["seq", "from", "text", "code", "old", "count", "room", "verb", "account", "pos", "replay"] {
        match &object[key] {
            Value::Null => {}
            Value::Object(from) => {
                assert_eq!(from.len(), 2);
                let [name, addr] = ["name", "addr"].map(|key| from[key].as_str().unwrap());
                shown.push_str(&format!(" {key}={name}/{addr}"));
            }
            Value::String(text) => shown.push_str(&format!(" {key}={text}")),
            value => shown.push_str(&format!(" {key}={value}")),
        }
    }
    shown
}

const AT: Timestamp = Timestamp::constant(1, 500_000_000);

fn identity(name: &str) -> Arc<Identity> {
    Arc::new(Identity { name: name.to_owned(), addr: "10.0.0.1:9".to_owned(), is_account: false })
}

fn ann() -> Arc<Identity> {
    identity("ann")
}

#[test]
fn public_events() {
    for (of, seq, fields) in [
        (PublicEvent::Online(ann()), 7, "online seq=7 from=ann/10.0.0.1:9 room=lobby"),
        (PublicEvent::Offline(ann(), Departure::Lost), 8, "offline seq=8 from=ann/10.0.0.1:9 code=lost room=lobby"),
        (
            PublicEvent::Message { from: ann(), text: "hi".to_owned() },
            9,
            "message seq=9 from=ann/10.0.0.1:9 text=hi room=lobby",
        ),
        (
            PublicEvent::KnownAs { old: identity("bob"), new: ann() },
            10,
            "known_as seq=10 from=ann/10.0.0.1:9 old=bob room=lobby",
        ),
        (PublicEvent::Joined(ann()), 1, "joined seq=1 from=ann/10.0.0.1:9 room=lobby"),
        (PublicEvent::Left(ann()), 2, "left seq=2 from=ann/10.0.0.1:9 room=lobby"),
        (
            PublicEvent::Topic { from: ann(), text: "red".into() },
            3,
            "topic seq=3 from=ann/10.0.0.1:9 text=red room=lobby",
        ),
    ] {
        let mut line = Vec::new();
        public_event(&mut line, &of, Stamp { seq: Some(seq), room: Some("lobby"), ..Stamp::private(AT) });
        assert_eq!(shown(&line), fields);
    }
}

#[test]
fn events() {
    let text = || "hi".to_owned();
    let owner = Arc::new(Identity { is_account: true, ..(*ann()).clone() });
    for (of, fields) in [
        (Event::Private { from: ann(), text: text() }, "private from=ann/10.0.0.1:9 text=hi"),
        (Event::User(ann()), "user from=ann/10.0.0.1:9"),
        (Event::UsersEnd(3), "users_end count=3"),
        (Event::User(owner), "user from=ann/10.0.0.1:9 account=ann"),
        (Event::Renamed { old: identity("bob"), new: ann() }, "renamed from=ann/10.0.0.1:9 old=bob"),
        (Event::Synced(text()), "sync text=hi"),
        (Event::WaitMet(text()), "wait text=hi code=ok"),
        (Event::WaitTimedOut, "wait code=timeout"),
        (
            Event::Refused(Refusal::WaitTooLong(Duration::from_secs(5))),
            "refused text=wait too long: must be at most 5 seconds code=wait-too-long verb=wait",
        ),
        (Event::Room { name: "zoo".into(), members: Some(2), topic: "apes".into() }, "room text=apes count=2 room=zoo"),
        (Event::Room { name: "zoo".into(), members: Some(2), topic: "".into() }, "room count=2 room=zoo"),
        (
            Event::Done(Done::Join { room: "zoo".into(), members: 2, position: position(9), topic: "apes".into() }),
            "ok text=apes count=2 room=zoo verb=join pos=9.aaaaa",
        ),
        (Event::Done(Done::In("zoo".into(), None)), "ok room=zoo verb=in"),
        (Event::Done(Done::In("zoo".into(), position(9))), "ok room=zoo verb=in pos=9.aaaaa"),
        (Event::Done(Done::Leave("zoo".into())), "ok room=zoo verb=leave"),
        (Event::Done(Done::Rooms(3)), "ok count=3 verb=rooms"),
        (Event::Done(Done::Who("zoo".into(), 3)), "ok count=3 room=zoo verb=who"),
        (Event::Done(Done::Topic("zoo".into(), "".into())), "ok room=zoo verb=topic"),
        (
            Event::Declined(Asked::Leave, Refusal::NotInRoom),
            "refused text=not in this room code=not-in-room verb=leave",
        ),
        (
            Event::Past(
                Record { n: 7, at: AT, room: "zoo".into(), event: PublicEvent::Left(ann()).into() },
                Epoch::from_random(0),
            ),
            "left from=ann/10.0.0.1:9 room=zoo pos=7.aaaaa replay=true",
        ),
        (
            Event::Done(Done::History { room: "zoo".into(), count: 3, position: position(9), has_more: false }),
            "ok count=3 room=zoo verb=history pos=9.aaaaa",
        ),
        (
            Event::Done(Done::History { room: "zoo".into(), count: 1000, position: position(8), has_more: true }),
            "ok code=more count=1000 room=zoo verb=history pos=8.aaaaa",
        ),
        (
            Event::Declined(Asked::Join, Refusal::HistoryGone { room: "zoo".into(), oldest: position(5) }),
            "refused text=older history is gone code=history-gone room=zoo verb=join pos=5.aaaaa",
        ),
        (
            Event::Declined(Asked::In, OrderRefusal::Muted(Some(AT)).into()),
            "refused text=you are muted until 1970-01-01T00:00:01.500Z code=muted old=1970-01-01T00:00:01.500Z verb=in",
        ),
        (
            Event::Declined(Asked::Login, OrderRefusal::Banned(None).into()),
            "refused text=this account is banned code=banned verb=login",
        ),
        (
            Event::Refused(OrderRefusal::Muted(Some(AT)).into()),
            "refused text=you are muted until 1970-01-01T00:00:01.500Z code=muted old=1970-01-01T00:00:01.500Z verb=say",
        ),
        (Event::Farewell(Departure::Quit), "farewell text=goodbye code=quit"),
    ] {
        let mut line = Vec::new();
        event(&mut line, &of, Stamp::private(AT), Lang::En);
        assert_eq!(shown(&line), fields);
    }
}

#[test]
fn replies() {
    let token = || "1".to_owned();
    for (of, fields) in [
        (Reply::Refused(FormError::Nul), "refused text=line contains a NUL, discarded code=nul"),
        (Reply::Refused(FormError::Usage(Verb::Who)), "refused text=usage: who, who|ROOM code=malformed verb=who"),
        (Reply::Checked { token: token(), refused: None }, "ok text=1 verb=check"),
        (Reply::Checked { token: token(), refused: Some("nul") }, "refused text=1 code=nul verb=check"),
        (Reply::Set(Setting::Format(Format::Json)), "set text=set: format json"),
    ] {
        let mut line = Vec::new();
        reply(&mut line, &of, Stamp::private(AT), Lang::En);
        assert_eq!(shown(&line), fields);
    }
    let mut line = Vec::new();
    reply(&mut line, &Reply::Help(Arc::new(Limits::default())), Stamp::private(AT), Lang::En);
    let help = shown(&line);
    assert!(help.starts_with("help text=") && help.contains("who") && !help.contains(" verb="), "{help}");
}

#[test]
fn what_needs_an_escape_has_the_shortest_one() {
    let escapes = [
        ("\"", r#"\""#),
        ("\\", r"\\"),
        ("\t", r"\t"),
        ("\r", r"\r"),
        ("\n", r"\n"),
        ("\x1b", r"\u001b"),
        ("\x7f", r"\u007f"),
        ("\u{202e}", r"\u202e"),
        ("|é張", "|é張"),
    ];
    let all = [escapes.map(|(text, _)| text).concat(), escapes.map(|(_, escaped)| escaped).concat()];
    for (text, escaped) in escapes.into_iter().chain([(&*all[0], &*all[1])]) {
        let mut line = Vec::new();
        string(&mut line, Some(text));
        assert_eq!(String::from_utf8(line).unwrap(), format!("\"{escaped}\""));
    }
}
