//! The server's messages, parsed from its JSON dialect and rendered in its text dialect. Escapes whatever the server
//! sent: the server may be malicious, and what comes out of here goes to a terminal.

use std::sync::Arc;

use pipechat::{
    chat::{Departure, Done, Event, Identity, LOBBY},
    protocol::{Lang, escape::escaped},
};
use serde_json::Value;

use super::{json::count_values, words::in_text};

/// The most values that a line may have, several times as many as any event has. Each takes many times as much memory
/// as it has bytes, so a line with more is not parsed.
const VALUES_MAX: usize = 100;
/// The commands whose refusals are `VERB|CODE|SENTENCE` in text.
const ANSWERING: [&str; 7] = ["join", "in", "leave", "rooms", "who", "topic", "check"];

/// A message of the server. All texts and names in it are escaped: they can be printed.
#[derive(Debug)]
pub(super) enum ServerMessage {
    /// Somebody arrives, leaves, has a new name or says something, and the room in which that happens; `None` for the lobby,
    /// and for a private message.
    News(Event, Option<Arc<str>>),
    /// The answer to a command of this client.
    Answer(Event),
    /// A setting or a check is confirmed, in these words.
    Set(String),
    /// The answer to `help`: the only text of several lines.
    Help(String),
    /// A command is refused.
    Refused {
        /// The command, for programs; empty where the server has not recognized it.
        verb: String,
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        text: String,
    },
    /// The server ends the connection.
    Farewell {
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        text: String,
    },
}

