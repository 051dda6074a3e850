//! Which rooms there are: their names, members, topics and sequence numbers. Knows nothing of what users are told.

mod name;
mod opening;
mod vacant;

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    ops::Bound,
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{ClientId, RoomId, Seq};
use crate::address::Network;

pub(super) use name::room_key;
pub use name::{LOBBY, RoomName};
pub(super) use vacant::Keeper;

use vacant::Vacant;

/// All rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Never iterated: a hash has no order. Boxed, so that its free places are small.
    by_id: FxHashMap<RoomId, Box<Room>>,
    /// Mirrors `by_id`: the key of each name, in order of names.
    by_key: BTreeMap<Box<str>, RoomId>,
    /// Mirrors `by_id`: what each name looks like.
    by_skeleton: HashMap<Box<str>, RoomId>,
    /// Rooms without members that are not locked, apart from the lobby. Has `r` since `r.used` iff `by_id[r]` is one.
    vacant: Vacant,
    /// How many rooms each has made that are still there. None is 0.
    made: HashMap<Keeper, usize>,
    /// Rooms that are no more, and what happened there need not be kept either.
    forgotten: Vec<(RoomId, Arc<str>)>,
    last: RoomId,
    /// Counts what is done in rooms.
    uses: u64,
    limits: RoomLimits,
}

/// How many rooms there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomLimits {
    /// Maximum number of rooms.
    pub rooms_max: usize,
    /// Maximum number of rooms that one client may be in, beside the lobby, and that one address (trusted: one client) may
    /// have made.
    pub per_client_max: usize,
}

impl Default for RoomLimits {
    /// The defaults of the flags.
    fn default() -> Self {
        Self { rooms_max: 10_000, per_client_max: 100 }
    }
}

/// One room. It exists while it has members, a topic or a history, or is locked; the lobby always does.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) topic: Option<Arc<str>>,
    /// In order of arrival at the server, as ids are. Small, quick to go through, and thousands are moved in microseconds.
    members: Vec<ClientId>,
    /// The number of its last public event.
    seq: Seq,
    /// When something was last done in it, in uses.
    used: u64,
    /// Something that has happened there is kept.
    has_history: bool,
    /// Only who is invited may come in. It is never forgotten: it must not be open again because nobody is there for a while.
    is_locked: bool,
    keeper: Option<Keeper>,
}

impl Rooms {
    /// The lobby alone.
    pub(super) fn new(limits: RoomLimits) -> Self {
        let mut rooms = Self {
            by_id: FxHashMap::default(),
            by_key: BTreeMap::new(),
            by_skeleton: HashMap::new(),
            vacant: Vacant::default(),
            made: HashMap::new(),
            forgotten: Vec::new(),
            last: RoomId::LOBBY,
            uses: 0,
            limits,
        };
        rooms.insert(RoomId::LOBBY, RoomName::lobby(), None);
        rooms
    }

    pub(super) fn limits(&self) -> RoomLimits {
        self.limits
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The room with a name of this key.
    pub(super) fn with_key(&self, key: &str) -> Option<RoomId> {
        self.by_key.get(key).copied()
    }

    pub(super) fn get(&self, room: RoomId) -> Option<&Room> {
        self.by_id.get(&room).map(Box::as_ref)
    }

    /// Rooms in order of names, behind that of this key.
    pub(super) fn after(&self, key: Option<&str>) -> impl Iterator<Item = &Room> {
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_key.range::<str, _>((from, Bound::Unbounded)).map(|(_, room)| &*self.by_id[room])
    }

    /// Those who are in the room, in order of arrival at the server.
    pub(super) fn members(&self, room: RoomId) -> impl Iterator<Item = ClientId> {
        self.by_id.get(&room).into_iter().flat_map(|room| room.members.iter().copied())
    }

    /// The same, from the first after `after`.
    pub(super) fn members_after(&self, room: RoomId, after: ClientId) -> impl Iterator<Item = ClientId> {
        self.by_id
            .get(&room)
            .into_iter()
            .flat_map(move |room| room.members[room.members.partition_point(|&id| id <= after)..].iter().copied())
    }

    /// The client is in the room from now on.
    pub(super) fn join(&mut self, room: RoomId, client: ClientId) {
        self.mark_used(room);
        let Some(of) = self.by_id.get_mut(&room) else { return };
        if let Err(place) = of.members.binary_search(&client) {
            of.members.insert(place, client);
        }
    }

    /// The client is in the room no more. The room may not be there any more either.
    pub(super) fn leave(&mut self, room: RoomId, client: ClientId) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        let Ok(place) = of.members.binary_search(&client) else { return };
        of.members.remove(place);
        of.members.shrink_to(of.members.len() * 2);
        self.settle(room);
    }

