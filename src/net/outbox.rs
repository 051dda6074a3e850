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

use super::{pace::Progress, socket::Socket};
use crate::{
    chat::{Format, Lang},
    wire::Dialect,
};

/// What a queued parcel takes beside its bytes: a node of the channel. Counted, so that a queue of many small parcels is
/// bounded too.
pub(super) const PARCEL_OVERHEAD: usize = 64;

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
pub(super) struct Queued(pub(super) Bytes);

impl Queued {
    fn new(bytes: Bytes) -> Self {
        TOTAL.fetch_add(PARCEL_OVERHEAD, Relaxed);
        Self(bytes)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        TOTAL.fetch_sub(PARCEL_OVERHEAD, Relaxed);
    }
}

/// What the broker hands to a connection.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Whole lines for the client.
    Bytes(Queued),
    /// The lines that the connection sent have taken effect: it may send more.
    Ready,
}

/// The broker's end. Dropping it hangs up, after what is queued.
pub(super) struct Outbox {
    parcels: UnboundedSender<Parcel>,
    waiting: Rc<Waiting>,
    socket: Rc<Socket>,
    /// Where the client is.
    pub(super) addr: SocketAddr,
    /// Whether any line has come from it.
    pub(super) has_spoken: bool,
    /// What the client is told in.
    pub(super) dialect: Dialect,
    /// Where in this turn's public bytes those begin that the client has not got.
    pub(super) public_from: usize,
    /// What this turn has for this client alone. None for most.
    pub(super) own: Option<Box<Own>>,
    /// How the client reads.
    pub(super) progress: Progress,
}

/// What a turn has for a client alone, in order with the public bytes.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub(super) parts: Vec<Part>,
    /// The bytes of `Part::Own`.
    pub(super) bytes: Vec<u8>,
}

/// A stretch of bytes for one client.
#[derive(Debug)]
pub(super) enum Part {
    /// Of the public bytes in this dialect.
    Public(Dialect, std::ops::Range<usize>),
    /// Of the client's own.
    Own(std::ops::Range<usize>),
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Inbox {
    parcels: UnboundedReceiver<Parcel>,
    waiting: Rc<Waiting>,
}

/// What waits for one client, as both ends see it.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Bytes handed over and not yet written to the socket, with [`PARCEL_OVERHEAD`] for each parcel.
    queued: Cell<usize>,
    /// What is queued need not be sent any more, apart from the last parcel, which says why.
    is_cut: Cell<bool>,
}

impl Waiting {
    /// This much of it needs no room any more.
    pub(super) fn release(&self, size: usize) {
        self.queued.update(|queued| queued - size);
    }
}

/// The two ends of a new queue.
pub(super) fn outbox(addr: SocketAddr, socket: Rc<Socket>, lang: Lang) -> (Box<Outbox>, Inbox) {
    let (sender, receiver) = mpsc::unbounded();
    let waiting = Rc::<Waiting>::default();
    let outbox = Outbox {
        parcels: sender,
        waiting: Rc::clone(&waiting),
        socket,
        addr,
        has_spoken: false,
        dialect: Dialect { format: Format::Text, lang },
        public_from: 0,
        own: None,
        progress: Progress::default(),
    };
    (Box::new(outbox), Inbox { parcels: receiver, waiting })
}

impl Outbox {
    /// Sends whole lines: as far as the socket takes them at once, while nothing else waits. The rest is the connection's,
    /// which also finds out if the socket is broken.
    pub(super) fn send(&mut self, parts: &[Bytes]) {
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
        let size = bytes.len() + PARCEL_OVERHEAD;
        self.progress.sent(size);
        self.waiting.queued.update(|queued| queued + size);
        // Fails only when the connection has ended, and then its last request is on its way.
        self.parcels.unbounded_send(Parcel::Bytes(Queued::new(bytes))).ok();
    }

    /// Lets the connection send its next lines.
    pub(super) fn send_ready(&self) {
        self.parcels.unbounded_send(Parcel::Ready).ok();
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting.queued.get()
    }

    /// Has what is queued thrown away, apart from the last parcel.
    pub(super) fn cut(&self) {
        self.waiting.is_cut.set(true);
    }
}

impl Inbox {
    /// What waits, for the one who writes it.
    pub(super) fn waiting(&self) -> Rc<Waiting> {
        Rc::clone(&self.waiting)
    }

    /// Bytes that wait.
    pub(super) fn queued(&self) -> usize {
        self.waiting.queued.get()
    }

    /// Whether only the last parcel is to be sent.
    pub(super) fn is_cut(&self) -> bool {
        self.waiting.is_cut.get()
    }

    /// The next parcel, if one is there already.
    pub(super) fn try_next(&mut self) -> Option<Parcel> {
        self.parcels.try_recv().ok()
    }
}

impl Stream for Inbox {
    type Item = Parcel;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Parcel>> {
        Pin::new(&mut self.parcels).poll_next(cx)
    }
}

impl FusedStream for Inbox {
    fn is_terminated(&self) -> bool {
        self.parcels.is_terminated()
    }
}
