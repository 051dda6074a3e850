//! What is told, as transcripts have it.

use super::{
    super::super::*,
    addr,
    order::{order_done, order_event, order_refusal},
};

/// With short addresses.
pub(super) fn short(text: &str) -> String {
    (1..30)
        .rev()
        .fold(text.to_owned(), |text, client| text.replace(&addr(client).addr.to_string(), &format!("@{client}")))
}

pub(super) fn shown_public(event: &PublicEvent) -> String {
    match event {
        PublicEvent::Online(who) => format!("+{}", known_as(who)),
        PublicEvent::Offline(who, departure) => format!("-{} {}", known_as(who), departure.code()),
        PublicEvent::Message { from, text } => format!("{}: {text}", known_as(from)),
        PublicEvent::KnownAs { old, new } => format!("{} is now {}", known_as(old), known_as(new)),
        PublicEvent::Joined(who) => format!(">{}", known_as(who)),
        PublicEvent::Left(who) => format!("<{}", known_as(who)),
        PublicEvent::Topic { from, text } => format!("{} topic: {text}", known_as(from)),
    }
}

pub(super) fn shown(event: &Event) -> String {
    match event {
        Event::Private { from, text } => format!("{}> {text}", known_as(from)),
        Event::User(who) => format!("={}", known_as(who)),
        Event::UsersEnd(users) => format!("={users}"),
        Event::Renamed { old, new } => format!("{} is {}", known_as(old), known_as(new)),
        Event::Room { name, members, topic } => {
            let members = members.map_or_else(|| "-".to_owned(), |members| members.to_string());
            format!("{name} {members} {topic}").trim_end().to_owned()
        }
        Event::Token(_, token) => format!("token {}", token.label),
        Event::Past(record, _) => match &record.event {
            KeptEvent::Public(event) => {
                let room = if *record.room == *LOBBY { String::new() } else { format!("#{} ", record.room) };
                format!("{}| {room}{}", record.n, shown_public(event))
            }
            KeptEvent::Private { from, text } => format!("{}| {}> {text}", record.n, known_as(from)),
        },
        Event::Done(Done::Join { room, members, topic, .. }) => {
            format!("in {room} {members} {topic}").trim_end().to_owned()
        }
        Event::Done(Done::Account(done)) => account_done(done),
        Event::Done(Done::Order(done)) => order_done(done),
        Event::Order(event) => order_event(event),
        Event::Done(Done::In(room, _)) => format!("said in {room}"),
        Event::Done(Done::Leave(room)) => format!("out of {room}"),
        Event::Done(Done::Rooms(count)) => format!("{count} rooms"),
        Event::Done(Done::Who(room, count)) => format!("{count} in {room}"),
        Event::Done(Done::Topic(room, topic)) => format!("topic of {room}: {topic}").trim_end().to_owned(),
        Event::Done(Done::History { room, count, position, has_more }) => {
            let n = position.map_or(0, |position| position.n);
            format!("{count} of {room} until {n}{}", if *has_more { ", more" } else { "" })
        }
        Event::Declined(Asked::To | Asked::Rename | Asked::Users | Asked::Wait, refusal) => {
            shown(&Event::Refused(refusal.clone()))
        }
        Event::Declined(_, Refusal::HistoryGone { oldest, .. }) => {
            format!("no: history-gone, oldest {}", oldest.map_or(0, |position| position.n))
        }
        Event::Declined(_, Refusal::RoomConfusable(name)) => format!("no: room-confusable({name})"),
        Event::Declined(_, Refusal::Order(refusal)) => format!("no: {}", order_refusal(refusal)),
        Event::Declined(_, Refusal::Account(refusal)) => format!("no: {}", kebab(&format!("{refusal:?}"))),
        Event::Declined(_, refusal) => format!("no: {}", kebab(&format!("{refusal:?}"))),
        Event::Synced(token) => format!("sync {token}"),
        Event::WaitMet(arg) => format!("met {arg}"),
        Event::WaitTimedOut => "not met".to_owned(),
        Event::Refused(Refusal::NameConfusable(name)) => format!("name-confusable({name})"),
        Event::Refused(Refusal::Order(refusal)) => order_refusal(refusal),
        Event::Refused(Refusal::Account(refusal)) => kebab(&format!("{refusal:?}")),
        Event::Refused(refusal) => kebab(&format!("{refusal:?}")),
        Event::Farewell(departure) => format!("bye {}", departure.code()),
    }
}

fn account_done(done: &AccountDone) -> String {
    match done {
        AccountDone::Register(name) => format!("registered {name}"),
        AccountDone::Login { name, kept: 0 } => format!("logged in as {name}"),
        AccountDone::Login { name, kept } => format!("logged in as {name}, {kept} kept"),
        AccountDone::Password(name) => format!("new password of {name}"),
        AccountDone::Unregister(name) => format!("unregistered {name}"),
        AccountDone::Token { label, token } => format!("token {label} {}", token.reveal()),
        AccountDone::Tokens(count) => format!("{count} tokens"),
        AccountDone::Revoke(label) => format!("revoked {label}"),
        AccountDone::Kept(name) => format!("kept for {name}"),
    }
}

/// `ann@1`, or `@1` for one who has no name.
fn known_as(who: &Identity) -> String {
    let name = if who.name == who.addr { "" } else { &who.name };
    let mark = if who.is_account { "!" } else { "" };
    format!("{name}{mark}{}", who.addr)
}

/// `NameInvalid(TooLong)` as `name-invalid(too-long)`.
fn kebab(words: &str) -> String {
    let mut kebab = String::new();
    for c in words.chars() {
        if c.is_uppercase() && kebab.ends_with(char::is_alphanumeric) {
            kebab.push('-');
        }
        kebab.extend(c.to_lowercase());
    }
    kebab
}
