//! Who waits for what, and whether it has happened.

use std::time::Duration;

use pipechat::chat::{ClientId, Departure, RoomId, WaitFor};

use super::{ARGUMENT_MAX, Model, Wait, composed};
use crate::names::room_key;

impl Model {
    pub(super) fn holds(&self, wait: &WaitFor) -> bool {
        match wait {
            WaitFor::User(name) => self.bearer(name).is_some(),
            WaitFor::Gone(name) => self.bearer(name).is_none(),
            WaitFor::Users(users) => *users <= self.present().count(),
            WaitFor::Members(room, members) => *members <= self.rooms.members_at(&room_key(room)),
            WaitFor::Text(_) | WaitFor::In { .. } | WaitFor::By { .. } => false,
        }
    }

    pub(super) fn wait(&mut self, client: ClientId, timeout: Duration, wait: &WaitFor) {
        let until = self.now + timeout;
        let guest = self.guest(client).expect("only guests wait");
        guest.wait = Wait::Until(until, wait.clone());
        if guest.is_broken {
            self.end(client, Departure::Lost);
        }
    }

    /// Somebody has come into a room.
    pub(super) fn meet_members(&mut self, room: RoomId) {
        let Some(room) = self.rooms.get(room) else { return };
        let (key, members) = (room.key.clone(), room.members.len());
        self.meet(|wait| matches!(wait, WaitFor::Members(of, n) if room_key(of) == key && *n <= members));
    }

    /// What these wait for has happened: in order of what that is, and then of their ids.
    pub(super) fn meet(&mut self, is_met: impl Fn(&WaitFor) -> bool) {
        let mut met: Vec<_> = self
            .guests
            .iter()
            .filter_map(|guest| match &guest.wait {
                Wait::Until(_, wait) if is_met(wait) => Some(match wait {
                    WaitFor::Users(n) | WaitFor::Members(_, n) => (*n, String::new(), guest.client),
                    WaitFor::Text(part) | WaitFor::In { part, .. } | WaitFor::By { part, .. } => {
                        (0, composed(part), guest.client)
                    }
                    WaitFor::User(_) | WaitFor::Gone(_) => (0, String::new(), guest.client),
                }),
                Wait::Until(..) | Wait::None | Wait::Met | Wait::Asking => None,
            })
            .collect();
        met.sort();
        met.into_iter().for_each(|(_, _, client)| self.meet_one(client, &is_met));
    }

    pub(super) fn meet_one(&mut self, client: ClientId, is_met: impl Fn(&WaitFor) -> bool) {
        let Some(guest) = self.guest(client) else { return };
        if let Wait::Until(_, wait) = &guest.wait
            && is_met(wait)
        {
            let arg = arg(wait);
            guest.wait = Wait::Met;
            self.met.push_back((client, arg));
        }
    }
}

/// What was waited for, in the words of the one who waits.
pub(super) fn arg(wait: &WaitFor) -> String {
    match wait {
        WaitFor::User(arg) | WaitFor::Gone(arg) | WaitFor::Text(arg) | WaitFor::In { part: arg, .. } => arg.clone(),
        WaitFor::By { part, .. } => part.clone(),
        WaitFor::Users(n) | WaitFor::Members(_, n) => n.to_string(),
    }
}

/// A name or a part of a text that nobody looks for.
pub(super) fn is_too_long(wait: &WaitFor) -> bool {
    match wait {
        WaitFor::User(arg) | WaitFor::Gone(arg) | WaitFor::Text(arg) | WaitFor::Members(arg, _) => {
            arg.len() > ARGUMENT_MAX
        }
        WaitFor::In { room, part } => room.len() > ARGUMENT_MAX || part.len() > ARGUMENT_MAX,
        WaitFor::By { part, .. } => part.len() > ARGUMENT_MAX,
        WaitFor::Users(_) => false,
    }
}
