//! What is kept in a file: the events of rooms, and the rooms themselves. Knows SQLite, the disk, and events as values.
//! Knows no rules, no sockets, and not how anything looks to users.
//!
//! Two threads do the work, each with its own connection to the file, so that a commit never waits for a query: one writes
//! (`writer`), one reads (`reader`). What both are asked to do waits in channels, and so do the answers; nothing here
//! makes the caller wait, but for [`Store::open`].
//!
//! A batch of changes is committed completely or not at all, in the order of the batches; what waits is committed together.
//! When a commit fails, its changes stay in memory and are tried again each second.

mod account_file;
mod accounts;
mod amount;
mod commit;
mod database;
mod edits;
mod health;
mod held;
mod mailboxes;
mod open;
mod order;
mod reader;
mod removing;
mod retention;
mod rooms;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod thread;
mod watch;
mod writer;

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{self, SendError},
    },
    time::Duration,
};

use futures::channel::{
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
    oneshot,
};
use jiff::Timestamp;

use self::{reader::Request, writer::Task};
use crate::{
    address::Network,
    chat::{Account, AccountChange, Epoch, OrderChange, PastMailbox, PastOrder, PastRoom, Record, Sanctions},
};

pub use self::account_file::AccountFile;
pub use crate::chat::{Answer, Gone, Query};

/// The log's target.
const LOG_TARGET: &str = "pipechat::store";

/// A store. Dropped without [`Self::close`], it ends as after a crash, with what was handed to it committed if it can be.
#[derive(Debug)]
pub struct Store {
    writer: mpsc::Sender<Task>,
    reader: mpsc::Sender<Request>,
    outcomes: UnboundedSender<Outcome>,
    /// The number of the last batch.
    batch: u64,
    /// The thread that writes has ended by a bug, and this was told.
    is_broken: bool,
}

/// How a store keeps what it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What a commit survives.
    pub sync: SyncMode,
    /// The events that are kept of each room.
    pub lines_max: u64,
    /// The private messages that may wait for an account: of each mailbox so many are kept at least, whatever `lines_max` says.
    pub unread_max: u64,
    /// The age, in days, from which on events are removed; 0 for no limit.
    pub days_max: u32,
    /// The bytes that the tables may take in the file. Above that, the oldest events of the largest room are removed.
    pub bytes_max: u64,
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncMode {
    /// The end of the process, however it ends.
    Normal,
    /// The end of the system too, as when the power fails. Each commit waits for the disk.
    Full,
}

/// What a store has at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whose numbers the numbers of the events are.
    pub epoch: Epoch,
    /// The first number that may be given out.
    pub next: u64,
    /// The number of the last event of a room that is no more; 0 if there is none.
    pub forgotten: u64,
    /// The rooms, in the order of their last events: the one that has been silent longest comes first.
    pub rooms: Vec<PastRoom>,
    /// The accounts, in the order in which they were made.
    pub accounts: Vec<Account>,
    /// What is kept for them in private.
    pub mailboxes: Vec<PastMailbox>,
    /// Who is banned or muted, and who keeps order in rooms.
    pub order: PastOrder,
}

/// Something to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An event. Its room is a new one where there is none of this name.
    Event(Record),
    /// What is known of a room. It is a new one where there is none of this name.
    Remember {
        /// The name of the room.
        room: Arc<str>,
        /// Its topic.
        topic: Option<Arc<str>>,
        /// At whose expense it is kept.
        keeper: Option<Network>,
    },
    /// Something of order.
    Order(OrderChange),
    /// Something about an account.
    Account(AccountChange),
    /// The chat knows what [`Outcome::Accounts`] of this number has told: what it changes from here on is to be understood so.
    AccountsSeen(u64),
    /// The room of this name is no more. Its events are removed little by little; a room of the same name is a new one.
    Forget(Arc<str>),
}

