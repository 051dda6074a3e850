//! What changes mean in the file. A group of them is one transaction; what the writer knows follows when that is complete.

use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, Result, params};

use super::{
    BATCH_CHANGES_MAX, Change, accounts,
    amount::Amount,
    database::{Statements, Tables},
    order,
    rooms::{Room, Rooms},
    rows::{self, Row, to_integer},
    watch::{Changed, Told},
};
use crate::chat::{Account, AccountChange, HELD_EVENTS_MAX, OrderChange, Record, account_key, mailbox};

/// The numbers that are reserved at a time.
pub(super) const RESERVED_AHEAD: u64 = 100_000;
/// When fewer numbers than this are left after a group, more are reserved with it: what is given out before the next commit is
/// complete is reserved, too. That is one batch, and what is given numbers while commits fail.
const RESERVED_LEFT_MIN: u64 = RESERVED_AHEAD / 2;
const _: () = assert!(BATCH_CHANGES_MAX as u64 + HELD_EVENTS_MAX < RESERVED_LEFT_MIN);

/// What a group of changes does to what is known of rooms and accounts.
struct Group<'a, 'c> {
    connection: &'c Connection,
    known: &'a Rooms,
    statements: &'a mut Statements<'c>,
    /// The rooms that it changes; `None` for those that are no more.
    rooms: HashMap<Arc<str>, Option<Room>>,
    forgotten: Vec<i64>,
    /// The events that it adds.
    added: Amount,
    highest: u64,
    known_accounts: &'a HashMap<String, Account>,
    /// The accounts that it changes, by key.
    accounts: HashMap<String, Changed>,
    /// Another process was first with one of them.
    has_merged: bool,
    /// What the chat was told last of accounts, if it has not said yet that it knows; and whether it does in this group.
    told: Option<&'a Told>,
    has_seen: bool,
}

impl Tables<'_> {
    /// Commits changes, all or none. Returns how many there are, and what the events among them take.
    pub(super) fn commit<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> Result<Amount> {
        let transaction = self.transaction()?;
        let Self { statements, state, connection } = self;
        let mut group = Group {
            connection,
            known: &state.rooms,
            statements,
            rooms: HashMap::new(),
            forgotten: Vec::new(),
            added: Amount::default(),
            highest: state.highest,
            known_accounts: &state.watched.accounts,
            accounts: HashMap::new(),
            has_merged: false,
            told: state.watched.told.as_ref(),
            has_seen: false,
        };
        let mut count = 0;
        for change in changes {
            group.apply(change)?;
            count += 1;
        }
        let Group { rooms, forgotten, added, highest, statements, accounts, has_merged, has_seen, .. } = group;
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
        state.watched.committed(accounts, has_seen);
        state.watched.is_untold |= has_merged;
        let committed = Amount { rows: count, ..added };
        state.due.committed(committed);
        Ok(committed)
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
            Change::Account(change) => self.change_account(change),
            Change::Order(OrderChange::Room(order)) => {
                let id = self.room(&order.room)?.id;
                order::set_room(self.connection, id, order)
            }
            Change::Order(change) => order::write(self.connection, change),
            Change::AccountsSeen(number) => {
                if let Some(told) = self.told.filter(|told| told.number == *number) {
                    self.known_accounts = &told.accounts;
                    self.has_seen = true;
                }
                Ok(())
            }
            Change::Forget(room) => self.forget(room),
        }
    }

    fn add(&mut self, record: &Record) -> Result<()> {
        self.highest = self.highest.max(record.n);
        let Row { kind, who, account, text } = Row::of(&record.event);
        let id = self.room(&record.room)?.id;
        let values = params![to_integer(record.n), rows::time(record.at), id, kind, who.name, who.addr, &text, account];
        let rows = self.statements.add_message.execute(values)? as u64;
        let added = Amount::new(rows, rows * text.len() as u64);
        self.added += added;
        let room = self.room(&record.room)?;
        room.events += added;
        room.last = room.last.max(record.n);
        room.is_behind = true;
        Ok(())
    }

    fn change_account(&mut self, change: &AccountChange) -> Result<()> {
        match change {
            AccountChange::Put(account) => self.put_account(account),
            AccountChange::Gone(name) => {
                let key = account_key(name);
                let file = accounts::find(self.connection, &key)?;
                let base = self.base(&key);
                // Another process may have made one of the same name since that one was removed.
                let file = file.filter(|file| base.is_none_or(|base| base.created != file.created));
                match file {
                    None => accounts::remove(self.connection, &key)?,
                    Some(_) => self.has_merged = true,
                }
                self.accounts.insert(key, Changed { chat: None, file });
                self.forget(&mailbox(name))
            }
            AccountChange::Read { account, n } => {
                self.statements.set_read.execute(params![account_key(account), to_integer(*n)]).map(drop)
            }
            AccountChange::TokenUsed { account, label, at, addr } => {
                let values = params![account_key(account), label, rows::time(*at), addr];
                self.statements.use_token.execute(values).map(drop)
            }
        }
    }

    fn put_account(&mut self, account: &Account) -> Result<()> {
        let key = account.key();
        let base = self.base(&key);
        let theirs = accounts::find(self.connection, &key)?;
        let is_first = match (base, &theirs) {
            (None, None) => true,
            (Some(base), Some(theirs)) => accounts::are_same(base, theirs),
            (None, Some(_)) | (Some(_), None) => false,
        };
        if let Some(merged) = accounts::merge(base, theirs, account) {
            accounts::put(self.connection, &merged)?;
        }
        self.has_merged |= !is_first;
        let file = accounts::find(self.connection, &key)?;
        let created = file.as_ref().map_or(account.created, |file| file.created); // to the millisecond
        let chat = Some(Account { created, ..account.clone() });
        self.accounts.insert(key, Changed { chat, file });
        Ok(())
    }

    /// The account of this key as the chat knows it.
    fn base(&self, key: &str) -> Option<&Account> {
        match self.accounts.get(key) {
            Some(changed) => changed.chat.as_ref(),
            None => self.known_accounts.get(key),
        }
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
            order::forget_room(self.connection, room.id, name)?;
            self.statements.set_forgotten.execute([to_integer(room.last)])?;
            self.forgotten.push(room.id);
            self.rooms.insert(Arc::clone(name), None);
        }
        Ok(())
    }
}
