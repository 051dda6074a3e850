//! Accounts on the wire: their commands out of lines, and what is told of them, in every dialect.

use std::io::Write;

use super::{json::Fields, messages::in_lang, opening::SEPARATORS, text::put, text::words};
use crate::{
    chat::{AccountCommand, AccountDone, AccountRefusal, PASSWORD_BYTES, Secret, Token},
    protocol::{Lang, Verb},
};

/// What a verb with an argument asks for, if it has to do with an account and the argument has the right form.
pub(super) fn parse(verb: Verb, rest: &str) -> Option<AccountCommand> {
    let secret = |text: &str| Secret::new(text.to_owned());
    let is_label = || !rest.is_empty() && !rest.contains(SEPARATORS);
    match verb {
        Verb::Register if !rest.is_empty() => Some(AccountCommand::Register(secret(rest))),
        Verb::Login if !rest.is_empty() => Some(match rest.split_once(SEPARATORS) {
            Some((name, password)) => AccountCommand::Login { name: Some(name.to_owned()), secret: secret(password) },
            None => AccountCommand::Login { name: None, secret: secret(rest) },
        }),
        Verb::Password => {
            let (old, new) = rest.split_once(SEPARATORS)?;
            Some(AccountCommand::Password { old: secret(old), new: secret(new) })
        }
        Verb::Unregister if !rest.is_empty() => Some(AccountCommand::Unregister(secret(rest))),
        Verb::Token if is_label() => Some(AccountCommand::Token(rest.to_owned())),
        Verb::Revoke if is_label() => Some(AccountCommand::Revoke(rest.to_owned())),
        _ => None,
    }
}

/// Why a request was refused, in a sentence.
pub(super) fn refused(refusal: &AccountRefusal, lang: Lang) -> String {
    let texts = match *refusal {
        AccountRefusal::NoStore => ["服务器没有存储,不支持账号", "this server keeps no accounts: it has no store"],
        AccountRefusal::LoginRequired => ["请先登录", "log in first"],
        AccountRefusal::NameRequired => ["请先取名:rename|张三", "choose a name first: rename|NAME"],
        AccountRefusal::AlreadyRegistered => ["你已有账号", "you have an account already"],
        AccountRefusal::PasswordInvalid => {
            let (least, most) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
            return match lang {
                Lang::Zh => format!("密码无效:须为{least}到{most}字节,不能含有 |"),
                Lang::En => format!("invalid password: must be {least} to {most} bytes, without |"),
            };
        }
        AccountRefusal::RegistrationClosed => ["本服务器不开放注册", "registration is closed on this server"],
        AccountRefusal::Insecure => ["连接未加密,不接受密码", "not encrypted: use TLS or a token"],
        AccountRefusal::TryLater(seconds) => {
            return match lang {
                Lang::Zh => format!("尝试过多,请{seconds}秒后再试"),
                Lang::En => format!("too many attempts, try again in {seconds} seconds"),
            };
        }
        AccountRefusal::LoginFailed => ["用户名、密码或令牌错误", "wrong name, password or token"],
        AccountRefusal::TooManyLogins(max) => {
            return match lang {
                Lang::Zh => format!("同时登录过多,最多{max}个"),
                Lang::En => format!("too many are logged in to this account: at most {max}"),
            };
        }
        AccountRefusal::LabelTaken => ["已有同名令牌", "there is a token of this label already"],
        AccountRefusal::LabelTooLong(max) => {
            return match lang {
                Lang::Zh => format!("令牌名过长,最多{max}字节"),
                Lang::En => format!("label too long: must be at most {max} bytes"),
            };
        }
        AccountRefusal::TooManyTokens(max) => {
            return match lang {
                Lang::Zh => format!("令牌过多,最多{max}个"),
                Lang::En => format!("too many tokens: at most {max}"),
            };
        }
        AccountRefusal::NoSuchToken => ["没有这个令牌", "no such token"],
        AccountRefusal::NameOwned => ["该用户名已注册,请先登录", "this name is registered: log in to use it"],
        AccountRefusal::NoSuchAccount => ["没有这个账号", "no such account"],
        AccountRefusal::MailboxFull => ["对方的留言已满,消息未送达", "mailbox full, not delivered"],
    };
    in_lang(texts, lang).to_owned()
}

