//! What a user can ask of the chat. Meaning, never bytes: `protocol` makes these out of lines.

use std::time::Duration;

/// One request of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Said to everyone.
    Say(String),
    /// Who is here?
    Who,
    /// Be called this from here on (not yet known to be a valid name).
    Rename(String),
    /// Said to one user only.
    Private {
        /// The name, or the address of a user without one, as it was written.
        to: String,
        /// What is said.
        text: String,
    },
    /// Answer with this token when all that the client sent before has taken effect.
    Sync(String),
    /// Answer when the condition holds, or hang up after the timeout. Later commands wait until then.
    Wait(Duration, WaitFor),
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// A user of this name is here.
    User(String),
    /// No user of this name is here.
    Gone(String),
    /// At least this many users are here.
    Users(usize),
    /// Somebody else's text that contains this has been delivered.
    Text(String),
}

impl Command {
    /// Bytes of the texts in it.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Say(text) | Self::Rename(text) | Self::Sync(text) => text.len(),
            Self::Private { to, text } => to.len() + text.len(),
            Self::Wait(_, WaitFor::User(text) | WaitFor::Gone(text) | WaitFor::Text(text)) => text.len(),
            Self::Wait(_, WaitFor::Users(_)) | Self::Who => 0,
        }
    }
}
