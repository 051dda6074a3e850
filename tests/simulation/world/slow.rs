//! Whom the broker may disconnect for reading too slowly.

use std::{collections::BTreeMap, time::Duration};

use pipechat::chat::ClientId;

use super::{QUEUE_MAX, SOFT_LIMIT_TIME, SOFT_QUEUE_MAX};

/// What was seen behind each turn.
#[derive(Default)]
pub(super) struct SlowReaders {
    /// For whom more waits than may wait for long, since when, and whether it is too much.
    since: BTreeMap<ClientId, (Duration, bool)>,
    /// How many looks ago memory had run out.
    full_ago: Option<usize>,
}

/// Turns in which somebody may be disconnected after memory has run out: a turn of few inputs leaves some of that to the next.
const FULL_TURNS: usize = 2;

impl SlowReaders {
    /// So much waits for each client behind a turn.
    pub(super) fn look(&mut self, queues: impl Iterator<Item = (ClientId, usize)>, is_full: bool, now: Duration) {
        let before = std::mem::take(&mut self.since);
        for (client, queued) in queues.filter(|&(_, queued)| queued > SOFT_QUEUE_MAX) {
            let since = before.get(&client).map_or(now, |&(since, _)| since);
            self.since.insert(client, (since, queued > QUEUE_MAX || now >= since + SOFT_LIMIT_TIME));
        }
        self.full_ago = if is_full { Some(0) } else { self.full_ago.map(|turns| turns + 1) };
    }

    pub(super) fn may_be_cut(&self, client: ClientId) -> bool {
        let is_full = self.full_ago.is_some_and(|turns| turns < FULL_TURNS);
        is_full || self.since.get(&client).is_some_and(|&(_, is_too_much)| is_too_much)
    }

    pub(super) fn has_memory_run_out(&self) -> bool {
        self.full_ago.is_some()
    }
}
