//! What a session has for the broker, and what it wants of its socket.

use crate::{
    chat::{Command, Departure},
    protocol::{Dialect, Reply},
};

/// One thing that the broker does for a client, in this order with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The user is here from now on.
    Arrive,
    /// The user visits from now on: it speaks without being here.
    Visit,
    /// The user asks the chat for something.
    Command(Command),
    /// The protocol itself answers the user.
    Reply(Reply),
    /// The user asks whether anything was refused since it last asked. If so, the connection ends.
    Check(String),
    /// From here on the client is spoken to in this dialect.
    Speak(Dialect),
    /// The client can be told nothing any more. Commands that it sent before may still come.
    Broken,
    /// The client has sent its last command.
    Eof,
    /// The connection ends, for this reason.
    Close(Departure),
}

/// What a connection has for the broker at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// How many lines that was. Where there were any, the next ones need a new credit: [`super::Session::credited`].
    pub lines: usize,
}

impl Batch {
    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Eof | Step::Close(_)))
    }

    /// What it takes to hold it, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.steps.iter().map(|step| size_of::<Step>() + step.text_bytes()).sum()
    }
}

impl Step {
    fn text_bytes(&self) -> usize {
        match self {
            Self::Command(command) => command.text_bytes(),
            Self::Check(token) => token.len(),
            Self::Arrive
            | Self::Visit
            | Self::Reply(_)
            | Self::Speak(_)
            | Self::Broken
            | Self::Eof
            | Self::Close(_) => 0,
        }
    }
}

/// How much of what a client sends is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// All that it sends.
    All,
    /// What it has sent by now, and no more.
    Held,
    /// Nothing: much waits for it, and it is not to ask for more.
    Nothing,
}

/// What a session wants to know of its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read.
    Read,
    /// Only that the peer has ended or broken off: then read. Other bytes wait in the kernel.
    HangUp,
    /// Only that the connection is broken.
    Broken,
    /// Nothing: it is over.
    Nothing,
}
