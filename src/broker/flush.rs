//! The end of a turn: what it has to tell is sent, those go on whose batch is done, and the accounts are looked at. Knows no
//! rules.

use std::{collections::HashMap, mem, time::Duration};

use rustc_hash::FxHashSet;

use super::{
    core::{Broker, payer},
    memory::Level,
    schedule::FlowKey,
};
use crate::chat::{ClientId, Congestion, Departure, Input};

impl Broker {
    /// Ends the turn: sends everyone what it has for them, lets those go on whose batch is done, and disconnects whom it must.
    pub fn flush(&mut self, now: Duration) {
        let public = self.turn.end(&self.memory);
        for (outbox, mut listener) in self.leaving.drain(..) {
            listener.take_private(&public, &self.memory, |parts| outbox.send(parts));
        }
        let mut too_slow = FxHashSet::default();
        let addressed = mem::take(&mut self.addressed);
        // Members are told what is public and their own; others, and all where nothing is public, only their own.
        let members = self.members.iter().filter(|_| !public.is_empty());
        let others = addressed.iter().filter(|&id| public.is_empty() || !self.members.contains(id));
        let limits = &self.config.limits;
        for &id in members.chain(others) {
            let Some(client) = self.clients.get_mut(&id) else { continue };
            // Before this turn's bytes, and after the connection has tried to write those of the turns before.
            let queued = client.outbox.queued();
            if queued > 0 && self.slow.is_too_slow(id, queued, limits.soft_queue_max, limits.queue_max, now) {
                too_slow.insert(id);
            }
            client.send(&public, &self.memory);
        }
        drop(public); // what everybody has got waits for nobody
        self.give_credits();
        self.relieve();
        self.judge(too_slow, now);
        self.report();
    }

    /// Lets those connections go on whose batch is done. Comes when all is sent: what they have to say next is in one turn
    /// then.
    fn give_credits(&mut self) {
        for client in self.done.drain(..) {
            if let Some(client) = self.clients.get_mut(&client)
                && let Some(not_before) = client.take_credit()
            {
                client.outbox.credit(not_before);
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

    /// Disconnects clients that read too slowly; if memory has run out, the one that holds most.
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
            too_slow.extend(self.largest());
            self.makes_room = true;
        }
        for id in too_slow {
            self.slow.remove(id);
            if let Some(client) = self.clients.get(&id) {
                client.outbox.cut();
            }
            self.urgent.push_back(Input::End(id, Departure::SlowConsumer));
        }
    }

    /// Of the flow that holds most memory of its own, the client that holds most. Where nobody holds much of its own, the
    /// client for which most waits: what waits for many is held by those that read last.
    fn largest(&self) -> Option<ClientId> {
        let mut by_payer = HashMap::<FlowKey, usize>::new();
        for (&id, client) in &self.clients {
            *by_payer.entry(payer(id, client)).or_default() += client.own_bytes();
        }
        let own: usize = by_payer.values().sum();
        let (most, _) = by_payer.into_iter().max_by_key(|&(payer, bytes)| (bytes, payer))?;
        let largest = if own >= self.memory.used() / 2 {
            let of_flow = self.clients.iter().filter(|&(&id, client)| payer(id, client) == most);
            of_flow.max_by_key(|&(id, client)| (client.own_bytes(), id))
        } else {
            self.clients.iter().max_by_key(|&(id, client)| (client.outbox.queued(), id))
        };
        largest.map(|(&id, _)| id)
    }

    /// Logs what was left out.
    fn report(&mut self) {
        match self.backlog.take_dropped() {
            0 => {}
            dropped => log::warn!(target: "pipechat::broken", "{dropped} lines of broken connections were dropped"),
        }
    }
}
