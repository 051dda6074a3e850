//! The clock of a server.

use std::time::{Duration, Instant};

/// Tells the time as what has passed since the clock started: code that has no clock takes it as an argument.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The time since the start.
    #[must_use]
    pub fn now(self) -> Duration {
        self.start.elapsed()
    }

    /// What the system calls `at`.
    ///
    /// # Panics
    /// When `at` is so late that the system has no name for it.
    #[must_use]
    pub fn instant(self, at: Duration) -> Instant {
        self.start + at
    }
}
