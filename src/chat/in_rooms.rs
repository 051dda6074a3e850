//! What users do in rooms, and who is told of it.

use std::{net::SocketAddr, sync::Arc};

use super::{
    ARGUMENT_BYTES_MAX, Asked, Chat, ClientId, Command, Departure, Done, Event, Identity, Output, Public, Refusal,
    RoomId, RoomSet,
    rooms::{RoomName, room_key},
    wait::TextSearch,
    work::Task,
};
use crate::address::Network;

impl Chat {
    /// Says something in the room that the client's plain lines go to.
    pub(super) fn say(&mut self, client: ClientId, from: Arc<Identity>, text: String, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(client) else { return };
        let room = member.current;
        // Visitors speak in the lobby without being there.
        if !member.rooms.contains(room) && (room != RoomId::LOBBY || self.members.is_present(client)) {
            out.push(Output::tell(client, Event::Refused(Refusal::NotInRoom)));
            return out.push(Output::Ready(client));
        }
        self.texts += 1;
        let search = self.rooms.get(room).and_then(|room| self.search(room.name.key(), &text));
        self.publish(room, Event::Message { from, text }, out);
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
        self.texts += 1;
        let search = self.search(name.key(), &text);
        let name = match self.rooms.with_key(name.key()) {
            Some(room) => {
                self.publish(room, Event::Message { from, text }, out);
                self.rooms.get(room).map_or_else(|| name.shared(), |room| room.name.shared())
            }
            // Nobody is there to hear it, but somebody may wait for it.
            None => match self.rooms.check_looks(&name) {
                Ok(()) => name.shared(),
                Err(refusal) => return self.decline(client, Asked::In, refusal, out),
            },
        };
        out.push(Output::tell(client, Event::Done(Done::In(name))));
        self.finish_saying(client, search, out);
    }

    /// The client is in this room from now on, and its plain lines go there.
    pub(super) fn join(&mut self, client: ClientId, room: &str, out: &mut Vec<Output>) {
        let room = match self.open(client, room) {
            Ok(room) => room,
            Err(refusal) => return self.decline(client, Asked::Join, refusal, out),
        };
        let Some(member) = self.members.get_mut(client) else { return };
        member.current = room;
        if !member.rooms.contains(room) {
            let who = Arc::clone(&member.who);
            self.enter(client, room, out);
            self.publish(room, Event::Joined(who), out);
            self.meet_members(room);
        }
        let Some(of) = self.rooms.get(room) else { return };
        let topic = of.topic.clone().unwrap_or_default();
        out.push(Output::tell(client, Event::Done(Done::Join { room: of.name.shared(), members: of.len(), topic })));
        out.push(Output::Ready(client));
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
        let name = self.rooms.get(room).map_or_else(|| "".into(), |room| room.name.shared());
        self.publish(room, Event::Left(who), out);
        out.push(Output::Part(client, room));
        self.rooms.leave(room, client);
        out.push(Output::tell(client, Event::Done(Done::Leave(name))));
        out.push(Output::Ready(client));
    }

    pub(super) fn who_in(&mut self, client: ClientId, room: &str, out: &mut Vec<Output>) {
        match self.room(room) {
            Ok(room) => {
                let listing = Task::ListRoom { to: client, room, after: ClientId(0), told: 0 };
                self.begin(client, listing, out);
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
                let text: Arc<str> = text.into();
                let keeper = self.keeper(&from);
                if !text.is_empty() && !self.rooms.may_keep(room, keeper) {
                    let most = self.rooms.limits().per_client_max;
                    return self.decline(client, Asked::Topic, Refusal::TooManyRooms(most), out);
                }
                self.publish(room, Event::Topic { from, text: Arc::clone(&text) }, out);
                self.rooms.set_topic(room, Some(Arc::clone(&text)).filter(|text| !text.is_empty()), keeper);
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
            self.publish(room, Event::Offline(Arc::clone(who), departure), out);
        }
    }

    /// Tells a room something.
    pub(super) fn publish(&mut self, room: RoomId, event: Event, out: &mut Vec<Output>) {
        self.publish_except(room, None, event, out);
    }

    /// The same, apart from one who has an answer of its own.
    pub(super) fn publish_except(
        &mut self,
        room: RoomId,
        except: Option<ClientId>,
        event: Event,
        out: &mut Vec<Output>,
    ) {
        if self.is_closing {
            return; // all are on their way out
        }
        let seq = self.rooms.next_seq(room);
        let Some(of) = self.rooms.get(room) else { return };
        out.push(Output::Publish(Public { room, name: of.name.shared(), members: of.len(), except, seq, event }));
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
            | Command::Join(room)
            | Command::Leave(room)
            | Command::Topic { room, text: Some(_) } => self.room(room).map_or(0, len),
            Command::Rename(_) => member.rooms.iter().map(len).sum(),
            Command::Topic { text: None, .. }
            | Command::WhoIn(_)
            | Command::Rooms
            | Command::Who
            | Command::Private { .. }
            | Command::Sync(_)
            | Command::Wait(..) => 0,
        }
    }

    /// Those who are in a room, in order of arrival.
    pub fn members_of(&self, room: RoomId) -> impl Iterator<Item = ClientId> {
        self.rooms.members(room)
    }

    /// The room of this name.
    fn room(&self, name: &str) -> Result<RoomId, Refusal> {
        self.rooms.with_key(&room_key(name)?).ok_or(Refusal::NoSuchRoom)
    }

    /// The room of this name for one who wants to be in it.
    fn open(&mut self, client: ClientId, name: &str) -> Result<RoomId, Refusal> {
        let name = RoomName::parse(name)?;
        let found = self.rooms.with_key(name.key());
        let most = self.rooms.limits().per_client_max;
        if let Some(rooms) = self.members.get(client).map(|member| &member.rooms)
            && found.is_none_or(|room| room != RoomId::LOBBY && !rooms.contains(room))
            && rooms.iter().filter(|&room| room != RoomId::LOBBY).count() >= most
        {
            return Err(Refusal::TooManyRooms(most));
        }
        self.rooms.open(name)
    }

    /// Somebody has come into the room.
    pub(super) fn meet_members(&mut self, room: RoomId) {
        if let Some(of) = self.rooms.get(room) {
            self.waits.meet_members(of.name.key(), of.len());
        }
    }

    /// Who may have to be told of a text that is said in the room of this key.
    fn search(&self, key: &str, text: &str) -> Option<TextSearch> {
        // The sender is never among those who wait: while one waits, one's commands are held back.
        self.waits.has_texts(key).then(|| TextSearch::new(key, text, self.texts))
    }

    fn finish_saying(&mut self, client: ClientId, search: Option<TextSearch>, out: &mut Vec<Output>) {
        match search {
            Some(search) => self.begin(client, Task::SearchText { from: client, search }, out),
            None => out.push(Output::Ready(client)),
        }
    }

    /// At whose expense a room is kept without members, if at anybody's.
    fn keeper(&self, who: &Identity) -> Option<Network> {
        let ip = who.addr.parse::<SocketAddr>().ok()?.ip();
        let is_trusted = self.rules.trusted.iter().any(|block| block.contains(ip));
        (!is_trusted).then(|| Network::of(ip))
    }

    fn decline(&mut self, client: ClientId, asked: Asked, refusal: Refusal, out: &mut Vec<Output>) {
        out.push(Output::tell(client, Event::Declined(asked, refusal)));
        out.push(Output::Ready(client));
    }
}
