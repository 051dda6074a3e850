//! What a step removes: rows of rooms that are no more, what rooms have too much, what is too old, and what the file has too
//! much. A step is one transaction, over as many rooms as it takes.

use std::{collections::HashMap, iter, sync::Arc, time::Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Result, Row, params};

use super::{
    amount::Amount,
    database::{Statements, Tables},
    retention::{EXPIRY_INTERVAL, SHRINK_BYTES_MIN, STEP, STEP_ROWS},
    rooms::Room,
    rows::{self, from_integer, to_integer},
};
use crate::chat::is_mailbox;

/// The oldest events of a room.
struct Oldest {
    amount: Amount,
    /// The last of them.
    last: Option<(i64, String)>,
    /// The room has no more.
    are_all: bool,
}

/// What is removed of rooms.
#[derive(Default)]
struct Cut {
    /// The rooms, as they are then.
    rooms: Vec<(Arc<str>, Room)>,
    removed: Amount,
}

impl Tables<'_> {
    /// Removes rows of rooms that are no more, and at last the rooms.
    pub(super) fn forget(&mut self) -> Result<Amount> {
        let transaction = self.transaction()?;
        let (mut removed, mut rooms) = (Amount::default(), 0);
        for id in self.state.rooms.forgotten.iter().rev() {
            let mut left = STEP;
            left -= Amount { rows: removed.rows + rooms, ..removed };
            if left.rows == 0 || left.bytes == 0 {
                break;
            }
            let oldest = self.statements.remove_oldest(*id, left)?;
            removed += oldest.amount;
            if !oldest.are_all {
                break;
            }
            self.statements.remove_room.execute([*id])?;
            rooms += 1;
        }
        transaction.commit()?;
        let forgotten = &mut self.state.rooms.forgotten;
        forgotten.truncate(forgotten.len() - rooms as usize);
        Ok(removed)
    }

    /// Removes the oldest events of rooms that have too many.
    pub(super) fn trim(&mut self) -> Result<Amount> {
        let transaction = self.transaction()?;
        let cut = self.statements.cut(self.state.rooms.over(), STEP)?;
        transaction.commit()?;
        self.set(&cut.rooms);
        Ok(cut.removed)
    }

    /// Removes the oldest events of the largest rooms, if there is too much in the file.
    pub(super) fn shrink(&mut self) -> Result<Amount> {
        let used: i64 = self.statements.used_bytes.query_row([], |row| row.get(0))?;
        let excess = from_integer(used).saturating_sub(self.state.options.bytes_max);
        let most = STEP.min(Amount { bytes: excess.max(SHRINK_BYTES_MIN), ..STEP });
        let mut largest = self.state.rooms.largest().peekable();
        if excess == 0 || largest.peek().is_none() {
            self.state.due.is_large = false;
            return Ok(Amount::default());
        }
        let transaction = self.transaction()?;
        let cut = self.statements.cut(largest, most)?;
        transaction.commit()?;
        self.set(&cut.rooms);
        Ok(cut.removed)
    }

    /// Removes the oldest events of all rooms, as far as they are too old.
    pub(super) fn expire(&mut self, now: Instant) -> Result<Amount> {
        let days = i64::from(self.state.options.days_max);
        let age = SignedDuration::from_hours(24 * days);
        let oldest_kept = rows::time(self.state.clock.at(now).checked_sub(age).unwrap_or(Timestamp::MIN));
        let transaction = self.transaction()?;
        let mut last = None;
        let mut by_room: HashMap<i64, (i64, String, Amount)> = HashMap::new();
        // What is looked at is work, too.
        let (mut removed, mut looked, mut old) = (Amount::default(), Amount::default(), Vec::new());
        let mut oldest = self.statements.oldest_of_all.query([self.state.due.expired, to_integer(STEP_ROWS)])?;
        while let Some(row) = oldest.next()?
            && !removed.reaches(STEP)
        {
            let (n, at, amount) = event(row)?;
            if at >= oldest_kept {
                break;
            }
            last = Some(n);
            let room = row.get(3).unwrap_or_default();
            if self.state.rooms.name(room).is_some_and(|name| is_mailbox(name)) {
                looked.rows += 1;
                continue;
            }
            old.push(n);
            removed += amount;
            let of_room = by_room.entry(room).or_default();
            (of_room.0, of_room.1) = (n, at);
            of_room.2 += amount;
        }
        drop(oldest);
        let Some(last) = last else {
            self.state.due.expiry = Some(now + EXPIRY_INTERVAL);
            return Ok(Amount::default());
        };
        let mut rooms = Vec::new();
        for (id, (n, at, events)) in by_room {
            self.statements.set_gone.execute(params![id, n, at])?;
            if let Some(name) = self.state.rooms.name(id)
                && let Some(mut room) = self.state.rooms.get(name)
            {
                room.events -= events;
                room.is_behind = false;
                self.statements.set_lines(&room)?;
                rooms.push((Arc::clone(name), room));
            }
        }
        for n in &old {
            self.statements.remove_one.execute([n])?;
        }
        transaction.commit()?;
        self.set(&rooms);
        self.state.due.expired = last;
        removed += looked;
        Ok(removed)
    }

    /// Removes the oldest `count` events of a room.
    pub(super) fn remove_of(&mut self, name: &Arc<str>, count: u64) -> Result<Amount> {
        let Some(room) = self.state.rooms.get(name) else { return Ok(Amount::default()) };
        let transaction = self.transaction()?;
        let cut = self.statements.cut(iter::once((name, room, Amount { rows: count, ..STEP })), STEP)?;
        transaction.commit()?;
        self.set(&cut.rooms);
        Ok(cut.removed)
    }

    fn set(&mut self, rooms: &[(Arc<str>, Room)]) {
        rooms.iter().for_each(|(name, room)| self.state.rooms.set(name, *room));
    }
}

