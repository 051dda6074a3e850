//! The clock of a server, which starts at zero.

use std::time::{Duration, Instant};

/// Tells the time since it started. Code without a clock takes that as an argument.
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

    /// The time `at` by the system's clock.
    ///
    /// # Panics
    /// When `at` is later than an [`Instant`] can be.
    #[must_use]
    pub fn instant(self, at: Duration) -> Instant {
        self.start + at
    }
}
