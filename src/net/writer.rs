//! What a socket has not taken yet. Knows bytes only.

use std::{collections::VecDeque, io, rc::Rc};

use bytes::{Buf, Bytes};

use crate::{
    broker::{QUEUE_ITEM_OVERHEAD, QueueGauge, Queued},
    reactor::{Socket, is_transient},
};

/// Writes to a client's socket, in order, as it takes it.
pub(super) struct Writer {
    socket: Rc<Socket>,
    /// Learns what need not wait any more.
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
    /// The peer can be told nothing any more: what is for it is thrown away.
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

    /// Writes what waits, as far as the socket takes it, and answers how many bytes it took.
    ///
    /// # Errors
    /// When the connection has turned out to be broken; then everything is thrown away, from here on.
    pub(super) fn write(&mut self) -> io::Result<usize> {
        let mut total = 0;
        if self.state == State::Broken {
            self.discard();
            return Ok(0);
        }
        self.state = State::Open;
        while !self.items.is_empty() {
            match self.socket.write(self.items.iter().map(|item| &item.0[..])) {
                Ok(written) => {
                    total += written;
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

    /// From here on, throws everything away.
    pub(super) fn abort(&mut self) {
        self.state = State::Broken;
        self.discard();
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// When the connection has turned out to be broken.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        loop {
            self.write()?;
            if !self.is_blocked() {
                return Ok(());
            }
            self.socket.writable().await;
        }
    }

    /// Of all that waits, leaves the rest of a line that is half written, and the last item.
    pub(super) fn keep_last_item(&mut self) {
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
        let mut released = bytes;
        while let Some(first) = self.items.front_mut()
            && bytes >= first.0.len()
        {
            bytes -= first.0.len();
            released += QUEUE_ITEM_OVERHEAD;
            self.items.pop_front();
        }
        match self.items.front_mut() {
            Some(first) => first.0.advance(bytes),
            None => self.items = VecDeque::new(), // an idle connection holds nothing
        }
        self.gauge.release(released);
    }

    fn discard(&mut self) {
        let size = self.items.iter().map(|item| item.0.len() + QUEUE_ITEM_OVERHEAD).sum();
        self.items = VecDeque::new();
        self.gauge.release(size);
    }
}
