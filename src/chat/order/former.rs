//! Names that guests had and have no more, and from where these came: one who has said something and taken another name, or
//! left, can still be banned by the name that others have read. Time is an argument.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::address::{Cidr, Network};

/// How long a name is remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);
/// The most names that are remembered; beyond that, the oldest are forgotten first.
const NAMES_MAX: usize = 10_000;
/// The most names of one network: one that renames itself again and again makes the names of others no shorter remembered.
const NAMES_OF_NETWORK_MAX: usize = 100;

/// Names that nobody has any more.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// By key: from where the last one came that had it, and which of `order` it is.
    by_key: BTreeMap<Box<str>, Place>,
    /// In the order in which they were given up. Some were taken and given up again since.
    order: BTreeMap<u64, (Box<str>, Timestamp, Network)>,
    /// Mirrors `order`: which of them are a network's.
    by_network: BTreeMap<Network, VecDeque<u64>>,
    last: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    block: Cidr,
    number: u64,
}

impl Former {
    /// A guest from here has the name of this key no more.
    pub(super) fn remember(&mut self, key: &str, block: Cidr, network: Network, at: Timestamp) {
        self.forget(key);
        while let Some((&oldest, (_, when, _))) = self.order.first_key_value()
            && (self.order.len() >= NAMES_MAX || at.duration_since(*when) >= REMEMBERED)
        {
            self.remove(oldest);
        }
        if let Some(own) = self.by_network.get(&network)
            && own.len() >= NAMES_OF_NETWORK_MAX
            && let Some(&oldest) = own.front()
        {
            self.remove(oldest);
        }
        self.last += 1;
        self.by_key.insert(key.into(), Place { block, number: self.last });
        self.order.insert(self.last, (key.into(), at, network));
        self.by_network.entry(network).or_default().push_back(self.last);
    }

    /// From where the last one came that had the name of this key within a day.
    pub(super) fn find(&self, key: &str, at: Timestamp) -> Option<Cidr> {
        let Place { block, number } = *self.by_key.get(key)?;
        let (_, when, _) = self.order.get(&number)?;
        (at.duration_since(*when) < REMEMBERED).then_some(block)
    }

    fn forget(&mut self, key: &str) {
        if let Some(Place { number, .. }) = self.by_key.get(key).copied() {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) {
        let Some((key, _, network)) = self.order.remove(&number) else { return };
        self.by_key.remove(&key);
        if let Some(own) = self.by_network.get_mut(&network) {
            own.retain(|&other| other != number);
            if own.is_empty() {
                self.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(hour * 3600).unwrap()
    }

    fn network(n: u16) -> Network {
        let [high, low] = n.to_be_bytes();
        format!("10.0.{high}.{low}").parse().unwrap()
    }

    #[test]
    fn a_name_is_remembered_for_a_day() {
        let mut former = Former::default();
        let [one, other]: [Cidr; 2] = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        former.remember("bob", one, network(1), at(0));
        assert_eq!((former.find("bob", at(23)), former.find("bob", at(24))), (Some(one), None));
        former.remember("bob", other, network(2), at(23));
        assert_eq!((former.find("bob", at(24)), former.find("ann", at(24))), (Some(other), None));
        former.remember("ann", one, network(1), at(50));
        assert_eq!((former.by_key.len(), former.order.len(), former.by_network.len()), (1, 1, 1));
    }

    #[test]
    fn one_network_makes_others_no_shorter_remembered_and_all_are_bounded() {
        let mut former = Former::default();
        let block = "10.0.0.1".parse().unwrap();
        former.remember("bob", block, network(0), at(0));
        for n in 0..NAMES_MAX * 2 {
            former.remember(&format!("x{n}"), block, network(1), at(0));
        }
        assert_eq!((former.find("bob", at(1)), former.order.len()), (Some(block), NAMES_OF_NETWORK_MAX + 1));
        for n in 0..2 * u16::try_from(NAMES_MAX).unwrap() {
            former.remember(&format!("y{n}"), block, network(n), at(0));
        }
        assert_eq!((former.order.len(), former.by_key.len()), (NAMES_MAX, NAMES_MAX));
    }
}
