//! One client's socket, with what is known of its readiness. Knows nothing of lines and queues.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice, Read, Write},
    net::{Shutdown, TcpStream},
    rc::Rc,
    task::{Context, Poll},
};

use super::poller::{BROKEN, READABLE, Readiness, SHORT_READS, Source, WRITABLE};
use crate::chat::ClientId;

/// Parts written at once (IOV_MAX is 1024).
const WRITE_PARTS_MAX: usize = 64;

/// A client's socket. Never blocks.
pub(crate) struct Socket {
    stream: TcpStream,
    client: ClientId,
    source: Rc<Source>,
    readiness: Rc<Readiness>,
}

impl Socket {
    /// # Errors
    /// When the kernel has no memory to watch it with.
    pub(crate) fn new(stream: TcpStream, client: ClientId, readiness: Rc<Readiness>) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { source: readiness.watch(&stream, client)?, stream, client, readiness })
    }

    /// Waits until there is something to read. Who reads in a loop has to yield: a fast peer's socket is always readable.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_ready(READABLE, cx)
    }

    /// Waits until there is something to read of a peer that has ended or broken off. One that has sent urgent data is taken
    /// for one: what it sends is read early, as far as there is room.
    pub(crate) fn poll_end(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_ready(READABLE | SHORT_READS, cx)
    }

    /// Waits until the connection is broken.
    pub(crate) fn poll_broken(&self, cx: &Context<'_>) -> Poll<()> {
        self.source.poll_ready(BROKEN, cx)
    }

    /// There is something to read, or was at the last look.
    pub(crate) fn is_readable(&self) -> bool {
        self.source.is_ready(READABLE)
    }

    /// Waits until there is room to write.
    pub(crate) fn writable(&self) -> impl Future<Output = ()> + use<> {
        let source = Rc::clone(&self.source);
        poll_fn(move |cx| source.poll_ready(WRITABLE, cx))
    }

    /// Reads what is there, up to the buffer's size; 0 at the end.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing; any other when the connection is broken.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.stream).read(buffer);
        // Less than the buffer takes is all there is, epoll(7), with the exceptions known.
        let is_all = match &read {
            Ok(read) => *read < buffer.len() && !self.source.is_ready(SHORT_READS),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if is_all {
            self.source.forget(READABLE);
        }
        read
    }

    /// Writes as much of `parts`, in order, as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; any other when the connection is broken.
    pub(crate) fn write<'a>(&self, mut parts: impl ExactSizeIterator<Item = &'a [u8]>) -> io::Result<usize> {
        let written = if parts.len() == 1 {
            (&self.stream).write(parts.next().expect("one part")) // nearly always
        } else {
            let mut slices = [IoSlice::new(&[]); WRITE_PARTS_MAX];
            let count = parts.len().min(WRITE_PARTS_MAX);
            slices.iter_mut().zip(parts).for_each(|(slice, part)| *slice = IoSlice::new(part));
            (&self.stream).write_vectored(&slices[..count])
        };
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.source.forget(WRITABLE);
        }
        written
    }

    /// Tells the peer that it has got everything.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

/// The socket has nothing for us, or takes nothing, right now.
pub(crate) fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.readiness.forget(self.client);
    }
}
