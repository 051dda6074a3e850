//! What the server says of accounts.

use pipechat::{
    chat::{AccountDone, AccountRefusal, Asked, Token},
    protocol::Lang,
};

use super::{Keys, Words, verb_of};
use crate::reader::visible;

/// The sentence of a refusal.
pub(super) fn refused(refusal: &AccountRefusal, lang: Lang) -> String {
    let [zh, en] = match refusal {
        AccountRefusal::NoStore => ["服务器没有存储,不支持账号", "this server keeps no accounts: it has no store"],
        AccountRefusal::LoginRequired => ["请先登录", "log in first"],
        AccountRefusal::NameRequired => ["请先取名:rename|张三", "choose a name first: rename|NAME"],
        AccountRefusal::AlreadyRegistered => ["你已有账号", "you have an account already"],
        AccountRefusal::PasswordInvalid => {
            ["密码无效:须为8到128字节,不能含有 |", "invalid password: must be 8 to 128 bytes, without |"]
        }
        AccountRefusal::RegistrationClosed => ["本服务器不开放注册", "registration is closed on this server"],
        AccountRefusal::Insecure => ["连接未加密,不接受密码", "not encrypted: use TLS or a token"],
        AccountRefusal::TryLater(_) => ["尝试过多,请7秒后再试", "too many attempts, try again in 7 seconds"],
        AccountRefusal::LoginFailed => ["用户名、密码或令牌错误", "wrong name, password or token"],
        AccountRefusal::TooManyLogins(_) => {
            ["同时登录过多,最多1000个", "too many are logged in to this account: at most 1000"]
        }
        AccountRefusal::LabelTaken => ["已有同名令牌", "there is a token of this label already"],
        AccountRefusal::LabelTooLong(_) => ["令牌名过长,最多64字节", "label too long: must be at most 64 bytes"],
        AccountRefusal::TooManyTokens(_) => ["令牌过多,最多20个", "too many tokens: at most 20"],
        AccountRefusal::NoSuchToken => ["没有这个令牌", "no such token"],
        AccountRefusal::NameOwned => ["该用户名已注册,请先登录", "this name is registered: log in to use it"],
        AccountRefusal::NoSuchAccount => ["没有这个账号", "no such account"],
        AccountRefusal::MailboxFull => ["对方的留言已满,消息未送达", "mailbox full, not delivered"],
    };
    match lang {
        Lang::Zh => zh.to_owned(),
        Lang::En => en.to_owned(),
    }
}

/// A refusal of what was asked for.
pub(super) fn declined(asked: Asked, refusal: &AccountRefusal, lang: Lang) -> Words {
    let (verb, text, code) = (verb_of(asked), refused(refusal, lang), refusal.code());
    let keys = Keys { code: Some(code.to_owned()), text: Some(text.clone()), ..Keys::of_verb(verb) };
    match refusal {
        AccountRefusal::TryLater(seconds) => {
            let keys = Keys { count: Some(*seconds), ..keys };
            Words::of_room("refused", format!("{verb}|{code}|{seconds}|{text}"), keys)
        }
        _ => Words::of_room("refused", format!("{verb}|{code}|{text}"), keys),
    }
}

/// The answer to what was done.
pub(super) fn of_done(done: &AccountDone, lang: Lang) -> Words {
    let verb = verb_of(done.asked());
    let text = |text: &str| Keys { text: Some(text.to_owned()), ..Keys::of_verb(verb) };
    let (line, keys) = match done {
        AccountDone::Register(name) | AccountDone::Password(name) | AccountDone::Unregister(name) => {
            (format!("{verb}|ok|{name}"), text(name))
        }
        AccountDone::Login { name, kept } => {
            (format!("login|ok|{name}|{kept}"), Keys { count: Some(*kept as u64), ..text(name) })
        }
        AccountDone::Token { label, token } => {
            (format!("token|ok|{}|{}", visible(label), token.reveal()), text(token.reveal()))
        }
        AccountDone::Tokens(count) => {
            (format!("tokens|ok|{count}"), Keys { count: Some(*count as u64), ..Keys::of_verb(verb) })
        }
        AccountDone::Revoke(label) => (format!("revoke|ok|{}", visible(label)), text(label)),
        AccountDone::Kept(name) => {
            let sentence = match lang {
                Lang::Zh => format!("[{name}]不在线,已留言"),
                Lang::En => format!("[{name}] is offline, kept"),
            };
            (format!("to|kept|{name}|{sentence}"), Keys { code: Some("kept".to_owned()), ..text(name) })
        }
    };
    Words::of_room("ok", line, keys)
}

/// One of a list of tokens.
pub(super) fn of_token(token: &Token) -> Words {
    let (used, addr) = match &token.used {
        Some((at, addr)) => (format!("{at:.3}"), addr.clone()),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let line = format!("tokens|{:.3}|{used}|{addr}|{}", token.created, visible(&token.label));
    Words { event: "token", text: Some(token.label.clone()), line: Some(line), keys: None }
}
