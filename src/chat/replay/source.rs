//! What a replay tells of: some rooms, or a mailbox.

use std::{cmp::Reverse, sync::Arc};

use super::Replay;
use crate::chat::{
    Chat, ClientId, Refusal, RoomId,
    accounts::OWN,
    recent::{Hold, Kept},
    rooms::RoomName,
};

/// What is told.
#[derive(Debug)]
pub(in crate::chat) enum Source {
    /// What has happened in rooms, each of which is here once.
    Rooms(Vec<Part>),
    /// The private messages of the account of this key. Only the store has them.
    Mailbox(Box<str>),
}

/// A room among those of which is told.
#[derive(Debug)]
pub(in crate::chat) struct Part {
    pub(in crate::chat) room: PartRoom,
    /// Nothing is told of what happened there up to the event of this number.
    pub(in crate::chat) begin: u64,
    /// The client was in the room when this began. Where it is sent out meanwhile, it does not come back by this.
    pub(in crate::chat) was_in: bool,
    /// Of one who is to join: however fast the room is, memory has all that happens while the store answers.
    pub(super) hold: Option<Arc<Hold>>,
}

/// A room, or what one is to be called.
#[derive(Debug)]
pub(in crate::chat) enum PartRoom {
    Here(RoomId),
    /// There is no such room yet. It is made for one who is to join it when all else was told.
    Missing(RoomName),
}

impl Part {
    pub(in crate::chat) fn here(room: RoomId, was_in: bool) -> Self {
        Self { room: PartRoom::Here(room), begin: 0, was_in, hold: None }
    }

    /// A room that there is not, after the event of this number.
    pub(in crate::chat) fn missing(name: RoomName, last: u64) -> Self {
        Self { room: PartRoom::Missing(name), begin: last, was_in: false, hold: None }
    }

    pub(in crate::chat) fn room(&self) -> Option<RoomId> {
        match self.room {
            PartRoom::Here(room) => Some(room),
            PartRoom::Missing(_) => None,
        }
    }
}

impl Source {
    /// The rooms of it that there are.
    pub(in crate::chat) fn rooms(&self) -> impl Iterator<Item = (RoomId, &Part)> {
        self.parts().iter().filter_map(|part| Some((part.room()?, part)))
    }

    pub(in crate::chat) fn parts(&self) -> &[Part] {
        match self {
            Self::Rooms(parts) => parts,
            Self::Mailbox(_) => &[],
        }
    }

    pub(in crate::chat) fn parts_mut(&mut self) -> &mut [Part] {
        match self {
            Self::Rooms(parts) => parts,
            Self::Mailbox(_) => &mut [],
        }
    }
}

impl Replay {
    /// The rooms that there are, each with the number of the last event that was looked at.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (RoomId, u64)> {
        self.source.rooms().map(|(room, part)| (room, self.after.max(part.begin)))
    }

    /// The number of the last event that was looked at, for each of those that the store has.
    pub(in crate::chat) fn stored(&self) -> impl Iterator<Item = u64> {
        let mailbox = match self.source {
            Source::Rooms(_) => None,
            Source::Mailbox(_) => Some(self.after),
        };
        self.rooms().map(|(_, after)| after).chain(mailbox)
    }

    /// It begins in each room behind the event of another number.
    pub(in crate::chat) fn begin_behind(&mut self, numbers: &[u64]) {
        let here = self.source.parts_mut().iter_mut().filter(|part| part.room().is_some());
        here.zip(numbers).for_each(|(part, &n)| part.begin = n);
        self.after = numbers.iter().copied().min().unwrap_or(0);
    }

    /// Memory need not have all that happens meanwhile.
    pub(in crate::chat) fn release(&mut self) {
        self.source.parts_mut().iter_mut().for_each(|part| part.hold = None);
    }
}

impl Chat {
    /// Rooms that were missing, and that others have made since.
    pub(super) fn find_made(&self, replay: &mut Replay) {
        for part in replay.source.parts_mut() {
            let made = match &part.room {
                PartRoom::Missing(name) => self.rooms.with_key(name.key()),
                PartRoom::Here(_) => None,
            };
            if let Some(room) = made {
                part.room = PartRoom::Here(room);
            }
        }
    }

    /// A room that is missing may have been made meanwhile, and forgotten with what was said there.
    pub(super) fn may_have_missed(&self, replay: &Replay) -> Option<Refusal> {
        let forgotten = self.recent.forgotten_until();
        replay.source.parts().iter().find_map(|part| match &part.room {
            PartRoom::Missing(name) if part.begin < forgotten => {
                Some(Refusal::HistoryGone { room: name.shared(), oldest: None })
            }
            PartRoom::Missing(_) | PartRoom::Here(_) => None,
        })
    }

    /// The next events, as far as memory has them.
    pub(super) fn in_memory(&self, replay: &Replay) -> impl Iterator<Item = (RoomId, Kept<'_>)> {
        self.recent.after(replay.rooms())
    }

    /// Up to which event some of what comes next is not in memory.
    pub(super) fn missing(&self, replay: &Replay) -> Option<u64> {
        let until = self.last_to_tell(replay);
        let of_room = |(room, after)| Some(until.min(self.recent.oldest(room))).filter(|&n| n > after);
        match replay.source {
            Source::Rooms(_) => replay.rooms().filter_map(of_room).max(),
            Source::Mailbox(_) => Some(until).filter(|&n| n > replay.after),
        }
    }

    /// Which of it has the shortest past in memory, and behind which event memory has all of that.
    pub(in crate::chat) fn shortest(&self, source: &Source) -> (Arc<str>, u64) {
        let oldest = source.rooms().map(|(room, _)| (self.recent.oldest(room), room));
        match (source, oldest.min_by_key(|(n, _)| Reverse(*n))) {
            (Source::Rooms(_), Some((oldest, room))) => (self.name_of(room).unwrap_or_default(), oldest),
            (Source::Rooms(_), None) => (self.told_name(source), self.events),
            (Source::Mailbox(_), _) => (OWN.into(), u64::MAX),
        }
    }

    /// What the store knows it as.
    pub(in crate::chat) fn stored_names(&self, source: &Source) -> Vec<Arc<str>> {
        match source {
            Source::Rooms(_) => source.rooms().map(|(room, _)| self.name_of(room).unwrap_or_default()).collect(),
            Source::Mailbox(key) => vec![self.mailbox_of(key)],
        }
    }

    /// What the client knows it as.
    pub(in crate::chat) fn told_name(&self, source: &Source) -> Arc<str> {
        let name = |part: &Part| match &part.room {
            PartRoom::Here(room) => self.name_of(*room).unwrap_or_default(),
            PartRoom::Missing(name) => name.shared(),
        };
        match source {
            Source::Rooms(parts) if let [part] = &parts[..] => name(part),
            Source::Rooms(parts) => parts.iter().map(name).collect::<Vec<_>>().join(",").into(),
            Source::Mailbox(_) => OWN.into(),
        }
    }

    /// The name of a room, if it is still there.
    pub(in crate::chat) fn name_of(&self, room: RoomId) -> Option<Arc<str>> {
        Some(self.rooms.get(room)?.name.shared())
    }

    pub(in crate::chat) fn is_in(&self, client: ClientId, room: RoomId) -> bool {
        self.members.get(client).is_some_and(|member| member.rooms.contains(room))
    }
}
