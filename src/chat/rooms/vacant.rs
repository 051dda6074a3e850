//! Rooms without members: which of them goes first, of all, and of those that one keeps.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

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
    /// By those who keep them, and the time when they were used last. None is empty.
    by_keeper: HashMap<Keeper, BTreeSet<(u64, RoomId)>>,
    /// Of each keeper the room that has been silent longest, where most are kept first: one that makes many rooms pays with
    /// its own, not with others'. A room that nobody keeps is there as the only one of its keeper.
    first: BTreeSet<(Reverse<usize>, u64, RoomId)>,
}

impl Vacant {
    /// The room that has been silent longest of those of the keeper who keeps most.
    pub(super) fn first(&self) -> Option<RoomId> {
        self.first.first().map(|&(_, _, room)| room)
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
        let Some(keeper) = keeper else {
            self.first.insert((Reverse(1), used, room));
            return;
        };
        let kept = self.by_keeper.entry(keeper).or_default();
        if let Some(first) = first(kept) {
            self.first.remove(&first);
        }
        kept.insert((used, room));
        self.first.extend(first(kept));
    }

    /// Answers whether it was one.
    pub(super) fn remove(&mut self, room: RoomId, used: u64, keeper: Option<Keeper>) -> bool {
        let Some(keeper) = keeper else { return self.first.remove(&(Reverse(1), used, room)) };
        let Some(kept) = self.by_keeper.get_mut(&keeper) else { return false };
        let before = first(kept);
        let was_kept = kept.remove(&(used, room));
        if let Some(before) = before {
            self.first.remove(&before);
        }
        self.first.extend(first(kept));
        if kept.is_empty() {
            self.by_keeper.remove(&keeper);
        }
        was_kept
    }
}

/// How many a keeper keeps, and the one that has been silent longest.
fn first(kept: &BTreeSet<(u64, RoomId)>) -> Option<(Reverse<usize>, u64, RoomId)> {
    kept.first().map(|&(used, room)| (Reverse(kept.len()), used, room))
}

#[cfg(test)]
impl Vacant {
    pub(super) fn by_keeper(&self) -> &HashMap<Keeper, BTreeSet<(u64, RoomId)>> {
        &self.by_keeper
    }

    pub(super) fn in_order(&self) -> &BTreeSet<(Reverse<usize>, u64, RoomId)> {
        &self.first
    }
}
