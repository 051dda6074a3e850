//! How much of what a client sends is handed on: a batch for each credit, none before its time, and nothing from one that is to
//! wait. The idle clock runs only while the client may speak.

use std::{mem, time::Duration};

use super::{
    InputState, Session,
    batch::Intake,
    presence::{Presence, SETTINGS_MAX},
};

/// The right to hand the broker a batch of lines.
#[derive(Debug)]
pub(super) struct Credit {
    /// The broker is not done with the last batch.
    pub(super) outstanding: bool,
    /// The client has sent faster than its rate: no batch before this time.
    pub(super) not_before: Option<Duration>,
}

impl Session {
    /// The broker is done with the last batch; the next one must not come before `not_before`.
    pub fn credited(&mut self, not_before: Duration, now: Duration) {
        self.credit = Credit { outstanding: false, not_before: Some(not_before).filter(|&at| at > now) };
        self.resume(now);
    }

    /// How much is taken of what the client sends, from now on.
    pub fn set_intake(&mut self, intake: Intake, now: Duration) {
        if mem::replace(&mut self.intake, intake) != intake {
            self.resume(now);
        }
    }

    /// Whether other connections wait while this one parses: then it parses little at a time, from now on.
    pub fn set_busy(&mut self, is_busy: bool) {
        self.is_busy = is_busy;
    }

    /// Whether there is a credit, and the client neither sends too fast nor reads too slowly.
    pub(super) fn may_parse(&self) -> bool {
        !self.credit.outstanding && self.credit.not_before.is_none() && self.intake != Intake::Nothing
    }

    /// Goes on after input was held back. The idle clock starts again.
    pub(super) fn resume(&mut self, now: Duration) {
        self.advance(now);
        self.restart_idle(now);
    }

    /// Takes the credit for a batch.
    pub(super) fn spend(&mut self, lines: usize, now: Duration) {
        self.batch.lines += lines;
        match self.presence {
            // Settings join the batch of the line that announces the client, up to a limit: they cost no credit until then.
            Presence::Unannounced(at) if at > now && self.batch.lines < SETTINGS_MAX => {}
            Presence::Unannounced(_) | Presence::Settled => {
                self.announce();
                self.credit.outstanding = true;
            }
        }
        self.restart_idle(now);
    }

    /// Starts the idle clock again; stops it while the broker works for the client or its input is held back, since then its
    /// silence is not its own doing.
    pub(super) fn restart_idle(&mut self, now: Duration) {
        let may_speak = self.may_parse() && self.intake == Intake::All;
        if self.input == InputState::Open && may_speak && !self.limits.idle_timeout.is_zero() {
            self.timers.start_idle(now + self.limits.idle_timeout);
        } else {
            self.timers.stop_idle();
        }
    }
}
