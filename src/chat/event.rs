//! What users are told. Meaning, never text: `wire` renders these in a dialect.

use std::{fmt, sync::Arc, time::Duration};

use super::{command::Verb, name::NameRule};
use crate::broker::Rate;

/// A client, from its arrival to its end. Given out in order of arrival and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// How a user is known to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name; until renamed, the address.
    pub name: String,
    /// The address, as `IP:PORT`.
    pub addr: String,
}

/// Who hears an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All who are here.
    Everyone,
    /// One client.
    One(ClientId),
}

/// The language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese, in the words of the tutorial.
    #[default]
    Zh,
    /// English.
    En,
}

/// The form that a connection is spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines for people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// What a user has set for its own connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// No idle timeout.
    Stay,
    /// The format.
    Format(Format),
    /// The language.
    Lang(Lang),
}

/// The limits of this server, as it tells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes.
    pub line_max: usize,
    /// Bytes that may wait for one client.
    pub queue_max: usize,
    /// How fast a client may send lines.
    pub rate: Rate,
    /// Silence after which a client is disconnected. Zero: never.
    pub idle_timeout: Duration,
    /// How long a client may take no bytes while some wait for it.
    pub write_timeout: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// Clients at a time.
    pub clients_max: usize,
}

/// Something that users are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A user has come.
    Online(Arc<Identity>),
    /// A user has gone, and why.
    Offline(Arc<Identity>, Departure),
    /// A user said something to everyone.
    Message {
        /// The speaker.
        from: Arc<Identity>,
        /// What was said.
        text: String,
    },
    /// A user said something to the one who is told.
    Private {
        /// The speaker.
        from: Arc<Identity>,
        /// What was said.
        text: String,
    },
    /// A user who is here: one line of the answer to `who`.
    User(Arc<Identity>),
    /// The answer to `who` is complete; so many users are here.
    UsersEnd(usize),
    /// The one who is told has another name now.
    Renamed {
        /// The name before.
        old: Arc<Identity>,
        /// The name now.
        new: Arc<Identity>,
    },
    /// What can be asked for, and the limits.
    Help(Arc<Limits>),
    /// All that the one who is told sent before this token has taken effect.
    Synced(String),
    /// What the one who is told waited for is so.
    WaitMet(String),
    /// What the one who is told waited for did not come in time.
    WaitTimedOut,
    /// This holds for the connection from here on.
    Set(Setting),
    /// What the one who is told asked for is not done.
    Refused(Refusal),
    /// The server ends the connection.
    Farewell(Departure),
}

/// A user's mistake. Nothing has changed, and the next line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody has this name, or one that is the same to the eye.
    NameTaken,
    /// This can be nobody's name.
    NameInvalid(NameRule),
    /// `to|` without a name or without a second `|`.
    PrivateForm,
    /// Nobody here has this name.
    NoSuchUser,
    /// A private message without a text.
    EmptyText,
    /// A line that begins with a verb and `|`, and goes on in another way than the verb does.
    Form(Verb),
    /// A wait of more than this.
    WaitTooLong(Duration),
    /// This server exempts nobody from the idle timeout.
    StayForbidden,
    /// A line of more bytes than this.
    LineTooLong(usize),
    /// A line that is not UTF-8.
    NotUtf8,
    /// A line with a NUL in it.
    Nul,
}

/// Why a connection ended. ServerMessage to the user where there is something to tell, and logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The client has sent its last line.
    Left,
    /// The client has said goodbye.
    Quit,
    /// What the client waited for did not come in time; that it was told.
    WaitTimedOut,
    /// The connection broke.
    Lost,
    /// The client was silent for the idle timeout.
    Idle,
    /// More waited for the client than its queue may hold.
    SlowConsumer,
    /// The client took no bytes for the write timeout.
    WriteTimeout,
    /// There are as many clients as the server takes.
    Full,
    /// There are as many clients from this address as the server takes.
    FullForAddress,
    /// The first line was an HTTP request.
    Http,
    /// The server ends.
    ShuttingDown,
}

impl Departure {
    /// Whether the client is told: all but those who left by themselves, or know.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Left | Self::Lost | Self::WaitTimedOut)
    }

    /// A word that never changes, for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Quit => "quit",
            Self::WaitTimedOut => "wait-timeout",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::SlowConsumer => "slow-consumer",
            Self::WriteTimeout => "write-timeout",
            Self::Full => "full",
            Self::FullForAddress => "full-for-address",
            Self::Http => "http",
            Self::ShuttingDown => "shutting-down",
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
