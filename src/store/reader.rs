//! The thread that reads: pages of a room's events, and where to begin. Its connection cannot write.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io,
    sync::{Arc, mpsc::Receiver},
    thread::{self, JoinHandle},
};

use futures::channel::oneshot;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, Statement, TransactionBehavior, params, types::ValueRef};

use super::{
    Answer, Gone, LOG_TARGET, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, Query,
    rows::{self, Row, from_integer, to_integer},
};
use crate::chat::Kinds;

/// Rows that are looked at for one question, however few of them are wanted: up to two milliseconds of work, for which others
/// wait who ask too.
pub(super) const ROWS_MAX: usize = 2048;

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
    newest: Statement<'c>,
    newest_within: Statement<'c>,
    /// Those that read the events of so many rooms, in order and backwards; of the latter, those that look at kinds, too.
    pages: BTreeMap<usize, Statement<'c>>,
    backwards: BTreeMap<(usize, bool), Statement<'c>>,
}

/// A room as a query finds it. One that is not in the file has no number.
#[derive(Default)]
struct Room {
    id: Option<i64>,
    gone: Option<Gone>,
}

impl<'c> Reader<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self> {
        let prepare = |sql| connection.prepare(sql);
        Ok(Self {
            connection,
            room: prepare("select id, gone, gone_at from rooms where name = ?1")?,
            newest: prepare("select n from messages where room = ?1 order by n desc limit 1")?,
            newest_within: prepare(
                "select n, at < ?4 from messages where room = ?1 and n > ?2 and n <= ?3 order by n desc limit 1",
            )?,
            pages: BTreeMap::new(),
            backwards: BTreeMap::new(),
        })
    }

    pub(super) fn answer(&mut self, query: &Query) -> Result<Answer> {
        // One state of the file for all that the answer takes.
        let _snapshot = rusqlite::Transaction::new_unchecked(self.connection, TransactionBehavior::Deferred)?;
        match query {
            Query::Page { rooms, until, kinds, limit } => {
                self.page(rooms, *until, *kinds, (*limit).min(PAGE_RECORDS_MAX))
            }
            Query::SeekOldest { rooms } => self.seek(rooms, |_, room| Ok(room.begin())),
            Query::SeekSince { rooms, at } => self.seek(rooms, |reader, room| reader.seek_since(room, *at)),
            Query::SeekLast { rooms, kinds, count, until } => self.seek_last(rooms, *kinds, *count, *until),
        }
    }

    fn room(&mut self, name: &str) -> Result<Room> {
        let room = self.room.query_row([name], |row| Ok(Room { id: row.get(0)?, gone: gone(row, 1)? }));
        Ok(room.optional()?.unwrap_or_default())
    }

    fn page(&mut self, named: &[(Arc<str>, u64)], until: u64, kinds: Kinds, limit: usize) -> Result<Answer> {
        let rooms = named.iter().map(|(name, _)| self.room(name)).collect::<Result<Vec<_>>>()?;
        let page = match self.pages.entry(named.len()) {
            Entry::Occupied(page) => page.into_mut(),
            Entry::Vacant(page) => page.insert(self.connection.prepare(&page_sql(named.len()))?),
        };
        let most = match kinds {
            Kinds::All => limit,
            Kinds::Messages => ROWS_MAX,
        };
        page.raw_bind_parameter(1, to_integer(until))?;
        page.raw_bind_parameter(2, to_integer(most as u64))?;
        for (place, (room, (_, after))) in (0..).zip(rooms.iter().zip(named)) {
            page.raw_bind_parameter(3 + 2 * place, room.id)?;
            page.raw_bind_parameter(4 + 2 * place, to_integer(*after))?;
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        let (mut read, mut through) = (0, until);
        let mut unreadable: Option<(u64, String)> = None;
        let mut rows = page.raw_query();
        while let Some(row) = rows.next()? {
            read += 1;
            let n = from_integer(row.get(0)?);
            if is_of(row.get_ref(2)?, kinds) {
                let (name, _) = &named[row.get::<_, u8>(7)? as usize];
                match rows::record(row, n, name) {
                    Ok(record) => {
                        bytes += Row::of(&record.event).text.len();
                        records.push(record);
                    }
                    Err(reason) => unreadable = unreadable.or(Some((n, reason))),
                }
            }
            if read == most || records.len() == limit || bytes >= PAGE_BYTES_MAX {
                through = n;
                break;
            }
        }
        if let Some((n, reason)) = unreadable {
            log::warn!(target: LOG_TARGET, "rows of messages were left out, the first with n = {n}: {reason}");
        }
        Ok(Answer::Page { records, through, gone: rooms.iter().map(|room| room.gone).collect() })
    }

    /// Answers with the number that `find` finds in each room.
    fn seek(&mut self, names: &[Arc<str>], find: impl Fn(&mut Self, &Room) -> Result<u64>) -> Result<Answer> {
        let rooms = names.iter().map(|name| self.room(name)).collect::<Result<Vec<_>>>()?;
        let n = rooms.iter().map(|room| find(self, room)).collect::<Result<_>>()?;
        Ok(Answer::Behind { n, gone: rooms.iter().map(|room| room.gone).collect() })
    }

    fn seek_last(&mut self, names: &[Arc<str>], kinds: Kinds, count: usize, until: u64) -> Result<Answer> {
        let rooms = names.iter().map(|name| self.room(name)).collect::<Result<Vec<_>>>()?;
        let backwards = match self.backwards.entry((rooms.len(), kinds == Kinds::Messages)) {
            Entry::Occupied(backwards) => backwards.into_mut(),
            Entry::Vacant(backwards) => backwards.insert(self.connection.prepare(&backwards_sql(rooms.len(), kinds))?),
        };
        backwards.raw_bind_parameter(1, to_integer(until))?;
        backwards.raw_bind_parameter(2, to_integer(ROWS_MAX as u64))?;
        for (place, room) in (3..).zip(&rooms) {
            backwards.raw_bind_parameter(place, room.id)?;
        }
        let lost = rooms.iter().filter_map(Room::lost).max().unwrap_or(0);
        let (mut read, mut left, mut behind) = (0, count, lost);
        let mut rows = backwards.raw_query();
        while let Some(row) = rows.next()? {
            let n = from_integer(row.get(0)?);
            if n <= lost || left == 0 {
                behind = n.max(lost);
                break;
            }
            read += 1;
            left -= usize::from(is_of(row.get_ref(1)?, kinds));
            if read == ROWS_MAX {
                return Ok(Answer::Further { count: left, until: n.saturating_sub(1) });
            }
        }
        let n = rooms.iter().map(|room| behind.max(room.begin())).collect();
        Ok(Answer::Behind { n, gone: rooms.iter().map(|room| room.gone).collect() })
    }

    /// Looks at about as many events as the range of numbers has bits: an index of times would make the file a third larger.
    fn seek_since(&mut self, room: &Room, at: Timestamp) -> Result<u64> {
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
        Ok(from_integer(low))
    }
}

