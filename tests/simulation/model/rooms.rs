//! Rooms: one list, in the order in which they were made.

use pipechat::chat::{ClientId, Done, Event, PastRoom, Refusal, RoomId, RoomLimits, Seq};

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
    /// At whose expense it is kept when nobody is in it: who has made it. Nobody pays for the lobby.
    pub(super) keeper: Option<String>,
    /// Something that has happened there is in memory.
    pub(crate) has_history: bool,
    /// When the first thing was kept that has happened there: the last event before of a room that there was no more.
    pub(super) began: Option<u64>,
    /// The last event there that was kept before the server started, or 0.
    pub(super) restored: u64,
}

pub(super) struct Rooms {
    all: Vec<Room>,
    limits: RoomLimits,
    /// How many have been made.
    pub(super) made: u64,
    /// Public events so far.
    pub(super) used: u64,
    /// No room can be kept that is made now.
    pub(super) makes_none: bool,
    /// Those that are no more, and whose history is not forgotten yet.
    pub(super) removed: Vec<(RoomId, String)>,
    /// What has become of rooms that did not stay, since that was asked for.
    pub(super) notes: Vec<String>,
}

impl Rooms {
    pub(super) fn new(limits: RoomLimits) -> Self {
        let mut rooms = Self {
            all: Vec::new(),
            limits,
            made: 0,
            used: 0,
            makes_none: false,
            removed: Vec::new(),
            notes: Vec::new(),
        };
        rooms.make(LOBBY, LOBBY.to_owned(), None);
        rooms.all[0].began = Some(0);
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
            members: Some(room.members.len()),
            topic: room.topic.as_str().into(),
        });
        lines.chain([Event::Done(Done::Rooms(rooms.len()))]).collect()
    }

    /// The room of this name, for one who comes in, and pays for it if there is none.
    pub(super) fn open(&mut self, client: ClientId, payer: String, name: &str) -> Result<RoomId, Refusal> {
        let name = room_name(name).map_err(Refusal::RoomInvalid)?;
        match self.may_open(client, name)? {
            Some(room) => Ok(room),
            None => self.make_for(payer, name),
        }
    }

    /// The room of this name, if there is one, for one who may come in.
    pub(super) fn may_open(&self, client: ClientId, name: &str) -> Result<Option<RoomId>, Refusal> {
        let key = room_key(name);
        let own: Vec<_> = self.with(client).into_iter().filter(|&room| room != RoomId::LOBBY).collect();
        let found = self.at(&key).map(|room| room.id);
        let is_free = found.is_some_and(|room| room == RoomId::LOBBY || own.contains(&room));
        if !is_free && own.len() >= self.limits.per_client_max {
            return Err(Refusal::TooManyRooms(self.limits.per_client_max));
        }
        Ok(found)
    }

    /// The room of this name, for one who says something there and pays for it if there is none.
    pub(super) fn open_to_keep(&mut self, payer: String, name: &str) -> Result<RoomId, Refusal> {
        let key = room_key(name);
        if let Some(room) = self.at(&key) {
            return Ok(room.id);
        }
        if self.kept_by(&payer).count() >= self.limits.per_client_max {
            return Err(Refusal::TooManyRooms(self.limits.per_client_max));
        }
        self.make_for(payer, name)
    }

    /// Makes a room of a name that none has.
    pub(super) fn make_for(&mut self, payer: String, name: &str) -> Result<RoomId, Refusal> {
        if self.makes_none {
            return Err(Refusal::NotStored);
        }
        let key = room_key(name);
        self.check_looks(&key)?;
        let own = self.all.iter().filter(|room| room.keeper.as_deref() == Some(&payer));
        if own.clone().count() >= self.limits.per_client_max {
            let silent =
                own.filter(|room| room.is_vacant()).min_by_key(|room| (room.used, room.id)).map(|room| room.id);
            self.remove(silent.ok_or(Refusal::TooManyRooms(self.limits.per_client_max))?);
        }
        if self.all.len() >= self.limits.rooms_max {
            let vacant = self.all.iter().filter(|room| room.is_vacant());
            let silent = vacant.min_by_key(|room| (room.used, room.id)).map(|room| room.id);
            let silent = silent.ok_or(Refusal::TooManyRooms(self.limits.rooms_max))?;
            self.notes.extend(self.get(silent).map(|room| format!("the room {} makes room", room.name)));
            self.remove(silent);
        }
        Ok(self.make(name, key, Some(payer)))
    }

    /// A room that a store has kept is there again, unless it has no name of a room, or is gone at once since nothing keeps it.
    /// Answers whether it has such a name.
    pub(super) fn restore(&mut self, past: &PastRoom) -> bool {
        let key = room_key(&past.name);
        let id = if key == LOBBY {
            RoomId::LOBBY
        } else if room_name(&past.name).is_err() || self.check_looks(&key).is_err() {
            return false;
        } else {
            self.used += 1;
            self.make(&past.name, key, past.keeper.map(|keeper| keeper.to_string()))
        };
        let of = self.get_mut(id).expect("it is there");
        (of.began, of.restored) = (Some(past.last), past.last);
        of.topic = past.topic.as_deref().unwrap_or_default().to_owned();
        if id != RoomId::LOBBY {
            of.has_history = past.last > 0;
            self.vacate(id);
        }
        true
    }

    fn make(&mut self, name: &str, key: String, keeper: Option<String>) -> RoomId {
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
            keeper,
            has_history: false,
            began: None,
            restored: 0,
        });
        id
    }

    /// No room is called what this could be taken for.
    fn check_looks(&self, key: &str) -> Result<(), Refusal> {
        match self.all.iter().find(|room| room_looks(&room.key) == room_looks(key)) {
            Some(other) => Err(Refusal::RoomConfusable(other.name.clone())),
            None => Ok(()),
        }
    }

    fn kept_by(&self, payer: &str) -> impl Iterator<Item = &Room> {
        let is_kept = move |room: &&Room| room.is_vacant() && room.keeper.as_deref() == Some(payer);
        self.all.iter().filter(is_kept)
    }

    /// Nobody is in it: it stays if it has a topic or a history. If its keeper keeps too many now, that goes which has been
    /// silent longest.
    pub(super) fn vacate(&mut self, room: RoomId) {
        let Some(of) = self.get(room).filter(|room| room.is_vacant()) else { return };
        let keeper = of.keeper.clone();
        if of.topic.is_empty() && !of.has_history {
            self.remove(room);
        } else if let Some(keeper) = keeper
            && self.kept_by(&keeper).count() > self.limits.per_client_max
        {
            let silent = self.kept_by(&keeper).min_by_key(|room| (room.used, room.id)).expect("more than none");
            let (silent, note) = (silent.id, format!("the room {} is not kept", silent.name));
            self.notes.push(note);
            self.remove(silent);
        }
    }

    fn remove(&mut self, room: RoomId) {
        let place = self.all.iter().position(|of| of.id == room).expect("it is there");
        let of = self.all.remove(place);
        self.removed.push((room, of.name));
    }

    /// Somebody is in it from now on.
    pub(super) fn enter(&mut self, room: RoomId, client: ClientId) {
        let of = self.get_mut(room).expect("it was opened");
        of.members.push(client);
        of.members.sort();
    }
}

impl Room {
    /// It is the lobby that always stays.
    fn is_vacant(&self) -> bool {
        self.members.is_empty() && self.id != RoomId::LOBBY
    }
}
