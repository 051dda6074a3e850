//! The thread that reads: pages of a room's events, and where to begin. Its connection cannot write.

use std::{
    io,
    sync::{Arc, mpsc::Receiver},
    thread::{self, JoinHandle},
};

use futures::channel::oneshot;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Statement, TransactionBehavior, params};

use super::{
    Answer, Gone, LOG_TARGET, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, Query,
    rows::{self, Row, from_integer, to_integer},
};

/// A query, and where its answer goes.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) query: Query,
    pub(super) answer: oneshot::Sender<std::result::Result<Answer, String>>,
}

/// Begins to read, until nobody can ask any more.
pub(super) fn spawn(connection: Connection, requests: Receiver<Request>) -> io::Result<JoinHandle<()>> {
    let read = move || {
        let mut reader = Reader::new(&connection).map_err(|error| error.to_string());
        for Request { query, answer } in requests {
            if !answer.is_canceled() {
                let result = match &mut reader {
                    Ok(reader) => reader.answer(&query).map_err(|error| error.to_string()),
                    Err(error) => Err(error.clone()),
                };
                answer.send(result).ok(); // nobody may wait for it any more
            }
        }
    };
    thread::Builder::new().name("store-reader".to_owned()).spawn(read)
}

/// What is asked of the file.
#[derive(Debug)]
pub(super) struct Reader<'c> {
    connection: &'c Connection,
    room: Statement<'c>,
    page: Statement<'c>,
    behind_last: Statement<'c>,
    newest: Statement<'c>,
    newest_within: Statement<'c>,
}

/// A room as a query finds it.
struct Room {
    id: i64,
    gone: Option<Gone>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self> {
        let prepare = |sql| connection.prepare(sql);
        Ok(Self {
            connection,
            room: prepare("select id, gone, gone_at from rooms where name = ?1")?,
            page: prepare(
                "select n, at, kind, name, addr, text, account from messages
                where room = ?1 and n > ?2 and n <= ?3 order by n limit ?4",
            )?,
            behind_last: prepare(
                "select n from messages where room = ?1 and n <= ?3 order by n desc limit 1 offset ?2",
            )?,
            newest: prepare("select n from messages where room = ?1 order by n desc limit 1")?,
            newest_within: prepare(
                "select n, at < ?4 from messages where room = ?1 and n > ?2 and n <= ?3 order by n desc limit 1",
            )?,
        })
    }

    pub(super) fn answer(&mut self, query: &Query) -> Result<Answer> {
        // One state of the file for all that the answer takes.
        let _snapshot = rusqlite::Transaction::new_unchecked(self.connection, TransactionBehavior::Deferred)?;
        match query {
            Query::Page { room: name, after, until, limit } => {
                let Some(room) = self.room(name)? else {
                    return Ok(Answer::Page { records: Vec::new(), through: *until, gone: None });
                };
                self.page(&room, name, (*after, *until), (*limit).min(PAGE_RECORDS_MAX))
            }
            Query::SeekOldest { room } => self.seek(room, |_, _| Ok(None)),
            Query::SeekLast { room, count, until } => {
                self.seek(room, |reader, room| reader.seek_last(room, *count, *until))
            }
            Query::SeekSince { room, at } => self.seek(room, |reader, room| reader.seek_since(room, *at)),
        }
    }

    fn room(&mut self, name: &str) -> Result<Option<Room>> {
        self.room.query_row([name], |row| Ok(Room { id: row.get(0)?, gone: gone(row, 1)? })).optional()
    }

    fn page(&mut self, room: &Room, name: &Arc<str>, (after, until): (u64, u64), limit: usize) -> Result<Answer> {
        let mut records = Vec::new();
        let (mut read, mut through) = (0, until);
        let mut unreadable: Option<(u64, String)> = None;
        let mut rows =
            self.page.query(params![room.id, to_integer(after), to_integer(until), to_integer(limit as u64)])?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            let n = from_integer(row.get(0)?);
            match rows::record(row, n, name) {
                Ok(record) => {
                    bytes += Row::of(&record.event).text.len();
                    records.push(record);
                }
                Err(reason) => unreadable = unreadable.or(Some((n, reason))),
            }
            if read == limit || bytes >= PAGE_BYTES_MAX {
                through = n;
                break;
            }
        }
        if let Some((n, reason)) = unreadable {
            log::warn!(target: LOG_TARGET, "rows of messages were left out, the first with n = {n}: {reason}");
        }
        Ok(Answer::Page { records, through, gone: room.gone })
    }

    /// Answers with the number that `find` finds in a room, or the beginning.
    fn seek(&mut self, name: &str, find: impl FnOnce(&mut Self, &Room) -> Result<Option<u64>>) -> Result<Answer> {
        let Some(room) = self.room(name)? else { return Ok(Answer::Behind { n: 0, gone: None }) };
        let n = find(self, &room)?;
        Ok(Answer::Behind { n: n.unwrap_or_else(|| room.begin()), gone: room.gone })
    }

    fn seek_last(&mut self, room: &Room, count: usize, until: u64) -> Result<Option<u64>> {
        let values = [room.id, to_integer(count as u64), to_integer(until)];
        let n = self.behind_last.query_row(values, |row| row.get(0)).optional()?;
        Ok(n.map(from_integer))
    }

    /// Looks at about as many events as the range of numbers has bits: an index of times would make the file a third larger.
    fn seek_since(&mut self, room: &Room, at: Timestamp) -> Result<Option<u64>> {
        let at = rows::time(at);
        let newest = self.newest.query_row([room.id], |row| row.get(0)).optional()?;
        // Events up to `low` are earlier; those above `high` are not.
        let (mut low, mut high) = (to_integer(room.begin()), newest.unwrap_or(0));
        while low < high {
            let middle = high - (high - low) / 2;
            let found = self
                .newest_within
                .query_row(params![room.id, low, middle, at], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)))
                .optional()?;
            match found {
                Some((n, false)) => high = n - 1,
                Some((_, true)) | None => low = middle,
            }
        }
        Ok(Some(from_integer(low)))
    }
}

impl Room {
    /// The number behind which all events are.
    fn begin(&self) -> u64 {
        self.gone.map_or(0, |gone| gone.n)
    }
}

/// The last event that was removed, from two columns.
pub(super) fn gone(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<Gone>> {
    let (n, at): (Option<i64>, Option<String>) = (row.get(column)?, row.get(column + 1)?);
    let at = at.and_then(|at| at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(n.map(|n| Gone { n: from_integer(n), at }))
}
