//! The values of options: text to a number, a duration, a size, a language. Each error is one sentence of what was expected;
//! which option it is about is for the caller to add. Knows no option by name.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, sync::Arc, time::Duration};

use pipechat::{
    Cidr, Config, Listen, WebConfig,
    chat::{HISTORY_MAX, Name, Registration},
    protocol::Lang,
    store::SyncMode,
    units::{parse_duration, parse_size},
};

/// The least duration that an option can mean, other than none at all: below it, timers go off when they are set.
pub(super) const DURATION_MIN: Duration = Duration::from_millis(1);

/// `a, b or c`.
pub(crate) fn one_of(words: &[impl Display]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn expected(what: &str, text: &str) -> String {
    format!("expected {what}, not {text:?}")
}

fn number<T: FromStr + PartialOrd>(what: &str, bounds: &RangeInclusive<T>, text: &str) -> Result<T, String> {
    text.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| expected(what, text))
}

/// `zh` or `en`.
pub(crate) fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err(format!("unknown language {text:?}; expected zh or en")),
    }
}

/// Whether a switch is on.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(expected("true or false", text)),
    }
}

/// A port to listen on; 0 picks a free one.
pub(super) fn server_port(text: &str) -> Result<u16, String> {
    number("a port from 0 to 65535", &(0..=u16::MAX), text)
}

/// A port to connect to.
pub(crate) fn client_port(text: &str) -> Result<u16, String> {
    number("a port from 1 to 65535", &(1..=u16::MAX), text)
}

/// Lines or connections per second; 0 means no limit.
pub(super) fn per_second(text: &str) -> Result<u32, String> {
    number("a number from 0 to 4294967295", &(0..=u32::MAX), text)
}

/// How many lines at once.
pub(super) fn at_once(text: &str) -> Result<u32, String> {
    number("a number from 1 to 4294967295", &(1..=u32::MAX), text)
}

/// A maximum number; 0 means no limit.
pub(crate) fn unlimited_count(text: &str) -> Result<usize, String> {
    let count = number("a number, or 0 for no limit", &(0..=usize::MAX), text)?;
    Ok(if count == 0 { usize::MAX } else { count })
}

/// A number of lines, or all.
pub(super) fn unlimited_lines(text: &str) -> Result<u64, String> {
    let count = number("a number, or 0 for no limit", &(0..=u64::MAX), text)?;
    Ok(if count == 0 { u64::MAX } else { count })
}

/// A store's file.
pub(super) fn store_file(text: &str) -> Result<String, String> {
    match text {
        "" => Err("must not be empty".to_owned()),
        // For SQLite that is no file; here it would be one of this name.
        ":memory:" => Err(format!("{text:?} is no file; without --store, history is in memory")),
        file => Ok(file.to_owned()),
    }
}

/// What a commit survives.
pub(super) fn sync_mode(text: &str) -> Result<SyncMode, String> {
    match text {
        "normal" => Ok(SyncMode::Normal),
        "full" => Ok(SyncMode::Full),
        _ => Err(expected("normal or full", text)),
    }
}

/// Whether users may register accounts.
pub(super) fn registration(text: &str) -> Result<Registration, String> {
    match text {
        "open" => Ok(Registration::Open),
        "closed" => Ok(Registration::Closed),
        _ => Err(expected("open or closed", text)),
    }
}

/// How many lines of a history.
pub(crate) fn history_count(text: &str) -> Result<usize, String> {
    number(&format!("a number from 1 to {HISTORY_MAX}"), &(1..=HISTORY_MAX), text)
}

/// A number of things that may be none.
pub(super) fn any_count(text: &str) -> Result<usize, String> {
    number("a number", &(0..=usize::MAX), text)
}

/// A size that may be nothing.
pub(super) fn any_size(text: &str) -> Result<usize, String> {
    let size = parse_size(text).filter(|size| *size <= Config::MEMORY_BYTES_MAX);
    size.ok_or_else(|| expected("a size such as 65536, 64K or 1M", text))
}

/// The longest line, in bytes.
pub(super) fn line_size(text: &str) -> Result<usize, String> {
    let size = parse_size(text).filter(|size| (1..=Config::LINE_BYTES_MAX).contains(size));
    size.ok_or_else(|| expected("a size such as 4096 or 64K, from 1 to 1M", text))
}

/// A maximum number of bytes; 0 means no limit.
pub(super) fn unlimited_size(text: &str) -> Result<usize, String> {
    match parse_size(text).filter(|size| *size <= Config::MEMORY_BYTES_MAX) {
        Some(0) => Ok(Config::MEMORY_BYTES_MAX),
        Some(size) => Ok(size),
        None => Err(expected("a size such as 65536, 64K or 1M, or 0 for no limit", text)),
    }
}

/// A duration of at most a year. What is over 0 is at least [`DURATION_MIN`]: so small a timeout must not become never.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Some(duration) if duration <= Config::DURATION_MAX => {
            let is_zero = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
            Ok(if is_zero { Duration::ZERO } else { duration.max(DURATION_MIN) })
        }
        Some(_) | None => Err(expected("a duration such as 5, 250ms, 5m, 1h or 2d, at most 365d", text)),
    }
}

/// How long a client goes on; `None` is for ever, which is 0 on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) Option<Duration>);

impl Timeout {
    pub(crate) const NEVER: Self = Self(None);

    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Some(Duration::from_secs(seconds)))
    }
}

impl FromStr for Timeout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration(text).map(|duration| Self(Some(duration).filter(|duration| !duration.is_zero())))
    }
}

/// Places to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places(pub(super) Vec<Listen>);

impl FromStr for Places {
    type Err = String;

    /// URLs separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',').map(|url| url.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

/// Names of hosts, or origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(pub(super) Vec<String>);

/// Names by which browsers know the server, separated by commas.
pub(super) fn public_hosts(text: &str) -> Result<Names, String> {
    names(text, "a name such as chat.example.org, without a port", WebConfig::public_host)
}

/// Origins, separated by commas.
pub(super) fn origins(text: &str) -> Result<Names, String> {
    names(text, "an origin such as https://example.org", WebConfig::origin)
}

fn names(text: &str, what: &str, parse: fn(&str) -> Option<String>) -> Result<Names, String> {
    let names = text.split(',').map(|text| parse(text.trim()).ok_or_else(|| expected(what, text)));
    names.collect::<Result<_, _>>().map(Names)
}

/// Accounts of users of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peers(pub(super) Vec<(u32, Arc<str>)>);

impl FromStr for Peers {
    type Err = String;

    /// `UID=NAME`, separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let peer = |text: &str| {
            let (uid, name) = text.trim().split_once('=')?;
            Name::parse(name).ok()?;
            Some((uid.parse().ok()?, name.into()))
        };
        let peers = text.split(',').map(|text| peer(text).ok_or_else(|| expected("UID=NAME", text)));
        peers.collect::<Result<_, _>>().map(Self)
    }
}

/// Blocks of addresses. (To argh, a `Vec` would be an option that may be repeated.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trusted(pub(super) Vec<Cidr>);

impl FromStr for Trusted {
    type Err = String;

    /// Blocks separated by commas; nothing is none.
    fn from_str(text: &str) -> Result<Self, String> {
        let blocks = text.split(',').map(str::trim).filter(|block| !block.is_empty());
        blocks.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}