impl Room {
    /// The number behind which all events are.
    fn begin(&self) -> u64 {
        self.gone.map_or(0, |gone| gone.n)
    }

    /// The last event that was removed of it. What may have been removed of another one of its name happened at no time.
    fn lost(&self) -> Option<u64> {
        self.gone.filter(|gone| gone.at > Timestamp::UNIX_EPOCH).map(|gone| gone.n)
    }
}

/// The events of so many rooms in their one order: ?1 and ?2 are the last number and how many rows are looked at; ?3, ?5 and so on
/// the rooms, and ?4, ?6 and so on the numbers before their first ones. SQLite reads each room by the index and merges what it
/// reads, row by row.
pub(super) fn page_sql(rooms: usize) -> String {
    let of_room = |place: usize| {
        let (room, after) = (3 + 2 * place, 4 + 2 * place);
        format!(
            "select n, at, kind, name, addr, text, account, {place} from messages
            where room = ?{room} and n > ?{after} and n <= ?1"
        )
    };
    let rooms: Vec<_> = (0..rooms).map(of_room).collect();
    format!("{} order by n limit ?2", rooms.join(" union all "))
}

/// The numbers of the same backwards, where the rooms are ?3, ?4 and so on. Where kinds do not matter, the index is enough.
pub(super) fn backwards_sql(rooms: usize, kinds: Kinds) -> String {
    let kind = match kinds {
        Kinds::All => "null",
        Kinds::Messages => "kind",
    };
    let of_room = |place: usize| format!("select n, {kind} from messages where room = ?{} and n <= ?1", 3 + place);
    let rooms: Vec<_> = (0..rooms).map(of_room).collect();
    format!("{} order by n desc limit ?2", rooms.join(" union all "))
}

/// Whether a row of this kind is one of these.
fn is_of(kind: ValueRef<'_>, kinds: Kinds) -> bool {
    match kinds {
        Kinds::All => true,
        Kinds::Messages => kind.as_str() == Ok("message"),
    }
}

/// The last event that was removed, from two columns.
pub(super) fn gone(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<Gone>> {
    let (n, at): (Option<i64>, Option<String>) = (row.get(column)?, row.get(column + 1)?);
    let at = at.and_then(|at| at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(n.map(|n| Gone { n: from_integer(n), at }))
}
