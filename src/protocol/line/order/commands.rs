//! What keeps order, out of lines: the right forms, and what each is for.

use std::time::Duration;

use crate::{
    chat::{Act, OrderCommand},
    protocol::line::opening::SEPARATORS,
    units::parse_duration,
};

/// What stands before the name of a room where a user's may stand too.
const ROOM_SIGN: char = '#';

/// What an act with an argument asks for, if the argument has the right form. A reason may be left out.
pub(in crate::protocol::line) fn parse(act: Act, rest: &str) -> Option<OrderCommand> {
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
pub(in crate::protocol::line) fn form(act: Act) -> &'static str {
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
pub(in crate::protocol::line) fn purpose(act: Act) -> [&'static str; 2] {
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
