//! Which bytes of a turn are whose: stretches of public events by room. Knows no clients and no queues.

use std::{collections::hash_map::Entry, iter, mem, ops::Range};

use rustc_hash::FxHashMap;

use crate::{
    chat::{RoomId, RoomSet},
    protocol::Dialect,
};

/// Which stretches of a turn's public bytes belong to which room.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// In the order of the events.
    segments: Vec<Segment>,
    /// Mirrors `segments`: where each room's are.
    by_room: FxHashMap<RoomId, OfRoom>,
    /// The keys of `by_room`, in the order of their first events.
    rooms: Vec<RoomId>,
}

/// A stretch of public events of one room.
#[derive(Debug)]
struct Segment {
    room: RoomId,
    /// The place of the room's next one.
    next: Option<usize>,
    /// Where it ends, by dialect. It begins where the one before it ends.
    ends: [u32; Dialect::COUNT],
}

/// The segments of a room.
#[derive(Debug)]
struct OfRoom {
    first: usize,
    last: usize,
    /// Their bytes in the longest dialect, event by event.
    bytes: usize,
}

impl Segments {
    /// Up to here, by dialect, what was appended belongs to this room: an event of so many bytes in the longest dialect.
    /// Answers how many bytes the room has.
    pub(super) fn push(&mut self, room: RoomId, bytes: usize, ends: [u32; Dialect::COUNT]) -> usize {
        let place = match self.segments.last_mut() {
            Some(last) if last.room == room => {
                last.ends = ends;
                self.segments.len() - 1
            }
            Some(_) | None => {
                self.segments.push(Segment { room, next: None, ends });
                self.segments.len() - 1
            }
        };
        match self.by_room.entry(room) {
            Entry::Occupied(mut of) => {
                let of = of.get_mut();
                of.bytes += bytes;
                let before = mem::replace(&mut of.last, place);
                if before != place {
                    self.segments[before].next = Some(place);
                }
                of.bytes
            }
            Entry::Vacant(of) => {
                self.rooms.push(room);
                of.insert(OfRoom { first: place, last: place, bytes }).bytes
            }
        }
    }

    /// The rooms in which something has happened.
    pub(super) fn rooms(&self) -> &[RoomId] {
        &self.rooms
    }

    /// Of the rooms in which something has happened, those that are in `of`, in one order for all.
    pub(super) fn touched(&self, of: &RoomSet, touched: &mut Vec<RoomId>) {
        touched.clear();
        if of.len() < self.rooms.len() {
            touched.extend(of.iter().filter(|room| self.by_room.contains_key(room)));
        } else {
            touched.extend(self.rooms.iter().copied().filter(|&room| of.contains(room)));
            touched.sort_unstable();
        }
    }

    /// Where the bytes of this room are in a dialect, if they are in one piece.
    pub(super) fn only_range(&self, dialect: Dialect, room: RoomId) -> Option<Range<usize>> {
        let of = self.by_room.get(&room)?;
        (of.first == of.last).then(|| self.range(of.first, dialect))
    }

    /// Where the bytes of these rooms, which are in order, are in a dialect, from here on, in order.
    pub(super) fn ranges(&self, dialect: Dialect, rooms: &[RoomId], from: usize) -> Vec<Range<usize>> {
        let mut places: Vec<usize> = match from {
            0 => rooms.iter().flat_map(|&room| self.places(room)).collect(),
            // A client that is told much alone is given a little of the public bytes each time, and looks only at the rest.
            _ => {
                let first = self.segments.partition_point(|segment| segment.ends[dialect.index()] as usize <= from);
                (first..self.segments.len())
                    .filter(|&place| rooms.binary_search(&self.segments[place].room).is_ok())
                    .collect()
            }
        };
        places.sort_unstable();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for place in places {
            let range = self.range(place, dialect);
            let range = range.start.max(from)..range.end;
            match ranges.last_mut() {
                _ if range.is_empty() => {}
                Some(last) if last.end == range.start => last.end = range.end,
                Some(_) | None => ranges.push(range),
            }
        }
        ranges
    }

    /// The places of a room's segments, in order.
    fn places(&self, room: RoomId) -> impl Iterator<Item = usize> {
        let first = self.by_room.get(&room).map(|of| of.first);
        iter::successors(first, |&place| self.segments[place].next)
    }

    fn range(&self, place: usize, dialect: Dialect) -> Range<usize> {
        let end = |place: usize| self.segments[place].ends[dialect.index()] as usize;
        place.checked_sub(1).map_or(0, end)..end(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMS: [u64; 5] = [0, 7, 0, 7, 3];

    /// Five events of ten bytes each, in these rooms.
    fn segments() -> Segments {
        let mut segments = Segments::default();
        for (n, room) in ROOMS.into_iter().enumerate() {
            segments.push(RoomId(room), 10, [10 * (n as u32 + 1); Dialect::COUNT]);
        }
        segments
    }

    fn set(rooms: &[u64]) -> RoomSet {
        let mut set = RoomSet::default();
        rooms.iter().for_each(|&room| set.insert(RoomId(room)));
        set
    }

    fn ranges(rooms: &[u64], from: usize) -> Vec<(usize, usize)> {
        let segments = segments();
        let mut touched = Vec::new();
        segments.touched(&set(rooms), &mut touched);
        pairs(segments.ranges(Dialect::default(), &touched, from))
    }

    fn pairs(ranges: Vec<Range<usize>>) -> Vec<(usize, usize)> {
        ranges.into_iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn each_is_told_what_happens_in_its_own_rooms_in_the_order_of_all() {
        assert_eq!(ranges(&[0], 0), [(0, 10), (20, 30)]);
        assert_eq!(ranges(&[0, 7], 0), [(0, 40)]);
        assert_eq!(ranges(&[7, 3], 0), [(10, 20), (30, 50)]);
        assert_eq!(ranges(&[0, 3, 7, 9], 0), [(0, 50)]);
        assert_eq!(ranges(&[9, 10, 11, 12, 3], 0), [(40, 50)]);
        assert_eq!(ranges(&[9], 0), []);
        assert_eq!(ranges(&[], 0), []);
    }

    #[test]
    fn from_a_place_on_nothing_before_it_is_told() {
        assert_eq!(ranges(&[0], 10), [(20, 30)]);
        assert_eq!(ranges(&[7, 3], 15), [(15, 20), (30, 50)]);
        assert_eq!(ranges(&[0], 30), []);
    }

    #[test]
    fn events_of_one_room_in_a_row_are_one_stretch() {
        let mut segments = Segments::default();
        assert!(segments.rooms().is_empty());
        for end in [10, 20] {
            assert_eq!(segments.push(RoomId(7), 10, [end; Dialect::COUNT]), end as usize);
        }
        assert_eq!((segments.segments.len(), segments.rooms()), (1, &[RoomId(7)][..]));
        assert_eq!(pairs(segments.ranges(Dialect::default(), &[RoomId(7)], 0)), [(0, 20)]);
    }

    #[test]
    fn what_was_not_rendered_in_a_dialect_is_no_stretch() {
        let mut segments = Segments::default();
        let mut ends = [0; Dialect::COUNT];
        segments.push(RoomId(1), 0, ends);
        ends[Dialect::default().index()] = 10;
        segments.push(RoomId(2), 10, ends);
        assert_eq!(pairs(segments.ranges(Dialect::default(), &[RoomId(1), RoomId(2)], 0)), [(0, 10)]);
    }
}
