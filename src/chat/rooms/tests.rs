use std::collections::BTreeSet;

use super::*;

impl Rooms {
    /// Checks that the indexes mirror the rooms.
    pub(in crate::chat) fn assert_mirrors(&self) {
        let mut kept: HashMap<Keeper, BTreeSet<_>> = HashMap::new();
        for (&id, room) in &self.by_id {
            assert_eq!(self.by_key.get(room.name.key()), Some(&id));
            assert_eq!(self.by_skeleton.get(room.name.skeleton().as_str()), Some(&id));
            let is_vacant = room.members.is_empty() && id != RoomId::LOBBY;
            assert_eq!(self.vacant.all().contains(&(room.used, id)), is_vacant, "{room:?}");
            assert!(!is_vacant || room.topic.is_some() || room.has_history, "nothing keeps it: {room:?}");
            if let (true, Some(keeper)) = (is_vacant, room.keeper) {
                kept.entry(keeper).or_default().insert((room.used, id));
            }
        }
        let mut made = HashMap::new();
        for keeper in self.by_id.values().filter_map(|room| room.keeper) {
            *made.entry(keeper).or_default() += 1;
        }
        assert_eq!(self.made, made);
        let sizes = [self.by_key.len(), self.by_skeleton.len()];
        assert_eq!(sizes, [self.by_id.len(); 2]);
        assert_eq!(*self.vacant.by_keeper(), kept);
        assert!(self.by_id.len() <= self.limits.rooms_max && self.vacant.all().len() < self.by_id.len());
    }
}

#[test]
fn numbers_of_rooms_are_not_given_out_again() {
    let mut rooms = Rooms::new(RoomLimits::default());
    let mut open = |name| rooms.open(RoomName::parse(name).unwrap(), Keeper::Client(ClientId(1))).unwrap();
    let (one, other) = (open("a"), open("b"));
    assert_eq!((one, other, open("a")), (RoomId(1), RoomId(2), RoomId(1)));
    rooms.join(one, ClientId(1));
    rooms.leave(one, ClientId(1));
    assert!(rooms.get(one).is_none());
    assert_eq!(rooms.open(RoomName::parse("a").unwrap(), Keeper::Client(ClientId(1))), Ok(RoomId(3)));
}
