//! Recognizes other protocols at the beginning of a connection: a browser, a health check or a scanner on the wrong port.
//! Nothing that it sends may become a chat message.

use crate::{
    chat::Departure,
    protocol::line::{
        Frame,
        foreign::{self, Foreign, Opening, Verdict},
    },
};

/// How far a connection has been checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preface {
    /// No chat yet; these are the first bytes.
    Bytes(Opening),
    /// No chat yet, and the first bytes are of no protocol that is known by its bytes.
    NoLine,
    /// One line of chat. The next one may still be an HTTP header.
    OneLine,
    /// Two lines of chat: no longer checked.
    Over,
}

impl Preface {
    pub(super) fn new() -> Self {
        Self::Bytes(Opening::default())
    }

    /// Checks bytes as they are on the wire. Returns why the connection is to end, if they are another protocol's.
    pub(super) fn received(&mut self, bytes: &[u8]) -> Option<Departure> {
        let Self::Bytes(opening) = self else { return None };
        match opening.received(bytes) {
            Verdict::Foreign(foreign) => return Some(departure(foreign)),
            Verdict::NotYet => {}
            Verdict::No => *self = Self::NoLine,
        }
        None
    }

    /// Checks a line. Returns why the connection is to end, if it is another protocol's. Lines that are too long or not UTF-8 are
    /// not checked.
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

    /// The line was chat. Not to be called for commands and blank lines: another protocol may follow those.
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
