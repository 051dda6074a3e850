//! Who is here and who visits: by id and by name. Knows the rules of names, and nothing of waits and events.

mod bearers;
mod member;

use std::{
    collections::{BTreeMap, btree_map},
    mem,
    ops::Bound,
    sync::Arc,
};

use super::{
    ClientId, Identity, Refusal, RoomId, RoomSet,
    name::{self, Name},
};
use crate::origin::{Addr, Origin};

pub(super) use bearers::Bearers;
pub(super) use member::{Door, Member, Progress};

use bearers::{Index, insert_bearer, remove_bearer};

/// All who are here, and visitors, with what finds them.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Those who are here, in order of arrival, as ids are. Boxed: in that order, the nodes of a map stay half empty.
    present: BTreeMap<ClientId, Box<Member>>,
    /// Those who speak without being here. Nobody is in both.
    visitors: BTreeMap<ClientId, Box<Member>>,
    /// Mirrors both: `by_key[k]` has `c` iff `key(c's name) == k`.
    by_key: Index,
    /// Mirrors both in the same way, by `confusable_skeleton(c's name)`.
    by_skeleton: Index,
}

/// What a rename did.
#[derive(Debug)]
pub(super) struct Renamed {
    pub(super) old: Arc<Identity>,
    pub(super) new: Arc<Identity>,
    /// The keys before and now, where those differ and the client is here: visitors are not found by name.
    pub(super) keys: Option<(String, String)>,
}

/// One who is neither here any more nor visits.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) who: Arc<Identity>,
    pub(super) rooms: RoomSet,
    /// The key of its name, if it was here.
    pub(super) key: Option<String>,
}

impl Members {
    /// How many are here.
    pub(super) fn len(&self) -> usize {
        self.present.len()
    }

    /// Whether the client is here, and does not visit.
    pub(super) fn is_present(&self, client: ClientId) -> bool {
        self.present.contains_key(&client)
    }

    pub(super) fn get(&self, client: ClientId) -> Option<&Member> {
        self.present.get(&client).or_else(|| self.visitors.get(&client)).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, client: ClientId) -> Option<&mut Member> {
        self.present.get_mut(&client).or_else(|| self.visitors.get_mut(&client)).map(Box::as_mut)
    }

