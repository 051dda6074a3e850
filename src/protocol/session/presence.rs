//! When a client is announced, and how its connection ends. If it ends earlier, as that of a port scan, a health check or a
//! browser does, no other client is told of it.

use std::time::Duration;

use super::{Batch, InputState, Session, Step};
use crate::chat::Departure;

/// How long after connecting a client that sends no line is announced: longer than port scans and health checks take, and too
/// short for a person to notice.
pub(super) const ANNOUNCED_AFTER: Duration = Duration::from_millis(200);
/// Settings that a client may change before it is announced: there are few, and their steps are held until then.
pub(super) const SETTINGS_MAX: usize = 16;

/// Whether the client has been announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Not yet, and the broker does not know of the connection. It is announced with its first line, or at this time.
    Unannounced(Duration),
    /// The broker knows of the connection, or never will.
    Settled,
}

impl Session {
    /// Announces the client, if it was not announced before.
    pub(super) fn announce(&mut self) {
        if matches!(self.presence, Presence::Unannounced(_)) {
            self.begin(Step::Arrive);
        }
    }

    /// Announces the client, if it was not announced before, when all was parsed that has come by now.
    pub(super) fn announce_at(&mut self, now: Duration) {
        if let Presence::Unannounced(at) = &mut self.presence {
            *at = now;
        }
    }

    /// The user visits from now on. If it was not announced before, it never is.
    pub(super) fn visit(&mut self) {
        match self.presence {
            Presence::Unannounced(_) => self.begin(Step::Visit),
            Presence::Settled => self.batch.steps.push(Step::Visit),
        }
    }

    /// Makes the connection known to the broker, with this step.
    fn begin(&mut self, step: Step) {
        self.presence = Presence::Settled;
        self.batch.steps.push(step);
        if self.is_broken {
            self.batch.steps.push(Step::Broken);
        }
    }

    /// Ends the connection, after all steps before. A client that is not announced by then never is: it is only told why, if the
    /// connection is not broken.
    pub(super) fn close(&mut self, departure: Departure) {
        match self.presence {
            Presence::Unannounced(_) if self.is_broken => self.batch = Batch::default(),
            Presence::Unannounced(_) | Presence::Settled => self.batch.steps.push(Step::Close(departure)),
        }
        self.presence = Presence::Settled;
        self.input = InputState::Closed;
        self.unparsed = Vec::new();
        self.timers.stop_idle();
        self.timers.stop_write();
    }

    /// The client has closed without sending a line: the broker never learns of it.
    pub(super) fn abandon(&mut self) {
        self.presence = Presence::Settled;
        self.batch = Batch::default(); // it may have a step for a telnet negotiation
        self.is_broken = true;
        self.input = InputState::Closed;
        self.timers.stop_idle();
    }
}
