//! Commands out of lines.

use std::str::FromStr;

use memchr::memchr;

use super::{
    Frame, accounts,
    opening::{Opening, SEPARATORS},
    order,
};
use crate::{
    chat::{AccountCommand, Act, Command, HISTORY_MAX, OrderCommand, Start, Stretch, WaitFor},
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
        Verb::Order(act) => {
            let command = order::parse(act, rest).map(|command| Line::Command(Command::Order(command)));
            command.ok_or(FormError::Usage(verb))
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
        Verb::Order(Act::Bans) => Line::Command(Command::Order(OrderCommand::Bans)),
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
        | Verb::Order(
            Act::Kick
            | Act::Ban
            | Act::Unban
            | Act::Mute
            | Act::Unmute
            | Act::Lock
            | Act::Unlock
            | Act::Invite
            | Act::Owner
            | Act::Announce
            | Act::ShutDown,
        )
        | Verb::Lang => Line::Command(Command::Say(line.to_owned())),
    })
}

/// `ROOM`, `ROOM|since|START` or `ROOM|last|N`.
fn join(rest: &str) -> Option<Command> {
    let (room, start) = match rest.split_once(SEPARATORS) {
        None => (rest, None),
        Some((room, tail)) => match tail.split_once(SEPARATORS)? {
            ("since", start) => (room, Some(parse_start(start)?)),
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
            Some(("since", start)) => (room, parse_start(start)?),
            Some(_) => return None,
            None => (room, last(tail)?),
        },
    };
    Some(Command::History(Stretch::of(room.to_owned(), start)))
}

/// How many events, counted from the last one.
fn last(count: &str) -> Option<Start> {
    number(count).filter(|&count| count <= HISTORY_MAX).map(Start::Last)
}

/// A number of digits alone: `parse` takes a sign.
fn number<N: FromStr>(text: &str) -> Option<N> {
    if is_number(text) { text.parse().ok() } else { None }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// How long ago, as `10m`; a time, as `2026-11-25T09:30:00Z`; or a position, which may be none.
pub(in crate::protocol) fn parse_start(text: &str) -> Option<Start> {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    match text.split_once('.') {
        _ if text == "-" => Some(Start::Unknown), // what stands where there is no position
        _ if text.len() > START_BYTES_MAX => None,
        _ if text.contains('T') => text.parse().ok().map(Start::At),
        None if is_number(text) => Some(Start::Behind(number(text)?, None)),
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
        "users" => WaitFor::Users(number(arg)?),
        "text" => WaitFor::Text(arg.to_owned()),
        "members" => {
            let (room, members) = arg.split_once(SEPARATORS)?;
            WaitFor::Members(room.to_owned(), number(members)?)
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
mod tests;
