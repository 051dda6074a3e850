//! What a conversation waits for: keys, signals, the connection, and times.

use std::{
    io,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::{Session, Stage};
use crate::client::chat::link::Link;

/// What poll has found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    pub(super) keys: bool,
    pub(super) signals: bool,
    pub(super) link: PollFlags,
}

impl Session {
    /// When there is something to do, even if nothing is ready.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let link = match self.link {
            Link::Waiting(until) => Some(until),
            Link::Up(_) | Link::Connecting(_) => None,
        };
        let leaving = match self.stage {
            Stage::Leaving(until) => Some(until),
            Stage::Opening | Stage::Talking => None,
        };
        [link, leaving, self.terminal.deadline()].into_iter().flatten().min()
    }

    pub(super) fn poll(&self, timeout: Option<Duration>) -> io::Result<Ready> {
        let stdin = io::stdin();
        // The server takes lines more slowly than they come: the terminal holds the rest of them.
        let is_behind = self.outbox.is_full() && matches!(self.link, Link::Up(_));
        let keys = (!is_behind).then(|| PollFd::new(&stdin, PollFlags::IN));
        let signals = self.terminal.signals().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let link = self.link.fd(&self.outbox).map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags));
        let wanted = [keys, signals, link];
        let mut polled: Vec<_> = wanted.iter().flatten().cloned().collect();
        let timeout = timeout.map(|time| Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }));
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Ready { keys: false, signals: false, link: PollFlags::empty() }),
            Err(errno) => return Err(errno.into()),
        }
        let mut polled = polled.iter();
        let [keys, signals, link] =
            wanted.map(|fd| fd.and_then(|_| polled.next()).map_or(PollFlags::empty(), PollFd::revents));
        Ok(Ready { keys: !keys.is_empty(), signals: !signals.is_empty(), link })
    }
}
