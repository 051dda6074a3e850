//! How much each connection may read. The broker charges no flow for reading and parsing, and the executor runs all tasks
//! alike, so a few thousand clients that never stop sending would delay those that send a line now and then. A round is the time
//! in which every task that is ready runs once. When the connections have read [`ROUND_BYTES`] in a round, each reads little at a
//! time; one that finds more than that queues for a permit, and a few permits are granted in each round.

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

use super::transport::Transport;

/// Bytes read at once: a few hundred lines.
pub(super) const READ_BYTES: usize = 16 << 10;
/// Bytes read at once, when a round is used up, from a connection without a permit: some lines.
const SMALL_READ_BYTES: usize = 1 << 10;
/// Bytes that may be read in a round before connections read little at a time. Small reads don't count.
const ROUND_BYTES: usize = 512 << 10;
/// Permits granted in a round: some milliseconds of reading and parsing.
const PERMITS: usize = 32;
/// At least so many of them go to floods, if there are any.
const PERMITS_FOR_FLOODS: usize = 8;

/// What all connections of a server share to decide how much each reads. A clone is the same one.
#[derive(Debug, Clone)]
pub(super) struct ReadScheduler {
    /// The queue of connections that read all there was when they last had a permit.
    bursts: UnboundedSender<oneshot::Sender<()>>,
    /// The queue of those that left something unread. It is served last, and never starved.
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

/// A place in a queue. Resolves when the permit is granted; dropping it leaves the queue.
type Permit = oneshot::Receiver<()>;

/// How much a client sends, of those that send more than a few lines at once.
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
    /// Much, when there is something; with a permit, when the round is used up.
    Much(Kind),
    /// Much, when the permit is granted.
    Waiting(Permit),
    /// Much, now.
    Permitted,
}

/// A scheduler, and the future that grants its permits: it ends with the last clone.
pub(super) fn read_scheduler() -> (ReadScheduler, impl Future<Output = ()>) {
    let ((bursts, first), (floods, last)) = (mpsc::unbounded(), mpsc::unbounded());
    let (begun, rounds) = mpsc::unbounded();
    let round = Rc::new(Round { left: Cell::new(ROUND_BYTES), begun });
    (ReadScheduler { bursts, floods, round: Rc::clone(&round) }, run(first, last, rounds, round))
}

impl ReadScheduler {
    /// Whether every connection may read much, since the round is not used up.
    pub(super) fn is_open(&self) -> bool {
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

    /// Takes a place at the end of a queue.
    fn enter(&self, kind: Kind) -> Permit {
        let (permit, waiting) = oneshot::channel();
        let queue = match kind {
            Kind::Burst => &self.bursts,
            Kind::Flood => &self.floods,
        };
        queue.unbounded_send(permit).ok(); // fails only at the end of the server, and then the dropped sender resolves `waiting`
        waiting
    }
}

impl Reading {
    /// That of a connection that has read nothing yet.
    pub(super) fn new() -> Self {
        Self::Little
    }

    /// Bytes to be read now. While memory is tight, no client needs more at once.
    pub(super) fn bytes_max(&self, scheduler: &ReadScheduler, is_tight: bool) -> usize {
        match self {
            _ if is_tight => SMALL_READ_BYTES,
            _ if scheduler.is_open() => READ_BYTES,
            Self::Little | Self::Much(_) | Self::Waiting(_) => SMALL_READ_BYTES,
            Self::Permitted => READ_BYTES,
        }
    }

    /// So many bytes were read.
    pub(super) fn has_read(&mut self, bytes: usize, scheduler: &ReadScheduler) {
        scheduler.has_read(bytes);
        *self = match bytes {
            0..SMALL_READ_BYTES => Self::Little,
            SMALL_READ_BYTES..READ_BYTES => Self::Much(Kind::Burst),
            _ => Self::Much(Kind::Flood),
        };
    }

    /// Waits until there is something to be read, and it may be.
    pub(super) fn poll(&mut self, transport: &Transport, scheduler: &ReadScheduler, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Little | Self::Permitted => return transport.poll_readable(cx),
                Self::Much(_) if scheduler.is_open() => return transport.poll_readable(cx),
                Self::Much(kind) => {
                    ready!(transport.poll_readable(cx));
                    *self = Self::Waiting(scheduler.enter(*kind));
                }
                Self::Waiting(permit) => {
                    let _: Result<(), Canceled> = ready!(permit.poll_unpin(cx));
                    *self = Self::Permitted;
                }
            }
        }
    }

    /// The same for a peer that has hung up. It always queues for a permit, and then what it sent last is read at once, so that
    /// its place is soon free.
    pub(super) fn poll_last(&mut self, scheduler: &ReadScheduler, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Little => *self = Self::Waiting(scheduler.enter(Kind::Burst)),
                Self::Much(kind) => *self = Self::Waiting(scheduler.enter(*kind)),
                Self::Waiting(permit) => {
                    let _: Result<(), Canceled> = ready!(permit.poll_unpin(cx));
                    *self = Self::Permitted;
                }
                Self::Permitted => return Poll::Ready(()),
            }
        }
    }
}

type Queue = UnboundedReceiver<oneshot::Sender<()>>;

async fn run(mut bursts: Queue, mut floods: Queue, mut rounds: UnboundedReceiver<()>, round: Rc<Round>) {
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
        let mut granted = first.map_or(0, |first| usize::from(first.send(()).is_ok()));
        granted += grant(&mut bursts, PERMITS - PERMITS_FOR_FLOODS - granted);
        granted += grant(&mut floods, PERMITS - granted);
        grant(&mut bursts, PERMITS - granted);
        task::yield_now().await; // every task that is ready by now runs first
    }
}

/// Grants at most so many permits, and answers how many. Connections that have left the queue don't count.
fn grant(queue: &mut Queue, most: usize) -> usize {
    let mut granted = 0;
    while granted < most
        && let Ok(next) = queue.try_recv()
    {
        granted += usize::from(next.send(()).is_ok());
    }
    granted
}

#[cfg(test)]
mod tests;
