//! What has happened in rooms: one list of all of it, for ever, in which each event is marked that is in memory no more.

use std::{mem, sync::Arc};

use jiff::Timestamp;
use pipechat::chat::{Epoch, Identity, Output, Position, PublicEvent, Refusal, RoomId, Start};

use super::{Model, lists::List};

/// Events that are dropped at once, at the most, when memory is to be given back.
const SHRINK_MAX: usize = 4096;

/// A kept event.
pub(crate) struct Past {
    pub(crate) n: u64,
    pub(crate) at: Timestamp,
    pub(crate) room: RoomId,
    pub(crate) name: Arc<str>,
    pub(crate) event: Arc<PublicEvent>,
    /// It is still in memory.
    pub(super) is_here: bool,
}

impl Model {
    /// All that was ever kept.
    pub(crate) fn past(&self) -> &[Past] {
        &self.past
    }

    /// What that takes of it which is in memory, in bytes.
    pub(crate) fn recent_bytes(&self) -> usize {
        self.recent_bytes
    }

    /// What is in memory of what has happened in a room.
    pub(super) fn here(&self, room: RoomId) -> Vec<&Past> {
        self.past.iter().filter(|past| past.room == room && past.is_here).collect()
    }

    fn gone(&self, room: RoomId) -> Option<&Past> {
        self.past.iter().rfind(|past| past.room == room && !past.is_here)
    }

    /// Behind all that has happened; nothing is told of it where nothing is kept.
    pub(super) fn position(&self) -> Option<Position> {
        let is_kept = self.rules.recent.per_room_max > 0 || self.rules.has_store;
        is_kept.then_some(Position { n: self.events, epoch: self.epoch })
    }

    /// Behind what all of the room is in memory.
    pub(super) fn oldest(&self, room: RoomId) -> u64 {
        let began = self.rooms.get(room).and_then(|room| room.began);
        self.gone(room).map_or(began.unwrap_or(self.forgotten), |gone| gone.n)
    }

    /// Keeps what has happened, if that is kept.
    pub(super) fn keep(&mut self, room: RoomId, event: &Arc<PublicEvent>) -> Option<Position> {
        let is_presence = !matches!(**event, PublicEvent::Message { .. } | PublicEvent::Topic { .. });
        let most = self.rules.recent.per_room_max.max(usize::from(self.rules.has_store));
        if self.position().is_none() || is_presence && room == RoomId::LOBBY && !self.rules.keeps_presence {
            return None;
        }
        self.events += 1;
        let (n, name) = (self.events, self.name_of(room));
        let past = Past { n, at: self.at, room, name, event: Arc::clone(event), is_here: true };
        self.recent_bytes += past.bytes();
        self.past.push(past);
        self.begin_past(room);
        if let Some(of) = self.rooms.get_mut(room) {
            of.has_history = true;
            self.rooms.vacate(room);
        }
        while self.here(room).len() > most && !self.is_held(room) {
            self.drop_oldest(room);
        }
        self.give_back(self.rules.recent.bytes_max, usize::MAX);
        self.position()
    }

    /// What happens in the room is kept from now on, if it was not before.
    pub(super) fn begin_past(&mut self, room: RoomId) {
        let forgotten = self.forgotten;
        if let Some(of) = self.rooms.get_mut(room) {
            of.began.get_or_insert(forgotten);
        }
    }

    /// Whether somebody who is to come in is being told what has happened in the room.
    fn is_held(&self, room: RoomId) -> bool {
        let listed = self.asking.iter().filter_map(|(_, list)| match list {
            List::Past(replay) => Some(replay),
            List::Users | List::Members(_) | List::Rooms => None,
        });
        listed.chain(self.questions.values().map(|question| &question.replay)).any(|it| it.holds && it.room == room)
    }

    /// So much memory is given back.
    pub(super) fn shrink(&mut self, bytes: usize) {
        self.give_back(self.recent_bytes().saturating_sub(bytes), SHRINK_MAX);
    }

    /// Drops events, but at most so many, until the others take no more bytes than these. Each time, the room in which
    /// nothing has happened for longest gives its oldest.
    fn give_back(&mut self, bytes_max: usize, mut most: usize) {
        let mut emptied = Vec::new();
        while most > 0 && self.recent_bytes() > bytes_max {
            let rooms = self.past.iter().filter(|past| past.is_here).map(|past| past.room);
            let last = |room: &RoomId| self.here(*room).last().map(|past| past.n);
            let silent = rooms.min_by_key(last).expect("something takes those bytes");
            self.drop_oldest(silent);
            if self.here(silent).is_empty() {
                emptied.push(silent);
            }
            most -= 1;
        }
        for room in emptied.into_iter().filter(|_| !self.rules.has_store) {
            if let Some(of) = self.rooms.get_mut(room) {
                of.has_history = false;
                self.rooms.vacate(room);
            }
        }
    }

