//! What the server says for itself, in the words of the manual (`common::Texts`).

mod accounts;
mod order;

use common::{EN, Texts, ZH};
use pipechat::{
    chat::{Asked, Departure, Done, Event, NameRule, Position, Refusal},
    protocol::{FormError, Format, Lang, Reply, Setting, Verb},
};

use super::reader::visible;

/// What is to be read of the server's own words.
pub(crate) struct Words {
    /// In JSON, the word for it.
    pub(crate) event: &'static str,
    /// In JSON, the text, where the manual has words for it.
    pub(crate) text: Option<String>,
    /// In text, the line; none for what has no line.
    pub(crate) line: Option<String>,
    /// In JSON, the other keys, where verbs of rooms have them.
    pub(crate) keys: Option<Keys>,
}

/// Keys of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) verb: Option<String>,
    pub(crate) room: Option<String>,
    pub(crate) count: Option<u64>,
    pub(crate) code: Option<String>,
    pub(crate) pos: Option<String>,
    /// The same as [`Words::text`]; none if there is none.
    pub(crate) text: Option<String>,
}

impl Words {
    fn same(event: &'static str, text: String) -> Self {
        Self { event, line: Some(text.clone()), text: Some(text), keys: None }
    }

    fn of_room(event: &'static str, line: String, keys: Keys) -> Self {
        Self { event, line: Some(line), text: keys.text.clone(), keys: Some(keys) }
    }
}

/// Of an event; none if users are its subject.
pub(crate) fn of_event(event: &Event, lang: Lang) -> Option<Words> {
    let texts = texts(lang);
    Some(match event {
        Event::Private { .. } | Event::Past(..) | Event::User(_) => return None,
        Event::UsersEnd(_) => Words { event: "users_end", text: None, line: None, keys: None },
        Event::Renamed { old, new } => {
            Words { event: "renamed", text: None, line: Some(texts.renamed(&old.name, &new.name)), keys: None }
        }
        Event::Room { name, members, topic } => {
            let shown = members.map_or_else(|| "-".to_owned(), |members| members.to_string());
            let line = format!("rooms|{shown}|{name}|{}", visible(topic));
            Words::of_room("room", line, Keys { count: members.map(|members| members as u64), ..Keys::of(name, topic) })
        }
        Event::Token(_, token) => accounts::of_token(token),
        Event::Order(event) => order::of_event(event, lang),
        Event::Done(Done::Order(done)) => order::of_done(done),
        Event::Done(Done::Account(done)) => accounts::of_done(done, lang),
        Event::Done(done) => of_done(done),
        Event::Declined(asked @ (Asked::To | Asked::Rename | Asked::Users | Asked::Wait), refusal) => {
            Words { line: Some(refused(refusal, lang)), ..declined(*asked, refusal, lang) }
        }
        Event::Declined(asked, refusal) => declined(*asked, refusal, lang),
        Event::Synced(token) => {
            let line = Some(format!("sync|{}", visible(token)));
            Words { event: "sync", text: Some(token.clone()), line, keys: None }
        }
        Event::WaitMet(arg) => {
            let line = Some(format!("wait|ok|{}", visible(arg)));
            Words { event: "wait", text: Some(arg.clone()), line, keys: None }
        }
        Event::WaitTimedOut => Words { event: "wait", text: None, line: Some("wait|timeout".to_owned()), keys: None },
        Event::Refused(refusal) => Words::same("refused", refused(refusal, lang)),
        Event::Farewell(departure) => Words::same("farewell", farewell(*departure, texts).to_owned()),
    })
}

