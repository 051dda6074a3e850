//! The server's messages, parsed from its JSON dialect and rendered in its text dialect. Escapes whatever the server
//! sent: the server may be malicious, and what comes out of here goes to a terminal.

mod done;
mod order;

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::{
    chat::{Departure, Event, Identity, LOBBY, Notice, OrderEvent, Position, PublicEvent, Record, Token, token_digest},
    protocol::{Lang, escape::escaped},
};
use serde_json::Value;

use super::{
    Failure,
    json::count_values,
    words::{in_text, public_in_text},
};

/// The most values that a line may have, several times as many as any event has. Each takes many times as much memory
/// as it has bytes, so a line with more is not parsed.
const VALUES_MAX: usize = 100;
/// The code of what is not kept any more.
pub(super) const HISTORY_GONE: &str = "history-gone";
/// The commands whose refusals are `VERB|CODE|SENTENCE` in text.
const ANSWERING: [&str; 8] = ["join", "in", "leave", "rooms", "who", "topic", "history", "check"];

/// A message of the server. All texts and names in it are escaped: they can be printed.
#[derive(Debug)]
pub(super) enum ServerMessage {
    /// Somebody arrives, leaves, has a new name, says or decides something.
    News(News),
    /// Something of that kind that has happened before, told again.
    Past(Past),
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
        /// The room that the reason is about, where it says so.
        room: Option<Arc<str>>,
        /// The position that it tells.
        position: Option<Position>,
    },
    /// The server ends the connection.
    Farewell {
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        text: String,
    },
}

/// What it means that the server ends the connection.
pub(super) fn farewell(code: &str, text: String) -> Failure {
    let is_final = [Departure::Kicked, Departure::Banned].iter().any(|departure| departure.code() == code);
    if is_final { Failure::SentAway(text) } else { Failure::Lost(text) }
}

/// What others do or say.
#[derive(Debug)]
pub(super) enum NewsEvent {
    /// All who are in the room are told.
    Public(PublicEvent),
    /// This client alone is told.
    Private { from: Arc<Identity>, text: String },
    /// An operator, or a room's owner, has decided or announced something.
    Notice(Notice),
}

/// What happens, and where.
#[derive(Debug)]
pub(super) struct News {
    pub(super) event: NewsEvent,
    /// The room; `None` for the lobby, for a private message, and for a notice, which says itself where it holds.
    pub(super) room: Option<Arc<str>>,
    /// Its place among all that the server keeps, if it keeps it.
    pub(super) position: Option<Position>,
    /// When, as the server says.
    pub(super) at: Option<Timestamp>,
    /// It is told again, or was kept for this client: it may have been long ago.
    pub(super) is_replay: bool,
}

/// What has happened, where, and when.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) event: PublicEvent,
    /// The room; `None` for the lobby.
    pub(super) room: Option<Arc<str>>,
    pub(super) position: Position,
    pub(super) at: Timestamp,
}

impl Past {
    /// As a line of the text dialect: the event, with its position and its time.
    fn in_text(&self, lang: Lang) -> Vec<u8> {
        let Self { event, room, position, at } = self;
        let room = room.clone().unwrap_or_else(|| LOBBY.into());
        let record = Record { n: position.n, at: *at, room, event: event.clone().into() };
        in_text(&Event::Past(record, position.epoch), lang)
    }

    /// The same as it was when it happened.
    pub(super) fn into_news(self) -> News {
        let event = NewsEvent::Public(self.event);
        News { event, room: self.room, position: Some(self.position), at: Some(self.at), is_replay: true }
    }
}

impl News {
    /// As a line of the text dialect.
    pub(super) fn in_text(&self, lang: Lang) -> Vec<u8> {
        match &self.event {
            NewsEvent::Public(event) => public_in_text(event, self.room.as_deref(), lang),
            NewsEvent::Private { from, text } => {
                in_text(&Event::Private { from: Arc::clone(from), text: text.clone() }, lang)
            }
            NewsEvent::Notice(notice) => in_text(&Event::Order(OrderEvent::Notice(notice.clone())), lang),
        }
    }
}

