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
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{
    Stream,
    channel::mpsc::{self, TrySendError, UnboundedReceiver, UnboundedSender},
    stream::FusedStream,
};

use super::{memory::Memory, turn::Part};
use crate::reactor::Socket;

/// What a queued item takes beside its bytes: a node of the channel. Counted, so that a queue of many small items is
/// bounded too.
pub const QUEUE_ITEM_OVERHEAD: usize = 64;

/// Bytes in the queue of one client.
#[derive(Debug)]
pub struct Queued {
    /// The bytes.
    pub bytes: Bytes,
    /// They are for this client alone.
    pub is_private: bool,
}

/// What the broker hands to a connection.
#[derive(Debug)]
pub enum QueueItem {
    /// Whole lines for the client; behind a write that was cut short, the rest of one.
    Bytes(Queued),
    /// The broker has done with the last batch. The next one must not come before this time, by the clock of the server.
    Credit(Duration),
}

/// The broker's end. Dropping it hangs up, after what is queued.
#[derive(Debug)]
pub struct Outbox {
    /// None: the connection is over.
    items: Option<UnboundedSender<QueueItem>>,
    gauge: Rc<QueueGauge>,
    socket: Option<Rc<Socket>>,
}

/// The connection's end.
#[derive(Debug)]
pub struct Inbox {
    items: UnboundedReceiver<QueueItem>,
    gauge: Rc<QueueGauge>,
}

/// What is held for one client, as both ends see it.
#[derive(Debug)]
pub struct QueueGauge {
    memory: Arc<Memory>,
    /// Bytes queued and not yet written to the socket, with [`QUEUE_ITEM_OVERHEAD`] for each item.
    queued: Cell<usize>,
    /// Those of them that are for this client alone.
    private: Cell<usize>,
    /// Bytes that the connection holds of what the client has sent.
    input: Cell<usize>,
    /// Items in the queue.
    items: Cell<u32>,
    /// The broker wants to know when `private` is no more than this; 0 for nothing that it wants to know.
    wanted: Cell<u32>,
    /// What is queued need not be sent any more, apart from the last item, which says why.
    is_cut: Cell<bool>,
}

impl QueueGauge {
    fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            queued: Cell::default(),
            private: Cell::default(),
            input: Cell::default(),
            items: Cell::default(),
            wanted: Cell::default(),
            is_cut: Cell::default(),
        }
    }

    /// So many bytes of an item were written or thrown away.
    pub fn release(&self, bytes: usize, is_private: bool) {
        self.queued.update(|queued| queued - bytes);
        if is_private {
            self.private.update(|private| private - bytes);
        }
    }

    /// An item is through.
    pub fn release_item(&self) {
        self.queued.update(|queued| queued - QUEUE_ITEM_OVERHEAD);
        self.items.update(|items| items - 1);
        self.memory.release(QUEUE_ITEM_OVERHEAD);
    }

    /// The account of all that clients make the server hold.
    #[must_use]
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.memory)
    }

    /// The connection holds so many bytes of input.
    pub fn set_input(&self, bytes: usize) {
        let before = self.input.replace(bytes);
        self.memory.charge(bytes);
        self.memory.release(before);
    }

    /// Whether the broker wants to know that little waits for the client now. To be told once.
    pub fn take_relief(&self) -> bool {
        let wanted = self.wanted.get();
        let is_wanted = wanted > 0 && self.private.get() <= wanted as usize;
        if is_wanted {
            self.wanted.set(0);
        }
        is_wanted
    }
}

impl Drop for QueueGauge {
    fn drop(&mut self) {
        self.memory.release(self.items.get() as usize * QUEUE_ITEM_OVERHEAD + self.input.get());
    }
}

/// The two ends of a new queue. Without a socket, all bytes are queued.
#[must_use]
pub fn outbox(socket: Option<Rc<Socket>>, memory: Arc<Memory>) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::unbounded();
    let gauge = Rc::new(QueueGauge::new(memory));
    (Outbox { items: Some(sender), gauge: Rc::clone(&gauge), socket }, Inbox { items: receiver, gauge })
}

impl Outbox {
    /// Sends whole lines: as far as the socket takes them at once, while nothing else waits. The rest is the connection's,
    /// which also finds out if the socket is broken.
    pub(super) fn send(&self, parts: &[Part]) {
        let mut written = 0;
        if let Some(socket) = &self.socket
            && self.queued() == 0
        {
            written = socket.write(parts.iter().map(|part| &part.bytes[..])).unwrap_or(0);
        }
        for Part { bytes, is_private } in parts {
            let taken = written.min(bytes.len());
            written -= taken;
            if taken < bytes.len() {
                self.queue(Queued { bytes: bytes.slice(taken..), is_private: *is_private });
            }
        }
    }

    fn queue(&self, item: Queued) {
        let QueueGauge { memory, queued, private, items, .. } = &*self.gauge;
        let (bytes, is_private) = (item.bytes.len(), item.is_private);
        if self.push(QueueItem::Bytes(item)).is_err() {
            return; // the connection has ended, and its last batch is on its way or in its turn
        }
        memory.charge(QUEUE_ITEM_OVERHEAD);
        items.update(|items| items + 1);
        queued.update(|queued| queued + bytes + QUEUE_ITEM_OVERHEAD);
        if is_private {
            private.update(|private| private + bytes);
        }
    }

    /// The connection is broken: hangs up at once, so that its socket is closed.
    pub(super) fn close(&mut self) {
        self.socket = None;
        self.items = None;
    }

    /// Lets the connection send its next batch, not before this time.
    pub(super) fn credit(&self, not_before: Duration) {
        self.push(QueueItem::Credit(not_before)).ok();
    }

    fn push(&self, item: QueueItem) -> Result<(), QueueItem> {
        match &self.items {
            Some(items) => items.unbounded_send(item).map_err(TrySendError::into_inner),
            None => Err(item),
        }
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.gauge.queued.get()
    }

    /// Those of them that are for this client alone.
    pub(super) fn private(&self) -> usize {
        self.gauge.private.get()
    }

    /// Bytes that the connection holds of what the client has sent.
    pub(super) fn input(&self) -> usize {
        self.gauge.input.get()
    }

    /// Has the connection tell when no more than `private` bytes wait for this client alone.
    pub(super) fn want_relief(&self, private: u32) {
        self.gauge.wanted.set(private);
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

    /// Those of them that are for this client alone.
    #[must_use]
    pub fn private(&self) -> usize {
        self.gauge.private.get()
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
