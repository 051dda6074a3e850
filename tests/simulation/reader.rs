//! A reader of the wire: what a client can tell from a line alone. It knows the tables of the manual, not the code of `wire`.

use std::net::SocketAddr;

use pipechat::{
    chat::{Event, Identity},
    protocol::{Dialect, Format, Lang, LineEnding},
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
    /// The server speaks for itself.
    Other,
}

impl Heard {
    /// What is to be heard of an event.
    pub(crate) fn of(event: &Event) -> Self {
        let is = |who: &Identity| (who.addr.clone(), who.name.clone());
        match event {
            Event::Online(who) => {
                let (addr, name) = is(who);
                Self::Online { addr, name }
            }
            Event::Offline(who, _) => {
                let (addr, name) = is(who);
                Self::Offline { addr, name }
            }
            Event::KnownAs { old, new } => {
                let (addr, new) = is(new);
                Self::KnownAs { addr, old: old.name.clone(), new }
            }
            Event::Message { from, text } => {
                let (addr, name) = is(from);
                Self::Message { addr, name, text: visible(text) }
            }
            Event::Private { from, text } => Self::Private { name: from.name.clone(), text: visible(text) },
            Event::User(who) => Self::User { name: who.name.clone() },
            Event::UsersEnd(_)
            | Event::Renamed { .. }
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => Self::Other,
        }
    }
}

/// What a line ends with.
pub(crate) fn ending_of(dialect: Dialect) -> &'static str {
    match dialect.ending {
        LineEnding::Lf => "\n",
        LineEnding::CrLf => "\r\n",
    }
}

/// Reads a line, without its ending.
pub(crate) fn read(line: &str, dialect: Dialect) -> Heard {
    match dialect.format {
        Format::Text => read_text(line, dialect.lang),
        Format::Json => read_object(line).heard(),
    }
}

fn read_text(line: &str, lang: Lang) -> Heard {
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
    if let Some((addr, name, text)) = read_public(line) {
        let (addr, name) = (addr.to_owned(), isolated(name));
        return match text {
            // No client can say this in another's name. One that says it in its own deceives no reader of `format|json`.
            _ if text == online => Heard::Online { addr, name },
            _ if text == offline => Heard::Offline { addr, name },
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

/// A line of the JSON dialect.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) seq: Option<u64>,
    pub(crate) event: String,
    /// The name and the address.
    pub(crate) from: Option<(String, String)>,
    /// As it was said.
    pub(crate) text: Option<String>,
    old: Option<String>,
}

impl Object {
    fn heard(self) -> Heard {
        let (name, addr) = self.from.unwrap_or_default();
        let text = visible(&self.text.unwrap_or_default());
        match &*self.event {
            "online" => Heard::Online { addr, name },
            "offline" => Heard::Offline { addr, name },
            "known_as" => Heard::KnownAs { addr, old: self.old.unwrap_or_default(), new: name },
            "message" => Heard::Message { addr, name, text },
            "private" => Heard::Private { name, text },
            "user" => Heard::User { name },
            _ => Heard::Other,
        }
    }
}

/// Reads an object strictly: these keys, in this order, nothing else.
pub(crate) fn read_object(line: &str) -> Object {
    let mut rest = line;
    let seq = {
        expect(&mut rest, "{\"seq\":");
        number(&mut rest)
    };
    expect(&mut rest, ",\"at\":");
    string(&mut rest).expect("a time");
    expect(&mut rest, ",\"event\":");
    let event = string(&mut rest).expect("an event");
    expect(&mut rest, ",\"from\":");
    let from = rest.starts_with('{').then(|| {
        expect(&mut rest, "{\"name\":");
        let name = string(&mut rest).expect("a name");
        expect(&mut rest, ",\"addr\":");
        let addr = string(&mut rest).expect("an address");
        expect(&mut rest, "}");
        (name, addr)
    });
    if from.is_none() {
        expect(&mut rest, "null");
    }
    expect(&mut rest, ",\"text\":");
    let text = string(&mut rest);
    expect(&mut rest, ",\"code\":");
    string(&mut rest);
    expect(&mut rest, ",\"old\":");
    let old = string(&mut rest);
    expect(&mut rest, ",\"count\":");
    number(&mut rest);
    for key in [",\"room\":", ",\"verb\":", ",\"account\":", ",\"pos\":", ",\"replay\":"] {
        expect(&mut rest, key);
        string(&mut rest);
    }
    assert_eq!(rest, "}", "{line}");
    Object { seq, event, from, text, old }
}

fn expect(rest: &mut &str, token: &str) {
    *rest = rest.strip_prefix(token).unwrap_or_else(|| panic!("{token} expected: {rest}"));
}

fn number(rest: &mut &str) -> Option<u64> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        expect(rest, "null");
        return None;
    }
    let (number, after) = rest.split_at(digits);
    *rest = after;
    number.parse().ok()
}

/// A string (RFC 8259), or null.
fn string(rest: &mut &str) -> Option<String> {
    let Some(mut chars) = rest.strip_prefix('"').map(str::chars) else {
        expect(rest, "null");
        return None;
    };
    let mut text = String::new();
    loop {
        text.push(match chars.next().expect("the string ends") {
            '"' => break,
            '\\' => match chars.next().expect("the escape ends") {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).expect("no surrogates")
                }
                c => c,
            },
            c => c,
        });
    }
    *rest = chars.as_str();
    Some(text)
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
