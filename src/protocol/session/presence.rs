//! When a client is announced, and how its connection ends. A connection that ends before it is announced was never here, for
//! all that the others know: a port scan, a health check, a browser.

use std::time::Duration;

use super::{Batch, InputState, Session, Step};
use crate::chat::Departure;

/// How long after it has connected a client that says nothing is announced. One that ends before was never here: a port scan,
/// a health check.
pub(super) const ANNOUNCED_AFTER: Duration = Duration::from_millis(200);
/// Settings that a client may make before it is announced.
pub(super) const SETTINGS_MAX: usize = 16;

/// Whether the user is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// The broker does not know of the connection yet. It is announced with its first line, or at this time.
    From(Duration),
    /// The broker knows of the connection, or never will.
    Known,
}

impl Session {
    /// The user is here from now on, if it was not before.
    pub(super) fn announce(&mut self) {
        if matches!(self.presence, Presence::From(_)) {
            self.begin(Step::Arrive);
        }
    }

    /// The user visits from now on. One that was not announced before never is.
    pub(super) fn visit(&mut self) {
        match self.presence {
            Presence::From(_) => self.begin(Step::Visit),
            Presence::Known => self.batch.steps.push(Step::Visit),
        }
    }

    /// The broker gets to know of the connection, with this.
    fn begin(&mut self, step: Step) {
        self.presence = Presence::Known;
        self.batch.steps.push(step);
        if self.is_broken {
            self.batch.steps.push(Step::Broken);
        }
    }

    /// The connection is to end, after all that the broker has got of it. One that is not announced by then never is; it is
    /// only told why, if it can be told anything.
    pub(super) fn close(&mut self, departure: Departure) {
        match self.presence {
            Presence::From(_) if self.is_broken => self.batch = Batch::default(),
            Presence::From(_) | Presence::Known => self.batch.steps.push(Step::Close(departure)),
        }
        self.presence = Presence::Known;
        self.input = InputState::Closed;
        self.unparsed = Vec::new();
        self.timers.stop_idle();
        self.timers.stop_write();
    }

    /// The client has ended without a word: it was never here, and nobody needs to know.
    pub(super) fn abandon(&mut self) {
        self.presence = Presence::Known;
        self.batch = Batch::default(); // no line, but it may have shown that it is telnet
        self.is_broken = true;
        self.input = InputState::Closed;
        self.timers.stop_idle();
    }
}
