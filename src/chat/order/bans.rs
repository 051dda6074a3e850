//! Bans and mutes: they begin, hold and end.

use std::{sync::Arc, time::Duration};

use super::{
    Act, Actor, Ledger, Notice, NoticeKind, OrderChange, OrderDone, OrderEvent, OrderRefusal, Penalty, SANCTIONS_MAX,
    Sanction, Whom,
    access::{MAKER_MUTES_MAX, ROOM_MUTES_MAX},
    act::notice,
};
use crate::{
    chat::{Chat, ClientId, Departure, Event, Output, Refusal, RoomId, work::PIECE_ITEMS},
    origin::Origin,
};

/// Clients that are looked at in one piece, after a ban: some ten microseconds of work.
const SWEPT: usize = 256;

impl Chat {
    pub(super) fn ban(
        &mut self,
        client: ClientId,
        who: &str,
        time: Duration,
        reason: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        let whom = self.to_ban(who)?;
        if self.is_self(client, &whom) {
            return Err(OrderRefusal::NotBannable.into());
        }
        let sanction = self.sanction(Penalty::Ban, whom, time, &actor, reason);
        let (shown, until) = (self.begin_sanction(None, sanction, out)?, self.until(time));
        self.note(&actor, Act::Ban, Some(Arc::clone(&shown)), None, reason, out);
        self.order.sweeps = Some(ClientId(0));
        self.answer_order(client, OrderDone::Until(Act::Ban, shown, until), out);
        self.sweep(out);
        Ok(None)
    }

    /// Whether somebody would keep out itself.
    fn is_self(&self, client: ClientId, whom: &Whom) -> bool {
        match whom {
            Whom::Account(name) => self.account_of(client).is_some_and(|key| *key == *crate::chat::account_key(name)),
            Whom::Block(block) => {
                let ip = self.members.get(client).and_then(|member| member.origin.addr.ip());
                ip.is_some_and(|ip| block.contains(ip))
            }
            Whom::Client(other, _) => *other == client,
        }
    }

    pub(super) fn unban(
        &mut self,
        client: ClientId,
        who: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        let whom = self.to_ban(who)?;
        let removed = self.order.bans.remove(&whom).filter(|sanction| sanction.holds(self.at));
        let shown: Arc<str> = removed.ok_or(OrderRefusal::NoSuchBan)?.whom.to_string().into();
        out.push(Output::Order(OrderChange::Gone(None, Penalty::Ban, whom)));
        self.note(&actor, Act::Unban, Some(Arc::clone(&shown)), None, "", out);
        Ok(Some(OrderDone::Whom(Act::Unban, shown)))
    }

    pub(super) fn mute(
        &mut self,
        client: ClientId,
        room: Option<&str>,
        name: &str,
        (time, reason): (Duration, &str),
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let (room, actor) = self.place(client, room)?;
        let whom = self.to_mute(name)?;
        self.check_maker(client, room, &whom)?;
        let sanction = self.sanction(Penalty::Mute, whom.clone(), time, &actor, reason);
        let (shown, until) = (self.begin_sanction(room, sanction, out)?, self.until(time));
        self.note(&actor, Act::Mute, Some(Arc::clone(&shown)), room, reason, out);
        let notice = notice(NoticeKind::Muted, &actor, room.and_then(|room| self.name_of(room)), until, reason);
        self.tell_named(&whom, name, &notice, out);
        Ok(Some(OrderDone::Until(Act::Mute, shown, until)))
    }

    pub(super) fn unmute(
        &mut self,
        client: ClientId,
        room: Option<&str>,
        name: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let (room, actor) = self.place(client, room)?;
        // As `bans` shows it, too.
        let whom = self.to_mute(name).or_else(|_| self.to_ban(name))?;
        let removed = self.ledger(Penalty::Mute, room).remove(&whom).filter(|sanction| sanction.holds(self.at));
        self.order.forget_muted(room, &whom);
        let shown: Arc<str> = removed.ok_or(OrderRefusal::NoSuchBan)?.whom.to_string().into();
        let place = room.and_then(|room| self.name_of(room));
        out.push(Output::Order(OrderChange::Gone(place.clone(), Penalty::Mute, whom.clone())));
        self.note(&actor, Act::Unmute, Some(Arc::clone(&shown)), room, "", out);
        self.tell_named(&whom, name, &notice(NoticeKind::Unmuted, &actor, place, None, ""), out);
        Ok(Some(OrderDone::Whom(Act::Unmute, shown)))
    }

