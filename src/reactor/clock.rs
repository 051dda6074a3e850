//! The clock of a server.

use std::time::{Duration, Instant};

/// Tells the time to the rules, which know none: as the time since the server began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(crate) fn now(self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn instant(self, at: Duration) -> Instant {
        self.start + at
    }
}
