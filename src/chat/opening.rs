//! Which rooms a client may come into, and how those are made that there are not.

use std::slice;

use super::{Chat, ClientId, Output, Refusal, RoomId, rooms::RoomName};

impl Chat {
    /// The room of this name for one who wants to be in it.
    pub(super) fn open(&mut self, client: ClientId, name: &str, out: &mut Vec<Output>) -> Result<RoomId, Refusal> {
        let name = RoomName::parse(name)?;
        self.may_join(client, slice::from_ref(&name))?;
        match self.rooms.with_key(name.key()) {
            Some(room) => Ok(room),
            None => self.make(client, name, out),
        }
    }

    /// Checks that a client may be in these rooms too, if there are such.
    ///
    /// # Errors
    /// If it would be in more than it may be.
    pub(super) fn may_join(&self, client: ClientId, names: &[RoomName]) -> Result<(), Refusal> {
        let most = self.rooms.limits().per_client_max;
        let member = self.members.get(client).ok_or(Refusal::NotInRoom)?;
        let is_new = |room: RoomId| room != RoomId::LOBBY && !member.rooms.contains(room);
        let new = names.iter().filter(|name| self.rooms.with_key(name.key()).is_none_or(is_new)).count();
        if new > 0 && member.rooms.beside_lobby() + new > most { Err(Refusal::TooManyRooms(most)) } else { Ok(()) }
    }

    /// Checks that a room of this name, which there is not, may be made.
    ///
    /// # Errors
    /// If it cannot be kept, or looks like another one.
    pub(super) fn may_make(&self, name: &RoomName) -> Result<(), Refusal> {
        if self.store.fails() { Err(Refusal::NotStored) } else { self.rooms.check_looks(name) }
    }

    /// Makes a room at the expense of a client.
    pub(super) fn make(&mut self, client: ClientId, name: RoomName, out: &mut Vec<Output>) -> Result<RoomId, Refusal> {
        if self.store.fails() {
            return Err(Refusal::NotStored);
        }
        let keeper = self.keeper(client);
        let room = self.rooms.open(name, keeper)?;
        self.remember(room, out);
        self.own(client, room, out);
        Ok(room)
    }
}
