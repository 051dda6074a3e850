//! Order on the wire: its commands out of lines, and what is told of it, in every dialect.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    json::{Fields, nonempty},
    messages::in_lang,
    opening::SEPARATORS,
    text::{put, words},
};
use crate::{
    chat::{Act, Identity, Notice, NoticeKind, OrderCommand, OrderDone, OrderEvent, OrderRefusal, Sanction, Whom},
    protocol::{Lang, Verb},
    units::parse_duration,
};

/// What stands before the name of a room where a user's may stand too.
const ROOM_SIGN: char = '#';

/// What an act with an argument asks for, if the argument has the right form. A reason may be left out.
pub(super) fn parse(act: Act, rest: &str) -> Option<OrderCommand> {
    if act == Act::Announce {
        return (!rest.is_empty()).then(|| OrderCommand::Announce(rest.to_owned()));
    }
    let (room, own) = match act {
        Act::Kick | Act::Mute | Act::Unmute => split_room(rest)?,
        _ => (None, rest),
    };
    let (first, tail) = own.split_once(SEPARATORS).map_or((own, None), |(first, tail)| (first, Some(tail)));
    if first.is_empty() {
        return None;
    }
    let name = first.to_owned();
    let alone = || tail.is_none().then_some(name.clone());
    let reason = tail.unwrap_or_default().to_owned();
    Some(match act {
        Act::Kick => OrderCommand::Kick { room, name, reason },
        Act::Ban => {
            let (time, reason) = time_and_reason(tail?)?;
            OrderCommand::Ban { who: name, time, reason }
        }
        Act::Mute => {
            let (time, reason) = time_and_reason(tail?)?;
            OrderCommand::Mute { room, name, time, reason }
        }
        Act::Unban => OrderCommand::Unban(alone()?),
        Act::Unmute => OrderCommand::Unmute { room, name: alone()? },
        Act::Lock => OrderCommand::Lock(alone()?),
        Act::Unlock => OrderCommand::Unlock(alone()?),
        Act::Invite => OrderCommand::Invite { room: name, name: one(tail?)? },
        Act::Owner => OrderCommand::Owner { room: name, name: one(tail?)? },
        Act::ShutDown if first == "cancel" && tail.is_none() => OrderCommand::CancelShutDown,
        Act::ShutDown => OrderCommand::ShutDown { time: parse_duration(first)?, reason },
        Act::Announce | Act::Bans => return None,
    })
}

/// `#ROOM` and what stands behind it, or all of it where no room is named.
fn split_room(rest: &str) -> Option<(Option<String>, &str)> {
    if !rest.starts_with([ROOM_SIGN, '＃']) {
        return Some((None, rest));
    }
    let (room, rest) = rest.split_once(SEPARATORS)?;
    Some((Some(room.to_owned()), rest))
}

fn time_and_reason(tail: &str) -> Option<(Duration, String)> {
    let (time, reason) = tail.split_once(SEPARATORS).unwrap_or((tail, ""));
    Some((parse_duration(time)?, reason.to_owned()))
}

fn one(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(SEPARATORS)).then(|| text.to_owned())
}

/// The right form of an act.
pub(super) fn form(act: Act) -> &'static str {
    match act {
        Act::Kick => "kick|NAME|REASON, kick|#ROOM|NAME|REASON",
        Act::Ban => "ban|WHO|FOR|REASON",
        Act::Unban => "unban|WHO",
        Act::Mute => "mute|NAME|FOR|REASON, mute|#ROOM|NAME|FOR|REASON",
        Act::Unmute => "unmute|NAME, unmute|#ROOM|NAME",
        Act::Bans => "bans",
        Act::Lock => "lock|ROOM",
        Act::Unlock => "unlock|ROOM",
        Act::Invite => "invite|ROOM|NAME",
        Act::Owner => "owner|ROOM|NAME",
        Act::Announce => "announce|TEXT",
        Act::ShutDown => "shutdown|FOR|REASON, shutdown|cancel",
    }
}

/// What an act is for.
pub(super) fn purpose(act: Act) -> [&'static str; 2] {
    match act {
        Act::Kick => {
            ["踢出用户,或移出房间(管理员;房主)", "disconnect a user, or put one out of a room (operator; room owner)"]
        }
        Act::Ban => [
            "封禁账号、地址、网段或用户;FOR为时长,0为永久(管理员)",
            "keep out an account, an address, a network or a user; FOR is how long, 0 for ever (operator)",
        ],
        Act::Unban => ["解除封禁(管理员)", "lift a ban (operator)"],
        Act::Mute => {
            ["禁言,全服或房间内(管理员;房主)", "let a user hear but not speak (operator; in a room, its owner)"]
        }
        Act::Unmute => ["解除禁言(管理员;房主)", "lift a mute (operator; room owner)"],
        Act::Bans => ["列出封禁与禁言(管理员)", "list bans and mutes (operator)"],
        Act::Lock => [
            "锁定房间,只有成员与受邀者可进入(房主)",
            "lock a room: only who is in it or invited may enter (room owner)",
        ],
        Act::Unlock => ["解锁房间(房主)", "unlock a room (room owner)"],
        Act::Invite => ["邀请进入锁定的房间(房主)", "let a user into a locked room (room owner)"],
        Act::Owner => ["增设房主(房主)", "make an account another owner of a room (room owner)"],
        Act::Announce => ["向所有人发公告(管理员)", "tell everyone TEXT (operator)"],
        Act::ShutDown => {
            ["FOR之后关闭服务器,或取消(管理员)", "shut the server down after FOR, or cancel that (operator)"]
        }
    }
}

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
    match refusal {
        OrderRefusal::Muted(until) | OrderRefusal::Banned(until) => put(out, &[&time(*until), "|"]),
        OrderRefusal::NotOperator
        | OrderRefusal::NotOwner
        | OrderRefusal::RoomLocked
        | OrderRefusal::NotBannable
        | OrderRefusal::NoSuchBan
        | OrderRefusal::TooManyBans(_)
        | OrderRefusal::TooManyInvited(_) => {}
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
