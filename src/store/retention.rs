//! What is removed, and other work on the file that may wait: steps of a few milliseconds, between commits and while there is
//! nothing to commit.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Result, params};

use super::{
    database::{State, Tables},
    mailboxes::Expiry,
    rooms::Room,
    rows::{self, from_integer, to_integer},
};
use crate::chat::is_mailbox;

/// The rows that a step removes or changes at most: some milliseconds. Fewer would cost a busy room a transaction more for each of its commits.
pub(super) const STEP_ROWS: u64 = 500;
/// How often it is looked for events that are too old.
const EXPIRY_INTERVAL: Duration = Duration::from_mins(1);
/// Changes after which the size of the file is looked at: 4 MB of the longest lines.
const SIZE_CHECK_CHANGES: usize = 1000;
/// Changes, and transactions, after which the size of SQLite's log is looked at.
const LOG_CHECK_CHANGES: usize = 1000;
const LOG_CHECK_COMMITS: usize = 50;
/// The pages in SQLite's log from which on they are copied to their places in the file.
const LOG_PAGES_MAX: u64 = 1000;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Due {
    /// When it is looked for events that are too old; `None` if they never are.
    expiry: Option<Instant>,
    /// Up to this number, private messages alone are left of what is too old. They have a time of their own.
    expired: i64,
    pub(super) private: Expiry,
    /// There may be too much in the file.
    is_large: bool,
    /// Changes since it was last looked.
    since_size_check: usize,
    log_changes: usize,
    log_commits: usize,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The rows of a room that is no more.
    Forget,
    /// The events of a room above the number that is kept.
    Trim(Arc<str>, u64),
    /// The events that are too old.
    Expire,
    /// The private messages that are.
    ExpirePrivate,
    /// The oldest events of the largest room, if there is too much in the file.
    Shrink,
    /// The numbers of events, so that a start after a crash need not count them.
    Count,
    /// SQLite's log.
    CheckLog,
}

impl Due {
    pub(super) fn new(days_max: u32) -> Self {
        let now = Instant::now();
        let (expiry, private) = ((days_max > 0).then_some(now), Expiry::new(now));
        Self { expiry, expired: 0, private, is_large: true, since_size_check: 0, log_changes: 0, log_commits: 0 }
    }

    /// So much was committed.
    pub(super) fn committed(&mut self, changes: usize) {
        self.changed(changes);
        self.since_size_check += changes;
        if self.since_size_check >= SIZE_CHECK_CHANGES {
            self.since_size_check = 0;
            self.is_large = true;
        }
    }

    /// A step has changed so many rows.
    fn changed(&mut self, rows: usize) {
        self.log_changes += rows;
        self.log_commits += 1;
    }
}

