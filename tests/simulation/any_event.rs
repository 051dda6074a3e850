//! What a client can be told: as one of all who are in a room, or alone.

use pipechat::{
    chat::{Event, PublicEvent},
    protocol::{Dialect, Stamp, render, render_public},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnyEvent {
    Public(PublicEvent),
    Alone(Event),
}

impl AnyEvent {
    pub(crate) fn render(&self, line: &mut Vec<u8>, stamp: Stamp<'_>, dialect: Dialect) {
        match self {
            Self::Public(event) => render_public(line, event, stamp, dialect),
            Self::Alone(event) => render(line, event, stamp, dialect),
        }
    }
}

impl From<PublicEvent> for AnyEvent {
    fn from(event: PublicEvent) -> Self {
        Self::Public(event)
    }
}

impl From<Event> for AnyEvent {
    fn from(event: Event) -> Self {
        Self::Alone(event)
    }
}
