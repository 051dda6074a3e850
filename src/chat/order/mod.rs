//! Order: who may send others away, keep them out or silent, and lock rooms; and what follows from it. Who may is decided by
//! what one is logged in to when one asks, and by nothing else. Knows no files: what is to be kept goes out as an
//! [`OrderChange`].

mod access;
mod act;
mod bans;
mod door;
mod former;
mod kept;
mod request;
mod rooms;
mod sanction;
mod shutdown;
mod told;
mod whom;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{Chat, ClientId, Identity, Output, Refusal, Role, RoomId, account::account_key};

pub use kept::{Deed, OrderChange, PastOrder, RoomOrder, RoomRole, Sanctions};
pub use request::{Act, OrderCommand, OrderDone};
pub use sanction::{Penalty, Sanction, Whom};
pub use told::{Notice, NoticeKind, OrderEvent, OrderRefusal};

pub(super) use act::Kick;
pub(super) use shutdown::Announce;

use access::Access;
use former::Former;
use sanction::Ledger;

/// The most bans that are in force at a time, and the most mutes on the whole server.
const SANCTIONS_MAX: usize = 10_000;
/// The longest reason, in bytes: a sentence.
const REASON_BYTES_MAX: usize = 256;

/// What is in force, and what it takes to find whom it is for.
#[derive(Debug, Default)]
pub(super) struct Order {
    bans: Ledger,
    /// On the whole server. Those in a room are in `rooms`.
    mutes: Ledger,
    /// Rooms of which there is something to know. None of them is gone.
    rooms: BTreeMap<RoomId, Access>,
    /// Mirrors `rooms`: which connections are muted where.
    muted: BTreeSet<(ClientId, RoomId)>,
    former: Former,
    /// All clients behind this one have to be looked at: some of them may be banned.
    sweeps: Option<ClientId>,
    /// When the server is to end, if it is.
    shutdown: Option<Duration>,
}

/// Who acts: an account that may.
struct Actor {
    name: Arc<str>,
    who: Arc<Identity>,
    is_operator: bool,
}

impl Order {
    /// The client is gone.
    pub(super) fn end(&mut self, client: ClientId) {
        self.mutes.end(client);
        let of_client = (client, RoomId(0))..=(client, RoomId(u64::MAX));
        let rooms: Vec<_> = self.muted.range(of_client).map(|&(_, room)| room).collect();
        for room in rooms {
            self.muted.remove(&(client, room));
            if let Some(access) = self.rooms.get_mut(&room) {
                access.mutes.end(client);
            }
        }
    }

    /// What a connection was muted by in this room is no more.
    fn forget_muted(&mut self, room: Option<RoomId>, whom: &Whom) {
        if let (Some(room), Whom::Client(client, _)) = (room, whom) {
            self.muted.remove(&(*client, room));
        }
    }

    /// The room is no more.
    pub(super) fn forget(&mut self, room: RoomId) {
        // One by one: there may be very many of other rooms.
        for client in self.rooms.remove(&room).iter().flat_map(|access| access.mutes.clients()) {
            self.muted.remove(&(client, room));
        }
    }

    /// How many mutes are in the rooms that the same account has made as this one.
    fn mutes_of_maker(&self, room: RoomId) -> usize {
        self.of_maker(room).map(|(_, access)| access.mutes.len()).sum()
    }

    /// The rooms that the same account has made as this one; none if none has made this one.
    fn of_maker(&self, room: RoomId) -> impl Iterator<Item = (RoomId, &Access)> {
        let maker = self.rooms.get(&room).and_then(|access| access.maker.as_deref());
        let is_of = move |access: &Access| maker.is_some_and(|maker| access.is_maker(maker));
        self.rooms.iter().filter(move |(_, access)| is_of(access)).map(|(&room, access)| (room, access))
    }

    /// When the server is to end.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.shutdown
    }

    /// Whether there are clients that have to be looked at.
    pub(super) fn has_work(&self) -> bool {
        self.sweeps.is_some()
    }
}

impl Chat {
    /// The client, if it is logged in to an operator's account.
    fn operator(&self, client: ClientId) -> Result<Actor, Refusal> {
        let actor = self.actor(client).filter(|actor| actor.is_operator);
        actor.ok_or_else(|| OrderRefusal::NotOperator.into())
    }