/// The answer to what was refused, in its usual form.
fn declined(asked: Asked, refusal: &Refusal, lang: Lang) -> Words {
    let (verb, text) = (verb_of(asked), refused(refusal, lang));
    let code = Some(refusal.code().to_owned());
    let keys = Keys { code, text: Some(text.clone()), ..Keys::of_verb(verb) };
    match refusal {
        Refusal::Order(refusal) => order::declined(asked, refusal, lang),
        Refusal::Account(refusal) => accounts::declined(asked, refusal, lang),
        Refusal::HistoryGone { room, oldest } => {
            let line = format!("{verb}|history-gone|{room}|{}|{text}", place(*oldest));
            Words::of_room("refused", line, Keys { room: Some(room.to_string()), pos: key(*oldest), ..keys })
        }
        refusal => Words::of_room("refused", format!("{verb}|{}|{text}", refusal.code()), keys),
    }
}

/// The answer to what was done.
fn of_done(done: &Done) -> Words {
    let keys_of = Keys::of;
    let (line, keys) = match done {
        Done::Join { room, members, position, topic } => (
            format!("join|ok|{room}|{members}|{}|{}", place(*position), visible(topic)),
            Keys { count: Some(*members as u64), pos: key(*position), ..keys_of(room, topic) },
        ),
        Done::In(room, position) => {
            (format!("in|ok|{room}|{}", place(*position)), Keys { pos: key(*position), ..keys_of(room, "") })
        }
        Done::History { room, count, position, has_more } => (
            format!("history|{}|{room}|{count}|{}", if *has_more { "more" } else { "ok" }, place(*position)),
            Keys {
                count: Some(*count as u64),
                pos: key(*position),
                code: has_more.then(|| "more".to_owned()),
                ..keys_of(room, "")
            },
        ),
        Done::Leave(room) => (format!("leave|ok|{room}"), keys_of(room, "")),
        Done::Rooms(count) => (format!("rooms|ok|{count}"), Keys { count: Some(*count as u64), ..Keys::default() }),
        Done::Who(room, count) => {
            (format!("who|ok|{room}|{count}"), Keys { count: Some(*count as u64), ..keys_of(room, "") })
        }
        Done::Account(_) | Done::Order(_) => unreachable!("it has answers of its own"),
        Done::Topic(room, topic) => (format!("topic|ok|{room}|{}", visible(topic)), keys_of(room, topic)),
    };
    let verb = Some(verb_of(done.asked()).to_owned());
    Words::of_room("ok", line, Keys { verb, ..keys })
}

/// A position in a line.
fn place(position: Option<Position>) -> String {
    key(position).unwrap_or_else(|| "-".to_owned())
}

/// A position in an object.
fn key(position: Option<Position>) -> Option<String> {
    position.map(|position| position.to_string())
}

impl Keys {
    /// Of a room, with its topic if that is told.
    fn of(room: &str, topic: &str) -> Self {
        let text = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
        Self { room: Some(room.to_owned()), text, ..Self::default() }
    }

    fn of_verb(verb: &str) -> Self {
        Self { verb: Some(verb.to_owned()), ..Self::default() }
    }
}

fn verb_of(asked: Asked) -> &'static str {
    match asked {
        Asked::Join => "join",
        Asked::In => "in",
        Asked::Leave => "leave",
        Asked::Rooms => "rooms",
        Asked::Who => "who",
        Asked::Topic => "topic",
        Asked::History => "history",
        Asked::To => "to",
        Asked::Rename => "rename",
        Asked::Users => "who",
        Asked::Wait => "wait",
        Asked::Register => "register",
        Asked::Login => "login",
        Asked::Password => "password",
        Asked::Unregister => "unregister",
        Asked::Token => "token",
        Asked::Tokens => "tokens",
        Asked::Revoke => "revoke",
        Asked::Order(act) => act.word(),
    }
}

