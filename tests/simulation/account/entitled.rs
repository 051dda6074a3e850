//! What one client has a right to hear: while it is in a room, and from where it has asked for it before, each kept event once,
//! in order. It knows the list of all kept events, and no rule that makes it.

use std::collections::BTreeMap;

use pipechat::chat::{Command, Done, Event, RoomId, Start};

use crate::{model::Past, names::room_key};

#[derive(Default)]
pub(super) struct Entitled {
    /// The number of the last kept event that it was told, or that came before all it is to be told.
    until: BTreeMap<RoomId, u64>,
    /// What it is to be told before it comes into a room.
    replay: Option<Replay>,
    /// The key of the room that it has last asked for.
    key: String,
    /// It can be told nothing any more.
    is_broken: bool,
}

/// It has asked to be told what has happened before it comes into a room.
#[derive(Clone, Copy)]
enum Replay {
    /// From its first event on, whichever that is.
    FromFirst,
    /// Behind this number.
    Behind(u64),
    /// It was told all there is, the last of which has this number.
    Done(u64),
}

impl Entitled {
    pub(super) fn asks(&mut self, command: &Command) {
        if let Command::Join { room, .. } = command {
            self.key = room_key(room);
        }
        self.replay = match command {
            _ if self.is_broken => None,
            Command::Join { start: Some(Start::Behind(n, _)), .. } => Some(Replay::Behind(*n)),
            Command::Join { start: Some(_), .. } => Some(Replay::FromFirst),
            _ => None,
        };
    }

    pub(super) fn breaks(&mut self) {
        (self.replay, self.is_broken) = (None, true);
    }

    pub(super) fn tell(&mut self, event: &Event, past: &[Past]) {
        let Some(replay) = self.replay else { return };
        match event {
            Event::Past(record, _) => {
                let room = past.iter().find(|past| past.n == record.n).expect("it has happened").room;
                if let Replay::Behind(n) = replay {
                    assert_next(room, n, record.n, past);
                }
                self.replay = Some(Replay::Behind(record.n));
            }
            // Whether something is left out in between, `join` finds out.
            Event::Done(Done::History { position, .. }) => {
                let end = position.map_or(0, |position| position.n);
                self.replay = Some(Replay::Done(match replay {
                    Replay::Behind(n) => n.min(end),
                    Replay::FromFirst | Replay::Done(_) => end,
                }));
            }
            Event::Declined(..) => self.replay = None,
            _ => {}
        }
    }

    /// It hears what happens in the room from now on.
    pub(super) fn join(&mut self, room: RoomId, past: &[Past]) {
        let last = past.last().map_or(0, |past| past.n);
        let until = match self.replay.take() {
            Some(Replay::Done(n)) => {
                assert_none(room, n, last, past);
                let is_missed = |past: &&Past| past.n > n && room_key(&past.name) == self.key;
                let missed = past.iter().find(is_missed);
                assert!(missed.is_none(), "{:?} of another room of this name was not told", missed.map(|past| past.n));
                n
            }
            Some(Replay::FromFirst | Replay::Behind(_)) => panic!("it comes in before it was told what has happened"),
            None => last,
        };
        self.until.insert(room, until);
    }

    pub(super) fn part(&mut self, room: RoomId) {
        self.until.remove(&room);
    }

    pub(super) fn publish(&mut self, room: RoomId, n: u64, past: &[Past]) {
        let until = self.until.get_mut(&room).expect("it is there");
        assert_next(room, *until, n, past);
        *until = n;
    }
}

/// Nothing is left out between the two.
fn assert_next(room: RoomId, before: u64, n: u64, past: &[Past]) {
    assert!(before < n, "{n} is told behind {before}");
    assert_none(room, before, n - 1, past);
}

/// Nothing has happened in the room behind the one, up to the other.
fn assert_none(room: RoomId, behind: u64, until: u64, past: &[Past]) {
    let first = past.partition_point(|past| past.n <= behind);
    let missed = past[first..].iter().find(|past| past.room == room && past.n <= until);
    assert!(missed.is_none(), "{:?} of {room:?} was not told", missed.map(|past| past.n));
}
