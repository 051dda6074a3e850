//! Which sockets are ready. All clients' stand in one epoll, edge-triggered. In async-io's reactor each read would cost an
//! `epoll_ctl`, and events would come one by one: here what is ready is learned in one call.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    net::TcpStream,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        EventfdFlags, Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
        eventfd,
    },
    fd::OwnedFd,
    io::Errno,
};

use crate::chat::ClientId;

/// Events taken from the kernel at once: as many as requests in a turn of the broker.
const EVENTS_MAX: usize = 4096;
/// The bell among the events; clients are numbered from 1.
const BELL: u64 = 0;

/// Bytes can be read, or the end.
pub(crate) const READABLE: u8 = 1;
/// Bytes can be written, or no more ever.
pub(crate) const WRITABLE: u8 = 2;
/// A read that takes less than it could has not read all: behind it stands the end, or urgent data, at which reads stop.
pub(crate) const SHORT_READS: u8 = 4;

/// The connection is broken, or ended from both sides.
pub(crate) const BROKEN: u8 = 8;

/// An epoll that watches a bell and no sockets yet.
#[derive(Debug)]
pub(crate) struct Poller {
    epoll: OwnedFd,
    bell: Arc<Bell>,
}

/// Learns which sockets are ready, and wakes their connections. What is learned must be told before more is.
pub(crate) struct Readiness {
    poller: Poller,
    /// Learned, and not told yet. Empty when more is learned: an epoll takes no buffer without room.
    events: RefCell<Vec<epoll::Event>>,
    sources: RefCell<HashMap<u64, Rc<Source>>>,
}

/// Ends a wait, from any thread.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Edge-triggered: each write is an event, and nobody has to read. It fails after 2^64 of them.
        rustix::io::write(&self.0, &1_u64.to_ne_bytes()).ok();
    }
}

impl Poller {
    /// # Errors
    /// When the process may open no more files.
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, bell: Arc::new(Bell(bell)) })
    }
}

impl Readiness {
    pub(crate) fn new(poller: Poller) -> Self {
        Self { poller, events: Vec::with_capacity(EVENTS_MAX).into(), sources: RefCell::default() }
    }

    /// What ends [`Self::wait`], even before it has begun.
    pub(crate) fn bell(&self) -> Arc<Bell> {
        Arc::clone(&self.poller.bell)
    }

    /// Learns what is ready; [`Self::wake`] comes next.
    ///
    /// # Panics
    /// When epoll fails, which it has no reason to.
    pub(crate) fn look(&self) {
        self.learn(Some(&Timespec::default()));
    }

    /// The same, as soon as there is something, or the bell rings.
    ///
    /// # Panics
    /// When epoll fails, which it has no reason to.
    pub(crate) fn wait(&self) {
        self.learn(None);
    }

    /// Wakes the connections of whose sockets something was learned.
    pub(crate) fn wake(&self) {
        let sources = self.sources.borrow();
        for event in self.events.borrow_mut().drain(..) {
            // None: the bell's, or a socket's that has been closed since.
            let Some(source) = sources.get(&event.data.u64()) else { continue };
            source.wake(event.flags);
        }
    }

    fn learn(&self, timeout: Option<&Timespec>) {
        match epoll::wait(&self.poller.epoll, spare_capacity(&mut self.events.borrow_mut()), timeout) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => panic!("epoll: {error}"),
        }
    }

    /// Watches a socket, until [`Self::forget`].
    ///
    /// # Errors
    /// When the kernel has no memory to watch it with.
    pub(crate) fn watch(&self, stream: &TcpStream, client: ClientId) -> io::Result<Rc<Source>> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::PRI | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.poller.epoll, stream, EventData::new_u64(client.0), flags)?;
        let source = Rc::<Source>::default();
        self.sources.borrow_mut().insert(client.0, Rc::clone(&source));
        Ok(source)
    }

    /// The kernel forgets a socket by itself, when it is closed.
    pub(crate) fn forget(&self, client: ClientId) {
        self.sources.borrow_mut().remove(&client.0);
    }
}

/// What is known of a socket.
#[derive(Debug, Default)]
pub(crate) struct Source {
    ready: Cell<u8>,
    /// The connection's task, if it waits.
    waker: RefCell<Option<Waker>>,
}

impl Source {
    /// Whether all of `what` is so. What has been set stays so until it is forgotten.
    pub(crate) fn is_ready(&self, what: u8) -> bool {
        self.ready.get() & what == what
    }

    /// `what` has turned out not to be so. No event is lost: those of the time since are still in the epoll.
    pub(crate) fn forget(&self, what: u8) {
        self.ready.set(self.ready.get() & !what);
    }

    /// Waits until all of `what` is so.
    pub(crate) fn poll_ready(&self, what: u8, cx: &Context<'_>) -> Poll<()> {
        if self.is_ready(what) {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&self, flags: EventFlags) {
        let mut ready = self.ready.get();
        if flags.contains(EventFlags::IN) {
            ready |= READABLE;
        }
        if flags.contains(EventFlags::OUT) {
            ready |= WRITABLE;
        }
        if flags.intersects(EventFlags::PRI | EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
            ready |= READABLE | SHORT_READS;
        }
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            ready |= WRITABLE | BROKEN;
        }
        self.ready.set(ready);
        if let Some(waker) = self.waker.take() {
            waker.wake(); // only puts the task into the executor's queue
        }
    }
}