/// Of a reply; none for help, which is many lines.
pub(crate) fn of_reply(reply: &Reply, lang: Lang) -> Option<Words> {
    let texts = texts(lang);
    let set = |text: &str| Words::same("set", text.to_owned());
    Some(match reply {
        Reply::Refused(error) => {
            let text = form_error(*error, texts);
            let line = match error {
                FormError::Usage(Verb::In) => format!("in|malformed|{text}"),
                FormError::Usage(Verb::Rooms) => format!("rooms|malformed|{text}"),
                FormError::Usage(Verb::Join) => format!("join|malformed|{text}"),
                FormError::Usage(Verb::History) => format!("history|malformed|{text}"),
                FormError::Usage(Verb::Register) => format!("register|malformed|{text}"),
                FormError::Usage(Verb::Login) => format!("login|malformed|{text}"),
                FormError::Usage(Verb::Password) => format!("password|malformed|{text}"),
                FormError::Usage(Verb::Unregister) => format!("unregister|malformed|{text}"),
                FormError::Usage(Verb::Token) => format!("token|malformed|{text}"),
                FormError::Usage(Verb::Tokens) => format!("tokens|malformed|{text}"),
                FormError::Usage(Verb::Order(act)) => format!("{}|malformed|{text}", act.word()),
                FormError::Usage(Verb::Revoke) => format!("revoke|malformed|{text}"),
                _ => text.clone(),
            };
            Words { line: Some(line), ..Words::same("refused", text) }
        }
        Reply::Set(Setting::Stay) => set(texts.set_stay),
        Reply::Set(Setting::Visit) => set(texts.set_visit),
        Reply::Set(Setting::Format(Format::Text)) => set(texts.set_format_text),
        Reply::Set(Setting::Format(Format::Json)) => Words { event: "set", text: None, line: None, keys: None },
        Reply::Set(Setting::Lang(_)) => set(texts.set_lang),
        Reply::Checked { token, refused } => Words {
            event: if refused.is_some() { "refused" } else { "ok" },
            text: Some(token.clone()),
            line: Some(format!("check|{}|{}", refused.unwrap_or("ok"), visible(token))),
            keys: None,
        },
        Reply::Help(_) | Reply::Alive => return None,
    })
}

fn texts(lang: Lang) -> &'static Texts {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

fn refused(refusal: &Refusal, lang: Lang) -> String {
    let texts = texts(lang);
    let in_lang = |zh: &str, en: &str| match lang {
        Lang::Zh => zh.to_owned(),
        Lang::En => en.to_owned(),
    };
    match refusal {
        Refusal::NameTaken => texts.name_taken.to_owned(),
        Refusal::NameConfusable(name) => in_lang(&format!("与 {name} 过于相似"), &format!("looks like {name}")),
        Refusal::NameInvalid(rule) => texts.name_invalid(&broken(*rule, texts, in_lang)),
        Refusal::NotStored => in_lang("存储失败,消息未发送", "storage failed, not sent"),
        Refusal::StoreFailed => in_lang("存储失败,暂时无法读取历史", "storage failed, history cannot be read"),
        Refusal::HistoryGone { .. } => in_lang("更早的历史已不存在", "older history is gone"),
        Refusal::NoSuchRoom => in_lang("房间不存在", "no such room"),
        Refusal::NotInRoom => in_lang("你不在该房间", "not in this room"),
        Refusal::RoomInvalid(rule) => in_lang("房间名无效:", "invalid room name: ") + &broken(*rule, texts, in_lang),
        Refusal::RoomConfusable(name) => {
            in_lang(&format!("与房间 {name} 过于相似"), &format!("looks like room {name}"))
        }
        Refusal::TooManyRooms(max) => {
            in_lang(&format!("房间过多,最多{max}个"), &format!("too many rooms: at most {max}"))
        }
        Refusal::Account(refusal) => accounts::refused(refusal, lang),
        Refusal::Order(refusal) => order::refused(refusal, lang),
        Refusal::NoSuchUser => texts.no_such_user.to_owned(),
        Refusal::EmptyText => texts.empty_text.to_owned(),
        Refusal::RecipientBehind => in_lang("对方接收过慢,消息未送达", "recipient is not keeping up, not delivered"),
        Refusal::WaitTooLong(max) => texts.wait_too_long(u32::try_from(max.as_secs()).expect("not so long")),
        Refusal::ArgumentTooLong(max) => {
            in_lang(&format!("参数过长,最多{max}字节"), &format!("argument too long: must be at most {max} bytes"))
        }
    }
}

