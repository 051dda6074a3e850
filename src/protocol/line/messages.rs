//! Every text that the server has for people, in each language.

use super::{accounts, order};
use crate::{
    chat::{Act, Departure, NAME_CHARS_MAX, NAME_MARKS_MAX, NameRule, Refusal},
    protocol::{FormError, Format, Lang, Setting, Verb},
};

pub(super) fn refused(refusal: &Refusal, lang: Lang) -> String {
    let texts = match *refusal {
        Refusal::NameConfusable(ref name) => {
            return match lang {
                Lang::Zh => format!("与 {name} 过于相似"),
                Lang::En => format!("looks like {name}"),
            };
        }
        Refusal::NameTaken => ["用户名已存在,修改失败", "name already taken"],
        Refusal::NameInvalid(rule) => return name_invalid(["用户名无效,修改失败:", "invalid name: "], rule, lang),
        Refusal::NoSuchRoom => ["房间不存在", "no such room"],
        Refusal::NotInRoom => ["你不在该房间", "not in this room"],
        Refusal::RoomInvalid(rule) => return name_invalid(["房间名无效:", "invalid room name: "], rule, lang),
        Refusal::RoomConfusable(ref name) => {
            return match lang {
                Lang::Zh => format!("与房间 {name} 过于相似"),
                Lang::En => format!("looks like room {name}"),
            };
        }
        Refusal::TooManyRooms(max) => {
            return match lang {
                Lang::Zh => format!("房间过多,最多{max}个"),
                Lang::En => format!("too many rooms: at most {max}"),
            };
        }
        Refusal::Account(ref refusal) => return accounts::refused(refusal, lang),
        Refusal::Order(ref refusal) => return order::refused(refusal, lang),
        Refusal::NotStored => ["存储失败,消息未发送", "storage failed, not sent"],
        Refusal::StoreFailed => ["存储失败,暂时无法读取历史", "storage failed, history cannot be read"],
        Refusal::HistoryGone { .. } => ["更早的历史已不存在", "older history is gone"],
        Refusal::NoSuchUser => ["目标对象不存在,请仔细检查", "no such user, please check the name"],
        Refusal::EmptyText => ["消息内容格式错误", "message text must not be empty"],
        Refusal::RecipientBehind => ["对方接收过慢,消息未送达", "recipient is not keeping up, not delivered"],
        Refusal::ArgumentTooLong(max) => {
            return match lang {
                Lang::Zh => format!("参数过长,最多{max}字节"),
                Lang::En => format!("argument too long: must be at most {max} bytes"),
            };
        }
        Refusal::WaitTooLong(max) => {
            let max = max.as_secs_f64();
            return match lang {
                Lang::Zh => format!("等待时间过长,最多{max}秒"),
                Lang::En => format!("wait too long: must be at most {max} seconds"),
            };
        }
    };
    in_lang(texts, lang).to_owned()
}

pub(super) fn form_error(error: FormError, lang: Lang) -> String {
    let texts = match error {
        FormError::Usage(verb) => {
            let before = in_lang(["格式错误,正确格式:", "usage: "], lang);
            return format!("{before}{}{}", form(verb), in_lang(hint(verb), lang));
        }
        FormError::PrivateUsage => ["发送私聊消息格式错误,正确格式:to|张三|你好呀", "usage: to|NAME|TEXT"],
        FormError::UnknownVerb => ["没有这个命令", "unknown command"],
        FormError::StayForbidden => ["本服务器已禁用stay", "stay is disabled on this server"],
        FormError::TooLong(max) => {
            return match lang {
                Lang::Zh => format!("消息过长,一行最多{max}字节,已丢弃"),
                Lang::En => format!("line too long, discarded: must be at most {max} bytes"),
            };
        }
        FormError::NotUtf8 => ["消息不是有效的UTF-8,已丢弃", "line is not valid UTF-8, discarded"],
        FormError::Nul => ["消息含有NUL字符,已丢弃", "line contains a NUL, discarded"],
    };
    in_lang(texts, lang).to_owned()
}

