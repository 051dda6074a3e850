//! Events that are kept, and their places in the order of all of them.

use std::{fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;

use super::event::{Identity, PublicEvent};

/// How long the word of an epoch is.
const EPOCH_LETTERS: usize = 5;

/// An event that is kept for those who were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number among the kept events of all rooms, in their one order. No number is given out twice; some are never used.
    pub n: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The name of the room.
    pub room: Arc<str>,
    /// What happened.
    pub event: KeptEvent,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptEvent {
    /// What happened in a room.
    Public(Arc<PublicEvent>),
    /// A private message to an account.
    Private {
        /// The sender.
        from: Arc<Identity>,
        /// What was said.
        text: String,
    },
}

impl From<PublicEvent> for KeptEvent {
    fn from(event: PublicEvent) -> Self {
        Self::Public(Arc::new(event))
    }
}

impl From<Arc<PublicEvent>> for KeptEvent {
    fn from(event: Arc<PublicEvent>) -> Self {
        Self::Public(event)
    }
}

/// A place in the order of kept events: behind the event of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of the event; 0 is the beginning.
    pub n: u64,
    /// Whose numbers these are.
    pub epoch: Epoch,
}

/// Whose numbers positions have: a word of a store; where there is none, of a server from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch([u8; EPOCH_LETTERS]);

impl Epoch {
    /// A word out of a random number.
    #[must_use]
    pub fn from_random(mut random: u64) -> Self {
        Self([(); EPOCH_LETTERS].map(|()| {
            let letter = b'a' + u8::try_from(random % 26).expect("there are 26 letters");
            random /= 26;
            letter
        }))
    }
}

impl FromStr for Epoch {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let letters = word.as_bytes().try_into().map_err(drop)?;
        if word.bytes().all(|letter| letter.is_ascii_lowercase()) { Ok(Self(letters)) } else { Err(()) }
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (n, epoch) = text.split_once('.').ok_or(())?;
        if n.starts_with('+') {
            return Err(()); // Rust would read it as a number
        }
        Ok(Self { n: n.parse().map_err(drop)?, epoch: epoch.parse()? })
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).expect("letters are ASCII"))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.n, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_a_word_that_can_be_read_again() {
        for random in [0, 1, 26, 123_456_789, u64::MAX] {
            let epoch = Epoch::from_random(random);
            let word = epoch.to_string();
            assert!(word.len() == 5 && word.bytes().all(|letter| letter.is_ascii_lowercase()), "{word}");
            assert_eq!(word.parse(), Ok(epoch));
        }
        assert_eq!(Epoch::from_random(27).to_string(), "bbaaa");
        for word in ["", "abcd", "abcdef", "Abcde", "abcd1", "日a"] {
            assert_eq!(word.parse::<Epoch>(), Err(()), "{word}");
        }
    }

    #[test]
    fn a_position_is_a_number_and_an_epoch() {
        let position = Position { n: 42, epoch: Epoch::from_random(0) };
        assert_eq!((position.to_string(), "42.aaaaa".parse()), ("42.aaaaa".to_owned(), Ok(position)));
        for text in ["", "42", "42.", ".aaaaa", "x.aaaaa", "-1.aaaaa", "+1.aaaaa", "42.aaaaa.b"] {
            assert_eq!(text.parse::<Position>(), Err(()), "{text}");
        }
    }
}
