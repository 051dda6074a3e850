//! What waits to be done: one payer's after another's, so that who asks for much waits for itself. Knows nothing of what it is.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::schedule::FlowKey;

/// What waits, by payer.
#[derive(Debug)]
pub(super) struct ByPayer<T> {
    /// Whose turn it is. Each payer of `waiting` is here once.
    turns: VecDeque<FlowKey>,
    /// Each payer's, by number. Some have none any more, until it would be their turn. Never iterated: a hash has no order.
    waiting: FxHashMap<FlowKey, BTreeMap<u64, T>>,
    /// How many have come.
    count: u64,
}

impl<T> Default for ByPayer<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), waiting: FxHashMap::default(), count: 0 }
    }
}

impl<T> ByPayer<T> {
    /// Adds something at the expense of a payer. Returns its number.
    pub(super) fn push(&mut self, payer: FlowKey, item: T) -> u64 {
        self.count += 1;
        let waiting = self.waiting.entry(payer).or_insert_with(|| {
            self.turns.push_back(payer);
            BTreeMap::new()
        });
        waiting.insert(self.count, item);
        self.count
    }

    /// Takes out what has this number, if it still waits.
    pub(super) fn remove(&mut self, payer: FlowKey, number: u64) {
        if let Some(waiting) = self.waiting.get_mut(&payer) {
            waiting.remove(&number);
        }
    }

    /// Takes the next one.
    pub(super) fn next(&mut self) -> Option<T> {
        loop {
            let payer = self.turns.pop_front()?;
            let waiting = self.waiting.get_mut(&payer)?;
            let first = waiting.pop_first();
            if waiting.is_empty() {
                self.waiting.remove(&payer);
            } else {
                self.turns.push_back(payer);
            }
            if let Some((_, item)) = first {
                return Some(item);
            }
        }
    }
}

#[cfg(test)]
impl<T> ByPayer<T> {
    /// How many payers have a turn to come.
    pub(super) fn turns(&self) -> usize {
        assert_eq!(self.turns.len(), self.waiting.len(), "each payer once");
        self.turns.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ClientId;

    fn payer(number: u64) -> FlowKey {
        FlowKey::Client(ClientId(number))
    }

    fn next(waiting: &mut ByPayer<u64>, count: usize) -> Vec<u64> {
        (0..count).map_while(|_| waiting.next()).collect()
    }

    #[test]
    fn payers_take_turns_whatever_each_asks_for() {
        let mut waiting = ByPayer::default();
        for item in [11, 12, 13, 21, 22, 31] {
            waiting.push(payer(item / 10), item);
        }
        assert_eq!(next(&mut waiting, 4), [11, 21, 31, 12]);
        waiting.push(payer(4), 41);
        waiting.push(payer(1), 14);
        assert_eq!(next(&mut waiting, 9), [22, 13, 41, 14]);
        assert!(waiting.turns.is_empty() && waiting.waiting.is_empty());
    }
}
