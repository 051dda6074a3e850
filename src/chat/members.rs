//! Who is here: by id and by name. Knows the rules of names, and nothing of waits and events.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
};

use super::{
    ClientId, Identity, Refusal,
    name::{self, Name},
};

/// All who are here, with what finds them.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// In order of arrival, as ids are.
    by_id: BTreeMap<ClientId, Member>,
    /// Mirrors `by_id`: `by_key[k] == c` iff `key(by_id[c].who.name) == k`. Never iterated: a hash has no order.
    by_key: HashMap<Box<str>, ClientId>,
    /// Mirrors `by_id` in the same way, by `confusable_skeleton(by_id[c].who.name)`.
    by_skeleton: HashMap<Box<str>, ClientId>,
}

/// One who is here.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) who: Arc<Identity>,
    /// A command of the client is not done yet.
    pub(super) is_busy: bool,
    /// The client has sent its last command, and leaves when that is done.
    pub(super) input_closed: bool,
    /// The client can be told nothing any more, so it waits for nothing.
    pub(super) is_broken: bool,
}

/// What a rename did.
#[derive(Debug)]
pub(super) struct Renamed {
    pub(super) new: Arc<Identity>,
    /// The keys before and now, where those differ.
    pub(super) keys: Option<(String, String)>,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, client: ClientId) -> Option<&Member> {
        self.by_id.get(&client)
    }

    pub(super) fn get_mut(&mut self, client: ClientId) -> Option<&mut Member> {
        self.by_id.get_mut(&client)
    }

    /// Members in order of arrival, from the first after `after`.
    pub(super) fn after(&self, after: ClientId) -> impl Iterator<Item = (ClientId, &Member)> {
        self.by_id.range(ClientId(after.0 + 1)..).map(|(&client, member)| (client, member))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ClientId, &Member)> {
        self.by_id.iter().map(|(&client, member)| (client, member))
    }

    /// The one who has a name of this key.
    pub(super) fn with_key(&self, key: &str) -> Option<ClientId> {
        self.by_key.get(key).copied()
    }

    /// Takes in a client under its address. Answers how it is known, and the key of that.
    pub(super) fn insert(&mut self, client: ClientId, addr: SocketAddr) -> (Arc<Identity>, String) {
        let addr = addr.to_string();
        let who = Arc::new(Identity { name: addr.clone(), addr });
        // An address never has to be refused: no name is one, and no two clients have the same at a time. If the kernel
        // reuses one before the old connection's end is noticed, the old one merely can't be found by it any more.
        let key = name::key(&who.name);
        self.by_key.insert(key.as_str().into(), client);
        self.by_skeleton.insert(name::confusable_skeleton(&who.name).into(), client);
        let member = Member { who: Arc::clone(&who), is_busy: false, input_closed: false, is_broken: false };
        self.by_id.insert(client, member);
        (who, key)
    }

    /// Gives `client` another name.
    ///
    /// # Errors
    /// Where the text is no name, or somebody else's.
    ///
    /// # Panics
    /// If the client is not here.
    pub(super) fn rename(&mut self, client: ClientId, text: &str) -> Result<Renamed, Refusal> {
        let new = Name::parse(text).map_err(Refusal::NameInvalid)?;
        let old = &self.by_id.get(&client).expect("only members' commands are handled").who.name;
        let (old_key, new_key) = (name::key(old), name::key(new.as_str()));
        let (old_skeleton, new_skeleton) = (name::confusable_skeleton(old), name::confusable_skeleton(new.as_str()));
        if self.by_key.get(new_key.as_str()).is_some_and(|&bearer| bearer != client) {
            return Err(Refusal::NameTaken);
        }
        if let Some(bearer) = self.by_skeleton.get(new_skeleton.as_str()).filter(|&&bearer| bearer != client) {
            let name = self.by_id.get(bearer).map_or_else(String::new, |bearer| bearer.who.name.clone());
            return Err(Refusal::NameConfusable(name));
        }
        // The same key is the same name in another spelling.
        let keys = (self.by_key.insert(new_key.as_str().into(), client) != Some(client)).then(|| {
            remove_if_owner(&mut self.by_key, &old_key, client);
            (old_key, new_key)
        });
        remove_if_owner(&mut self.by_skeleton, &old_skeleton, client);
        self.by_skeleton.insert(new_skeleton.into(), client);
        let member = self.by_id.get_mut(&client).expect("only members' commands are handled");
        member.who = Arc::new(Identity { name: new.as_str().to_owned(), addr: member.who.addr.clone() });
        Ok(Renamed { new: Arc::clone(&member.who), keys })
    }

    /// Takes the client out. Answers who it was, and the key of its name.
    pub(super) fn remove(&mut self, client: ClientId) -> Option<(Member, String)> {
        let member = self.by_id.remove(&client)?;
        let key = name::key(&member.who.name);
        remove_if_owner(&mut self.by_key, &key, client);
        remove_if_owner(&mut self.by_skeleton, &name::confusable_skeleton(&member.who.name), client);
        Some((member, key))
    }
}

/// Removes `key` if it leads to `client`, and not to another by now.
fn remove_if_owner(index: &mut HashMap<Box<str>, ClientId>, key: &str, client: ClientId) {
    if index.get(key) == Some(&client) {
        index.remove(key);
    }
}

#[cfg(test)]
impl Members {
    /// Checks that the indexes mirror the members.
    pub(super) fn assert_mirrors(&self) {
        for (client, Member { who, .. }) in &self.by_id {
            let found = self.by_key.get(name::key(&who.name).as_str()).expect("a member's name is known");
            let is_shadowed = found > client && who.name == who.addr && self.by_id[found].who.addr == who.addr;
            assert!(found == client || is_shadowed, "{} leads to {found}, not {client}", who.name);
        }
        assert!(self.by_key.values().all(|client| self.by_id.contains_key(client)), "a name of nobody");
        assert!(self.by_skeleton.values().all(|client| self.by_id.contains_key(client)), "a skeleton of nobody");
    }
}
