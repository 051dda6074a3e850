//! What users do in rooms, and who is told of it.

use std::sync::Arc;

use super::{
    ARGUMENT_BYTES_MAX, AccountCommand, Asked, Chat, ClientId, Command, Departure, Done, Event, Identity, Output,
    PublicEvent, ROOMS_AT_ONCE_MAX, Refusal, RoomId, RoomSet,
    rooms::{Keeper, RoomName, room_key},
    wait::TextSearch,
    work::{List, Task},
};

impl Chat {
    /// Says something in the room that the client's plain lines go to.
    pub(super) fn say(&mut self, client: ClientId, from: Arc<Identity>, text: String, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(client) else { return };
        let room = member.current;
        // Visitors speak in the lobby without being there.
        if !member.rooms.contains(room) && (room != RoomId::LOBBY || self.members.is_present(client)) {
            return self.refuse(client, Refusal::NotInRoom, out);
        }
        if self.store.fails() {
            return self.refuse(client, Refusal::NotStored, out);
        }
        self.texts += 1;
        let search = self.rooms.get(room).and_then(|room| self.search(client, room.name.key(), &text));
        self.publish(room, PublicEvent::Message { from, text }, out);
        self.finish_saying(client, search, out);
    }

    /// Says something in a room, which the client need not be in.
    pub(super) fn say_in(&mut self, client: ClientId, room: &str, text: String, out: &mut Vec<Output>) {
        let name = match RoomName::parse(room) {
            Ok(_) if text.is_empty() => return self.decline(client, Asked::In, Refusal::EmptyText, out),
            Ok(name) => name,
            Err(refusal) => return self.decline(client, Asked::In, refusal, out),
        };
        let Some(from) = self.members.get(client).map(|member| Arc::clone(&member.who)) else { return };
        if self.store.fails() {
            return self.decline(client, Asked::In, Refusal::NotStored, out);
        }
        let room = match self.room_to_keep(client, name, out) {
            Ok(room) => room,
            Err(refusal) => return self.decline(client, Asked::In, refusal, out),
        };
        let Some(name) = self.rooms.get(room).map(|of| of.name.clone()) else { return };
        self.texts += 1;
        let search = self.search(client, name.key(), &text);
        let position = self.publish(room, PublicEvent::Message { from, text }, out);
        self.rooms.settle(room);
        out.push(Output::tell(client, Event::Done(Done::In(name.shared(), position))));
        self.finish_saying(client, search, out);
    }

    /// The room of this name, which is made for what one says there who need not be in it.
    fn room_to_keep(&mut self, client: ClientId, name: RoomName, out: &mut Vec<Output>) -> Result<RoomId, Refusal> {
        match self.rooms.with_key(name.key()) {
            Some(room) => Ok(room),
            None => {
                self.rooms.check_kept(self.keeper(client))?;
                self.make(client, name, out)
            }
        }
    }

    /// The client is in this room from now on, and its plain lines go there.
    pub(super) fn join(&mut self, client: ClientId, room: &str, out: &mut Vec<Output>) {
        let room = match self.open(client, room, out) {
            Ok(room) => room,
            Err(refusal) => return self.decline(client, Asked::Join, refusal, out),
        };
        self.come_in(client, &[room], out);
        out.push(Output::Ready(client));
    }

    /// The client comes into these rooms, if it is not there already, and is told what is to be known there. It is in all of them
    /// before anything happens in one, for which another one without members might have to go.
    pub(super) fn come_in(&mut self, client: ClientId, rooms: &[RoomId], out: &mut Vec<Output>) {
        let new: Vec<_> = rooms.iter().filter(|&&room| !self.is_in(client, room)).copied().collect();
        new.iter().for_each(|&room| self.enter(client, room, out));
        for &room in rooms {
            let Some(member) = self.members.get_mut(client) else { return };
            member.current = room;
            if new.contains(&room) {
                let who = Arc::clone(&member.who);
                self.publish(room, PublicEvent::Joined(who), out);
                self.meet_members(room);
            }
            let Some(of) = self.rooms.get(room) else { continue };
            let (topic, position) = (of.topic.clone().unwrap_or_default(), self.position());
            let done = Done::Join { room: of.name.shared(), members: of.len(), position, topic };
            out.push(Output::tell(client, Event::Done(done)));
        }
    }

    pub(super) fn leave(&mut self, client: ClientId, room: &str, out: &mut Vec<Output>) {
        let room = match self.room(room) {
            Ok(room) => room,
            Err(refusal) => return self.decline(client, Asked::Leave, refusal, out),
        };
        let Some(member) = self.members.get_mut(client) else { return };
        if !member.rooms.contains(room) {
            return self.decline(client, Asked::Leave, Refusal::NotInRoom, out);
        }
        member.rooms.remove(room);
        if member.current == room {
            member.current = RoomId::LOBBY;
        }
        let who = Arc::clone(&member.who);
        let name = self.name_of(room).unwrap_or_default();
        self.publish(room, PublicEvent::Left(who), out);
        out.push(Output::Part(client, room));
        self.rooms.leave(room, client);
        out.push(Output::tell(client, Event::Done(Done::Leave(name))));
        out.push(Output::Ready(client));
    }

    pub(super) fn who_in(&mut self, client: ClientId, room: &str, out: &mut Vec<Output>) {
        match self.room(room) {
            Ok(room) => {
                self.begin_list(client, List::Members { room, after: ClientId(0), told: 0 }, out);
            }
            Err(refusal) => self.decline(client, Asked::Who, refusal, out),
        }
    }

