//! Stores that are full before a server starts with them. They are written by the store of this crate, as fast as it can.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};
use pipechat::chat::{Identity, PublicEvent, Record};
use pipechat::store::{Change, Options, Outcome, Store, SyncMode};

use crate::child::Scratch;
use crate::wire::text;
use crate::workloads::MESSAGE_BYTES;

/// Messages that are handed to the store at a time: as many as it commits together.
const BATCH: usize = 10_000;
/// Batches that wait for it at most; it holds 100,000 messages.
const BATCHES_AHEAD: u64 = 3;
/// How long it may take at its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is in a store: so many messages of [`MESSAGE_BYTES`], in rooms that are called `r` and a number and take turns, one
/// message a second until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contents {
    pub(crate) messages: usize,
    pub(crate) rooms: usize,
}

/// The stores of a run of the benchmark, removed when dropped.
#[derive(Debug, Default)]
pub(crate) struct Archives {
    folder: Option<Scratch>,
}

impl Archives {
    /// The file with these contents, which nobody may write. It is made when it is first asked for.
    pub(crate) fn get(&mut self, contents: Contents) -> io::Result<PathBuf> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => Scratch::on_disk()?,
        };
        let folder = &self.folder.insert(folder).path;
        let file = folder.join(format!("{}-in-{}.db", contents.messages, contents.rooms));
        if !file.exists() {
            let part = folder.join("part");
            write(&part, contents)?;
            fs::rename(&part, &file)?;
        }
        Ok(file)
    }
}

fn write(path: &Path, contents: Contents) -> io::Result<()> {
    let options =
        Options { sync: SyncMode::Normal, lines_max: u64::MAX, unread_max: 0, days_max: 0, bytes_max: u64::MAX };
    let now = Timestamp::now();
    let (mut store, _, mut outcomes) = Store::open(path, options, now, 0).map_err(io::Error::other)?;
    let rooms: Vec<Arc<str>> = (0..contents.rooms).map(|room| format!("r{room}").into()).collect();
    let addr = "127.0.0.1:54321".to_owned();
    let from = Arc::new(Identity { name: addr.clone(), addr, is_account: false });
    // A line has its end beside the text.
    let text = text(MESSAGE_BYTES + 1);
    let message = |number: usize| {
        let ago = SignedDuration::from_secs((contents.messages - number) as i64);
        Change::Event(Record {
            n: number as u64 + 1,
            at: now - ago,
            room: Arc::clone(&rooms[number % rooms.len()]),
            event: PublicEvent::Message { from: Arc::clone(&from), text: text.clone() }.into(),
        })
    };
    let mut committed = 0;
    for first in (0..contents.messages).step_by(BATCH) {
        let batch = store.commit((first..contents.messages.min(first + BATCH)).map(message).collect());
        while committed + BATCHES_AHEAD < batch {
            committed = match block_on(outcomes.next()) {
                Some(Outcome::Committed(batch)) => batch,
                Some(Outcome::Failed { reason, .. }) => return Err(io::Error::other(reason)),
                Some(Outcome::Accounts { .. } | Outcome::Bans { .. }) => committed,
                None => return Err(io::Error::other("the store has ended")),
            };
        }
    }
    match block_on(store.close(PATIENCE)) {
        Ok(0) => Ok(()),
        Ok(lost) => Err(io::Error::other(format!("the store could not keep {lost} messages"))),
        Err(_) => Err(io::Error::other("the store has ended")),
    }
}
