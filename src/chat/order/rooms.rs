//! Rooms that have owners: they are locked, one is let in, and sent out.

use std::sync::Arc;

use super::{
    Act, NoticeKind, OrderDone, OrderRefusal, Whom,
    access::{Access, INVITED_MAX},
    act::notice,
    whom::Named,
};
use crate::chat::{
    AccountRefusal, Asked, Chat, ClientId, Event, Output, PublicEvent, Refusal, RoomId, account_key,
    waiting::lookup_key,
};

impl Chat {
    pub(super) fn set_locked(
        &mut self,
        client: ClientId,
        room: &str,
        is_locked: bool,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let act = if is_locked { Act::Lock } else { Act::Unlock };
        let (room, actor) = self.room_of_owner(client, room)?;
        if room == RoomId::LOBBY {
            return Err(OrderRefusal::NotOwner.into()); // nobody owns it: everyone has a place there
        }
        let Some(name) = self.name_of(room) else { return Err(Refusal::NoSuchRoom) };
        let most = self.rooms.limits().per_client_max;
        let is_other = |(id, access): &(RoomId, &Access)| *id != room && access.is_locked;
        if is_locked && self.order.of_maker(room).filter(is_other).count() >= most {
            return Err(Refusal::TooManyRooms(most)); // each takes a place for ever
        }
        let access = self.order.rooms.entry(room).or_default();
        if access.is_locked != is_locked {
            access.is_locked = is_locked;
            self.keep_access(room, out);
            self.note(&actor, act, None, Some(room), "", out);
        }
        if is_locked {
            self.refuse_waits(room, out);
        }
        self.rooms.set_locked(room, is_locked);
        Ok(Some(OrderDone::Room(act, name)))
    }

    pub(super) fn invite(
        &mut self,
        client: ClientId,
        room: &str,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let (room, actor) = self.room_of_owner(client, room)?;
        let Named { name, key, bearers } = self.bearers(name)?;
        let access = self.order.rooms.entry(room).or_default();
        let has_place = match &key {
            Some(key) => access.invite(key),
            None => access.invite_guests(&bearers, |guest| self.members.get(guest).is_some()),
        };
        if !has_place {
            return Err(OrderRefusal::TooManyInvited(INVITED_MAX).into());
        }
        if key.is_some() {
            self.keep_access(room, out);
        }
        self.note(&actor, Act::Invite, Some(Arc::clone(&name)), Some(room), "", out);
        self.tell_chosen(NoticeKind::Invited, &actor, room, &bearers, out);
        Ok(self.name_of(room).map(|room| OrderDone::InRoom(Act::Invite, room, name)))
    }

    pub(super) fn make_owner(
        &mut self,
        client: ClientId,
        room: &str,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let (room, actor) = self.room_of_owner(client, room)?;
        let key = lookup_key(name)?;
        let name = self.accounts.directory.get(&key).map(|account| Arc::clone(&account.name));
        let name = name.ok_or(AccountRefusal::NoSuchAccount)?;
        if !self.order.rooms.entry(room).or_default().add_owner(&key) {
            return Err(OrderRefusal::TooManyInvited(INVITED_MAX).into());
        }
        self.keep_access(room, out);
        self.note(&actor, Act::Owner, Some(Arc::clone(&name)), Some(room), "", out);
        self.tell_chosen(NoticeKind::Owner, &actor, room, &self.members.all_bearers(&key), out);
        Ok(self.name_of(room).map(|room| OrderDone::InRoom(Act::Owner, room, name)))
    }

    /// Tells those who may do more in a room from now on, as far as they read what they are told.
    fn tell_chosen(
        &self,
        kind: NoticeKind,
        actor: &super::Actor,
        room: RoomId,
        chosen: &[ClientId],
        out: &mut Vec<Output>,
    ) {
        self.notify_all(chosen, &notice(kind, actor, self.name_of(room), None, ""), out);
    }

