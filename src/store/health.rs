//! Whether the disk does what it is asked, and when it is asked again.

use std::time::Instant;

/// Whether the disk does what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Working,
    /// The last time it did not.
    Failing {
        retry_at: Instant,
    },
}

impl Health {
    pub(super) fn is_due(self, now: Instant) -> bool {
        match self {
            Self::Working => true,
            Self::Failing { retry_at } => retry_at <= now,
        }
    }
}
