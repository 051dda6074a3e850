//! A token bucket: how fast one connection may speak. Time is an argument.

use std::time::Duration;

use crate::protocol::Rate;

/// The tokens of one connection. It goes into debt rather than refuse: what has been read is never dropped, the next
/// read just comes later.
#[derive(Debug, Clone)]
pub(super) struct RateLimit {
    rate: Rate,
    /// When the bucket was, or will be, without debt if nothing more is taken: the "theoretical arrival time" of the
    /// generic cell rate algorithm, which needs no other state.
    clear_at: Duration,
}

impl RateLimit {
    /// A full bucket.
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, clear_at: Duration::ZERO }
    }

    /// Takes `lines` tokens at `now` and tells when the next line may be read: not after `now` while there are tokens.
    pub(super) fn take(&mut self, lines: usize, now: Duration) -> Duration {
        if self.rate.per_second == 0 {
            return now;
        }
        let cost = |lines| Duration::from_secs(lines) / self.rate.per_second;
        let taken = cost(u64::try_from(lines).unwrap_or(u64::MAX));
        self.clear_at = self.clear_at.max(now).saturating_add(taken);
        self.clear_at.saturating_sub(cost(u64::from(self.rate.burst)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RATE: Rate = Rate { per_second: 10, burst: 100 };

    #[test]
    fn a_burst_is_free_and_what_follows_is_paced() {
        let mut bucket = RateLimit::new(RATE);
        let now = 5 * SECOND;
        assert!(bucket.take(100, now) <= now);
        assert_eq!(bucket.take(10, now), now + SECOND);
        assert_eq!(bucket.take(10, now + SECOND), now + 2 * SECOND);
    }

    #[test]
    fn silence_fills_it_up_to_the_burst_and_no_further() {
        let mut bucket = RateLimit::new(RATE);
        bucket.take(100, SECOND);
        assert!(bucket.take(50, 6 * SECOND) <= 6 * SECOND);
        let later = 1000 * SECOND;
        assert!(bucket.take(100, later) <= later);
        assert_eq!(bucket.take(1, later), later + SECOND / 10);
    }

    #[test]
    fn over_any_stretch_it_lets_through_the_burst_and_the_rate() {
        let mut bucket = RateLimit::new(RATE);
        let (mut now, mut lines) = (SECOND, 0);
        while now < 61 * SECOND {
            lines += 7;
            now = now.max(bucket.take(7, now));
        }
        assert!((700..=707).contains(&lines), "{lines}: 100 at once and 10 a second for a minute");
    }

    #[test]
    fn zero_is_no_limit() {
        let mut bucket = RateLimit::new(Rate { per_second: 0, burst: 0 });
        assert_eq!(bucket.take(1_000_000, SECOND), SECOND);
    }

    #[test]
    fn the_largest_numbers_saturate() {
        for rate in [Rate { per_second: 1, burst: u32::MAX }, Rate { per_second: u32::MAX, burst: 0 }] {
            let mut bucket = RateLimit::new(rate);
            bucket.take(usize::MAX, Duration::MAX);
            let until = bucket.take(usize::MAX, Duration::MAX);
            assert_eq!(until, Duration::MAX - Duration::from_secs(rate.burst.into()), "{rate:?}");
        }
    }
}
