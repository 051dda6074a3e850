//! The JSON dialect: an object a line, the same keys in the same order in each.

use std::io::Write;

use super::{
    accounts,
    escape::{must_escape, push_hex, push_replaced},
    help::help,
    messages::{form_error, goodbye, refused, set},
    order,
    text::put,
};
use crate::{
    chat::{Done, Event, Identity, KeptEvent, Position, PublicEvent, Refusal},
    protocol::{Lang, Reply, Stamp, Verb, http::Problem},
};

/// What an event has beside its stamp. What it has not is null.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) event: &'static str,
    pub(super) from: Option<&'a Identity>,
    pub(super) text: Option<&'a str>,
    pub(super) code: Option<&'static str>,
    /// The old name of the renamed, the number of users.
    pub(super) old: Option<&'a str>,
    pub(super) count: Option<usize>,
    /// The room that it is about, where it does not happen in one.
    pub(super) room: Option<&'a str>,
    /// What was asked for with this.
    pub(super) verb: Option<Verb>,
    /// The position that it tells, where it has none itself.
    pub(super) position: Option<Position>,
}

/// Appends `event` as one object and a LF.
pub(in crate::protocol) fn public_event(out: &mut Vec<u8>, event: &PublicEvent, stamp: Stamp<'_>) {
    let fields = match event {
        PublicEvent::Online(who) => Fields { event: "online", from: Some(who), ..Fields::default() },
        PublicEvent::Offline(who, departure) => {
            Fields { event: "offline", from: Some(who), code: Some(departure.code()), ..Fields::default() }
        }
        PublicEvent::Message { from, text } => {
            Fields { event: "message", from: Some(from), text: Some(text), ..Fields::default() }
        }
        PublicEvent::KnownAs { old, new } => {
            Fields { event: "known_as", from: Some(new), old: Some(&old.name), ..Fields::default() }
        }
        PublicEvent::Joined(who) => Fields { event: "joined", from: Some(who), ..Fields::default() },
        PublicEvent::Left(who) => Fields { event: "left", from: Some(who), ..Fields::default() },
        PublicEvent::Topic { from, text } => {
            Fields { event: "topic", from: Some(from), text: Some(text), ..Fields::default() }
        }
    };
    write(out, &fields, stamp);
}

/// What is said to one client alone.
fn private<'a>(from: &'a Identity, text: &'a str) -> Fields<'a> {
    Fields { event: "private", from: Some(from), text: Some(text), ..Fields::default() }
}

