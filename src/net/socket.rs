//! The sockets of clients, and when they are ready. All stand in one epoll of our own, edge-triggered; the reactor of
//! async-io watches that epoll as a single descriptor. In the reactor itself each read would cost an `epoll_ctl`, and
//! under load its spare thread takes events away one by one while the executor's thread is busy: here what is ready is
//! learned in one call, when the broker wants to know.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    io::{self, IoSlice, Read, Write},
    mem::MaybeUninit,
    net::{Shutdown, TcpStream},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll},
};

use async_io::Async;
use async_std::task;
use futures::{
    future::{Either, select},
    pin_mut,
    task::AtomicWaker,
};
use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    fd::OwnedFd,
    io::Errno,
};

use crate::chat::ClientId;

/// Events taken from the kernel at once: as many as requests in a turn of the broker, and 48 KiB of stack.
const EVENTS_MAX: usize = 4096;
/// Parts written at once (IOV_MAX is 1024).
const WRITE_PARTS_MAX: usize = 64;

/// Bytes can be read, or the end.
const READABLE: u8 = 1;
/// Bytes can be written, or no more ever.
const WRITABLE: u8 = 2;
/// A read that takes less than it could has not read all: behind it stands the end, or urgent data, at which reads stop.
const SHORT_READS: u8 = 4;

/// Wakes the connections whose sockets are ready.
#[derive(Debug)]
pub(super) struct Readiness {
    epoll: Async<OwnedFd>,
    sources: Mutex<HashMap<u64, Arc<Source>>>,
}

/// What is known of a socket.
#[derive(Debug, Default)]
struct Source {
    ready: AtomicU8,
    /// The connection's task, if it waits.
    waker: AtomicWaker,
}

impl Source {
    fn poll_ready(&self, what: u8, cx: &Context<'_>) -> Poll<()> {
        if !self.is_ready(what) {
            self.waker.register(cx.waker());
            if !self.is_ready(what) {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn is_ready(&self, what: u8) -> bool {
        self.ready.load(SeqCst) & what == what
    }
}

impl Readiness {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Async::new(epoll::create(CreateFlags::CLOEXEC)?)?;
        Ok(Self { epoll, sources: Mutex::default() })
    }

    /// Waits for `until`, and meanwhile wakes whoever becomes ready.
    ///
    /// # Panics
    /// When epoll fails, which it has no reason to.
    pub(super) async fn serve_until<T>(&self, until: impl Future<Output = T>) -> T {
        // A look of our own each time, since the reactor may have learned of it in a way that `readable` takes for old news.
        let serving = async {
            loop {
                let mut readable = pin!(self.epoll.readable());
                poll_fn(|cx| if self.wake() { Poll::Ready(()) } else { readable.as_mut().poll(cx).map(drop) }).await;
                // Behind all connections just woken.
                task::yield_now().await;
            }
        };
        pin_mut!(until, serving);
        match select(until, serving).await {
            Either::Left((output, _)) => output,
            Either::Right((never, _)) => never,
        }
    }

    /// Wakes all connections that have become ready. False: there are none.
    pub(super) fn wake(&self) -> bool {
        let mut room = [MaybeUninit::uninit(); EVENTS_MAX];
        let events = match epoll::wait(self.epoll.get_ref(), &mut room, Some(&Timespec::default())) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return true,
            Err(error) => panic!("epoll: {error}"),
        };
        let sources = self.sources();
        for event in &*events {
            // None: of a connection that has just ended.
            let Some(source) = sources.get(&event.data.u64()) else { continue };
            let flags = event.flags;
            let mut ready = 0;
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
                ready |= WRITABLE;
            }
            source.ready.fetch_or(ready, SeqCst);
            source.waker.wake(); // only puts the task into the executor's queue
        }
        !events.is_empty()
    }

    fn sources(&self) -> MutexGuard<'_, HashMap<u64, Arc<Source>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's socket. Never blocks.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    client: ClientId,
    source: Arc<Source>,
    readiness: Arc<Readiness>,
}

impl Socket {
    /// # Errors
    /// When the kernel has no memory to watch it with.
    pub(super) fn new(stream: TcpStream, client: ClientId, readiness: Arc<Readiness>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let source = Arc::new(Source::default());
        readiness.sources().insert(client.0, Arc::clone(&source));
        let socket = Self { stream, client, source, readiness };
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::PRI | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(socket.readiness.epoll.get_ref(), &socket.stream, EventData::new_u64(client.0), flags)?;
        Ok(socket)
    }

    /// Waits until there is something to read. Who reads in a loop has to yield: a fast peer's socket is always readable.
    pub(super) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_ready(READABLE, cx)
    }

    /// Waits until there is something to read of a peer that has ended or broken off. One that has sent urgent data is taken
    /// for one: what it sends is read early, as far as there is room.
    pub(super) fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_ready(READABLE | SHORT_READS, cx)
    }

    /// There is something to read, or was at the last look.
    pub(super) fn is_readable(&self) -> bool {
        self.source.is_ready(READABLE)
    }

    /// Waits until there is room to write.
    pub(super) fn writable(&self) -> impl Future<Output = ()> + Send + use<> {
        let source = Arc::clone(&self.source);
        poll_fn(move |cx| source.poll_ready(WRITABLE, cx))
    }

    /// Reads what is there, up to the buffer's size; 0 at the end.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; any other when the connection is broken.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // Before reading: what comes later sets it again.
        let ready = self.source.ready.fetch_and(!READABLE, SeqCst);
        let read = (&self.stream).read(buffer);
        // Less than the buffer takes is all there is, epoll(7), with the exceptions known.
        let is_all = match &read {
            Ok(read) => *read < buffer.len() && ready & SHORT_READS == 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if !is_all {
            self.source.ready.fetch_or(READABLE, SeqCst);
        }
        read
    }

    /// Has [`Self::writable`] tell of room that comes from now on.
    pub(super) fn forget_writable(&self) {
        self.source.ready.fetch_and(!WRITABLE, SeqCst);
    }

    /// Writes as much of `parts`, in order, as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; any other when the connection is broken.
    pub(super) fn write<'a>(&self, mut parts: impl ExactSizeIterator<Item = &'a [u8]>) -> io::Result<usize> {
        if parts.len() == 1
            && let Some(only) = parts.next()
        {
            return (&self.stream).write(only); // nearly always
        }
        let mut slices = [IoSlice::new(&[]); WRITE_PARTS_MAX];
        let count = parts.len().min(WRITE_PARTS_MAX);
        for (slice, part) in slices.iter_mut().zip(parts) {
            *slice = IoSlice::new(part);
        }
        (&self.stream).write_vectored(&slices[..count])
    }

    /// Tells the peer that it has got everything.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn end(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl Drop for Socket {
    /// The kernel forgets a descriptor that is closed.
    fn drop(&mut self) {
        self.readiness.sources().remove(&self.client.0);
    }
}