    pub(super) fn kick_from(
        &mut self,
        client: ClientId,
        room: &str,
        name: &str,
        reason: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let (room, actor) = self.room_of_owner(client, room)?;
        let Named { name, key, bearers } = self.bearers(name)?;
        if let Some(key) = &key {
            self.check_maker(client, Some(room), &Whom::Account(key.as_ref().into()))?;
        }
        let mut was_there = false;
        if let Some(access) = self.order.rooms.get_mut(&room) {
            was_there = key.as_ref().is_some_and(|key| access.remove(key));
            for &guest in &bearers {
                was_there |= access.remove_guest(guest);
            }
        }
        let inside: Vec<_> = bearers.iter().copied().filter(|&bearer| self.is_in(bearer, room)).collect();
        if !was_there && inside.is_empty() {
            return Err(Refusal::NotInRoom);
        }
        self.keep_access(room, out);
        self.note(&actor, Act::Kick, Some(Arc::clone(&name)), Some(room), reason, out);
        let notice = notice(NoticeKind::Kicked, &actor, self.name_of(room), None, reason);
        for &kicked in &inside {
            self.notify(kicked, &notice, out);
            self.put_out(kicked, room, out);
        }
        for &bearer in &bearers {
            self.refuse_wait(bearer, out);
        }
        Ok(Some(OrderDone::Whom(Act::Kick, name)))
    }

    /// Checks that nobody but an operator turns against the one who has made the room.
    pub(super) fn check_maker(&self, client: ClientId, room: Option<RoomId>, whom: &Whom) -> Result<(), Refusal> {
        let access = room.and_then(|room| self.order.rooms.get(&room));
        let (Some(access), Whom::Account(name)) = (access, whom) else { return Ok(()) };
        let is_self = self.account_of(client).is_some_and(|key| *key == *account_key(name));
        if !access.is_maker(&account_key(name)) || is_self || self.operator(client).is_ok() {
            return Ok(());
        }
        Err(OrderRefusal::NotOperator.into())
    }

    /// The client was the account of this key, and is another one or none: it leaves the locked rooms where that was let in.
    pub(in crate::chat) fn leave_locked(&mut self, client: ClientId, before: &str, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(client) else { return };
        let account = self.account_of(client);
        let is_left = |room: &RoomId| {
            self.order.rooms.get(room).is_some_and(|access| {
                access.lets_in(client, Some(before)) && !access.lets_in(client, account.as_deref())
            })
        };
        let left: Vec<_> = member.rooms.iter().filter(is_left).collect();
        left.into_iter().for_each(|room| self.put_out(client, room, out));
    }

    /// The client is out of the room.
    fn put_out(&mut self, client: ClientId, room: RoomId, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        member.rooms.remove(room);
        if member.current == room {
            member.current = RoomId::LOBBY;
        }
        let who = Arc::clone(&member.who);
        self.publish(room, PublicEvent::Left(who), out);
        out.push(Output::Part(client, room));
        self.rooms.leave(room, client);
    }

    /// Whether the client may hear what happens in a room, and speak there: it is in it, or may come in.
    pub(in crate::chat) fn may_hear(&self, client: ClientId, room: RoomId) -> bool {
        let Some(access) = self.order.rooms.get(&room).filter(|access| access.is_locked) else { return true };
        self.is_in(client, room) || access.lets_in(client, self.account_of(client).as_deref())
    }

    /// Those who wait for something in a room, and may not hear of it any more, wait no longer.
    fn refuse_waits(&mut self, room: RoomId, out: &mut Vec<Output>) {
        let Some(key) = self.rooms.get(room).map(|of| of.name.key().to_owned()) else { return };
        for client in self.waits.in_room(&key) {
            self.refuse_wait(client, out);
        }
    }

    /// The client may be allowed less than before: if it waits for something in a room that it may not hear, it waits no
    /// longer.
    pub(in crate::chat) fn refuse_wait(&mut self, client: ClientId, out: &mut Vec<Output>) {
        let room = self.waits.room_of(client).and_then(|key| self.rooms.with_key(key));
        if room.is_some_and(|room| !self.may_hear(client, room)) && self.waits.end(client).is_some() {
            out.push(Output::tell(client, Event::Declined(Asked::Wait, OrderRefusal::RoomLocked.into())));
            self.finish(client, out);
        }
    }
}
