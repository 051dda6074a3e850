//! The timers of a session: the idle timeout and the write timeout.

use std::time::Duration;

/// The deadlines of a session.
#[derive(Debug, Default)]
pub(super) struct Timers {
    idle: Idle,
    /// When the write timeout ends; `None` while no bytes wait for the socket.
    write: Option<Duration>,
}

#[derive(Debug, Default)]
enum Idle {
    /// The client is disconnected at this time.
    At(Duration),
    /// The server is holding the client's input back, or there will be no more of it.
    #[default]
    Stopped,
    /// The client has asked to be exempt from the idle timeout.
    Exempt,
}

impl Timers {
    pub(super) fn start_idle(&mut self, at: Duration) {
        match self.idle {
            Idle::At(_) | Idle::Stopped => self.idle = Idle::At(at),
            Idle::Exempt => {}
        }
    }

    pub(super) fn stop_idle(&mut self) {
        match self.idle {
            Idle::At(_) | Idle::Stopped => self.idle = Idle::Stopped,
            Idle::Exempt => {}
        }
    }

    pub(super) fn exempt_from_idle(&mut self) {
        self.idle = Idle::Exempt;
    }

    pub(super) fn idle_is_due(&self, now: Duration) -> bool {
        matches!(self.idle, Idle::At(at) if at <= now)
    }

    /// The write timeout ends at `at`.
    pub(super) fn start_write(&mut self, at: Duration) {
        self.write = Some(at);
    }

    pub(super) fn stop_write(&mut self) {
        self.write = None;
    }

    /// Whether some bytes wait for the socket.
    pub(super) fn is_writing(&self) -> bool {
        self.write.is_some()
    }

    pub(super) fn write_is_due(&self, now: Duration) -> bool {
        self.write.is_some_and(|at| at <= now)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let idle = match self.idle {
            Idle::At(at) => Some(at),
            Idle::Stopped | Idle::Exempt => None,
        };
        [idle, self.write].into_iter().flatten().min()
    }
}
