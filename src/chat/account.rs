//! Accounts: names that belong to somebody, and what proves that one is that. Values only; no file, no passwords in the clear.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    name::{self, Name, NameRule},
    verify::Digest,
};

/// The most tokens of an account: one for each script and machine of a person.
pub const TOKENS_MAX: usize = 20;

/// What stands before an account's key in the name of its mailbox. No user's room can have such a name, because of the colon.
const MAILBOX: &str = "@:";

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What everyone may.
    User,
    /// Keep order on the whole server.
    Operator,
}

impl Role {
    /// All of them, as people are told of them.
    pub const ALL: [Self; 2] = [Self::User, Self::Operator];

    /// A word for machines, which never changes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Operator => "operator",
        }
    }

    /// The role of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A name that belongs to somebody. There is one for each key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name, as it was written first. It follows the rules of users' names.
    pub name: Arc<str>,
    /// The hash of the password, as a PHC string; none if there are only tokens.
    pub password: Option<Arc<str>>,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Timestamp,
    /// The number of the last private message that was delivered.
    pub read: u64,
    /// A number that is used once, and grows: another one comes with another password or role, and an account that is made
    /// again has another. See [`Self::next_generation`].
    pub generation: u64,
    /// What scripts log in with; at most [`TOKENS_MAX`], with different labels.
    pub tokens: Vec<Token>,
}

/// What a script logs in with. The token itself is shown once, and nowhere kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What its owner calls it.
    pub label: String,
    /// What is kept of it.
    pub digest: Digest,
    /// When it was made.
    pub created: Timestamp,
    /// When it was used last, and from which address.
    pub used: Option<(Timestamp, String)>,
}

/// What is to be kept of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// An account, with its tokens. It is a new one where there is none of its key. What somebody else has changed of it since
    /// [`super::Input::Accounts`] is kept all the same.
    Put(Account),
    /// The account of this name is no more, and neither are its mailbox and its roles.
    Gone(Arc<str>),
    /// Which private messages it was delivered.
    Read {
        /// The name of the account.
        account: Arc<str>,
        /// The number of the last one.
        n: u64,
    },
    /// A token was used.
    TokenUsed {
        /// The name of the account.
        account: Arc<str>,
        /// What its owner calls the token.
        label: String,
        /// When.
        at: Timestamp,
        /// From which address.
        addr: String,
    },
}

impl Token {
    /// Takes `text` as a label: the rules are those of users' names.
    ///
    /// # Errors
    /// The first rule that `text` breaks.
    pub fn parse_label(text: &str) -> Result<String, NameRule> {
        Name::parse(text).map(|label| label.as_str().to_owned())
    }
}

impl Account {
    /// One that is made now, without tokens.
    #[must_use]
    pub fn new(name: &Name, password: Option<Arc<str>>, now: Timestamp) -> Self {
        let (name, generation) = (name.as_str().into(), Self::next_generation(0, now));
        Self { name, password, role: Role::User, created: now, read: 0, generation, tokens: Vec::new() }
    }

    /// The generation that comes after `before`: the time, in microseconds, unless that is behind. So nobody has to remember
    /// those of accounts that are no more, and two processes need not ask each other.
    #[must_use]
    pub fn next_generation(before: u64, now: Timestamp) -> u64 {
        u64::try_from(now.as_microsecond()).unwrap_or(0).max(before.saturating_add(1))
    }

    /// Whether this is its name, as somebody has written it.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        name::lookup_key(name).is_some_and(|key| key == self.key())
    }

    /// Names with equal keys are those of one account.
    #[must_use]
    pub fn key(&self) -> String {
        account_key(&self.name)
    }
}

/// The key of the account of this name: that of a user's name.
#[must_use]
pub fn account_key(name: &str) -> String {
    name::key(name)
}

/// Whether two names are one, or look alike, so that only one of them may be an account's.
#[must_use]
pub fn are_confusable(one: &str, other: &str) -> bool {
    account_key(one) == account_key(other) || name::confusable_skeleton(one) == name::confusable_skeleton(other)
}

/// The room, of which the chat knows nothing, in which a store keeps the private messages of the account of this name.
#[must_use]
pub fn mailbox(name: &str) -> Arc<str> {
    format!("{MAILBOX}{}", account_key(name)).into()
}

/// Whether a room that a store has kept is an account's mailbox, and no room of users.
#[must_use]
pub fn is_mailbox(room: &str) -> bool {
    room.starts_with(MAILBOX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::RoomName;

    #[test]
    fn a_mailbox_is_no_room_of_users() {
        assert_eq!((&*mailbox("Ann"), &*mailbox("日本")), ("@:ann", "@:日本"));
        assert!(is_mailbox(&mailbox("ann")) && !is_mailbox("@ann") && RoomName::parse("@ann").is_ok());
        assert!(RoomName::parse(&mailbox("ann")).is_err() && RoomName::parse("#@:ann").is_err());
    }

    #[test]
    fn generations_grow_with_any_clock() {
        let [past, now] = [1, 2].map(|second| Timestamp::from_second(second).unwrap());
        assert_eq!(Account::next_generation(0, now), 2_000_000);
        assert_eq!(Account::next_generation(2_000_000, now), 2_000_001);
        assert_eq!(Account::next_generation(2_000_001, past), 2_000_002);
        assert_eq!(Account::next_generation(0, Timestamp::MIN), 1);
    }

    #[test]
    fn roles_have_words() {
        for role in Role::ALL {
            assert_eq!(Role::of(role.word()), Some(role));
        }
        assert_eq!(Role::of("king"), None);
    }
}