    /// Gives the room another topic, or none. The room may not be there any more then.
    pub(super) fn set_topic(&mut self, room: RoomId, topic: Option<Arc<str>>) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        of.topic = topic;
        self.settle(room);
    }

    /// Whether something that has happened in the room is kept. Without that, the room may not be there any more.
    pub(super) fn set_history(&mut self, room: RoomId, has_history: bool) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        if of.has_history != has_history {
            of.has_history = has_history;
            self.settle(room);
        }
    }

    /// Only who is invited may come in, or everyone. The room may not be there any more then.
    pub(super) fn set_locked(&mut self, room: RoomId, is_locked: bool) {
        self.occupy(room);
        let Some(of) = self.by_id.get_mut(&room) else { return };
        of.is_locked = is_locked;
        self.settle(room);
    }

    /// The number of the next public event in the room.
    pub(super) fn next_seq(&mut self, room: RoomId) -> Seq {
        if self.mark_used(room) {
            self.settle(room);
        }
        let Some(of) = self.by_id.get_mut(&room) else { return 0 };
        of.seq += 1;
        of.seq
    }

    /// Rooms that are no more, with their names, and whose history need not be kept either.
    pub(super) fn take_forgotten(&mut self) -> Vec<(RoomId, Arc<str>)> {
        mem::take(&mut self.forgotten)
    }

    /// Something is done in the room. Answers whether it was vacant: it counts as such no more.
    fn mark_used(&mut self, room: RoomId) -> bool {
        self.uses += 1;
        let was_vacant = self.occupy(room);
        if let Some(of) = self.by_id.get_mut(&room) {
            of.used = self.uses;
        }
        was_vacant
    }

    /// A room without members and anything to be kept is no more; another one is vacant, and may take the place of one.
    pub(super) fn settle(&mut self, room: RoomId) {
        let Some(of) = self.by_id.get(&room).filter(|of| of.members.is_empty() && room != RoomId::LOBBY) else {
            return;
        };
        if of.topic.is_none() && !of.has_history && !of.is_locked {
            return self.remove(room);
        }
        if of.is_locked {
            return; // another one of that name would be open to those who have kept away
        }
        let keeper = of.keeper;
        self.vacant.insert(room, of.used, keeper);
        if let Some(keeper) = keeper
            && self.vacant.kept_by(keeper) > self.limits.per_client_max
            && let Some(silent) = self.vacant.first_kept_by(keeper)
        {
            self.remove(silent);
        }
    }

    /// The room counts as vacant no more. Answers whether it did.
    fn occupy(&mut self, room: RoomId) -> bool {
        let Some(of) = self.by_id.get(&room).filter(|of| of.members.is_empty()) else { return false };
        self.vacant.remove(room, of.used, of.keeper)
    }

    fn remove(&mut self, room: RoomId) {
        self.occupy(room);
        let Some(of) = self.by_id.remove(&room) else { return };
        if let Some(keeper) = of.keeper {
            match self.made.get_mut(&keeper) {
                Some(made) if *made > 1 => *made -= 1,
                Some(_) | None => drop(self.made.remove(&keeper)),
            }
        }
        self.by_key.remove(of.name.key());
        self.by_skeleton.remove(of.name.skeleton().as_str());
        self.forgotten.push((room, of.name.shared()));
    }
}

impl Room {
    /// The network that has made it, if that is known, and not a trusted client.
    pub(super) fn kept_by_network(&self) -> Option<Network> {
        match self.keeper {
            Some(Keeper::Network(network)) => Some(network),
            Some(Keeper::Client(_)) | None => None,
        }
    }

    /// How many are in it.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

#[cfg(test)]
mod tests;
