//! Ends an attack that takes too long, by killing the server: every wait of an attack is on one of its sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// For an attack with all that comes before and after it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Kills the server unless it is dropped before the time is over. The server may be reaped only after that.
#[derive(Debug)]
pub(super) struct TimeLimit {
    has_killed: Arc<AtomicBool>,
    /// Dropping it ends the thread.
    cancel: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TimeLimit {
    pub(super) fn new(server: Pid) -> Self {
        let has_killed = Arc::new(AtomicBool::new(false));
        let (cancel, cancelled) = channel();
        let flag = Arc::clone(&has_killed);
        let thread = spawn(move || {
            if cancelled.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::Relaxed);
                // Fails only if it has exited, and then there is nothing to end.
                kill_process(server, Signal::KILL).ok();
            }
        });
        Self { has_killed, cancel: Some(cancel), thread: Some(thread) }
    }

    pub(super) fn has_killed(&self) -> bool {
        self.has_killed.load(Ordering::Relaxed)
    }
}

impl Drop for TimeLimit {
    fn drop(&mut self) {
        drop(self.cancel.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
