//! What waits to be done: one payer's after another's, so that who asks for much waits for itself. Knows nothing of what it is.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::schedule::FlowKey;

/// What waits, by payer.
#[derive(Debug)]
pub(super) struct ByPayer<T> {
    /// Whose turn it is. Each payer of `waiting` is here once.
    turns: VecDeque<FlowKey>,
    /// Each payer's, in the order in which they came; never none. Never iterated: a hash has no order.
    waiting: FxHashMap<FlowKey, VecDeque<T>>,
}

impl<T> Default for ByPayer<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), waiting: FxHashMap::default() }
    }
}

impl<T> ByPayer<T> {
    /// Adds something at the expense of a payer.
    pub(super) fn push(&mut self, payer: FlowKey, item: T) {
        let waiting = self.waiting.entry(payer).or_insert_with(|| {
            self.turns.push_back(payer);
            VecDeque::new()
        });
        waiting.push_back(item);
    }

    /// Takes the next one.
    pub(super) fn next(&mut self) -> Option<T> {
        let payer = self.turns.pop_front()?;
        let waiting = self.waiting.get_mut(&payer)?;
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&payer);
        } else {
            self.turns.push_back(payer);
        }
        first
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
