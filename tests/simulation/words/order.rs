//! What the server says of order.

use jiff::Timestamp;
use pipechat::{
    chat::{Act, Asked, Notice, NoticeKind, OrderDone, OrderEvent, OrderRefusal},
    protocol::Lang,
};

use super::{Keys, Words, verb_of};
use crate::reader::visible;

/// The sentence of a refusal.
pub(super) fn refused(refusal: &OrderRefusal, lang: Lang) -> String {
    let [zh, en] = match refusal {
        OrderRefusal::NotOperator => ["没有权限:需要管理员", "not allowed: operator only"],
        OrderRefusal::NotOwner => ["没有权限:需要房主", "not allowed: room owner only"],
        OrderRefusal::Muted(None) => ["你已被禁言", "you are muted"],
        OrderRefusal::Muted(Some(_)) => {
            ["你已被禁言,至1970-01-01T00:00:00.000Z", "you are muted until 1970-01-01T00:00:00.000Z"]
        }
        OrderRefusal::Banned(None) => ["该账号已被封禁", "this account is banned"],
        OrderRefusal::Banned(Some(_)) => {
            ["该账号已被封禁,至1970-01-01T00:00:00.000Z", "this account is banned until 1970-01-01T00:00:00.000Z"]
        }
        OrderRefusal::RoomLocked => ["房间已锁定", "this room is locked"],
        OrderRefusal::NotBannable => [
            "本机、代理与自己的地址或账号不能封禁",
            "addresses of this machine and of proxies, and your own, cannot be banned",
        ],
        OrderRefusal::NoSuchBan => ["没有这项封禁或禁言", "no such ban or mute"],
        OrderRefusal::TooManyBans(_) => ["封禁或禁言过多,最多10000项", "too many bans or mutes: at most 10000"],
        OrderRefusal::TooFarAhead(_) => ["时间过长,最多3650天", "too far ahead: at most 3650 days"],
        OrderRefusal::TooManyInvited(_) => ["受邀者过多,最多100个", "too many are invited: at most 100"],
    };
    match lang {
        Lang::Zh => zh.to_owned(),
        Lang::En => en.to_owned(),
    }
}

/// A refusal of what was asked for.
pub(super) fn declined(asked: Asked, refusal: &OrderRefusal, lang: Lang) -> Words {
    let (verb, text, code) = (verb_of(asked), refused(refusal, lang), refusal.code());
    let line = match refusal {
        OrderRefusal::Muted(until) | OrderRefusal::Banned(until) => format!("{verb}|{code}|{}|{text}", time(*until)),
        _ => format!("{verb}|{code}|{text}"),
    };
    Words::of_room("refused", line, Keys { code: Some(code.to_owned()), text: Some(text), ..Keys::of_verb(verb) })
}

fn time(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "-".to_owned(), |until| format!("{until:.3}"))
}

/// The answer to what was done.
pub(super) fn of_done(done: &OrderDone) -> Words {
    let verb = done.act().word();
    let (keys, text) = (|| Keys::of_verb(verb), |text: &str| Some(text.to_owned()));
    let (line, keys) = match done {
        OrderDone::Only(_) => (format!("{verb}|ok"), keys()),
        OrderDone::Whom(_, whom) => (format!("{verb}|ok|{}", visible(whom)), Keys { text: text(whom), ..keys() }),
        OrderDone::Until(_, whom, until) => {
            (format!("{verb}|ok|{}|{}", visible(whom), time(*until)), Keys { text: text(whom), ..keys() })
        }
        OrderDone::Room(_, room) => (format!("{verb}|ok|{room}"), Keys { room: text(room), ..keys() }),
        OrderDone::InRoom(_, room, whom) => {
            (format!("{verb}|ok|{room}|{}", visible(whom)), Keys { room: text(room), text: text(whom), ..keys() })
        }
        OrderDone::Bans(count) => (format!("bans|ok|{count}"), Keys { count: Some(*count as u64), ..keys() }),
        OrderDone::ShutDown(when) => (format!("shutdown|ok|{}", time(*when)), keys()),
    };
    Words::of_room("ok", line, keys)
}

/// What is told of order.
pub(super) fn of_event(event: &OrderEvent, lang: Lang) -> Words {
    match event {
        OrderEvent::Sanction(it) => {
            let (until, whom, reason) = (time(it.until), it.whom.to_string(), visible(&it.reason));
            let line = format!("bans|{until}|{}|{whom}|{}|{reason}", it.penalty.word(), it.by);
            Words { event: "sanction", text: text_of(&it.reason), line: Some(line), keys: None }
        }
        OrderEvent::Notice(it) => {
            Words { event: "notice", text: text_of(&it.text), line: Some(notice(it, lang)), keys: None }
        }
    }
}

fn text_of(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn notice(Notice { kind, by, room, until, text }: &Notice, lang: Lang) -> String {
    let by = by.as_ref().map_or(String::new(), |by| format!("[{}]", by.name));
    let what = match (kind, lang) {
        (NoticeKind::Announced, _) => "",
        (NoticeKind::Kicked, Lang::Zh) => "你已被踢出",
        (NoticeKind::Kicked, Lang::En) => "you were kicked",
        (NoticeKind::Banned, Lang::Zh) => "你已被封禁",
        (NoticeKind::Banned, Lang::En) => "you are banned",
        (NoticeKind::Muted, Lang::Zh) => "你已被禁言",
        (NoticeKind::Muted, Lang::En) => "you are muted",
        (NoticeKind::Unmuted, Lang::Zh) => "已解除禁言",
        (NoticeKind::Unmuted, Lang::En) => "you may speak again",
        (NoticeKind::Invited, Lang::Zh) => "邀请你进入房间",
        (NoticeKind::Invited, Lang::En) => "you are invited to room",
        (NoticeKind::Owner, Lang::Zh) => "你已成为房主,房间",
        (NoticeKind::Owner, Lang::En) => "you are now an owner of room",
        (NoticeKind::ShutDown, Lang::Zh) => "服务器即将关闭",
        (NoticeKind::ShutDown, Lang::En) => "the server shuts down",
        (NoticeKind::GoesOn, Lang::Zh) => "服务器不再关闭",
        (NoticeKind::GoesOn, Lang::En) => "the shutdown is cancelled",
    };
    let room = room.as_ref().map_or(String::new(), |room| format!(" #{room}"));
    let when = match (until, lang) {
        (None, _) => String::new(),
        (Some(until), Lang::Zh) => format!(",时间{until:.3}"),
        (Some(until), Lang::En) => format!(" at {until:.3}"),
    };
    let before = match (kind, lang) {
        _ if text.is_empty() => "",
        (NoticeKind::Announced, _) => "",
        (_, Lang::Zh) => ":",
        (_, Lang::En) => ": ",
    };
    let start = if lang == Lang::Zh { "公告" } else { "notice" };
    format!("{start}{by} {what}{room}{when}{before}{}", visible(text))
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
