//! A reader of the wire: what a client can tell from a line alone. It knows the tables of the manual, not the code of `wire`.

use std::net::SocketAddr;

use jiff::Timestamp;
use pipechat::{
    chat::{Event, Identity, KeptEvent, Position, PublicEvent},
    protocol::{Dialect, Envelope, Format, Lang},
};

use super::{
    any_event::AnyEvent,
    object::{Object, read_object, time},
};

/// What a line says. Texts are in visible notation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Heard {
    Online {
        addr: String,
        name: String,
    },
    Offline {
        addr: String,
        name: String,
    },
    KnownAs {
        addr: String,
        old: String,
        new: String,
    },
    Message {
        addr: String,
        name: String,
        text: String,
    },
    Private {
        name: String,
        text: String,
    },
    User {
        name: String,
    },
    Joined {
        addr: String,
        name: String,
    },
    Left {
        addr: String,
        name: String,
    },
    Topic {
        addr: String,
        name: String,
        text: String,
    },
    /// It happens in a room other than the lobby.
    In {
        room: String,
        what: Box<Self>,
    },
    /// It has happened before, at this time and position.
    Past {
        pos: String,
        at: Timestamp,
        what: Box<Self>,
    },
    /// The server speaks for itself.
    Other,
}

impl Heard {
    /// What is to be heard of an event in a room, or of one that is for one client alone.
    pub(crate) fn in_room(room: Option<&str>, event: &AnyEvent) -> Self {
        Self::of(event).put_into(room)
    }

    fn put_into(self, room: Option<&str>) -> Self {
        match room {
            None | Some(LOBBY) => self,
            Some(room) => Self::In { room: room.to_owned(), what: Box::new(self) },
        }
    }

    /// What is to be heard of an event in the lobby, or of one that is for one client alone.
    pub(crate) fn of(event: &AnyEvent) -> Self {
        match event {
            AnyEvent::Public(event) => Self::of_public(event),
            AnyEvent::Alone(event) => Self::of_one(event),
        }
    }

    fn of_one(event: &Event) -> Self {
        match event {
            Event::Private { from, text } => Self::Private { name: from.name.clone(), text: visible(text) },
            Event::User(who) => Self::User { name: who.name.clone() },
            Event::Past(record, epoch) => Self::Past {
                pos: Position { n: record.n, epoch: *epoch }.to_string(),
                at: record.at,
                what: Box::new(match &record.event {
                    KeptEvent::Public(event) => Self::of_public(event).put_into(Some(&record.room)),
                    KeptEvent::Private { from, text } => Self::Private { name: from.name.clone(), text: visible(text) },
                }),
            },
            Event::Room { .. }
            | Event::Token(..)
            | Event::Order(_)
            | Event::Done(_)
            | Event::Declined(..)
            | Event::UsersEnd(_)
            | Event::Renamed { .. }
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => Self::Other,
        }
    }

    fn of_public(event: &PublicEvent) -> Self {
        let is = |who: &Identity| (who.addr.clone(), who.name.clone());
        match event {
            PublicEvent::Online(who) => {
                let (addr, name) = is(who);
                Self::Online { addr, name }
            }
            PublicEvent::Offline(who, _) => {
                let (addr, name) = is(who);
                Self::Offline { addr, name }
            }
            PublicEvent::KnownAs { old, new } => {
                let (addr, new) = is(new);
                Self::KnownAs { addr, old: old.name.clone(), new }
            }
            PublicEvent::Message { from, text } => {
                let (addr, name) = is(from);
                Self::Message { addr, name, text: visible(text) }
            }
            PublicEvent::Joined(who) => {
                let (addr, name) = is(who);
                Self::Joined { addr, name }
            }
            PublicEvent::Left(who) => {
                let (addr, name) = is(who);
                Self::Left { addr, name }
            }
            PublicEvent::Topic { from, text } => {
                let (addr, name) = is(from);
                Self::Topic { addr, name, text: visible(text) }
            }
        }
    }
}

