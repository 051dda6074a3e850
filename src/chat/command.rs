//! What a user can ask for. Meaning, never bytes: `wire` makes these out of lines.

use std::time::Duration;

use super::event::{Format, Lang, Refusal};

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
    /// What can I ask for, and what are the limits?
    Help,
    /// Goodbye.
    Quit,
    /// Answer with this token when all that I sent before has taken effect.
    Sync(String),
    /// Answer when this is so; my later lines wait until then.
    Wait(Duration, WaitFor),
    /// Do not disconnect me for my silence.
    Stay,
    /// Speak to me in this format from here on.
    Format(Format),
    /// Speak to me in this language from here on.
    Lang(Lang),
    /// An HTTP request line. Chat like any other, except as the first words of a connection.
    Http(String),
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

/// The first word of a line that is a command. Each has one right form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `who`
    Who,
    /// `rename|NAME`
    Rename,
    /// `to|NAME|TEXT`
    To,
    /// `say|TEXT`
    Say,
    /// `sync|TOKEN`
    Sync,
    /// `wait|SECONDS|user|NAME` and its kin
    Wait,
    /// `stay`
    Stay,
    /// `format|json`, `format|text`
    Format,
    /// `lang|zh`, `lang|en`
    Lang,
    /// `help`
    Help,
    /// `quit`
    Quit,
}

/// A line as the chat gets it: understood, or refused because of its form.
pub type Line = Result<Command, Refusal>;

impl Command {
    /// Whether the lines after this one wait until it is answered: because that is what it is for, or because its answer
    /// may be long. One such line at a time bounds what a client can make the server hold for it.
    #[must_use]
    pub fn ends_batch(&self) -> bool {
        match self {
            Self::Who | Self::Help | Self::Wait(..) | Self::Quit => true,
            Self::Blank
            | Self::Say(_)
            | Self::Rename(_)
            | Self::Private { .. }
            | Self::Sync(_)
            | Self::Stay
            | Self::Format(_)
            | Self::Lang(_)
            | Self::Http(_) => false,
        }
    }
}
