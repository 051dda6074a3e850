//! The broker's turns, and what gets into them.

use std::{fmt::Write as _, time::Duration};

use pipechat::{
    broker::{Level, Request},
    protocol::Step,
};

use super::{UNTRUSTED, World};

impl World {
    /// A turn of the broker, with so many inputs at the most.
    pub(super) fn turn(&mut self, inputs_max: usize, chat_now: Duration) {
        if self.is_committing() {
            if self.wait_for_commit() {
                self.flush();
            }
            return;
        }
        self.hear_of_store();
        let is_due = self.chat.deadline().is_some_and(|deadline| deadline <= chat_now);
        let is_tight = self.memory.level() >= Level::Tight;
        let is_news = is_tight != self.broker.is_tight();
        let has_recent = is_tight && self.chat.recent_bytes() > 0;
        let has_work = self.broker.has_work() || is_due || is_news || has_recent || !self.requests.is_empty();
        self.broker.begin_turn(self.at());
        while let Some(request) = self.requests.pop_front() {
            self.accept(request);
        }
        for _ in 0..inputs_max {
            let Some(entry) = self.broker.next_entry(chat_now, &self.chat) else { break };
            assert!(has_work, "{entry:?} out of nothing");
            self.handle(entry);
        }
        if self.keep() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.broker.flush(&self.chat, self.now);
        for peer in self.peers.values_mut() {
            peer.connection.leave(&self.departed, peer.client, self.now);
        }
        let queues = self.peers.values().map(|peer| (peer.client, peer.connection.queued().0));
        self.slow.look(queues, self.memory.level() == Level::Full, self.now);
    }

    fn accept(&mut self, request: Request) {
        if let Request::Batch(client, batch) = &request {
            for step in &batch.steps {
                writeln!(self.transcript, "{client} {step:?}").expect("a String takes all");
            }
            // The broker may have hung up on it.
            if let Some(peer) = self.peers.get_mut(client).filter(|peer| !peer.account.is_gone()) {
                let is_trusted = peer.addr.ip().to_string() != UNTRUSTED;
                let lines = if is_trusted { 0 } else { batch.lines };
                let of_address = if lines > 0 { self.tokens.take(lines, self.now) } else { self.now };
                peer.accepted(batch, of_address, self.now);
            }
        }
        let request = match request {
            Request::Batch(client, batch) if batch.steps.contains(&Step::Broken) => {
                let taken = self.backlog.take(batch.lines, batch.bytes(), 0);
                Request::Broken(client, batch, taken)
            }
            request => request,
        };
        self.broker.accept(request, self.now);
    }
}
