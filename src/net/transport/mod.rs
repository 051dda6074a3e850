//! What a connection reads and writes: a socket as it is, or through TLS. Knows bytes only.
//!
//! To a plain socket the broker writes too, while nothing waits for its client (see [`crate::broker::Outbox`]). The state of TLS
//! is the connection's alone: the broker's end only queues.

mod config;
mod handshakes;
mod tls;

use std::{
    io,
    rc::Rc,
    task::{Context, Poll},
};

pub(super) use self::{
    config::server_config,
    handshakes::{Handshakes, handshakes},
    tls::TlsSocket,
};
use crate::reactor::{Socket, is_transient};

/// What a connection reads and writes.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(Rc<Socket>),
    Tls(Box<TlsSocket>),
}

/// What a read has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// So many bytes, which cost as much to read as so many plain ones.
    Bytes { read: usize, cost: usize },
    /// No byte for the session, which may have cost as much.
    Nothing { cost: usize },
    /// The end of input.
    End,
}

impl Transport {
    /// The socket, to wait for.
    pub(super) fn socket(&self) -> &Rc<Socket> {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.socket(),
        }
    }

    /// The socket, if others may write to it too.
    pub(super) fn plain(&self) -> Option<Rc<Socket>> {
        match self {
            Self::Plain(socket) => Some(Rc::clone(socket)),
            Self::Tls(_) => None,
        }
    }

    /// Whether there is something to read, as far as is known since the last poll.
    pub(super) fn is_readable(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_readable(),
            Self::Tls(tls) => tls.has_text() || tls.socket().is_readable(),
        }
    }

    /// Waits until there is something to read.
    pub(super) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        match self {
            Self::Plain(socket) => socket.poll_readable(cx),
            Self::Tls(tls) if tls.has_text() => Poll::Ready(()),
            Self::Tls(tls) => tls.socket().poll_readable(cx),
        }
    }

    /// Reads what is there, up to the buffer's size.
    ///
    /// # Errors
    /// When the connection has failed.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        match self {
            Self::Plain(socket) => match socket.read(buffer) {
                Ok(0) => Ok(Received::End),
                Ok(read) => Ok(Received::Bytes { read, cost: read }),
                Err(error) if is_transient(&error) => Ok(Received::Nothing { cost: 0 }),
                Err(error) => Err(error),
            },
            Self::Tls(tls) => tls.read(buffer),
        }
    }

    /// Writes as much of `parts`, in order, as there is room for. What was not written is to come first in the next call,
    /// unless [`Self::commit`] was called.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; `Interrupted`; any other when the connection has failed.
    pub(super) fn write<'a>(&mut self, parts: impl ExactSizeIterator<Item = &'a [u8]>) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(parts),
            Self::Tls(tls) => tls.write(parts),
        }
    }

    /// Writes what is encrypted already. Answers whether that is all.
    ///
    /// # Errors
    /// When the connection has failed.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(true),
            Self::Tls(tls) => tls.flush(),
        }
    }

    /// So many bytes of what was to be written are encrypted, and will be sent whatever is written next.
    pub(super) fn commit(&mut self) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(tls) => tls.commit(),
        }
    }

    /// Something that was encrypted waits for the socket.
    pub(super) fn has_unsent(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => tls.has_unsent(),
        }
    }

    /// Bytes that encryption takes.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(tls) => tls.held_bytes(),
        }
    }

    /// All is written: queues what tells the peer so, if there is such a thing. Answers whether there is.
    pub(super) fn end_output(&mut self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(tls) => {
                tls.end_output();
                true
            }
        }
    }
}
