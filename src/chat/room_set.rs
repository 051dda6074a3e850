//! The rooms that one client is in.

use std::slice;

use super::RoomId;

/// A set of rooms. Most clients are in the lobby and perhaps one room more. These take no memory of their own, which would be
/// one more place to look at for each recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomSet {
    has_lobby: bool,
    others: Others,
}

/// Those that are not the lobby.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Others {
    #[default]
    None,
    One(RoomId),
    /// At least two, in order.
    #[expect(clippy::box_collection, reason = "a pointer is a third of a vector, and most clients have none")]
    Many(Box<Vec<RoomId>>),
}

impl RoomSet {
    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.has_lobby && self.others().is_empty()
    }

    /// How many rooms are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.has_lobby) + self.beside_lobby()
    }

    /// How many rooms are in it beside the lobby.
    #[must_use]
    pub fn beside_lobby(&self) -> usize {
        self.others().len()
    }

    /// Whether this room is in it.
    #[must_use]
    pub fn contains(&self, room: RoomId) -> bool {
        if room == RoomId::LOBBY { self.has_lobby } else { self.others().binary_search(&room).is_ok() }
    }

    /// Puts a room in.
    pub fn insert(&mut self, room: RoomId) {
        if room == RoomId::LOBBY {
            self.has_lobby = true;
        } else if let Err(place) = self.others().binary_search(&room) {
            match &mut self.others {
                Others::None => self.others = Others::One(room),
                Others::One(other) => {
                    let other = *other;
                    self.others = Others::Many(Box::new(vec![other.min(room), other.max(room)]));
                }
                Others::Many(rooms) => rooms.insert(place, room),
            }
        }
    }

    /// Takes a room out.
    pub fn remove(&mut self, room: RoomId) {
        if room == RoomId::LOBBY {
            self.has_lobby = false;
        } else if let Ok(place) = self.others().binary_search(&room) {
            match &mut self.others {
                Others::None | Others::One(_) => self.others = Others::None,
                Others::Many(rooms) => {
                    rooms.remove(place);
                    rooms.shrink_to(rooms.len() * 2);
                    if let [only] = rooms[..] {
                        self.others = Others::One(only);
                    }
                }
            }
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = RoomId> {
        self.has_lobby.then_some(RoomId::LOBBY).into_iter().chain(self.others().iter().copied())
    }

    fn others(&self) -> &[RoomId] {
        match &self.others {
            Others::None => &[],
            Others::One(room) => slice::from_ref(room),
            Others::Many(rooms) => rooms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_in_it_once_and_they_are_in_order() {
        let mut set = RoomSet::default();
        assert!(set.is_empty());
        for room in [7, 0, 3, 7, 0] {
            set.insert(RoomId(room));
        }
        assert!(set.iter().eq([0, 3, 7].map(RoomId)) && set.len() == 3);
        set.remove(RoomId(3));
        set.remove(RoomId(5));
        set.remove(RoomId::LOBBY);
        assert!(set.iter().eq([RoomId(7)]) && !set.is_empty());
        assert!(set.contains(RoomId(7)) && !set.contains(RoomId(3)) && !set.contains(RoomId::LOBBY));
    }
}
