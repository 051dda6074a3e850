//! What the server tells, out of its JSON dialect and back into its text dialect.

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, Identity},
    protocol::{Dialect, Format, Lang, Reply, Setting, Stamp, render, render_reply},
};
use serde_json::Value;

/// One object of the server's, understood.
#[derive(Debug)]
pub(super) enum ServerMessage {
    /// News: somebody comes, goes or says something.
    News(Event),
    /// An answer with parts.
    Answer(Event),
    /// An answer in words, for people.
    Words(String),
    /// Something is not done.
    Refused {
        /// The word for machines.
        code: String,
        /// The words for people.
        text: String,
    },
    /// The server ends the connection.
    Farewell {
        /// The word for machines.
        code: String,
        /// The words for people.
        text: String,
    },
}

impl ServerMessage {
    /// Understands `line`; `None` is one that is no object of the JSON dialect, or an event that this client does not know.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(line).ok()?;
        let string = |key: &str| object[key].as_str().map(str::to_owned);
        let text = || string("text");
        let who = || {
            let field = |key: &str| object["from"][key].as_str().map(str::to_owned);
            Some(Arc::new(Identity { name: field("name")?, addr: field("addr")? }))
        };
        Some(match object["event"].as_str()? {
            "online" => Self::News(Event::Online(who()?)),
            // The reason stays in the object: the text dialect does not tell it.
            "offline" => Self::News(Event::Offline(who()?, Departure::Left)),
            "message" => Self::News(Event::Message { from: who()?, text: text()? }),
            "private" => Self::News(Event::Private { from: who()?, text: text()? }),
            "user" => Self::Answer(Event::User(who()?)),
            "users_end" => Self::Answer(Event::UsersEnd(usize::try_from(object["count"].as_u64()?).ok()?)),
            "renamed" => {
                let new = who()?;
                let old = Arc::new(Identity { name: string("old")?, addr: new.addr.clone() });
                Self::Answer(Event::Renamed { old, new })
            }
            "sync" => Self::Answer(Event::Synced(text()?)),
            "wait" if object["code"] == "ok" => Self::Answer(Event::WaitMet(text()?)),
            "wait" => Self::Answer(Event::WaitTimedOut),
            "set" | "help" => Self::Words(text()?),
            "refused" => Self::Refused { code: string("code")?, text: text()? },
            "farewell" => Self::Farewell { code: string("code")?, text: text()? },
            _ => return None,
        })
    }

    /// Whether `line` is news, found out without understanding all of it: `event` comes before everything that a user has
    /// a say in.
    pub(super) fn is_news(line: &str) -> bool {
        let event = line.split_once(r#""event":""#).and_then(|(_, rest)| rest.split_once('"'));
        matches!(event, Some(("online" | "offline" | "message" | "private", _)))
    }

    /// What the server would have said in its text dialect, as whole lines.
    pub(super) fn in_text(&self, lang: Lang) -> Vec<u8> {
        match self {
            Self::News(event) | Self::Answer(event) => in_text(event, lang),
            Self::Words(text) | Self::Refused { text, .. } | Self::Farewell { text, .. } => {
                format!("{text}\n").into_bytes()
            }
        }
    }

    /// The same event with `change` made to the names of users.
    pub(super) fn with_names(self, change: impl Fn(&str) -> String) -> Self {
        let who = |who: &Identity| Arc::new(Identity { name: change(&who.name), addr: who.addr.clone() });
        let event = |event| match event {
            Event::Online(it) => Event::Online(who(&it)),
            Event::Offline(it, departure) => Event::Offline(who(&it), departure),
            Event::Message { from, text } => Event::Message { from: who(&from), text },
            Event::Private { from, text } => Event::Private { from: who(&from), text },
            Event::User(it) => Event::User(who(&it)),
            Event::Renamed { old, new } => Event::Renamed { old: who(&old), new: who(&new) },
            Event::UsersEnd(_)
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => event,
        };
        match self {
            Self::News(it) => Self::News(event(it)),
            Self::Answer(it) => Self::Answer(event(it)),
            Self::Words(_) | Self::Refused { .. } | Self::Farewell { .. } => self,
        }
    }
}

/// The language in which the server confirms a setting with these words.
pub(super) fn lang_of_set(words: &str) -> Option<Lang> {
    [Lang::Zh, Lang::En].into_iter().find(|&lang| {
        let settings = [Setting::Format(Format::Json), Setting::Lang(lang), Setting::Stay];
        settings.into_iter().any(|setting| confirmation(setting, lang).trim_ascii_end() == words.as_bytes())
    })
}

fn confirmation(setting: Setting, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    render_reply(&mut out, &Reply::Set(setting), Timestamp::UNIX_EPOCH, Dialect { format: Format::Text, lang });
    out
}

fn in_text(event: &Event, lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let stamp = Stamp { seq: None, at: Timestamp::UNIX_EPOCH }; // text has none
    render(&mut out, event, stamp, Dialect { format: Format::Text, lang });
    out
}