/// What has become of batches, and what another process has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All batches up to this one are in the file.
    Committed(u64),
    /// A commit has failed; told once, until batches are committed again. They are kept, and tried again each second.
    Failed {
        /// The first batch that is not in the file; 0 if the thread that writes has ended by a bug, and stores nothing any more.
        batch: u64,
        /// Why, for people.
        reason: String,
    },
    /// Another process has changed accounts, or was first with a change that was handed over; see [`Store::tell_accounts`].
    Accounts {
        /// What was handed over up to this batch is in it.
        batch: u64,
        /// Which time it is that accounts are told, from 1 on.
        number: u64,
        /// All of them.
        accounts: Vec<Account>,
    },
    /// The bans and mutes that are in the file; see [`Store::tell_bans`].
    Bans {
        /// What was handed over up to this batch is in it.
        batch: u64,
        /// All of them.
        sanctions: Sanctions,
    },
}

/// The changes that a batch may have: numbers are reserved for so many.
pub const BATCH_CHANGES_MAX: usize = 40_000;

/// The events that a page has at most: so much is in memory at once for a client that reads what it has missed.
pub const PAGE_RECORDS_MAX: usize = 1000;
/// Bytes of texts after which a page ends: it is told at once, and each byte may be told as six.
const PAGE_BYTES_MAX: usize = 32 << 10;

impl Store {
    /// Opens the store in the file at `path`, and makes a new one where there is none. `random` chooses the epoch of a new one.
    /// It is this process's alone until [`Self::close`] has answered. The outcomes of commits come from the channel.
    ///
    /// # Errors
    /// One sentence that says what is wrong with the file.
    pub fn open(
        path: &Path,
        options: Options,
        now: Timestamp,
        random: u64,
    ) -> Result<(Self, Loaded, UnboundedReceiver<Outcome>), String> {
        let cannot = |reason| format!("cannot open store {path:?}: {reason}");
        let (opened, loaded) = open::open(path, options, now, random).map_err(|error| cannot(error.to_string()))?;
        let (outcomes, receiver) = unbounded();
        let no_thread = |error| cannot(format!("there can be no thread for it ({error})"));
        let (reader, requests) = mpsc::channel();
        let reading = reader::spawn(opened.reader, requests).map_err(no_thread)?;
        let (writer, tasks) = mpsc::channel();
        thread::spawn(opened.database, tasks, outcomes.clone(), reading).map_err(no_thread)?;
        Ok((Self { writer, reader, outcomes, batch: 0, is_broken: false }, loaded, receiver))
    }

    /// Hands over a batch of changes, which are committed together. The numbers of events grow from each to the next. Returns
    /// the number of the batch, counted from 1; the outcome comes later.
    pub fn commit(&mut self, changes: Vec<Change>) -> u64 {
        self.batch += 1;
        let batch = self.batch;
        if self.writer.send(Task::Commit { batch, changes }).is_err() && !self.is_broken {
            self.is_broken = true;
            let reason = "the thread that writes has ended".to_owned();
            self.outcomes.unbounded_send(Outcome::Failed { batch, reason }).ok(); // nobody may want to know
        }
        batch
    }

    /// Asks for an [`Outcome::Accounts`] when all that was handed over is committed.
    pub fn tell_accounts(&self) {
        self.writer.send(Task::TellAccounts).ok(); // else it has ended by a bug, which is told
    }

    /// Asks for an [`Outcome::Bans`] when all that was handed over is committed.
    pub fn tell_bans(&self) {
        self.writer.send(Task::TellBans).ok(); // as above
    }

    /// Asks about the events of a room. Queries are answered in their order; one that nobody waits for any more is left out.
    /// What is handed to [`Self::commit`] is found when it is committed.
    ///
    /// # Errors
    /// Why the file cannot be read, for people. The channel is closed without an answer if the thread has ended by a bug.
    pub fn read(&self, query: Query) -> oneshot::Receiver<Result<Answer, String>> {
        let (answer, receiver) = oneshot::channel();
        if let Err(SendError(request)) = self.reader.send(Request { query, answer }) {
            request.answer.send(Err("the thread that reads has ended".to_owned())).ok(); // the receiver is here
        }
        receiver
    }

    /// Closes the store when all that was handed over is committed. What cannot be committed is tried again each second, but
    /// not longer than `patience`, and at least once. Answers how many changes are lost, of all since the start.
    ///
    /// # Errors
    /// The channel is closed without an answer if the thread has ended by a bug.
    pub fn close(self, patience: Duration) -> oneshot::Receiver<u64> {
        let (done, receiver) = oneshot::channel();
        self.writer.send(Task::Close { patience, done }).ok(); // else the receiver learns that the sender is gone
        receiver
    }
}
