//! How another process learns that the server knows what it has changed. Each edit is counted in the file; the server writes there up
//! to which count it has told the chat, and `pipechat account` ends no earlier than that: what a script does next finds it in force.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension, Result};

/// How long a server is waited for. It looks several times a second, unless its disk is slow.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is looked whether it knows.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

const EDITS: &str = "edits";
const KNOWN: &str = "edits_known";

/// Edits that a server has read, and those of which it has written that the chat was told.
#[derive(Debug)]
pub(super) struct Edits {
    pub(super) read: i64,
    noted: i64,
}

impl Edits {
    pub(super) fn load(connection: &Connection) -> Result<Self> {
        Ok(Self { read: count(connection)?, noted: setting(connection, KNOWN)? })
    }

    /// The chat was told of those that were read.
    pub(super) fn note(&mut self, connection: &Connection) -> Result<()> {
        if self.noted != self.read {
            connection.execute(
                "insert into settings (name, value) values (?1, ?2) on conflict (name) do update set value = ?2",
                (KNOWN, self.read),
            )?;
            self.noted = self.read;
        }
        Ok(())
    }
}

/// How many there have been.
pub(super) fn count(connection: &Connection) -> Result<i64> {
    setting(connection, EDITS)
}

/// There is one more.
pub(super) fn add(connection: &Connection) -> Result<()> {
    let sql = "insert into settings (name, value) values (?1, 1) on conflict (name) do update set value = value + 1";
    connection.execute(sql, [EDITS]).map(drop)
}

/// Waits until the server that has the file, if there is one, has told the chat of all edits. Answers false if that takes too long.
pub(super) fn wait_until_known(connection: &Connection) -> Result<bool> {
    let until = Instant::now() + PATIENCE;
    let path = connection.path().unwrap_or_default();
    while setting(connection, KNOWN)? < count(connection)? && has_server(Path::new(path)) {
        if Instant::now() >= until {
            return Ok(false);
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(true)
}

/// Whether a server has the file: it holds the lock.
fn has_server(path: &Path) -> bool {
    let mut lock = OsString::from(path);
    lock.push(".lock");
    File::open(lock).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn setting(connection: &Connection, name: &str) -> Result<i64> {
    let value = connection.query_row("select value from settings where name = ?1", [name], |row| row.get(0));
    Ok(value.optional()?.unwrap_or(0))
}
