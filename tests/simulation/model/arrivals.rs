//! Who comes, visits and goes.

use std::sync::Arc;

use pipechat::{
    Addr,
    chat::{ClientId, Congestion, Departure, Event, Identity, Output, PublicEvent, RoomId, WaitFor},
};

use super::{Guest, Model, Wait};
use crate::names::same;

impl Model {
    pub(super) fn arrive(&mut self, client: ClientId, addr: Addr) {
        if self.is_closing {
            self.tell(client, Event::Farewell(Departure::ShuttingDown));
            self.out.push(Output::HangUp(client, Departure::ShuttingDown));
            return;
        }
        let who = self.come(client, addr, false);
        self.enter(client, RoomId::LOBBY);
        self.publish(RoomId::LOBBY, PublicEvent::Online(who));
        let users = self.present().count();
        self.meet(|wait| matches!(wait, WaitFor::User(name) if *name == addr.to_string()));
        self.meet(|wait| matches!(wait, WaitFor::Users(n) if *n <= users));
        self.meet_members(RoomId::LOBBY);
    }

    pub(super) fn visit(&mut self, client: ClientId, addr: Addr) {
        let is_closing = self.is_closing;
        match self.guest(client) {
            Some(guest) if guest.is_visitor => {}
            Some(guest) => {
                guest.is_visitor = true;
                guest.current = RoomId::LOBBY;
                let who = Arc::clone(&guest.who);
                let rooms = self.rooms.with(client);
                self.out.extend(rooms.iter().map(|&room| Output::Part(client, room)));
                self.be_gone(client, &who, Departure::Visiting);
                self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
            }
            None if is_closing => self.arrive(client, addr),
            None => drop(self.come(client, addr, true)),
        }
    }

    /// One that was not turned away may ask for something.
    pub(super) fn has_come(&mut self, client: ClientId) {
        let is_here = self.guest(client).is_some();
        self.out.extend(is_here.then_some(Output::Ready(client)));
    }

    fn come(&mut self, client: ClientId, addr: Addr, is_visitor: bool) -> Arc<Identity> {
        let who = Arc::new(Identity { name: addr.to_string(), addr: addr.to_string(), is_account: false });
        let place = self.guests.iter().take_while(|guest| guest.client < client).count();
        let guest = Guest {
            client,
            who: Arc::clone(&who),
            wait: Wait::None,
            congestion: Congestion::None,
            input_closed: false,
            is_broken: false,
            is_visitor,
            current: RoomId::LOBBY,
            is_told_later: None,
        };
        self.guests.insert(place, guest);
        who
    }

    pub(super) fn end(&mut self, client: ClientId, departure: Departure) {
        let Some(place) = self.guests.iter().position(|guest| guest.client == client) else { return };
        let Guest { who, is_visitor, wait, .. } = self.guests.remove(place);
        self.questions.remove(&client);
        if wait == Wait::Asking {
            self.notes.push(format!("the answer to {client} ends with it"));
        }
        use Departure::{CheckFailed, Left, Lost, WaitTimedOut};
        if !matches!(departure, Left | Lost | WaitTimedOut | CheckFailed) {
            self.tell(client, Event::Farewell(departure));
        }
        self.out.push(Output::HangUp(client, departure));
        self.be_gone(client, &who, departure);
        if is_visitor {
            return;
        }
        self.meet(|wait| matches!(wait, WaitFor::Gone(gone) if same(gone, &who.name)));
    }
}
