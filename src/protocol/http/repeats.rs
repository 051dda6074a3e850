//! Requests that came with an `Idempotency-Key`, and their answers: one that comes again, since its client does not know whether it
//! came before, gets the same answer and does nothing. Time is an argument.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::address::Network;

/// How long an answer is kept.
const AGE_MAX: Duration = Duration::from_mins(2);
/// How many requests are kept, for all and for one network. The oldest that is answered gives way.
const REPEATS_MAX: usize = 4096;
const REPEATS_MAX_EACH: usize = 256;
/// How many bytes of answers are kept, for all and for one network.
const BYTES_MAX: usize = 4 << 20;
const BYTES_MAX_EACH: usize = 512 << 10;
/// The longest answer that is kept whole, in bytes: of a longer one, the status.
const BODY_BYTES_MAX: usize = 128 << 10;

/// Which request it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepeatKey {
    /// Who pays for the place.
    network: Network,
    /// Of all that makes it this one.
    digest: [u8; 32],
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// What it said.
    pub body: Bytes,
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: from now on it is at work, until [`Repeats::end`] or [`Repeats::forget`].
    Never,
    /// It is at work, or there is no room for one more.
    AtWork,
    /// It has this answer.
    Answered(Answered),
}

/// Requests of the last minutes.
#[derive(Debug, Default)]
pub struct Repeats {
    by_key: HashMap<RepeatKey, State>,
    /// Those that are answered, the oldest first, with the time of their answers. The others are never given up.
    answered: VecDeque<(Duration, RepeatKey)>,
    /// What each network has.
    by_network: HashMap<Network, Usage>,
    /// Bytes of all answers.
    bytes: usize,
}

#[derive(Debug)]
enum State {
    AtWork,
    Answered(Answered),
}

#[derive(Debug, Default)]
struct Usage {
    requests: usize,
    bytes: usize,
}

impl RepeatKey {
    /// That of a request from this network which has these in common with its repetition.
    #[must_use]
    pub fn new<'a>(network: Network, parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self { network, digest: digest.finalize().into() }
    }
}

impl Repeats {
    /// A request comes.
    pub fn begin(&mut self, key: RepeatKey, now: Duration) -> Seen {
        while self.answered.front().is_some_and(|(at, _)| now.saturating_sub(*at) > AGE_MAX) {
            self.give_up(0);
        }
        match self.by_key.get(&key) {
            Some(State::AtWork) => return Seen::AtWork,
            Some(State::Answered(answered)) => return Seen::Answered(answered.clone()),
            None => {}
        }
        let own = self.by_network.get(&key.network).map_or(0, |usage| usage.requests);
        let has_room = (own < REPEATS_MAX_EACH || self.give_up_own(&key.network))
            && (self.by_key.len() < REPEATS_MAX || self.give_up(0));
        if !has_room {
            return Seen::AtWork;
        }
        self.by_network.entry(key.network).or_default().requests += 1;
        self.by_key.insert(key, State::AtWork);
        Seen::Never
    }

    /// A request that was at work is answered.
    pub fn end(&mut self, key: &RepeatKey, mut answered: Answered, now: Duration) {
        let Some(state @ State::AtWork) = self.by_key.get_mut(key) else { return };
        if answered.body.len() > BODY_BYTES_MAX {
            answered.body = Bytes::new();
        }
        let bytes = answered.body.len();
        *state = State::Answered(answered);
        self.answered.push_back((now, key.clone()));
        self.bytes += bytes;
        self.by_network.entry(key.network).or_default().bytes += bytes;
        while self.by_network.get(&key.network).is_some_and(|usage| usage.bytes > BYTES_MAX_EACH) {
            self.give_up_own(&key.network);
        }
        while self.bytes > BYTES_MAX {
            self.give_up(0);
        }
    }

    /// A request that was at work is not done: it may come again.
    pub fn forget(&mut self, key: &RepeatKey) {
        if matches!(self.by_key.get(key), Some(State::AtWork)) {
            self.by_key.remove(key);
            self.uncount(&key.network, 0);
        }
    }

    /// Gives up the oldest answer of a network, if it has one.
    fn give_up_own(&mut self, network: &Network) -> bool {
        let own = self.answered.iter().position(|(_, key)| key.network == *network);
        own.is_some_and(|at| self.give_up(at))
    }

    fn give_up(&mut self, at: usize) -> bool {
        let Some((_, key)) = self.answered.remove(at) else { return false };
        if let Some(State::Answered(answered)) = self.by_key.remove(&key) {
            self.bytes -= answered.body.len();
            self.uncount(&key.network, answered.body.len());
        }
        true
    }

