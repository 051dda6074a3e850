//! What a session hands to the broker, and what it wants of its socket.

use crate::{
    chat::{Command, Departure},
    protocol::{Dialect, Reply},
};

/// One thing for the broker to do for a client. Steps are done in order.
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
    /// From here on the client is sent this dialect.
    Speak(Dialect),
    /// A request begins, whose lines have one result. The credit behind it tells what was refused first; what follows that is
    /// left out, if it is to stop there.
    Request {
        /// Whether it is.
        stops_at_refusal: bool,
    },
    /// The connection is broken: nothing can be sent to the client any more. Commands that it sent before may still follow.
    Broken,
    /// The client has sent its last command.
    Eof,
    /// The connection ends, for this reason.
    Close(Departure),
}

/// What a connection hands to the broker at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// How many lines the steps come from. If there were any, the next ones need a new credit: [`super::Session::credited`].
    pub lines: usize,
}

impl Batch {
    /// Whether no batch follows this one.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Eof | Step::Close(_)))
    }

    /// How much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.steps.iter().map(Step::bytes).sum()
    }
}

impl Step {
    /// What it takes to hold it, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.text_bytes()
    }

    /// Whether it is a line that may be left out where nobody waits for an answer.
    #[must_use]
    pub fn is_line(&self) -> bool {
        match self {
            Self::Command(_) | Self::Check(_) | Self::Reply(_) | Self::Speak(_) => true,
            Self::Arrive | Self::Visit | Self::Request { .. } | Self::Broken | Self::Eof | Self::Close(_) => false,
        }
    }

    fn text_bytes(&self) -> usize {
        match self {
            Self::Command(command) => command.text_bytes(),
            Self::Check(token) => token.len(),
            Self::Arrive
            | Self::Visit
            | Self::Reply(_)
            | Self::Speak(_)
            | Self::Request { .. }
            | Self::Broken
            | Self::Eof
            | Self::Close(_) => 0,
        }
    }
}

/// How much of what a client sends the session may handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// All that it sends.
    All,
    /// What it has sent by now, and no more.
    Held,
    /// Nothing: its output queue is long, and its next requests would add to it.
    Nothing,
}

/// What a session wants to know of its socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes to read.
    Read,
    /// Only the end of input or a broken connection: then read. Other bytes wait in the kernel.
    HangUp,
    /// Only that the connection breaks.
    Broken,
    /// Nothing: the conversation is over.
    Nothing,
}
