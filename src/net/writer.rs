//! What a socket has not taken yet, and the wait until it takes more.

use std::{collections::VecDeque, future::Future, io, pin::Pin, rc::Rc, time::Duration};

use bytes::{Buf, Bytes};
use futures::{
    FutureExt,
    future::{Fuse, FusedFuture},
};
use smol_timeout::TimeoutExt;

use crate::{
    broker::{QUEUE_ITEM_OVERHEAD, Queued, Waiting},
    reactor::{Socket, is_transient},
};

/// Writes to a client's socket, in order, as it takes it.
pub(super) struct Writer {
    socket: Rc<Socket>,
    /// Hears what need not wait any more.
    waiting: Rc<Waiting>,
    /// How long the socket may take nothing.
    timeout: Duration,
    items: VecDeque<Queued>,
    /// Waits until the socket takes bytes again.
    blocked: Fuse<Blocked>,
    /// The peer hears nothing any more: what is for it is thrown away.
    is_broken: bool,
}

/// Resolves when the socket takes bytes again; to `None` when it is too late. Boxed: few connections ever have one.
pub(super) type Blocked = Pin<Box<dyn Future<Output = Option<()>>>>;

impl Writer {
    pub(super) fn new(socket: Rc<Socket>, waiting: Rc<Waiting>, timeout: Duration) -> Self {
        Self { socket, waiting, timeout, items: VecDeque::new(), blocked: Fuse::terminated(), is_broken: false }
    }

    /// Takes bytes to write next.
    pub(super) fn push(&mut self, item: Queued) {
        self.items.push_back(item);
    }

    /// Resolves when it is time to [`Self::write`] again, to `None` when the socket has taken nothing for the timeout.
    /// Terminated while nothing waits for the socket.
    pub(super) fn blocked(&mut self) -> &mut Fuse<Blocked> {
        &mut self.blocked
    }

    /// The socket takes nothing at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        !self.blocked.is_terminated()
    }

    /// The peer hears nothing any more.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Writes what waits, as far as the socket takes it.
    ///
    /// # Errors
    /// When the connection has turned out to be broken.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while !self.items.is_empty() && !self.is_blocked() {
            if self.is_broken {
                self.discard();
                return Ok(());
            }
            match self.socket.write(self.items.iter().map(|item| &item.0[..])) {
                Ok(written) => self.written(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_transient(&error) => {
                    let blocked: Blocked = Box::pin(self.socket.writable().timeout(self.timeout));
                    self.blocked = blocked.fuse();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// From here on, throws everything away.
    pub(super) fn abort(&mut self) {
        self.is_broken = true;
        self.blocked = Fuse::terminated();
        self.discard();
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// When the connection has turned out to be broken, or the socket has taken nothing for the timeout.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        while !self.items.is_empty() {
            self.write()?;
            if self.is_blocked() {
                (&mut self.blocked).await.ok_or(io::ErrorKind::TimedOut)?;
            }
        }
        Ok(())
    }

    /// Of all that waits, leaves the rest of a line that is half written, and the last item.
    pub(super) fn keep_last_words(&mut self) {
        let Some(last) = self.items.pop_back() else { return };
        let begun = self.items.pop_front().map(|mut first| {
            let end = memchr::memchr(b'\n', &first.0).map_or(first.0.len(), |end| end + 1);
            first.0 = Bytes::copy_from_slice(&first.0[..end]); // the rest is free
            first
        });
        self.items.clear();
        self.items.extend(begun);
        self.items.push_back(last);
    }

    fn written(&mut self, mut bytes: usize) {
        let mut room = bytes;
        while let Some(first) = self.items.front_mut()
            && bytes >= first.0.len()
        {
            bytes -= first.0.len();
            room += QUEUE_ITEM_OVERHEAD;
            self.items.pop_front();
        }
        match self.items.front_mut() {
            Some(first) => first.0.advance(bytes),
            None => self.items = VecDeque::new(), // nothing in a connection that waits
        }
        self.waiting.release(room);
    }

    fn discard(&mut self) {
        let room = self.items.iter().map(|item| item.0.len() + QUEUE_ITEM_OVERHEAD).sum();
        self.items = VecDeque::new();
        self.waiting.release(room);
    }
}