/// Appends what stands between the code of a refusal and its sentence.
pub(super) fn refused_fields(out: &mut Vec<u8>, refusal: &AccountRefusal) {
    if let Some(count) = count(refusal) {
        write!(out, "{count}|").expect("a Vec takes all");
    }
}

/// The number that a program has to know of a refusal.
pub(super) fn count(refusal: &AccountRefusal) -> Option<usize> {
    match refusal {
        AccountRefusal::TryLater(seconds) => Some(usize::try_from(*seconds).unwrap_or(usize::MAX)),
        AccountRefusal::NoStore
        | AccountRefusal::LoginRequired
        | AccountRefusal::NameRequired
        | AccountRefusal::AlreadyRegistered
        | AccountRefusal::PasswordInvalid
        | AccountRefusal::RegistrationClosed
        | AccountRefusal::Insecure
        | AccountRefusal::LoginFailed
        | AccountRefusal::TooManyLogins(_)
        | AccountRefusal::LabelTaken
        | AccountRefusal::LabelTooLong(_)
        | AccountRefusal::TooManyTokens(_)
        | AccountRefusal::NoSuchToken
        | AccountRefusal::NameOwned
        | AccountRefusal::NoSuchAccount
        | AccountRefusal::MailboxFull => None,
    }
}

/// Appends the answer to a request that was done.
pub(super) fn answer(out: &mut Vec<u8>, done: &AccountDone, lang: Lang) {
    let result = if matches!(done, AccountDone::Kept(_)) { "|kept|" } else { "|ok|" };
    put(out, &[Verb::of_asked(done.asked()).word(), result]);
    match done {
        AccountDone::Register(name) | AccountDone::Password(name) | AccountDone::Unregister(name) => {
            words(out, &[name]);
        }
        AccountDone::Login { name, kept } => {
            words(out, &[name]);
            write!(out, "|{kept}").expect("a Vec takes all");
        }
        AccountDone::Token { label, token } => words(out, &[label, token.reveal()]),
        AccountDone::Tokens(count) => write!(out, "{count}").expect("a Vec takes all"),
        AccountDone::Revoke(label) => words(out, &[label]),
        AccountDone::Kept(name) => {
            words(out, &[name]);
            put(out, &["|"]);
            put(out, &[&kept(name, lang)]);
        }
    }
}

fn kept(name: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("[{name}]不在线,已留言"),
        Lang::En => format!("[{name}] is offline, kept"),
    }
}

/// Appends a token as one of a list. What was never used has `-` for when and from where.
pub(super) fn token(out: &mut Vec<u8>, token: &Token) {
    write!(out, "tokens|{:.3}|", token.created).expect("a Vec takes all");
    match &token.used {
        Some((at, addr)) => write!(out, "{at:.3}|{addr}|").expect("a Vec takes all"),
        None => put(out, &["-|-|"]),
    }
    words(out, &[&token.label]);
}

/// The answer to a request that was done, as an object.
pub(super) fn fields(done: &AccountDone) -> Fields<'_> {
    let fields = Fields { event: "ok", verb: Some(Verb::of_asked(done.asked())), ..Fields::default() };
    match done {
        AccountDone::Register(name) | AccountDone::Password(name) | AccountDone::Unregister(name) => {
            Fields { text: Some(name), ..fields }
        }
        AccountDone::Login { name, kept } => Fields { text: Some(name), count: Some(*kept), ..fields },
        AccountDone::Token { token, .. } => Fields { text: Some(token.reveal()), ..fields },
        AccountDone::Tokens(count) => Fields { count: Some(*count), ..fields },
        AccountDone::Revoke(label) => Fields { text: Some(label), ..fields },
        AccountDone::Kept(name) => Fields { text: Some(name), code: Some("kept"), ..fields },
    }
}
