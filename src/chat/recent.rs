//! The last events of each room, in memory, for those who ask what they have missed. Knows rooms by their ids, and nothing of
//! who is in them.

mod tail;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    iter::{self, Peekable},
    sync::Arc,
};

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::{Kinds, PublicEvent, RoomId};
use tail::Tail;

pub(super) use tail::{Hold, Kept};

/// How much is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentLimits {
    /// Maximum number of events for each room.
    pub per_room_max: usize,
    /// Maximum number of bytes for all rooms together.
    pub bytes_max: usize,
}

impl Default for RecentLimits {
    /// The defaults of the flags.
    fn default() -> Self {
        Self { per_room_max: 1000, bytes_max: 16 << 20 }
    }
}

/// The last events of all rooms.
#[derive(Debug)]
pub(super) struct Recent {
    limits: RecentLimits,
    /// Never iterated: a hash has no order. Boxed, so that its free places are small.
    by_room: FxHashMap<RoomId, Box<Tail>>,
    /// Each room that has events, once: under the number of the event that was its last one when it was put here.
    silent: BinaryHeap<Reverse<(u64, RoomId)>>,
    /// What all events take, in bytes.
    bytes: usize,
    /// The number of the last event of a room that there is no more.
    forgotten: u64,
}

/// Where a stretch of history begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the event of this number: all that follows is here.
    Here(u64),
    /// Before what is here.
    Older,
}

impl Recent {
    pub(super) fn new(limits: RecentLimits) -> Self {
        // The lobby is there from the beginning, and always.
        let by_room = FxHashMap::from_iter([(RoomId::LOBBY, Box::new(Tail::new(0)))]);
        Self { limits, by_room, silent: BinaryHeap::new(), bytes: 0, forgotten: 0 }
    }

    /// What all of it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps an event, whose number is the highest so far. Others of the room may have to go for it.
    pub(super) fn push(&mut self, room: RoomId, n: u64, at: Timestamp, event: &Arc<PublicEvent>) {
        let forgotten = self.forgotten;
        let of = self.by_room.entry(room).or_insert_with(|| Box::new(Tail::new(forgotten)));
        if self.limits.per_room_max == 0 {
            return of.pass(n, at);
        }
        if of.is_empty() {
            self.silent.push(Reverse((n, room)));
        }
        self.bytes += of.push(n, at, event);
        if !of.is_held() {
            while of.len() > self.limits.per_room_max {
                self.bytes -= of.pop();
            }
        }
    }

    /// Holds what is here of a room, and what happens there from now on, as far as there is memory for all rooms.
    pub(super) fn hold(&mut self, room: RoomId) -> Arc<Hold> {
        let forgotten = self.forgotten;
        self.by_room.entry(room).or_insert_with(|| Box::new(Tail::new(forgotten))).hold()
    }

    /// All up to this number may have happened in rooms that are no more.
    pub(super) fn forget_until(&mut self, n: u64) {
        self.forgotten = self.forgotten.max(n);
    }

    /// There is a room whose events up to this number are kept elsewhere.
    pub(super) fn restore(&mut self, room: RoomId, last: u64) {
        self.by_room.insert(room, Box::new(Tail::restored(last)));
    }

    /// The rooms of which nothing is left when no more than so many bytes are kept, but of at most `most` events: the room that
    /// has been silent longest gives first.
    pub(super) fn shrink(&mut self, bytes_max: usize, most: usize) -> Vec<RoomId> {
        let mut emptied = Vec::new();
        for _ in 0..most {
            if self.bytes <= bytes_max {
                break;
            }
            let Some(Reverse((n, room))) = self.silent.pop() else { break };
            let Some(of) = self.by_room.get_mut(&room) else { continue };
            match of.last_number() {
                Some(last) if last == n => {
                    self.bytes -= of.pop();
                    if of.is_empty() {
                        emptied.push(room);
                    } else {
                        self.silent.push(Reverse((n, room)));
                    }
                }
                Some(last) => self.silent.push(Reverse((last, room))), // it has spoken since
                None => {}
            }
        }
        emptied
    }

