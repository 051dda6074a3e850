//! What the protocol answers a connection without the chat: errors of form, settings and help; and the limits that help lists.

use std::{sync::Arc, time::Duration};

use super::{Verb, dialect::Setting};
use crate::chat::{Refusal, RoomLimits};

/// An answer to one line, in its place among the chat's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The line is no command.
    Refused(FormError),
    /// The client, who reads a stream, is to know that the server is there.
    Alive,
    /// This holds for the connection from here on.
    Set(Setting),
    /// What can be asked for, and the limits.
    Help(Arc<Limits>),
    /// Whether anything was refused since the last answer of this kind.
    Checked {
        /// What the client has sent, so that it recognizes this answer.
        token: String,
        /// The code of the first refusal. The connection ends with it.
        refused: Option<&'static str>,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The chat does not do it.
    Chat(Refusal),
    /// It is no command.
    Form(FormError),
}

/// Why a line is no command. Nothing has changed, and the next line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// It begins with a verb and `|`, and the rest is not what the verb takes.
    Usage(Verb),
    /// `to|` without a name or without a second `|`: the tutorial has words of its own for this.
    PrivateUsage,
    /// Its first word is, or nearly is, a command that carries a secret on other servers: nothing of it may be said.
    UnknownVerb,
    /// This server exempts nobody from the idle timeout.
    StayForbidden,
    /// It has more bytes than this.
    TooLong(usize),
    /// It is not UTF-8.
    NotUtf8,
    /// It has a NUL in it.
    Nul,
}

impl FormError {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usage(_) | Self::PrivateUsage => "malformed",
            Self::UnknownVerb => "unknown-verb",
            Self::StayForbidden => "stay-forbidden",
            Self::TooLong(_) => "line-too-long",
            Self::NotUtf8 => "not-utf8",
            Self::Nul => "nul",
        }
    }

    /// The verb of the line, if that is known.
    #[must_use]
    pub fn verb(self) -> Option<Verb> {
        match self {
            Self::Usage(verb) => Some(verb),
            Self::PrivateUsage => Some(Verb::To),
            Self::StayForbidden => Some(Verb::Stay),
            Self::UnknownVerb | Self::TooLong(_) | Self::NotUtf8 | Self::Nul => None,
        }
    }
}

/// How fast a client may send lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Lines per second; 0 means no limit.
    pub per_second: u32,
    /// Lines that may come at once after a silence.
    pub burst: u32,
}

/// The limits of a connection, as `help` tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes without its ending.
    pub line_max: usize,
    /// Bytes that may wait for one client; above it the client is disconnected.
    pub queue_max: usize,
    /// Bytes above which a client's queue may be for a minute; after that the client is disconnected.
    pub soft_queue_max: usize,
    /// How fast a client may send lines.
    pub rate: Rate,
    /// A client that sends no line for so long is disconnected. Zero: never.
    pub idle_timeout: Duration,
    /// No client may be exempt from the idle timeout.
    pub strict_idle: bool,
    /// A client for which queued data could not be written for so long is disconnected. Zero: never.
    pub write_timeout: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// Maximum number of clients.
    pub clients_max: usize,
    /// Maximum number of rooms that a client may be in, as the chat's rules have it.
    pub rooms_max: usize,
}

impl Default for Limits {
    /// The defaults of the flags, without a limit on the number of clients.
    fn default() -> Self {
        Self {
            line_max: 4096, // the tutorial's read buffer
            queue_max: 32 << 20,
            soft_queue_max: 8 << 20,
            rate: Rate { per_second: 1000, burst: 10_000 }, // a paste of this many lines is not slowed down
            idle_timeout: Duration::from_secs(300),
            strict_idle: false,
            write_timeout: Duration::from_secs(10), // as NATS's write_deadline
            wait_max: Duration::from_secs(3600),
            clients_max: usize::MAX,
            rooms_max: RoomLimits::default().per_client_max,
        }
    }
}
