//! Which rooms there are: their names, members, topics and sequence numbers. Knows nothing of what users are told.

mod name;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{ClientId, Refusal, RoomId, Seq};
use crate::address::Network;

pub(super) use name::room_key;
pub use name::{LOBBY, RoomName};

/// All rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    /// Never iterated: a hash has no order. Boxed, so that its free places are small.
    by_id: FxHashMap<RoomId, Box<Room>>,
    /// Mirrors `by_id`: the key of each name, in order of names.
    by_key: BTreeMap<Box<str>, RoomId>,
    /// Mirrors `by_id`: what each name looks like.
    by_skeleton: HashMap<Box<str>, RoomId>,
    /// Rooms without members, apart from the lobby: that which has been silent longest comes first. Has `(r.used, r)` iff
    /// `by_id[r]` has no members.
    vacant: BTreeSet<(u64, RoomId)>,
    /// How many of those each network keeps with a topic.
    kept: HashMap<Network, usize>,
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
    /// Maximum number of rooms that one client may be in, beside the lobby, and that may be kept without members by one
    /// address.
    pub per_client_max: usize,
}

impl Default for RoomLimits {
    /// The defaults of the flags.
    fn default() -> Self {
        Self { rooms_max: 10_000, per_client_max: 100 }
    }
}

/// One room. It exists while it has members or a topic; the lobby always does.
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
    /// Who has set the topic, if not a trusted one.
    keeper: Option<Network>,
}

impl Rooms {
    /// The lobby alone.
    pub(super) fn new(limits: RoomLimits) -> Self {
        let mut rooms = Self {
            by_id: FxHashMap::default(),
            by_key: BTreeMap::new(),
            by_skeleton: HashMap::new(),
            vacant: BTreeSet::new(),
            kept: HashMap::new(),
            last: RoomId::LOBBY,
            uses: 0,
            limits,
        };
        rooms.insert(RoomId::LOBBY, RoomName::lobby());
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

    /// The room of this name, which is made if there is none.
    ///
    /// # Errors
    /// If it looks like another one, or there are too many and all have members.
    pub(super) fn open(&mut self, name: RoomName) -> Result<RoomId, Refusal> {
        if let Some(&room) = self.by_key.get(name.key()) {
            return Ok(room);
        }
        self.check_looks(&name)?;
        if self.by_id.len() >= self.limits.rooms_max {
            let &(_, silent) = self.vacant.first().ok_or(Refusal::TooManyRooms(self.limits.rooms_max))?;
            self.remove(silent);
        }
        self.last = RoomId(self.last.0 + 1);
        self.insert(self.last, name);
        Ok(self.last)
    }

    /// Checks that the name of a room that there is not looks like that of no other.
    ///
    /// # Errors
    /// If it does.
    pub(super) fn check_looks(&self, name: &RoomName) -> Result<(), Refusal> {
        match self.by_skeleton.get(name.skeleton().as_str()) {
            Some(other) => Err(Refusal::RoomConfusable(self.by_id[other].name.as_str().to_owned())),
            None => Ok(()),
        }
    }

    /// The client is in the room from now on.
    pub(super) fn join(&mut self, room: RoomId, client: ClientId) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        if of.members.is_empty() && self.vacant.remove(&(of.used, room)) {
            let keeper = of.keeper;
            self.release(keeper);
        }
        let members = &mut self.by_id.get_mut(&room).expect("it was there just now").members;
        if let Err(place) = members.binary_search(&client) {
            members.insert(place, client);
        }
    }

    /// The client is in the room no more. The room may not be there any more either.
    pub(super) fn leave(&mut self, room: RoomId, client: ClientId) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        let Ok(place) = of.members.binary_search(&client) else { return };
        of.members.remove(place);
        of.members.shrink_to(of.members.len() * 2);
        if of.members.is_empty() {
            self.vacate(room);
        }
    }

    /// Gives the room another topic, or none. The room may not be there any more then.
    pub(super) fn set_topic(&mut self, room: RoomId, topic: Option<Arc<str>>, keeper: Option<Network>) {
        let Some(of) = self.by_id.get_mut(&room) else { return };
        if self.vacant.remove(&(of.used, room)) {
            let keeper = of.keeper;
            self.release(keeper);
        }
        let of = self.by_id.get_mut(&room).expect("it was there just now");
        (of.topic, of.keeper) = (topic, keeper);
        if of.members.is_empty() {
            self.vacate(room);
        }
    }

    /// Whether a topic that this network sets would be kept: not in a room without members, where it keeps as many as it may.
    pub(super) fn may_keep(&self, room: RoomId, keeper: Option<Network>) -> bool {
        let is_vacant = self.by_id.get(&room).is_some_and(|of| self.vacant.contains(&(of.used, room)));
        let is_its_own = self.by_id.get(&room).is_some_and(|of| of.keeper == keeper);
        !is_vacant || is_its_own || keeper.is_none_or(|keeper| self.kept_by(keeper) < self.limits.per_client_max)
    }

    fn kept_by(&self, keeper: Network) -> usize {
        self.kept.get(&keeper).copied().unwrap_or(0)
    }

    /// The number of the next public event in the room.
    pub(super) fn next_seq(&mut self, room: RoomId) -> Seq {
        self.uses += 1;
        let Some(of) = self.by_id.get_mut(&room) else { return 0 };
        if self.vacant.remove(&(of.used, room)) {
            self.vacant.insert((self.uses, room));
        }
        of.used = self.uses;
        of.seq += 1;
        of.seq
    }

    /// The last member has left the room.
    fn vacate(&mut self, room: RoomId) {
        if room == RoomId::LOBBY {
            return;
        }
        let of = &self.by_id[&room];
        let kept = of.keeper.map_or(0, |keeper| self.kept_by(keeper));
        if of.topic.is_none() || kept >= self.limits.per_client_max {
            return self.remove(room);
        }
        if let Some(keeper) = of.keeper {
            self.kept.insert(keeper, kept + 1);
        }
        self.vacant.insert((of.used, room));
    }

    /// A network keeps one room less.
    fn release(&mut self, keeper: Option<Network>) {
        let Some(keeper) = keeper else { return };
        match self.kept.get_mut(&keeper) {
            Some(kept) if *kept > 1 => *kept -= 1,
            Some(_) | None => drop(self.kept.remove(&keeper)),
        }
    }

    fn insert(&mut self, room: RoomId, name: RoomName) {
        self.by_key.insert(name.key().into(), room);
        self.by_skeleton.insert(name.skeleton().into(), room);
        let (members, topic) = (Vec::new(), None);
        let of = Room { name, topic, members, seq: 0, used: self.uses, keeper: None };
        self.by_id.insert(room, Box::new(of));
    }

    fn remove(&mut self, room: RoomId) {
        let Some(of) = self.by_id.remove(&room) else { return };
        if self.vacant.remove(&(of.used, room)) {
            self.release(of.keeper);
        }
        self.by_key.remove(of.name.key());
        self.by_skeleton.remove(of.name.skeleton().as_str());
    }
}

impl Room {
    /// How many are in it.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

#[cfg(test)]
mod tests;
