//! The text dialects: lines for people.

use std::io::Write;

use jiff::Timestamp;

use super::{
    accounts,
    escape::push_escaped,
    help::help,
    messages::{form_error, goodbye, in_lang, refused, set},
    order,
};
use crate::{
    chat::{Asked, Done, Event, Identity, KeptEvent, LOBBY, Position, PublicEvent, Refusal, needs_isolate},
    protocol::{Lang, Reply, Stamp, Verb},
};

/// Names and addresses are visible by the rules for names; only what users say has to be made so. What happens in a room but
/// the lobby stands behind its name.
pub(in crate::protocol) fn public_event(out: &mut Vec<u8>, event: &PublicEvent, room: Option<&str>, lang: Lang) {
    let room = room.filter(|room| *room != LOBBY);
    if let Some(room) = room {
        put(out, &["#"]);
        isolated(out, room, |out| put(out, &[room]));
        put(out, &[" "]);
    }
    match event {
        PublicEvent::Online(who) => {
            prefix(out, who);
            put(out, &[in_lang(["已上线", "is online"], lang)]);
        }
        PublicEvent::Offline(who, _) => {
            match room {
                Some(_) => notice(out, who),
                None => prefix(out, who), // the tutorial's line, which anybody can say
            }
            put(out, &[in_lang(["下线", "is offline"], lang)]);
        }
        PublicEvent::Message { from, text } => {
            prefix(out, from);
            isolated(out, text, |out| push_escaped(out, text));
        }
        PublicEvent::KnownAs { old, new } => {
            notice(out, old);
            put(out, &[in_lang(["已改名为[", "is now ["], lang)]);
            name(out, new);
            put(out, &["]"]);
        }
        PublicEvent::Joined(who) => {
            notice(out, who);
            put(out, &[in_lang(["已加入", "has joined"], lang)]);
        }
        PublicEvent::Left(who) => {
            notice(out, who);
            put(out, &[in_lang(["已离开", "has left"], lang)]);
        }
        PublicEvent::Topic { from, text } => {
            notice(out, from);
            put(out, &[in_lang(["主题:", "topic: "], lang)]);
            isolated(out, text, |out| push_escaped(out, text));
        }
    }
    out.push(b'\n');
}

/// The same behind its position and time, as in a history.
pub(in crate::protocol) fn dated_event(out: &mut Vec<u8>, event: &PublicEvent, stamp: Stamp<'_>, lang: Lang) {
    date(out, stamp.position, stamp.at);
    public_event(out, event, stamp.room, lang);
}

/// Appends where in a history something stands, and since when.
fn date(out: &mut Vec<u8>, position: Option<Position>, at: Timestamp) {
    put(out, &["history"]);
    place(out, position);
    write!(out, "|{at:.3}|").expect("a Vec takes all");
}

/// Appends an event that is told to one client.
pub(in crate::protocol) fn event(out: &mut Vec<u8>, event: &Event, lang: Lang) {
    match event {
        Event::Private { from, text } => private(out, from, text, lang),
        Event::User(who) => {
            put(out, &["["]);
            name(out, who);
            put(out, &["] is online"]);
        }
        Event::UsersEnd(_) => return,
        Event::Renamed { old, new } => {
            put(out, &[in_lang(["用户名修改成功,[", "renamed,["], lang)]);
            name(out, old);
            put(out, &["]->["]);
            name(out, new);
            put(out, &["]"]);
        }
        Event::Room { name, members, topic } => {
            let members = members.map_or_else(|| "-".to_owned(), |members| members.to_string());
            put(out, &["rooms|", &members, "|"]);
            words(out, &[name, topic]);
        }
        Event::Past(record, epoch) => {
            let position = Position { n: record.n, epoch: *epoch };
            date(out, Some(position), record.at);
            return match &record.event {
                KeptEvent::Public(event) => public_event(out, event, Some(&record.room), lang),
                KeptEvent::Private { from, text } => {
                    private(out, from, text, lang);
                    out.push(b'\n');
                }
            };
        }
        Event::Token(_, token) => accounts::token(out, token),
        Event::Order(event) => order::event(out, event, lang),
        Event::Done(Done::Order(done)) => order::answer(out, done),
        Event::Done(Done::Account(done)) => accounts::answer(out, done, lang),
        Event::Done(done) => answer(out, done),
        // The tutorial's words, as what is refused because of a name or a text.
        Event::Declined(Asked::To | Asked::Rename | Asked::Users | Asked::Wait, refusal) => {
            put(out, &[&refused(refusal, lang)]);
        }
        Event::Declined(asked, refusal) => {
            put(out, &[Verb::of_asked(*asked).word(), "|", refusal.code(), "|"]);
            if let Refusal::HistoryGone { room, oldest } = refusal {
                words(out, &[room]);
                place(out, *oldest);
                put(out, &["|"]);
            }
            if let Refusal::Account(refusal) = refusal {
                accounts::refused_fields(out, refusal);
            }
            if let Refusal::Order(refusal) = refusal {
                order::refused_fields(out, refusal);
            }
            put(out, &[&refused(refusal, lang)]);
        }
        Event::Synced(token) => {
            put(out, &["sync|"]);
            push_escaped(out, token);
        }
        Event::WaitMet(arg) => {
            put(out, &["wait|ok|"]);
            push_escaped(out, arg);
        }
        Event::WaitTimedOut => put(out, &["wait|timeout"]),
        Event::Refused(refusal) => put(out, &[&refused(refusal, lang)]),
        Event::Farewell(departure) => put(out, &[goodbye(*departure, lang)]),
    }
    out.push(b'\n');
}

