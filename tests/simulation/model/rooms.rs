//! Rooms: one list, in the order in which they were made.

use pipechat::chat::{ClientId, Done, Event, Refusal, RoomId, RoomLimits, Seq};

use super::ARGUMENT_MAX;
use crate::names::{room_key, room_looks, room_name};

/// The lobby's name, and its key.
pub(super) const LOBBY: &str = "lobby";

pub(crate) struct Room {
    pub(crate) id: RoomId,
    /// As it was first written.
    pub(crate) name: String,
    /// What it is found by.
    pub(super) key: String,
    /// Empty for none.
    pub(crate) topic: String,
    /// In order of their ids.
    pub(crate) members: Vec<ClientId>,
    /// Public events in it so far.
    pub(super) seq: Seq,
    /// The place of the last of those among those of all rooms.
    pub(super) used: u64,
    /// The address that has given it its topic, unless that is trusted.
    pub(super) keeper: Option<String>,
}

pub(super) struct Rooms {
    all: Vec<Room>,
    limits: RoomLimits,
    /// How many have been made.
    made: u64,
    /// Public events so far.
    pub(super) used: u64,
    /// What has become of rooms with a topic that did not stay, since that was asked for.
    pub(super) notes: Vec<String>,
}

impl Rooms {
    pub(super) fn new(limits: RoomLimits) -> Self {
        let mut rooms = Self { all: Vec::new(), limits, made: 0, used: 0, notes: Vec::new() };
        rooms.make(LOBBY, LOBBY.to_owned());
        rooms
    }

    pub(super) fn all(&self) -> &[Room] {
        &self.all
    }

    pub(super) fn get(&self, room: RoomId) -> Option<&Room> {
        self.all.iter().find(|of| of.id == room)
    }

    pub(super) fn get_mut(&mut self, room: RoomId) -> Option<&mut Room> {
        self.all.iter_mut().find(|of| of.id == room)
    }

    pub(super) fn at(&self, key: &str) -> Option<&Room> {
        self.all.iter().find(|room| room.key == key)
    }

    pub(super) fn members_at(&self, key: &str) -> usize {
        self.at(key).map_or(0, |room| room.members.len())
    }

    /// Those that the client is in.
    pub(super) fn with(&self, client: ClientId) -> Vec<RoomId> {
        self.all.iter().filter(|room| room.members.contains(&client)).map(|room| room.id).collect()
    }

    pub(super) fn find(&self, name: &str) -> Result<RoomId, Refusal> {
        if name.len() > ARGUMENT_MAX {
            return Err(Refusal::ArgumentTooLong(ARGUMENT_MAX));
        }
        self.at(&room_key(name)).map(|room| room.id).ok_or(Refusal::NoSuchRoom)
    }

    /// The answer to `rooms`: in order of their keys.
    pub(super) fn list(&self) -> Vec<Event> {
        let mut rooms: Vec<_> = self.all.iter().collect();
        rooms.sort_by_key(|room| &room.key);
        let lines = rooms.iter().map(|room| Event::Room {
            name: room.name.as_str().into(),
            members: room.members.len(),
            topic: room.topic.as_str().into(),
        });
        lines.chain([Event::Done(Done::Rooms(rooms.len()))]).collect()
    }

    /// The room of this name, for one who comes in.
    pub(super) fn open(&mut self, client: ClientId, name: &str) -> Result<RoomId, Refusal> {
        let name = room_name(name).map_err(Refusal::RoomInvalid)?;
        let key = room_key(name);
        let own: Vec<_> = self.with(client).into_iter().filter(|&room| room != RoomId::LOBBY).collect();
        let found = self.at(&key).map(|room| room.id);
        let is_free = found.is_some_and(|room| room == RoomId::LOBBY || own.contains(&room));
        if !is_free && own.len() >= self.limits.per_client_max {
            return Err(Refusal::TooManyRooms(self.limits.per_client_max));
        }
        if let Some(room) = found {
            return Ok(room);
        }
        self.check_looks(&key)?;
        if self.all.len() >= self.limits.rooms_max {
            let vacant = self.all.iter().filter(|room| room.is_vacant());
            let silent = vacant.min_by_key(|room| (room.used, room.id)).map(|room| room.id);
            let silent = silent.ok_or(Refusal::TooManyRooms(self.limits.rooms_max))?;
            self.notes.extend(self.get(silent).map(|room| format!("the room {} makes room", room.name)));
            self.all.retain(|room| room.id != silent);
        }
        Ok(self.make(name, key))
    }

    fn make(&mut self, name: &str, key: String) -> RoomId {
        let id = RoomId(self.made);
        self.made += 1;
        self.all.push(Room {
            id,
            name: name.to_owned(),
            key,
            topic: String::new(),
            members: Vec::new(),
            seq: 0,
            used: self.used,
            keeper: None,
        });
        id
    }

    /// No room is called what this could be taken for.
    pub(super) fn check_looks(&self, key: &str) -> Result<(), Refusal> {
        match self.all.iter().find(|room| room_looks(&room.key) == room_looks(key)) {
            Some(other) => Err(Refusal::RoomConfusable(other.name.clone())),
            None => Ok(()),
        }
    }

    /// Whoever sets a topic where nobody is keeps not as many rooms as may be already.
    pub(super) fn check_keeper(&self, room: RoomId, keeper: Option<&str>) -> Result<(), Refusal> {
        let most = self.limits.per_client_max;
        let kept = self.all.iter().filter(|other| other.is_vacant() && other.keeper.as_deref() == keeper).count();
        match self.get(room) {
            Some(of) if of.is_vacant() && keeper.is_some() && of.keeper.as_deref() != keeper && kept >= most => {
                Err(Refusal::TooManyRooms(most))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Nobody is in it: it stays if it has a topic, and its keeper does not keep as many as may be already.
    pub(super) fn vacate(&mut self, room: RoomId) {
        let Some(of) = self.get(room).filter(|room| room.is_vacant()) else { return };
        let others = self.all.iter().filter(|other| other.id != room && other.is_vacant());
        let kept = others.filter(|other| other.keeper.is_some() && other.keeper == of.keeper).count();
        let is_too_much = kept >= self.limits.per_client_max;
        if of.topic.is_empty() || is_too_much {
            if !of.topic.is_empty() {
                self.notes.push(format!("the room {} is not kept", of.name));
            }
            self.all.retain(|of| of.id != room);
        }
    }
}

impl Room {
    /// It is the lobby that always stays.
    fn is_vacant(&self) -> bool {
        self.members.is_empty() && self.id != RoomId::LOBBY
    }
}
