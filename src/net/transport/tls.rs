//! A socket with TLS, by rustls driven by hand: no task of its own, no buffer while nothing waits but rustls' own.

use std::{
    cell::RefCell,
    fmt, future,
    io::{self, IoSlice, Read, Write},
    iter, mem,
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use async_std::task;
use rustls::{Error, ServerConfig, ServerConnection};

use super::{Received, handshakes::Handshakes};
use crate::{
    broker::QueueGauge,
    reactor::{Socket, is_transient},
};

/// Bytes encrypted at once: a record. No more is encrypted before the socket has taken it.
const RECORD_BYTES: usize = 16 << 10;
/// Encrypted bytes taken at once during a handshake, at which a client has little to say.
const HANDSHAKE_READ_BYTES: usize = 16 << 10;
/// What a byte that was taken from the socket costs and is no text, in bytes of plain lines. New keys are asked for in 27 bytes and
/// take microseconds, so that thousands of them in a round would hold up everybody.
const OVERHEAD_COST: usize = 8;
/// What rustls takes for a connection that is idle: measured, most of it the buffer that it reads into.
const RUSTLS_BYTES: usize = 8 << 10;

thread_local! {
    /// Encrypted bytes on their way to a socket, of all connections of a thread, since writing never waits.
    static ENCRYPTED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A socket with TLS.
pub(in crate::net) struct TlsSocket {
    socket: Rc<Socket>,
    tls: ServerConnection,
    /// Decrypted bytes that were not read yet.
    text: usize,
    /// Encrypted bytes that the socket has not taken.
    unsent: Vec<u8>,
    /// Bytes that were to be written, are encrypted, and were not reported as written.
    unreported: usize,
    /// Encrypted bytes from which no text has come yet.
    undecrypted: usize,
}

impl TlsSocket {
    /// Shakes hands with the client.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub(in crate::net) async fn accept(
        socket: Rc<Socket>,
        config: Arc<ServerConfig>,
        gauge: &QueueGauge,
        handshakes: &Handshakes,
    ) -> io::Result<Self> {
        let tls = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut this = Self { socket, tls, text: 0, unsent: Vec::new(), unreported: 0, undecrypted: 0 };
        while this.tls.is_handshaking() {
            gauge.set_input(this.held_bytes());
            future::poll_fn(|cx| match this.socket.poll_readable(cx) {
                Poll::Pending if this.has_unsent() => this.socket.poll_writable(cx),
                polled => polled,
            })
            .await;
            handshakes.permit().await;
            this.flush()?;
            if this.take(HANDSHAKE_READ_BYTES)? == Taken::End {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if this.socket.is_readable() {
                task::yield_now().await; // there is more, and other tasks run first
            }
        }
        // What the client waits for may be left: with TLS 1.2, the server has the last word.
        while !this.flush()? {
            future::poll_fn(|cx| this.socket.poll_writable(cx)).await;
        }
        this.undecrypted = 0;
        Ok(this)
    }

    pub(super) fn socket(&self) -> &Rc<Socket> {
        &self.socket
    }

    /// Whether there is something to read that is decrypted already.
    pub(super) fn has_text(&self) -> bool {
        self.text > 0
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub(super) fn held_bytes(&self) -> usize {
        RUSTLS_BYTES + self.text + self.unsent.len() + self.undecrypted
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        let (mut taken, mut overhead) = (0, 0);
        loop {
            match self.tls.reader().read(buffer) {
                Ok(0) => return Ok(Received::End),
                // No `close_notify`, as ncat has it. A line that was cut off there has no end, which says as much.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Received::End),
                Ok(read) => {
                    self.text = self.text.saturating_sub(read);
                    return Ok(Received::Bytes { read, cost: read + overhead * OVERHEAD_COST });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            let nothing = Ok(Received::Nothing { cost: overhead * OVERHEAD_COST });
            if taken >= buffer.len() {
                return nothing;
            }
            match self.take(buffer.len() - taken)? {
                Taken::Nothing => return nothing,
                Taken::Bytes(bytes) => {
                    taken += bytes;
                    overhead = taken.saturating_sub(self.text);
                }
                Taken::End => {} // it comes behind what was decrypted
            }
        }
    }

    /// Takes at most so many bytes from the socket, and decrypts them. What rustls has to say to that is sent.
    fn take(&mut self, most: usize) -> io::Result<Taken> {
        let taken = match self.tls.read_tls(&mut Source { socket: &self.socket, left: most }) {
            Ok(0) => Taken::End,
            Ok(bytes) => Taken::Bytes(bytes),
            Err(error) if is_transient(&error) => return Ok(Taken::Nothing),
            Err(error) => return Err(error),
        };
        if let Taken::Bytes(bytes) = taken {
            self.undecrypted += bytes;
        }
        let state = match self.tls.process_new_packets() {
            Ok(state) => state,
            Err(error) => {
                // Who speaks no TLS is not answered in TLS.
                if !matches!(error, Error::InvalidMessage(_)) {
                    self.flush().ok();
                }
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        };
        self.text = state.plaintext_bytes_to_read();
        if self.text > 0 {
            self.undecrypted = 0; // but for what may be behind it of the same read
        }
        self.flush()?;
        Ok(taken)
    }

    pub(super) fn write<'a>(&mut self, mut parts: impl ExactSizeIterator<Item = &'a [u8]>) -> io::Result<usize> {
        if self.unreported == 0 && self.flush()? {
            let mut left = RECORD_BYTES;
            let mut of_record = |part: &'a [u8]| {
                let part = &part[..part.len().min(left)];
                left -= part.len();
                part
            };
            self.unreported = if parts.len() == 1 {
                self.tls.writer().write(of_record(parts.next().expect("one part")))?
            } else {
                // In one record: a client's lines of one turn cost as much as one.
                let slices: Vec<_> = parts.map(|part| IoSlice::new(of_record(part))).collect();
                self.tls.writer().write_vectored(&slices)?
            };
        }
        self.flush()?;
        // Encrypted, it is longer. So this never reports too much, and all of it when all is sent.
        let unsent = self.unreported.min(self.unsent.len());
        match mem::replace(&mut self.unreported, unsent) - unsent {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            written => Ok(written),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<bool> {
        if self.has_unsent() {
            let written = send(&self.socket, &self.unsent)?;
            self.unsent.drain(..written);
        }
        if self.has_unsent() {
            return Ok(false);
        }
        self.unsent = Vec::new(); // an idle connection holds nothing
        if self.tls.wants_write() {
            ENCRYPTED.with_borrow_mut(|encrypted| {
                encrypted.clear();
                while self.tls.wants_write() {
                    self.tls.write_tls(encrypted)?;
                }
                let written = send(&self.socket, encrypted)?;
                self.unsent.extend_from_slice(&encrypted[written..]);
                Ok::<_, io::Error>(())
            })?;
        }
        Ok(!self.has_unsent())
    }

    pub(super) fn commit(&mut self) -> usize {
        mem::take(&mut self.unreported)
    }

    pub(super) fn end_output(&mut self) {
        self.tls.send_close_notify();
    }
}

impl fmt::Debug for TlsSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSocket")
            .field("socket", &self.socket)
            .field("unsent", &self.unsent.len())
            .finish_non_exhaustive()
    }
}

/// What there was to take from a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Bytes(usize),
    Nothing,
    End,
}

/// The socket as rustls reads it, but no more than there is left to be read.
struct Source<'a> {
    socket: &'a Socket,
    left: usize,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left);
        if most == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = self.socket.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// Sends as much as the socket takes.
fn send(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(iter::once(bytes)) {
        Err(error) if is_transient(&error) => Ok(0),
        other => other,
    }
}

#[cfg(test)]
mod tests;
