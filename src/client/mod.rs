//! The client: subcommands that scripts and people use to talk to a server, each with an exit code. Knows the wire
//! through its JSON dialect only, and nothing of the server's insides. Blocking sockets and a few threads; at a terminal,
//! `chat` polls instead.
//!
//! The server may be malicious or broken. Nothing that it sends is printed before it is escaped (`message`,
//! [`complain`]), is kept without a limit (`reader`, `early`, `chat`), or makes a subcommand miss its deadline.

mod args;
mod chat;
mod connection;
mod dial;
mod early;
mod endpoint;
mod fields;
mod filter;
mod history;
mod json;
mod lines;
mod listen;
mod message;
mod options;
mod pages;
mod printer;
mod reader;
mod resume;
mod retry;
mod send;
mod start;
mod stdio;
mod stdout;
mod terminal;
mod tls;
mod token;
mod wait;
mod who;
mod words;

use std::{
    io,
    time::{Duration, Instant},
};

use pipechat::protocol::escape::escaped;

pub(crate) use args::{ChatArgs, HistoryArgs, ListenArgs, SendArgs, WaitArgs, WhoArgs};
pub(crate) use filter::EventKind;
pub(crate) use stdio::Stdin;
pub(crate) use words::rule_of_names;

use crate::args::Timeout;

/// How a subcommand ends.
pub(crate) type Outcome = Result<(), Failure>;

/// Why a subcommand has not done what it was asked to. Each has its exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused something. `None` if its text is on stderr already.
    Refused(Option<String>),
    /// The server has sent the client away, or keeps it out. There is no use in coming again.
    SentAway(String),
    /// The command line makes no sense.
    Usage(String),
    /// There is no connection, or it was lost.
    Lost(String),
    /// The server speaks no TLS, or is none to trust.
    NoTls(String),
    /// What was to be written can't be written here.
    Output(String),
    /// It took too long.
    TimedOut(String),
    /// Nobody reads stdout any more. No failure for the user: as in `listen | head`, the reader has enough.
    Unread,
}

impl Failure {
    /// The exit code, and a sentence for stderr.
    fn exit(&self) -> (u8, Option<&str>) {
        match self {
            Self::Unread => (0, None),
            Self::Refused(text) => (1, text.as_deref()),
            Self::SentAway(text) => (1, Some(text)),
            Self::Usage(text) => (2, Some(text)),
            Self::Lost(text) | Self::NoTls(text) | Self::Output(text) => (3, Some(text)),
            Self::TimedOut(text) => (124, Some(text)), // timeout(1)'s
        }
    }
}

/// How long a server may take to answer if no timeout is given.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The longest sentence on stderr, in characters; what is longer is cut. Several times the server's longest refusal.
const SENTENCE_CHARS_MAX: usize = 1000;

/// When to give up.
#[derive(Debug, Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    const NEVER: Self = Self(None);

    fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    fn of(timeout: Timeout) -> Self {
        timeout.0.map_or(Self::NEVER, Self::after)
    }

    /// This one, or if it is never, one after so long.
    fn or_after(self, timeout: Duration) -> Self {
        if self.0.is_some() { self } else { Self::after(timeout) }
    }

    fn sooner(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(two)) => Self(Some(one.min(two))),
            (at, None) | (None, at) => Self(at),
        }
    }

    fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// The time that is left; `None` means no limit.
    fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

/// Prints whole lines, unbuffered, so that a script sees each at once.
pub(crate) fn print(lines: &[u8]) -> Outcome {
    match stdio::write_all(io::stdout().lock(), lines) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Unread),
        Err(error) => Err(Failure::Output(format!("can't write to stdout: {error}"))),
    }
}

/// Prints `sentence` on stderr, escaped: part of it may come from the server.
pub(crate) fn complain(sentence: &str) {
    let sentence = sentence.trim_end();
    let (shown, dots) = match sentence.char_indices().nth(SENTENCE_CHARS_MAX) {
        Some((end, _)) => (&sentence[..end], "…"),
        None => (sentence, ""),
    };
    // If stderr is closed, nothing is left to do.
    stdio::write_all(io::stderr(), format!("pipechat: {}{dots}\n", escaped(shown)).as_bytes()).ok();
}

/// Asks something on stderr, so that stdout has only what was asked for.
pub(crate) fn write_stderr(text: &str) {
    stdio::write_all(io::stderr(), text.as_bytes()).ok(); // if it is closed, nothing is left to do
}

/// Prints why the subcommand failed, if it did. Returns the exit code.
pub(crate) fn conclude(outcome: Outcome) -> u8 {
    let Err(failure) = outcome else { return 0 };
    let (code, sentence) = failure.exit();
    if let Some(sentence) = sentence {
        complain(sentence);
    }
    code
}
