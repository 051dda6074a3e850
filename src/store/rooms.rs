//! What the writer knows of the rooms in the file without asking it: how many events each has and how large these are, and
//! what is left to do for them. Knows no SQL.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::Arc,
};

use super::amount::Amount;
use crate::chat::is_mailbox;

/// Events in rooms whose number in the file is behind, before it is written: after a crash so many are counted at the start.
const UNCOUNTED_MAX: u64 = 10_000;

/// The rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    rooms: HashMap<Arc<str>, Room>,
    /// Mirrors `rooms`: `names[id]` is `name` iff `rooms[name].id` is `id`.
    names: HashMap<i64, Arc<str>>,
    /// Rooms that are no more, but have events in the file.
    pub(super) forgotten: Vec<i64>,
    /// The most events that a room may have; a few more are let pass, so that not each new one removes one old.
    lines_max: u64,
    /// The same for mailboxes, if that is more: nothing that was not delivered is removed.
    unread_max: u64,
    /// Rooms that have more.
    over: BTreeSet<Arc<str>>,
    /// Mirrors `rooms`: the size and the id of each that has events.
    by_size: BTreeSet<(u64, i64)>,
    /// Rooms with `is_behind`, and some that were.
    behind: Vec<Arc<str>>,
    /// Rooms whose numbers of events are being written.
    counting: Vec<Arc<str>>,
    /// Events since numbers of events were last written.
    uncounted: u64,
}

/// A room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) id: i64,
    /// The events that are in the file.
    pub(super) events: Amount,
    /// The number of the last event; 0 if there has been none.
    pub(super) last: u64,
    /// What the file says of `events` is older.
    pub(super) is_behind: bool,
}

impl Room {
    /// One without events.
    pub(super) fn new(id: i64) -> Self {
        Self { id, events: Amount::default(), last: 0, is_behind: false }
    }
}

impl Rooms {
    pub(super) fn new(lines_max: u64, unread_max: u64) -> Self {
        Self {
            rooms: HashMap::new(),
            names: HashMap::new(),
            forgotten: Vec::new(),
            lines_max,
            unread_max,
            over: BTreeSet::new(),
            by_size: BTreeSet::new(),
            behind: Vec::new(),
            counting: Vec::new(),
            uncounted: 0,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Room> {
        self.rooms.get(name).copied()
    }

    pub(super) fn name(&self, id: i64) -> Option<&Arc<str>> {
        self.names.get(&id)
    }

    /// A room has changed, or is new.
    pub(super) fn set(&mut self, name: &Arc<str>, room: Room) {
        let lines_max = self.lines_max_of(name);
        let slack = (lines_max / 10).min(super::retention::STEP_ROWS);
        if room.events.rows > lines_max.saturating_add(slack) {
            self.over.insert(Arc::clone(name));
        } else if room.events.rows <= lines_max {
            self.over.remove(name);
        }
        let before = self.rooms.insert(Arc::clone(name), room);
        let (was_behind, lines) = before.map_or((false, 0), |before| (before.is_behind, before.events.rows));
        if let Some(before) = before {
            self.by_size.remove(&(before.events.bytes, before.id));
        }
        if room.events.rows > 0 {
            self.by_size.insert((room.events.bytes, room.id));
        }
        if before.map(|before| before.id) != Some(room.id) {
            if let Some(before) = before {
                self.names.remove(&before.id);
            }
            self.names.insert(room.id, Arc::clone(name));
        }
        if room.is_behind {
            self.uncounted += room.events.rows.saturating_sub(lines);
            if !was_behind {
                self.behind.push(Arc::clone(name));
            }
        }
    }

    /// The most events that this room may have. What was not delivered to an account are the last ones of its mailbox.
    fn lines_max_of(&self, name: &str) -> u64 {
        if is_mailbox(name) { self.lines_max.max(self.unread_max) } else { self.lines_max }
    }

    /// The room is no more.
    pub(super) fn forget(&mut self, name: &str) {
        if let Some(room) = self.rooms.remove(name) {
            self.names.remove(&room.id);
            self.by_size.remove(&(room.events.bytes, room.id));
            self.over.remove(name);
        }
    }

    /// Whether a room has too many events.
    pub(super) fn is_over(&self) -> bool {
        !self.over.is_empty()
    }

    /// Rooms with too many events, and how many more these are.
    pub(super) fn over(&self) -> impl Iterator<Item = (&Arc<str>, Room, Amount)> {
        self.over.iter().map(|name| {
            let room = self.rooms[name];
            (name, room, Amount { rows: room.events.rows - self.lines_max_of(name), bytes: u64::MAX })
        })
    }

    /// The largest rooms, and half of the events of each: not all of them, even if they are small. Those that are less than half
    /// as large as the first are spared.
    pub(super) fn largest(&self) -> impl Iterator<Item = (&Arc<str>, Room, Amount)> {
        let most = self.by_size.last().map_or(0, |&(bytes, _)| bytes);
        let large = self.by_size.iter().rev().take_while(move |(bytes, _)| *bytes >= most / 2);
        large.map(|(_, id)| {
            let name = &self.names[id];
            let room = self.rooms[name];
            (name, room, room.events.half())
        })
    }

    /// Whether numbers of events in the file are behind.
    pub(super) fn is_uncounted(&self) -> bool {
        !self.behind.is_empty() || !self.counting.is_empty()
    }

    /// Whether it is time to write them.
    pub(super) fn counts_due(&self) -> bool {
        self.uncounted >= UNCOUNTED_MAX || !self.counting.is_empty()
    }

    /// Some of the rooms whose numbers of events are to be written, at most `max`; none if all are written.
    pub(super) fn next_to_count(&mut self, max: usize) -> Vec<(Arc<str>, Option<Room>)> {
        if self.counting.is_empty() {
            self.counting = mem::take(&mut self.behind);
            self.uncounted = 0;
        }
        let some = self.counting.iter().rev().take(max);
        some.map(|name| (Arc::clone(name), self.rooms.get(name).copied())).collect()
    }

    /// The numbers of these are written, as [`Self::next_to_count`] has returned them.
    pub(super) fn counted(&mut self, rooms: &[(Arc<str>, Option<Room>)]) {
        self.counting.truncate(self.counting.len().saturating_sub(rooms.len()));
        for (name, _) in rooms {
            if let Some(room) = self.rooms.get_mut(name) {
                room.is_behind = false;
            }
        }
    }
}
