//! Commands out of lines.

use memchr::memchr;

use super::{
    Frame, accounts,
    opening::{Opening, SEPARATORS},
};
use crate::{
    chat::{AccountCommand, Command, HISTORY_MAX, Start, WaitFor},
    protocol::{FormError, Format, Lang, Setting, Verb},
    units::parse_duration,
};

/// How many events `history|ROOM` tells.
const HISTORY_DEFAULT: usize = 20;
/// The longest beginning of a history that is parsed, in bytes: a time with nanoseconds and its distance from UTC is shorter.
const START_BYTES_MAX: usize = 40;

/// One line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line with nothing in it: a sign of life.
    Blank,
    /// A request to the chat.
    Command(Command),
    /// A setting of the connection.
    Set(Setting),
    /// Was anything refused?
    Check(String),
    /// What can be asked for, and what are the limits?
    Help,
    /// Hang up.
    Quit,
}

/// Understands what a framer with this limit, in bytes, has found.
///
/// # Errors
/// As [`parse`], and where the line is over the limit.
pub fn parse_frame(frame: &Frame<'_>, line_max: usize) -> Result<Line, FormError> {
    match frame {
        Frame::Line(line) => parse(line),
        Frame::TooLong => Err(FormError::TooLong(line_max)),
    }
}

/// Understands one line, without its ending. A line whose first word is no verb is chat.
///
/// # Errors
/// A [`FormError`] where the line is no text, its form is not the one of its verb, or it may carry a secret.
pub fn parse(line: &[u8]) -> Result<Line, FormError> {
    let line = std::str::from_utf8(line).map_err(|_| FormError::NotUtf8)?;
    if memchr(0, line.as_bytes()).is_some() {
        return Err(FormError::Nul);
    }
    if line.is_empty() {
        return Ok(Line::Blank);
    }
    let command = |command| Ok(Line::Command(command));
    let (verb, rest) = match Opening::of(line) {
        Opening::Verb(verb, Some(rest)) => (verb, rest),
        Opening::Verb(verb, None) => return bare(verb, line),
        Opening::Secret(verb) => return Err(verb.map_or(FormError::UnknownVerb, FormError::Usage)),
        Opening::Chat => return command(Command::Say(line.to_owned())),
    };
    match verb {
        Verb::Say => command(Command::Say(rest.to_owned())),
        Verb::Rename => command(Command::Rename(rest.to_owned())),
        Verb::To => match rest.split_once(SEPARATORS) {
            None | Some(("", _)) => Err(FormError::PrivateUsage),
            Some((to, text)) => command(Command::Private { to: to.to_owned(), text: text.to_owned() }),
        },
        Verb::Sync => command(Command::Sync(rest.to_owned())),
        Verb::Check => Ok(Line::Check(rest.to_owned())),
        Verb::Who => command(Command::WhoIn(rest.to_owned())),
        Verb::Join => join(rest).map(Line::Command).ok_or(FormError::Usage(verb)),
        Verb::History => history(rest).map(Line::Command).ok_or(FormError::Usage(verb)),
        Verb::Leave => command(Command::Leave(rest.to_owned())),
        Verb::In => match rest.split_once(SEPARATORS) {
            None => Err(FormError::Usage(verb)),
            Some((room, text)) => command(Command::In { room: room.to_owned(), text: text.to_owned() }),
        },
        Verb::Topic => {
            let (room, text) = rest.split_once(SEPARATORS).map_or((rest, None), |(room, text)| (room, Some(text)));
            command(Command::Topic { room: room.to_owned(), text: text.map(str::to_owned) })
        }
        Verb::Wait => wait(rest).map(Line::Command).ok_or(FormError::Usage(verb)),
        Verb::Format => match rest {
            "text" => Ok(Line::Set(Setting::Format(Format::Text))),
            "json" => Ok(Line::Set(Setting::Format(Format::Json))),
            _ => Err(FormError::Usage(verb)),
        },
        Verb::Lang => match rest {
            "zh" => Ok(Line::Set(Setting::Lang(Lang::Zh))),
            "en" => Ok(Line::Set(Setting::Lang(Lang::En))),
            _ => Err(FormError::Usage(verb)),
        },
        Verb::Register | Verb::Login | Verb::Password | Verb::Unregister | Verb::Token | Verb::Revoke => {
            let account = accounts::parse(verb, rest).map(|account| Line::Command(Command::Account(account)));
            account.ok_or(FormError::Usage(verb))
        }
        Verb::Tokens | Verb::Rooms | Verb::Help | Verb::Quit | Verb::Visit | Verb::Stay => Err(FormError::Usage(verb)),
    }
}