/// What is to be said of the rule that a name breaks.
fn broken(rule: NameRule, texts: &Texts, in_lang: impl Fn(&str, &str) -> String) -> String {
    let place = match rule {
        NameRule::Empty => 0,
        NameRule::TooLong => 1,
        NameRule::Space => 2,
        NameRule::Invisible => 3,
        NameRule::Punctuation => 4,
        NameRule::Address => 5,
        NameRule::Marks => {
            let en = "must not begin with a combining mark, or have more than 4 on a character";
            return in_lang("不能以组合符号开头,一个字符上的组合符号不能超过4个", en);
        }
        NameRule::RoomSign => return in_lang("不能以 # 开头", "must not begin with #"),
        NameRule::Reserved => return in_lang("不能是 . .. @", "must not be . or .. or @"),
        NameRule::Separator => return in_lang("不能含有 / ,", "must not contain any of / ,"),
    };
    texts.name_rules[place].1.to_owned()
}

fn form_error(error: FormError, texts: &Texts) -> String {
    match error {
        FormError::Usage(verb) => texts.malformed(form(verb)),
        FormError::PrivateUsage => texts.private_form.to_owned(),
        FormError::UnknownVerb => texts.unknown_verb.to_owned(),
        FormError::StayForbidden => texts.stay_forbidden.to_owned(),
        FormError::TooLong(max) => texts.line_too_long(max),
        FormError::NotUtf8 => texts.not_utf8.to_owned(),
        FormError::Nul => texts.nul.to_owned(),
    }
}

/// The right form of a verb.
pub(crate) fn form(verb: Verb) -> &'static str {
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
        Verb::Join => "join|ROOM, join|ROOM|since|START, join|ROOM|last|N",
        Verb::History => "history|ROOM, history|ROOM|N, history|ROOM|since|START",
        Verb::In => "in|ROOM|TEXT",
        Verb::Leave => "leave|ROOM",
        Verb::Rooms => "rooms",
        Verb::Topic => "topic|ROOM|TEXT, topic|ROOM",
        Verb::Check => "check|TOKEN",
        Verb::Register => "register|PASSWORD",
        Verb::Login => "login|NAME|PASSWORD, login|TOKEN",
        Verb::Password => "password|OLD|NEW",
        Verb::Unregister => "unregister|PASSWORD",
        Verb::Token => "token|LABEL",
        Verb::Tokens => "tokens",
        Verb::Order(act) => order::form(act),
        Verb::Revoke => "revoke|LABEL",
        Verb::Visit => "visit",
        Verb::Stay => "stay",
        Verb::Format => "format|json, format|text",
        Verb::Lang => "lang|zh, lang|en",
        Verb::Help => "help",
        Verb::Quit => "quit",
    }
}

fn farewell(departure: Departure, texts: &Texts) -> &'static str {
    match departure {
        Departure::Quit => texts.goodbye,
        Departure::Idle => texts.idle,
        Departure::SlowConsumer => texts.slow_consumer,
        Departure::WriteTimeout => texts.write_timeout,
        Departure::LoggedOut => texts.logged_out,
        Departure::Full => texts.full,
        Departure::FullForAddress => texts.full_for_address,
        Departure::Kicked => match texts.lang {
            "en" => "disconnected: kicked",
            _ => "你已被踢出,连接将被断开",
        },
        Departure::Banned => match texts.lang {
            "en" => "disconnected: banned",
            _ => "你已被封禁,连接将被断开",
        },
        Departure::TooManyArrivals => texts.too_many_arrivals,
        Departure::Http => texts.http,
        Departure::OtherProtocol => texts.other_protocol,
        Departure::ShuttingDown => texts.shutting_down,
        Departure::Left | Departure::Lost | Departure::WaitTimedOut | Departure::CheckFailed | Departure::Visiting => {
            panic!("nobody is told of {departure:?}")
        }
    }
}
