//! The connection future: it alone reads a socket. It waits for the socket, its inbox and one timer; hands bytes to the
//! session, the session's batches to the broker, and the inbox's bytes to the socket. Knows no rules and no protocol.

mod ending;

use std::{cell::RefCell, future::poll_fn, mem, rc::Rc, sync::Arc, task::Poll};

use async_std::task;
use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedSender, select_biased, stream::FusedStream};

use super::{door::Place, losses::Losses, writer::Writer};
use crate::{
    broker::{BrokenBacklog, Inbox, Level, Memory, QueueGauge, QueueItem, Registration, Request},
    chat::ClientId,
    protocol::{Batch, Interest, Limits, Session, Step},
    reactor::{Clock, Socket, Timer, is_transient},
};

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;
/// Reads of what a broken connection has sent: 64 KiB.
const LAST_READS: usize = 4;
/// Bytes that a client may hold of its own and still be read while memory is tight.
const SMALL_BYTES: usize = 4 << 10;
/// Bytes that wait for a client alone, from which on it is not to ask for more.
const CONGESTED_BYTES: usize = 256 << 10;

thread_local! {
    /// One read buffer for all connections of a thread, since reading never waits: an idle connection has none.
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// What all connections of a server have in common.
pub(super) struct Shared {
    pub(super) broker: UnboundedSender<Request>,
    pub(super) clock: Clock,
    pub(super) limits: Arc<Limits>,
    pub(super) losses: Rc<Losses>,
    pub(super) memory: Arc<Memory>,
    pub(super) backlog: Rc<BrokenBacklog>,
}

/// A client's connection.
pub(super) struct Connection {
    client: ClientId,
    socket: Rc<Socket>,
    inbox: Inbox,
    shared: Rc<Shared>,
    session: Session,
    timer: Timer,
    writer: Writer,
    gauge: Rc<QueueGauge>,
    stage: Stage,
    registration: Registration,
    /// Lines of the broken connection for which there was no room.
    dropped: usize,
    /// Stands last, since fields are dropped in order: the place is free when the socket is closed.
    place: Place,
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
    Relief,
    Readable,
    Broken,
}

impl Connection {
    pub(super) fn new(
        client: ClientId,
        socket: Rc<Socket>,
        inbox: Inbox,
        session: Session,
        place: Place,
        shared: &Rc<Shared>,
    ) -> Self {
        let gauge = inbox.gauge();
        Self {
            client,
            session,
            timer: Timer::new(shared.clock),
            writer: Writer::new(Rc::clone(&socket), Rc::clone(&gauge)),
            gauge,
            inbox,
            socket,
            stage: Stage::Open,
            registration: Registration::default(),
            dropped: 0,
            place,
            shared: Rc::clone(shared),
        }
    }

    /// Serves the client until one side hangs up. When this is over, the socket is the connection's alone.
    pub(super) async fn run(&mut self) {
        loop {
            let now = self.shared.clock.now();
            // A client that holds little is not the one to wait for memory.
            let own_bytes = self.inbox.private() + self.session.held_bytes();
            let is_tight = own_bytes > SMALL_BYTES && self.shared.memory.level() >= Level::Tight;
            let is_behind = self.writer.is_blocked() && self.inbox.private() >= CONGESTED_BYTES;
            self.session.set_congested(is_tight || is_behind, now);
            while let Some(batch) = self.session.poll_batch(now) {
                self.send(batch);
            }
            self.gauge.set_input(self.session.held_bytes());
            if self.session.is_over() {
                self.stage = Stage::Gone;
            }
            if self.stage != Stage::Open {
                break;
            }
            if let Some(deadline) = self.session.deadline() {
                self.timer.set(deadline);
            }
            let wake = self.wait(is_tight).await;
            self.wake(wake).await;
        }
        // It may take seconds to end, and holds none of the client's input meanwhile.
        self.session.discard_input();
        self.gauge.set_input(0);
        match self.stage {
            Stage::HungUp => self.close().await,
            Stage::Gone | Stage::Open => self.await_hang_up().await,
        }
        debug_assert_eq!(Rc::strong_count(&self.socket), 2, "its own share and its writer's");
    }

    async fn wait(&mut self, is_tight: bool) -> Wake {
        let (memory, registration) = (&self.shared.memory, &self.registration);
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
        let mut relief =
            poll_fn(|cx| if is_tight { memory.poll_relief(registration, cx) } else { Poll::Pending }).fuse();
        // Reading comes last: a flood must not silence the timer.
        select_biased! {
            item = self.inbox.next() => Wake::Item(item),
            () = writable => Wake::Writable,
            () = timer => Wake::Timer,
            () = relief => Wake::Relief,
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
                if self.session.interest() == Interest::Read && self.socket.is_readable() {
                    task::yield_now().await; // there is more, and others have a turn first
                }
            }
            Wake::Broken => self.abort(),
            Wake::Relief => {}
            Wake::Timer => {
                // What came and went while the process stood still counts before time does, even if no event has told of it
                // yet: a read for the bytes, and one for the end.
                for _ in 0..2 {
                    if self.session.interest() == Interest::Read {
                        self.read();
                    }
                }
                self.write();
                self.session.timeout(self.shared.clock.now());
                task::yield_now().await; // for the next deadline may have passed already
            }
        }
    }

    fn take(&mut self, item: QueueItem) {
        match item {
            QueueItem::Bytes(bytes) => self.writer.push(bytes),
            QueueItem::Credit(not_before) => self.session.credited(not_before, self.shared.clock.now()),
        }
    }

    fn read(&mut self) {
        let (now, mut is_broken) = (self.shared.clock.now(), false);
        READ_BUFFER.with_borrow_mut(|buffer| match self.socket.read(buffer) {
            Ok(0) => self.session.eof(now),
            Ok(read) => self.session.received(&mut buffer[..read], now),
            Err(error) if is_transient(&error) => {}
            Err(_) => is_broken = true,
        });
        if is_broken {
            self.abort();
        }
    }

    fn write(&mut self) {
        match self.writer.write() {
            Ok(written) => {
                self.session.written(written, self.writer.is_blocked(), self.shared.clock.now());
                if self.gauge.take_relief() {
                    self.shared.broker.unbounded_send(Request::Relieved(self.client)).ok();
                }
            }
            Err(_) => self.abort(),
        }
    }

    /// The peer can be told nothing any more, but what it has sent counts: one that only speaks, as in
    /// `echo hi > /dev/tcp/…`, closes without reading, which resets the connection. What has come is read once.
    fn abort(&mut self) {
        self.writer.abort();
        let now = self.shared.clock.now();
        READ_BUFFER.with_borrow_mut(|buffer| {
            for _ in 0..LAST_READS {
                match self.socket.read(buffer) {
                    Ok(read) if read > 0 => self.session.received(&mut buffer[..read], now),
                    Ok(_) | Err(_) => break,
                }
            }
        });
        self.dropped += self.session.reset(self.shared.backlog.room(), now);
    }

    fn send(&mut self, batch: Batch) {
        let request = if batch.steps.contains(&Step::Broken) {
            let taken = self.shared.backlog.take(batch.lines, batch.bytes(), mem::take(&mut self.dropped));
            Request::Broken(self.client, batch, taken)
        } else {
            Request::Batch(self.client, batch)
        };
        // Fails only when the broker is dead; then the inbox ends too.
        self.shared.broker.unbounded_send(request).ok();
    }
}
