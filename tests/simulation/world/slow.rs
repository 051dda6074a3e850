//! Whom the broker may disconnect for reading too slowly.

use std::{collections::BTreeMap, time::Duration};

use pipechat::chat::ClientId;

use super::SOFT_LIMIT_TIME;

/// What was seen behind each turn.
pub(super) struct SlowReaders {
    /// Bytes that may wait for a client; for long, half of that.
    queue_max: usize,
    /// For whom more waits than may wait for long, and since when.
    since: BTreeMap<ClientId, Duration>,
    /// For whom too much waited, how many looks ago.
    too_much_ago: BTreeMap<ClientId, usize>,
    /// How many looks ago memory had run out.
    full_ago: Option<usize>,
}

/// Turns in which somebody may be disconnected after that was decided: a turn of few inputs leaves some of that to the next, and
/// what memory gives back comes first.
const TURNS: usize = 3;

impl SlowReaders {
    pub(super) fn new(queue_max: usize) -> Self {
        Self { queue_max, since: BTreeMap::new(), too_much_ago: BTreeMap::new(), full_ago: None }
    }

    /// So much waits for each client behind a turn.
    pub(super) fn look(&mut self, queues: impl Iterator<Item = (ClientId, usize)>, is_full: bool, now: Duration) {
        let before = std::mem::take(&mut self.since);
        self.too_much_ago.values_mut().for_each(|turns| *turns += 1);
        self.too_much_ago.retain(|_, turns| *turns < TURNS);
        for (client, queued) in queues.filter(|&(_, queued)| queued > self.queue_max / 2) {
            let since = before.get(&client).map_or(now, |&since| since);
            self.since.insert(client, since);
            if queued > self.queue_max || now >= since + SOFT_LIMIT_TIME {
                self.too_much_ago.insert(client, 0);
            }
        }
        self.full_ago = if is_full { Some(0) } else { self.full_ago.map(|turns| turns + 1) };
    }

    pub(super) fn may_be_cut(&self, client: ClientId) -> bool {
        let is_full = self.full_ago.is_some_and(|turns| turns < TURNS);
        is_full || self.too_much_ago.contains_key(&client)
    }

    pub(super) fn has_memory_run_out(&self) -> bool {
        self.full_ago.is_some()
    }
}
