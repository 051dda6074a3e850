//! What is done in rooms, and who is told of it.

use std::{net::SocketAddr, sync::Arc};

use pipechat::chat::{
    Asked, ClientId, Command, Departure, Done, Event, Identity, Output, Position, Public, PublicEvent, Record, Refusal,
    RoomId, WaitFor,
};

use super::{ARGUMENT_MAX, Model, has, rooms::LOBBY};
use crate::names::{room_key, room_name};

impl Model {
    /// What has become of rooms that did not stay, and of replays, since this was asked.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        let of_rooms = std::mem::take(&mut self.rooms.notes);
        of_rooms.into_iter().chain(self.notes.drain(..)).collect()
    }

    pub(super) fn name_of(&self, room: RoomId) -> Arc<str> {
        self.rooms.get(room).map_or("", |room| &room.name).into()
    }

    pub(super) fn members_of(&self, room: RoomId) -> Vec<Event> {
        let Some(room) = self.rooms.get(room) else { return vec![Event::Declined(Asked::Who, Refusal::NoSuchRoom)] };
        let members = self.guests.iter().filter(|guest| room.members.contains(&guest.client));
        let end = Event::Done(Done::Who(room.name.as_str().into(), room.members.len()));
        members.map(|guest| Event::User(Arc::clone(&guest.who))).chain([end]).collect()
    }

    /// Tells a room something. Answers its position, if it has one.
    pub(super) fn publish(&mut self, room: RoomId, event: PublicEvent) -> Option<Position> {
        self.publish_except(room, None, event)
    }

    /// The same, apart from one who has an answer of its own.
    pub(super) fn publish_except(
        &mut self,
        room: RoomId,
        except: Option<ClientId>,
        event: PublicEvent,
    ) -> Option<Position> {
        if self.is_closing {
            return None;
        }
        self.rooms.get(room)?;
        self.rooms.used += 1;
        let used = self.rooms.used;
        if let Some(of) = self.rooms.get_mut(room) {
            of.used = used;
            of.seq += 1;
        }
        let event = Arc::new(event);
        let position = self.keep(room, &event);
        let of = self.rooms.get(room)?;
        let (name, members, seq) = (of.name.as_str().into(), of.members.len(), of.seq);
        self.out.push(Output::Publish(Public { room, name, members, except, seq, position, event }));
        position
    }

    /// A store that works keeps this, though nobody is told.
    fn keep_untold(&mut self, room: RoomId, event: PublicEvent) {
        if self.rules.has_store && !self.is_store_down && self.rooms.get(room).is_some() {
            let event = Arc::new(event);
            if let Some(Position { n, .. }) = self.keep(room, &event) {
                self.out.push(Output::Keep(Record { n, at: self.at, room: self.name_of(room), event: event.into() }));
            }
        }
    }

    pub(super) fn enter(&mut self, client: ClientId, room: RoomId) {
        self.rooms.enter(room, client);
        self.out.push(Output::Join(client, room));
    }

    /// The client is in no room any more, and those that are left there are told so.
    pub(super) fn be_gone(&mut self, client: ClientId, who: &Arc<Identity>, departure: Departure) {
        for room in self.rooms.with(client) {
            self.exit(client, room);
            let event = PublicEvent::Offline(Arc::clone(who), departure);
            if self.is_closing {
                self.keep_untold(room, event);
            } else {
                self.publish(room, event);
            }
        }
    }

    fn exit(&mut self, client: ClientId, room: RoomId) {
        let of = self.rooms.get_mut(room).expect("the client is in it");
        of.members.retain(|&member| member != client);
        if let Some(guest) = self.guest(client) {
            guest.is_told_later.take_if(|told| *told == room);
        }
        self.rooms.vacate(room);
    }

    /// Says something in the room where the client's plain lines go. Visitors need not be in the lobby.
    pub(super) fn say(&mut self, client: ClientId, from: Arc<Identity>, text: &str) {
        let guest = self.guest(client).expect("only guests speak");
        let (room, is_visitor) = (guest.current, guest.is_visitor);
        let is_there = self.rooms.get(room).is_some_and(|room| room.members.contains(&client));
        let may_speak = is_there || is_visitor && room == RoomId::LOBBY;
        if !may_speak {
            return self.tell(client, Event::Refused(Refusal::NotInRoom));
        }
        if let Err(refusal) = self.check_stored() {
            return self.tell(client, Event::Refused(refusal));
        }
        let key = self.rooms.get(room).expect("somebody is there, or it is the lobby").key.clone();
        self.publish(room, PublicEvent::Message { from, text: text.to_owned() });
        self.meet_text(&key, text);
    }

    /// What is asked for in a room, apart from lists.
    pub(super) fn in_rooms(
        &mut self,
        client: ClientId,
        from: Arc<Identity>,
        command: &Command,
    ) -> Result<Done, (Asked, Refusal)> {
        match command {
            Command::Join { room, start: None } => self.join(client, room).map_err(|refusal| (Asked::Join, refusal)),
            Command::In { room, text } => self.say_in(client, from, room, text).map_err(|refusal| (Asked::In, refusal)),
            Command::Leave(room) => self.leave(client, from, room).map_err(|refusal| (Asked::Leave, refusal)),
            Command::Topic { room, text } => {
                self.topic(from, room, text.as_ref()).map_err(|refusal| (Asked::Topic, refusal))
            }
            Command::Say(_)
            | Command::Who
            | Command::Rename(_)
            | Command::Private { .. }
            | Command::Rooms
            | Command::Join { .. }
            | Command::Follow { .. }
            | Command::History(_)
            | Command::WhoIn(_)
            | Command::Sync(_)
            | Command::Account(_)
            | Command::Order(_)
            | Command::Wait(..) => unreachable!("{command:?}"),
        }
    }

    fn join(&mut self, client: ClientId, name: &str) -> Result<Done, Refusal> {
        let (made, payer) = (self.rooms.made, self.payer(client));
        let room = self.rooms.open(client, payer, name)?;
        self.remember_new(made, room);
        Ok(self.come_in(client, room))
    }

    /// The client is in the room now, if it was not before.
    pub(super) fn come_in(&mut self, client: ClientId, room: RoomId) -> Done {
        let guest = self.guest(client).expect("only guests speak");
        guest.current = room;
        let from = Arc::clone(&guest.who);
        if !self.rooms.with(client).contains(&room) {
            self.enter(client, room);
            self.publish(room, PublicEvent::Joined(from));
            self.meet_members(room);
        }
        let of = self.rooms.get(room).expect("the client is in it");
        let (room, members, topic) = (of.name.as_str().into(), of.members.len(), of.topic.as_str().into());
        Done::Join { room, members, position: self.position(), topic }
    }

    /// At whose expense a room is kept that the client makes: that of all of its address, or its own if it is trusted.
    pub(super) fn payer(&self, client: ClientId) -> String {
        let who = self.guests.iter().find(|guest| guest.client == client).map(|guest| &guest.who);
        let addr: SocketAddr = who.expect("only guests speak").addr.parse().expect("an address");
        if addr.ip().is_loopback() { client.to_string() } else { addr.ip().to_string() }
    }

    /// One need not be in a room to be heard there, and who waits for what is said there need not either.
    fn say_in(&mut self, client: ClientId, from: Arc<Identity>, name: &str, text: &str) -> Result<Done, Refusal> {
        let name = room_name(name).map_err(Refusal::RoomInvalid)?;
        let key = room_key(name);
        if text.is_empty() {
            return Err(Refusal::EmptyText);
        }
        self.check_stored()?;
        let (made, payer) = (self.rooms.made, self.payer(client));
        let room = self.rooms.open_to_keep(payer, name)?;
        self.remember_new(made, room);
        let name = self.rooms.get(room).expect("it is there now").name.as_str().into();
        let position = self.publish(room, PublicEvent::Message { from, text: text.to_owned() });
        self.rooms.vacate(room);
        self.meet_text(&key, text);
        Ok(Done::In(name, position))
    }

    fn leave(&mut self, client: ClientId, from: Arc<Identity>, name: &str) -> Result<Done, Refusal> {
        let room = self.rooms.find(name)?;
        if !self.rooms.with(client).contains(&room) {
            return Err(Refusal::NotInRoom);
        }
        let guest = self.guest(client).expect("only guests speak");
        if guest.current == room {
            guest.current = RoomId::LOBBY;
        }
        let name = self.rooms.get(room).expect("the client is in it").name.clone();
        self.publish(room, PublicEvent::Left(from));
        self.out.push(Output::Part(client, room));
        self.exit(client, room);
        Ok(Done::Leave(name.into()))
    }

    fn topic(&mut self, from: Arc<Identity>, name: &str, text: Option<&String>) -> Result<Done, Refusal> {
        let room = self.rooms.find(name)?;
        let of = self.rooms.get(room).expect("it was found");
        let name = of.name.as_str().into();
        let Some(text) = text else { return Ok(Done::Topic(name, of.topic.as_str().into())) };
        if text.len() > ARGUMENT_MAX {
            return Err(Refusal::ArgumentTooLong(ARGUMENT_MAX));
        }
        self.check_stored()?;
        self.publish(room, PublicEvent::Topic { from, text: text.as_str().into() });
        if let Some(of) = self.rooms.get_mut(room) {
            of.topic.clone_from(text);
            self.rooms.vacate(room);
        }
        self.remember(room);
        Ok(Done::Topic(name, text.as_str().into()))
    }

    fn meet_text(&mut self, key: &str, text: &str) {
        self.meet(|wait| match wait {
            WaitFor::Text(part) => key == LOBBY && has(text, part),
            WaitFor::In { room, part } => room_key(room) == key && has(text, part),
            WaitFor::User(_) | WaitFor::Gone(_) | WaitFor::Users(_) | WaitFor::Members(..) | WaitFor::By { .. } => {
                false
            }
        });
    }
}