/// Appends what is said to one client alone.
fn private(out: &mut Vec<u8>, from: &Identity, text: &str, lang: Lang) {
    let [before, after] = match lang {
        Lang::Zh => ["来自:[", "]的消息,内容是:"],
        Lang::En => ["from:[", "] says:"],
    };
    put(out, &[before]);
    name(out, from);
    put(out, &[after]);
    isolated(out, text, |out| push_escaped(out, text));
}

/// Appends a reply.
pub(in crate::protocol) fn reply(out: &mut Vec<u8>, reply: &Reply, lang: Lang) {
    match reply {
        Reply::Refused(error) => {
            if let Some(verb) = error.verb().filter(|verb| verb.begins_its_answers()) {
                put(out, &[verb.word(), "|", error.code(), "|"]);
            }
            put(out, &[&form_error(*error, lang)]);
        }
        Reply::Alive => return,
        Reply::Set(setting) => put(out, &[set(*setting, lang)]),
        Reply::Checked { token, refused } => {
            put(out, &["check|", refused.unwrap_or("ok"), "|"]);
            push_escaped(out, token);
        }
        Reply::Help(limits) => put(out, &[help(limits, lang).trim_end()]),
    }
    out.push(b'\n');
}

/// Appends the answer to a request that was done.
fn answer(out: &mut Vec<u8>, done: &Done) {
    let result = match done {
        Done::History { has_more: true, .. } => "|more|",
        Done::History { has_more: false, .. }
        | Done::Join { .. }
        | Done::In(..)
        | Done::Leave(_)
        | Done::Rooms(_)
        | Done::Who(..)
        | Done::Topic(..) => "|ok|",
        Done::Account(_) | Done::Order(_) => return, // have answers of their own
    };
    put(out, &[Verb::of_asked(done.asked()).word(), result]);
    match done {
        Done::Join { room, members, position, topic } => {
            words(out, &[room]);
            put(out, &["|", &members.to_string()]);
            place(out, *position);
            put(out, &["|"]);
            words(out, &[topic]);
        }
        Done::In(room, position) => {
            words(out, &[room]);
            place(out, *position);
        }
        Done::History { room, count, position, .. } => {
            words(out, &[room]);
            put(out, &["|", &count.to_string()]);
            place(out, *position);
        }
        Done::Leave(room) => words(out, &[room]),
        Done::Rooms(count) => put(out, &[&count.to_string()]),
        Done::Who(room, count) => {
            words(out, &[room]);
            put(out, &["|", &count.to_string()]);
        }
        Done::Topic(room, topic) => words(out, &[room, topic]),
        Done::Account(_) | Done::Order(_) => {}
    }
}

/// Appends `|` and a position, or `-` where there is none.
fn place(out: &mut Vec<u8>, position: Option<Position>) {
    match position {
        Some(position) => write!(out, "|{position}").expect("a Vec takes all"),
        None => put(out, &["|-"]),
    }
}

/// Appends words of users, separated by `|`.
pub(super) fn words(out: &mut Vec<u8>, words: &[&str]) {
    for (n, word) in words.iter().enumerate() {
        if n > 0 {
            put(out, &["|"]);
        }
        isolated(out, word, |out| push_escaped(out, word));
    }
}

/// What a notice begins with that is not the tutorial's. Where chat has a colon there is a space: nobody can say it.
fn notice(out: &mut Vec<u8>, who: &Identity) {
    put(out, &["[", &who.addr, "]"]);
    name(out, who);
    put(out, &[" "]);
}

fn prefix(out: &mut Vec<u8>, who: &Identity) {
    put(out, &["[", &who.addr, "]"]);
    name(out, who);
    put(out, &[":"]);
}

fn name(out: &mut Vec<u8>, who: &Identity) {
    isolated(out, &who.name, |out| put(out, &[&who.name]));
}

/// Appends a text of a user such that it cannot reorder what the server has written around it: right-to-left text stands
/// between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (UAX 9).
fn isolated(out: &mut Vec<u8>, text: &str, append: impl FnOnce(&mut Vec<u8>)) {
    let is_isolated = needs_isolate(text);
    if is_isolated {
        put(out, &["\u{2068}"]);
    }
    append(out);
    if is_isolated {
        put(out, &["\u{2069}"]);
    }
}

pub(super) fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests;