/// What stands behind the right form of a verb: which values its arguments have, where that is no plain name or text.
fn hint(verb: Verb) -> [&'static str; 2] {
    match verb {
        Verb::Join | Verb::History => [
            ";N最多1000,START如10m、2026-11-25T09:30:00Z或位置",
            "; N is at most 1000, START is 10m, 2026-11-25T09:30:00Z or the like, or a position",
        ],
        Verb::Order(Act::Ban | Act::Mute) => {
            [";FOR如90s、15m、1h、7d,0为永久", "; FOR is 90s, 15m, 1h, 7d or the like, 0 for ever"]
        }
        Verb::Order(Act::ShutDown) => {
            [";FOR如90s、15m、1h、7d,0为立即", "; FOR is 90s, 15m, 1h, 7d or the like, 0 for at once"]
        }
        Verb::Order(
            Act::Kick
            | Act::Unban
            | Act::Unmute
            | Act::Bans
            | Act::Lock
            | Act::Unlock
            | Act::Invite
            | Act::Owner
            | Act::Announce,
        )
        | Verb::Who
        | Verb::Rename
        | Verb::To
        | Verb::Say
        | Verb::Sync
        | Verb::Wait
        | Verb::Check
        | Verb::In
        | Verb::Leave
        | Verb::Rooms
        | Verb::Topic
        | Verb::Register
        | Verb::Login
        | Verb::Password
        | Verb::Unregister
        | Verb::Token
        | Verb::Tokens
        | Verb::Revoke
        | Verb::Visit
        | Verb::Stay
        | Verb::Format
        | Verb::Lang
        | Verb::Help
        | Verb::Quit => ["", ""],
    }
}

fn name_invalid(before: [&'static str; 2], rule: NameRule, lang: Lang) -> String {
    let before = in_lang(before, lang);
    let [zh, en] = match rule {
        NameRule::Empty => ["不能为空", "must not be empty"],
        NameRule::TooLong => {
            return match lang {
                Lang::Zh => format!("{before}不能超过{NAME_CHARS_MAX}个字符"),
                Lang::En => format!("{before}must be at most {NAME_CHARS_MAX} characters"),
            };
        }
        NameRule::Space => ["不能含有空白字符", "must not contain white space"],
        NameRule::Invisible => ["不能含有控制字符或不可见字符", "must not contain control or invisible characters"],
        NameRule::Punctuation => ["不能含有 | [ ] :", "must not contain any of | [ ] :"],
        NameRule::Marks => {
            return match lang {
                Lang::Zh => {
                    format!("{before}不能以组合符号开头,一个字符上的组合符号不能超过{NAME_MARKS_MAX}个")
                }
                Lang::En => format!(
                    "{before}must not begin with a combining mark, or have more than {NAME_MARKS_MAX} on a character"
                ),
            };
        }
        NameRule::RoomSign => ["不能以 # 开头", "must not begin with #"],
        NameRule::Address => ["不能是IP地址", "must not be an IP address"],
        NameRule::Reserved => ["不能是 . .. @", "must not be . or .. or @"],
        NameRule::Separator => ["不能含有 / ,", "must not contain any of / ,"],
    };
    format!("{before}{}", in_lang([zh, en], lang))
}

pub(in crate::protocol) fn goodbye(departure: Departure, lang: Lang) -> &'static str {
    let texts = match departure {
        Departure::Left | Departure::Quit => ["再见", "goodbye"],
        Departure::WaitTimedOut => ["等待超时", "the wait has timed out"],
        Departure::CheckFailed => ["有消息被拒绝", "a line was refused"],
        Departure::Visiting => ["已转为访客", "visiting"],
        Departure::Lost => ["连接已断开", "connection lost"],
        Departure::Idle => ["你已超时,将被踢出下线", "disconnected: idle timeout"],
        Departure::SlowConsumer => ["你接收过慢,积压消息超过上限,连接将被断开", "disconnected: output queue full"],
        Departure::WriteTimeout => ["你长时间未接收数据,连接将被断开", "disconnected: write timeout"],
        Departure::LoggedOut => ["你已退出登录,连接将被断开", "disconnected: logged out"],
        Departure::Kicked => ["你已被踢出,连接将被断开", "disconnected: kicked"],
        Departure::Banned => ["你已被封禁,连接将被断开", "disconnected: banned"],
        Departure::Full => ["服务器已满,请稍后再试", "the server is full, please try again later"],
        Departure::FullForAddress => {
            ["来自你的地址的连接过多,请稍后再试", "too many connections from your address, please try again later"]
        }
        Departure::TooManyArrivals => [
            "来自你的地址的新连接过于频繁,请稍后再试",
            "too many new connections from your address, please try again later",
        ],
        Departure::Http => {
            ["此端口不支持HTTP(见 --http),连接将被断开", "disconnected: this port does not speak HTTP, see --http"]
        }
        Departure::OtherProtocol => [
            "这里是聊天服务,不支持其他协议,连接将被断开",
            "disconnected: this is a chat server, other protocols are not supported",
        ],
        Departure::ShuttingDown => ["服务器即将关闭,再见", "the server is shutting down, goodbye"],
    };
    in_lang(texts, lang)
}

