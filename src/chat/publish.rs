//! What happens in rooms is told there, and kept for those who come later.

use std::sync::Arc;

use super::{Chat, ClientId, Event, Output, Public, RoomId, recent::Kept, record::Position};

impl Chat {
    /// Tells a room something, and keeps it. Answers its position, if it is kept.
    pub(super) fn publish(&mut self, room: RoomId, event: Event, out: &mut Vec<Output>) -> Option<Position> {
        self.publish_except(room, None, event, out)
    }

    /// The same, apart from one who has an answer of its own.
    pub(super) fn publish_except(
        &mut self,
        room: RoomId,
        except: Option<ClientId>,
        event: Event,
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

    /// Keeps an event for those who come later.
    fn keep(&mut self, room: RoomId, event: &Arc<Event>) -> Option<Position> {
        let is_kept = match **event {
            Event::Message { .. } | Event::Topic { .. } => true,
            Event::Online(_) | Event::Offline(..) | Event::Joined(_) | Event::Left(_) | Event::KnownAs { .. } => {
                room != RoomId::LOBBY || self.rules.keeps_presence
            }
            Event::Private { .. }
            | Event::User(_)
            | Event::UsersEnd(_)
            | Event::Renamed { .. }
            | Event::Room { .. }
            | Event::Token(..)
            | Event::Past(..)
            | Event::Done(_)
            | Event::Declined(..)
            | Event::Synced(_)
            | Event::WaitMet(_)
            | Event::WaitTimedOut
            | Event::Refused(_)
            | Event::Farewell(_) => false,
        };
        if !is_kept || self.position().is_none() || self.holds_too_much() {
            return None;
        }
        self.events += 1;
        self.recent.push(room, Kept { n: self.events, at: self.at, event: Arc::clone(event) });
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
        (self.rules.recent.per_room_max > 0 || self.has_store())
            .then_some(Position { n: self.events, epoch: self.epoch })
    }
}
