//! A socket that never blocks. Knows nothing of what is read and written.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use rustix::{
    fd::OwnedFd,
    net::{RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown},
};

use super::{
    poller::{Poller, Token},
    source::Source,
};

/// Parts written at once (IOV_MAX is 1024).
const WRITE_PARTS_MAX: usize = 64;

/// A connected socket.
///
/// All waits of a socket, those for reading and those for writing, share the place for one waker. So one task may wait
/// for it, for several things at once if it likes; when two tasks wait, only the last is woken.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    token: Token,
    source: Arc<Source>,
    poller: Rc<Poller>,
}

impl Socket {
    /// Has the poller watch `fd`, a connected stream socket, which may block or not: the calls made here never do. Urgent data is expected
    /// inline (`SO_OOBINLINE`).
    ///
    /// # Errors
    /// When the kernel has no memory to watch it with.
    ///
    /// # Panics
    /// When the token is 0 or that of another socket.
    pub fn new(fd: impl Into<OwnedFd>, token: Token, poller: Rc<Poller>) -> io::Result<Self> {
        let fd = fd.into();
        Ok(Self { source: poller.register(&fd, token)?, fd, token, poller })
    }

    /// Waits until there is something to read. A task that reads in a loop has to yield: a fast peer's socket is always
    /// readable.
    pub fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_until(|ready| ready.readable.is_set(), cx)
    }

    /// Waits until there is something to read, and behind it the end of input or an error. Urgent data looks the same
    /// until it is read: after a peer has sent some, this resolves whenever there is something to read.
    pub fn poll_hang_up(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_until(|ready| ready.readable.is_set() && ready.hang_up.is_set(), cx)
    }

    /// Waits until the connection has failed, or is shut down in both directions.
    pub fn poll_broken(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_until(|ready| ready.broken.is_set(), cx)
    }

    /// Waits until there is room to write.
    pub fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_until(|ready| ready.writable.is_set(), cx)
    }

    /// The same, as a future.
    pub fn writable(&self) -> impl Future<Output = ()> + use<> {
        let source = Arc::clone(&self.source);
        poll_fn(move |cx| source.poll_until(|ready| ready.writable.is_set(), cx))
    }

    /// There is something to read, and behind it the end of input or an error, as far as is known since the last poll.
    #[must_use]
    pub fn has_hung_up(&self) -> bool {
        let ready = self.source.ready();
        ready.readable.is_set() && ready.hang_up.is_set()
    }

    /// There is something to read, as far as is known since the last poll.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.source.ready().readable.is_set()
    }

    /// Reads what is there, up to the buffer's size; 0 at the end of input.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; `Interrupted`; any other when the connection has failed.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = recv(&self.fd, &mut *buffer, RecvFlags::DONTWAIT).map(|(read, _)| read).map_err(io::Error::from);
        // Edge-triggered: the next event tells of what comes from now on, so that all has to be read before the wait. A
        // read that fills less than its buffer has read all, epoll(7), if no hang-up is known of.
        let is_all = match &read {
            Ok(read) => *read < buffer.len() && !self.source.ready().hang_up.is_set(),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if is_all {
            self.source.clear_readable();
        }
        read
    }

    /// Reads what is there, up to the buffer's size, and leaves it to be read again. 0 at the end of input.
    ///
    /// # Errors
    /// As those of [`Self::read`].
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.fd, &mut *buffer, RecvFlags::DONTWAIT | RecvFlags::PEEK)?.0)
    }

    /// What was read with [`Self::peek`] is all there is: from now on, to be readable means that there is more.
    pub(crate) fn await_more(&self) {
        self.source.clear_readable();
    }

    /// Writes as much of `parts`, in order, as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; `Interrupted`; any other when the connection has failed.
    pub fn write<'a>(&self, mut parts: impl ExactSizeIterator<Item = &'a [u8]>) -> io::Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = if parts.len() == 1 {
            send(&self.fd, parts.next().expect("one part"), flags) // nearly always
        } else {
            let mut slices = [IoSlice::new(&[]); WRITE_PARTS_MAX];
            let count = parts.len().min(WRITE_PARTS_MAX);
            slices.iter_mut().zip(parts).for_each(|(slice, part)| *slice = IoSlice::new(part));
            sendmsg(&self.fd, &slices[..count], &mut SendAncillaryBuffer::default(), flags)
        };
        let written = written.map_err(io::Error::from);
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.source.clear_writable();
        }
        written
    }

    /// Ends the output: the peer reads all that was written, and then the end.
    ///
    /// # Errors
    /// When the connection has failed.
    pub fn shutdown(&self) -> io::Result<()> {
        Ok(shutdown(&self.fd, Shutdown::Write)?)
    }
}

/// The socket has nothing to read, or takes nothing, right now.
#[must_use]
pub fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.poller.deregister(self.token);
    }
}
