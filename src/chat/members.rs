//! Who is here and who visits: by id and by name. Knows the rules of names, and nothing of waits and events.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map},
    mem,
    ops::Bound,
    sync::Arc,
};

use super::{
    ClientId, Departure, Identity, Refusal, RoomId, RoomSet,
    name::{self, Name},
};
use crate::origin::{Addr, Origin};

/// All who are here, and visitors, with what finds them.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Those who are here, in order of arrival, as ids are.
    present: BTreeMap<ClientId, Member>,
    /// Those who speak without being here. Nobody is in both.
    visitors: BTreeMap<ClientId, Member>,
    /// Mirrors both: `by_key[k]` has `c` iff `key(c's name) == k`. Never iterated: a hash has no order.
    by_key: HashMap<Box<str>, Bearers>,
    /// Mirrors both in the same way, by `confusable_skeleton(c's name)`.
    by_skeleton: HashMap<Box<str>, Bearers>,
}

/// One who is here, or visits.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) who: Arc<Identity>,
    pub(super) origin: Origin,
    /// A command of the client is not done yet.
    pub(super) is_busy: bool,
    /// That command is a message to all visitors of a name, which has not been told to all of them.
    pub(super) is_telling: bool,
    /// The client has sent its last command, and leaves for this reason when that is done.
    pub(super) leaves: Option<Departure>,
    /// The client can be told nothing any more, so it waits for nothing.
    pub(super) is_broken: bool,
    pub(super) rooms: RoomSet,
    /// Where its plain lines go. It need not be there any more.
    pub(super) current: RoomId,
}

/// Who has a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bearers {
    /// One who is here, and nobody else.
    Present(ClientId),
    /// Visitors, at least one.
    Visitors(BTreeSet<ClientId>),
}

/// What a rename did.
#[derive(Debug)]
pub(super) struct Renamed {
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

impl Member {
    fn new(who: Arc<Identity>, origin: Origin) -> Self {
        Self {
            who,
            origin,
            is_busy: false,
            is_telling: false,
            leaves: None,
            is_broken: false,
            rooms: RoomSet::default(),
            current: RoomId::LOBBY,
        }
    }
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
        self.present.get(&client).or_else(|| self.visitors.get(&client))
    }

    pub(super) fn get_mut(&mut self, client: ClientId) -> Option<&mut Member> {
        self.present.get_mut(&client).or_else(|| self.visitors.get_mut(&client))
    }

    /// Those who are here, in order of arrival, from the first after `after`.
    pub(super) fn after(&self, after: ClientId) -> btree_map::Range<'_, ClientId, Member> {
        self.present.range((Bound::Excluded(after), Bound::Unbounded))
    }

    /// Those who are here, in order of arrival.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ClientId, &Member)> {
        self.present.iter().map(|(&client, member)| (client, member))
    }

    /// Those who are here, then visitors.
    pub(super) fn all(&self) -> impl Iterator<Item = ClientId> {
        self.present.keys().chain(self.visitors.keys()).copied()
    }

    /// Those who have a name of this key.
    pub(super) fn bearers(&self, key: &str) -> Option<&Bearers> {
        self.by_key.get(key)
    }

    /// Whether somebody who is here has a name of this key.
    pub(super) fn has_present(&self, key: &str) -> bool {
        matches!(self.by_key.get(key), Some(Bearers::Present(_)))
    }

    /// Takes in a client under its address. Answers how it is known, and the key of that.
    pub(super) fn insert(&mut self, client: ClientId, origin: Origin) -> (Arc<Identity>, String) {
        let who = identity(origin.addr);
        // An address never has to be refused: no name is one, and no two clients have the same at a time. If the kernel
        // reuses one before the old connection's end is noticed, the old one merely can't be found by it any more.
        let key = name::key(&who.name);
        self.by_key.insert(key.as_str().into(), Bearers::Present(client));
        self.by_skeleton.insert(name::confusable_skeleton(&who.name).into(), Bearers::Present(client));
        self.present.insert(client, Member::new(Arc::clone(&who), origin));
        (who, key)
    }

    /// Takes in a client as a visitor, under its address.
    pub(super) fn insert_visitor(&mut self, client: ClientId, origin: Origin) {
        let who = identity(origin.addr);
        self.by_key.insert(name::key(&who.name).into(), Bearers::visitor(client));
        self.by_skeleton.insert(name::confusable_skeleton(&who.name).into(), Bearers::visitor(client));
        self.visitors.insert(client, Member::new(who, origin));
    }

    /// One who is here becomes a visitor: it is in no room, and keeps its name. Answers what it was.
    pub(super) fn make_visitor(&mut self, client: ClientId) -> Option<Removed> {
        let mut member = self.present.remove(&client)?;
        let who = Arc::clone(&member.who);
        let rooms = mem::take(&mut member.rooms);
        member.current = RoomId::LOBBY;
        let key = name::key(&who.name);
        for (index, key) in [(&mut self.by_key, &key), (&mut self.by_skeleton, &name::confusable_skeleton(&who.name))] {
            if index.get(key.as_str()) == Some(&Bearers::Present(client)) {
                index.insert(key.as_str().into(), Bearers::visitor(client));
            }
        }
        self.visitors.insert(client, member);
        Some(Removed { who, rooms, key: Some(key) })
    }

    /// Gives `client` another name.
    ///
    /// # Errors
    /// Where the text is no name, or somebody else's. Visitors may share one.
    ///
    /// # Panics
    /// If the client is not here, and no visitor either.
    pub(super) fn rename(&mut self, client: ClientId, text: &str) -> Result<Renamed, Refusal> {
        let new = Name::parse(text).map_err(Refusal::NameInvalid)?;
        let is_present = self.is_present(client);
        let old = &self.get(client).expect("only members' commands are handled").who.name;
        let (old_key, new_key) = (name::key(old), name::key(new.as_str()));
        let (old_skeleton, new_skeleton) = (name::confusable_skeleton(old), name::confusable_skeleton(new.as_str()));
        let bearers = self.by_key.get(new_key.as_str());
        if bearers.is_some_and(|bearers| !bearers.may_be_joined_by(client, is_present)) {
            return Err(Refusal::NameTaken);
        }
        // Also where nobody else has the key: `вов` looks like nothing, and in capitals, `ВОВ`, like `BOB`.
        let alike = self.by_skeleton.get(new_skeleton.as_str()).and_then(|bearers| bearers.other_than(client));
        if let Some(other) =
            alike.and_then(|alike| self.get(alike)).filter(|other| name::key(&other.who.name) != new_key)
        {
            return Err(Refusal::NameConfusable(other.who.name.clone()));
        }
        remove_bearer(&mut self.by_key, &old_key, client);
        remove_bearer(&mut self.by_skeleton, &old_skeleton, client);
        insert_bearer(&mut self.by_key, &new_key, client, is_present);
        insert_bearer(&mut self.by_skeleton, &new_skeleton, client, is_present);
        let member = self.get_mut(client).expect("only members' commands are handled");
        member.who = Arc::new(Identity { name: new.as_str().to_owned(), addr: member.who.addr.clone() });
        let new = Arc::clone(&member.who);
        // The same key is the same name in another spelling.
        let keys = (is_present && old_key != new_key).then_some((old_key, new_key));
        Ok(Renamed { new, keys })
    }

    /// Takes the client out.
    pub(super) fn remove(&mut self, client: ClientId) -> Option<Removed> {
        let (Member { who, rooms, .. }, was_present) = match self.present.remove(&client) {
            Some(member) => (member, true),
            None => (self.visitors.remove(&client)?, false),
        };
        let key = name::key(&who.name);
        remove_bearer(&mut self.by_key, &key, client);
        remove_bearer(&mut self.by_skeleton, &name::confusable_skeleton(&who.name), client);
        Some(Removed { who, rooms, key: was_present.then_some(key) })
    }
}

