//! Output that a socket has not taken yet. Knows bytes only.

use std::{collections::VecDeque, io, mem, rc::Rc};

use bytes::{Buf, Bytes};

use crate::{
    broker::{QueueGauge, Queued},
    reactor::{Clock, Socket, is_transient},
};

/// Writes to a client's socket, in order, as it takes it.
pub(super) struct Writer {
    socket: Rc<Socket>,
    /// Is told what was written or discarded.
    gauge: Rc<QueueGauge>,
    items: VecDeque<Queued>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The socket may take bytes.
    Open,
    /// The socket takes nothing until it is writable again.
    Blocked,
    /// Nothing can be sent any more: whatever is queued is discarded.
    Broken,
}

impl Writer {
    pub(super) fn new(socket: Rc<Socket>, gauge: Rc<QueueGauge>) -> Self {
        Self { socket, gauge, items: VecDeque::new(), state: State::Open }
    }

    /// Takes bytes to write next.
    pub(super) fn push(&mut self, item: Queued) {
        self.items.push_back(item);
    }

    /// Bytes wait for the socket to be writable.
    pub(super) fn is_blocked(&self) -> bool {
        self.state == State::Blocked
    }

    /// Writes what is queued, as far as the socket takes it, and answers how many bytes it took.
    ///
    /// # Errors
    /// When the connection turns out to be broken. From then on everything is discarded.
    pub(super) fn write(&mut self, clock: Clock) -> io::Result<usize> {
        let mut total = 0;
        if self.state == State::Broken {
            self.discard();
            return Ok(0);
        }
        self.state = State::Open;
        while !self.items.is_empty() {
            match self.socket.write(self.items.iter().map(|item| &item.bytes[..])) {
                Ok(written) => {
                    total += written;
                    self.gauge.progressed(clock.now());
                    self.written(written);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_transient(&error) => {
                    self.state = State::Blocked;
                    break;
                }
                Err(error) => {
                    self.abort();
                    return Err(error);
                }
            }
        }
        Ok(total)
    }

    /// From here on, discards everything.
    pub(super) fn abort(&mut self) {
        self.state = State::Broken;
        self.discard();
    }

    /// Writes what is queued until the socket has taken at least `bytes`, or all. May be dropped at any time: what was written
    /// stays written.
    ///
    /// # Errors
    /// When the connection turns out to be broken.
    pub(super) async fn write_at_least(&mut self, bytes: usize, clock: Clock) -> io::Result<()> {
        let mut written = self.write(clock)?;
        while self.is_blocked() && written < bytes {
            self.socket.writable().await;
            written += self.write(clock)?;
        }
        Ok(())
    }

    /// Bytes that are queued.
    pub(super) fn waiting(&self) -> usize {
        self.items.iter().map(|item| item.bytes.len()).sum()
    }

    /// Discards what is queued, except the rest of a line that is half written, and the last item, which says why.
    pub(super) fn keep_last_item(&mut self) {
        let Some(last) = self.items.pop_back() else { return };
        let begun = self.items.pop_front().map(|mut first| {
            let end = memchr::memchr(b'\n', &first.bytes).map_or(first.bytes.len(), |end| end + 1);
            self.gauge.release(first.bytes.len() - end, first.is_private);
            first.bytes = Bytes::copy_from_slice(&first.bytes[..end]); // the rest is free
            first
        });
        self.discard();
        self.items.extend(begun);
        self.items.push_back(last);
    }

    fn written(&mut self, mut bytes: usize) {
        while let Some(first) = self.items.front_mut() {
            let written = bytes.min(first.bytes.len());
            bytes -= written;
            self.gauge.release(written, first.is_private);
            if written < first.bytes.len() {
                first.bytes.advance(written);
                return;
            }
            self.gauge.release_item();
            self.items.pop_front();
        }
        self.items = VecDeque::new(); // an idle connection holds nothing
    }

    fn discard(&mut self) {
        for item in mem::take(&mut self.items) {
            self.gauge.release(item.bytes.len(), item.is_private);
            self.gauge.release_item();
        }
    }
}
