//! The other end: subcommands that speak to a server for scripts and people. Each turns what the server says into an exit
//! code. Knows the wire through its JSON dialect only; blocking sockets and a few threads are all it needs.

mod args;
mod chat;
mod connection;
mod lines;
mod listen;
mod message;
mod send;
mod wait;

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

pub(crate) use args::{ChatArgs, ListenArgs, SendArgs, WaitArgs};

/// What a subcommand comes to: done, or not for this reason.
pub(crate) type Outcome = Result<(), Failure>;

/// Why a subcommand has not done what it was asked for. Each has its exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused something: what it said, if that is not on stderr already.
    Refused(Option<String>),
    /// The command line makes no sense.
    Usage(String),
    /// No connection, or no more.
    Lost(String),
    /// It took too long.
    TimedOut(String),
    /// Nobody reads what would be printed any more: no mishap, whoever it was has read enough.
    Unread,
}

impl Failure {
    /// The exit code, and what is still to be said on stderr.
    fn exit(self) -> (u8, Option<String>) {
        match self {
            Self::Unread => (0, None),
            Self::Refused(text) => (1, text),
            Self::Usage(text) => (2, Some(text)),
            Self::Lost(text) => (3, Some(text)),
            Self::TimedOut(text) => (124, Some(text)), // timeout(1)'s
        }
    }
}

/// How long a server may take to answer where nobody said how long.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// When to give up.
#[derive(Debug, Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    const NEVER: Self = Self(None);

    fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    fn sooner(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(two)) => Self(Some(one.min(two))),
            (at, None) | (None, at) => Self(at),
        }
    }

    /// How long there is to go; `None` is for ever.
    fn left(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

/// Prints whole lines. What a script sees of them, it sees at once.
fn print(lines: &[u8]) -> Outcome {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(lines).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::Unread),
        Err(error) => Err(Failure::Lost(format!("can't write to stdout: {error}"))),
    }
}

/// Says `sentence` on stderr. Part of it may come from afar: a terminal must not obey it.
pub(crate) fn complain(sentence: &str) {
    let mut line = "pipechat: ".to_owned();
    for c in sentence.trim_end().chars() {
        if c.is_control() { line.extend(c.escape_unicode()) } else { line.push(c) }
    }
    // Nothing is left to do where stderr is closed.
    writeln!(io::stderr(), "{line}").ok();
}

/// Says what is still to be said, and answers the exit code.
pub(crate) fn conclude(outcome: Outcome) -> u8 {
    let Err(failure) = outcome else { return 0 };
    let (code, sentence) = failure.exit();
    if let Some(sentence) = sentence {
        complain(&sentence);
    }
    code
}
