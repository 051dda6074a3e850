//! Rooms without members: which of them has been silent longest, of all, and of those that one keeps.

use std::collections::{BTreeSet, HashMap};

use crate::{
    address::Network,
    chat::{ClientId, RoomId},
};

/// At whose expense a room is kept without members: who has made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::chat) enum Keeper {
    /// All clients of a network.
    Network(Network),
    /// A client from a trusted address.
    Client(ClientId),
}

/// Rooms without members.
#[derive(Debug, Default)]
pub(super) struct Vacant {
    /// By the time when they were used last.
    all: BTreeSet<(u64, RoomId)>,
    /// The same, by those who keep them. None is empty.
    by_keeper: HashMap<Keeper, BTreeSet<(u64, RoomId)>>,
}

impl Vacant {
    /// The room that has been silent longest.
    pub(super) fn first(&self) -> Option<RoomId> {
        self.all.first().map(|&(_, room)| room)
    }

    /// The one that has been silent longest of those that this one keeps.
    pub(super) fn first_kept_by(&self, keeper: Keeper) -> Option<RoomId> {
        self.by_keeper.get(&keeper)?.first().map(|&(_, room)| room)
    }

    /// How many this one keeps.
    pub(super) fn kept_by(&self, keeper: Keeper) -> usize {
        self.by_keeper.get(&keeper).map_or(0, BTreeSet::len)
    }

    pub(super) fn insert(&mut self, room: RoomId, used: u64, keeper: Option<Keeper>) {
        self.all.insert((used, room));
        if let Some(keeper) = keeper {
            self.by_keeper.entry(keeper).or_default().insert((used, room));
        }
    }

    /// Answers whether it was one.
    pub(super) fn remove(&mut self, room: RoomId, used: u64, keeper: Option<Keeper>) -> bool {
        if let Some(keeper) = keeper
            && let Some(kept) = self.by_keeper.get_mut(&keeper)
        {
            kept.remove(&(used, room));
            if kept.is_empty() {
                self.by_keeper.remove(&keeper);
            }
        }
        self.all.remove(&(used, room))
    }
}

#[cfg(test)]
impl Vacant {
    pub(super) fn all(&self) -> &BTreeSet<(u64, RoomId)> {
        &self.all
    }

    pub(super) fn by_keeper(&self) -> &HashMap<Keeper, BTreeSet<(u64, RoomId)>> {
        &self.by_keeper
    }
}