/// The room whose name stands before nothing.
const LOBBY: &str = "lobby";

/// Those in which lines are told over the line protocol.
pub(crate) fn dialects() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| matches!(dialect.envelope, Envelope::Lf | Envelope::CrLf))
}

/// What a line ends with.
pub(crate) fn ending_of(dialect: Dialect) -> &'static str {
    match dialect.envelope {
        Envelope::Lf => "\n",
        Envelope::CrLf => "\r\n",
        Envelope::Stream(_) | Envelope::ServerSent(_) => unreachable!("over the line protocol"),
    }
}

/// Reads a line, without its ending.
pub(crate) fn read(line: &str, dialect: Dialect) -> Heard {
    match dialect.format {
        Format::Text => match read_past(line) {
            Some((pos, at, line)) => {
                let what = Box::new(read_in_room(line, dialect.lang));
                Heard::Past { pos: pos.to_owned(), at: time(at), what }
            }
            None => read_in_room(line, dialect.lang),
        },
        Format::Json => read_object(line).heard(),
    }
}

/// `history|POS|TIME|LINE`, where POS is a number and a word.
fn read_past(line: &str) -> Option<(&str, &str, &str)> {
    let (pos, rest) = line.strip_prefix("history|")?.split_once('|')?;
    let (at, line) = rest.split_once('|')?;
    pos.contains('.').then_some((pos, at, line))
}

fn read_in_room(line: &str, lang: Lang) -> Heard {
    match line.strip_prefix('#') {
        Some(rest) => {
            let (room, rest) = rest.split_once(' ').expect("no room's name has a space in it");
            read_text(rest, lang, true).put_into(Some(&isolated(room)))
        }
        None => read_text(line, lang, false),
    }
}

fn read_text(line: &str, lang: Lang, is_in_room: bool) -> Heard {
    let (private, says, online, offline, is_now) = match lang {
        Lang::Zh => ("来自:[", "]的消息,内容是:", "已上线", "下线", " 已改名为["),
        Lang::En => ("from:[", "] says:", "is online", "is offline", " is now ["),
    };
    if let Some((name, text)) = line.strip_prefix(private).and_then(|rest| rest.split_once(says)) {
        return Heard::Private { name: isolated(name), text: plain(text) };
    }
    if let Some((addr, old, new)) = read_rename(line, is_now) {
        return Heard::KnownAs { addr: addr.to_owned(), old: isolated(old), new: isolated(new) };
    }
    if let Some((addr, name, what)) = read_notice(line) {
        let (joined, left, topic) = match lang {
            Lang::Zh => ("已加入", "已离开", "主题:"),
            Lang::En => ("has joined", "has left", "topic: "),
        };
        let (addr, name) = (addr.to_owned(), isolated(name));
        if what == offline && is_in_room {
            return Heard::Offline { addr, name };
        } else if what == joined {
            return Heard::Joined { addr, name };
        } else if what == left {
            return Heard::Left { addr, name };
        } else if let Some(text) = what.strip_prefix(topic) {
            return Heard::Topic { addr, name, text: isolated(text) };
        }
    }
    if let Some((addr, name, text)) = read_public(line) {
        let (addr, name) = (addr.to_owned(), isolated(name));
        return match text {
            // No client can say this in another's name. One that says it in its own deceives no reader of `format|json`.
            _ if text == online => Heard::Online { addr, name },
            _ if text == offline && !is_in_room => Heard::Offline { addr, name },
            _ => Heard::Message { addr, name, text: isolated(text) },
        };
    }
    match line.strip_prefix('[').and_then(|rest| rest.strip_suffix("] is online")) {
        Some(name) => Heard::User { name: isolated(name) },
        None => Heard::Other,
    }
}

