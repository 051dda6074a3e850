//! What a user can ask of the chat. Meaning, never bytes: `protocol` makes these out of lines.

use std::time::Duration;

use jiff::Timestamp;

use super::{HISTORY_MAX, Kinds, accounts::AccountCommand, order::OrderCommand, record::Epoch};

/// Rooms that one command may name at most: each takes a look into memory, or a query of its own.
pub const ROOMS_AT_ONCE_MAX: usize = 16;

/// One request of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Said in the room that the client is in, the last that it has joined.
    Say(String),
    /// Who is here?
    Who,
    /// Be called this from here on (not yet known to be a valid name).
    Rename(String),
    /// Said to one user only.
    Private {
        /// The name, or the address of a user without one, as it was written.
        to: String,
        /// What is said.
        text: String,
    },
    /// Be in this room, and let what is said go there.
    Join {
        /// The name of the room.
        room: String,
        /// What has happened there since is told before, without a gap.
        start: Option<Start>,
    },
    /// Be in these rooms, as by [`Self::Join`], when it is told what has happened in all of them since: one history, without a
    /// gap. If one of them cannot be joined, none is.
    Follow {
        /// The names of the rooms.
        rooms: Vec<String>,
        /// From where on.
        start: Start,
        /// What of it is told that has happened before. What happens later is told as to all others.
        kinds: Kinds,
    },
    /// What has happened?
    History(Stretch),
    /// Said in a room.
    In {
        /// The name of the room.
        room: String,
        /// What is said.
        text: String,
    },
    /// Leave this room.
    Leave(String),
    /// Which rooms are there?
    Rooms,
    /// Who is in this room?
    WhoIn(String),
    /// What is the topic of a room, or what is it to be?
    Topic {
        /// The name of the room.
        room: String,
        /// The new topic, if it is to change; empty for none.
        text: Option<String>,
    },
    /// Answer with this token when all that the client sent before has taken effect.
    Sync(String),
    /// Something that has to do with an account.
    Account(AccountCommand),
    /// Something to keep order.
    Order(OrderCommand),
    /// Answer when the condition holds, or hang up after the timeout. Later commands wait until then.
    Wait(Duration, WaitFor),
}

/// A stretch of what has happened in some rooms, in the one order of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The names of the rooms.
    pub rooms: Vec<String>,
    /// From where on. [`Start::Last`] counts what is of `kinds`.
    pub start: Start,
    /// What of it is told.
    pub kinds: Kinds,
    /// Only what is older than the event of this number, which is one of this epoch, as in [`Start::Behind`].
    pub before: Option<(u64, Option<Epoch>)>,
    /// How many events are told at most.
    pub most: usize,
}

impl Stretch {
    /// Of one room, as much as one `history` tells.
    #[must_use]
    pub fn of(room: String, start: Start) -> Self {
        Self { rooms: vec![room], start, kinds: Kinds::All, before: None, most: HISTORY_MAX }
    }
}

/// Where a stretch of history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the last events, so many of them.
    Last(usize),
    /// So long ago.
    Ago(Duration),
    /// At this time.
    At(Timestamp),
    /// Behind the event of this number. An epoch tells whose number it is; without one it is taken for the server's.
    Behind(u64, Option<Epoch>),
    /// At a position that no server of this kind has given out.
    Unknown,
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// A user of this name is here.
    User(String),
    /// No user of this name is here.
    Gone(String),
    /// At least this many users are here.
    Users(usize),
    /// Somebody else's text that contains this has been delivered, in the lobby or in private.
    Text(String),
    /// At least this many are in a room.
    Members(String, usize),
    /// The account of this name has said a text that contains this: in a room, or, without one, to the one who waits alone.
    By {
        /// The name of the account.
        account: String,
        /// The name of the room.
        room: Option<String>,
        /// What the text contains.
        part: String,
    },
    /// Somebody else's text that contains this has been said in a room.
    In {
        /// The name of the room.
        room: String,
        /// What the text contains.
        part: String,
    },
}

impl Command {
    /// Bytes of the texts in it.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Say(text)
            | Self::Rename(text)
            | Self::Sync(text)
            | Self::Join { room: text, .. }
            | Self::Leave(text)
            | Self::WhoIn(text) => text.len(),
            Self::History(Stretch { rooms, .. }) | Self::Follow { rooms, .. } => rooms.iter().map(String::len).sum(),
            Self::Account(command) => command.text_bytes(),
            Self::Order(command) => command.text_bytes(),
            Self::Private { to, text } => to.len() + text.len(),
            Self::In { room, text } => room.len() + text.len(),
            Self::Topic { room, text } => room.len() + text.as_ref().map_or(0, String::len),
            Self::Wait(_, WaitFor::User(text) | WaitFor::Gone(text) | WaitFor::Text(text)) => text.len(),
            Self::Wait(_, WaitFor::Members(room, _)) => room.len(),
            Self::Wait(_, WaitFor::In { room, part }) => room.len() + part.len(),
            Self::Wait(_, WaitFor::By { account, room, part }) => {
                account.len() + room.as_ref().map_or(0, String::len) + part.len()
            }
            Self::Wait(_, WaitFor::Users(_)) | Self::Who | Self::Rooms => 0,
        }
    }
}
