//! Order on the wire: its commands out of lines (`commands`), and what is told of it, in every dialect.

mod commands;

use jiff::Timestamp;

use super::{
    json::{Fields, nonempty},
    messages::in_lang,
    text::{put, words},
};
use crate::{
    chat::{Identity, Notice, NoticeKind, OrderDone, OrderEvent, OrderRefusal, Refusal, Sanction, Whom},
    protocol::{Lang, Verb},
};

pub(super) use commands::{form, parse, purpose};

/// Why a request was refused, in a sentence.
pub(super) fn refused(refusal: &OrderRefusal, lang: Lang) -> String {
    let until = |zh: &str, en: &str, until: &Option<Timestamp>| match (lang, until) {
        (Lang::Zh, Some(until)) => format!("{zh},至{until:.3}"),
        (Lang::En, Some(until)) => format!("{en} until {until:.3}"),
        (Lang::Zh, None) => zh.to_owned(),
        (Lang::En, None) => en.to_owned(),
    };
    let texts = match refusal {
        OrderRefusal::NotOperator => ["没有权限:需要管理员", "not allowed: operator only"],
        OrderRefusal::NotOwner => ["没有权限:需要房主", "not allowed: room owner only"],
        OrderRefusal::Muted(time) => return until("你已被禁言", "you are muted", time),
        OrderRefusal::Banned(time) => return until("该账号已被封禁", "this account is banned", time),
        OrderRefusal::RoomLocked => ["房间已锁定", "this room is locked"],
        OrderRefusal::NotBannable => [
            "本机、代理与自己的地址或账号不能封禁",
            "addresses of this machine and of proxies, and your own, cannot be banned",
        ],
        OrderRefusal::NoSuchBan => ["没有这项封禁或禁言", "no such ban or mute"],
        OrderRefusal::TooManyBans(max) => {
            return match lang {
                Lang::Zh => format!("封禁或禁言过多,最多{max}项"),
                Lang::En => format!("too many bans or mutes: at most {max}"),
            };
        }
        OrderRefusal::TooFarAhead(max) => {
            let days = max.as_secs() / (24 * 3600);
            return match lang {
                Lang::Zh => format!("时间过长,最多{days}天"),
                Lang::En => format!("too far ahead: at most {days} days"),
            };
        }
        OrderRefusal::TooManyInvited(max) => {
            return match lang {
                Lang::Zh => format!("受邀者过多,最多{max}个"),
                Lang::En => format!("too many are invited: at most {max}"),
            };
        }
    };
    in_lang(texts, lang).to_owned()
}

/// Appends what stands between the code of a refusal and its sentence: until when it holds.
pub(super) fn refused_fields(out: &mut Vec<u8>, refusal: &OrderRefusal) {
    if let Some(until) = holds_until(refusal) {
        put(out, &[&time(until), "|"]);
    }
}

/// Until when a refusal holds that ends by itself; none is for ever.
fn holds_until(refusal: &OrderRefusal) -> Option<Option<Timestamp>> {
    match refusal {
        OrderRefusal::Muted(until) | OrderRefusal::Banned(until) => Some(*until),
        OrderRefusal::NotOperator
        | OrderRefusal::NotOwner
        | OrderRefusal::RoomLocked
        | OrderRefusal::NotBannable
        | OrderRefusal::NoSuchBan
        | OrderRefusal::TooManyBans(_)
        | OrderRefusal::TooFarAhead(_)
        | OrderRefusal::TooManyInvited(_) => None,
    }
}

/// When, or `-` for never.
fn time(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "-".to_owned(), |until| format!("{until:.3}"))
}

/// Appends the answer to a request that was done.
pub(super) fn answer(out: &mut Vec<u8>, done: &OrderDone) {
    put(out, &[Verb::Order(done.act()).word(), "|ok"]);
    let fields: &[&str] = match done {
        OrderDone::Only(_) => &[],
        OrderDone::Whom(_, whom) => &[whom],
        OrderDone::Until(_, whom, until) => &[whom, &time(*until)],
        OrderDone::Room(_, room) => &[room],
        OrderDone::InRoom(_, room, whom) => &[room, whom],
        OrderDone::Bans(count) => &[&count.to_string()],
        OrderDone::ShutDown(when) => &[&time(*when)],
    };
    for field in fields {
        put(out, &["|"]);
        words(out, &[field]);
    }
}

/// Appends what is told of order.
pub(super) fn event(out: &mut Vec<u8>, event: &OrderEvent, lang: Lang) {
    match event {
        OrderEvent::Sanction(it) => {
            put(out, &["bans|", &time(it.until), "|", it.penalty.word(), "|"]);
            words(out, &[&it.whom.to_string(), &it.by, &it.reason]);
        }
        OrderEvent::Notice(notice) => self::notice(out, notice, lang),
    }
}