/// What a user has written, as it stands among the server's words: all of it is isolated if it may run from right to left.
fn isolated(part: &str) -> String {
    let text = part.strip_prefix('\u{2068}').and_then(|rest| rest.strip_suffix('\u{2069}'));
    let from_right = ['\u{5d0}'..='\u{5ea}', '\u{620}'..='\u{64a}', '\u{671}'..='\u{6d3}', '\u{710}'..='\u{72f}'];
    let may_run_back = part.contains(|c| from_right.iter().any(|letters| letters.contains(&c)));
    assert!(text.is_some() || !may_run_back, "{part:?} may turn the line around");
    let text = text.unwrap_or(part);
    assert!(!text.contains(['\u{2068}', '\u{2069}']), "{part:?} is isolated in parts");
    text.to_owned()
}

/// A line of text without the isolates that stand in pairs, one after the other: those are the server's own.
pub(crate) fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, inside)) = rest.split_once('\u{2068}') {
        let Some((inside, after)) = inside.split_once('\u{2069}') else { break };
        text.extend([before, inside]);
        rest = after;
    }
    text + rest
}

/// `[ADDR]` and the rest. The address of IPv6 has brackets of its own.
fn read_addr(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix('[')?;
    line.match_indices(']').find_map(|(end, _)| {
        let addr = &line[..end];
        addr.parse::<SocketAddr>().is_ok().then_some((addr, &line[end + 1..]))
    })
}

/// `[ADDR]OLD is now [NEW]`.
fn read_rename<'a>(line: &'a str, is_now: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (addr, rest) = read_addr(line)?;
    let (old, new) = rest.split_once(is_now)?;
    // In chat, a colon comes before the first space: no name has one, and an address is known.
    (old == addr || !old.contains([':', ' '])).then_some((addr, old, new.strip_suffix(']')?))
}

/// `[ADDR]NAME WHAT`.
fn read_notice(line: &str) -> Option<(&str, &str, &str)> {
    let (addr, rest) = read_addr(line)?;
    let (name, what) = rest.split_once(' ')?;
    // In chat, a colon comes before the first space: no name has one, and an address is known.
    (name == addr || !name.is_empty() && !name.contains(':')).then_some((addr, name, what))
}

/// `[ADDR]NAME:TEXT`. The address of IPv6 has colons of its own, and may stand in place of a name.
fn read_public(line: &str) -> Option<(&str, &str, &str)> {
    let (addr, rest) = read_addr(line)?;
    if let Some(text) = rest.strip_prefix(addr).and_then(|rest| rest.strip_prefix(':')) {
        return Some((addr, addr, text));
    }
    let (name, text) = rest.split_once(':')?;
    // `[ADDR] is online` is an answer to `who`: no name has a space in it.
    (!name.contains(' ')).then_some((addr, name, text))
}

impl Object {
    fn heard(self) -> Heard {
        let (name, addr) = self.from.unwrap_or_default();
        let text = visible(&self.text.unwrap_or_default());
        let heard = match &*self.event {
            "online" => Heard::Online { addr, name },
            "offline" => Heard::Offline { addr, name },
            "known_as" => Heard::KnownAs { addr, old: self.old.unwrap_or_default(), new: name },
            "joined" => Heard::Joined { addr, name },
            "left" => Heard::Left { addr, name },
            "topic" => Heard::Topic { addr, name, text },
            "message" => Heard::Message { addr, name, text },
            "private" => Heard::Private { name, text },
            "user" => Heard::User { name },
            _ => return Heard::Other,
        };
        let heard = heard.put_into(self.room.as_deref());
        match self.pos {
            Some(pos) if self.is_replay => Heard::Past { pos, at: self.at, what: Box::new(heard) },
            Some(_) | None => heard,
        }
    }
}

/// A text as it may reach a terminal: what that would obey is shown as `\u{1b}`.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// What a terminal obeys: controls other than tab, line and paragraph separators, overrides of direction.
pub(crate) fn is_obeyed(c: char) -> bool {
    const OBEYED: &str = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
                          \u{2066}\u{2067}\u{2068}\u{2069}";
    c != '\t' && (c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c)) || OBEYED.contains(c)
}
