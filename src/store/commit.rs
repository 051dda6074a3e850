//! What changes mean in the file. A group of them is one transaction; what the writer knows follows when that is complete.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Result, params};

use super::{
    BATCH_CHANGES_MAX, Change,
    database::{Statements, Tables},
    rooms::{Room, Rooms},
    rows::{self, Row, to_integer},
};
use crate::chat::{HELD_EVENTS_MAX, Record};

/// The numbers that are reserved at a time.
pub(super) const RESERVED_AHEAD: u64 = 100_000;
/// When fewer numbers than this are left after a group, more are reserved with it: what is given out before the next commit is
/// complete is reserved, too. That is one batch, and what is given numbers while commits fail.
const RESERVED_LEFT_MIN: u64 = RESERVED_AHEAD / 2;
const _: () = assert!(BATCH_CHANGES_MAX as u64 + HELD_EVENTS_MAX < RESERVED_LEFT_MIN);

/// What a group of changes does to what is known of rooms.
struct Group<'a, 'c> {
    known: &'a Rooms,
    statements: &'a mut Statements<'c>,
    /// The rooms that it changes; `None` for those that are no more.
    rooms: HashMap<Arc<str>, Option<Room>>,
    forgotten: Vec<i64>,
    highest: u64,
}

impl Tables<'_> {
    /// Commits changes, all or none.
    pub(super) fn commit<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> Result<()> {
        let transaction = self.transaction()?;
        let Self { statements, state, .. } = self;
        let (rooms, forgotten) = (HashMap::new(), Vec::new());
        let mut group = Group { known: &state.rooms, statements, rooms, forgotten, highest: state.highest };
        let mut count = 0;
        for change in changes {
            group.apply(change)?;
            count += 1;
        }
        let Group { rooms, forgotten, highest, statements, .. } = group;
        let mut reserved = state.reserved;
        if highest + RESERVED_LEFT_MIN >= reserved {
            reserved = highest + RESERVED_AHEAD;
            statements.reserve(reserved)?;
        }
        transaction.commit()?;
        (state.highest, state.reserved) = (highest, reserved);
        for (name, room) in rooms {
            match room {
                Some(room) => state.rooms.set(&name, room),
                None => state.rooms.forget(&name),
            }
        }
        state.rooms.forgotten.extend(forgotten);
        state.due.committed(count);
        Ok(())
    }
}

impl Group<'_, '_> {
    fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Event(record) => self.add(record),
            Change::Remember { room, topic, keeper } => {
                let id = self.room(room)?.id;
                self.statements.set_room.execute(params![
                    id,
                    topic.as_deref(),
                    keeper.map(|network| network.to_string())
                ])?;
                Ok(())
            }
            Change::Forget(room) => self.forget(room),
        }
    }

    fn add(&mut self, record: &Record) -> Result<()> {
        self.highest = self.highest.max(record.n);
        let Row { kind, who, text } = Row::of(&record.event);
        let id = self.room(&record.room)?.id;
        let values = params![to_integer(record.n), rows::time(record.at), id, kind, who.name, who.addr, text];
        let added = self.statements.add_message.execute(values)?;
        let room = self.room(&record.room)?;
        room.lines += added as u64;
        room.last = room.last.max(record.n);
        room.is_behind = true;
        Ok(())
    }

    /// The room of this name, as the changes so far have left it.
    fn find(&self, name: &str) -> Option<Room> {
        self.rooms.get(name).copied().unwrap_or_else(|| self.known.get(name))
    }

    /// The room of this name, which may be a new one.
    fn room(&mut self, name: &Arc<str>) -> Result<&mut Room> {
        let room = match self.find(name) {
            Some(room) => room,
            None => Room::new(self.statements.add_room.query_row([&**name], |row| row.get(0))?),
        };
        Ok(self.rooms.entry(Arc::clone(name)).or_default().get_or_insert(room))
    }

    fn forget(&mut self, name: &Arc<str>) -> Result<()> {
        if let Some(room) = self.find(name) {
            self.statements.forget_room.execute([room.id])?;
            self.statements.set_forgotten.execute([to_integer(room.last)])?;
            self.forgotten.push(room.id);
            self.rooms.insert(Arc::clone(name), None);
        }
        Ok(())
    }
}