impl ServerMessage {
    /// Parses `line`. `None` is no object of the JSON dialect, or an event that this client does not know.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if !line.starts_with('{') || count_values(line) > VALUES_MAX {
            return None;
        }
        let object: Value = serde_json::from_str(line).ok()?;
        let string = |key: &str| string(&object, key);
        let text = || string("text");
        let who = || {
            let field = |key: &str| object["from"][key].as_str().map(escaped);
            let is_account = object["account"].is_string();
            Some(Arc::new(Identity { name: field("name")?, addr: field("addr")?, is_account }))
        };
        let old = || Some(Arc::new(Identity { name: string("old")?, addr: who()?.addr.clone(), is_account: false }));
        let count = || count(&object);
        let shared = |key: &str| string(key).map(Arc::<str>::from);
        let room = || shared("room").filter(|room| **room != *LOBBY);
        let position = || position(&object);
        let at = || object["at"].as_str()?.parse().ok();
        let public = |event| match object["replay"].as_bool() {
            Some(true) => Some(Self::Past(Past { event, room: room(), position: position()?, at: at()? })),
            Some(false) | None => {
                let event = NewsEvent::Public(event);
                Some(Self::News(News { event, room: room(), position: position(), at: at(), is_replay: false }))
            }
        };
        let is_replay = object["replay"].as_bool() == Some(true);
        let alone = |event| Some(Self::News(News { event, room: None, position: None, at: at(), is_replay }));
        match object["event"].as_str()? {
            "online" => public(PublicEvent::Online(who()?)),
            // Any departure will do: the text dialect does not show the reason.
            "offline" => public(PublicEvent::Offline(who()?, Departure::Left)),
            "message" => public(PublicEvent::Message { from: who()?, text: text()? }),
            "private" => alone(NewsEvent::Private { from: who()?, text: text()? }),
            "notice" => alone(NewsEvent::Notice(order::notice(&object, who())?)),
            "known_as" => public(PublicEvent::KnownAs { old: old()?, new: who()? }),
            "joined" => public(PublicEvent::Joined(who()?)),
            "left" => public(PublicEvent::Left(who()?)),
            "topic" => public(PublicEvent::Topic { from: who()?, text: text()?.into() }),
            "user" => Some(Self::Answer(Event::User(who()?))),
            "users_end" => Some(Self::Answer(Event::UsersEnd(count()?))),
            "room" => {
                Some(Self::Answer(Event::Room { name: shared("room")?, members: count(), topic: topic(&object) }))
            }
            "token" => {
                let used = string("old").and_then(|at| Some((at.parse().ok()?, who()?.addr.clone())));
                let token = Token { label: text()?, digest: token_digest(""), created: at()?, used };
                Some(Self::Answer(Event::Token("".into(), token)))
            }
            "sanction" => Some(Self::Answer(Event::Order(OrderEvent::Sanction(order::sanction(&object, &*who()?)?)))),
            "renamed" => Some(Self::Answer(Event::Renamed { old: old()?, new: who()? })),
            "sync" => Some(Self::Answer(Event::Synced(text()?))),
            "wait" if object["code"] == "ok" => Some(Self::Answer(Event::WaitMet(text()?))),
            "wait" => Some(Self::Answer(Event::WaitTimedOut)),
            "ok" => done::done(&object),
            "set" => Some(Self::Set(text()?)),
            "help" => {
                Some(Self::Help(object["text"].as_str()?.split('\n').map(escaped).collect::<Vec<_>>().join("\n")))
            }
            "refused" => {
                let verb = string("verb").unwrap_or_default();
                let (room, position) = (shared("room"), position());
                Some(Self::Refused { verb, code: string("code")?, text: text()?, room, position })
            }
            "farewell" => Some(Self::Farewell { code: string("code")?, text: text()? }),
            _ => None,
        }
    }

    /// Whether `line` is news, decided without parsing all of it: `event` comes before all that users can choose.
    pub(super) fn is_news(line: &str) -> bool {
        let event = line.split_once(r#""event":""#).and_then(|(_, rest)| rest.split_once('"'));
        let kind = event.map_or("", |(kind, _)| kind);
        matches!(
            kind,
            "online" | "offline" | "known_as" | "joined" | "left" | "topic" | "message" | "private" | "notice"
        )
    }

    /// The message in the text dialect, as whole lines.
    pub(super) fn in_text(&self, lang: Lang) -> Vec<u8> {
        match self {
            Self::News(news) => news.in_text(lang),
            Self::Past(past) => past.in_text(lang),
            Self::Answer(event) => in_text(event, lang),
            Self::Refused { verb, code, text, room: Some(room), position } if code == HISTORY_GONE => {
                let position = position.map_or_else(|| "-".to_owned(), |position| position.to_string());
                format!("{verb}|{code}|{room}|{position}|{text}\n").into_bytes()
            }
            Self::Refused { verb, code, text, .. } if ANSWERING.contains(&&**verb) => {
                format!("{verb}|{code}|{text}\n").into_bytes()
            }
            Self::Set(text) | Self::Help(text) | Self::Refused { text, .. } | Self::Farewell { text, .. } => {
                format!("{text}\n").into_bytes()
            }
        }
    }

    /// The same message with `change` applied to the names of users.
    pub(super) fn with_names(self, change: impl Fn(&str) -> String) -> Self {
        let who = |who: &Identity| Arc::new(Identity { name: change(&who.name), ..who.clone() });
        match self {
            Self::News(news) => Self::News(News { event: news.event.with_users(&who), ..news }),
            Self::Past(past) => Self::Past(Past { event: with_users(past.event, &who), ..past }),
            Self::Answer(Event::User(it)) => Self::Answer(Event::User(who(&it))),
            Self::Answer(Event::Renamed { old, new }) => {
                Self::Answer(Event::Renamed { old: who(&old), new: who(&new) })
            }
            Self::Answer(_) | Self::Set(_) | Self::Help(_) | Self::Refused { .. } | Self::Farewell { .. } => self,
        }
    }
}

