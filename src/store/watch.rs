//! The accounts as the chat was told of them, and how it is found out that another process has changed them in the file.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Result};

use super::{
    accounts,
    database::Tables,
    edits::{self, Edits},
};
use crate::chat::{Account, mailbox};

/// How often it is looked whether another process has changed the file: an operator who has changed an account waits for that, and a
/// look that finds nothing takes some microseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The accounts, as the chat knows them and as they are in the file.
#[derive(Debug)]
pub(super) struct Watched {
    /// As the chat knows them, with what it has changed: what it changes next is to be understood beside these. By key.
    pub(super) accounts: HashMap<String, Account>,
    /// As the chat was told last, if it has not said yet that it knows ([`super::Change::AccountsSeen`]).
    pub(super) told: Option<Told>,
    /// How often it was told.
    count: u64,
    /// What others have changed, and have to learn that the chat knows.
    pub(super) edits: Edits,
    /// A number of SQLite's, which is another one when another connection has changed the file.
    version: i64,
    /// When it is looked at next.
    pub(super) look_at: Instant,
    /// The chat is to be told at the next look, though nothing may have changed.
    pub(super) is_untold: bool,
}

/// What the chat was told.
#[derive(Debug)]
pub(super) struct Told {
    /// Which time it was.
    pub(super) number: u64,
    /// By key.
    pub(super) accounts: HashMap<String, Account>,
}

/// An account that the chat has changed; none where it is no more.
#[derive(Debug)]
pub(super) struct Changed {
    /// As the chat knows it.
    pub(super) chat: Option<Account>,
    /// As it is in the file: another process may have been first.
    pub(super) file: Option<Account>,
}

impl Watched {
    /// What is in the file, to be watched from `now` on. Returns the accounts in their order, too.
    pub(super) fn load(connection: &Connection, now: Instant) -> Result<(Self, Vec<Account>)> {
        let version = version(connection)?; // first: what comes between is looked at again
        let edits = Edits::load(connection)?;
        let all = accounts::all(connection)?;
        let accounts = by_key(&all);
        let look_at = now + LOOK_INTERVAL;
        Ok((Self { accounts, told: None, count: 0, edits, version, look_at, is_untold: false }, all))
    }

    /// What the chat has changed is in the file, after it knew what it was told last if `has_seen`.
    pub(super) fn committed(&mut self, changed: HashMap<String, Changed>, has_seen: bool) {
        if has_seen && let Some(told) = self.told.take() {
            self.accounts = told.accounts;
        }
        for (key, Changed { chat, file }) in changed {
            if let Some(told) = &mut self.told {
                set(&mut told.accounts, &key, file);
            }
            set(&mut self.accounts, &key, chat);
        }
    }
}

fn set(accounts: &mut HashMap<String, Account>, key: &str, account: Option<Account>) {
    match account {
        Some(account) => drop(accounts.insert(key.to_owned(), account)),
        None => drop(accounts.remove(key)),
    }
}

impl Tables<'_> {
    /// Looks whether another process has changed accounts, if it is time to. Returns all accounts if the chat is to be told, and
    /// which time that is.
    pub(super) fn look(&mut self, now: Instant) -> Result<Option<(u64, Vec<Account>)>> {
        if now < self.state.watched.look_at {
            return Ok(None);
        }
        self.state.watched.look_at = now + LOOK_INTERVAL;
        let version = version(self.connection)?;
        if version == self.state.watched.version && !self.state.watched.is_untold {
            return Ok(None);
        }
        let transaction = self.transaction()?;
        let edits = edits::count(self.connection)?;
        let all = accounts::all(self.connection)?;
        let found = by_key(&all);
        let Watched { told, accounts, .. } = &self.state.watched;
        let known = told.as_ref().map_or(accounts, |told| &told.accounts);
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
        let watched = &mut self.state.watched;
        (watched.version, watched.edits.read) = (version, edits);
        if !has_changed && !watched.is_untold {
            return Ok(None);
        }
        watched.count += 1;
        watched.is_untold = false;
        watched.told = Some(Told { number: watched.count, accounts: found });
        Ok(Some((watched.count, all)))
    }
}

fn by_key(accounts: &[Account]) -> HashMap<String, Account> {
    accounts.iter().map(|account| (account.key(), account.clone())).collect()
}

fn version(connection: &Connection) -> Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}
