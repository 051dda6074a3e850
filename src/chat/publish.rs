//! What happens in rooms is told there, and kept for those who come later.

use std::sync::Arc;

use super::{Chat, ClientId, Output, Public, PublicEvent, Record, RoomId, record::Position, stored::StoreState};

impl Chat {
    /// Tells a room something, and keeps it. Answers its position, if it is kept.
    pub(super) fn publish(&mut self, room: RoomId, event: PublicEvent, out: &mut Vec<Output>) -> Option<Position> {
        self.publish_except(room, None, event, out)
    }

    /// The same, apart from one who has an answer of its own.
    pub(super) fn publish_except(
        &mut self,
        room: RoomId,
        except: Option<ClientId>,
        event: PublicEvent,
        out: &mut Vec<Output>,
    ) -> Option<Position> {
        if self.is_closing {
            return None; // all are on their way out
        }
        self.rooms.get(room)?;
        let (seq, event) = (self.rooms.next_seq(room), Arc::new(event));
        let position = self.keep(room, &event);
        let of = self.rooms.get(room)?;
        let (name, members) = (of.name.shared(), of.len());
        out.push(Output::Publish(Public { room, name, members, except, seq, position, event }));
        position
    }

    /// Keeps a departure of which nobody is told, since all are on their way out: those who come after a restart see that
    /// everybody has left. While the store fails it is not worth waiting for.
    pub(super) fn keep_untold(&mut self, room: RoomId, event: PublicEvent, out: &mut Vec<Output>) {
        if self.store != StoreState::Works {
            return;
        }
        let Some(name) = self.rooms.get(room).map(|of| of.name.shared()) else { return };
        let event = Arc::new(event);
        if let Some(Position { n, .. }) = self.keep(room, &event) {
            out.push(Output::Keep(Record { n, at: self.at, room: name, event: event.into() }));
        }
    }

    /// Keeps an event for those who come later.
    fn keep(&mut self, room: RoomId, event: &Arc<PublicEvent>) -> Option<Position> {
        let is_kept = match **event {
            PublicEvent::Message { .. } | PublicEvent::Topic { .. } => true,
            PublicEvent::Online(_)
            | PublicEvent::Offline(..)
            | PublicEvent::Joined(_)
            | PublicEvent::Left(_)
            | PublicEvent::KnownAs { .. } => room != RoomId::LOBBY || self.rules.keeps_presence,
        };
        if !is_kept || self.position().is_none() || self.holds_too_much() {
            return None;
        }
        self.events += 1;
        self.recent.push(room, self.events, self.at, event);
        self.rooms.set_history(room, true);
        let emptied = self.recent.trim();
        self.forget_history(emptied);
        self.position()
    }

    /// Nothing of what has happened in these rooms is in memory any more.
    pub(super) fn forget_history(&mut self, rooms: Vec<RoomId>) {
        if !self.has_store() {
            rooms.into_iter().for_each(|room| self.rooms.set_history(room, false));
        }
    }

    /// Behind all that has happened so far, if that is kept.
    pub(super) fn position(&self) -> Option<Position> {
        self.position_of(self.events)
    }

    /// Behind the event of this number, if events are kept.
    pub(super) fn position_of(&self, n: u64) -> Option<Position> {
        (self.rules.recent.per_room_max > 0 || self.has_store()).then_some(Position { n, epoch: self.epoch })
    }
}
