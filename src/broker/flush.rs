//! The end of a turn: what it has to tell is sent, those go on whose batch is done, and the accounts are looked at. Knows no
//! rules.

use std::{cmp::Reverse, collections::HashMap, mem, ptr, rc::Rc, time::Duration};

use rustc_hash::FxHashSet;

use super::{
    core::{Broker, Leaving, payer},
    gauge::QueueGauge,
    memory::Level,
    schedule::FlowKey,
};
use crate::chat::{Chat, ClientId, Congestion, Departure, Input};

/// Clients that are disconnected at once since memory has run out: each is looked for among all.
const LARGEST_MAX: usize = 64;

/// A client for which memory is held.
struct Holder {
    client: ClientId,
    payer: FlowKey,
    own_bytes: usize,
    /// If something is queued: since when its socket has taken nothing, in seconds, and how many bytes.
    stuck: Option<(Reverse<u32>, usize)>,
}

impl Holder {
    fn new(client: ClientId, payer: FlowKey, own_bytes: usize, gauge: &QueueGauge) -> Self {
        let stuck = gauge.stuck_since().map(|since| (Reverse(since), gauge.queued()));
        Self { client, payer, own_bytes, stuck }
    }
}

impl Broker {
    /// Ends the turn: sends everyone what it has for them, lets those go on whose batch is done, and disconnects whom it must.
    pub fn flush(&mut self, chat: &Chat, now: Duration) {
        self.charge_recent(chat.recent_bytes());
        let mut public = self.turn.end(&self.memory);
        for Leaving { client, payer, outbox, mut listener, departure } in self.leaving.drain(..) {
            listener.take_private(&public, &self.memory, |parts| {
                self.metrics.delivered(parts);
                outbox.send(parts, now);
            });
            outbox.end(departure);
            if outbox.queued() > 0 && !outbox.is_abandoned() {
                self.departed.insert(client, payer, Rc::clone(outbox.gauge()));
            }
        }
        let mut too_slow = FxHashSet::default();
        let addressed = mem::take(&mut self.addressed);
        // Only those who are told something alone, and those who are in rooms where something has happened. Answers come first:
        // somebody waits for each, and sending to a crowd takes as long as a turn may.
        self.flushes = self.flushes.wrapping_add(1);
        let members = public.segments().rooms().to_vec().into_iter().flat_map(|room| chat.members_of(room));
        let limits = &self.config.limits;
        for id in addressed.into_iter().chain(members) {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            if mem::replace(&mut client.flushed, self.flushes) == self.flushes {
                continue;
            }
            // Before this turn's bytes, and after the connection has tried to write those of the turns before.
            let queued = client.outbox.queued();
            if queued > 0 && self.slow.is_too_slow(id, queued, limits.soft_queue_max, limits.queue_max, now) {
                too_slow.insert(id);
            }
            client.send(&mut public, &self.memory, &self.metrics, now);
        }
        drop(public); // what everybody has got waits for nobody
        self.shrink_recent();
        self.give_credits();
        self.relieve();
        self.judge(too_slow, now);
        self.report();
        self.metrics.flushed(self.clients.len(), chat.room_count(), chat.recent_bytes());
    }

    /// Lets those connections go on whose batch is done. Comes when all is sent: what they have to say next is in one turn
    /// then.
    fn give_credits(&mut self) {
        for client in self.done.drain(..) {
            if let Some(client) = self.clients.get_mut(&client)
                && let Some(credit) = client.take_credit()
            {
                client.outbox.credit(credit);
            }
        }
    }

    /// Looks at those who were behind.
    fn relieve(&mut self) {
        let mut behind = mem::take(&mut self.behind);
        behind.retain(|&id| {
            self.measure(id);
            self.clients.get(&id).is_some_and(|client| client.congestion != Congestion::None)
        });
        self.behind = behind;
    }

    /// Disconnects clients that read too slowly; if memory has run out, those that hold most.
    fn judge(&mut self, mut too_slow: FxHashSet<ClientId>, now: Duration) {
        let limits = &self.config.limits;
        for id in self.slow.clients() {
            let queued = self.clients.get(&id).map_or(0, |client| client.outbox.queued());
            if self.slow.is_too_slow(id, queued, limits.soft_queue_max, limits.queue_max, now) {
                too_slow.insert(id);
            }
        }
        // What the last one held is free when its connection has run, which is behind this turn.
        let has_made_room = mem::take(&mut self.makes_room);
        if too_slow.is_empty() && self.memory.level() == Level::Full && !has_made_room {
            self.makes_room = true;
            // A client that has left is told nothing: what is queued for it is thrown away.
            too_slow.extend(self.largest().into_iter().filter(|&id| !self.departed.discard(id)));
        }
        for id in too_slow {
            self.slow.remove(id);
            if let Some(client) = self.clients.get(&id) {
                client.outbox.cut();
            }
            self.urgent.push_back(Input::End(id, Departure::SlowConsumer));
        }
    }

    /// Who has to go when memory has run out: of the flow that holds most memory of its own, the client that holds most; and as
    /// many more as make up for what is used beyond the account. Where most memory is held for many together, the client whose
    /// socket has taken nothing for longest: it holds all that was told since, and the others only what they have not read
    /// yet.
    fn largest(&self) -> Vec<ClientId> {
        let mut holders = Vec::new();
        for (&client, state) in &self.clients {
            holders.push(Holder::new(client, payer(client, state), state.own_bytes(), state.outbox.gauge()));
        }
        // A connection over HTTP is there twice: by what it holds itself, and by the client that asks over it.
        let counted: FxHashSet<_> =
            self.clients.values().map(|state| ptr::from_ref::<QueueGauge>(state.outbox.gauge())).collect();
        self.departed.for_each(|client, payer, gauge| {
            if counted.contains(&ptr::from_ref(gauge)) {
                return;
            }
            holders.push(Holder::new(client, payer, gauge.own_bytes(), gauge));
        });
        let mut by_payer = HashMap::<FlowKey, usize>::new();
        for holder in &holders {
            *by_payer.entry(holder.payer).or_default() += holder.own_bytes;
        }
        if by_payer.values().sum::<usize>() < self.memory.used() / 2 {
            let stuck = holders.iter().filter(|holder| holder.stuck.is_some());
            return stuck
                .max_by_key(|holder| (holder.stuck, holder.client))
                .map(|holder| holder.client)
                .into_iter()
                .collect();
        }
        let (mut largest, mut excess) = (Vec::new(), Some(self.memory.excess()));
        while let Some(left) = excess
            && largest.len() < LARGEST_MAX
            && let Some((&most, _)) = by_payer.iter().max_by_key(|&(payer, bytes)| (bytes, payer))
        {
            let of_payer = holders.iter().enumerate().filter(|(_, holder)| holder.payer == most);
            let Some((at, _)) = of_payer.max_by_key(|(_, holder)| (holder.own_bytes, holder.client)) else { break };
            let holder = holders.swap_remove(at);
            by_payer.entry(most).and_modify(|bytes| *bytes -= holder.own_bytes);
            excess = left.checked_sub(holder.own_bytes).filter(|&left| left > 0);
            largest.push(holder.client);
        }
        largest
    }

    /// Logs what was left out.
    fn report(&mut self) {
        match self.backlog.take_dropped() {
            0 => {}
            dropped => log::warn!(target: "pipechat::broken", "{dropped} lines of broken connections were dropped"),
        }
    }
}
