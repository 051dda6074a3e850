//! Clients arrive, and leave again.

use std::sync::Arc;

use super::{
    Chat, ClientId, Departure, Event, Output, PublicEvent, RoomId,
    members::{Door, Progress, Removed},
    wait::Topic,
};
use crate::origin::Origin;

impl Chat {
    pub(super) fn arrive(&mut self, client: ClientId, origin: Origin, out: &mut Vec<Output>) {
        if self.is_closing {
            return Self::turn_away(client, out);
        }
        if self.turn_banned_away(client, &origin, out) {
            return;
        }
        if self.wait_at_door(client, &origin, Door::Arrives) {
            return;
        }
        let (who, key) = self.members.insert(client, origin);
        self.enter(client, RoomId::LOBBY, out);
        self.publish(RoomId::LOBBY, PublicEvent::Online(who), out);
        self.waits.meet(&Topic::Here(key.into()));
        self.waits.meet_users(self.members.len());
        self.meet_members(RoomId::LOBBY);
    }

    /// The server shuts down: the client has come too late.
    pub(super) fn turn_away(client: ClientId, out: &mut Vec<Output>) {
        out.push(Output::tell(client, Event::Farewell(Departure::ShuttingDown)));
        out.push(Output::HangUp(client, Departure::ShuttingDown));
    }

    /// The client has sent its last command.
    pub(super) fn eof(&mut self, client: ClientId, out: &mut Vec<Output>) {
        match self.members.get_mut(client) {
            Some(member) if member.progress != Progress::Done => member.leave_when_done(Departure::Left),
            Some(_) | None => self.end(client, Departure::Left, out),
        }
    }

    /// The client can be told nothing any more.
    pub(super) fn broken(&mut self, client: ClientId, out: &mut Vec<Output>) {
        match self.members.get_mut(client) {
            Some(_) if self.waits.is_waiting(client) => self.end(client, Departure::Lost, out),
            Some(member) => member.is_broken = true,
            None => {}
        }
    }

    /// The client is gone, or is to go.
    pub(super) fn go(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) {
        match self.members.get_mut(client) {
            // What it has said before is told to all of those it is for.
            Some(member) if matches!(member.progress, Progress::Telling(_)) && departure.is_own() => {
                member.leave_when_done(departure);
            }
            Some(_) | None => self.end(client, departure, out),
        }
    }

    /// Nobody has a name of this key any more, unless somebody else has one.
    pub(super) fn meet_gone(&mut self, key: String) {
        if !self.members.has_present(&key) {
            self.waits.meet(&Topic::Gone(key.into()));
        }
    }

    pub(super) fn end(&mut self, client: ClientId, departure: Departure, out: &mut Vec<Output>) {
        self.break_off_delivery(client);
        if let Some(who) = self.members.get(client).map(|member| Arc::clone(&member.who)) {
            self.remember_name(client, &who);
        }
        let Some(Removed { who, rooms, key }) = self.members.remove(client) else { return };
        self.waits.end(client);
        self.congestion.remove(&client);
        self.questions.remove(&client);
        self.paused.remove(&client);
        self.accounts.end(client);
        self.order.end(client);
        if departure.is_told() {
            out.push(Output::tell(client, Event::Farewell(departure)));
        }
        out.push(Output::HangUp(client, departure));
        self.be_gone(client, &who, &rooms, departure, out);
        if let Some(key) = key {
            self.meet_gone(key);
        }
    }
}