    pub(super) fn topic(&mut self, client: ClientId, room: &str, text: Option<String>, out: &mut Vec<Output>) {
        let room = match (self.room(room), &text) {
            (Ok(_), Some(text)) if text.len() > ARGUMENT_BYTES_MAX => {
                return self.decline(client, Asked::Topic, Refusal::ArgumentTooLong(ARGUMENT_BYTES_MAX), out);
            }
            (Ok(room), _) => room,
            (Err(refusal), _) => return self.decline(client, Asked::Topic, refusal, out),
        };
        let Some(of) = self.rooms.get(room) else { return };
        let (name, before) = (of.name.shared(), of.topic.clone().unwrap_or_default());
        let topic = match text {
            None => before,
            Some(text) => {
                let Some(from) = self.members.get(client).map(|member| Arc::clone(&member.who)) else { return };
                if self.store.fails() {
                    return self.decline(client, Asked::Topic, Refusal::NotStored, out);
                }
                let text: Arc<str> = text.into();
                self.publish(room, PublicEvent::Topic { from, text: Arc::clone(&text) }, out);
                self.rooms.set_topic(room, Some(Arc::clone(&text)).filter(|text| !text.is_empty()));
                self.remember(room, out);
                text
            }
        };
        out.push(Output::tell(client, Event::Done(Done::Topic(name, topic))));
        out.push(Output::Ready(client));
    }

    /// The client is in the room, and told what is told there.
    pub(super) fn enter(&mut self, client: ClientId, room: RoomId, out: &mut Vec<Output>) {
        let Some(member) = self.members.get_mut(client) else { return };
        member.rooms.insert(room);
        self.rooms.join(room, client);
        out.push(Output::Join(client, room));
    }

    /// One who was in these rooms is gone from all of them.
    pub(super) fn be_gone(
        &mut self,
        client: ClientId,
        who: &Arc<Identity>,
        rooms: &RoomSet,
        departure: Departure,
        out: &mut Vec<Output>,
    ) {
        for room in rooms.iter() {
            self.rooms.leave(room, client);
            let event = PublicEvent::Offline(Arc::clone(who), departure);
            if self.is_closing {
                self.keep_untold(room, event, out);
            } else {
                self.publish(room, event, out);
            }
        }
    }

    /// How many will be told in public what comes of a command of this client, each as often as it is told, if it is not
    /// refused.
    #[must_use]
    pub fn audience(&self, client: ClientId, command: &Command) -> usize {
        let Some(member) = self.members.get(client) else { return 0 };
        let len = |room| self.rooms.get(room).map_or(0, |room| room.len());
        match command {
            Command::Say(_) => len(member.current),
            Command::In { room, .. }
            | Command::Join { room, .. }
            | Command::Leave(room)
            | Command::Topic { room, text: Some(_) } => self.room(room).map_or(0, len),
            Command::Follow { rooms, .. } => {
                rooms.iter().take(ROOMS_AT_ONCE_MAX).map(|room| self.room(room).map_or(0, len)).sum()
            }
            Command::Rename(_) | Command::Account(AccountCommand::Login { .. }) => member.rooms.iter().map(len).sum(),
            Command::Topic { text: None, .. }
            | Command::WhoIn(_)
            | Command::Rooms
            | Command::History(_)
            | Command::Who
            | Command::Private { .. }
            | Command::Sync(_)
            | Command::Account(_)
            | Command::Order(_)
            | Command::Wait(..) => 0,
        }
    }

    /// Those who are in a room, in order of arrival.
    pub fn members_of(&self, room: RoomId) -> impl Iterator<Item = ClientId> {
        self.rooms.members(room)
    }

    /// The room of this name.
    pub(super) fn room(&self, name: &str) -> Result<RoomId, Refusal> {
        self.rooms.with_key(&room_key(name)?).ok_or(Refusal::NoSuchRoom)
    }

    /// Has the store keep what is known of a room.
    pub(super) fn remember(&self, room: RoomId, out: &mut Vec<Output>) {
        if let Some(of) = self.rooms.get(room).filter(|_| self.has_store()) {
            let (room, topic, keeper) = (of.name.shared(), of.topic.clone(), of.kept_by_network());
            out.push(Output::Remember { room, topic, keeper });
        }
    }

    /// Somebody has come into the room.
    pub(super) fn meet_members(&mut self, room: RoomId) {
        if let Some(of) = self.rooms.get(room) {
            self.waits.meet_members(of.name.key(), of.len());
        }
    }

    /// Who may have to be told of a text that is said in the room of this key.
    fn search(&self, client: ClientId, key: &str, text: &str) -> Option<TextSearch> {
        // The sender is never among those who wait: while one waits, one's commands are held back.
        self.waits.has_texts(key).then(|| TextSearch::new(key, self.account_of(client), text, self.texts))
    }

    fn finish_saying(&mut self, client: ClientId, search: Option<TextSearch>, out: &mut Vec<Output>) {
        match search {
            Some(search) => self.begin(client, Task::SearchText { from: client, search }, out),
            None => out.push(Output::Ready(client)),
        }
    }

    /// At whose expense a room is kept that this client makes.
    pub(super) fn keeper(&self, client: ClientId) -> Keeper {
        let payer = self.members.get(client).and_then(|member| member.origin.payer(&self.rules.trusted));
        payer.map_or(Keeper::Client(client), Keeper::Network)
    }

    fn refuse(&mut self, client: ClientId, refusal: Refusal, out: &mut Vec<Output>) {
        out.extend([Output::tell(client, Event::Refused(refusal)), Output::Ready(client)]);
    }

    pub(super) fn decline(&mut self, client: ClientId, asked: Asked, refusal: Refusal, out: &mut Vec<Output>) {
        out.push(Output::tell(client, Event::Declined(asked, refusal)));
        out.push(Output::Ready(client));
    }
}