/// The same for an event that is told to one client.
pub(in crate::protocol) fn event(out: &mut Vec<u8>, event: &Event, stamp: Stamp<'_>, lang: Lang) {
    let (owned, until);
    let fields = match event {
        Event::Past(record, epoch) => {
            let position = Position { n: record.n, epoch: *epoch };
            let stamp = Stamp { at: record.at, position: Some(position), is_replay: true, ..stamp };
            return match &record.event {
                KeptEvent::Public(event) => public_event(out, event, Stamp { room: Some(&record.room), ..stamp }),
                KeptEvent::Private { from, text } => write(out, &private(from, text), stamp),
            };
        }
        Event::Private { from, text } => private(from, text),
        Event::User(who) => Fields { event: "user", from: Some(who), ..Fields::default() },
        Event::UsersEnd(count) => Fields { event: "users_end", count: Some(*count), ..Fields::default() },
        Event::Renamed { old, new } => {
            Fields { event: "renamed", from: Some(new), old: Some(&old.name), ..Fields::default() }
        }
        Event::Room { name, members, topic } => {
            Fields { event: "room", room: Some(name), count: *members, text: nonempty(topic), ..Fields::default() }
        }
        Event::Order(event) => {
            owned = order::until_text(event).unwrap_or_default();
            let who = order::whom(event);
            let fields = order::event_fields(event, who.as_ref(), &owned);
            return write(out, &fields, stamp);
        }
        Event::Done(Done::Order(done)) => {
            owned = order::until_of(done).unwrap_or_default();
            order::done_fields(done, &owned)
        }
        Event::Done(done) => answer(done),
        Event::Declined(asked, refusal) => {
            owned = refused(refusal, lang);
            until = order::until_of_refusal(refusal).unwrap_or_default();
            let (room, position) = refusal.place().unzip();
            Fields {
                event: "refused",
                text: Some(&owned),
                code: Some(refusal.code()),
                old: nonempty(&until),
                verb: Some(Verb::of_asked(*asked)),
                room,
                position: position.flatten(),
                count: match refusal {
                    Refusal::Account(refusal) => accounts::count(refusal),
                    _ => None,
                },
                ..Fields::default()
            }
        }
        Event::Token(account, token) => {
            owned = token.used.as_ref().map_or_else(String::new, |(at, _)| format!("{at:.3}"));
            let user = |(_, addr): &(_, String)| Identity {
                name: (**account).to_owned(),
                addr: addr.clone(),
                is_account: true,
            };
            let who = token.used.as_ref().map(user);
            let (from, text) = (who.as_ref(), Some(&*token.label));
            let fields = Fields { event: "token", from, text, old: nonempty(&owned), ..Fields::default() };
            return write(out, &fields, Stamp { at: token.created, ..stamp });
        }
        Event::Synced(token) => Fields { event: "sync", text: Some(token), ..Fields::default() },
        Event::WaitMet(arg) => Fields { event: "wait", text: Some(arg), code: Some("ok"), ..Fields::default() },
        Event::WaitTimedOut => Fields { event: "wait", code: Some("timeout"), ..Fields::default() },
        Event::Refused(refusal) => {
            owned = refused(refusal, lang);
            until = order::until_of_refusal(refusal).unwrap_or_default();
            Fields {
                event: "refused",
                text: Some(&owned),
                code: Some(refusal.code()),
                old: nonempty(&until),
                verb: Some(Verb::of_refusal(refusal)),
                ..Fields::default()
            }
        }
        Event::Farewell(departure) => Fields {
            event: "farewell",
            text: Some(goodbye(*departure, lang)),
            code: Some(departure.code()),
            ..Fields::default()
        },
    };
    write(out, &fields, stamp);
}

/// The answer to a request that was done.
fn answer(done: &Done) -> Fields<'_> {
    let fields = Fields { event: "ok", verb: Some(Verb::of_asked(done.asked())), ..Fields::default() };
    match done {
        Done::Account(done) => accounts::fields(done),
        Done::Order(done) => order::done_fields(done, ""),
        Done::Join { room, members, position, topic } => {
            Fields { room: Some(room), count: Some(*members), text: nonempty(topic), position: *position, ..fields }
        }
        Done::In(room, position) => Fields { room: Some(room), position: *position, ..fields },
        Done::Leave(room) => Fields { room: Some(room), ..fields },
        Done::Rooms(count) => Fields { count: Some(*count), ..fields },
        Done::Who(room, count) => Fields { room: Some(room), count: Some(*count), ..fields },
        Done::Topic(room, topic) => Fields { room: Some(room), text: nonempty(topic), ..fields },
        Done::History { room, count, position, has_more } => Fields {
            room: Some(room),
            count: Some(*count),
            position: *position,
            code: has_more.then_some("more"),
            ..fields
        },
    }
}

pub(super) fn nonempty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Appends `reply` as one object and a LF.
pub(in crate::protocol) fn reply(out: &mut Vec<u8>, reply: &Reply, stamp: Stamp<'_>, lang: Lang) {
    let owned;
    let fields = match reply {
        Reply::Refused(error) => {
            owned = form_error(*error, lang);
            Fields {
                event: "refused",
                text: Some(&owned),
                code: Some(error.code()),
                verb: error.verb(),
                ..Fields::default()
            }
        }
        Reply::Alive => return,
        Reply::Checked { token, refused: None } => {
            Fields { event: "ok", text: Some(token), verb: Some(Verb::Check), ..Fields::default() }
        }
        Reply::Checked { token, refused: Some(code) } => Fields {
            event: "refused",
            text: Some(token),
            code: Some(code),
            verb: Some(Verb::Check),
            ..Fields::default()
        },
        Reply::Set(setting) => Fields { event: "set", text: Some(set(*setting, lang)), ..Fields::default() },
        Reply::Help(limits) => {
            owned = help(limits, lang);
            Fields { event: "help", text: Some(owned.trim_end()), ..Fields::default() }
        }
    };
    write(out, &fields, stamp);
}

