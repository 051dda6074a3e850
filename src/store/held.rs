//! Batches of changes that wait to be committed, and how much may wait. Knows no file.

use std::collections::VecDeque;

use super::{Change, accounts, order, rows::Row};

/// Changes that are held while commits fail: several minutes of a busy server.
pub(super) const HELD_CHANGES_MAX: usize = 100_000;
/// Bytes that these take, about.
pub(super) const HELD_BYTES_MAX: usize = 64 << 20;
/// What a change takes in memory besides its text: the record and the event, and their places in the allocator.
const CHANGE_BYTES: usize = 256;
/// Changes that are committed together, unless one batch has more: about 30 ms of writing, and 2 MB in the log of SQLite.
pub(super) const GROUP_CHANGES_MAX: usize = 10_000;
/// Bytes that these take, about, unless one batch takes more: as long texts take as long as many short ones.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// The batches, oldest first.
#[derive(Debug, Default)]
pub(super) struct Held {
    batches: VecDeque<Batch>,
    /// The sums over `batches`.
    changes: usize,
    bytes: usize,
    /// Changes that were dropped because too much was held.
    dropped: u64,
}

#[derive(Debug)]
struct Batch {
    number: u64,
    changes: Vec<Change>,
    bytes: usize,
}

impl Held {
    /// Adds a batch; of its changes the first ones for which there is space, or all if nothing else waits. Returns how many were
    /// dropped.
    pub(super) fn push(&mut self, number: u64, mut changes: Vec<Change>) -> usize {
        let (mut bytes, mut fit) = (0, 0);
        for change in &changes {
            let more = bytes + size(change);
            let is_too_much = self.changes + fit >= HELD_CHANGES_MAX || self.bytes + more > HELD_BYTES_MAX;
            if is_too_much && !self.batches.is_empty() {
                break;
            }
            (bytes, fit) = (more, fit + 1);
        }
        let dropped = changes.len() - fit;
        changes.truncate(fit);
        self.changes += fit;
        self.bytes += bytes;
        self.dropped += dropped as u64;
        match self.batches.back_mut() {
            // Of a batch of which nothing fits, only the number is left.
            Some(last) if changes.is_empty() && dropped > 0 => last.number = number,
            Some(_) | None => self.batches.push_back(Batch { number, changes, bytes }),
        }
        dropped
    }

    /// Whether there are as many changes as are committed together.
    pub(super) fn is_group(&self) -> bool {
        self.changes >= GROUP_CHANGES_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The first batch.
    pub(super) fn first(&self) -> Option<u64> {
        Some(self.batches.front()?.number)
    }

    /// How many batches are committed together next, and their changes.
    pub(super) fn group(&self) -> (usize, impl Iterator<Item = &Change>) {
        let (mut changes, mut bytes) = (0, 0);
        let fits = |batch: &&Batch| {
            let is_first = changes == 0;
            (changes, bytes) = (changes + batch.changes.len(), bytes + batch.bytes);
            is_first || (changes <= GROUP_CHANGES_MAX && bytes <= GROUP_BYTES_MAX)
        };
        let count = self.batches.iter().take_while(fits).count();
        (count, self.batches.iter().take(count).flat_map(|batch| &batch.changes))
    }

    /// The first `count` batches are committed. Returns the last of them.
    pub(super) fn committed(&mut self, count: usize) -> Option<u64> {
        let mut changes = 0;
        let mut last = None;
        for batch in self.batches.drain(..count) {
            changes += batch.changes.len();
            self.bytes -= batch.bytes;
            last = Some(batch.number);
        }
        self.changes -= changes;
        last
    }

    /// Changes that were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Changes that were dropped, and those that would be if the program ended now.
    pub(super) fn lost(&self) -> u64 {
        self.dropped + self.changes as u64
    }
}

/// What a change takes in memory, about.
fn size(change: &Change) -> usize {
    CHANGE_BYTES
        + match change {
            Change::Event(record) => Row::of(&record.event).text.len(),
            Change::Remember { topic, .. } => topic.as_deref().map_or(0, str::len),
            Change::Account(change) => accounts::text_bytes(change),
            Change::Order(change) => order::text_bytes(change),
            Change::AccountsSeen(_) | Change::Forget(_) => 0,
        }
}
