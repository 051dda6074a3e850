//! Output that a socket has not taken yet. Knows bytes only.

use std::{collections::VecDeque, io, mem, rc::Rc, time::Duration};

use async_std::task;
use bytes::{Buf, Bytes};
use smol_timeout::TimeoutExt;

use crate::{
    broker::{QueueGauge, Queued},
    reactor::{Clock, is_transient},
};

use super::transport::Transport;

/// Bytes written at once, about. Others have a turn then: a crowd that has read nothing for a while may read all at once, and
/// sockets take more as fast as it does.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// Bytes that a client has to take in each timeout while all is written, unless less is left. One that takes less could hold its
/// place for hours.
const FLUSH_PROGRESS_BYTES: usize = 4 << 10;

/// Writes to a client, in order, as its socket takes it.
pub(super) struct Writer {
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
    pub(super) fn new(gauge: Rc<QueueGauge>) -> Self {
        Self { gauge, items: VecDeque::new(), state: State::Open }
    }

    /// Takes bytes to write next.
    pub(super) fn push(&mut self, item: Queued) {
        self.items.push_back(item);
    }

    /// Bytes wait for the socket to be writable.
    pub(super) fn is_blocked(&self) -> bool {
        self.state == State::Blocked
    }

    /// Writes what is queued, as far as the socket takes it and others need not wait, and answers how many bytes it took. What
    /// is left is blocked until the socket is writable, which may be at once.
    ///
    /// # Errors
    /// When the connection turns out to be broken. From then on everything is discarded.
    pub(super) fn write(&mut self, transport: &mut Transport, clock: Clock) -> io::Result<usize> {
        let mut total = 0;
        if self.state == State::Broken {
            self.discard();
            return Ok(0);
        }
        self.state = State::Open;
        while !self.items.is_empty() {
            if total >= WRITE_BYTES_MAX {
                self.state = State::Blocked;
                break;
            }
            match transport.write(self.next_parts()) {
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
        if self.items.is_empty() {
            match transport.flush() {
                Ok(true) => {}
                Ok(false) => self.state = State::Blocked,
                Err(error) => {
                    self.abort();
                    return Err(error);
                }
            }
        }
        Ok(total)
    }

    /// What to write at once.
    fn next_parts(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut offered = 0;
        let is_within = |item: &&Queued| {
            let before = offered;
            offered += item.bytes.len();
            before < WRITE_BYTES_MAX
        };
        let parts = self.items.iter().take_while(is_within).count();
        self.items.iter().take(parts).map(|item| &item.bytes[..item.bytes.len().min(WRITE_BYTES_MAX)])
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
    pub(super) async fn write_at_least(
        &mut self,
        transport: &mut Transport,
        bytes: usize,
        clock: Clock,
    ) -> io::Result<()> {
        let mut written = self.write(transport, clock)?;
        while self.is_blocked() && written < bytes {
            transport.socket().writable().await;
            written += self.write(transport, clock)?;
        }
        Ok(())
    }

    /// Writes all that is queued, however long that takes, as long as the peer takes [`FLUSH_PROGRESS_BYTES`] in each `timeout`; zero
    /// is none. Answers whether all was written.
    pub(super) async fn write_all(&mut self, transport: &mut Transport, timeout: Duration, clock: Clock) -> bool {
        loop {
            // Most is written at once, which needs no timer.
            match self.write(transport, clock) {
                Err(_) => return false,
                Ok(_) if !self.is_blocked() => return true,
                Ok(_) => {}
            }
            let write = self.write_at_least(transport, FLUSH_PROGRESS_BYTES, clock);
            let is_in_time = match timeout {
                Duration::ZERO => Some(write.await),
                timeout => write.timeout(timeout).await,
            };
            let has_progressed = match is_in_time {
                Some(written) => written.map(|()| true),
                // What it takes only now counts: the process may have been suspended.
                None => self.write(transport, clock).map(|written| written >= FLUSH_PROGRESS_BYTES),
            };
            match has_progressed {
                Err(_) => return false,
                Ok(_) if !self.is_blocked() => return true,
                Ok(true) => task::yield_now().await, // others have a turn first
                Ok(false) => return false,
            }
        }
    }

    /// Bytes that are queued.
    pub(super) fn waiting(&self) -> usize {
        self.items.iter().map(|item| item.bytes.len()).sum()
    }

    /// Discards what is queued, except the rest of a line that is half written, and the last item, which says why.
    pub(super) fn keep_last_item(&mut self, transport: &mut Transport) {
        self.written(transport.commit());
        let Some(last) = self.items.pop_back() else { return };
        let begun = self.items.pop_front().map(|mut first| {
            let end = memchr::memchr(b'\n', &first.bytes).map_or(first.bytes.len(), |end| end + 1);
            self.gauge.release(first.bytes.len() - end, first.told.is_private());
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
            self.gauge.release(written, first.told.is_private());
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
            self.gauge.discard(&item);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        net::{TcpListener, TcpStream},
        task::{Context, Poll, Waker},
        thread,
    };

    use super::*;
    use crate::{
        broker::{Memory, Told, outbox},
        reactor::{Poller, Socket, Token, Wait},
    };

    #[test]
    fn a_reader_that_catches_up_is_written_to_little_by_little_and_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let poller = Rc::new(Poller::new().unwrap());
        let socket = Rc::new(Socket::new(stream, Token(1), Rc::clone(&poller)).unwrap());
        let (_outbox, inbox) = outbox(None, Memory::new(1 << 30));
        let mut transport = Transport::Plain(Rc::clone(&socket));
        let mut writer = Writer::new(Rc::clone(inbox.gauge()));
        let sizes = (0..200).map(|n| [100, 40_000, WRITE_BYTES_MAX + 7][n % 3]);
        let parts: Vec<_> = sizes.zip(0u8..).map(|(size, byte)| vec![byte; size]).collect();
        for part in &parts {
            inbox.gauge().queue(part.len(), false);
            writer.push(Queued { bytes: part.clone().into(), told: Told::Public });
        }
        let all = parts.concat();
        let mut received = vec![0; all.len()];
        let reader = thread::spawn(move || {
            peer.read_exact(&mut received).unwrap();
            received
        });
        let (clock, mut written) = (Clock::start(), 0);
        while written < all.len() {
            let at_once = writer.write(&mut transport, clock).unwrap();
            assert!(at_once < 3 * WRITE_BYTES_MAX, "{at_once} bytes at once");
            written += at_once;
            assert_eq!(writer.is_blocked(), written < all.len());
            while written < all.len() && socket.poll_writable(&Context::from_waker(Waker::noop())) == Poll::Pending {
                poller.poll(Wait::No);
            }
        }
        assert!(reader.join().unwrap() == all);
    }
}
