//! The accounts as the chat was told of them, and how it is found out that another process has changed them in the file.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Result};

use super::{accounts, database::Tables};
use crate::chat::{Account, mailbox};

/// How often it is looked whether another process has changed the file: an operator who has changed an account waits no longer, and
/// a look that finds nothing takes some microseconds.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The accounts, as the chat was told of them or has changed them since.
#[derive(Debug)]
pub(super) struct Watched {
    /// By key.
    pub(super) accounts: HashMap<String, Account>,
    /// A number of SQLite's, which is another one when another connection has changed the file.
    version: i64,
    /// When it is looked at next.
    pub(super) look_at: Instant,
    /// The chat is to be told at the next look, though nothing may have changed.
    pub(super) is_untold: bool,
}

impl Watched {
    /// What is in the file, to be watched from `now` on. Returns the accounts in their order, too.
    pub(super) fn load(connection: &Connection, now: Instant) -> Result<(Self, Vec<Account>)> {
        let version = version(connection)?; // first: what comes between is looked at again
        let all = accounts::all(connection)?;
        let accounts = by_key(&all);
        Ok((Self { accounts, version, look_at: now + LOOK_INTERVAL, is_untold: false }, all))
    }
}

impl Tables<'_> {
    /// Looks whether another process has changed accounts, if it is time to. Returns all accounts if the chat is to be told.
    pub(super) fn look(&mut self, now: Instant) -> Result<Option<Vec<Account>>> {
        if now < self.state.watched.look_at {
            return Ok(None);
        }
        self.state.watched.look_at = now + LOOK_INTERVAL;
        let version = version(self.connection)?;
        if version == self.state.watched.version && !self.state.watched.is_untold {
            return Ok(None);
        }
        let transaction = self.transaction()?;
        let all = accounts::all(self.connection)?;
        let found = by_key(&all);
        let known = &self.state.watched.accounts;
        let is_same =
            |(key, one): (&String, &Account)| known.get(key).is_some_and(|other| accounts::are_same(one, other));
        let has_changed = found.len() != known.len() || !found.iter().all(is_same);
        // Of an account that is gone, or is another one now, the messages are nobody's.
        let is_gone = |known: &&Account| found.get(&known.key()).is_none_or(|found| found.created != known.created);
        let gone: Vec<_> = known.values().filter(is_gone).map(|account| account.name.clone()).collect();
        for name in &gone {
            accounts::forget_mailbox(self.connection, name)?;
        }
        transaction.commit()?;
        for mailbox in gone.iter().map(|name| mailbox(name)) {
            let rooms = &mut self.state.rooms;
            rooms.forgotten.extend(rooms.get(&mailbox).map(|room| room.id));
            rooms.forget(&mailbox);
        }
        let is_untold = self.state.watched.is_untold;
        self.state.watched = Watched { accounts: found, version, is_untold: false, ..self.state.watched };
        Ok((has_changed || is_untold).then_some(all))
    }
}

fn by_key(accounts: &[Account]) -> HashMap<String, Account> {
    accounts.iter().map(|account| (account.key(), account.clone())).collect()
}

fn version(connection: &Connection) -> Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}
