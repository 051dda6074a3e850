//! The way to one client: the broker's end (outbox) and the connection's end (inbox). What the socket takes at once, the
//! broker writes: a task woken for each client of each line would cost as much as half a `send`. What it does not take
//! waits in a queue for the connection. Bounded in bytes by the broker, which never waits: it counts, and cuts who is over.

use std::{
    cell::Cell,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{
    Stream,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
    stream::FusedStream,
};

use super::backpressure::Progress;
use crate::{
    chat::{Format, Lang},
    protocol::Dialect,
    reactor::Socket,
};

/// What a queued item takes beside its bytes: a node of the channel. Counted, so that a queue of many small items is
/// bounded too.
pub(crate) const QUEUE_ITEM_OVERHEAD: usize = 64;

/// Bytes that wait for anyone, in all of this process, as memory is the process's. Those that wait for many count once.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// Bytes that wait for anyone.
pub(crate) fn queued_total() -> usize {
    TOTAL.load(Relaxed)
}

/// Bytes that can be queued for many, and count until the last of them has got them.
pub(crate) fn shared(bytes: Vec<u8>) -> Bytes {
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
pub(crate) struct Queued(pub(crate) Bytes);

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
pub(crate) enum QueueItem {
    /// Whole lines for the client.
    Bytes(Queued),
    /// The lines that the connection sent have taken effect: it may send more.
    Ready,
}

/// The broker's end. Dropping it hangs up, after what is queued.
pub(crate) struct Outbox {
    items: UnboundedSender<QueueItem>,
    waiting: Rc<Waiting>,
    socket: Rc<Socket>,
    /// Where the client is.
    pub(crate) addr: SocketAddr,
    /// Whether any line has come from it.
    pub(crate) has_spoken: bool,
    /// What the client is told in.
    pub(crate) dialect: Dialect,
    /// Where in this turn's public bytes those begin that the client has not got.
    pub(crate) public_from: usize,
    /// What this turn has for this client alone. None for most.
    pub(crate) own: Option<Box<Own>>,
    /// How the client reads.
    pub(crate) progress: Progress,
}

/// What a turn has for a client alone, in order with the public bytes.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) parts: Vec<Part>,
    /// The bytes of `Part::Own`.
    pub(crate) bytes: Vec<u8>,
}

/// A stretch of bytes for one client.
#[derive(Debug)]
pub(crate) enum Part {
    /// Of the public bytes in this dialect.
    Public(Dialect, std::ops::Range<usize>),
    /// Of the client's own.
    Own(std::ops::Range<usize>),
}

/// The connection's end.
#[derive(Debug)]
pub(crate) struct Inbox {
    items: UnboundedReceiver<QueueItem>,
    waiting: Rc<Waiting>,
}

/// What waits for one client, as both ends see it.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Bytes handed over and not yet written to the socket, with [`QUEUE_ITEM_OVERHEAD`] for each item.
    queued: Cell<usize>,
    /// What is queued need not be sent any more, apart from the last item, which says why.
    is_cut: Cell<bool>,
}

impl Waiting {
    /// This much of it needs no room any more.
    pub(crate) fn release(&self, size: usize) {
        self.queued.update(|queued| queued - size);
    }
}

/// The two ends of a new queue.
pub(crate) fn outbox(addr: SocketAddr, socket: Rc<Socket>, lang: Lang) -> (Box<Outbox>, Inbox) {
    let (sender, receiver) = mpsc::unbounded();
    let waiting = Rc::<Waiting>::default();
    let outbox = Outbox {
        items: sender,
        waiting: Rc::clone(&waiting),
        socket,
        addr,
        has_spoken: false,
        dialect: Dialect { format: Format::Text, lang },
        public_from: 0,
        own: None,
        progress: Progress::default(),
    };
    (Box::new(outbox), Inbox { items: receiver, waiting })
}

impl Outbox {
    /// Sends whole lines: as far as the socket takes them at once, while nothing else waits. The rest is the connection's,
    /// which also finds out if the socket is broken.
    pub(crate) fn send(&mut self, parts: &[Bytes]) {
        let mut written = 0;
        if self.queued() == 0 {
            written = self.socket.write(parts.iter().map(|part| &part[..])).unwrap_or(0);
            self.progress.sent(written);
        }
        for part in parts {
            let taken = written.min(part.len());
            written -= taken;
            if taken < part.len() {
                self.queue(part.slice(taken..));
            }
        }
    }

    fn queue(&mut self, bytes: Bytes) {
        let size = bytes.len() + QUEUE_ITEM_OVERHEAD;
        self.progress.sent(size);
        self.waiting.queued.update(|queued| queued + size);
        // Fails only when the connection has ended, and then its last request is on its way.
        self.items.unbounded_send(QueueItem::Bytes(Queued::new(bytes))).ok();
    }

    /// Lets the connection send its next lines.
    pub(crate) fn send_ready(&self) {
        self.items.unbounded_send(QueueItem::Ready).ok();
    }

    /// Bytes that wait.
    pub(crate) fn queued(&self) -> usize {
        self.waiting.queued.get()
    }

    /// Has what is queued thrown away, apart from the last item.
    pub(crate) fn cut(&self) {
        self.waiting.is_cut.set(true);
    }
}

impl Inbox {
    /// What waits, for the one who writes it.
    pub(crate) fn waiting(&self) -> Rc<Waiting> {
        Rc::clone(&self.waiting)
    }

    /// Bytes that wait.
    pub(crate) fn queued(&self) -> usize {
        self.waiting.queued.get()
    }

    /// Whether only the last item is to be sent.
    pub(crate) fn is_cut(&self) -> bool {
        self.waiting.is_cut.get()
    }

    /// The next item, if one is there already.
    pub(crate) fn try_next(&mut self) -> Option<QueueItem> {
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
