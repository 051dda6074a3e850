//! What connections ask of the broker waits for its turn. Knows no rules.

use std::{mem, time::Duration};

use super::{
    Request,
    client::{Client, Stage},
    core::{Broker, flow_key},
    turn::Listener,
};
use crate::{
    chat::{ClientId, Input},
    protocol::{Batch, Dialect},
};

impl Broker {
    /// Takes a request, to be served in its turn.
    pub fn accept(&mut self, request: Request, now: Duration) {
        match request {
            Request::Connect(client, origin, outbox) => {
                log::debug!("{client} {} connected", origin.addr);
                let listener = Listener::new(Dialect { lang: self.config.lang, ..Dialect::default() });
                let is_trusted = self.config.trusts(&origin);
                self.clients.insert(client, Box::new(Client::new(origin, is_trusted, outbox, listener)));
            }
            Request::Batch(id, batch) => self.push(id, batch, now),
            Request::Broken(id, batch, mut taken) => {
                let Some(client) = self.clients.get_mut(&id) else { return };
                client.keep_some_lines(&self.backlog, &mut taken);
                client.outbox.close();
                self.turn.leave(&mut client.listener);
                client.is_queued = false; // it will be, at another's expense
                client.stage = Stage::Broken(Box::new(taken));
                self.push(id, batch, now);
            }
            Request::Relieved(id) => self.measure(id),
            Request::MakeRoom => {} // as each turn does at its end
            Request::Reload(config) => {
                self.config.limits.rate = config.limits.rate;
                self.config.rate_per_ip = config.rate_per_ip;
                self.config.trusted.clone_from(&config.trusted);
                self.urgent.push_back(Input::Trusted(config.trusted));
                self.rereads_bans = true;
            }
            Request::ShutDown => self.urgent.push_back(Input::ShutDown),
        }
    }

    fn push(&mut self, id: ClientId, batch: Batch, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if matches!(client.stage, Stage::Arriving) && batch.is_last() {
            client.stage = Stage::Passing;
            client.is_queued = false; // it will be, at another's expense
        }
        self.metrics.taken(batch.lines);
        let not_before = self.rates.spend(&client.origin, &self.config, batch.lines, now);
        client.push(batch, self.config.limits.rate, not_before, &self.memory, now);
        if !mem::replace(&mut client.is_queued, true) {
            match client.stage {
                Stage::Arriving => self.arrivals.push(id),
                Stage::Passing | Stage::Present | Stage::Broken(_) => self.schedule.push(flow_key(id, client), id),
            }
        }
    }
}
