//! A file becomes a store: who may have it, whether it is one, and what is in it. Knows why a file is refused, for people.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::{
    Loaded, Options, SyncMode,
    amount::Amount,
    commit::RESERVED_AHEAD,
    database::{BUSY_TIMEOUT, Clock, Database, State, Statements},
    mailboxes, order,
    reader::{self, Reader},
    retention::Due,
    rooms::{Room, Rooms},
    rows::{from_integer, to_integer},
    schema::{self, APPLICATION_ID},
    watch::Watched,
};
use crate::chat::{Epoch, PastRoom, is_mailbox};

pub(super) use super::schema::VERSION;

/// What SQLite may keep of the file in memory, for each of two connections: 8 MB together.
const CACHE_KIB: i64 = 4000;
/// What SQLite's log is cut to when it was longer, as while somebody read for long in a `sqlite3` shell.
const LOG_BYTES_KEPT: i64 = 16 << 20;
/// SQLite's log is copied between commits. During one, it is only when it has got this long; in pages.
const LOG_PAGES_LAST_RESORT: i64 = 10_000;

/// How long a lock is tried for: `pipechat account` has it for a moment only.
const LOCK_PATIENCE: Duration = Duration::from_millis(100);

/// Why a file cannot be a store.
#[derive(Debug)]
pub(super) enum OpenError {
    Folder,
    NoFile,
    NoFolder(PathBuf),
    Missing,
    InUse,
    Locked,
    Unwritable(PathBuf, io::Error),
    NoDatabase,
    OtherProgram,
    Newer(u32),
    Damaged(String),
    NoLog(String),
    Other(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("it is a folder"),
            Self::NoFile => f.write_str("it is not a regular file"),
            Self::NoFolder(folder) => write!(f, "there is no folder {folder:?}"),
            Self::Missing => f.write_str("there is no such file"),
            Self::InUse => f.write_str("it is in use by another process"),
            Self::Locked => f.write_str("another process has locked it"),
            Self::Unwritable(path, error) => write!(f, "{path:?} cannot be written ({error})"),
            Self::NoDatabase => f.write_str("it is not an SQLite database"),
            Self::OtherProgram => f.write_str("it is the database of another program"),
            Self::Newer(version) => {
                write!(f, "it is of version {version}, and this pipechat knows versions up to {VERSION}")
            }
            Self::Damaged(what) => write!(f, "it is damaged ({what})"),
            Self::NoLog(mode) => write!(f, "its file system cannot have a write-ahead log (only {mode:?})"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, QueryReturnedNoRows, SqlInputError};
        match (error.sqlite_error_code(), &error) {
            (Some(ErrorCode::NotADatabase), _) => Self::NoDatabase,
            (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => Self::Locked,
            // A table or a column is not there, or has something else in it.
            (Some(ErrorCode::DatabaseCorrupt | ErrorCode::Unknown), _)
            | (_, SqlInputError { .. } | QueryReturnedNoRows | InvalidColumnType(..) | FromSqlConversionFailure(..)) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

/// A store that is open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Database,
    /// Cannot write.
    pub(super) reader: Connection,
}

/// Opens the file at `path`, or makes it.
pub(super) fn open(path: &Path, options: Options, now: Timestamp, random: u64) -> Result<(Opened, Loaded), OpenError> {
    let path = real_path(path)?;
    let (connection, locks) = make(&path, options.sync, random)?;
    let (epoch, next) = numbers(&connection)?;
    let forgotten = forgotten(&connection)?;
    let mailboxes = mailboxes::all(&connection)?;
    // There may be more, from when more could wait.
    let unread = mailboxes.iter().map(|of| of.unread.iter().map(|(_, count)| *count as u64).sum());
    let unread_max = unread.fold(options.unread_max, u64::max);
    let (rooms, loaded) = rooms(&connection, options.lines_max, unread_max)?;
    let reserved = next + RESERVED_AHEAD;
    Statements::new(&connection)?.reserve(reserved)?;
    let (watched, accounts) = Watched::load(&connection, Instant::now())?;
    let order = order::load(&connection, now)?;
    let reader = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    reader.pragma_update(None, "query_only", true)?;
    Reader::new(&reader)?;
    let (clock, due) = (Clock::new(now), Due::new(options.days_max));
    let state = State { options, rooms, reserved, highest: next - 1, clock, due, watched };
    Ok((
        Opened { database: Database { connection, state, locks }, reader },
        Loaded { epoch, next, forgotten, rooms: loaded, accounts, mailboxes, order },
    ))
}

/// Takes the locks of a file, and makes it a store of this version where it is none or an older one.
pub(super) fn make(path: &Path, sync: SyncMode, random: u64) -> Result<(Connection, [File; 2]), OpenError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    // The lock beside the file stays there: who removes it may lock another one than the next who comes. The file itself may
    // have several names, by hard links, so it is locked too; SQLite's own locks are of another kind. (It is made here,
    // since what SQLite makes can be read by all. SQLite's other files get the permissions of this one.)
    let locks = [lock(Path::new(&lock_path))?, lock(path)?];
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version = version(&connection)?;
    configure(&connection, sync)?;
    schema::migrate(&connection, version, |connection| {
        let epoch = Epoch::from_random(random).to_string();
        connection.execute("insert into settings (name, value) values ('epoch', ?1), ('reserved', 1)", [epoch])?;
        Ok(())
    })?;
    Ok((connection, locks))
}

/// The path without symbolic links: one file has one lock, and a path that begins with `/` is no URI for SQLite.
pub(super) fn real_path(path: &Path) -> Result<PathBuf, OpenError> {
    match fs::canonicalize(path) {
        Ok(path) if path.is_dir() => Err(OpenError::Folder),
        Ok(path) if !path.is_file() => Err(OpenError::NoFile),
        Ok(path) => Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound && path.is_symlink() => {
            // It leads to a file that is not there yet. That has the lock, however it is reached.
            let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
            file.map_err(|error| OpenError::Unwritable(path.to_owned(), error))?;
            fs::canonicalize(path).map_err(|error| OpenError::Other(error.to_string()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = path.file_name().ok_or(OpenError::NoFile)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let folder = fs::canonicalize(folder).map_err(|_| OpenError::NoFolder(folder.to_owned()))?;
            Ok(folder.join(name))
        }
        Err(error) => Err(OpenError::Other(error.to_string())),
    }
}

/// Locks a file, which is made if there is none. Waits a moment for `pipechat account`, which has the lock to make a file or to look
/// whether somebody else has it.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).truncate(false).mode(0o600).open(path);
    let lock = lock.map_err(|error| OpenError::Unwritable(path.to_owned(), error))?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_PATIENCE / 10),
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => return Err(OpenError::Other(format!("it cannot be locked ({error})"))),
        }
    }
}

