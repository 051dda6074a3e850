//! The connection future: it alone reads a socket. It waits for the socket, its inbox and one timer; hands bytes to the
//! session, the session's batches to the broker, and the inbox's bytes to the socket. Knows no rules and no protocol.

use std::{cell::RefCell, future::poll_fn, io, rc::Rc, task::Poll, time::Duration};

use async_std::task;
use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedSender, select_biased, stream::FusedStream};
use smol_timeout::TimeoutExt;

use super::writer::Writer;
use crate::{
    broker::{Inbox, QueueItem, Request},
    chat::{ClientId, Departure},
    protocol::{Batch, Interest, Session, Step},
    reactor::{Clock, Socket, Timer, is_transient},
};

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;
/// How long the last bytes may take, and then how long the peer may take to close.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// One read buffer for all connections of a thread, since reading never waits: an idle connection has none.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A client's connection.
pub(super) struct Connection {
    client: ClientId,
    socket: Rc<Socket>,
    inbox: Inbox,
    broker: UnboundedSender<Request>,
    session: Session,
    clock: Clock,
    timer: Timer,
    writer: Writer,
    /// Bytes waiting for the client, from which on it is not to ask for more.
    congested_from: usize,
    stage: Stage,
}

/// Who has ended the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The broker has hung up: what is queued is still to be sent.
    HungUp,
    /// The peer is gone, and the broker knows.
    Gone,
}

/// What a connection wakes up for.
enum Wake {
    Item(Option<QueueItem>),
    Writable,
    Timer,
    Readable,
    Broken,
}

impl Connection {
    pub(super) fn new(
        client: ClientId,
        socket: Rc<Socket>,
        inbox: Inbox,
        broker: UnboundedSender<Request>,
        session: Session,
        clock: Clock,
        congested_from: usize,
    ) -> Self {
        let writer = Writer::new(Rc::clone(&socket), inbox.gauge());
        let timer = Timer::new(clock);
        Self { client, socket, inbox, broker, session, clock, timer, writer, congested_from, stage: Stage::Open }
    }

    /// Serves the client until one side hangs up.
    pub(super) async fn run(&mut self) {
        loop {
            let now = self.clock.now();
            self.session.set_congested(self.writer.is_blocked() && self.inbox.queued() >= self.congested_from, now);
            while let Some(batch) = self.session.poll_batch(now) {
                self.send(batch);
            }
            if self.session.is_over() {
                self.stage = Stage::Gone;
            }
            if self.stage != Stage::Open {
                break;
            }
            if let Some(deadline) = self.session.deadline() {
                self.timer.set(deadline);
            }
            let wake = self.wait().await;
            self.wake(wake).await;
        }
        if self.stage == Stage::HungUp {
            self.close().await;
        }
    }

    async fn wait(&mut self) -> Wake {
        let (socket, interest, is_blocked) = (&self.socket, self.session.interest(), self.writer.is_blocked());
        let mut writable = poll_fn(|cx| if is_blocked { socket.poll_writable(cx) } else { Poll::Pending }).fuse();
        let mut readable = poll_fn(|cx| match interest {
            Interest::Read => socket.poll_readable(cx).map(|()| Wake::Readable),
            Interest::HangUp => socket.poll_hang_up(cx).map(|()| Wake::Readable),
            Interest::Broken => socket.poll_broken(cx).map(|()| Wake::Broken),
            Interest::Nothing => Poll::Pending,
        })
        .fuse();
        let mut timer = (&mut self.timer).fuse();
        // Reading comes last: a flood must not silence the timer.
        select_biased! {
            item = self.inbox.next() => Wake::Item(item),
            () = writable => Wake::Writable,
            () = timer => Wake::Timer,
            wake = readable => wake,
        }
    }

    async fn wake(&mut self, wake: Wake) {
        match wake {
            Wake::Item(None) => self.stage = Stage::HungUp,
            Wake::Item(Some(item)) => {
                self.take(item);
                while let Some(item) = self.inbox.try_next() {
                    self.take(item);
                }
                if !self.writer.is_blocked() {
                    self.write();
                }
                if self.inbox.is_terminated() {
                    self.stage = Stage::HungUp; // the loop above has met the end, after which `next` is silent
                } else if self.session.interest() == Interest::Read && self.socket.is_readable() {
                    // Behind all who are ready by now: what the client says until then is in the next turn too.
                    task::yield_now().await;
                }
            }
            Wake::Writable => self.write(),
            Wake::Readable => {
                self.read();
                if self.socket.is_readable() {
                    task::yield_now().await; // there is more, and others have a turn first
                }
            }
            Wake::Broken => self.abort(),
            Wake::Timer => {
                // What came and went while the process stood still counts before time does, even if no event has told of it
                // yet: a read for the bytes, and one for the end.
                for _ in 0..2 {
                    if self.session.interest() == Interest::Read {
                        self.read();
                    }
                }
                self.write();
                self.session.timeout(self.clock.now());
                task::yield_now().await; // for the next deadline may have passed already
            }
        }
    }

    fn take(&mut self, item: QueueItem) {
        match item {
            QueueItem::Bytes(bytes) => self.writer.push(bytes),
            QueueItem::Credit(not_before) => self.session.credited(not_before, self.clock.now()),
        }
    }

    fn read(&mut self) {
        let now = self.clock.now();
        READ_BUFFER.with_borrow_mut(|buffer| match self.socket.read(buffer) {
            Ok(0) => self.session.eof(now),
            Ok(read) => self.session.received(&mut buffer[..read], now),
            Err(error) if is_transient(&error) => {}
            Err(_) => {
                self.abort();
                self.session.eof(now);
            }
        });
    }

    fn write(&mut self) {
        match self.writer.write() {
            Ok(written) => self.session.written(written, self.writer.is_blocked(), self.clock.now()),
            Err(_) => self.abort(),
        }
    }

    /// The peer can be told nothing any more, but what it has sent counts: one that only speaks, as in
    /// `echo hi > /dev/tcp/…`, closes without reading, which resets the connection.
    fn abort(&mut self) {
        self.writer.abort();
        self.session.reset();
    }

    fn send(&self, batch: Batch) {
        // Fails only when the broker is dead; then the inbox ends too.
        self.broker.unbounded_send(Request::Batch(self.client, batch)).ok();
    }

    /// The staged end: what waits is written, the peer is told that it was all, and what it still sends is read and
    /// thrown away for a while. A close with unread input would reset the connection, and the peer lose the last lines.
    async fn close(&mut self) {
        if self.inbox.is_cut() {
            self.writer.keep_last_item();
        }
        if !matches!(self.writer.flush().timeout(LINGER).await, Some(Ok(()))) {
            return;
        }
        if self.socket.shutdown().is_ok() {
            // A peer that goes on sending is cut off all the same.
            self.drain().timeout(LINGER).await;
        }
    }

    async fn drain(&self) {
        while READ_BUFFER.with_borrow_mut(|buffer| is_more(self.socket.read(buffer))) {
            poll_fn(|cx| self.socket.poll_readable(cx)).await;
            task::yield_now().await; // for the timeout's sake too
        }
    }
}

fn is_more(read: io::Result<usize>) -> bool {
    read.map_or_else(|error| is_transient(&error), |read| read > 0)
}

impl Drop for Connection {
    /// A connection future that panics is a connection that broke.
    fn drop(&mut self) {
        if self.stage == Stage::Open {
            self.send(Batch { steps: vec![Step::Close(Departure::Lost)], lines: 0 });
        }
    }
}
