//! What one may not ask for who is muted, or stands outside a locked room.

use super::OrderRefusal;
use crate::chat::{Asked, Chat, ClientId, Command, Event, ROOMS_AT_ONCE_MAX, Refusal, RoomId, WaitFor};

impl Chat {
    /// What a client is told that may not ask for this.
    pub(in crate::chat) fn refused_by_order(&self, client: ClientId, command: &Command) -> Option<Event> {
        // What is asked for, in which room, and whether something is said with it.
        let (asked, room, speaks) = match command {
            Command::Say(_) => (None, self.members.get(client).map(|member| member.current), true),
            Command::Private { .. } => (Some(Asked::To), None, true),
            Command::Rename(_) => (Some(Asked::Rename), None, true),
            Command::In { room, .. } => (Some(Asked::In), self.room(room).ok(), true),
            Command::Topic { room, text } => (Some(Asked::Topic), self.room(room).ok(), text.is_some()),
            Command::Join { room, .. } => (Some(Asked::Join), self.room(room).ok(), false),
            Command::Follow { rooms, .. } => (Some(Asked::Join), self.locked_among(client, rooms), false),
            Command::History(stretch) => (Some(Asked::History), self.locked_among(client, &stretch.rooms), false),
            Command::WhoIn(room) => (Some(Asked::Who), self.room(room).ok(), false),
            Command::Wait(
                _,
                WaitFor::Members(room, _) | WaitFor::In { room, .. } | WaitFor::By { room: Some(room), .. },
            ) => (Some(Asked::Wait), self.room(room).ok(), false),
            Command::Wait(
                _,
                WaitFor::User(_)
                | WaitFor::Gone(_)
                | WaitFor::Users(_)
                | WaitFor::Text(_)
                | WaitFor::By { room: None, .. },
            )
            | Command::Who
            | Command::Leave(_)
            | Command::Rooms
            | Command::Sync(_)
            | Command::Account(_) => return None,
            // Most of it is told with words of the one who acts.
            Command::Order(order) => (Some(order.asked()), None, true),
        };
        let refusal = self.refusal(client, room, speaks)?;
        Some(match asked {
            Some(asked) => Event::Declined(asked, refusal),
            None => Event::Refused(refusal),
        })
    }

    /// Checks that no mute would end with the client's account.
    ///
    /// # Errors
    /// If one would.
    pub(in crate::chat) fn check_unmuted(&self, client: ClientId) -> Result<(), Refusal> {
        let in_rooms = self.order.rooms.keys().filter_map(|&room| self.mute_of(client, Some(room)));
        match self.mute_of(client, None).into_iter().chain(in_rooms).next() {
            Some(mute) => Err(OrderRefusal::Muted(mute.until).into()),
            None => Ok(()),
        }
    }

    /// The first of these rooms that is locked for a client.
    fn locked_among(&self, client: ClientId, rooms: &[String]) -> Option<RoomId> {
        let rooms = rooms.iter().take(ROOMS_AT_ONCE_MAX).filter_map(|room| self.room(room).ok());
        rooms.into_iter().find(|&room| !self.may_hear(client, room))
    }

    fn refusal(&self, client: ClientId, room: Option<RoomId>, speaks: bool) -> Option<Refusal> {
        if room.is_some_and(|room| !self.may_hear(client, room)) {
            return Some(OrderRefusal::RoomLocked.into());
        }
        if !speaks {
            return None;
        }
        let mute = self.mute_of(client, None).or_else(|| room.and_then(|room| self.mute_of(client, Some(room))));
        mute.map(|mute| OrderRefusal::Muted(mute.until).into())
    }
}
