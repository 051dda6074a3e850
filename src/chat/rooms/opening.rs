//! How rooms come to be: under which names, at whose expense, and in whose place.

use super::{Keeper, LOBBY, Room, RoomName, Rooms};
use crate::chat::{PastRoom, Refusal, RoomId};

impl Rooms {
    /// The room of this name, which is made at this one's expense if there is none.
    ///
    /// # Errors
    /// If it looks like another one, or there are too many and all have members, or as many of those that this one has made.
    pub(in crate::chat) fn open(&mut self, name: RoomName, keeper: Keeper) -> Result<RoomId, Refusal> {
        if let Some(&room) = self.by_key.get(name.key()) {
            return Ok(room);
        }
        self.check_looks(&name)?;
        let most = self.limits.per_client_max;
        if self.made.get(&keeper).is_some_and(|&made| made >= most) {
            // Others' rooms are not forgotten for one that makes as many as it likes.
            let silent = self.vacant.first_kept_by(keeper).ok_or(Refusal::TooManyRooms(most))?;
            self.remove(silent);
        }
        if self.by_id.len() >= self.limits.rooms_max {
            let silent = self.vacant.first().ok_or(Refusal::TooManyRooms(self.limits.rooms_max))?;
            self.remove(silent);
        }
        self.last = RoomId(self.last.0 + 1);
        self.insert(self.last, name, Some(keeper));
        Ok(self.last)
    }

    /// A room that was there before is there again, and has been used last. If nothing keeps it, it is forgotten at once.
    ///
    /// # Errors
    /// If it has no name of a room, or that of another one, or looks like one.
    pub(in crate::chat) fn restore(&mut self, past: &PastRoom) -> Result<RoomId, Refusal> {
        let name = RoomName::parse(&past.name)?;
        if name.key() == LOBBY {
            self.set_topic(RoomId::LOBBY, past.topic.clone());
            return Ok(RoomId::LOBBY);
        }
        self.check_looks(&name)?;
        self.last = RoomId(self.last.0 + 1); // of rooms that were used at the same time, the one with the higher number later
        self.insert(self.last, name, past.keeper.map(Keeper::Network));
        let of = self.by_id.get_mut(&self.last).expect("it was inserted just now");
        (of.topic, of.has_history, of.is_locked) = (past.topic.clone(), past.last > 0, past.is_locked);
        self.settle(self.last);
        Ok(self.last)
    }

    /// Checks that one more room without members may be kept at this one's expense.
    ///
    /// # Errors
    /// If it keeps too many.
    pub(in crate::chat) fn check_kept(&self, keeper: Keeper) -> Result<(), Refusal> {
        let most = self.limits.per_client_max;
        if self.vacant.kept_by(keeper) < most { Ok(()) } else { Err(Refusal::TooManyRooms(most)) }
    }

    /// Checks that the name of a room that there is not looks like that of no other.
    ///
    /// # Errors
    /// If it does.
    pub(in crate::chat) fn check_looks(&self, name: &RoomName) -> Result<(), Refusal> {
        match self.by_skeleton.get(name.skeleton().as_str()) {
            Some(other) => Err(Refusal::RoomConfusable(self.by_id[other].name.as_str().to_owned())),
            None => Ok(()),
        }
    }

    pub(super) fn insert(&mut self, room: RoomId, name: RoomName, keeper: Option<Keeper>) {
        self.by_key.insert(name.key().into(), room);
        self.by_skeleton.insert(name.skeleton().into(), room);
        if let Some(keeper) = keeper {
            *self.made.entry(keeper).or_default() += 1;
        }
        let (members, topic) = (Vec::new(), None);
        let of = Room { name, topic, members, seq: 0, used: self.uses, has_history: false, is_locked: false, keeper };
        self.by_id.insert(room, Box::new(of));
    }
}
