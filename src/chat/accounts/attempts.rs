//! How often something was tried, and when it may be tried again. Time is an argument.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most that are remembered. Beyond that, those who may try again soonest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;

/// Attempts of those who are known by a `K`: so many at once, and another one after each interval.
#[derive(Debug)]
pub(in crate::chat) struct Attempts<K> {
    at_once: u32,
    interval: Duration,
    /// When each will have as many left as at first. A time that has passed may be forgotten.
    full_at: BTreeMap<K, Duration>,
    /// Mirrors `full_at`: who may be forgotten first. Whoever looked at all would take a tenth of a millisecond for each attempt.
    by_time: BTreeSet<(Duration, K)>,
}

impl<K: Ord + Clone> Attempts<K> {
    pub(in crate::chat) fn new(at_once: u32, interval: Duration) -> Self {
        Self { at_once, interval, full_at: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Checks that there is an attempt left.
    ///
    /// # Errors
    /// How long it takes until there is.
    pub(in crate::chat) fn check(&self, who: &K, now: Duration) -> Result<(), Duration> {
        let full_at = self.full_at.get(who).map_or(now, |&at| at.max(now));
        let left = (now + self.interval * self.at_once).checked_sub(full_at + self.interval);
        if left.is_some() { Ok(()) } else { Err(full_at + self.interval - now - self.interval * self.at_once) }
    }

    /// Takes an attempt, whether or not there is one left.
    pub(in crate::chat) fn take(&mut self, who: K, now: Duration) {
        while self.by_time.first().is_some_and(|(at, _)| *at <= now || self.is_full_for(&who))
            && let Some((_, soonest)) = self.by_time.pop_first()
        {
            self.full_at.remove(&soonest);
        }
        let full_at = self.full_at.get(&who).map_or(now, |&at| at.max(now));
        self.set(who, full_at + self.interval);
    }

    /// An attempt that was taken does not count.
    pub(in crate::chat) fn give_back(&mut self, who: &K, now: Duration) {
        let Some(full_at) = self.full_at.get(who).map(|at| at.saturating_sub(self.interval)) else { return };
        if full_at > now {
            self.set(who.clone(), full_at);
        } else if let Some(at) = self.full_at.remove(who) {
            self.by_time.remove(&(at, who.clone()));
        }
    }

    /// Whether one more cannot be remembered.
    fn is_full_for(&self, who: &K) -> bool {
        self.full_at.len() >= REMEMBERED_MAX && !self.full_at.contains_key(who)
    }

    fn set(&mut self, who: K, full_at: Duration) {
        if let Some(before) = self.full_at.insert(who.clone(), full_at) {
            self.by_time.remove(&(before, who.clone()));
        }
        self.by_time.insert((full_at, who));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn some_at_once_then_one_after_each_interval() {
        let mut attempts = Attempts::new(3, 10 * SECOND);
        let now = 100 * SECOND;
        for _ in 0..3 {
            assert_eq!(attempts.check(&"ann", now), Ok(()));
            attempts.take("ann", now);
        }
        assert_eq!((attempts.check(&"ann", now), attempts.check(&"bob", now)), (Err(10 * SECOND), Ok(())));
        assert_eq!(attempts.check(&"ann", now + 9 * SECOND), Err(SECOND));
        attempts.take("ann", now + 10 * SECOND);
        assert_eq!(attempts.check(&"ann", now + 10 * SECOND), Err(10 * SECOND));
        attempts.give_back(&"ann", now + 10 * SECOND);
        assert_eq!(attempts.check(&"ann", now + 10 * SECOND), Ok(()));
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let mut attempts = Attempts::new(2, 10 * SECOND);
        attempts.take(0, SECOND);
        attempts.take(0, SECOND);
        for who in 1..REMEMBERED_MAX + 100 {
            attempts.take(who, SECOND);
        }
        assert_eq!((attempts.full_at.len(), attempts.by_time.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
        assert!(attempts.check(&0, SECOND).is_err(), "who has tried most is forgotten last");
        attempts.take(REMEMBERED_MAX * 3, 100 * SECOND);
        assert_eq!((attempts.full_at.len(), attempts.by_time.len()), (1, 1), "all others may try again");
        attempts.give_back(&(REMEMBERED_MAX * 3), 100 * SECOND);
        assert!(attempts.full_at.is_empty() && attempts.by_time.is_empty());
    }
}
