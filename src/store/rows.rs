//! Events as rows of `messages`, and rows as events. Forgives what people have edited: a row that says nothing is left out.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use crate::chat::{Departure, Identity, PublicEvent, Record};

// What is said of a user in `text`, but for messages. Of those that end in a space or a bracket, more follows.
const JOINED: &str = "has joined";
const LEFT: &str = "has left";
const ONLINE: &str = "is online";
const OFFLINE: &str = "is offline (";
const RENAMED: &str = "is now ";
const TOPIC: &str = "topic: ";

/// What stands in a row besides its number, time and room.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) kind: &'static str,
    pub(super) who: &'a Identity,
    /// A sentence behind the name: a table of them reads like a log.
    pub(super) text: Cow<'a, str>,
}

impl<'a> Row<'a> {
    pub(super) fn of(event: &'a PublicEvent) -> Self {
        let (kind, who, text) = match event {
            PublicEvent::Message { from, text } => ("message", from, Cow::from(text)),
            PublicEvent::Joined(who) => ("joined", who, JOINED.into()),
            PublicEvent::Left(who) => ("left", who, LEFT.into()),
            PublicEvent::Offline(who, departure) => ("offline", who, format!("{OFFLINE}{})", departure.code()).into()),
            PublicEvent::Online(who) => ("online", who, ONLINE.into()),
            PublicEvent::KnownAs { old, new } => ("renamed", old, format!("{RENAMED}{}", new.name).into()),
            PublicEvent::Topic { from, text } => ("topic", from, format!("{TOPIC}{text}").into()),
        };
        Self { kind, who, text }
    }
}

/// The record in a row of `n, at, kind, name, addr, text`.
///
/// # Errors
/// What is wrong with a row that somebody has edited.
pub(super) fn record(row: &rusqlite::Row<'_>, n: u64, room: &Arc<str>) -> Result<Record, String> {
    let at = text(row, 1)?;
    let at = at.parse().map_err(|_| format!("{at:?} is no time"))?;
    let who = identity(text(row, 3)?, text(row, 4)?)?;
    let said: Option<String> = row.get(5).map_err(|error| error.to_string())?;
    let event = Arc::new(event(text(row, 2)?, who, said.unwrap_or_default())?);
    Ok(Record { n, at, room: Arc::clone(room), event })
}

/// The address of a user stays the same when the name changes. A departure for a reason that nobody knows is one all the
/// same.
fn event(kind: &str, who: Arc<Identity>, text: String) -> Result<PublicEvent, String> {
    Ok(match kind {
        "message" => PublicEvent::Message { from: who, text },
        "joined" => PublicEvent::Joined(who),
        "left" => PublicEvent::Left(who),
        "offline" => {
            let code = text.strip_prefix(OFFLINE).and_then(|rest| rest.strip_suffix(')'));
            PublicEvent::Offline(who, Departure::from_code(code.unwrap_or(&text)).unwrap_or(Departure::Left))
        }
        "online" => PublicEvent::Online(who),
        "renamed" => {
            let new = identity(text.strip_prefix(RENAMED).unwrap_or(&text), &who.addr)?;
            PublicEvent::KnownAs { old: who, new }
        }
        "topic" => PublicEvent::Topic { from: who, text: text.strip_prefix(TOPIC).unwrap_or(&text).into() },
        _ => return Err(format!("{kind:?} is no kind")),
    })
}

/// Names and addresses are told as they are: one of two lines would be two lines.
fn identity(name: &str, addr: &str) -> Result<Arc<Identity>, String> {
    if name.chars().chain(addr.chars()).any(char::is_control) {
        return Err(format!("{name:?} is nobody's name"));
    }
    Ok(Arc::new(Identity { name: name.to_owned(), addr: addr.to_owned() }))
}

fn text<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r str, String> {
    let value = row.get_ref(column).map_err(|error| error.to_string())?;
    value.as_str().map_err(|error| error.to_string())
}

/// A time as it stands in the file. Such texts have the order of the times, to the millisecond.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A number as SQLite has it; those beyond its numbers are the last of them.
pub(super) fn to_integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A number out of the file, where none is below zero unless somebody has edited it.
pub(super) fn from_integer(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