/// A line that is a verb alone. Those that need an argument are chat without one.
fn bare(verb: Verb, line: &str) -> Result<Line, FormError> {
    Ok(match verb {
        Verb::Tokens => Line::Command(Command::Account(AccountCommand::Tokens)),
        // What carries a secret with its argument is never said.
        Verb::Register | Verb::Login | Verb::Password | Verb::Unregister | Verb::Token => {
            return Err(FormError::Usage(verb));
        }
        Verb::Who => Line::Command(Command::Who),
        Verb::Rooms => Line::Command(Command::Rooms),
        Verb::Help => Line::Help,
        Verb::Quit => Line::Quit,
        Verb::Visit => Line::Set(Setting::Visit),
        Verb::Stay => Line::Set(Setting::Stay),
        Verb::Rename
        | Verb::To
        | Verb::Say
        | Verb::Sync
        | Verb::Wait
        | Verb::Check
        | Verb::Join
        | Verb::In
        | Verb::Leave
        | Verb::Topic
        | Verb::History
        | Verb::Format
        | Verb::Revoke
        | Verb::Lang => Line::Command(Command::Say(line.to_owned())),
    })
}

/// `ROOM`, `ROOM|since|START` or `ROOM|last|N`.
fn join(rest: &str) -> Option<Command> {
    let (room, start) = match rest.split_once(SEPARATORS) {
        None => (rest, None),
        Some((room, tail)) => match tail.split_once(SEPARATORS)? {
            ("since", start) => (room, Some(self::start(start)?)),
            ("last", count) => (room, Some(last(count)?)),
            _ => return None,
        },
    };
    Some(Command::Join { room: room.to_owned(), start })
}

/// `ROOM`, `ROOM|N` or `ROOM|since|START`.
fn history(rest: &str) -> Option<Command> {
    let (room, start) = match rest.split_once(SEPARATORS) {
        None => (rest, Start::Last(HISTORY_DEFAULT)),
        Some((room, tail)) => match tail.split_once(SEPARATORS) {
            Some(("since", start)) => (room, self::start(start)?),
            Some(_) => return None,
            None => (room, last(tail)?),
        },
    };
    Some(Command::History { room: room.to_owned(), start })
}

/// How many events, counted from the last one.
fn last(count: &str) -> Option<Start> {
    count.parse().ok().filter(|&count| count <= HISTORY_MAX).map(Start::Last)
}

/// How long ago, as `10m`; a time, as `2026-11-25T09:30:00Z`; or a position.
fn start(text: &str) -> Option<Start> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.split_once('.') {
        _ if text.len() > START_BYTES_MAX => None,
        _ if text.contains('T') => text.parse().ok().map(Start::At),
        None if is_number(text) => Some(Start::Behind(text.parse().ok()?, None)),
        Some((n, epoch)) if is_number(n) && is_word(epoch) => Some(match (n.parse(), epoch.parse()) {
            (Ok(n), Ok(epoch)) => Start::Behind(n, Some(epoch)),
            _ => Start::Unknown,
        }),
        _ if text.ends_with(|c: char| c.is_ascii_alphabetic()) => parse_duration(text).map(Start::Ago),
        _ => None,
    }
}

