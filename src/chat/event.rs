//! What users are told. Meaning, never text: `protocol` renders these in a dialect.

use std::{fmt, sync::Arc};

use super::{
    account::Token,
    accounts::AccountDone,
    departure::Departure,
    order::{Act, OrderDone, OrderEvent},
    record::{Epoch, KeptEvent, Position, Record},
    refusal::Refusal,
};

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
    /// The name is that of the account that the user is logged in to.
    pub is_account: bool,
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
    /// Its place among the kept events of all rooms, if it is kept.
    pub position: Option<Position>,
    /// What has happened.
    pub event: Arc<PublicEvent>,
}

/// The number of a public event, counted from 1 in each room, without gaps.
pub type Seq = u64;

/// Something that all who are in a room are told, and that may be kept for those who come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicEvent {
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
}

/// Which public events are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Kinds {
    /// All of them.
    #[default]
    All,
    /// What users have said.
    Messages,
}

impl Kinds {
    /// Whether an event is of these.
    #[must_use]
    pub fn include(self, event: &PublicEvent) -> bool {
        match self {
            Self::All => true,
            Self::Messages => matches!(event, PublicEvent::Message { .. }),
        }
    }
}

/// Something that one client is told alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
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
    /// A room: one line of the answer to `rooms`.
    Room {
        /// Its name.
        name: Arc<str>,
        /// How many are in it; none where the one who is told may not know.
        members: Option<usize>,
        /// Its topic; empty for none.
        topic: Arc<str>,
    },
    /// A token of the account of this name: one line of the answer to `tokens`.
    Token(Arc<str>, Token),
    /// Something of order.
    Order(OrderEvent),
    /// An event that has happened before, with whose numbers it is counted.
    Past(Record, Epoch),
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

impl Event {
    /// Its position among all that is kept; or the one behind which that begins which it does not tell.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Past(record, epoch) => Some(Position { n: record.n, epoch: *epoch }),
            Self::Done(Done::Join { position, .. } | Done::History { position, .. }) => *position,
            _ => None,
        }
    }

    /// Whether it answers what the one who is told has asked.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Private { .. } | Self::Farewell(_) | Self::Order(OrderEvent::Notice(_)) => false,
            Self::Past(record, _) => match record.event {
                KeptEvent::Public(_) => true,
                KeptEvent::Private { .. } => false,
            },
            Self::User(_)
            | Self::UsersEnd(_)
            | Self::Renamed { .. }
            | Self::Room { .. }
            | Self::Token(..)
            | Self::Order(OrderEvent::Sanction(_))
            | Self::Done(_)
            | Self::Declined(..)
            | Self::Synced(_)
            | Self::WaitMet(_)
            | Self::WaitTimedOut
            | Self::Refused(_) => true,
        }
    }
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
    /// What has happened in a room.
    History,
    /// To send a private message.
    To,
    /// To have another name.
    Rename,
    /// Who is here.
    Users,
    /// To be answered when something happens.
    Wait,
    /// An account.
    Register,
    /// To be an account.
    Login,
    /// Another password.
    Password,
    /// An account no more.
    Unregister,
    /// A token.
    Token,
    /// Which tokens there are.
    Tokens,
    /// A token no more.
    Revoke,
    /// Something to keep order.
    Order(Act),
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
        /// Behind all that has happened so far.
        position: Option<Position>,
        /// Its topic; empty for none.
        topic: Arc<str>,
    },
    /// It was said in the room, and kept there.
    In(Arc<str>, Option<Position>),
    /// The one who is told has left the room.
    Leave(Arc<str>),
    /// There are so many rooms.
    Rooms(usize),
    /// So many are in the room.
    Who(Arc<str>, usize),
    /// The room has this topic; empty for none.
    Topic(Arc<str>, Arc<str>),
    /// So much of what has happened in the room was told.
    History {
        /// The name of the room.
        room: Arc<str>,
        /// How many events.
        count: usize,
        /// What follows begins behind this.
        position: Option<Position>,
        /// There is more already, which can be asked for.
        has_more: bool,
    },
    /// It has to do with an account.
    Account(AccountDone),
    /// It keeps order.
    Order(OrderDone),
}

impl Done {
    /// What was asked for.
    #[must_use]
    pub fn asked(&self) -> Asked {
        match self {
            Self::Join { .. } => Asked::Join,
            Self::In(..) => Asked::In,
            Self::Leave(_) => Asked::Leave,
            Self::Rooms(_) => Asked::Rooms,
            Self::Who(..) => Asked::Who,
            Self::Topic(..) => Asked::Topic,
            Self::History { .. } => Asked::History,
            Self::Account(done) => done.asked(),
            Self::Order(done) => Asked::Order(done.act()),
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