impl ServerMessage {
    /// Parses `line`. `None` is no object of the JSON dialect, or an event that this client does not know.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if !line.starts_with('{') || count_values(line) > VALUES_MAX {
            return None;
        }
        let object: Value = serde_json::from_str(line).ok()?;
        let string = |key: &str| object[key].as_str().map(escaped);
        let text = || string("text");
        let who = || {
            let field = |key: &str| object["from"][key].as_str().map(escaped);
            Some(Arc::new(Identity { name: field("name")?, addr: field("addr")? }))
        };
        let old = || Some(Arc::new(Identity { name: string("old")?, addr: who()?.addr.clone() }));
        let count = || usize::try_from(object["count"].as_u64()?).ok();
        let shared = |key: &str| string(key).map(Arc::<str>::from);
        let topic = || shared("text").unwrap_or_default(); // null is none
        let room = || shared("room").filter(|room| **room != *LOBBY);
        let news = |event| Some(Self::News(event, room()));
        let done = |done| Some(Self::Answer(Event::Done(done)));
        match object["event"].as_str()? {
            "online" => news(Event::Online(who()?)),
            // Any departure will do: the text dialect does not show the reason.
            "offline" => news(Event::Offline(who()?, Departure::Left)),
            "message" => news(Event::Message { from: who()?, text: text()? }),
            "private" => Some(Self::News(Event::Private { from: who()?, text: text()? }, None)),
            "known_as" => news(Event::KnownAs { old: old()?, new: who()? }),
            "joined" => news(Event::Joined(who()?)),
            "left" => news(Event::Left(who()?)),
            "topic" => news(Event::Topic { from: who()?, text: text()?.into() }),
            "user" => Some(Self::Answer(Event::User(who()?))),
            "users_end" => Some(Self::Answer(Event::UsersEnd(count()?))),
            "room" => Some(Self::Answer(Event::Room { name: shared("room")?, members: count()?, topic: topic() })),
            "renamed" => Some(Self::Answer(Event::Renamed { old: old()?, new: who()? })),
            "sync" => Some(Self::Answer(Event::Synced(text()?))),
            "wait" if object["code"] == "ok" => Some(Self::Answer(Event::WaitMet(text()?))),
            "wait" => Some(Self::Answer(Event::WaitTimedOut)),
            "ok" => match object["verb"].as_str()? {
                "join" => done(Done::Join { room: shared("room")?, members: count()?, topic: topic() }),
                "in" => done(Done::In(shared("room")?)),
                "leave" => done(Done::Leave(shared("room")?)),
                "rooms" => done(Done::Rooms(count()?)),
                "who" => done(Done::Who(shared("room")?, count()?)),
                "topic" => done(Done::Topic(shared("room")?, topic())),
                "check" => Some(Self::Set(format!("check|ok|{}", text()?))),
                _ => None,
            },
            "set" => Some(Self::Set(text()?)),
            "help" => {
                Some(Self::Help(object["text"].as_str()?.split('\n').map(escaped).collect::<Vec<_>>().join("\n")))
            }
            "refused" => {
                let verb = string("verb").unwrap_or_default();
                Some(Self::Refused { verb, code: string("code")?, text: text()? })
            }
            "farewell" => Some(Self::Farewell { code: string("code")?, text: text()? }),
            _ => None,
        }
    }

    /// Whether `line` is news, decided without parsing all of it: `event` comes before all that users can choose.
    pub(super) fn is_news(line: &str) -> bool {
        let event = line.split_once(r#""event":""#).and_then(|(_, rest)| rest.split_once('"'));
        let kind = event.map_or("", |(kind, _)| kind);
        matches!(kind, "online" | "offline" | "known_as" | "joined" | "left" | "topic" | "message" | "private")
    }

    /// The message in the text dialect, as whole lines.
    pub(super) fn in_text(&self, lang: Lang) -> Vec<u8> {
        match self {
            Self::News(event, room) => in_text(event, room.as_deref(), lang),
            Self::Answer(event) => in_text(event, None, lang),
            Self::Refused { verb, code, text } if ANSWERING.contains(&&**verb) => {
                format!("{verb}|{code}|{text}\n").into_bytes()
            }
            Self::Set(text) | Self::Help(text) | Self::Refused { text, .. } | Self::Farewell { text, .. } => {
                format!("{text}\n").into_bytes()
            }
        }
    }

    /// The same message with `change` applied to the names of users.
    pub(super) fn with_names(self, change: impl Fn(&str) -> String) -> Self {
        let who = |who: &Identity| Arc::new(Identity { name: change(&who.name), addr: who.addr.clone() });
        let event = |event| match event {
            Event::Online(it) => Event::Online(who(&it)),
            Event::Offline(it, departure) => Event::Offline(who(&it), departure),
            Event::Message { from, text } => Event::Message { from: who(&from), text },
            Event::Private { from, text } => Event::Private { from: who(&from), text },
            Event::User(it) => Event::User(who(&it)),
            Event::Renamed { old, new } => Event::Renamed { old: who(&old), new: who(&new) },
            Event::KnownAs { old, new } => Event::KnownAs { old: who(&old), new: who(&new) },
            Event::Joined(it) => Event::Joined(who(&it)),
            Event::Left(it) => Event::Left(who(&it)),
            Event::Topic { from, text } => Event::Topic { from: who(&from), text },
            Event::UsersEnd(_)
            | Event::Room { .. }
            | Event::Done(_)
            | Event::Declined(..)
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => event,
        };
        match self {
            Self::News(it, room) => Self::News(event(it), room),
            Self::Answer(it) => Self::Answer(event(it)),
            Self::Set(_) | Self::Help(_) | Self::Refused { .. } | Self::Farewell { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_told_apart_without_parsing() {
        for event in ["online", "offline", "known_as", "joined", "left", "topic", "message", "private"] {
            assert!(ServerMessage::is_news(&format!(r#"{{"seq":1,"event":"{event}","from":null}}"#)), "{event}");
        }
        for event in ["user", "users_end", "room", "ok", "sync", "wait", "refused", "renamed", "set"] {
            assert!(!ServerMessage::is_news(&format!(r#"{{"seq":1,"event":"{event}","from":null}}"#)), "{event}");
        }
    }

    /// What `line` is in the text dialect; "" if it is not understood.
    fn shown(line: &str) -> String {
        let text = ServerMessage::parse(line).map(|message| message.in_text(Lang::En));
        String::from_utf8(text.unwrap_or_default()).unwrap()
    }

    const FROM: &str = r#""from":{"name":"a\u001b[2J\u202eb\nc","addr":"\u009b1\r"}"#;

    #[test]
    fn each_field_is_escaped() {
        let name = r"a\u{1b}[2J\u{202e}b\u{a}c";
        let addr = r"\u{9b}1\u{d}";
        let from = format!("[{addr}]{name}:");
        for (rest, expected) in [
            (r#""event":"online""#, format!("{from}is online\n")),
            (r#""event":"offline""#, format!("{from}is offline\n")),
            (r#""event":"message","text":"\u0007\u2028""#, format!("{from}\\u{{7}}\\u{{2028}}\n")),
            (r#""event":"private","text":"\u007f""#, format!("from:[{name}] says:\\u{{7f}}\n")),
            (r#""event":"user""#, format!("[{name}] is online\n")),
            (r#""event":"renamed","old":"\u0085""#, format!("renamed,[\\u{{85}}]->[{name}]\n")),
            (r#""event":"known_as","old":"\u0085""#, format!("[{addr}]\\u{{85}} is now [{name}]\n")),
            (r#""event":"joined","room":"\u001b""#, format!("#\\u{{1b}} [{addr}]{name} has joined\n")),
            (r#""event":"left","room":"lobby""#, format!("[{addr}]{name} has left\n")),
            (r#""event":"topic","room":"r","text":"\n""#, format!("#r [{addr}]{name} topic: \\u{{a}}\n")),
            (r#""event":"message","room":"r","text":"hi""#, format!("#r {from}hi\n")),
            (r#""event":"private","room":"r","text":"hi""#, format!("from:[{name}] says:hi\n")),
            (r#""event":"room","room":"\n","count":2,"text":null"#, "rooms|2|\\u{a}|\n".to_owned()),
            (r#""event":"ok","verb":"join","room":"\n","count":2,"text":"t""#, "join|ok|\\u{a}|2|-|t\n".to_owned()),
            (r#""event":"ok","verb":"who","room":"r","count":2"#, "who|ok|r|2\n".to_owned()),
            (r#""event":"ok","verb":"check","text":"\n""#, "check|ok|\\u{a}\n".to_owned()),
            (r#""event":"refused","verb":"in","code":"\n","text":"\n""#, "in|\\u{a}|\\u{a}\n".to_owned()),
            (r#""event":"refused","verb":"\n","code":"x","text":"no""#, "no\n".to_owned()),
            (r#""event":"sync","text":"\n""#, "sync|\\u{a}\n".to_owned()),
            (r#""event":"wait","code":"ok","text":"\n""#, "wait|ok|\\u{a}\n".to_owned()),
            (r#""event":"set","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"refused","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"farewell","code":"","text":"a\n\u001b""#, "a\\u{a}\\u{1b}\n".to_owned()),
            (r#""event":"help","text":"a\r\nb\u001b""#, "a\\u{d}\nb\\u{1b}\n".to_owned()),
        ] {
            assert_eq!(shown(&format!("{{{FROM},{rest}}}")), expected, "{rest}");
        }
    }

    #[test]
    fn names_are_changed_after_they_are_escaped() {
        let message = ServerMessage::parse(&format!(r#"{{{FROM},"event":"user"}}"#)).unwrap();
        let text = message.with_names(|name| format!("\x1b[31m{name}\x1b[0m")).in_text(Lang::En);
        assert_eq!(text, b"[\x1b[31ma\\u{1b}[2J\\u{202e}b\\u{a}c\x1b[0m] is online\n");
    }

    #[test]
    fn what_is_no_event_is_ignored() {
        let deep = format!("{}{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        let wide = format!(r#"{{"event":"sync","text":"x","a":[{}0]}}"#, "0,".repeat(VALUES_MAX));
        for line in [
            "",
            "{",
            "{}",
            "[]",
            "null",
            "\"event\"",
            "7",
            "[{\"event\":\"sync\"}]",
            &"[".repeat(1_000_000),
            &deep,
            &wide,
            r#"{"event":7}"#,
            r#"{"event":"moon"}"#,
            r#"{"event":"sync"}"#,
            r#"{"event":"message","text":"x"}"#,
            r#"{"event":"message","text":"x","from":7}"#,
            r#"{"event":"message","text":"x","from":{"name":[],"addr":{}}}"#,
            r#"{"event":"ok","verb":"moon","room":"x"}"#,
            r#"{"event":"ok","verb":"join","room":"x"}"#,
            r#"{"event":"users_end","count":-1}"#,
            r#"{"event":"users_end","count":1.5}"#,
            r#"{"event":"users_end","count":18446744073709551616}"#,
            r#"{"event":"users_end","count":1e999999999}"#,
            r#"{"event":"sync","text":"\ud800"}"#,
            "{\"event\":\"sync\",\"text\":\"\x1b\"}",
        ] {
            assert_eq!(shown(line), "", "{line:.100}");
        }
        let commas = ",[{".repeat(VALUES_MAX);
        assert_eq!(shown(&format!(r#"{{"event":"sync","text":"\"{commas}"}}"#)), format!("sync|\"{commas}\n"));
    }
}