    /// Where one who asks may mute: in a room that it owns, or everywhere.
    fn place(&self, client: ClientId, room: Option<&str>) -> Result<(Option<RoomId>, Actor), Refusal> {
        match room {
            Some(room) => self.room_of_owner(client, room).map(|(room, actor)| (Some(room), actor)),
            None => Ok((None, self.operator(client)?)),
        }
    }

    /// Tells those who have the name what was decided about them, as far as they read what they are told: an owner of a room may
    /// decide it again and again.
    fn tell_named(&self, whom: &Whom, name: &str, notice: &Notice, out: &mut Vec<Output>) {
        let bearers = match whom {
            Whom::Client(client, _) => vec![*client],
            Whom::Account(_) | Whom::Block(_) => self.bearers(name).map(|named| named.bearers).unwrap_or_default(),
        };
        self.notify_all(&bearers, notice, out);
    }

    fn sanction(&self, penalty: Penalty, whom: Whom, time: Duration, actor: &Actor, reason: &str) -> Sanction {
        let (until, by) = (self.until(time), Arc::clone(&actor.name));
        Sanction { penalty, whom, until, by, reason: reason.into(), created: self.at }
    }

    /// It holds from now on. Answers whom it holds for.
    fn begin_sanction(
        &mut self,
        room: Option<RoomId>,
        sanction: Sanction,
        out: &mut Vec<Output>,
    ) -> Result<Arc<str>, Refusal> {
        let most = if room.is_some() { ROOM_MUTES_MAX } else { SANCTIONS_MAX };
        let penalty = sanction.penalty;
        if let Some(room) = room
            && !self.ledger(penalty, Some(room)).has(&sanction.whom)
            && self.order.mutes_of_maker(room) >= MAKER_MUTES_MAX
        {
            let rooms: Vec<_> = self.order.of_maker(room).map(|(room, _)| room).collect();
            rooms.into_iter().for_each(|room| self.end_expired(penalty, Some(room), out));
            if self.order.mutes_of_maker(room) >= MAKER_MUTES_MAX {
                return Err(OrderRefusal::TooManyBans(MAKER_MUTES_MAX).into());
            }
        }
        let place = room.and_then(|room| self.name_of(room));
        let ledger = self.ledger(penalty, room);
        if !ledger.has(&sanction.whom) && ledger.len() >= most {
            self.end_expired(penalty, room, out);
            if self.ledger(penalty, room).len() >= most {
                return Err(OrderRefusal::TooManyBans(most).into());
            }
        }
        let shown = sanction.whom.to_string().into();
        if let (Some(room), Whom::Client(client, _)) = (room, &sanction.whom) {
            self.order.muted.insert((*client, room));
        }
        self.ledger(penalty, room).put(sanction.clone());
        out.push(Output::Order(OrderChange::Put(place, sanction)));
        Ok(shown)
    }

    /// What is over is not kept any more.
    fn end_expired(&mut self, penalty: Penalty, room: Option<RoomId>, out: &mut Vec<Output>) {
        let (at, place) = (self.at, room.and_then(|room| self.name_of(room)));
        for Sanction { whom, .. } in self.ledger(penalty, room).take_expired(at) {
            self.order.forget_muted(room, &whom);
            out.push(Output::Order(OrderChange::Gone(place.clone(), penalty, whom)));
        }
    }

    fn ledger(&mut self, penalty: Penalty, room: Option<RoomId>) -> &mut Ledger {
        match (room, penalty) {
            (Some(room), _) => &mut self.order.rooms.entry(room).or_default().mutes,
            (None, Penalty::Ban) => &mut self.order.bans,
            (None, Penalty::Mute) => &mut self.order.mutes,
        }
    }

    /// All bans and mutes on the whole server that are in force.
    pub(super) fn sanctions(&mut self, out: &mut Vec<Output>) -> Vec<Sanction> {
        [Penalty::Ban, Penalty::Mute].into_iter().for_each(|penalty| self.end_expired(penalty, None, out));
        self.order.bans.iter().chain(self.order.mutes.iter()).cloned().collect()
    }

    /// What keeps out those who come from there.
    pub(in crate::chat) fn ban_of(&self, origin: &Origin) -> Option<&Sanction> {
        self.order.bans.of_ip(origin.addr.ip()?, self.at)
    }

