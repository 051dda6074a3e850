//! Who has a name, or one that looks like it.

use std::collections::{BTreeSet, HashMap};

use crate::chat::ClientId;

/// Those who have a name: one who is here, visitors, or both if the name is that of an account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::chat) struct Bearers {
    /// One who is here.
    present: Option<ClientId>,
    /// Visitors; and others who are here, where an address was used again or names of two accounts look alike.
    others: BTreeSet<ClientId>,
}

/// Finds those who have a name. Never iterated: a hash has no order.
pub(super) type Index = HashMap<Box<str>, Bearers>;

impl Bearers {
    /// This one alone.
    pub(super) fn of(client: ClientId, is_present: bool) -> Self {
        let mut bearers = Self::default();
        bearers.insert(client, is_present);
        bearers
    }

    /// The one who is here.
    pub(in crate::chat) fn present(&self) -> Option<ClientId> {
        self.present
    }

    /// The others, in order of arrival.
    pub(in crate::chat) fn others(&self) -> &BTreeSet<ClientId> {
        &self.others
    }

    /// How many they are.
    pub(in crate::chat) fn len(&self) -> usize {
        usize::from(self.present.is_some()) + self.others.len()
    }

    /// All of them.
    pub(in crate::chat) fn iter(&self) -> impl Iterator<Item = ClientId> {
        self.present.iter().chain(&self.others).copied()
    }

    /// Whether the client may have the name that these have, which is nobody's account. Visitors may share one.
    pub(super) fn may_be_joined_by(&self, client: ClientId, is_present: bool) -> bool {
        if is_present { !self.iter().any(|bearer| bearer != client) } else { self.present.is_none() }
    }

    fn insert(&mut self, client: ClientId, is_present: bool) {
        if is_present && self.present.is_none() {
            self.present = Some(client);
        } else {
            self.others.insert(client);
        }
    }
}

/// The client is found by `key`, beside those who are already.
pub(super) fn insert_bearer(index: &mut Index, key: &str, client: ClientId, is_present: bool) {
    match index.get_mut(key) {
        Some(bearers) => bearers.insert(client, is_present),
        None => drop(index.insert(key.into(), Bearers::of(client, is_present))),
    }
}

/// Removes the client from those who are found by `key`, if it is one of them by now. Answers whether it was.
pub(super) fn remove_bearer(index: &mut Index, key: &str, client: ClientId) -> bool {
    let Some(bearers) = index.get_mut(key) else { return false };
    let was_found = if bearers.present == Some(client) {
        bearers.present = None;
        true
    } else {
        bearers.others.remove(&client)
    };
    if bearers.len() == 0 {
        index.remove(key);
    }
    was_found
}
