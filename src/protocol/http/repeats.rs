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
/// How many are kept, for all and for one network. The oldest gives way.
const REPEATS_MAX: usize = 4096;
const REPEATS_MAX_EACH: usize = 256;
/// How many bytes of answers are kept.
const BYTES_MAX: usize = 4 << 20;
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
    /// Nothing: from now on, it is at work.
    Never,
    /// It is at work.
    AtWork,
    /// It has this answer.
    Answered(Answered),
}

/// Requests of the last minutes.
#[derive(Debug, Default)]
pub struct Repeats {
    by_key: HashMap<RepeatKey, State>,
    /// The same, the oldest first, with the time when each began.
    order: VecDeque<(Duration, RepeatKey)>,
    /// Bytes of all answers.
    bytes: usize,
}

#[derive(Debug)]
enum State {
    AtWork,
    Answered(Answered),
}

impl RepeatKey {
    /// That of a request from this network which has these in common with its repetition.
    #[must_use]
    pub fn new(network: Network, parts: &[&str]) -> Self {
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
        while self.order.front().is_some_and(|(at, _)| now.saturating_sub(*at) > AGE_MAX) {
            self.remove_at(0);
        }
        match self.by_key.get(&key) {
            Some(State::AtWork) => return Seen::AtWork,
            Some(State::Answered(answered)) => return Seen::Answered(answered.clone()),
            None => {}
        }
        let own = |(_, other): &(Duration, RepeatKey)| other.network == key.network;
        if self.order.iter().filter(|entry| own(entry)).count() >= REPEATS_MAX_EACH
            && let Some(first) = self.order.iter().position(own)
        {
            self.remove_at(first);
        }
        if self.order.len() >= REPEATS_MAX {
            self.remove_at(0);
        }
        self.by_key.insert(key.clone(), State::AtWork);
        self.order.push_back((now, key));
        Seen::Never
    }

    /// It was answered.
    pub fn end(&mut self, key: &RepeatKey, mut answered: Answered) {
        let Some(state) = self.by_key.get_mut(key) else { return };
        if answered.body.len() > BODY_BYTES_MAX {
            answered.body = Bytes::new();
        }
        self.bytes += answered.body.len();
        *state = State::Answered(answered);
        while self.bytes > BYTES_MAX {
            self.remove_at(0);
        }
    }

    /// It is not at work any more: if it has no answer, it was not done, and may come again.
    pub fn forget_unanswered(&mut self, key: &RepeatKey) {
        if matches!(self.by_key.get(key), Some(State::AtWork))
            && let Some(at) = self.order.iter().position(|(_, other)| other == key)
        {
            self.remove_at(at);
        }
    }

    fn remove_at(&mut self, at: usize) {
        let Some((_, key)) = self.order.remove(at) else { return };
        if let Some(State::Answered(answered)) = self.by_key.remove(&key) {
            self.bytes -= answered.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Addr;

    fn network(host: u8) -> Network {
        Network::of(Addr::Ip(([10, 0, 0, host], 1).into()))
    }

    fn answered(bytes: usize) -> Answered {
        Answered { status: 200, body: vec![b'x'; bytes].into() }
    }

    #[test]
    fn a_request_that_comes_again_has_the_answer_of_the_first() {
        let (mut repeats, now) = (Repeats::default(), Duration::from_secs(9));
        let key = RepeatKey::new(network(1), &["/rooms/a", "k"]);
        assert_eq!(repeats.begin(key.clone(), now), Seen::Never);
        assert_eq!(repeats.begin(key.clone(), now), Seen::AtWork);
        repeats.end(&key, answered(3));
        assert_eq!(repeats.begin(key.clone(), now + AGE_MAX), Seen::Answered(answered(3)));
        for other in [
            RepeatKey::new(network(2), &["/rooms/a", "k"]),
            RepeatKey::new(network(1), &["/rooms/ak", ""]),
            RepeatKey::new(network(1), &["/rooms/ak"]),
        ] {
            assert_eq!(repeats.begin(other, now), Seen::Never);
        }
        assert_eq!(repeats.begin(key, now + AGE_MAX + Duration::from_millis(1)), Seen::Never, "it is forgotten");
        assert_eq!(repeats.bytes, 0);
    }

    #[test]
    fn what_was_broken_off_may_come_again() {
        let (mut repeats, key) = (Repeats::default(), RepeatKey::new(network(1), &["k"]));
        assert_eq!(repeats.begin(key.clone(), Duration::ZERO), Seen::Never);
        repeats.forget_unanswered(&key);
        assert_eq!(repeats.begin(key, Duration::ZERO), Seen::Never);
        assert_eq!((repeats.order.len(), repeats.by_key.len()), (1, 1));
    }

    #[test]
    fn one_network_cannot_push_out_the_answers_of_others() {
        let mut repeats = Repeats::default();
        let own = RepeatKey::new(network(1), &["own"]);
        repeats.begin(own.clone(), Duration::ZERO);
        repeats.end(&own, answered(1));
        for n in 0..2 * REPEATS_MAX {
            let key = RepeatKey::new(network(2), &[&n.to_string()]);
            repeats.begin(key.clone(), Duration::ZERO);
            repeats.end(&key, answered(1));
        }
        assert_eq!(repeats.begin(own, Duration::ZERO), Seen::Answered(answered(1)));
        assert_eq!((repeats.order.len(), repeats.by_key.len(), repeats.bytes), (257, 257, 257));
    }

    #[test]
    fn what_answers_take_has_a_bound() {
        let mut repeats = Repeats::default();
        for n in 0..200_u8 {
            let key = RepeatKey::new(network(n), &["k"]);
            repeats.begin(key.clone(), Duration::ZERO);
            repeats.end(&key, answered(BODY_BYTES_MAX));
        }
        assert_eq!((repeats.bytes, repeats.order.len()), (BYTES_MAX, BYTES_MAX / BODY_BYTES_MAX));
        let key = RepeatKey::new(network(250), &["k"]);
        repeats.begin(key.clone(), Duration::ZERO);
        repeats.end(&key, answered(BODY_BYTES_MAX + 1));
        assert_eq!(repeats.begin(key, Duration::ZERO), Seen::Answered(answered(0)), "its status alone");
    }
}
