//! A limit for every wait.

use std::io;
use std::time::{Duration, Instant};

/// A server that sends nothing for this long is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);
/// The longest wait for anything, even if there is progress.
const WHOLE_WAIT: Duration = Duration::from_secs(180);

/// Ends a wait in which nothing has come in for `PATIENCE`, or that takes longer than `WHOLE_WAIT`.
#[derive(Debug)]
pub(crate) struct Watchdog {
    asleep: Instant,
    end: Instant,
}

impl Watchdog {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { asleep: now + PATIENCE, end: now + WHOLE_WAIT }
    }

    /// `progress` is anything but 0 if something has happened. Returns the time it looked at.
    pub(crate) fn look(&mut self, progress: u64, state: impl FnOnce() -> String) -> io::Result<Instant> {
        let now = Instant::now();
        if progress > 0 {
            self.asleep = now + PATIENCE;
        }
        if now > self.asleep.min(self.end) {
            return Err(io::Error::other(format!("waited too long: {}", state())));
        }
        Ok(now)
    }
}
