//! Plays the workloads about what clients ask of pipechat, and the floor does not know.

use std::io;

use super::{FEW_IN_FLIGHT, MANY_IN_FLIGHT, Outcome, SENDERS, Stage, both};
use crate::load::{Dialogue, converse};
use crate::metric::Metric;
use crate::wire::text;
use crate::workloads::Scale;

/// Messages that each client keeps on their way to its partner.
const PRIVATE_WINDOW: usize = 64;

impl Stage {
    /// The floor has no private messages; what it is compared by is a delivery of a public line, with few in flight.
    pub(super) fn private(&mut self, clients: usize, line_bytes: usize, scale: &Scale) -> io::Result<Outcome> {
        if self.is_floor {
            let senders = self.gather(clients, SENDERS)?;
            let pace = self.talk(clients, senders, line_bytes, FEW_IN_FLIGHT, scale)?;
            return Ok(Outcome::Metrics(vec![(Metric::CpuPerDelivery, pace.cpu_per_delivery())]));
        }
        let senders = self.gather(clients, clients)?;
        for client in 0..clients {
            if let Some(naming) = self.wire.naming(client) {
                self.crowd.say(client, naming.as_bytes())?;
            }
        }
        self.settle()?;
        let mut dialogues = Vec::new();
        for client in 0..clients {
            let partner = client ^ 1;
            let Some(line) = self.wire.private(partner, &text(line_bytes)) else {
                return Ok(Outcome::Without("no private messages"));
            };
            let speaker = senders.start + client;
            dialogues.push(Dialogue { speaker, hearer: partner, line: line.into_bytes(), heard: 1, deliveries: 1 });
        }
        let pace = converse(&mut self.crowd, &self.server, &dialogues, PRIVATE_WINDOW, scale.timing)?;
        Ok(Outcome::Metrics(both(pace)))
    }

    /// Steady talk, after half of the clients have said `verb`. The floor knows no verbs: it shows what the same
    /// talk costs without.
    pub(super) fn mixed(
        &mut self,
        clients: usize,
        verb: &str,
        line_bytes: usize,
        scale: &Scale,
    ) -> io::Result<Outcome> {
        let senders = self.gather(clients, SENDERS)?;
        if !self.is_floor {
            let others_heard = self.crowd.bytes_of(1);
            self.crowd.say(0, verb.as_bytes())?;
            self.settle()?;
            if self.crowd.bytes_of(1) != others_heard {
                return Ok(Outcome::Without("it takes that verb for chat"));
            }
            for client in (2..clients).step_by(2) {
                self.crowd.say(client, verb.as_bytes())?;
            }
            self.settle()?;
        }
        Ok(Outcome::Metrics(both(self.talk(clients, senders, line_bytes, MANY_IN_FLIGHT, scale)?)))
    }

    pub(super) fn who(&mut self, clients: usize, scale: &Scale) -> io::Result<Outcome> {
        if self.is_floor {
            return Ok(Outcome::Without("no `who`"));
        }
        self.gather(clients, 0)?;
        self.crowd.count(b'\n');
        let heard = clients as u64;
        let ask = |asker| Dialogue { speaker: asker, hearer: asker, line: b"who\n".to_vec(), heard, deliveries: heard };
        let dialogues: Vec<_> = (0..scale.few).map(ask).collect();
        let pace = converse(&mut self.crowd, &self.server, &dialogues, 1, scale.timing)?;
        Ok(Outcome::Metrics(both(pace)))
    }
}