fn string(object: &Value, key: &str) -> Option<String> {
    object[key].as_str().map(escaped)
}

fn count(object: &Value) -> Option<usize> {
    usize::try_from(object["count"].as_u64()?).ok()
}

fn position(object: &Value) -> Option<Position> {
    object["pos"].as_str()?.parse().ok()
}

/// A topic; null is none.
fn topic(object: &Value) -> Arc<str> {
    string(object, "text").unwrap_or_default().into()
}

impl NewsEvent {
    fn with_users(self, who: &impl Fn(&Identity) -> Arc<Identity>) -> Self {
        match self {
            Self::Public(event) => Self::Public(with_users(event, who)),
            Self::Private { from, text } => Self::Private { from: who(&from), text },
            Self::Notice(notice) => Self::Notice(Notice { by: notice.by.map(|by| who(&by)), ..notice }),
        }
    }
}

/// The same event with `who` applied to its users.
fn with_users(event: PublicEvent, who: &impl Fn(&Identity) -> Arc<Identity>) -> PublicEvent {
    match event {
        PublicEvent::Online(it) => PublicEvent::Online(who(&it)),
        PublicEvent::Offline(it, departure) => PublicEvent::Offline(who(&it), departure),
        PublicEvent::Message { from, text } => PublicEvent::Message { from: who(&from), text },
        PublicEvent::KnownAs { old, new } => PublicEvent::KnownAs { old: who(&old), new: who(&new) },
        PublicEvent::Joined(it) => PublicEvent::Joined(who(&it)),
        PublicEvent::Left(it) => PublicEvent::Left(who(&it)),
        PublicEvent::Topic { from, text } => PublicEvent::Topic { from: who(&from), text },
    }
}

#[cfg(test)]
mod tests;
