//! How much a connection may read. Reading and parsing are paid for by nobody, and the executor serves all tasks alike: a few
//! thousand clients that send all the time would hold up those that send a line now and then. So a connection reads little at
//! a time; one that finds more than that passes a turnstile first, which lets some through, and then all who are ready by then
//! have their turn.

use std::task::{Context, Poll};

use async_std::task;
use futures::{
    FutureExt, StreamExt,
    channel::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot::{self, Canceled},
    },
    ready,
};

use crate::reactor::Socket;

/// Bytes read at once.
pub(super) const READ_BYTES: usize = 16 << 10;
/// Bytes read at once of a client that sends no more than that at a time: some lines.
const SMALL_READ_BYTES: usize = 1 << 10;
/// Connections that may read much between two turns of all others: some milliseconds of reading and parsing.
const PASSES: usize = 32;

/// The way in. A clone is the same one.
#[derive(Debug, Clone)]
pub(super) struct Turnstile(UnboundedSender<oneshot::Sender<()>>);

/// A place in the line. Resolves when it is this one's turn; whoever drops it leaves the line.
type Pass = oneshot::Receiver<()>;

/// How much a connection reads next.
#[derive(Debug)]
pub(super) enum Reading {
    /// Little: there was no more the last time.
    Little,
    /// Much, when there is something and the connection has passed the turnstile.
    Much,
    /// Much, when it is its turn.
    Waiting(Pass),
    /// Much, now.
    Passed,
}

/// A turnstile, and the future that turns it: it ends with the last clone.
pub(super) fn turnstile() -> (Turnstile, impl Future<Output = ()>) {
    let (sender, waiting) = mpsc::unbounded();
    (Turnstile(sender), turn(waiting))
}

impl Turnstile {
    /// Takes a place at the end of the line.
    pub(super) fn enter(&self) -> Pass {
        let (pass, waiting) = oneshot::channel();
        self.0.unbounded_send(pass).ok(); // fails only at the end of the server; then nobody waits, as the sender is dropped
        waiting
    }
}

impl Reading {
    /// That of a connection that has read nothing yet.
    pub(super) fn new() -> Self {
        Self::Little
    }

    /// Bytes to be read now.
    pub(super) fn bytes_max(&self) -> usize {
        match self {
            Self::Little | Self::Much | Self::Waiting(_) => SMALL_READ_BYTES,
            Self::Passed => READ_BYTES,
        }
    }

    /// So many bytes were read.
    pub(super) fn has_read(&mut self, bytes: usize) {
        *self = if bytes < SMALL_READ_BYTES { Self::Little } else { Self::Much };
    }

    /// Waits until there is something to be read, and it may be.
    pub(super) fn poll(&mut self, socket: &Socket, turnstile: &Turnstile, cx: &mut Context<'_>) -> Poll<()> {
        // A connection that is broken is read a last time, and then its place is free.
        if socket.poll_broken(cx).is_ready() {
            *self = Self::Passed;
        }
        loop {
            match self {
                Self::Little | Self::Passed => return socket.poll_readable(cx),
                Self::Much => {
                    ready!(socket.poll_readable(cx));
                    *self = Self::Waiting(turnstile.enter());
                }
                Self::Waiting(pass) => {
                    let _: Result<(), Canceled> = ready!(pass.poll_unpin(cx));
                    *self = Self::Passed;
                }
            }
        }
    }
}

async fn turn(mut waiting: UnboundedReceiver<oneshot::Sender<()>>) {
    while let Some(first) = waiting.next().await {
        let mut passed = usize::from(first.send(()).is_ok());
        while passed < PASSES
            && let Ok(next) = waiting.try_recv()
        {
            passed += usize::from(next.send(()).is_ok());
        }
        task::yield_now().await; // behind all who are ready by now
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    #[test]
    fn so_many_pass_in_a_turn_in_the_order_in_which_they_came() {
        let (turnstile, turning) = turnstile();
        let (mut turning, cx) = (pin!(turning), &mut Context::from_waker(Waker::noop()));
        let mut line: Vec<_> = (0..PASSES + 3).map(|_| turnstile.enter()).collect();
        drop(line.remove(1)); // who has left takes no pass
        assert!(turning.as_mut().poll(cx).is_pending());
        let is_passed: Vec<_> = line.iter_mut().map(|pass| pass.try_recv() == Ok(Some(()))).collect();
        assert_eq!(is_passed, [vec![true; PASSES], vec![false; 2]].concat());
        line.drain(..PASSES);
        assert!(turning.as_mut().poll(cx).is_pending());
        assert!(line.iter_mut().all(|pass| pass.try_recv() == Ok(Some(()))));
        drop(turnstile);
        assert!(turning.as_mut().poll(cx).is_ready());
    }
}