    /// Those who are here, in order of arrival, from the first after `after`.
    pub(super) fn after(&self, after: ClientId) -> btree_map::Range<'_, ClientId, Box<Member>> {
        self.present.range((Bound::Excluded(after), Bound::Unbounded))
    }

    /// Those who are here, in order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ClientId, &Member)> {
        self.present.iter().map(|(&client, member)| (client, &**member))
    }

    /// Those who are here, then visitors.
    pub(super) fn all(&self) -> impl Iterator<Item = ClientId> {
        self.present.keys().chain(self.visitors.keys()).copied()
    }

    /// The first of all, those who are here and visitors, behind this one.
    pub(super) fn next_of_all(&self, after: ClientId) -> Option<ClientId> {
        let behind = (Bound::Excluded(after), Bound::Unbounded);
        let present = self.present.range(behind).next().map(|(&client, _)| client);
        let visitor = self.visitors.range(behind).next().map(|(&client, _)| client);
        present.into_iter().chain(visitor).min()
    }

    /// Those who have a name of this key.
    pub(super) fn bearers(&self, key: &str) -> Option<&Bearers> {
        self.by_key.get(key)
    }

    /// The same, which may change while something is done for each of them.
    pub(super) fn all_bearers(&self, key: &str) -> Vec<ClientId> {
        self.bearers(key).map(|bearers| bearers.iter().collect()).unwrap_or_default()
    }

    /// Whether somebody who is here has a name of this key.
    pub(super) fn has_present(&self, key: &str) -> bool {
        self.by_key.get(key).is_some_and(|bearers| bearers.present().is_some())
    }

    /// Takes in a client under its address. Answers how it is known, and the key of that.
    pub(super) fn insert(&mut self, client: ClientId, origin: Origin) -> (Arc<Identity>, String) {
        let who = identity(origin.addr);
        // An address never has to be refused: no name is one, and no two clients have the same at a time. If the kernel
        // reuses one before the old connection's end is noticed, the old one merely can't be found by it any more.
        let key = name::key(&who.name);
        self.by_key.insert(key.as_str().into(), Bearers::of(client, true));
        self.by_skeleton.insert(name::confusable_skeleton(&who.name).into(), Bearers::of(client, true));
        self.present.insert(client, Box::new(Member::new(Arc::clone(&who), origin)));
        (who, key)
    }

    /// Takes in a client as a visitor, under its address.
    pub(super) fn insert_visitor(&mut self, client: ClientId, origin: Origin, door: Option<Door>) {
        let who = identity(origin.addr);
        self.by_key.insert(name::key(&who.name).into(), Bearers::of(client, false));
        self.by_skeleton.insert(name::confusable_skeleton(&who.name).into(), Bearers::of(client, false));
        self.visitors.insert(client, Box::new(Member { door, ..Member::new(who, origin) }));
    }

    /// One who is here becomes a visitor: it is in no room, and keeps its name. Answers what it was.
    pub(super) fn make_visitor(&mut self, client: ClientId) -> Option<Removed> {
        let mut member = self.present.remove(&client)?;
        let who = Arc::clone(&member.who);
        let rooms = mem::take(&mut member.rooms);
        member.current = RoomId::LOBBY;
        self.visitors.insert(client, member);
        self.index_again(client, false);
        Some(Removed { key: Some(name::key(&who.name)), who, rooms })
    }

    /// A visitor is here from now on. Nobody else who is here may have its name.
    pub(super) fn make_present(&mut self, client: ClientId) {
        if let Some(member) = self.visitors.remove(&client) {
            self.present.insert(client, member);
            self.index_again(client, true);
        }
    }

    /// The client is found by its name as one who is here, or as a visitor, if it is found at all.
    fn index_again(&mut self, client: ClientId, is_present: bool) {
        let Some(member) = self.get(client) else { return };
        let (key, skeleton) = (name::key(&member.who.name), name::confusable_skeleton(&member.who.name));
        for (index, key) in [(&mut self.by_key, key), (&mut self.by_skeleton, skeleton)] {
            if remove_bearer(index, &key, client) {
                insert_bearer(index, &key, client, is_present);
            }
        }
    }

    /// Gives `client` another name, which is nobody's account.
    ///
    /// # Errors
    /// Where somebody else has it, or one that it looks like. Visitors may share one.
    pub(super) fn rename(&mut self, client: ClientId, new: &Name) -> Result<Renamed, Refusal> {
        let is_present = self.is_present(client);
        let (new_key, new_skeleton) = (name::key(new.as_str()), name::confusable_skeleton(new.as_str()));
        let bearers = self.by_key.get(new_key.as_str());
        if bearers.is_some_and(|bearers| !bearers.may_be_joined_by(client, is_present)) {
            return Err(Refusal::NameTaken);
        }
        // Also where nobody else has the key: `вов` looks like nothing, and in capitals, `ВОВ`, like `BOB`.
        let alike = self.by_skeleton.get(new_skeleton.as_str());
        let other = alike.and_then(|alike| alike.iter().find(|&bearer| bearer != client));
        if let Some(other) =
            other.and_then(|other| self.get(other)).filter(|other| name::key(&other.who.name) != new_key)
        {
            return Err(Refusal::NameConfusable(other.who.name.clone()));
        }
        Ok(self.bear(client, new.as_str().to_owned(), false))
    }

    /// The client has this name from now on, whoever else has it.
    ///
    /// # Panics
    /// If the client is not here, and no visitor either.
    pub(super) fn bear(&mut self, client: ClientId, name: String, is_account: bool) -> Renamed {
        let is_present = self.is_present(client);
        let member = self.get_mut(client).expect("only members' commands are handled");
        let new = Arc::new(Identity { name, addr: member.who.addr.clone(), is_account });
        let old = mem::replace(&mut member.who, Arc::clone(&new));
        member.token = None;
        let (old_key, new_key) = (name::key(&old.name), name::key(&new.name));
        remove_bearer(&mut self.by_key, &old_key, client);
        remove_bearer(&mut self.by_skeleton, &name::confusable_skeleton(&old.name), client);
        insert_bearer(&mut self.by_key, &new_key, client, is_present);
        insert_bearer(&mut self.by_skeleton, &name::confusable_skeleton(&new.name), client, is_present);
        // The same key is the same name in another spelling.
        let keys = (is_present && old_key != new_key).then_some((old_key, new_key));
        Renamed { old, new, keys }
    }

    /// Takes the client out.
    pub(super) fn remove(&mut self, client: ClientId) -> Option<Removed> {
        let (member, was_present) = match self.present.remove(&client) {
            Some(member) => (member, true),
            None => (self.visitors.remove(&client)?, false),
        };
        let Member { who, rooms, .. } = *member;
        let key = name::key(&who.name);
        remove_bearer(&mut self.by_key, &key, client);
        remove_bearer(&mut self.by_skeleton, &name::confusable_skeleton(&who.name), client);
        Some(Removed { who, rooms, key: was_present.then_some(key) })
    }
}

fn identity(addr: Addr) -> Arc<Identity> {
    let addr = addr.to_string();
    Arc::new(Identity { name: addr.clone(), addr, is_account: false })
}

#[cfg(test)]
impl Members {
    /// Checks that the indexes mirror the members.
    pub(super) fn assert_mirrors(&self) {
        for (client, member) in self.present.iter().chain(&self.visitors) {
            let who = &member.who;
            assert!(!(self.present.contains_key(client) && self.visitors.contains_key(client)));
            let found = self.by_key.get(name::key(&who.name).as_str()).expect("a member's name is known");
            let is_shadowed = || {
                let found = found.iter().find(|&found| found != *client).expect("another one");
                who.name == who.addr
                    && found > *client
                    && self.get(found).is_some_and(|found| found.who.addr == who.addr)
            };
            assert!(
                found.iter().any(|found| found == *client) || is_shadowed(),
                "{} leads to {found:?}, not {client}",
                who.name
            );
        }
        for (key, bearers) in self.by_key.iter().chain(&self.by_skeleton) {
            let is_here = |bearer: ClientId| self.present.contains_key(&bearer);
            let are_known = bearers.iter().all(|bearer| self.get(bearer).is_some());
            assert!(bearers.len() > 0 && are_known && bearers.present().is_none_or(is_here), "{key}: {bearers:?}");
        }
    }
}
