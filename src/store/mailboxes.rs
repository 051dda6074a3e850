//! Private messages in the file: what of them was not delivered at a start, and how long they are kept.

use std::{sync::Arc, time::Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Result, params};

use super::{
    amount::Amount,
    database::Tables,
    retention::STEP_ROWS,
    rows::{self, from_integer},
};
use crate::chat::{PastMailbox, PastSender};

/// How long a private message is kept, whatever `--history-days` says of rooms.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often it is looked for older ones.
const LOOK_INTERVAL: std::time::Duration = std::time::Duration::from_hours(1);

/// Where the search for old messages is.
#[derive(Debug)]
pub(super) struct Expiry {
    /// When it goes on.
    pub(super) at: Instant,
    /// The last mailbox that was looked at; none if the next one is the first.
    after: Option<Arc<str>>,
}

impl Expiry {
    pub(super) fn new(now: Instant) -> Self {
        Self { at: now, after: None }
    }
}

/// The mailboxes of all accounts that have one, in the order of their names.
pub(super) fn all(connection: &Connection) -> Result<Vec<PastMailbox>> {
    // A mailbox is a room that no room of users can be called: `@:` and the key of its account.
    let mut mailboxes = connection.prepare(
        "select accounts.name, read, rooms.id, (select max(n) from messages where room = rooms.id)
        from accounts join rooms on rooms.name = '@:' || key order by key",
    )?;
    let mut unread = connection
        .prepare("select account, addr, count(*) from messages where room = ?1 and n > ?2 group by account, addr")?;
    let mut found = Vec::new();
    let mut rows = mailboxes.query([])?;
    while let Some(row) = rows.next()? {
        let (read, room): (i64, i64) = (row.get(1)?, row.get(2)?);
        // Somebody may have edited it.
        let senders = unread.query_map([room, read], |row| {
            let account: Option<String> = row.get(0).unwrap_or_default();
            let addr = row.get(1).unwrap_or_default();
            let count: i64 = row.get(2)?;
            Ok((account.map_or(PastSender::Guest(addr), PastSender::Account), count.try_into().unwrap_or(0)))
        })?;
        let unread = senders.collect::<Result<_>>()?;
        let last: Option<i64> = row.get(3)?;
        let account: String = row.get(0)?;
        found.push(PastMailbox { account: account.into(), last: from_integer(last.unwrap_or(0)), unread });
    }
    Ok(found)
}

impl Tables<'_> {
    /// Looks at the next mailboxes, and removes old messages of the first that has some.
    pub(super) fn expire_private(&mut self, now: Instant) -> Result<Amount> {
        let oldest_kept = self.state.clock.at(now).checked_sub(AGE_MAX).unwrap_or(Timestamp::MIN);
        let oldest_kept = rows::time(oldest_kept);
        let after = self.state.due.private.after.clone().unwrap_or_default();
        let (mut looked, mut last, mut old) = (0, None, None);
        let mut oldest = self.statements.oldest_of_mailboxes.query(params![after, STEP_ROWS as i64])?;
        while let Some(row) = oldest.next()? {
            looked += 1;
            let name: Arc<str> = row.get::<_, String>(0)?.into();
            let at: Option<String> = row.get(1).unwrap_or_default();
            if at.is_some_and(|at| at < oldest_kept) && self.state.rooms.get(&name).is_some() {
                old = Some(name);
                break;
            }
            last = Some(name);
        }
        drop(oldest);
        if let Some(name) = old {
            let room = self.state.rooms.get(&name).map_or(0, |room| room.id);
            let older = params![room, STEP_ROWS as i64, oldest_kept];
            let count: i64 = self.statements.count_older.query_row(older, |row| row.get(0))?;
            return self.remove_of(&name, from_integer(count).max(1));
        }
        let private = &mut self.state.due.private;
        if looked < STEP_ROWS {
            *private = Expiry { at: now + LOOK_INTERVAL, after: None };
        } else {
            private.after = last;
        }
        Ok(Amount { rows: looked, bytes: 0 })
    }
}
