//! Which clients read too slowly. No one waits for a slow client: it is disconnected when its queue is over the hard limit, or
//! over the soft one for too long. Knows only numbers.

use std::{collections::BTreeMap, time::Duration};

use crate::chat::ClientId;

/// How long a client's queue may be over the soft limit: the same as Valkey's for subscribers.
pub(super) const SOFT_LIMIT_TIME: Duration = Duration::from_secs(60);

/// Clients whose queue is over a limit, and since when.
#[derive(Debug, Default)]
pub(super) struct SlowReaders {
    since: BTreeMap<ClientId, Duration>,
}

impl SlowReaders {
    /// Whether the client is to be disconnected. `queued` is the bytes in its queue, after a write was tried.
    pub(super) fn is_too_slow(
        &mut self,
        client: ClientId,
        queued: usize,
        soft_max: usize,
        hard_max: usize,
        now: Duration,
    ) -> bool {
        if queued <= soft_max && queued <= hard_max {
            if !self.since.is_empty() {
                self.since.remove(&client);
            }
            return false;
        }
        let since = *self.since.entry(client).or_insert(now);
        queued > hard_max || now >= since + SOFT_LIMIT_TIME
    }

    /// The client has left.
    pub(super) fn remove(&mut self, client: ClientId) {
        self.since.remove(&client);
    }

    /// The clients to check again: some may have read since.
    pub(super) fn clients(&self) -> Vec<ClientId> {
        self.since.keys().copied().collect()
    }

    /// When the first of them has been slow for too long.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.since.values().min().map(|&since| since + SOFT_LIMIT_TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Whether a client has to go for which so much waits, at each of these times in seconds.
    fn play(queued: &[(u32, usize)]) -> Vec<bool> {
        let mut slow = SlowReaders::default();
        queued.iter().map(|&(at, queued)| slow.is_too_slow(ClientId(1), queued, 100, 1000, at * SECOND)).collect()
    }

    #[test]
    fn more_than_the_hard_limit_is_too_much_at_once() {
        assert_eq!(play(&[(0, 1000), (0, 1001)]), [false, true]);
    }

    #[test]
    fn more_than_the_soft_limit_is_too_much_after_a_minute() {
        assert_eq!(play(&[(5, 101), (64, 900), (65, 101)]), [false, false, true]);
        assert_eq!(play(&[(5, 101), (64, 100), (65, 101), (124, 999)]), [false; 4]);
    }

    #[test]
    fn a_hard_limit_below_the_soft_one_counts() {
        let mut slow = SlowReaders::default();
        assert!(slow.is_too_slow(ClientId(1), 51, 100, 50, SECOND));
    }

    #[test]
    fn it_is_known_when_to_look_again() {
        let mut slow = SlowReaders::default();
        assert_eq!(slow.deadline(), None);
        slow.is_too_slow(ClientId(1), 101, 100, 1000, 7 * SECOND);
        slow.is_too_slow(ClientId(2), 101, 100, 1000, 5 * SECOND);
        assert_eq!(slow.deadline(), Some(5 * SECOND + SOFT_LIMIT_TIME));
        assert_eq!(slow.clients(), [ClientId(1), ClientId(2)]);
        slow.remove(ClientId(2));
        assert_eq!(slow.deadline(), Some(7 * SECOND + SOFT_LIMIT_TIME));
    }
}
