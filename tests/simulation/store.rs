//! A store that is a list. It keeps what it is told to when the world says so, and knows nothing of files.

use std::sync::Arc;

use pipechat::{
    Network,
    chat::{Answer, Gone, PastRoom, Query, Record},
    store::Change,
};

/// Numbers that are given out from one start to the next, at the most.
const RESERVED: u64 = 10_000;
/// Events that a page has at the most.
const PAGE_MAX: usize = 1000;

#[derive(Default)]
pub(crate) struct FakeStore {
    /// In the order in which they were made.
    rooms: Vec<Room>,
    /// All events that were ever kept, each with the number of its room among all that were ever made.
    all: Vec<(Record, usize)>,
    /// Rooms that were ever made.
    made: usize,
    /// Handed over, and not kept.
    held: Vec<Change>,
    /// No start before has given out this number.
    reserved: u64,
    /// The last event of a room that is no more.
    forgotten: u64,
}

struct Room {
    number: usize,
    name: Arc<str>,
    topic: Option<Arc<str>>,
    keeper: Option<Network>,
    /// The last event that was removed.
    gone: Option<Gone>,
}

impl FakeStore {
    /// These are to be kept when there is a commit.
    pub(crate) fn hold(&mut self, changes: Vec<Change>) {
        self.held.extend(changes);
    }

    /// The rooms that there are, with their topics.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rooms.iter().map(|room| (&*room.name, room.topic.as_deref().unwrap_or_default()))
    }

    /// Whether something is held that the answer to this should have.
    pub(crate) fn holds(&self, query: &Query) -> bool {
        let room = room_of(query);
        self.held.iter().any(|change| matches!(change, Change::Event(record) if record.room == *room))
    }

    /// Keeps all that was handed over. Answers the events among that.
    pub(crate) fn commit(&mut self) -> &[(Record, usize)] {
        let before = self.all.len();
        for change in std::mem::take(&mut self.held) {
            match change {
                Change::Event(record) => {
                    let number = self.room(&record.room).number;
                    self.all.push((record, number));
                }
                Change::Remember { room, topic, keeper } => {
                    let of = self.room(&room);
                    (of.topic, of.keeper) = (topic, keeper);
                }
                Change::Account(_) | Change::Order(_) | Change::AccountsSeen(_) => {} // the chat makes none yet
                Change::Forget(room) => {
                    let last = self.rooms.iter().find(|of| of.name == room).map(|of| self.past_room(of).last_known());
                    self.forgotten = self.forgotten.max(last.unwrap_or(0));
                    self.rooms.retain(|of| of.name != room);
                }
            }
        }
        &self.all[before..]
    }

    /// The process is killed, and another one opens the store: with what is kept, and behind all numbers that may have been
    /// given out. Answers the next number, that of the last event of a room that is no more, and the rooms.
    pub(crate) fn reopen(&mut self) -> (u64, u64, Vec<PastRoom>) {
        self.held.clear();
        self.reserved = self.last().max(self.reserved) + RESERVED;
        let mut rooms: Vec<_> = self.rooms.iter().map(|room| self.past_room(room)).collect();
        rooms.sort_by_key(PastRoom::last_known);
        (self.reserved, self.forgotten, rooms)
    }

    pub(crate) fn has(&self, n: u64) -> bool {
        self.all.binary_search_by_key(&n, |(record, _)| record.n).is_ok()
    }

    /// The number of the last event.
    fn last(&self) -> u64 {
        self.all.last().map_or(0, |(record, _)| record.n)
    }

    /// All events that were ever kept, and whether they are of rooms that there are.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Record, bool)> {
        self.all.iter().map(|(record, number)| (record, self.rooms.iter().any(|room| room.number == *number)))
    }

    /// How many events the room has that has most.
    pub(crate) fn longest(&self) -> usize {
        self.rooms.iter().map(|room| self.records(room).count()).max().unwrap_or(0)
    }

    /// Removes the oldest events of a room, up to so many.
    pub(crate) fn remove_oldest(&mut self, room: usize, most: usize) {
        let Some(place) = room.checked_rem(self.rooms.len()) else { return };
        let last = self.records(&self.rooms[place]).take(most).last().map(|last| Gone { n: last.n, at: last.at });
        let of = &mut self.rooms[place];
        of.gone = last.or(of.gone);
    }

    pub(crate) fn answer(&self, query: &Query) -> Answer {
        let room = room_of(query);
        let of = self.rooms.iter().find(|of| of.name == *room);
        let gone = of.and_then(|of| of.gone);
        let records: Vec<_> = of.map_or(Vec::new(), |of| self.records(of).collect());
        // Behind the event before this one.
        let before = |place: usize| match place {
            0 => gone.map_or(0, |gone| gone.n),
            place => records[place - 1].n,
        };
        match query {
            Query::Page { rooms, until, limit, .. } => {
                let (_, after) = rooms[0];
                let wanted = records.iter().filter(|record| record.n > after && record.n <= *until);
                let page: Vec<_> = wanted.take((*limit).min(PAGE_MAX)).map(|&record| record.clone()).collect();
                let is_full = page.len() == *limit;
                let through = page.last().filter(|_| is_full).map_or(*until, |last| last.n);
                Answer::Page { records: page, through, gone: vec![gone] }
            }
            Query::SeekOldest { .. } => Answer::Behind { n: vec![before(0)], gone: vec![gone] },
            Query::SeekLast { count, until, .. } => {
                let wanted = records.iter().filter(|record| record.n <= *until).count();
                Answer::Behind { n: vec![before(wanted.saturating_sub(*count))], gone: vec![gone] }
            }
            Query::SeekSince { at, .. } => {
                let earlier = records.iter().rposition(|record| record.at < *at);
                Answer::Behind { n: vec![before(earlier.map_or(0, |place| place + 1))], gone: vec![gone] }
            }
        }
    }

    fn records(&self, room: &Room) -> impl Iterator<Item = &Record> {
        let (number, gone) = (room.number, room.gone.map_or(0, |gone| gone.n));
        self.all.iter().filter(move |(record, of)| *of == number && record.n > gone).map(|(record, _)| record)
    }

    fn past_room(&self, room: &Room) -> PastRoom {
        let last = self.records(room).last().map_or(0, |record| record.n);
        let (name, topic) = (room.name.to_string(), room.topic.clone());
        PastRoom { name, topic, keeper: room.keeper, is_locked: false, last, gone: room.gone }
    }

    /// The room of this name, which may be a new one.
    fn room(&mut self, name: &Arc<str>) -> &mut Room {
        let place = self.rooms.iter().position(|room| room.name == *name).unwrap_or_else(|| {
            let (name, number) = (Arc::clone(name), self.made);
            self.made += 1;
            self.rooms.push(Room { number, name, topic: None, keeper: None, gone: None });
            self.rooms.len() - 1
        });
        &mut self.rooms[place]
    }
}

/// The room that is asked about: here it is always one.
fn room_of(query: &Query) -> &Arc<str> {
    match query {
        Query::Page { rooms, .. } => &rooms[0].0,
        Query::SeekOldest { rooms } | Query::SeekLast { rooms, .. } | Query::SeekSince { rooms, .. } => &rooms[0],
    }
}