/// A connection that one thread has.
pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// The version of a store; 0 if there is nothing in the file.
pub(super) fn version(connection: &Connection) -> Result<u32, OpenError> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    match (application_id, version, tables) {
        (APPLICATION_ID, 1..=VERSION, _) => Ok(version),
        (APPLICATION_ID, 1.., _) => Err(OpenError::Newer(version)),
        (0, 0, 0) => Ok(0),
        _ => Err(OpenError::OtherProgram),
    }
}

fn configure(connection: &Connection, sync: SyncMode) -> Result<(), OpenError> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoLog(mode));
    }
    let sync = match sync {
        SyncMode::Normal => "normal",
        SyncMode::Full => "full",
    };
    connection.pragma_update(None, "synchronous", sync)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES_LAST_RESORT, |_| Ok(()))?;
    Ok(())
}

/// The number of the last event of a room that is no more.
fn forgotten(connection: &Connection) -> Result<u64, OpenError> {
    let setting = "select value from settings where name = 'forgotten'";
    let n: Option<i64> = connection.query_row(setting, [], |row| row.get(0)).optional()?;
    Ok(from_integer(n.unwrap_or(0)))
}

/// The epoch, and the first number that was never given out.
fn numbers(connection: &Connection) -> Result<(Epoch, u64), OpenError> {
    let setting = "select value from settings where name = ?1";
    let epoch: String = connection.query_row(setting, ["epoch"], |row| row.get(0))?;
    let epoch = epoch.parse().map_err(|()| OpenError::Damaged(format!("{epoch:?} is no epoch")))?;
    let reserved: i64 = connection.query_row(setting, ["reserved"], |row| row.get(0))?;
    // Somebody may have added rows by hand.
    let last: Option<i64> = connection.query_row("select max(n) from messages", [], |row| row.get(0))?;
    Ok((epoch, from_integer(reserved).max(from_integer(last.unwrap_or(0)) + 1).max(1)))
}

/// The rooms, as the writer and as the chat need them.
fn rooms(connection: &Connection, lines_max: u64, unread_max: u64) -> Result<(Rooms, Vec<PastRoom>), OpenError> {
    let mut rooms = Rooms::new(lines_max, unread_max);
    let mut loaded = Vec::new();
    // What was added since the events were last counted: there are not many.
    let mut uncounted = connection
        .prepare("select count(*), sum(octet_length(text)), max(n) from messages where room = ?1 and n > ?2")?;
    let mut all = connection
        .prepare("select id, name, topic, keeper, gone, gone_at, lines, bytes, counted, locked from rooms")?;
    let mut all = all.query([])?;
    while let Some(row) = all.next()? {
        let id = row.get(0)?;
        let Some(name): Option<String> = row.get(1)? else {
            rooms.forgotten.push(id);
            continue;
        };
        let mut events = Amount::new(from_integer(row.get(6)?), from_integer(row.get(7)?));
        let counted = from_integer(row.get(8)?);
        let (more, last) = uncounted.query_row(params![id, to_integer(counted)], |row| {
            let (rows, bytes): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            let more = Amount::new(from_integer(rows), from_integer(bytes.unwrap_or(0)));
            Ok((more, row.get::<_, Option<i64>>(2)?))
        })?;
        events += more;
        let last = last.map_or(counted, from_integer);
        rooms.set(&name.as_str().into(), Room { id, events, last, is_behind: more.rows > 0 });
        let (topic, gone) = (row.get::<_, Option<String>>(2)?.map(Into::into), reader::gone(row, 4)?);
        // Somebody may have edited it.
        let keeper = row.get::<_, Option<String>>(3)?.and_then(|network| network.parse().ok());
        let last = if events.rows == 0 { 0 } else { last };
        if is_mailbox(&name) {
            continue; // it is no room
        }
        loaded.push(PastRoom { name, topic, keeper, is_locked: row.get(9).unwrap_or_default(), last, gone });
    }
    loaded.sort_by_key(PastRoom::last_known);
    Ok((rooms, loaded))
}
