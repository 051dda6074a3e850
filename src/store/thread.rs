//! The thread that writes: its begin and its end. What it does meanwhile is in `writer`.

use std::{
    io,
    sync::mpsc::Receiver,
    thread::{self, JoinHandle},
};

use futures::channel::mpsc::UnboundedSender;

use super::{
    LOG_TARGET, Outcome,
    database::{Database, Tables},
    writer::{Task, Writer},
};

/// Begins to write. The thread ends after `reader` has: the last connection to a file tidies up, and only one that writes can.
pub(super) fn spawn(
    database: Database,
    tasks: Receiver<Task>,
    outcomes: UnboundedSender<Outcome>,
    reader: JoinHandle<()>,
) -> io::Result<()> {
    let write = move || {
        let _alarm = Alarm(outcomes.clone());
        let Database { connection, state, locks } = database;
        let closed = match Tables::new(&connection, state) {
            Ok(tables) => Writer::new(tables, outcomes).run(&tasks),
            Err(error) => {
                outcomes.unbounded_send(Outcome::Failed { batch: 1, reason: error.to_string() }).ok();
                None
            }
        };
        reader.join().ok(); // its panic is logged
        if let Err((_, error)) = connection.close() {
            log::warn!(target: LOG_TARGET, "the store was not closed: {error}");
        }
        drop(locks);
        if let Some((done, lost)) = closed {
            done.send(lost).ok(); // nobody may wait for it
        }
    };
    thread::Builder::new().name("store-writer".to_owned()).spawn(write)?;
    Ok(())
}

/// Tells that the thread ends by a panic.
pub(super) struct Alarm(pub(super) UnboundedSender<Outcome>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let reason = "the thread that writes has ended".to_owned();
            self.0.unbounded_send(Outcome::Failed { batch: 0, reason }).ok(); // the server may have ended
        }
    }
}
