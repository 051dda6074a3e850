//! The last events of one room, in little space: there may be one for each membership, and one comes and goes with each line
//! that is said. What was said lies one text behind the other, so that keeping it allocates nothing.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use jiff::Timestamp;

use crate::chat::{Departure, Identity, Kinds, PublicEvent};

/// As long as there is one of a room, none of its events goes for newer ones of the same room.
#[derive(Debug)]
pub(in crate::chat) struct Hold;

/// The last events of a room.
#[derive(Debug)]
pub(super) struct Tail {
    events: VecDeque<Entry>,
    /// The texts of messages among `events`, in their order.
    texts: VecDeque<u8>,
    /// How many bytes were in front of `texts`.
    texts_gone: u64,
    /// Of those who are about to be told `events`.
    hold: Weak<Hold>,
    /// When the last event happened that is here no more, if there is one.
    gone_at: Option<Timestamp>,
    /// The number of that; before the first, of the last event that may have been one of a room of the same name.
    gone: u64,
}

#[derive(Debug)]
struct Entry {
    n: u64,
    /// In milliseconds: events have no more precise times.
    at: i64,
    event: Small,
}

/// An event without a block of its own, if there are very many of its kind.
#[derive(Debug)]
enum Small {
    Message {
        from: Arc<Identity>,
        bytes: u32,
        /// Where its text begins, counted from the beginning of all texts.
        begin: u64,
    },
    Joined(Arc<Identity>),
    Left(Arc<Identity>),
    Offline(Arc<Identity>, Departure),
    Other(Arc<PublicEvent>),
}

/// An event that is kept.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat) struct Kept<'s> {
    entry: &'s Entry,
    tail: &'s Tail,
}

/// What an event takes that has a block of its own, beside its texts: that block, and what the allocator needs for two.
pub(super) const BLOCK_BYTES: usize = size_of::<PublicEvent>() + 4 * size_of::<usize>();
/// What any event takes.
pub(super) const ENTRY_BYTES: usize = size_of::<Entry>();

impl Tail {
    pub(super) fn new(gone: u64) -> Self {
        let (events, texts) = (VecDeque::new(), VecDeque::new());
        Self { events, texts, texts_gone: 0, hold: Weak::new(), gone_at: None, gone }
    }

    /// Of a room whose events up to this number, if it is not 0, are kept elsewhere.
    pub(super) fn restored(last: u64) -> Self {
        let gone_at = (last > 0).then_some(Timestamp::MAX); // it does not matter when: all of that is asked for elsewhere
        Self { gone_at, ..Self::new(last) }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    pub(super) fn gone_at(&self) -> Option<Timestamp> {
        self.gone_at
    }

    pub(super) fn last_number(&self) -> Option<u64> {
        self.events.back().map(|last| last.n)
    }

    pub(super) fn hold(&mut self) -> Arc<Hold> {
        self.hold.upgrade().unwrap_or_else(|| {
            let hold = Arc::new(Hold);
            self.hold = Arc::downgrade(&hold);
            hold
        })
    }

    pub(super) fn is_held(&self) -> bool {
        self.hold.strong_count() > 0
    }

    /// Appends an event, and answers what it takes, in bytes.
    pub(super) fn push(&mut self, n: u64, at: Timestamp, event: &Arc<PublicEvent>) -> usize {
        let event = match &**event {
            PublicEvent::Message { from, text } => self.keep_text(from, text),
            PublicEvent::Joined(who) => Small::Joined(Arc::clone(who)),
            PublicEvent::Left(who) => Small::Left(Arc::clone(who)),
            PublicEvent::Offline(who, departure) => Small::Offline(Arc::clone(who), *departure),
            PublicEvent::Online(_) | PublicEvent::KnownAs { .. } | PublicEvent::Topic { .. } => {
                Small::Other(Arc::clone(event))
            }
        };
        if self.events.capacity() == 0 {
            self.events.reserve_exact(1); // many rooms have no more
        }
        let entry = Entry { n, at: at.as_millisecond(), event };
        let bytes = entry.bytes();
        self.events.push_back(entry);
        bytes
    }

    fn keep_text(&mut self, from: &Arc<Identity>, text: &str) -> Small {
        let begin = self.texts_gone + self.texts.len() as u64;
        if self.texts.capacity() - self.texts.len() < text.len() {
            self.texts.reserve_exact(text.len().max(self.texts.len() / 4)); // doubling it would waste half of all
        }
        self.texts.extend(text.as_bytes());
        Small::Message { from: Arc::clone(from), bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), begin }
    }

