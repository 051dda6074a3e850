//! The first words of a connection, as far as they tell another protocol: a browser, a health check or a scanner that has
//! come to the wrong port. Nothing of theirs is to be said to everyone.

use crate::{
    chat::Departure,
    protocol::line::{
        Frame,
        foreign::{self, Foreign, Opening, Verdict},
    },
};

/// What a connection has said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preface {
    /// No chat; these are the first bytes.
    Bytes(Opening),
    /// No chat, and the first bytes tell of no other protocol.
    NoLine,
    /// One line of chat. The next one may be a header of HTTP.
    OneLine,
    /// It is here to chat.
    Over,
}

impl Preface {
    pub(super) fn new() -> Self {
        Self::Bytes(Opening::default())
    }

    /// Bytes have come, as they are on the wire. Why the connection is to end, if they show another protocol.
    pub(super) fn received(&mut self, bytes: &[u8]) -> Option<Departure> {
        let Self::Bytes(opening) = self else { return None };
        match opening.received(bytes) {
            Verdict::Foreign(foreign) => return Some(departure(foreign)),
            Verdict::NotYet => {}
            Verdict::No => *self = Self::NoLine,
        }
        None
    }

    /// A line has come. Why the connection is to end, if it shows another protocol. Lines that are too long or no text tell
    /// nothing.
    pub(super) fn check(&self, frame: &Frame<'_>) -> Option<Departure> {
        let may_begin = match self {
            Self::Bytes(_) | Self::NoLine => true,
            Self::OneLine => false,
            Self::Over => return None,
        };
        let line = match frame {
            Frame::Line(line) => str::from_utf8(line).ok()?,
            Frame::TooLong => return None,
        };
        if foreign::is_host_header(line) {
            return Some(Departure::Http);
        }
        foreign::of_line(line).filter(|_| may_begin).map(departure)
    }

    /// That line was chat. Commands and blank lines are none: what comes behind them may still be another protocol.
    pub(super) fn said(&mut self) {
        *self = match self {
            Self::Bytes(_) | Self::NoLine => Self::OneLine,
            Self::OneLine | Self::Over => Self::Over,
        };
    }
}

fn departure(foreign: Foreign) -> Departure {
    match foreign {
        Foreign::Http => Departure::Http,
        Foreign::Other => Departure::OtherProtocol,
    }
}
