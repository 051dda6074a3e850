//! What a user can ask for. Meaning, never bytes: `wire` makes these out of lines.

use super::event::Refusal;

/// One line of a user, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A line with nothing in it: a sign of life.
    Blank,
    /// Said to everyone.
    Say(String),
    /// Who is here?
    Who,
    /// From here on I am called this (not yet known to be a valid name).
    Rename(String),
    /// Said to one user only.
    Private {
        /// The name, or the address of a user without one, as it was written.
        to: String,
        /// What is said.
        text: String,
    },
    /// An HTTP request line. Chat like any other, except as the first words of a connection.
    Http(String),
}

/// A line as the chat gets it: understood, or refused because of its form.
pub type Line = Result<Command, Refusal>;

impl Command {
    /// Whether the lines after this one wait until it is answered, because its answer may be long. One such line at a
    /// time bounds what a client can make the server hold for it.
    #[must_use]
    pub fn ends_batch(&self) -> bool {
        match self {
            Self::Who => true,
            Self::Blank | Self::Say(_) | Self::Rename(_) | Self::Private { .. } | Self::Http(_) => false,
        }
    }
}