    /// The same, down to what may be kept.
    pub(super) fn trim(&mut self) -> Vec<RoomId> {
        self.shrink(self.limits.bytes_max, usize::MAX)
    }

    /// The room is no more.
    pub(super) fn remove(&mut self, room: RoomId) {
        let Some(of) = self.by_room.remove(&room) else { return };
        self.forgotten = self.forgotten.max(of.last_number().unwrap_or(of.gone()));
        self.bytes -= of.bytes();
        if self.silent.len() > 2 * self.by_room.len() + 64 {
            let by_room = &self.by_room;
            self.silent.retain(|Reverse((_, room))| by_room.contains_key(room)); // rarely, since it looks at all
        }
    }

    /// Behind which event the last `count` of these kinds are that have happened in these rooms up to `until`. Before all that is
    /// here, where there are fewer. None count that are older than what is here no more of another room: each is one to go on
    /// from.
    pub(super) fn last(&self, rooms: &[RoomId], kinds: Kinds, count: usize, until: u64) -> Place {
        if count == 0 {
            return Place::Here(until);
        }
        let lost = self.lost(rooms.iter().copied());
        let in_room = |of| {
            let here = Tail::until(of, until).take_while(|kept| Some(kept.n()) > lost);
            here.filter(|kept| kept.is_of(kinds)).map(|kept| kept.n()).take(count)
        };
        let tails = rooms.iter().filter_map(|room| self.by_room.get(room));
        let mut numbers: Vec<_> = tails.flat_map(|of| in_room(of)).collect();
        match numbers.len().checked_sub(count) {
            Some(older) => Place::Here(*numbers.select_nth_unstable(older).1 - 1),
            None if lost.is_some() => Place::Older,
            None => Place::Here(0),
        }
    }

    /// The last event of these rooms that is not here any more, if there is one.
    pub(super) fn lost(&self, rooms: impl Iterator<Item = RoomId>) -> Option<u64> {
        let lost = |room| self.by_room.get(&room).filter(|of| of.gone_at().is_some()).map(|of| of.gone());
        rooms.filter_map(lost).max()
    }

    /// Behind which event those of the room are that have happened at or after this time.
    pub(super) fn since(&self, room: RoomId, at: Timestamp) -> Place {
        let Some(of) = self.by_room.get(&room) else { return Place::Here(self.forgotten) };
        if of.gone_at().is_some_and(|gone| gone >= at) {
            Place::Older
        } else {
            Place::Here(of.before(of.first_since(at)))
        }
    }

    /// The same for an event of this number, which need not be one of the room.
    pub(super) fn behind(&self, room: RoomId, n: u64) -> Place {
        if n >= self.oldest(room) { Place::Here(n) } else { Place::Older }
    }

    /// Behind which event there is nothing of a room that is made now.
    pub(super) fn forgotten_until(&self) -> u64 {
        self.forgotten
    }

    /// Behind which event all of the room are here.
    pub(super) fn oldest(&self, room: RoomId) -> u64 {
        self.by_room.get(&room).map_or(self.forgotten, |of| of.gone())
    }

    /// The events of rooms, each behind that of a number, in their one order, as far as they are here.
    pub(super) fn after(&self, rooms: impl Iterator<Item = (RoomId, u64)>) -> impl Iterator<Item = (RoomId, Kept<'_>)> {
        merge(rooms.filter_map(|(room, n)| Some((room, self.by_room.get(&room)?.after(n)))))
    }
}

/// The events of several rooms in their one order.
fn merge<'s, I: Iterator<Item = Kept<'s>>>(
    rooms: impl Iterator<Item = (RoomId, I)>,
) -> impl Iterator<Item = (RoomId, Kept<'s>)> {
    let mut rooms: Vec<_> = rooms.map(|(room, events)| (room, events.peekable())).collect();
    iter::from_fn(move || {
        // There are few rooms: a heap of them would not be faster.
        let next = |(room, events): &mut (RoomId, Peekable<I>)| Some((events.peek()?.n(), *room));
        let (_, first) = rooms.iter_mut().filter_map(next).min()?;
        let (room, events) = rooms.iter_mut().find(|(room, _)| *room == first)?;
        Some((*room, events.next()?))
    })
}

#[cfg(test)]
mod tests;
