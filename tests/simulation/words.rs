//! What the server says for itself, in the words of the manual (`common::Texts`).

use common::{EN, Texts, ZH};
use pipechat::{
    chat::{Departure, Event, NameRule, Refusal},
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
}

impl Words {
    fn same(event: &'static str, text: String) -> Self {
        Self { event, line: Some(text.clone()), text: Some(text) }
    }
}

/// Of an event; none if users are its subject.
pub(crate) fn of_event(event: &Event, lang: Lang) -> Option<Words> {
    let texts = texts(lang);
    Some(match event {
        Event::Online(_)
        | Event::Offline(..)
        | Event::KnownAs { .. }
        | Event::Message { .. }
        | Event::Private { .. }
        | Event::User(_) => return None,
        Event::UsersEnd(_) => Words { event: "users_end", text: None, line: None },
        Event::Renamed { old, new } => {
            Words { event: "renamed", text: None, line: Some(texts.renamed(&old.name, &new.name)) }
        }
        Event::Synced(token) => {
            Words { event: "sync", text: Some(token.clone()), line: Some(format!("sync|{}", visible(token))) }
        }
        Event::WaitMet(arg) => {
            Words { event: "wait", text: Some(arg.clone()), line: Some(format!("wait|ok|{}", visible(arg))) }
        }
        Event::WaitTimedOut => Words { event: "wait", text: None, line: Some("wait|timeout".to_owned()) },
        Event::Refused(refusal) => Words::same("refused", refused(refusal, lang)),
        Event::Farewell(departure) => Words::same("farewell", farewell(*departure, texts).to_owned()),
    })
}

/// Of a reply; none for help, which is many lines.
pub(crate) fn of_reply(reply: &Reply, lang: Lang) -> Option<Words> {
    let texts = texts(lang);
    let set = |text: &str| Words::same("set", text.to_owned());
    Some(match reply {
        Reply::Refused(error) => Words::same("refused", form_error(*error, texts)),
        Reply::Set(Setting::Stay) => set(texts.set_stay),
        Reply::Set(Setting::Visit) => set(texts.set_visit),
        Reply::Set(Setting::Format(Format::Text)) => set(texts.set_format_text),
        Reply::Set(Setting::Format(Format::Json)) => Words { event: "set", text: None, line: None },
        Reply::Set(Setting::Lang(_)) => set(texts.set_lang),
        Reply::Checked { token, refused } => Words {
            event: if refused.is_some() { "refused" } else { "ok" },
            text: Some(token.clone()),
            line: Some(format!("check|{}|{}", refused.unwrap_or("ok"), visible(token))),
        },
        Reply::Help(_) => return None,
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
        Refusal::NameInvalid(rule) => name_invalid(*rule, texts, in_lang),
        Refusal::NoSuchUser => texts.no_such_user.to_owned(),
        Refusal::EmptyText => texts.empty_text.to_owned(),
        Refusal::RecipientBehind => in_lang("对方接收过慢,消息未送达", "recipient is not keeping up, not delivered"),
        Refusal::WaitTooLong(max) => texts.wait_too_long(u32::try_from(max.as_secs()).expect("not so long")),
        Refusal::ArgumentTooLong(max) => {
            in_lang(&format!("参数过长,最多{max}字节"), &format!("argument too long: must be at most {max} bytes"))
        }
    }
}

fn name_invalid(rule: NameRule, texts: &Texts, in_lang: impl Fn(&str, &str) -> String) -> String {
    let place = match rule {
        NameRule::Empty => 0,
        NameRule::TooLong => 1,
        NameRule::Space => 2,
        NameRule::Invisible => 3,
        NameRule::Punctuation => 4,
        NameRule::Address => 5,
        NameRule::Marks => {
            let en = "must not begin with a combining mark, or have more than 4 on a character";
            return texts.name_invalid(&in_lang("不能以组合符号开头,一个字符上的组合符号不能超过4个", en));
        }
        NameRule::RoomSign => return texts.name_invalid(&in_lang("不能以 # 开头", "must not begin with #")),
    };
    texts.name_invalid(texts.name_rules[place].1)
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
        Verb::Who => "who",
        Verb::Rename => "rename|NAME",
        Verb::To => "to|NAME|TEXT",
        Verb::Say => "say|TEXT",
        Verb::Sync => "sync|TOKEN",
        Verb::Wait => "wait|SECONDS|user|NAME, wait|SECONDS|gone|NAME, wait|SECONDS|users|N, wait|SECONDS|text|PART",
        Verb::Check => "check|TOKEN",
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
        Departure::Full => texts.full,
        Departure::FullForAddress => texts.full_for_address,
        Departure::TooManyArrivals => texts.too_many_arrivals,
        Departure::Http => texts.http,
        Departure::OtherProtocol => texts.other_protocol,
        Departure::ShuttingDown => texts.shutting_down,
        Departure::Left | Departure::Lost | Departure::WaitTimedOut | Departure::CheckFailed | Departure::Visiting => {
            panic!("nobody is told of {departure:?}")
        }
    }
}
