//! What is told of order, in the words of transcripts.

use super::super::super::*;

pub(super) fn order_refusal(refusal: &OrderRefusal) -> String {
    match refusal {
        OrderRefusal::NotOperator => "not-operator".to_owned(),
        OrderRefusal::NotOwner => "not-owner".to_owned(),
        OrderRefusal::Muted(until) | OrderRefusal::Banned(until) => {
            format!("{} until {}", refusal.code(), until_shown(*until))
        }
        OrderRefusal::RoomLocked
        | OrderRefusal::NotBannable
        | OrderRefusal::NoSuchBan
        | OrderRefusal::TooManyBans(_)
        | OrderRefusal::TooFarAhead(_)
        | OrderRefusal::TooManyInvited(_) => refusal.code().to_owned(),
    }
}

/// In seconds since the beginning.
fn until_shown(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "-".to_owned(), |until| until.as_second().to_string())
}

pub(super) fn order_done(done: &OrderDone) -> String {
    let act = done.act().word();
    match done {
        OrderDone::Only(_) => format!("{act} ok"),
        OrderDone::Whom(_, whom) => format!("{act} ok {whom}"),
        OrderDone::Until(_, whom, until) => format!("{act} ok {whom} until {}", until_shown(*until)),
        OrderDone::Room(_, room) => format!("{act} ok #{room}"),
        OrderDone::InRoom(_, room, whom) => format!("{act} ok #{room} {whom}"),
        OrderDone::Bans(count) => format!("{count} bans"),
        OrderDone::ShutDown(when) => format!("{act} ok {}", until_shown(*when)),
    }
}

pub(super) fn order_event(event: &OrderEvent) -> String {
    match event {
        OrderEvent::Sanction(it) => {
            format!("{} {} until {} by {} {}", it.penalty.word(), it.whom, until_shown(it.until), it.by, it.reason)
                .trim_end()
                .to_owned()
        }
        OrderEvent::Notice(notice) => {
            let by = notice.by.as_ref().map_or("?", |by| &by.name);
            let room = notice.room.as_ref().map_or(String::new(), |room| format!(" #{room}"));
            let until = notice.until.map_or(String::new(), |until| format!(" until {}", until_shown(Some(until))));
            format!("notice {by} {}{room}{until} {}", notice.kind.code(), notice.text).trim_end().to_owned()
        }
    }
}
