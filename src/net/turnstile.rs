//! How much a connection may read. Reading and parsing are paid for by nobody, and the executor serves all tasks alike: a few
//! thousand clients that send all the time would hold up those that send a line now and then. So in each round, in which all
//! who are ready have their turn, only so much is read. When that is used up, a connection reads little at a time; one that
//! finds more than that passes a turnstile first, which lets some through in each round.

use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll},
};

use async_std::task;
use futures::{
    FutureExt, StreamExt,
    channel::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot::{self, Canceled},
    },
    ready, select_biased,
    stream::FusedStream,
};

use crate::reactor::Socket;

/// Bytes read at once.
pub(super) const READ_BYTES: usize = 16 << 10;
/// Bytes read at once of a client that sends no more than that at a time: some lines.
const SMALL_READ_BYTES: usize = 1 << 10;
/// Bytes that may be read in a round before connections read little at a time, apart from small reads.
const ROUND_BYTES: usize = 512 << 10;
/// Connections that may read much between two turns of all others: some milliseconds of reading and parsing.
const PASSES: usize = 32;
/// Of those, at least so many that have sent more than can be read at once.
const PASSES_OF_FLOODS: usize = 8;

/// The way in. A clone is the same one.
#[derive(Debug, Clone)]
pub(super) struct Turnstile {
    /// The line of those that have all read, when they have passed, that there was.
    bursts: UnboundedSender<oneshot::Sender<()>>,
    /// The line of those that left something to be read when they passed the last time. It is served last, but served.
    floods: UnboundedSender<oneshot::Sender<()>>,
    round: Rc<Round>,
}

#[derive(Debug)]
struct Round {
    /// Bytes that may still be read.
    left: Cell<usize>,
    /// Told when the first of them are read: there will be a next round.
    begun: UnboundedSender<()>,
}

/// A place in the line. Resolves when it is this one's turn; whoever drops it leaves the line.
type Pass = oneshot::Receiver<()>;

/// How much a client sends that sends much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No more than can be read at once.
    Burst,
    /// More than that.
    Flood,
}

/// How much a connection reads next.
#[derive(Debug)]
pub(super) enum Reading {
    /// Little: there was no more the last time.
    Little,
    /// Much, when there is something and the connection has passed the turnstile.
    Much(Kind),
    /// Much, when it is its turn.
    Waiting(Pass),
    /// Much, now.
    Passed,
}

/// A turnstile, and the future that turns it: it ends with the last clone.
pub(super) fn turnstile() -> (Turnstile, impl Future<Output = ()>) {
    let ((bursts, first), (floods, last)) = (mpsc::unbounded(), mpsc::unbounded());
    let (begun, rounds) = mpsc::unbounded();
    let round = Rc::new(Round { left: Cell::new(ROUND_BYTES), begun });
    (Turnstile { bursts, floods, round: Rc::clone(&round) }, turn(first, last, rounds, round))
}

impl Turnstile {
    /// Whether everyone may read much.
    fn is_open(&self) -> bool {
        self.round.left.get() > 0
    }

    fn has_read(&self, bytes: usize) {
        if bytes <= SMALL_READ_BYTES {
            return;
        }
        let Round { left, begun } = &*self.round;
        if left.get() == ROUND_BYTES {
            begun.unbounded_send(()).ok(); // fails only at the end of the server
        }
        left.set(left.get().saturating_sub(bytes));
    }

    /// Takes a place at the end of a line.
    fn enter(&self, kind: Kind) -> Pass {
        let (pass, waiting) = oneshot::channel();
        let line = match kind {
            Kind::Burst => &self.bursts,
            Kind::Flood => &self.floods,
        };
        line.unbounded_send(pass).ok(); // fails only at the end of the server; then nobody waits, as the sender is dropped
        waiting
    }
}

impl Reading {
    /// That of a connection that has read nothing yet.
    pub(super) fn new() -> Self {
        Self::Little
    }

    /// Bytes to be read now. While memory is tight, no client needs more at once.
    pub(super) fn bytes_max(&self, turnstile: &Turnstile, is_tight: bool) -> usize {
        match self {
            _ if is_tight => SMALL_READ_BYTES,
            _ if turnstile.is_open() => READ_BYTES,
            Self::Little | Self::Much(_) | Self::Waiting(_) => SMALL_READ_BYTES,
            Self::Passed => READ_BYTES,
        }
    }

    /// So many bytes were read.
    pub(super) fn has_read(&mut self, bytes: usize, turnstile: &Turnstile) {
        turnstile.has_read(bytes);
        *self = match bytes {
            0..SMALL_READ_BYTES => Self::Little,
            SMALL_READ_BYTES..READ_BYTES => Self::Much(Kind::Burst),
            _ => Self::Much(Kind::Flood),
        };
    }

    /// Waits until there is something to be read, and it may be.
    pub(super) fn poll(&mut self, socket: &Socket, turnstile: &Turnstile, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Little | Self::Passed => return socket.poll_readable(cx),
                Self::Much(_) if turnstile.is_open() => return socket.poll_readable(cx),
                Self::Much(kind) => {
                    ready!(socket.poll_readable(cx));
                    *self = Self::Waiting(turnstile.enter(*kind));
                }
                Self::Waiting(pass) => {
                    let _: Result<(), Canceled> = ready!(pass.poll_unpin(cx));
                    *self = Self::Passed;
                }
            }
        }
    }

    /// The same where the peer has hung up: all that it has said last is read at once, so that its place is soon free.
    pub(super) fn poll_last(&mut self, turnstile: &Turnstile, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Little => *self = Self::Waiting(turnstile.enter(Kind::Burst)),
                Self::Much(kind) => *self = Self::Waiting(turnstile.enter(*kind)),
                Self::Waiting(pass) => {
                    let _: Result<(), Canceled> = ready!(pass.poll_unpin(cx));
                    *self = Self::Passed;
                }
                Self::Passed => return Poll::Ready(()),
            }
        }
    }
}

type Line = UnboundedReceiver<oneshot::Sender<()>>;

async fn turn(mut bursts: Line, mut floods: Line, mut rounds: UnboundedReceiver<()>, round: Rc<Round>) {
    loop {
        let first = select_biased! {
            first = bursts.next() => first,
            first = floods.next() => first,
            _ = rounds.next() => None,
        };
        if bursts.is_terminated() {
            return;
        }
        round.left.set(ROUND_BYTES);
        let mut passed = first.map_or(0, |first| usize::from(first.send(()).is_ok()));
        passed += let_pass(&mut bursts, PASSES - PASSES_OF_FLOODS - passed);
        passed += let_pass(&mut floods, PASSES - passed);
        let_pass(&mut bursts, PASSES - passed);
        task::yield_now().await; // behind all who are ready by now
    }
}

/// Lets so many pass at the most, and answers how many. Those who have left the line count for nothing.
fn let_pass(line: &mut Line, most: usize) -> usize {
    let mut passed = 0;
    while passed < most
        && let Ok(next) = line.try_recv()
    {
        passed += usize::from(next.send(()).is_ok());
    }
    passed
}

#[cfg(test)]
mod tests;