    fn drop_oldest(&mut self, room: RoomId) {
        let oldest = self.past.iter_mut().find(|past| past.room == room && past.is_here).expect("there is one");
        oldest.is_here = false;
        self.recent_bytes -= oldest.bytes();
    }

    /// Of rooms that are no more, nothing is kept either.
    pub(super) fn forget(&mut self) {
        for (room, name) in mem::take(&mut self.rooms.removed) {
            for past in self.past.iter_mut().filter(|past| past.room == room) {
                self.forgotten = self.forgotten.max(past.n);
                self.recent_bytes -= if mem::take(&mut past.is_here) { past.bytes() } else { 0 };
            }
            self.out.extend(self.rules.has_store.then(|| Output::Forget(name.into())));
        }
    }

    /// Behind which event a stretch of the room's history begins.
    pub(super) fn find(&self, room: RoomId, start: Start) -> Option<u64> {
        let (here, oldest) = (self.here(room), self.oldest(room));
        // Behind the event before this one of those that are here.
        let before = |place: usize| if place == 0 { oldest } else { here[place - 1].n };
        match start {
            Start::Last(count) if count > here.len() && self.rules.has_store && self.gone(room).is_some() => None,
            Start::Last(count) => Some(before(here.len().saturating_sub(count))),
            Start::Ago(_) | Start::At(_) => self.find_time(room, self.time_of(start)).map(before),
            // The store has it.
            Start::Behind(n, epoch) if self.rules.has_store => self.is_own(epoch).then_some(n),
            Start::Behind(n, epoch) => (self.is_own(epoch) && n >= oldest).then_some(n),
            Start::Unknown => None,
        }
    }

    /// Whether one that was told all up to here has missed nothing in a room that there is not, as far as anybody knows.
    pub(super) fn has_missed_nothing(&self, start: Start) -> bool {
        match start {
            Start::Last(_) | Start::Ago(_) | Start::At(_) => true,
            Start::Behind(n, epoch) => self.is_own(epoch) && n >= self.forgotten,
            Start::Unknown => false,
        }
    }

    /// A position that nobody was told is not known.
    pub(super) fn known(&self, start: Start) -> Start {
        match start {
            Start::Behind(n, Some(_)) if n > self.events => Start::Unknown,
            start => start,
        }
    }

    fn is_own(&self, epoch: Option<Epoch>) -> bool {
        epoch.is_none_or(|epoch| epoch == self.epoch)
    }

    /// The time that is meant.
    pub(super) fn time_of(&self, start: Start) -> Timestamp {
        match start {
            Start::At(at) => at,
            Start::Ago(ago) => {
                let at = self.at.as_nanosecond() - i128::try_from(ago.as_nanos()).expect("not so long");
                Timestamp::from_nanosecond(at).unwrap_or(Timestamp::MIN)
            }
            Start::Last(_) | Start::Behind(..) | Start::Unknown => unreachable!("{start:?} is no time"),
        }
    }

    /// The place of the first event that has happened at this time or later.
    fn find_time(&self, room: RoomId, at: Timestamp) -> Option<usize> {
        let restored = self.rooms.get(room).map_or(0, |room| room.restored);
        // When that has happened which was kept before the start, only the store knows.
        if self.gone(room).is_some_and(|gone| gone.at >= at || gone.n <= restored) {
            return None;
        }
        let here = self.here(room);
        Some(here.iter().position(|past| past.at >= at).unwrap_or(here.len()))
    }

    /// What has happened in the room is not kept any more from where it was asked for.
    pub(super) fn history_gone(&self, room: RoomId) -> Refusal {
        let oldest = self.position().map(|position| Position { n: self.oldest(room), ..position });
        Refusal::HistoryGone { room: self.name_of(room), oldest }
    }
}

impl Past {
    /// Its place in a list, and users; if it is none of the many who come and go, a block for itself, what an allocator adds to
    /// two of them, and what was said.
    pub(super) fn bytes(&self) -> usize {
        let user = |who: &Identity| size_of::<Identity>() + who.name.len() + who.addr.len();
        let block = size_of::<PublicEvent>() + 4 * size_of::<usize>();
        let event = match &*self.event {
            PublicEvent::Offline(who, _) | PublicEvent::Joined(who) | PublicEvent::Left(who) => user(who),
            PublicEvent::Message { from, text } => user(from) + text.len(),
            PublicEvent::Topic { from, text } => block + user(from) + text.len(),
            PublicEvent::KnownAs { old, new } => block + user(old) + user(new),
            PublicEvent::Online(who) => block + user(who),
        };
        5 * size_of::<u64>() + event
    }
}