impl Tables<'_> {
    /// When there is something to do, if ever.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let Due { expiry, private, .. } = &self.state.due;
        if self.next_step(now).is_some() {
            Some(now)
        } else {
            Some(expiry.map_or(private.at, |expiry| expiry.min(private.at)))
        }
    }

    /// Does one step, if there is something to do.
    pub(super) fn step(&mut self, now: Instant) -> Result<()> {
        match self.next_step(now) {
            None => Ok(()),
            Some(Step::Forget) => self.forget(),
            Some(Step::Trim(name, excess)) => self.remove_oldest(&name, excess.min(STEP_ROWS)),
            Some(Step::Expire) => self.expire(now),
            Some(Step::ExpirePrivate) => self.expire_private(now),
            Some(Step::Shrink) => self.shrink(),
            Some(Step::Count) => self.count(),
            Some(Step::CheckLog) => self.check_log(),
        }
    }

    fn next_step(&self, now: Instant) -> Option<Step> {
        let State { rooms, due, .. } = &self.state;
        if due.log_changes >= LOG_CHECK_CHANGES || due.log_commits >= LOG_CHECK_COMMITS {
            Some(Step::CheckLog) // first: each of the others makes the log longer
        } else if !rooms.forgotten.is_empty() {
            Some(Step::Forget)
        } else if let Some((name, excess)) = rooms.over() {
            Some(Step::Trim(Arc::clone(name), excess))
        } else if due.is_large {
            Some(Step::Shrink)
        } else if due.expiry.is_some_and(|at| at <= now) {
            Some(Step::Expire)
        } else if due.private.at <= now {
            Some(Step::ExpirePrivate)
        } else if rooms.counts_due() {
            Some(Step::Count)
        } else {
            None
        }
    }

    /// Removes rows of rooms that are no more, and at last the rooms.
    fn forget(&mut self) -> Result<()> {
        let transaction = self.transaction()?;
        let (mut removed, mut complete) = (0, 0);
        for id in self.state.rooms.forgotten.iter().rev() {
            let left = STEP_ROWS.saturating_sub(removed + complete);
            let rows = self.statements.remove_some.execute([*id, to_integer(left)])? as u64;
            removed += rows;
            if left == 0 || rows == left {
                break;
            }
            self.statements.remove_room.execute([*id])?;
            complete += 1;
        }
        transaction.commit()?;
        let rooms = &mut self.state.rooms.forgotten;
        rooms.truncate(rooms.len() - complete as usize);
        self.state.due.changed(removed as usize);
        Ok(())
    }

    /// Removes the oldest `count` events of a room, which are all if somebody has removed others by hand.
    pub(super) fn remove_oldest(&mut self, name: &Arc<str>, count: u64) -> Result<()> {
        let transaction = self.transaction()?;
        let room = self.state.rooms.get(name).expect("a room that is over a limit is known");
        let mut last = self.statements.nth.query_row([room.id, to_integer(count - 1)], place).optional()?;
        let are_there = last.is_some();
        if !are_there {
            last = self.statements.newest.query_row([room.id], place).optional()?;
        }
        let mut removed = 0;
        if let Some((n, at)) = last {
            removed = self.statements.remove.execute([room.id, n])?;
            self.statements.set_gone.execute(params![room.id, n, at])?;
        }
        let lines = if are_there { room.lines.saturating_sub(removed as u64) } else { 0 };
        let room = Room { lines, is_behind: false, ..room };
        self.statements.set_lines(&room)?;
        transaction.commit()?;
        self.state.rooms.set(name, room);
        self.state.due.changed(removed);
        Ok(())
    }

    /// Removes the oldest events of all rooms, as far as they are too old.
    fn expire(&mut self, now: Instant) -> Result<()> {
        let days = i64::from(self.state.options.days_max);
        let age = SignedDuration::from_hours(24 * days);
        let oldest_kept = rows::time(self.state.clock.at(now).checked_sub(age).unwrap_or(Timestamp::MIN));
        let transaction = self.transaction()?;
        let mut last = None;
        let mut by_room: HashMap<i64, (i64, String, u64)> = HashMap::new();
        let mut old = Vec::new();
        let mut oldest = self.statements.oldest_of_all.query([self.state.due.expired, to_integer(STEP_ROWS)])?;
        while let Some(row) = oldest.next()? {
            let (n, at) = place(row)?;
            if at >= oldest_kept {
                break;
            }
            last = Some(n);
            let room = row.get(2).unwrap_or_default();
            if self.state.rooms.name(room).is_some_and(|name| is_mailbox(name)) {
                continue;
            }
            old.push(n);
            let events = by_room.get(&room).map_or(0, |(_, _, events)| *events);
            by_room.insert(room, (n, at, events + 1));
        }
        drop(oldest);
        let Some(last) = last else {
            self.state.due.expiry = Some(now + EXPIRY_INTERVAL);
            return Ok(());
        };
        let mut rooms = Vec::new();
        for (id, (n, at, events)) in by_room {
            self.statements.set_gone.execute(params![id, n, at])?;
            if let Some(name) = self.state.rooms.name(id)
                && let Some(room) = self.state.rooms.get(name)
            {
                let room = Room { lines: room.lines.saturating_sub(events), is_behind: false, ..room };
                self.statements.set_lines(&room)?;
                rooms.push((Arc::clone(name), room));
            }
        }
        for n in &old {
            self.statements.remove_one.execute([n])?;
        }
        transaction.commit()?;
        rooms.iter().for_each(|(name, room)| self.state.rooms.set(name, *room));
        self.state.due.expired = last;
        self.state.due.changed(old.len());
        Ok(())
    }

    /// Removes the oldest events of the largest room, if there is too much in the file.
    fn shrink(&mut self) -> Result<()> {
        let used: i64 = self.statements.used_bytes.query_row([], |row| row.get(0))?;
        let is_large = from_integer(used) > self.state.options.bytes_max;
        let largest = if is_large { self.state.rooms.largest() } else { None };
        match largest {
            // Not all of it, even if it is small.
            Some((name, lines)) => self.remove_oldest(&name, (lines / 2).clamp(1, STEP_ROWS)),
            None => {
                self.state.due.is_large = false;
                Ok(())
            }
        }
    }

    /// Writes how many events rooms have.
    pub(super) fn count(&mut self) -> Result<()> {
        let rooms = self.state.rooms.next_to_count(usize::try_from(STEP_ROWS).expect("a few hundred"));
        let transaction = self.transaction()?;
        for (_, room) in &rooms {
            if let Some(room) = room
                && room.is_behind
            {
                self.statements.set_lines(room)?;
            }
        }
        transaction.commit()?;
        self.state.rooms.counted(&rooms);
        self.state.due.changed(rooms.len());
        Ok(())
    }

    /// Copies the pages in SQLite's log to their places, if there are many.
    fn check_log(&mut self) -> Result<()> {
        let pages: i64 = self.statements.log_pages.query_row([], |row| row.get(1))?;
        if from_integer(pages) >= LOG_PAGES_MAX {
            self.statements.checkpoint.query_row([], |_| Ok(()))?;
        }
        (self.state.due.log_changes, self.state.due.log_commits) = (0, 0);
        Ok(())
    }
}

/// The number and the time of an event, which may be anything where somebody has edited it.
fn place(row: &rusqlite::Row<'_>) -> Result<(i64, String)> {
    Ok((row.get(0)?, row.get(1).unwrap_or_default()))
}