impl Bearers {
    fn visitor(client: ClientId) -> Self {
        Self::Visitors(BTreeSet::from([client]))
    }

    /// Whether the client may have the name that these have.
    fn may_be_joined_by(&self, client: ClientId, is_present: bool) -> bool {
        match self {
            Self::Visitors(_) if !is_present => true,
            Self::Present(_) | Self::Visitors(_) => self.other_than(client).is_none(),
        }
    }

    /// One of them that is not this client.
    fn other_than(&self, client: ClientId) -> Option<ClientId> {
        match self {
            Self::Present(bearer) => Some(*bearer).filter(|&bearer| bearer != client),
            Self::Visitors(bearers) => bearers.iter().copied().find(|&bearer| bearer != client),
        }
    }
}

fn identity(addr: Addr) -> Arc<Identity> {
    let addr = addr.to_string();
    Arc::new(Identity { name: addr.clone(), addr })
}

fn insert_bearer(index: &mut HashMap<Box<str>, Bearers>, key: &str, client: ClientId, is_present: bool) {
    match index.get_mut(key) {
        Some(Bearers::Visitors(bearers)) if !is_present => drop(bearers.insert(client)),
        Some(_) | None => {
            let bearers = if is_present { Bearers::Present(client) } else { Bearers::visitor(client) };
            index.insert(key.into(), bearers);
        }
    }
}

/// Removes `client` from those who are found by `key`, if it is one of them by now.
fn remove_bearer(index: &mut HashMap<Box<str>, Bearers>, key: &str, client: ClientId) {
    let is_empty = match index.get_mut(key) {
        Some(Bearers::Present(bearer)) => *bearer == client,
        Some(Bearers::Visitors(bearers)) => bearers.remove(&client) && bearers.is_empty(),
        None => false,
    };
    if is_empty {
        index.remove(key);
    }
}

#[cfg(test)]
impl Members {
    /// Checks that the indexes mirror the members.
    pub(super) fn assert_mirrors(&self) {
        for (client, Member { who, .. }) in self.present.iter().chain(&self.visitors) {
            assert!(!(self.present.contains_key(client) && self.visitors.contains_key(client)));
            let found = self.by_key.get(name::key(&who.name).as_str()).expect("a member's name is known");
            let is_found = match found {
                Bearers::Present(found) => found == client && self.present.contains_key(client),
                Bearers::Visitors(found) => found.contains(client) && self.visitors.contains_key(client),
            };
            let is_shadowed = || {
                let found = found.other_than(*client).expect("another one");
                who.name == who.addr
                    && found > *client
                    && self.get(found).is_some_and(|found| found.who.addr == who.addr)
            };
            assert!(is_found || is_shadowed(), "{} leads to {found:?}, not {client}", who.name);
        }
        for (key, bearers) in self.by_key.iter().chain(&self.by_skeleton) {
            let is_one = match bearers {
                Bearers::Present(bearer) => self.present.contains_key(bearer),
                Bearers::Visitors(bearers) => {
                    !bearers.is_empty() && bearers.iter().all(|bearer| self.visitors.contains_key(bearer))
                }
            };
            assert!(is_one, "{key} leads to {bearers:?}");
        }
    }
}