/// `SECONDS|user|NAME` and its kin. Seconds may have a fraction, or another unit as in `5m`.
fn wait(rest: &str) -> Option<Command> {
    let mut parts = rest.splitn(3, SEPARATORS);
    let (seconds, kind, arg) = (parts.next()?, parts.next()?, parts.next()?);
    if arg.is_empty() {
        return None;
    }
    let timeout = parse_duration(seconds)?;
    let wait_for = match kind {
        "user" => WaitFor::User(arg.to_owned()),
        "gone" => WaitFor::Gone(arg.to_owned()),
        "users" => WaitFor::Users(arg.parse().ok()?),
        "text" => WaitFor::Text(arg.to_owned()),
        "members" => {
            let (room, members) = arg.split_once(SEPARATORS)?;
            WaitFor::Members(room.to_owned(), members.parse().ok()?)
        }
        "by" => {
            let (account, rest) = arg.split_once(SEPARATORS)?;
            let (room, part) = rest.split_once(SEPARATORS).filter(|(_, part)| !part.is_empty())?;
            let room = Some(room).filter(|room| *room != "@").map(str::to_owned);
            WaitFor::By { account: account.to_owned(), room, part: part.to_owned() }
        }
        "in" => {
            let (room, part) = arg.split_once(SEPARATORS).filter(|(_, part)| !part.is_empty())?;
            WaitFor::In { room: room.to_owned(), part: part.to_owned() }
        }
        _ => return None,
    };
    Some(Command::Wait(timeout, wait_for))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::chat::Secret;

    fn say(text: &str) -> Result<Line, FormError> {
        Ok(Line::Command(Command::Say(text.to_owned())))
    }

    fn join(room: &str, start: Option<Start>) -> Result<Line, FormError> {
        Ok(Line::Command(Command::Join { room: room.to_owned(), start }))
    }

    fn history(room: &str, start: Start) -> Result<Line, FormError> {
        Ok(Line::Command(Command::History { room: room.to_owned(), start }))
    }

    fn account(command: AccountCommand) -> Result<Line, FormError> {
        Ok(Line::Command(Command::Account(command)))
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn bob() -> Option<String> {
        Some("bob".to_owned())
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn private(to: &str, text: &str) -> Result<Line, FormError> {
        Ok(Line::Command(Command::Private { to: to.to_owned(), text: text.to_owned() }))
    }

    #[test]
    fn verbs_and_chat() {
        for (line, command) in [
            ("", Ok(Line::Blank)),
            ("hi", say("hi")),
            (" ", say(" ")),
            ("who", Ok(Line::Command(Command::Who))),
            ("who ", Ok(Line::Command(Command::Who))),
            ("Ｗho", Ok(Line::Command(Command::Who))),
            ("Say", say("Say")),
            (" say ", say(" say ")),
            ("SAY｜ a｜b", say(" a｜b")),
            ("rename|张三", Ok(Line::Command(Command::Rename("张三".to_owned())))),
            ("rename|", Ok(Line::Command(Command::Rename(String::new())))),
            ("rename|a|b", Ok(Line::Command(Command::Rename("a|b".to_owned())))),
            ("rename", say("rename")),
            ("to|bob|hi", private("bob", "hi")),
            ("to|bob|a|b", private("bob", "a|b")),
            (" To｜bob｜a｜b ", private("bob", "a｜b ")),
            ("to|a b|x", private("a b", "x")),
            ("login bob secret", Err(FormError::Usage(Verb::Login))),
            ("logn|bob|secret", Err(FormError::UnknownVerb)),
            ("login", Err(FormError::Usage(Verb::Login))),
            ("login|", Err(FormError::Usage(Verb::Login))),
            ("Login｜bob｜ se｜cr|et ", account(AccountCommand::Login { name: bob(), secret: secret(" se｜cr|et ") })),
            ("login|pc_x", account(AccountCommand::Login { name: None, secret: secret("pc_x") })),
            ("register|12345678", account(AccountCommand::Register(secret("12345678")))),
            ("register", Err(FormError::Usage(Verb::Register))),
            ("password|a|b|c", account(AccountCommand::Password { old: secret("a"), new: secret("b|c") })),
            ("password|a", Err(FormError::Usage(Verb::Password))),
            ("unregister|a", account(AccountCommand::Unregister(secret("a")))),
            ("token|ci", account(AccountCommand::Token("ci".to_owned()))),
            ("token|a|b", Err(FormError::Usage(Verb::Token))),
            ("token|", Err(FormError::Usage(Verb::Token))),
            ("tokens", account(AccountCommand::Tokens)),
            ("tokens|x", Err(FormError::Usage(Verb::Tokens))),
            ("tokens are short", say("tokens are short")),
            ("revoke|ci", account(AccountCommand::Revoke("ci".to_owned()))),
            ("revoke", say("revoke")),
            ("say|login|bob|secret", say("login|bob|secret")),
            ("to|bob|", private("bob", "")),
            ("to|bob", Err(FormError::PrivateUsage)),
            ("to|", Err(FormError::PrivateUsage)),
            ("to||hi", Err(FormError::PrivateUsage)),
            ("to", say("to")),
            ("a|b", say("a|b")),
            ("say|who", say("who")),
            ("say|", say("")),
            ("help", Ok(Line::Help)),
            ("quit", Ok(Line::Quit)),
            ("stay", Ok(Line::Set(Setting::Stay))),
            (" Visit", Ok(Line::Set(Setting::Visit))),
            ("visit the museum", say("visit the museum")),
            ("visit|x", Err(FormError::Usage(Verb::Visit))),
            ("who|builds", Ok(Line::Command(Command::WhoIn("builds".to_owned())))),
            ("who|", Ok(Line::Command(Command::WhoIn(String::new())))),
            ("rooms ", Ok(Line::Command(Command::Rooms))),
            ("rooms|x", Err(FormError::Usage(Verb::Rooms))),
            ("rooms are nice", say("rooms are nice")),
            ("join|#builds", join("#builds", None)),
            ("join|a|since|42", join("a", Some(Start::Behind(42, None)))),
            ("join|a|since|42.abcde", join("a", Some(Start::Behind(42, Some("abcde".parse().unwrap()))))),
            ("join|a|since|42.abc", join("a", Some(Start::Unknown))),
            ("join|a|since|99999999999999999999.abcde", join("a", Some(Start::Unknown))),
            ("join|a|since|10m", join("a", Some(Start::Ago(Duration::from_secs(600))))),
            ("join|a|since|1.5h", join("a", Some(Start::Ago(Duration::from_secs(5400))))),
            ("join|a|since|2026-11-25T09:30:00Z", join("a", Some(Start::At(time("2026-11-25T09:30:00Z"))))),
            ("join|a|since|2026-11-25T09:30:00.5+08:00", join("a", Some(Start::At(time("2026-11-25T01:30:00.5Z"))))),
            ("join｜a｜last｜0", join("a", Some(Start::Last(0)))),
            ("join|a|last|1001", Err(FormError::Usage(Verb::Join))),
            ("join|a|last|-1", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|-", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|1.5", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|5x", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|99999999999999999999", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|2026-11-25T09:30:00", Err(FormError::Usage(Verb::Join))),
            ("join|a|since|2026-11-25T09:30:00.0000000000000000000000000Z", Err(FormError::Usage(Verb::Join))),
            ("join|a|b", Err(FormError::Usage(Verb::Join))),
            ("join|a|after|5", Err(FormError::Usage(Verb::Join))),
            ("history|a", history("a", Start::Last(20))),
            ("history|a|1000", history("a", Start::Last(1000))),
            ("history|a|since|250ms", history("a", Start::Ago(Duration::from_millis(250)))),
            ("history|a|1001", Err(FormError::Usage(Verb::History))),
            ("history|a|last|5", Err(FormError::Usage(Verb::History))),
            ("history|a|", Err(FormError::Usage(Verb::History))),
            ("history|a|since", Err(FormError::Usage(Verb::History))),
            ("history", say("history")),
            ("join", say("join")),
            ("Leave｜builds", Ok(Line::Command(Command::Leave("builds".to_owned())))),
            ("leave", say("leave")),
            ("in|builds|a|b", Ok(Line::Command(Command::In { room: "builds".to_owned(), text: "a|b".to_owned() }))),
            ("in|builds|", Ok(Line::Command(Command::In { room: "builds".to_owned(), text: String::new() }))),
            ("in|builds", Err(FormError::Usage(Verb::In))),
            ("in", say("in")),
            ("topic|builds", Ok(Line::Command(Command::Topic { room: "builds".to_owned(), text: None }))),
            (
                "topic|builds|a|b",
                Ok(Line::Command(Command::Topic { room: "builds".to_owned(), text: Some("a|b".to_owned()) })),
            ),
            ("topic", say("topic")),
            (
                "wait|9|members|builds|2",
                Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Members("builds".to_owned(), 2)))),
            ),
            ("wait|9|members|builds", Err(FormError::Usage(Verb::Wait))),
            (
                "wait|9|in|builds|a|b",
                Ok(Line::Command(Command::Wait(
                    Duration::from_secs(9),
                    WaitFor::In { room: "builds".to_owned(), part: "a|b".to_owned() },
                ))),
            ),
            (
                "wait|9|by|ann|builds|a|b",
                Ok(Line::Command(Command::Wait(
                    Duration::from_secs(9),
                    WaitFor::By { account: "ann".to_owned(), room: Some("builds".to_owned()), part: "a|b".to_owned() },
                ))),
            ),
            (
                "wait|9|by|ann|@|a",
                Ok(Line::Command(Command::Wait(
                    Duration::from_secs(9),
                    WaitFor::By { account: "ann".to_owned(), room: None, part: "a".to_owned() },
                ))),
            ),
            ("wait|9|by|ann|builds|", Err(FormError::Usage(Verb::Wait))),
            ("wait|9|by|ann|builds", Err(FormError::Usage(Verb::Wait))),
            ("wait|9|in|builds|", Err(FormError::Usage(Verb::Wait))),
            ("help|x", Err(FormError::Usage(Verb::Help))),
            ("quit|x", Err(FormError::Usage(Verb::Quit))),
            ("stay|x", Err(FormError::Usage(Verb::Stay))),
            ("sync|a|b", Ok(Line::Command(Command::Sync("a|b".to_owned())))),
            ("check|a|b", Ok(Line::Check("a|b".to_owned()))),
            ("check", say("check")),
            ("format|json", Ok(Line::Set(Setting::Format(Format::Json)))),
            ("format|xml", Err(FormError::Usage(Verb::Format))),
            ("lang|en", Ok(Line::Set(Setting::Lang(Lang::En)))),
            ("lang|", Err(FormError::Usage(Verb::Lang))),
            (
                "wait|1.5|user|bob",
                Ok(Line::Command(Command::Wait(Duration::from_millis(1500), WaitFor::User("bob".to_owned())))),
            ),
            (
                "wait|60|gone|bob",
                Ok(Line::Command(Command::Wait(Duration::from_secs(60), WaitFor::Gone("bob".to_owned())))),
            ),
            ("wait|0|users|3", Ok(Line::Command(Command::Wait(Duration::ZERO, WaitFor::Users(3))))),
            (
                "wait|9|text|a|b",
                Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Text("a|b".to_owned())))),
            ),
            (
                "wait|5m|user|bob",
                Ok(Line::Command(Command::Wait(Duration::from_secs(300), WaitFor::User("bob".to_owned())))),
            ),
            (
                "wait|250ms|user|bob",
                Ok(Line::Command(Command::Wait(Duration::from_millis(250), WaitFor::User("bob".to_owned())))),
            ),
            ("Wait ｜9｜users|2", Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Users(2))))),
            (
                "wait｜9|text｜a｜b",
                Ok(Line::Command(Command::Wait(Duration::from_secs(9), WaitFor::Text("a｜b".to_owned())))),
            ),
            ("wait|5w|user|bob", Err(FormError::Usage(Verb::Wait))),
            ("wait|000000000000000000000|user|bob", Err(FormError::Usage(Verb::Wait))), // 21 digits
            ("wait|9|text|", Err(FormError::Usage(Verb::Wait))),
            ("wait|-1|user|bob", Err(FormError::Usage(Verb::Wait))),
            ("wait|nan|user|bob", Err(FormError::Usage(Verb::Wait))),
            ("wait|9999999999999999999999999|user|bob", Err(FormError::Usage(Verb::Wait))),
            ("wait|0.0000000000000000000|user|bob", Err(FormError::Usage(Verb::Wait))),
            (
                "wait|0.000000000000000000|user|bob",
                Ok(Line::Command(Command::Wait(Duration::ZERO, WaitFor::User("bob".to_owned())))),
            ),
            ("wait|9|users|x", Err(FormError::Usage(Verb::Wait))),
            ("wait|9|moon|full", Err(FormError::Usage(Verb::Wait))),
            ("wait|", Err(FormError::Usage(Verb::Wait))),
            ("GET / HTTP/1.1", say("GET / HTTP/1.1")),
            ("GET me a drink", say("GET me a drink")),
            ("a\0b", Err(FormError::Nul)),
        ] {
            assert_eq!(parse(line.as_bytes()), command, "{line:?}");
        }
    }

    #[test]
    fn every_byte_is_text_or_refused() {
        for byte in 0..=255u8 {
            let line = [b'x', byte, b'y'];
            match parse(&line) {
                Ok(Line::Command(Command::Say(text))) => assert_eq!((text.as_bytes(), byte < 0x80), (&line[..], true)),
                Err(FormError::Nul) => assert_eq!(byte, 0),
                Err(FormError::NotUtf8) => assert!(byte >= 0x80),
                other => panic!("{byte}: {other:?}"),
            }
        }
    }
}
