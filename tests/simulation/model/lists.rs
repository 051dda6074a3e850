//! Long answers, for those who read what they are told.

use std::sync::Arc;

use pipechat::chat::{ClientId, Congestion, Event, RoomId};

use super::{
    Model, Wait,
    replay::{Next, Replay},
};

/// What can be listed.
#[derive(Clone, Copy)]
pub(super) enum List {
    /// Those who are here.
    Users,
    /// Those who are in a room.
    Members(RoomId),
    /// All rooms.
    Rooms,
    /// What has happened in a room.
    Past(Replay),
}

impl Model {
    /// Only whose congestion ends tries again.
    pub(super) fn congested(&mut self, client: ClientId, congestion: Congestion) {
        let Some(guest) = self.guest(client) else { return };
        guest.congestion = congestion;
        if congestion == Congestion::None {
            self.asking.extend(self.paused.remove(&client).map(|list| (client, list)));
        }
    }

    pub(super) fn list(&mut self, client: ClientId, mut list: List) {
        let Some(guest) = self.guest(client) else { return };
        guest.wait = Wait::Asking;
        let is_broken = guest.is_broken;
        if !is_broken && guest.congestion != Congestion::None {
            if let List::Past(replay) = &mut list {
                replay.holds = false;
                self.notes.push(format!("the replay of {client} pauses"));
            }
            self.paused.insert(client, list);
            return;
        }
        if !is_broken {
            let events = match list {
                List::Users => self.users(),
                List::Members(room) => self.members_of(room),
                List::Rooms => self.rooms.list(),
                List::Past(replay) => match self.replay(client, replay) {
                    Next::Left(left) => return self.asking.push_back((client, List::Past(left))),
                    Next::Asked => return,
                    Next::Over => Vec::new(),
                },
            };
            events.into_iter().for_each(|event| self.tell(client, event));
        }
        if let (true, List::Past(replay)) = (is_broken, list) {
            self.skip(client, replay);
        }
        self.done(client);
    }

    pub(super) fn users(&self) -> Vec<Event> {
        let users: Vec<_> = self.members().map(|(_, who)| Event::User(Arc::clone(who))).collect();
        let end = Event::UsersEnd(users.len());
        users.into_iter().chain([end]).collect()
    }
}