impl Statements<'_> {
    /// Removes the oldest events of rooms, of each not more than is said with it, until these are `most`.
    fn cut<'r>(&mut self, rooms: impl Iterator<Item = (&'r Arc<str>, Room, Amount)>, most: Amount) -> Result<Cut> {
        let mut cut = Cut::default();
        for (name, mut room, share) in rooms {
            if cut.removed.reaches(most) || cut.rooms.len() as u64 >= STEP_ROWS {
                break;
            }
            let mut left = most;
            left -= cut.removed;
            let oldest = self.remove_oldest(room.id, share.min(left))?;
            if let Some((n, at)) = oldest.last {
                self.set_gone.execute(params![room.id, n, at])?;
            }
            cut.removed += oldest.amount;
            room.events -= oldest.amount;
            if oldest.are_all {
                room.events = Amount::default(); // somebody may have removed others by hand
            }
            room.is_behind = false;
            self.set_lines(&room)?;
            cut.rooms.push((Arc::clone(name), room));
        }
        Ok(cut)
    }

    /// Removes the oldest events of a room, until these are `most`.
    fn remove_oldest(&mut self, room: i64, most: Amount) -> Result<Oldest> {
        let mut oldest = Oldest { amount: Amount::default(), last: None, are_all: false };
        let mut events = self.oldest.query([room, to_integer(most.rows)])?;
        while !oldest.amount.reaches(most) {
            let Some(row) = events.next()? else {
                oldest.are_all = true;
                break;
            };
            let (n, at, amount) = event(row)?;
            oldest.last = Some((n, at));
            oldest.amount += amount;
        }
        drop(events);
        if let Some((n, _)) = oldest.last {
            self.remove.execute([room, n])?;
        }
        Ok(oldest)
    }
}

/// The number, the time and the size of an event, which may be anything where somebody has edited it.
fn event(row: &Row<'_>) -> Result<(i64, String, Amount)> {
    let text_bytes: i64 = row.get(2).unwrap_or(0);
    Ok((row.get(0)?, row.get(1).unwrap_or_default(), Amount::new(1, from_integer(text_bytes))))
}
