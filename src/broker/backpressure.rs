//! Which slow readers the others wait for, and how long. Knows figures alone: no queues, no clock.

use std::{mem, time::Duration};

/// The longest wait of the broker after a turn, for a reader whose queue is nearly full.
const PACE_MAX: Duration = Duration::from_millis(50);
/// A reader that has read nothing for so long is stuck, and slows nobody.
const STUCK_AFTER: Duration = Duration::from_millis(500);
/// The same for one of which nothing says that it has ever read: what it took, its kernel may have taken.
const STUCK_FROM_THE_START_AFTER: Duration = Duration::from_millis(40);
/// More than two kernels hold for a peer that reads nothing: by default, `tcp_wmem` allows 4 MiB and `tcp_rmem` 6 MiB.
const KERNELS_HOLD_MAX: usize = 16 << 20;
/// Into how many parts a queue's limit is divided; progress is looked for about once in each.
const QUEUE_PARTS: usize = 8;

/// How a client reads, as far as that shows. All sizes are bytes.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// What was queued for it at the last observation.
    queued: usize,
    /// What was handed over since then.
    sent: usize,
    /// All that it has taken until then.
    taken: usize,
    /// All public events until the last observation, or its arrival.
    said: usize,
    /// When it was last seen to have taken something.
    at: Duration,
    /// Its peer reads: it has taken more than kernels hold, or was behind and took something.
    is_alive: bool,
}

impl Progress {
    /// Of a client that comes after so many bytes of public events.
    pub(super) fn since(said: usize) -> Self {
        Self { said, ..Self::default() }
    }

    /// So much more was handed over.
    pub(super) fn sent(&mut self, size: usize) {
        self.sent += size;
    }

    /// Whether there was enough for it that [`Self::observe`] might see something.
    pub(super) fn is_due(&self, queue_max: usize) -> bool {
        self.queued + self.sent > queue_max / QUEUE_PARTS
    }

    /// Looks how far a client has read for which `queued` bytes wait, after `said` bytes of all public events. `None`: its
    /// queue is over `queue_max`. Otherwise how long the others should wait for it: not at all if it is stuck.
    pub(super) fn observe(&mut self, queued: usize, said: usize, queue_max: usize, now: Duration) -> Option<Duration> {
        let taken = (self.queued + mem::take(&mut self.sent)).saturating_sub(queued);
        if taken > 0 {
            self.at = now;
            self.taken += taken;
            self.is_alive = self.queued > queue_max / QUEUE_PARTS || self.taken > KERNELS_HOLD_MAX;
        }
        let stuck_after = if self.is_alive { STUCK_AFTER } else { STUCK_FROM_THE_START_AFTER };
        let heard = said - mem::replace(&mut self.said, said);
        self.queued = queued;
        if queued > queue_max {
            None
        } else if queued <= queue_max / 2 || now.saturating_sub(self.at) > stuck_after {
            Some(Duration::ZERO)
        } else {
            // Public talk as since the last observation must not fill what room is left before a stuck reader would be known as one.
            // Nobody waits for the sake of what one client alone is told.
            let room = (queue_max - queued).max(1);
            #[expect(clippy::cast_precision_loss, reason = "a fraction of the queue")]
            Some(stuck_after.mul_f64(heard as f64 / room as f64).min(PACE_MAX))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE_MAX: usize = 1000;

    /// A reader for whom a hundred bytes are said every six milliseconds, and who takes `taken` of them each time. After each:
    /// what waits for it, and how long the others wait.
    fn reads(taken: impl Fn(u32) -> usize, times: u32) -> Vec<(usize, Option<Duration>)> {
        let (mut progress, mut queued, mut said) = (Progress::since(0), 0, 0);
        let mut observe = |time| {
            said += 100;
            progress.sent(100);
            queued = (queued + 100_usize).saturating_sub(taken(time));
            (queued, progress.observe(queued, said, QUEUE_MAX, time * Duration::from_millis(6)))
        };
        (1..=times).map(&mut observe).collect()
    }

    fn waits(observations: &[(usize, Option<Duration>)]) -> impl Iterator<Item = Duration> {
        observations.iter().filter_map(|(_, wait)| *wait)
    }

    #[test]
    fn nobody_waits_for_a_reader_that_keeps_up() {
        assert!(waits(&reads(|_| 100, 100)).all(|wait| wait.is_zero()));
    }

    #[test]
    fn all_wait_for_one_that_falls_behind_and_the_longer_the_less_room_is_left() {
        let observations = reads(|_| 90, 90);
        let (easy, tight) = observations.split_at(50);
        assert!(waits(easy).all(|wait| wait.is_zero()), "half the queue is free: {observations:?}");
        let tight: Vec<_> = waits(tight).collect();
        assert!(tight[1..].is_sorted() && !tight[1].is_zero(), "{tight:?}");
        assert_eq!(tight.last(), Some(&PACE_MAX));
    }

    #[test]
    fn one_that_has_never_read_is_stuck_soon_and_over_the_limit_in_the_end() {
        let observations = reads(|_| 0, 11);
        // The sixth fills more than half, 36 ms after the start; the seventh comes after 42 ms.
        assert_eq!(observations[5], (600, Some(Duration::from_millis(10))));
        assert!(waits(&observations[6..10]).all(|wait| wait.is_zero()), "{observations:?}");
        assert_eq!(observations[10], (1100, None));
    }

    #[test]
    fn one_that_has_read_while_it_was_behind_has_longer() {
        // It reads until 600 wait for it, and stops.
        let mut progress = Progress::since(0);
        progress.sent(700);
        let at = Duration::from_secs;
        assert_eq!(progress.observe(700, 700, QUEUE_MAX, at(1)), Some(Duration::ZERO), "never seen to read");
        assert_eq!(progress.observe(600, 800, QUEUE_MAX, at(2)), Some(PACE_MAX), "alive");
        assert_eq!(progress.observe(600, 900, QUEUE_MAX, at(2) + STUCK_AFTER), Some(PACE_MAX), "not stuck yet");
        let later = at(2) + STUCK_AFTER + Duration::from_millis(1);
        assert_eq!(progress.observe(600, 1000, QUEUE_MAX, later), Some(Duration::ZERO), "stuck");
    }

    #[test]
    fn what_one_client_alone_is_told_makes_nobody_wait() {
        let mut progress = Progress::since(500);
        progress.sent(900);
        assert_eq!(progress.observe(800, 500, QUEUE_MAX, Duration::ZERO), Some(Duration::ZERO));
    }
}
