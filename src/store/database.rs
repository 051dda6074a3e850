//! The file as the writer has it: a connection, its statements, and what is known of the tables without asking. What is done
//! with them is in [`super::commit`], [`super::retention`] and [`super::removing`].

use std::{
    fs::File,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::{Connection, Result, Statement, Transaction, TransactionBehavior, params};

use super::{
    Options,
    amount::Amount,
    retention::Due,
    rooms::{Room, Rooms},
    rows::to_integer,
    watch::Watched,
};

/// The file, before the thread that writes has it.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) state: State,
    /// Locked as long as the file is in use. Closed after `connection`: one of them is the file itself, and whoever closes a
    /// file gives up SQLite's locks on it.
    pub(super) locks: [File; 2],
}

/// The tables of a file.
#[derive(Debug)]
pub(super) struct Tables<'c> {
    pub(super) connection: &'c Connection,
    pub(super) statements: Statements<'c>,
    /// Changes only when a transaction is complete.
    pub(super) state: State,
}

impl<'c> Tables<'c> {
    pub(super) fn new(connection: &'c Connection, state: State) -> Result<Self> {
        Ok(Self { connection, statements: Statements::new(connection)?, state })
    }

    /// A transaction that writes, rolled back unless it is committed. It asks for the lock at once: one that asks later fails
    /// without waiting when another process has written meanwhile.
    pub(super) fn transaction(&self) -> Result<Transaction<'c>> {
        Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)
    }

    /// Writes what the next start would have to find out, when no number above `highest` was given out and none will be.
    pub(super) fn finish(&mut self, highest: u64) -> Result<()> {
        while self.state.rooms.is_uncounted() {
            self.count()?;
        }
        self.statements.reserve(highest + 1)
    }
}

/// What is known without asking the file.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) rooms: Rooms,
    /// The numbers below this one are reserved in the file.
    pub(super) reserved: u64,
    /// The largest number that is in the file, or was before this start.
    pub(super) highest: u64,
    pub(super) clock: Clock,
    pub(super) due: Due,
    pub(super) watched: Watched,
}

/// The time, as it follows from that at the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
    at_start: Timestamp,
}

impl Clock {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { start: Instant::now(), at_start: now }
    }

    /// The time at `now`.
    pub(super) fn at(&self, now: Instant) -> Timestamp {
        let since = now.saturating_duration_since(self.start);
        self.at_start.checked_add(since).unwrap_or(Timestamp::MAX)
    }
}

/// What is asked of the file again and again. Each is prepared once, which costs more than most of them do.
#[derive(Debug)]
pub(super) struct Statements<'c> {
    pub(super) add_room: Statement<'c>,
    pub(super) add_message: Statement<'c>,
    pub(super) set_room: Statement<'c>,
    pub(super) set_read: Statement<'c>,
    pub(super) use_token: Statement<'c>,
    pub(super) forget_room: Statement<'c>,
    pub(super) reserve: Statement<'c>,
    pub(super) set_forgotten: Statement<'c>,
    pub(super) set_lines: Statement<'c>,
    pub(super) set_gone: Statement<'c>,
    pub(super) oldest: Statement<'c>,
    pub(super) remove: Statement<'c>,
    pub(super) oldest_of_all: Statement<'c>,
    pub(super) remove_one: Statement<'c>,
    pub(super) oldest_of_mailboxes: Statement<'c>,
    pub(super) count_older: Statement<'c>,
    pub(super) remove_room: Statement<'c>,
    pub(super) used_bytes: Statement<'c>,
    pub(super) log_pages: Statement<'c>,
    pub(super) checkpoint: Statement<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self> {
        let prepare = |sql| connection.prepare(sql);
        Ok(Self {
            // A room of this name that somebody has added by hand is as good. For a new one, what happened up to the last event
            // of a room that is no more may have happened in one of its name; when that was does not matter.
            add_room: prepare(
                "insert into rooms (name, gone, gone_at)
                select ?1, max(value), iif(max(value) is null, null, '1970-01-01T00:00:00.000Z')
                from settings where settings.name = 'forgotten'
                on conflict (name) do update set name = rooms.name returning id",
            )?,
            // When it is not known whether a commit has succeeded it is tried again, so the row may be there.
            add_message: prepare(
                "insert or ignore into messages (n, at, room, kind, name, addr, text, account)
                values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            set_room: prepare("update rooms set topic = ?2, keeper = ?3 where id = ?1")?,
            set_read: prepare("update accounts set read = max(read, ?2) where key = ?1")?,
            use_token: prepare(
                "update tokens set used = ?3, addr = ?4
                where account = (select id from accounts where key = ?1) and label = ?2",
            )?,
            forget_room: prepare("update rooms set name = null, topic = null, keeper = null where id = ?1")?,
            reserve: prepare("update settings set value = ?1 where name = 'reserved'")?,
            set_forgotten: prepare(
                "insert into settings (name, value) values ('forgotten', ?1)
                on conflict (name) do update set value = max(value, ?1)",
            )?,
            set_lines: prepare("update rooms set lines = ?2, bytes = ?3, counted = ?4 where id = ?1")?,
            set_gone: prepare("update rooms set gone = ?2, gone_at = ?3 where id = ?1")?,
            oldest: prepare("select n, at, octet_length(text) from messages where room = ?1 order by n limit ?2")?,
            remove: prepare("delete from messages where room = ?1 and n <= ?2")?,
            oldest_of_all: prepare(
                "select n, at, octet_length(text), room from messages where n > ?1 order by n limit ?2",
            )?,
            remove_one: prepare("delete from messages where n = ?1")?,
            oldest_of_mailboxes: prepare(
                "select name, (select at from messages where room = rooms.id order by n limit 1)
                from rooms where name > max('@:', ?1) and name < '@;' order by name limit ?2",
            )?,
            count_older: prepare(
                "select count(*) from (select at from messages where room = ?1 order by n limit ?2) where at < ?3",
            )?,
            remove_room: prepare("delete from rooms where id = ?1")?,
            used_bytes: prepare(
                "select (page_count - freelist_count) * page_size
                from pragma_page_count, pragma_freelist_count, pragma_page_size",
            )?,
            log_pages: prepare("pragma wal_checkpoint(noop)")?,
            checkpoint: prepare("pragma wal_checkpoint(passive)")?,
        })
    }

    /// Writes how many events a room has.
    pub(super) fn set_lines(&mut self, room: &Room) -> Result<()> {
        let Amount { rows, .. } = room.events;
        let numbers = [rows, room.events.text_bytes(), room.last].map(to_integer);
        self.set_lines.execute(params![room.id, numbers[0], numbers[1], numbers[2]]).map(drop)
    }

    /// Reserves the numbers below `n`.
    pub(super) fn reserve(&mut self, n: u64) -> Result<()> {
        self.reserve.execute([to_integer(n)]).map(drop)
    }
}

/// How long a statement waits for another process that has locked the file, as a `sqlite3` shell may: half of the time after
/// which a chat takes a commit for one that has failed, so that it is told why.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(500);
