use std::{cmp::Reverse, collections::BTreeSet};

use super::*;

impl Rooms {
    /// Checks that the indexes mirror the rooms.
    pub(in crate::chat) fn assert_mirrors(&self) {
        let mut kept: HashMap<Keeper, BTreeSet<_>> = HashMap::new();
        let mut in_order = BTreeSet::new();
        for (&id, room) in &self.by_id {
            assert_eq!(self.by_key.get(room.name.key()), Some(&id));
            assert_eq!(self.by_skeleton.get(room.name.skeleton().as_str()), Some(&id));
            let is_empty = room.members.is_empty() && id != RoomId::LOBBY;
            let is_vacant = is_empty && !room.is_locked;
            assert!(
                !is_empty || room.topic.is_some() || room.has_history || room.is_locked,
                "nothing keeps it: {room:?}"
            );
            match room.keeper {
                Some(keeper) if is_vacant => kept.entry(keeper).or_default().insert((room.used, id)),
                None if is_vacant => in_order.insert((Reverse(1), room.used, id)),
                Some(_) | None => continue,
            };
        }
        let mut made = HashMap::new();
        for keeper in self.by_id.values().filter_map(|room| room.keeper) {
            *made.entry(keeper).or_default() += 1;
        }
        assert_eq!(self.made, made);
        let sizes = [self.by_key.len(), self.by_skeleton.len()];
        assert_eq!(sizes, [self.by_id.len(); 2]);
        assert_eq!(*self.vacant.by_keeper(), kept);
        in_order.extend(kept.values().map(|kept| {
            let &(used, id) = kept.first().expect("none is empty");
            (Reverse(kept.len()), used, id)
        }));
        assert_eq!(*self.vacant.in_order(), in_order);
        assert!(self.by_id.len() <= self.limits.rooms_max);
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