pub(super) fn in_lang([zh, en]: [&'static str; 2], lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The right form of a verb.
pub(super) fn form(verb: Verb) -> &'static str {
    match verb {
        Verb::Who => "who, who|ROOM",
        Verb::Rename => "rename|NAME",
        Verb::To => "to|NAME|TEXT",
        Verb::Say => "say|TEXT",
        Verb::Sync => "sync|TOKEN",
        Verb::Wait => {
            "wait|SECONDS|user|NAME, wait|SECONDS|gone|NAME, wait|SECONDS|users|N, wait|SECONDS|text|PART, \
             wait|SECONDS|members|ROOM|N, wait|SECONDS|in|ROOM|PART, wait|SECONDS|by|NAME|ROOM|PART"
        }
        Verb::Check => "check|TOKEN",
        Verb::Join => "join|ROOM, join|ROOM|since|START, join|ROOM|last|N",
        Verb::In => "in|ROOM|TEXT",
        Verb::Leave => "leave|ROOM",
        Verb::Rooms => "rooms",
        Verb::Topic => "topic|ROOM|TEXT, topic|ROOM",
        Verb::History => "history|ROOM, history|ROOM|N, history|ROOM|since|START",
        Verb::Register => "register|PASSWORD",
        Verb::Login => "login|NAME|PASSWORD, login|TOKEN",
        Verb::Password => "password|OLD|NEW",
        Verb::Unregister => "unregister|PASSWORD",
        Verb::Token => "token|LABEL",
        Verb::Tokens => "tokens",
        Verb::Revoke => "revoke|LABEL",
        Verb::Order(act) => order::form(act),
        Verb::Visit => "visit",
        Verb::Stay => "stay",
        Verb::Format => "format|json, format|text",
        Verb::Lang => "lang|zh, lang|en",
        Verb::Help => "help",
        Verb::Quit => "quit",
    }
}

pub(super) fn set(setting: Setting, lang: Lang) -> &'static str {
    let texts = match setting {
        Setting::Stay => ["已设置:不会因超时被踢出", "set: no idle timeout"],
        Setting::Visit => ["已设置:访客", "set: visitor"],
        Setting::Format(Format::Text) => ["已设置:文本格式", "set: format text"],
        Setting::Format(Format::Json) => ["已设置:JSON格式", "set: format json"],
        Setting::Lang(Lang::Zh) => ["已设置:中文", "set: Chinese"],
        Setting::Lang(Lang::En) => ["已设置:英文", "set: English"],
    };
    in_lang(texts, lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::HISTORY_MAX;

    #[test]
    fn the_right_form_says_what_a_time_and_a_number_look_like() {
        assert_eq!(HISTORY_MAX, 1000, "as the hint says");
        for (verb, zh, en) in [
            (
                Verb::History,
                "格式错误,正确格式:history|ROOM, history|ROOM|N, history|ROOM|since|START;N最多1000,START如10m、2026-11-25T09:30:00Z或位置",
                "usage: history|ROOM, history|ROOM|N, history|ROOM|since|START; N is at most 1000, START is 10m, 2026-11-25T09:30:00Z or the like, or a position",
            ),
            (
                Verb::Order(Act::Ban),
                "格式错误,正确格式:ban|WHO|FOR|REASON;FOR如90s、15m、1h、7d,0为永久",
                "usage: ban|WHO|FOR|REASON; FOR is 90s, 15m, 1h, 7d or the like, 0 for ever",
            ),
            (Verb::Rooms, "格式错误,正确格式:rooms", "usage: rooms"),
        ] {
            assert_eq!(form_error(FormError::Usage(verb), Lang::Zh), zh);
            assert_eq!(form_error(FormError::Usage(verb), Lang::En), en);
        }
    }
}
