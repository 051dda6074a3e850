//! Who keeps order in a room, who may come in, and who may not speak there.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    kept::{RoomOrder, RoomRole},
    sanction::Ledger,
};
use crate::chat::ClientId;

/// The most accounts that are invited to a room or own it, and the most guests that are invited.
pub(super) const INVITED_MAX: usize = 100;
/// The most mutes in a room.
pub(super) const ROOM_MUTES_MAX: usize = 100;
/// The most mutes in all rooms that one account has made.
pub(super) const MAKER_MUTES_MAX: usize = 500;

/// Who may do what in a room. Accounts stand there by their keys.
#[derive(Debug, Default)]
pub(in crate::chat) struct Access {
    /// The account that has made it, which is an owner whom no other owner sends away.
    pub(super) maker: Option<Arc<str>>,
    owners: BTreeSet<Arc<str>>,
    invited: BTreeSet<Arc<str>>,
    /// Guests who are invited. Some of them may have left the server: nobody else ever has their ids.
    guests: BTreeSet<ClientId>,
    pub(super) is_locked: bool,
    pub(super) mutes: Ledger,
}

impl Access {
    /// Of a room that this account has made.
    pub(super) fn made_by(key: Arc<str>) -> Self {
        Self { maker: Some(key), ..Self::default() }
    }

    /// As a store has kept it.
    pub(super) fn restored(past: RoomOrder) -> Self {
        let of = |role| past.roles.iter().filter(move |(_, of)| *of == role).map(|(key, _)| Arc::clone(key)).collect();
        let (owners, invited) = (of(RoomRole::Owner), of(RoomRole::Invited));
        Self { maker: past.maker, owners, invited, is_locked: past.is_locked, ..Self::default() }
    }

    /// What is to be kept of it, as that of the room of this name.
    pub(super) fn to_keep(&self, room: Arc<str>) -> RoomOrder {
        let with = |keys: &BTreeSet<Arc<str>>, role| keys.iter().map(|key| (Arc::clone(key), role)).collect::<Vec<_>>();
        let roles = [with(&self.owners, RoomRole::Owner), with(&self.invited, RoomRole::Invited)].concat();
        RoomOrder { room, maker: self.maker.clone(), is_locked: self.is_locked, roles }
    }

    /// Whether the account of this key has made the room.
    pub(super) fn is_maker(&self, key: &str) -> bool {
        self.maker.as_deref() == Some(key)
    }

    /// Whether the account of this key keeps order there.
    pub(super) fn is_owner(&self, key: &str) -> bool {
        self.is_maker(key) || self.owners.contains(key)
    }

    /// Whether a client that is not in the room may come in: it has this account, if it is logged in.
    pub(super) fn lets_in(&self, client: ClientId, key: Option<&str>) -> bool {
        !self.is_locked
            || self.guests.contains(&client)
            || key.is_some_and(|key| self.is_owner(key) || self.invited.contains(key))
    }

    /// The account of this key keeps order there from now on. Answers whether there was a place for that.
    pub(super) fn add_owner(&mut self, key: &str) -> bool {
        if self.is_owner(key) {
            return true;
        }
        let has_place = self.invited.remove(key) || self.owners.len() + self.invited.len() < INVITED_MAX;
        has_place && self.owners.insert(key.into())
    }

    /// The account of this key may come in from now on. Answers whether there was a place for that.
    pub(super) fn invite(&mut self, key: &str) -> bool {
        if self.is_owner(key) || self.invited.contains(key) {
            return true;
        }
        self.owners.len() + self.invited.len() < INVITED_MAX && self.invited.insert(key.into())
    }

    /// These guests may come in from now on, who bear one name. Answers whether there was a place for all of them, where those
    /// who are not here any more have none; otherwise none is let in.
    pub(super) fn invite_guests(&mut self, guests: &[ClientId], is_here: impl Fn(ClientId) -> bool) -> bool {
        let new = guests.iter().filter(|guest| !self.guests.contains(guest)).count();
        if self.guests.len() + new > INVITED_MAX {
            self.guests.retain(|&guest| is_here(guest));
        }
        let has_places = self.guests.len() + new <= INVITED_MAX;
        if has_places {
            self.guests.extend(guests);
        }
        has_places
    }

    /// The account of this key is not invited any more, and owns nothing. Answers whether that is new.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        let was_maker = self.is_maker(key);
        if was_maker {
            self.maker = None;
        }
        let (was_owner, was_invited) = (self.owners.remove(key), self.invited.remove(key));
        was_maker || was_owner || was_invited
    }

    /// The guest is not invited any more. Answers whether it was.
    pub(super) fn remove_guest(&mut self, client: ClientId) -> bool {
        self.guests.remove(&client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: ClientId = ClientId(7);

    #[test]
    fn a_locked_room_lets_in_who_owns_it_or_is_invited() {
        let mut access = Access::made_by("ann".into());
        assert!(access.lets_in(GUEST, None));
        access.is_locked = true;
        assert!(
            !access.lets_in(GUEST, None) && access.lets_in(GUEST, Some("ann")) && !access.lets_in(GUEST, Some("bob"))
        );
        assert!(access.invite("bob") && access.lets_in(GUEST, Some("bob")) && !access.is_owner("bob"));
        assert!(access.add_owner("bob") && access.is_owner("bob") && !access.is_maker("bob"));
        assert!(access.invite_guests(&[GUEST], |_| true) && access.lets_in(GUEST, None) && access.remove_guest(GUEST));
        assert!(access.remove("bob") && !access.lets_in(GUEST, Some("bob")) && !access.remove("bob"));
        assert!(access.remove("ann") && !access.is_owner("ann"));
    }

    #[test]
    fn no_more_are_invited_than_may_be() {
        let mut access = Access::made_by("ann".into());
        access.is_locked = true;
        assert!((0..INVITED_MAX).all(|n| access.invite(&format!("a{n}"))));
        assert!(!access.invite("bob") && !access.add_owner("bob") && access.invite("a0") && access.add_owner("a0"));
        let guests = |range: std::ops::Range<usize>| range.map(|n| ClientId(n as u64)).collect::<Vec<_>>();
        let mut invite = |range| access.invite_guests(&guests(range), |_| true);
        assert!(invite(0..INVITED_MAX - 1));
        assert!(!invite(200..202), "all of them or none");
        assert!(invite(200..201) && !invite(201..202) && invite(0..2));
        let has_left = ClientId(0);
        assert!(!access.lets_in(ClientId(202), None) && access.lets_in(has_left, None));
        assert!(access.invite_guests(&guests(201..202), |guest| guest != has_left), "who has left needs no place");
        assert!(!access.invite_guests(&guests(202..203), |_| true));
    }

    #[test]
    fn what_is_kept_is_restored() {
        let mut access = Access::made_by("ann".into());
        access.is_locked = true;
        assert!(access.invite("bob") && access.add_owner("eve") && access.invite_guests(&[GUEST], |_| true));
        let kept = access.to_keep("ops".into());
        let restored = Access::restored(kept.clone());
        assert!(restored.is_owner("eve") && restored.lets_in(GUEST, Some("bob")) && !restored.lets_in(GUEST, None));
        assert_eq!(restored.to_keep("ops".into()), kept);
    }
}