    fn uncount(&mut self, network: &Network, bytes: usize) {
        let Some(usage) = self.by_network.get_mut(network) else { return };
        usage.requests -= 1;
        usage.bytes -= bytes;
        if usage.requests == 0 {
            self.by_network.remove(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Addr;

    const NOW: Duration = Duration::from_secs(9);

    fn network(host: u8) -> Network {
        Network::of(Addr::Ip(([10, 0, 0, host], 1).into()))
    }

    fn key(host: u8, name: &str) -> RepeatKey {
        RepeatKey::new(network(host), [name])
    }

    fn answered(bytes: usize) -> Answered {
        Answered { status: 200, body: vec![b'x'; bytes].into() }
    }

    /// A request that comes, and is answered at once.
    fn ask(repeats: &mut Repeats, key: &RepeatKey, bytes: usize) -> Seen {
        let seen = repeats.begin(key.clone(), NOW);
        repeats.end(key, answered(bytes), NOW);
        seen
    }

    #[test]
    fn a_request_that_comes_again_has_the_answer_of_the_first() {
        let mut repeats = Repeats::default();
        let first = RepeatKey::new(network(1), ["/rooms/a", "k"]);
        assert_eq!(repeats.begin(first.clone(), NOW), Seen::Never);
        assert_eq!(repeats.begin(first.clone(), NOW + 9 * AGE_MAX), Seen::AtWork, "however long it takes");
        repeats.end(&first, answered(3), NOW);
        repeats.end(&first, answered(5), NOW);
        assert_eq!(repeats.begin(first.clone(), NOW + AGE_MAX), Seen::Answered(answered(3)));
        for parts in [["/rooms/ak", ""], ["", "/rooms/ak"]] {
            assert_eq!(repeats.begin(RepeatKey::new(network(1), parts), NOW), Seen::Never);
        }
        assert_eq!(repeats.begin(RepeatKey::new(network(2), ["/rooms/a", "k"]), NOW), Seen::Never);
        assert_eq!(repeats.begin(first, NOW + AGE_MAX + Duration::from_millis(1)), Seen::Never, "it is forgotten");
        assert_eq!(repeats.bytes, 0);
    }

    #[test]
    fn what_was_broken_off_may_come_again() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.begin(key(1, "k"), NOW), Seen::Never);
        repeats.forget(&key(1, "k"));
        assert!(repeats.by_key.is_empty() && repeats.by_network.is_empty());
        assert_eq!(ask(&mut repeats, &key(1, "k"), 1), Seen::Never);
        repeats.forget(&key(1, "k"));
        assert_eq!(repeats.begin(key(1, "k"), NOW), Seen::Answered(answered(1)), "it was done");
    }

    #[test]
    fn one_network_cannot_push_out_the_answers_of_others() {
        let mut repeats = Repeats::default();
        ask(&mut repeats, &key(1, "own"), 1);
        for n in 0..2 * REPEATS_MAX {
            ask(&mut repeats, &key(2, &n.to_string()), 55 << 10);
        }
        assert_eq!(repeats.begin(key(1, "own"), NOW), Seen::Answered(answered(1)));
        let usage = &repeats.by_network[&network(2)];
        assert_eq!((usage.requests, usage.bytes), (9, 9 * (55 << 10)), "as many as fit");
        assert_eq!(repeats.by_key.len(), repeats.answered.len());
    }

    #[test]
    fn what_is_at_work_is_never_given_up() {
        let mut repeats = Repeats::default();
        for n in 0..REPEATS_MAX_EACH {
            assert_eq!(repeats.begin(key(1, &n.to_string()), NOW), Seen::Never);
        }
        assert_eq!(repeats.begin(key(1, "one more"), NOW), Seen::AtWork);
        repeats.end(&key(1, "0"), answered(1), NOW);
        assert_eq!(repeats.begin(key(1, "one more"), NOW), Seen::Never, "the place of one that is answered");
        assert_eq!(repeats.begin(key(1, "1"), NOW), Seen::AtWork);
    }

    #[test]
    fn what_answers_take_has_a_bound() {
        let mut repeats = Repeats::default();
        (0..200).for_each(|host| drop(ask(&mut repeats, &key(host, "k"), BODY_BYTES_MAX)));
        assert_eq!((repeats.bytes, repeats.answered.len()), (BYTES_MAX, BYTES_MAX / BODY_BYTES_MAX));
        ask(&mut repeats, &key(250, "k"), BODY_BYTES_MAX + 1);
        assert_eq!(repeats.begin(key(250, "k"), NOW), Seen::Answered(answered(0)), "its status alone");
    }
}
