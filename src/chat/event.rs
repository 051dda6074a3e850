//! What users are told. Meaning, never text: `protocol` renders these in a dialect.

use std::{fmt, sync::Arc, time::Duration};

use super::name::NameRule;

/// A client, from its arrival to its departure. Ids are given out in order of arrival and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A room. Today there is one, the lobby, and everybody is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomId(pub u32);

impl RoomId {
    /// The room that every user is in: the tutorial's only one.
    pub const LOBBY: Self = Self(0);
}

/// How a user is known to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name; until renamed, the address.
    pub name: String,
    /// The address, as `IP:PORT`.
    pub addr: String,
}

/// Who is told an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One client.
    One(ClientId),
    /// All who are in this room.
    Room(RoomId),
    /// The same, apart from one who has an answer of its own; but where public events are counted, that one too.
    RoomExcept(RoomId, ClientId),
}

/// The number of a public event, counted from 1 without gaps.
pub type Seq = u64;

/// Something that users are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A user has arrived.
    Online(Arc<Identity>),
    /// A user has departed, and why.
    Offline(Arc<Identity>, Departure),
    /// A user said something to everyone.
    Message {
        /// The sender.
        from: Arc<Identity>,
        /// What was said.
        text: String,
    },
    /// A user said something to the one who is told.
    Private {
        /// The sender.
        from: Arc<Identity>,
        /// What was said.
        text: String,
    },
    /// A user who is here: one line of the answer to `who`.
    User(Arc<Identity>),
    /// The answer to `who` is complete; it had this many users.
    UsersEnd(usize),
    /// The one who is told has another name now.
    Renamed {
        /// The name before.
        old: Arc<Identity>,
        /// The name now.
        new: Arc<Identity>,
    },
    /// A user has another name now.
    KnownAs {
        /// The name before.
        old: Arc<Identity>,
        /// The name now.
        new: Arc<Identity>,
    },
    /// All that the one who is told sent before this token has taken effect.
    Synced(String),
    /// The condition that the one who is told waited for holds.
    WaitMet(String),
    /// The condition that the one who is told waited for did not hold in time.
    WaitTimedOut,
    /// A request of the one who is told was refused.
    Refused(Refusal),
    /// The server ends the connection.
    Farewell(Departure),
}

/// A user's mistake. Nothing has changed, and the next line works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody has this name.
    NameTaken,
    /// Somebody has a name that this one looks like: that name.
    NameConfusable(String),
    /// This can be nobody's name.
    NameInvalid(NameRule),
    /// Nobody here has this name.
    NoSuchUser,
    /// A private message without a text.
    EmptyText,
    /// The one that a private message is for is behind with reading.
    RecipientBehind,
    /// A wait of more than this.
    WaitTooLong(Duration),
    /// A name or a part of a text that is waited for, of more bytes than this.
    ArgumentTooLong(usize),
}

impl Refusal {
    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameConfusable(_) => "name-confusable",
            Self::NameTaken => "name-taken",
            Self::NameInvalid(_) => "name-invalid",
            Self::NoSuchUser => "no-such-user",
            Self::EmptyText => "empty-text",
            Self::RecipientBehind => "recipient-behind",
            Self::WaitTooLong(_) => "wait-too-long",
            Self::ArgumentTooLong(_) => "argument-too-long",
        }
    }
}

/// Why a connection ended. The user is told where there is something to tell; logged once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The client has sent its last line.
    Left,
    /// The client has sent `quit`.
    Quit,
    /// The condition that the client waited for did not hold in time; it was told so.
    WaitTimedOut,
    /// A line of the client was refused, and it had asked to leave in that case; it was told so.
    CheckFailed,
    /// The user is not here any more, and goes on speaking as a visitor.
    Visiting,
    /// The connection broke.
    Lost,
    /// The client sent no line for the idle timeout.
    Idle,
    /// More bytes waited for the client than its queue may hold.
    SlowConsumer,
    /// No queued data could be written for the write timeout.
    WriteTimeout,
    /// The server has as many clients as it takes.
    Full,
    /// The server has as many clients from this address as it takes.
    FullForAddress,
    /// New connections come from this address faster than the server takes them.
    TooManyArrivals,
    /// The first words were an HTTP request.
    Http,
    /// The first words were those of another protocol.
    OtherProtocol,
    /// The server shuts down.
    ShuttingDown,
}

impl Departure {
    /// Whether the client is told: all but those who left by themselves, or know.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Left | Self::Lost | Self::WaitTimedOut | Self::CheckFailed | Self::Visiting)
    }

    /// Whether the client itself has ended the connection, or its peer has: what it said before counts.
    pub(super) fn is_own(self) -> bool {
        matches!(self, Self::Left | Self::Quit | Self::Lost)
    }

    /// A word for machines, which never changes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Quit => "quit",
            Self::WaitTimedOut => "wait-timeout",
            Self::CheckFailed => "check-failed",
            Self::Visiting => "visit",
            Self::Lost => "lost",
            Self::Idle => "idle",
            Self::SlowConsumer => "slow-consumer",
            Self::WriteTimeout => "write-timeout",
            Self::Full => "full",
            Self::FullForAddress => "full-for-address",
            Self::TooManyArrivals => "too-many-arrivals",
            Self::Http => "http",
            Self::OtherProtocol => "other-protocol",
            Self::ShuttingDown => "shutting-down",
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
