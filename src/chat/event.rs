//! What users are told. Meaning, never text: `protocol` renders these in a dialect.

use std::{fmt, sync::Arc, time::Duration};

use super::name::NameRule;

/// A client, from its arrival to its departure. Ids are given out in order of arrival and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// A room. Ids are never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub u64);

impl RoomId {
    /// The room that users are in from their arrival: the tutorial's only one.
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

/// An event that is told to all who are in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: Arc<str>,
    /// How many are in it.
    pub members: usize,
    /// One of them who has an answer of its own, and is told this only where public events are counted.
    pub except: Option<ClientId>,
    /// The number of the event in its room.
    pub seq: Seq,
    /// What has happened.
    pub event: Event,
}

/// The number of a public event, counted from 1 in each room, without gaps.
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
    /// A user is in the room from now on.
    Joined(Arc<Identity>),
    /// A user has left the room.
    Left(Arc<Identity>),
    /// A user has given the room a topic, or taken it away.
    Topic {
        /// The user.
        from: Arc<Identity>,
        /// The topic; empty for none.
        text: Arc<str>,
    },
    /// A room: one line of the answer to `rooms`.
    Room {
        /// Its name.
        name: Arc<str>,
        /// How many are in it.
        members: usize,
        /// Its topic; empty for none.
        topic: Arc<str>,
    },
    /// A request of the one who is told was done.
    Done(Done),
    /// A request of this kind was refused.
    Declined(Asked, Refusal),
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

/// What was asked for: the requests that are answered by one last line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To be in a room.
    Join,
    /// To say something in a room.
    In,
    /// To leave a room.
    Leave,
    /// Which rooms there are.
    Rooms,
    /// Who is in a room.
    Who,
    /// A topic, or to change it.
    Topic,
}

/// The answer to a request that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The one who is told is in the room, and what it says goes there.
    Join {
        /// The name of the room.
        room: Arc<str>,
        /// How many are in it.
        members: usize,
        /// Its topic; empty for none.
        topic: Arc<str>,
    },
    /// It was said in the room.
    In(Arc<str>),
    /// The one who is told has left the room.
    Leave(Arc<str>),
    /// There are so many rooms.
    Rooms(usize),
    /// So many are in the room.
    Who(Arc<str>, usize),
    /// The room has this topic; empty for none.
    Topic(Arc<str>, Arc<str>),
}

impl Done {
    /// What was asked for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self {
            Self::Join { .. } => Asked::Join,
            Self::In(_) => Asked::In,
            Self::Leave(_) => Asked::Leave,
            Self::Rooms(_) => Asked::Rooms,
            Self::Who(..) => Asked::Who,
            Self::Topic(..) => Asked::Topic,
        }
    }
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
    /// A name, a topic or a part of a text that is waited for, of more bytes than this.
    ArgumentTooLong(usize),
    /// No room has this name.
    NoSuchRoom,
    /// The one who asks is not in the room.
    NotInRoom,
    /// This can be no room's name.
    RoomInvalid(NameRule),
    /// A room has a name that this one looks like: that name.
    RoomConfusable(String),
    /// There are, or the one who asks is in, as many rooms as may be.
    TooManyRooms(usize),
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
            Self::NoSuchRoom => "no-such-room",
            Self::NotInRoom => "not-in-room",
            Self::RoomInvalid(_) => "room-invalid",
            Self::RoomConfusable(_) => "room-confusable",
            Self::TooManyRooms(_) => "too-many-rooms",
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
    /// Every one.
    const ALL: [Self; 15] = [
        Self::Left,
        Self::Quit,
        Self::WaitTimedOut,
        Self::CheckFailed,
        Self::Visiting,
        Self::Lost,
        Self::Idle,
        Self::SlowConsumer,
        Self::WriteTimeout,
        Self::Full,
        Self::FullForAddress,
        Self::TooManyArrivals,
        Self::Http,
        Self::OtherProtocol,
        Self::ShuttingDown,
    ];

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

    /// The departure with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|departure| departure.code() == code)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Departure::*;

    #[test]
    fn every_departure_has_a_code_of_its_own() {
        let mut departure = Left;
        loop {
            assert_eq!(super::Departure::from_code(departure.code()), Some(departure));
            // So that the compiler asks for one that was added.
            departure = match departure {
                Left => Quit,
                Quit => WaitTimedOut,
                WaitTimedOut => CheckFailed,
                CheckFailed => Visiting,
                Visiting => Lost,
                Lost => Idle,
                Idle => SlowConsumer,
                SlowConsumer => WriteTimeout,
                WriteTimeout => Full,
                Full => FullForAddress,
                FullForAddress => TooManyArrivals,
                TooManyArrivals => Http,
                Http => OtherProtocol,
                OtherProtocol => ShuttingDown,
                ShuttingDown => break,
            };
        }
        assert_eq!(super::Departure::from_code("out-to-lunch"), None);
    }
}
