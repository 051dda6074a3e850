//! How long to wait before the next attempt to connect. Time is an argument.

use std::time::Duration;

/// The first pause.
const MIN: Duration = Duration::from_secs(1);
/// The longest pause, and how long a connection has to last for the next pause to be the first again.
const MAX: Duration = Duration::from_secs(30);

/// Doubles from attempt to attempt, up to 30 s.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: MIN }
    }

    /// The pause after a connection that lasted this long; nothing at all if there was none.
    pub(super) fn pause(&mut self, lasted: Duration) -> Duration {
        if lasted >= MAX {
            self.next = MIN;
        }
        let pause = self.next;
        self.next = (pause * 2).min(MAX);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_a_connection_lasts() {
        let mut backoff = Backoff::new();
        let mut pauses = |lasted: u64, count| -> Vec<u64> {
            (0..count).map(|_| backoff.pause(Duration::from_secs(lasted)).as_secs()).collect()
        };
        assert_eq!(pauses(0, 7), [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pauses(29, 1), [30]);
        assert_eq!(pauses(30, 1), [1]);
        assert_eq!(pauses(0, 1), [2]);
    }
}
