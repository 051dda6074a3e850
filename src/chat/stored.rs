//! What the chat may ask of a store, which keeps events longer than memory does, and what it is answered.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Chat, Kinds, LOBBY, Output, record::Record};
use crate::address::Network;

/// A question about the events of some rooms, which are told in one order. What is asked of each room is answered in the order
/// in which they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The events of these kinds up to `until`, in their order; at most `limit`, and as many as a page has.
    Page {
        /// The names of the rooms, each with the number before the first event of it that is wanted.
        rooms: Vec<(Arc<str>, u64)>,
        /// The number of the last event that is wanted.
        until: u64,
        /// Which of them are wanted.
        kinds: Kinds,
        /// How many events are wanted at most.
        limit: usize,
    },
    /// The numbers behind which all events are that are kept.
    SeekOldest {
        /// The names of the rooms.
        rooms: Vec<Arc<str>>,
    },
    /// The number behind which the last `count` events up to `until` are. Where the store has removed some of a room, none of
    /// another room is wanted that is older: each place behind the answer is one to go on from.
    SeekLast {
        /// The names of the rooms.
        rooms: Vec<Arc<str>>,
        /// Which events count.
        kinds: Kinds,
        /// How many events.
        count: usize,
        /// The number of the last event that is wanted.
        until: u64,
    },
    /// The numbers behind which the events at and after a time are, to the millisecond. Where the clock was set back, it is one
    /// of several places at which an earlier event is followed by one that is not; what is in memory begins at the first.
    SeekSince {
        /// The names of the rooms.
        rooms: Vec<Arc<str>>,
        /// The time.
        at: Timestamp,
    },
}

/// The answer to a [`Query`]. A room that is not in the file has no events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Query::Page`].
    Page {
        /// The events.
        records: Vec<Record>,
        /// The number up to which these are all: the next page begins behind it. It is the `until` that was asked for if there
        /// is no more. There may be none, and more behind it all the same: so many were looked at.
        through: u64,
        /// The last event of each room that was removed.
        gone: Vec<Option<Gone>>,
    },
    /// To a [`Query::SeekLast`] for which much was looked at: so many more are wanted, of those up to this number.
    Further {
        /// How many.
        count: usize,
        /// The number of the next event to be looked at, or one above it.
        until: u64,
    },
    /// To all others.
    Behind {
        /// The number for each room. Where all events are wanted, that of the last one that was removed, or 0.
        n: Vec<u64>,
        /// The last event of each room that was removed.
        gone: Vec<Option<Gone>>,
    },
}

/// The last event of a room that was removed for its age or for space, together with all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// Its number.
    pub n: u64,
    /// When it happened.
    pub at: Timestamp,
}

/// A room that a store has kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRoom {
    /// Its name.
    pub name: String,
    /// Its topic.
    pub topic: Option<Arc<str>>,
    /// The network that has made it, if it is not a trusted one.
    pub keeper: Option<Network>,
    /// Only who is invited may come in.
    pub is_locked: bool,
    /// The number of the last event that is kept; 0 if none is.
    pub last: u64,
    /// The last event that was removed.
    pub gone: Option<Gone>,
}

impl PastRoom {
    /// The number of the last event, whether it is kept or was removed; 0 if neither is there.
    #[must_use]
    pub fn last_known(&self) -> u64 {
        self.last.max(self.gone.map_or(0, |gone| gone.n))
    }
}

/// What a store has kept for an account that has a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastMailbox {
    /// The name of the account.
    pub account: Arc<str>,
    /// The number of the last message that is kept; 0 if none is.
    pub last: u64,
    /// From whom messages are that were not delivered, and how many. A sender may be there several times.
    pub unread: Vec<(PastSender, usize)>,
}

/// Who has sent a message that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastSender {
    /// An account of this name.
    Account(String),
    /// A guest from this address.
    Guest(String),
}

/// Whether there is a store, and whether it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreState {
    None,
    Works,
    /// Nothing is said that cannot be kept, since the event of this number.
    Fails {
        since: u64,
    },
}

/// Events that are given numbers while the store fails: fewer than are reserved there, so that none is given out twice.
pub const HELD_EVENTS_MAX: u64 = 4096;

impl StoreState {
    pub(super) fn fails(self) -> bool {
        match self {
            Self::None | Self::Works => false,
            Self::Fails { .. } => true,
        }
    }
}

impl Chat {
    /// Whether so much has happened since the store fails that no more of it is kept.
    pub(super) fn holds_too_much(&self) -> bool {
        match self.store {
            StoreState::None | StoreState::Works => false,
            StoreState::Fails { since } => self.events >= since + HELD_EVENTS_MAX,
        }
    }

    /// Goes on where a store has left off: with this number next, behind all of rooms that are no more, and with rooms in the
    /// order in which they were used last.
    pub fn restore(&mut self, next: u64, forgotten: u64, rooms: &[PastRoom], out: &mut Vec<Output>) {
        self.events = next.saturating_sub(1);
        self.recent.forget_until(forgotten);
        let others = rooms.iter().filter(|past| past.name != LOBBY).count();
        let mut too_many = (others + 1).saturating_sub(self.rules.rooms.rooms_max);
        for past in rooms {
            let restored = if past.name != LOBBY && too_many > 0 {
                too_many -= 1;
                None
            } else {
                self.rooms.restore(past).ok()
            };
            match restored {
                Some(room) => self.recent.restore(room, past.last_known()),
                None => {
                    self.recent.forget_until(past.last_known());
                    out.push(Output::Forget(past.name.as_str().into()));
                }
            }
        }
        self.forget(out);
    }

    /// What happened in rooms that are no more need not be kept.
    pub(super) fn forget(&mut self, out: &mut Vec<Output>) {
        for (room, name) in self.rooms.take_forgotten() {
            self.recent.remove(room);
            self.order.forget(room);
            out.extend(self.has_store().then_some(Output::Forget(name)));
        }
    }

    pub(super) fn has_store(&self) -> bool {
        match self.store {
            StoreState::None => false,
            StoreState::Works | StoreState::Fails { .. } => true,
        }
    }
}