    /// An event happens that is not kept.
    pub(super) fn pass(&mut self, n: u64, at: Timestamp) {
        (self.gone, self.gone_at) = (n, Some(at));
    }

    /// Drops the oldest one, and answers what it took, in bytes.
    pub(super) fn pop(&mut self) -> usize {
        let Some(entry) = self.events.pop_front() else { return 0 };
        self.pass(entry.n, entry.at());
        if let Small::Message { bytes, .. } = entry.event {
            self.texts.drain(..bytes as usize);
            self.texts_gone += u64::from(bytes);
            if self.texts.len() < self.texts.capacity() / 4 {
                self.texts.shrink_to(2 * self.texts.len());
            }
        }
        if self.events.len() < self.events.capacity() / 4 {
            self.events.shrink_to(2 * self.events.len());
        }
        entry.bytes()
    }

    /// What all of them take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.events.iter().map(Entry::bytes).sum()
    }

    /// The number before that of the event at this place.
    pub(super) fn before(&self, place: usize) -> u64 {
        place.checked_sub(1).map_or(self.gone, |before| self.events[before].n)
    }

    /// The place of the first event at or after this time, though the clock may have been set back later.
    pub(super) fn first_since(&self, at: Timestamp) -> usize {
        self.events.iter().position(|entry| entry.at() >= at).unwrap_or(self.events.len())
    }

    /// The events behind that of this number.
    pub(super) fn after(&self, n: u64) -> impl Iterator<Item = Kept<'_>> {
        let first = self.events.partition_point(|entry| entry.n <= n);
        self.events.range(first..).map(|entry| Kept { entry, tail: self })
    }

    /// The events up to that of this number, the last one first.
    pub(super) fn until(&self, n: u64) -> impl Iterator<Item = Kept<'_>> {
        let end = self.events.partition_point(|entry| entry.n <= n);
        self.events.range(..end).rev().map(|entry| Kept { entry, tail: self })
    }

    /// How many events, and bytes of texts, there is space for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> (usize, usize) {
        (self.events.capacity(), self.texts.capacity())
    }
}

impl Entry {
    fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or_default() // it was one
    }

    /// What it takes, in bytes. A user counts with each event: it may be held by this one alone.
    fn bytes(&self) -> usize {
        let user = |who: &Identity| size_of::<Identity>() + who.name.len() + who.addr.len();
        let event = match &self.event {
            Small::Message { from, bytes, .. } => user(from) + *bytes as usize,
            Small::Joined(who) | Small::Left(who) | Small::Offline(who, _) => user(who),
            Small::Other(event) => {
                BLOCK_BYTES
                    + match &**event {
                        PublicEvent::Message { from, text } => user(from) + text.len(),
                        PublicEvent::Topic { from, text } => user(from) + text.len(),
                        PublicEvent::KnownAs { old, new } => user(old) + user(new),
                        PublicEvent::Online(who)
                        | PublicEvent::Offline(who, _)
                        | PublicEvent::Joined(who)
                        | PublicEvent::Left(who) => user(who),
                    }
            }
        };
        ENTRY_BYTES + event
    }
}

impl Kept<'_> {
    /// Its number.
    pub(in crate::chat) fn n(&self) -> u64 {
        self.entry.n
    }

    /// Whether it is one of these kinds.
    pub(in crate::chat) fn is_of(&self, kinds: Kinds) -> bool {
        match kinds {
            Kinds::All => true,
            Kinds::Messages => matches!(self.entry.event, Small::Message { .. }),
        }
    }

    /// When it happened.
    pub(in crate::chat) fn at(&self) -> Timestamp {
        self.entry.at()
    }

    /// What it takes, in bytes.
    pub(in crate::chat) fn bytes(&self) -> usize {
        self.entry.bytes()
    }

    /// What happened.
    pub(in crate::chat) fn event(&self) -> Arc<PublicEvent> {
        Arc::new(match &self.entry.event {
            Small::Message { from, bytes, begin } => {
                let Tail { texts, texts_gone, .. } = self.tail;
                let begin = (begin - texts_gone) as usize;
                let text = texts.range(begin..begin + *bytes as usize).copied().collect();
                let text = String::from_utf8(text).unwrap_or_default(); // it was a text
                PublicEvent::Message { from: Arc::clone(from), text }
            }
            Small::Joined(who) => PublicEvent::Joined(Arc::clone(who)),
            Small::Left(who) => PublicEvent::Left(Arc::clone(who)),
            Small::Offline(who, departure) => PublicEvent::Offline(Arc::clone(who), *departure),
            Small::Other(event) => return Arc::clone(event),
        })
    }
}