    /// What keeps out the account of this key.
    pub(in crate::chat) fn ban_of_account(&self, key: &str) -> Option<&Sanction> {
        self.order.bans.of_account(key, self.at)
    }

    /// One that is banned comes: it is told, and sent away.
    pub(in crate::chat) fn turn_banned_away(&self, client: ClientId, origin: &Origin, out: &mut Vec<Output>) -> bool {
        let Some(ban) = self.ban_of(origin) else { return false };
        out.push(Output::tell(client, Event::Order(OrderEvent::Notice(of_ban(ban)))));
        out.push(Output::tell(client, Event::Farewell(Departure::Banned)));
        out.push(Output::HangUp(client, Departure::Banned));
        true
    }

    /// Sends away the next ones that are banned since they came.
    pub(in crate::chat) fn sweep(&mut self, out: &mut Vec<Output>) {
        let Some(mut after) = self.order.sweeps else { return };
        let mut left = PIECE_ITEMS;
        for _ in 0..SWEPT {
            let Some(client) = self.members.next_of_all(after) else {
                self.order.sweeps = None;
                return;
            };
            after = client;
            let Some(member) = self.members.get(client) else { continue };
            let key = self.account_of(client);
            let ban = self.ban_of(&member.origin).or_else(|| self.ban_of_account(key.as_deref()?));
            if let Some(notice) = ban.map(of_ban) {
                left = left.saturating_sub(self.departure_items(client));
                self.notify(client, &notice, out);
                self.end(client, Departure::Banned, out);
                if left == 0 {
                    break;
                }
            }
        }
        self.order.sweeps = Some(after);
    }

    /// What keeps the client silent: everywhere, or in this room.
    pub(super) fn mute_of(&self, client: ClientId, room: Option<RoomId>) -> Option<&Sanction> {
        let ledger = match room {
            None => &self.order.mutes,
            Some(room) => &self.order.rooms.get(&room)?.mutes,
        };
        if ledger.len() == 0 {
            return None;
        }
        let member = self.members.get(client)?;
        let account = self.account_of(client).and_then(|key| self.accounts.directory.get(&key));
        let of_account = account.and_then(|account| ledger.of_account(&account.key(), self.at));
        let of_ip = || ledger.of_ip(member.origin.addr.ip()?, self.at);
        // It was a guest who was muted: it is not free with an account that it has made since, and others from there are who
        // had one before.
        let of_guest = || of_ip().filter(|mute| account.is_none_or(|account| account.created > mute.created));
        of_account.or_else(|| ledger.of_client(client, self.at)).or_else(of_guest)
    }
}

/// What one is told who is banned.
fn of_ban(ban: &Sanction) -> Notice {
    Notice { kind: NoticeKind::Banned, by: None, room: None, until: ban.until, text: Arc::clone(&ban.reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Epoch, Rules, order::access::Access};

    #[test]
    fn an_account_has_so_many_mutes_in_all_its_rooms() {
        let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
        let mute = |whom: &str| Sanction {
            penalty: Penalty::Mute,
            whom: Whom::Account(whom.into()),
            until: None,
            by: "ann".into(),
            reason: "".into(),
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        for (room, maker) in [(1, "ann"), (2, "ann"), (3, "bob")] {
            chat.order.rooms.insert(RoomId(room), Access::made_by(maker.into()));
        }
        for n in 0..MAKER_MUTES_MAX - 1 {
            chat.order.rooms.get_mut(&RoomId(1)).unwrap().mutes.put(mute(&n.to_string()));
        }
        let mut put = |room, whom| chat.begin_sanction(Some(RoomId(room)), mute(whom), &mut Vec::new()).map(drop);
        assert_eq!((put(2, "a"), put(2, "a")), (Ok(()), Ok(())), "the second one replaces the first");
        let too_many = Err(OrderRefusal::TooManyBans(MAKER_MUTES_MAX).into());
        assert_eq!((put(2, "b"), put(3, "b"), put(2, "a")), (too_many, Ok(()), Ok(())));
        let over = Sanction { until: Some(jiff::Timestamp::UNIX_EPOCH), ..mute("0") };
        chat.order.rooms.get_mut(&RoomId(1)).unwrap().mutes.put(over);
        assert!(
            chat.begin_sanction(Some(RoomId(2)), mute("b"), &mut Vec::new()).is_ok(),
            "one of another room is over"
        );
    }
}
