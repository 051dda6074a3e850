//! The connection to the server, or the attempt to get one. Knows no messages and no terminal.

use std::{
    io::{self, PipeReader, Write},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
    thread::{self, JoinHandle},
    time::Instant,
};

use pipechat::protocol::Lang;
use rustix::event::PollFlags;

use super::{outbox::Outbox, rooms::Membership};
use crate::client::{
    Deadline, Failure, connection::Connection, endpoint::Endpoint, options::ConnectOptions, reader::Reader,
    token::Token,
};

/// Where to connect to, and the language to ask for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) lang: Option<Lang>,
    pub(super) token: Option<Token>,
}

impl Target {
    /// Connects, takes the name, and joins the rooms.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub(super) fn open(&self, name: Option<&str>, rooms: &Membership) -> Result<Connection, Failure> {
        let options = ConnectOptions::new(&self.endpoint, self.lang)
            .listening(name)
            .logging_in(self.token.as_ref())
            .joining(&rooms.joined, rooms.has_left_lobby)
            .asking_for_history(true);
        Connection::open(&options, Deadline::NEVER)
    }

    /// As `HOST:PORT`.
    pub(super) fn address(&self) -> String {
        self.endpoint.address()
    }
}

/// A connection, or what will be one.
pub(super) enum Link {
    Up(Up),
    /// There was one, or an attempt, and the next attempt is due then.
    Waiting(Instant),
    Connecting(Attempt),
}

/// A connection whose socket does not block.
pub(super) struct Up {
    pub(super) reader: Reader,
    stream: TcpStream,
    pub(super) since: Instant,
}

impl Up {
    pub(super) fn new(reader: Reader, stream: TcpStream, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { reader, stream, since: now })
    }

    /// Sends what the server takes at once.
    pub(super) fn flush(&mut self, outbox: &mut Outbox) {
        // If the connection is lost, reading tells why.
        outbox.flush(|bytes| self.stream.write(bytes)).ok();
    }
}

/// A thread that connects: nothing limits how long the lookup of a host takes.
pub(super) struct Attempt {
    thread: JoinHandle<Result<Connection, Failure>>,
    /// Its other end is closed when the thread has ended.
    done: PipeReader,
}

impl Attempt {
    pub(super) fn start(target: &Target, name: Option<String>, rooms: Membership) -> io::Result<Self> {
        let (done, until_done) = io::pipe()?;
        let target = target.clone();
        let connect = move || {
            let _until_done = until_done;
            target.open(name.as_deref(), &rooms)
        };
        Ok(Self { thread: thread::Builder::new().name("connect".to_owned()).spawn(connect)?, done })
    }

    /// What has come of it. To be called when [`Link::fd`] is readable.
    pub(super) fn finish(self) -> Result<Connection, Failure> {
        self.thread.join().unwrap_or_else(|_| Err(Failure::Lost("the attempt to connect has failed".to_owned())))
    }
}

impl Link {
    /// What to poll, and for what.
    pub(super) fn fd(&self, outbox: &Outbox) -> Option<(BorrowedFd<'_>, PollFlags)> {
        match self {
            Self::Up(up) if outbox.is_empty() => Some((up.stream.as_fd(), PollFlags::IN)),
            Self::Up(up) => Some((up.stream.as_fd(), PollFlags::IN | PollFlags::OUT)),
            Self::Connecting(attempt) => Some((attempt.done.as_fd(), PollFlags::IN)),
            Self::Waiting(_) => None,
        }
    }
}