/// Appends why a request is not served, as what is refused.
pub(in crate::protocol) fn unserved(out: &mut Vec<u8>, problem: Problem, stamp: Stamp<'_>, lang: Lang) {
    let (text, code) = (problem.sentence(lang), problem.code());
    write(out, &Fields { event: "refused", text: Some(&text), code: Some(code), ..Fields::default() }, stamp);
}

/// Appends that a line was done for which nobody has another answer.
pub(in crate::protocol) fn taken(out: &mut Vec<u8>, verb: Verb, stamp: Stamp<'_>) {
    write(out, &Fields { event: "ok", verb: Some(verb), ..Fields::default() }, stamp);
}

fn write(out: &mut Vec<u8>, fields: &Fields<'_>, stamp: Stamp<'_>) {
    put(out, &["{\"seq\":"]);
    number(out, stamp.seq);
    write!(out, ",\"at\":\"{:.3}\"", stamp.at).expect("a Vec takes all");
    put(out, &[",\"event\":\"", fields.event, "\",\"from\":"]);
    match fields.from {
        Some(who) => {
            put(out, &["{\"name\":"]);
            string(out, Some(&who.name));
            put(out, &[",\"addr\":"]);
            string(out, Some(&who.addr));
            put(out, &["}"]);
        }
        None => put(out, &["null"]),
    }
    put(out, &[",\"text\":"]);
    string(out, fields.text);
    put(out, &[",\"code\":"]);
    string(out, fields.code);
    put(out, &[",\"old\":"]);
    string(out, fields.old);
    put(out, &[",\"count\":"]);
    number(out, fields.count);
    put(out, &[",\"room\":"]);
    string(out, fields.room.or(stamp.room));
    match fields.verb {
        Some(verb) => put(out, &[",\"verb\":\"", verb.word(), "\""]),
        None => put(out, &[",\"verb\":null"]),
    }
    put(out, &[",\"account\":"]);
    string(out, fields.from.filter(|who| who.is_account).map(|who| &*who.name));
    put(out, &[",\"pos\":"]);
    match fields.position.or(stamp.position) {
        Some(position) => write!(out, "\"{position}\"").expect("a Vec takes all"),
        None => put(out, &["null"]),
    }
    put(out, &[",\"replay\":", if stamp.is_replay { "true" } else { "null" }, "}\n"]);
}

fn number(out: &mut Vec<u8>, value: Option<impl std::fmt::Display>) {
    match value {
        Some(value) => write!(out, "{value}").expect("a Vec takes all"),
        None => put(out, &["null"]),
    }
}

/// A JSON string (RFC 8259). Escapes more than it must: nothing that a terminal obeys comes out raw.
fn string(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else { return put(out, &["null"]) };
    out.push(b'"');
    let is_plain = |&b: &u8| (b' '..0x7f).contains(&b) && b != b'"' && b != b'\\';
    if text.as_bytes().iter().all(is_plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_replaced(
            out,
            text,
            |c| matches!(c, '"' | '\\' | '\t') || must_escape(c),
            |out, c| match c {
                '"' => put(out, &["\\\""]),
                '\\' => put(out, &["\\\\"]),
                '\n' => put(out, &["\\n"]),
                '\t' => put(out, &["\\t"]),
                '\r' => put(out, &["\\r"]),
                c => {
                    put(out, &["\\u"]);
                    push_hex(out, c, 4); // all that must be escaped is in the BMP
                }
            },
        );
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
