//! What the broker knows of one client: how to tell it something, and what is still to be done for it.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use super::{
    backpressure::Progress,
    outbox::Outbox,
    rate_limit::RateLimit,
    turn::{Listener, PublicOutput},
};
use crate::protocol::{Batch, Step};

/// One client of the broker.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) addr: SocketAddr,
    pub(super) outbox: Outbox,
    pub(super) listener: Listener,
    /// How the client reads.
    pub(super) progress: Progress,
    /// Whether any line has come from it.
    pub(super) has_spoken: bool,
    /// What is left of its last batch.
    steps: VecDeque<Step>,
    /// The chat has not done with its last command.
    pub(super) is_busy: bool,
    /// The client is among those whose steps are to be done next.
    pub(super) is_queued: bool,
    rate: RateLimit,
    credit: Credit,
}

/// The right of a connection to send its next batch.
#[derive(Debug, Clone, Copy)]
enum Credit {
    /// The connection has it.
    Given,
    /// The connection gets it when its last batch is done, for use not before this time.
    Owed(Duration),
}

impl Client {
    pub(super) fn new(
        addr: SocketAddr,
        outbox: Outbox,
        listener: Listener,
        progress: Progress,
        rate: RateLimit,
    ) -> Self {
        Self {
            addr,
            outbox,
            listener,
            progress,
            has_spoken: false,
            steps: VecDeque::new(),
            is_busy: false,
            is_queued: false,
            rate,
            credit: Credit::Given,
        }
    }

    /// Takes a batch that comes at `now`.
    pub(super) fn push(&mut self, batch: Batch, now: Duration) {
        self.steps.extend(batch.steps);
        if batch.lines > 0 {
            self.credit = Credit::Owed(self.rate.take(batch.lines, now));
        }
    }

    /// The next step that can be done now. Behind a command that is not done, only the end of the client can be.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        let is_end = |step: &Step| match step {
            Step::Broken | Step::Eof | Step::Close(_) => true,
            Step::Arrive | Step::Command(_) | Step::Reply(_) | Step::Speak(_) => false,
        };
        if self.is_busy && !self.steps.front().is_some_and(is_end) {
            return None;
        }
        let step = self.steps.pop_front();
        if self.steps.is_empty() {
            self.steps = VecDeque::new(); // a client that says nothing holds nothing
        }
        step
    }

    /// The credit that the connection is to be given, if its last batch is done.
    pub(super) fn take_credit(&mut self) -> Option<Duration> {
        match self.credit {
            Credit::Owed(not_before) if !self.is_busy && self.steps.is_empty() => {
                self.credit = Credit::Given;
                Some(not_before)
            }
            Credit::Owed(_) | Credit::Given => None,
        }
    }

    /// Sends what a turn that is over has for the client.
    pub(super) fn send(&mut self, public: &PublicOutput) {
        let Self { outbox, progress, listener, .. } = self;
        listener.take(public, |parts| progress.sent(outbox.send(parts)));
    }
}
