//! Clients whose first batch has come and that are not announced yet. In a storm of arrivals, those of several turns are
//! announced together, because each announcement costs a write to every client.

use std::mem;

use crate::chat::ClientId;

/// More arrivals than this in one turn are a storm.
const STORM: usize = 64;
/// In a storm, clients are announced once in so many turns. When no more come, turns are so short that this is no delay.
const TURNS: u32 = 8;
/// If as many are waiting, they are announced without waiting for [`TURNS`].
const GATHERED_MAX: usize = 1024;

/// Clients that wait to be announced.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiting: Vec<ClientId>,
    is_storm: bool,
    /// Turns since the last ones were announced.
    turns: u32,
}

impl Arrivals {
    /// The client is to be announced.
    pub(super) fn push(&mut self, client: ClientId) {
        self.waiting.push(client);
    }

    /// Whether no client waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// A turn begins. Answers the clients to be announced in it.
    pub(super) fn take(&mut self) -> Vec<ClientId> {
        self.turns = self.turns.saturating_add(1); // at rest there is no end to them
        let count = self.waiting.len();
        if count == 0 || self.is_storm && self.turns < TURNS && count < GATHERED_MAX {
            return Vec::new();
        }
        self.is_storm = count > STORM;
        self.turns = 0;
        mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many come before each turn. How many are announced in it?
    fn announced(portions: &[usize]) -> Vec<usize> {
        let mut arrivals = Arrivals::default();
        let turn = |&portion: &usize| {
            (0..portion).for_each(|n| arrivals.push(ClientId(n as u64)));
            arrivals.take().len()
        };
        portions.iter().map(turn).collect()
    }

    #[test]
    fn one_is_announced_at_once() {
        assert_eq!(announced(&[1, 1, STORM, 1, 0, 1]), [1, 1, STORM, 1, 0, 1]);
    }

    #[test]
    fn in_a_storm_some_portions_are_announced_together() {
        let portions = [[100; TURNS as usize].as_slice(), &[100, 1, 0, 0, 0, 0, 0, 0, 0, 1]].concat();
        let turns = [[0; TURNS as usize - 1].as_slice(), &[800], &[0; 7], &[1, 1]].concat();
        assert_eq!(announced(&portions)[1..], turns, "and it is over when few come");
        assert_eq!(announced(&[100, GATHERED_MAX, 0]), [100, GATHERED_MAX, 0]);
    }
}