/// Appends a notice. Nobody can say such a line: what is said begins with an address in brackets, or `#` and a room, or `from`.
fn notice(out: &mut Vec<u8>, notice: &Notice, lang: Lang) {
    put(out, &[in_lang(["公告", "notice"], lang)]);
    if let Some(by) = &notice.by {
        put(out, &["["]);
        words(out, &[&by.name]);
        put(out, &["]"]);
    }
    put(out, &[" "]);
    let what = match notice.kind {
        NoticeKind::Announced => ["", ""],
        NoticeKind::Kicked if notice.room.is_some() => ["你已被移出房间", "you were put out of room"],
        NoticeKind::Kicked => ["你已被踢出", "you were kicked"],
        NoticeKind::Banned => ["你已被封禁", "you are banned"],
        NoticeKind::Muted if notice.room.is_some() => ["你已被禁言,房间", "you are muted in room"],
        NoticeKind::Muted => ["你已被禁言", "you are muted"],
        NoticeKind::Unmuted if notice.room.is_some() => ["已解除禁言,房间", "you may speak again in room"],
        NoticeKind::Unmuted => ["已解除禁言", "you may speak again"],
        NoticeKind::Invited => ["邀请你进入房间", "you are invited to room"],
        NoticeKind::Owner => ["你已成为房主,房间", "you are now an owner of room"],
        NoticeKind::ShutDown => ["服务器即将关闭", "the server shuts down"],
        NoticeKind::GoesOn => ["服务器不再关闭", "the shutdown is cancelled"],
    };
    put(out, &[in_lang(what, lang)]);
    if let Some(room) = &notice.room {
        put(out, &[" #"]);
        words(out, &[room]);
    }
    let when = |until: Timestamp| match (notice.kind, lang) {
        (NoticeKind::ShutDown, Lang::Zh) => format!(",时间{until:.3}"),
        (NoticeKind::ShutDown, Lang::En) => format!(" at {until:.3}"),
        (_, Lang::Zh) => format!(",至{until:.3}"),
        (_, Lang::En) => format!(" until {until:.3}"),
    };
    if let Some(until) = notice.until {
        put(out, &[&when(until)]);
    }
    if !notice.text.is_empty() {
        put(out, &[if notice.kind == NoticeKind::Announced { "" } else { in_lang([":", ": "], lang) }]);
        words(out, &[&notice.text]);
    }
}

/// Until when what is told holds, as JSON's `old`.
pub(super) fn until_text(event: &OrderEvent) -> Option<String> {
    let until = match event {
        OrderEvent::Notice(notice) => notice.until,
        OrderEvent::Sanction(sanction) => sanction.until,
    };
    until.map(|until| format!("{until:.3}"))
}

/// The same for a refusal.
pub(super) fn until_of_refusal(refusal: &Refusal) -> Option<String> {
    let Refusal::Order(refusal) = refusal else { return None };
    holds_until(refusal)?.map(|until| format!("{until:.3}"))
}

/// The same for an answer.
pub(super) fn until_of(done: &OrderDone) -> Option<String> {
    match done {
        OrderDone::Until(.., until) | OrderDone::ShutDown(until) => until.map(|until| format!("{until:.3}")),
        OrderDone::Only(_) | OrderDone::Whom(..) | OrderDone::Room(..) | OrderDone::InRoom(..) | OrderDone::Bans(_) => {
            None
        }
    }
}

/// Whom a ban or a mute holds for, as JSON's `from`.
pub(super) fn whom(event: &OrderEvent) -> Option<Identity> {
    match event {
        OrderEvent::Notice(_) => None,
        OrderEvent::Sanction(Sanction { whom, .. }) => {
            let (name, is_account) = (whom.to_string(), matches!(whom, Whom::Account(_)));
            let addr = if is_account { "-".to_owned() } else { name.clone() };
            Some(Identity { name, addr, is_account })
        }
    }
}

/// What is told of order, as an object; `whom` is [`whom`], and `until` [`until_text`].
pub(super) fn event_fields<'a>(event: &'a OrderEvent, whom: Option<&'a Identity>, until: &'a str) -> Fields<'a> {
    match event {
        OrderEvent::Notice(Notice { kind, by, room, text, until: _ }) => Fields {
            event: "notice",
            from: by.as_deref(),
            text: nonempty(text),
            code: Some(kind.code()),
            old: nonempty(until),
            room: room.as_deref(),
            ..Fields::default()
        },
        OrderEvent::Sanction(sanction) => Fields {
            event: "sanction",
            from: whom,
            text: nonempty(&sanction.reason),
            code: Some(sanction.penalty.word()),
            old: nonempty(until),
            ..Fields::default()
        },
    }
}

/// The answer to a request that was done, as an object; `until` is [`until_of`].
pub(super) fn done_fields<'a>(done: &'a OrderDone, until: &'a str) -> Fields<'a> {
    let fields = Fields { event: "ok", verb: Some(Verb::Order(done.act())), ..Fields::default() };
    match done {
        OrderDone::Only(_) => fields,
        OrderDone::Whom(_, whom) => Fields { text: Some(whom), ..fields },
        OrderDone::Until(_, whom, _) => Fields { text: Some(whom), old: nonempty(until), ..fields },
        OrderDone::Room(_, room) => Fields { room: Some(room), ..fields },
        OrderDone::InRoom(_, room, whom) => Fields { room: Some(room), text: Some(whom), ..fields },
        OrderDone::Bans(count) => Fields { count: Some(*count), ..fields },
        OrderDone::ShutDown(_) => Fields { old: nonempty(until), ..fields },
    }
}