    /// The client, if it is logged in to the account of an owner of the room, or an operator's.
    fn owner(&self, client: ClientId, room: RoomId) -> Result<Actor, Refusal> {
        let actor = self.actor(client).ok_or(OrderRefusal::NotOwner)?;
        let key = account_key(&actor.name);
        let is_owner = self.order.rooms.get(&room).is_some_and(|access| access.is_owner(&key));
        if is_owner || actor.is_operator { Ok(actor) } else { Err(OrderRefusal::NotOwner.into()) }
    }

    /// The client, if it is logged in to an account that there is.
    fn actor(&self, client: ClientId) -> Option<Actor> {
        let key = self.account_of(client)?;
        let account = self.accounts.directory.get(&key)?;
        let is_operator = match account.role {
            Role::Operator => true,
            Role::User => false,
        };
        let who = Arc::clone(&self.members.get(client)?.who);
        Some(Actor { name: Arc::clone(&account.name), who, is_operator })
    }

    /// The client has made a room: its account owns that, if it has one.
    pub(super) fn own(&mut self, client: ClientId, room: RoomId, out: &mut Vec<Output>) {
        if let Some(key) = self.account_of(client) {
            self.order.rooms.insert(room, Access::made_by(key.into()));
            self.keep_access(room, out);
        }
    }

    /// Has the store keep who keeps order in a room.
    fn keep_access(&self, room: RoomId, out: &mut Vec<Output>) {
        if let (Some(access), Some(name)) = (self.order.rooms.get(&room), self.name_of(room)) {
            out.push(Output::Order(OrderChange::Room(access.to_keep(name))));
        }
    }

    /// Something was done: it is logged, and kept.
    fn note(
        &self,
        actor: &Actor,
        act: Act,
        whom: Option<Arc<str>>,
        room: Option<RoomId>,
        reason: &str,
        out: &mut Vec<Output>,
    ) {
        let room = room.and_then(|room| self.name_of(room));
        let Actor { name, is_operator, .. } = actor;
        let deed = Deed {
            at: self.at,
            who: Arc::clone(name),
            is_operators: *is_operator,
            act,
            whom,
            room,
            reason: reason.into(),
        };
        out.push(Output::Order(OrderChange::Act(deed)));
    }

    /// The account of this key is no more: one that is made again with its name owns nothing, and is not banned.
    pub(super) fn forget_order_of(&mut self, key: &str, out: &mut Vec<Output>) {
        let whom = Whom::Account(key.into());
        self.order.bans.remove(&whom);
        self.order.mutes.remove(&whom);
        let mut changed = Vec::new();
        for (room, access) in &mut self.order.rooms {
            access.mutes.remove(&whom);
            if access.remove(key) {
                changed.push(*room);
            }
        }
        changed.into_iter().for_each(|room| self.keep_access(room, out));
    }

    /// Goes on where a store has left off.
    pub fn restore_order(&mut self, past: PastOrder) {
        for room in past.rooms {
            if let Ok(id) = self.room(&room.room) {
                self.order.rooms.insert(id, Access::restored(room));
            }
        }
        self.put_sanctions(past.sanctions);
    }

    /// These are in force from now on instead of those that there were, but for those of connections, which no store keeps.
    pub(super) fn replace_sanctions(&mut self, sanctions: Sanctions) {
        self.order.bans = Ledger::default();
        self.order.mutes.keep_clients();
        self.order.rooms.values_mut().for_each(|access| access.mutes.keep_clients());
        self.put_sanctions(sanctions);
    }

    fn put_sanctions(&mut self, sanctions: Sanctions) {
        for (room, sanction) in sanctions {
            match (room, sanction.penalty) {
                (None, Penalty::Ban) => self.order.bans.put(sanction),
                (None, Penalty::Mute) => self.order.mutes.put(sanction),
                (Some(room), _) => {
                    if let Ok(id) = self.room(&room) {
                        self.order.rooms.entry(id).or_default().mutes.put(sanction);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_muted_where_mirrors_the_rooms() {
        let (one, other, room, another) = (ClientId(1), ClientId(2), RoomId(1), RoomId(2));
        let mut order = Order::default();
        for (client, room) in [(one, room), (one, another), (other, room)] {
            let (whom, by, reason) = (Whom::Client(client, "a".into()), "op".into(), "".into());
            let created = jiff::Timestamp::UNIX_EPOCH;
            let mute = Sanction { penalty: Penalty::Mute, whom, until: None, by, reason, created };
            order.rooms.entry(room).or_default().mutes.put(mute);
            order.muted.insert((client, room));
        }
        order.forget(room);
        assert_eq!(order.muted, BTreeSet::from([(one, another)]));
        order.end(one);
        assert!(order.muted.is_empty() && order.rooms[&another].mutes.len() == 0);
    }
}
