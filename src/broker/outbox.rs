//! The way to one client: the broker's end (outbox) and the connection's end (inbox). Knows bytes and sockets, no events.
//!
//! A socket has two writers, in turn. While nothing waits for a client, the broker writes to its socket: waking a task for
//! each client of each line would cost as much as half a `send`. What the socket does not take at once goes into the queue,
//! and from then on the connection writes, until the queue is empty. An outbox without a socket only queues.
//!
//! Queues are bounded in bytes by the broker, which never waits: it counts, and disconnects a client whose queue is too long.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    Stream,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
    stream::FusedStream,
};

use crate::reactor::Socket;

/// What a queued item takes beside its bytes: a node of the channel. Counted, so that a queue of many small items is
/// bounded too.
pub const QUEUE_ITEM_OVERHEAD: usize = 64;

/// Bytes that wait for anyone, in all of this process, as memory is the process's. Those that wait for many count once.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// Bytes that wait for anyone.
pub(super) fn queued_total() -> usize {
    TOTAL.load(Relaxed)
}

/// Bytes that can be queued for many, and count until the last of them has got them.
pub(super) fn shared(bytes: Vec<u8>) -> Bytes {
    struct Counted(Box<[u8]>);
    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            TOTAL.fetch_sub(self.0.len(), Relaxed);
        }
    }
    if bytes.is_empty() {
        return Bytes::new();
    }
    TOTAL.fetch_add(bytes.len(), Relaxed);
    Bytes::from_owner(Counted(bytes.into()))
}

/// Bytes in the queue of one client, whose place in it counts too.
#[derive(Debug)]
pub struct Queued(pub Bytes);

impl Queued {
    fn new(bytes: Bytes) -> Self {
        TOTAL.fetch_add(QUEUE_ITEM_OVERHEAD, Relaxed);
        Self(bytes)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        TOTAL.fetch_sub(QUEUE_ITEM_OVERHEAD, Relaxed);
    }
}

/// What the broker hands to a connection.
#[derive(Debug)]
pub enum QueueItem {
    /// Whole lines for the client; behind a write that was cut short, the rest of one.
    Bytes(Queued),
    /// The broker has done with the last batch. The next one must not come before this time, by the clock of the server.
    Credit(Option<Duration>),
}

/// The broker's end. Dropping it hangs up, after what is queued.
#[derive(Debug)]
pub struct Outbox {
    items: UnboundedSender<QueueItem>,
    gauge: Rc<QueueGauge>,
    socket: Option<Rc<Socket>>,
}

/// The connection's end.
#[derive(Debug)]
pub struct Inbox {
    items: UnboundedReceiver<QueueItem>,
    gauge: Rc<QueueGauge>,
}

/// What waits for one client, as both ends see it.
#[derive(Debug, Default)]
pub struct QueueGauge {
    /// Bytes handed over and not yet written to the socket, with [`QUEUE_ITEM_OVERHEAD`] for each item.
    queued: Cell<usize>,
    /// What is queued need not be sent any more, apart from the last item, which says why.
    is_cut: Cell<bool>,
}

impl QueueGauge {
    /// This much was written or thrown away.
    pub fn release(&self, size: usize) {
        self.queued.update(|queued| queued - size);
    }
}

/// The two ends of a new queue. Without a socket, all bytes are queued.
#[must_use]
pub fn outbox(socket: Option<Rc<Socket>>) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded();
    let gauge = Rc::<QueueGauge>::default();
    (Outbox { items: sender, gauge: Rc::clone(&gauge), socket }, Inbox { items: receiver, gauge })
}

impl Outbox {
    /// Sends whole lines: as far as the socket takes them at once, while nothing else waits. The rest is the connection's,
    /// which also finds out if the socket is broken. Answers how much that was, with [`QUEUE_ITEM_OVERHEAD`] for what is
    /// queued.
    pub(super) fn send(&self, parts: &[Bytes]) -> usize {
        let mut written = 0;
        if let Some(socket) = &self.socket
            && self.queued() == 0
        {
            written = socket.write(parts.iter().map(|part| &part[..])).unwrap_or(0);
        }
        let mut sent = written;
        for part in parts {
            let taken = written.min(part.len());
            written -= taken;
            if taken < part.len() {
                sent += self.queue(part.slice(taken..));
            }
        }
        sent
    }

    fn queue(&self, bytes: Bytes) -> usize {
        let size = bytes.len() + QUEUE_ITEM_OVERHEAD;
        self.gauge.queued.update(|queued| queued + size);
        // Fails only when the connection has ended, and then its last batch is on its way.
        self.items.unbounded_send(QueueItem::Bytes(Queued::new(bytes))).ok();
        size
    }

    /// Lets the connection send its next batch, not before this time.
    pub(super) fn credit(&self, not_before: Option<Duration>) {
        self.items.unbounded_send(QueueItem::Credit(not_before)).ok();
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.gauge.queued.get()
    }

    /// Has what is queued thrown away, apart from the last item.
    pub(super) fn cut(&self) {
        self.gauge.is_cut.set(true);
    }
}

impl Inbox {
    /// What waits, for the one who writes it.
    #[must_use]
    pub fn gauge(&self) -> Rc<QueueGauge> {
        Rc::clone(&self.gauge)
    }

    /// Bytes that wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.gauge.queued.get()
    }

    /// Whether only the last item is to be sent.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.gauge.is_cut.get()
    }

    /// The next item, if one is there already.
    pub fn try_next(&mut self) -> Option<QueueItem> {
        self.items.try_recv().ok()
    }
}

impl Stream for Inbox {
    type Item = QueueItem;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<QueueItem>> {
        Pin::new(&mut self.items).poll_next(cx)
    }
}

impl FusedStream for Inbox {
    fn is_terminated(&self) -> bool {
        self.items.is_terminated()
    }
}
