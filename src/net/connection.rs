//! The connection future: it alone reads a socket. It waits for the socket, its inbox and one timer; hands bytes to the
//! session, the session's batches to the broker, and the inbox's bytes to the socket. Knows no rules and no protocol.

pub(super) mod ending;
mod intake;
mod introduction;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::Poll,
};

use async_std::task;
use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedSender, ready, select_biased, stream::FusedStream};

use self::introduction::Client;
use super::{
    admission::Place,
    losses::Losses,
    read_scheduler::{READ_BYTES, ReadScheduler, Reading},
    transport::{Handshakes, Received, Transport},
    writer::Writer,
};
use crate::{
    address::Cidr,
    broker::{BrokenBacklog, Departed, Inbox, Level, Memory, Metrics, Outbox, QueueItem, Registration, Request},
    chat::ClientId,
    origin::Origin,
    protocol::{Intake, Interest, Limits, Session},
    reactor::{Clock, Timer},
};

thread_local! {
    /// One read buffer for all connections of a thread, since reading never waits: an idle connection has none.
    pub(super) static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// What all connections of a server have in common.
pub(super) struct Shared {
    pub(super) broker: UnboundedSender<Request>,
    pub(super) clock: Clock,
    /// Addresses that are spared the limits for one address.
    pub(super) trusted: RefCell<Vec<Cidr>>,
    /// What holds for new connections.
    pub(super) limits: RefCell<Arc<Limits>>,
    pub(super) losses: Rc<Losses>,
    pub(super) memory: Arc<Memory>,
    pub(super) metrics: Rc<Metrics>,
    pub(super) backlog: Rc<BrokenBacklog>,
    pub(super) departed: Rc<Departed>,
    pub(super) scheduler: ReadScheduler,
    pub(super) handshakes: Handshakes,
    /// The id of the next client, or of the next handshake.
    pub(super) next_client: Cell<ClientId>,
}

impl Shared {
    /// An id that nobody has had.
    pub(super) fn next_id(&self) -> ClientId {
        let id = self.next_client.get();
        self.next_client.set(ClientId(id.0 + 1));
        id
    }
}

/// A client's connection.
pub(super) struct Connection {
    client: Client,
    transport: Transport,
    inbox: Inbox,
    shared: Rc<Shared>,
    session: Session,
    timer: Timer,
    writer: Writer,
    stage: Stage,
    reading: Reading,
    registration: Registration,
    /// Lines that were dropped when the connection broke, since the backlog had no room: for the log.
    dropped: u32,
    /// The last field, since fields are dropped in order: the place must not be free before the socket is closed.
    place: Place,
}

/// Whether the connection has ended, and by whom.
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
        origin: Origin,
        outbox: Outbox,
        transport: Transport,
        inbox: Inbox,
        session: Session,
        place: Place,
        shared: &Rc<Shared>,
    ) -> Self {
        let client = Client::Unknown(Box::new((origin, outbox)));
        let writer = Writer::new(Rc::clone(inbox.gauge()));
        Self::of(client, transport, inbox, writer, session, place, shared)
    }

    /// A connection of a client that the broker knows already, which only listens from now on.
    pub(super) fn listening(
        client: ClientId,
        transport: Transport,
        inbox: Inbox,
        writer: Writer,
        session: Session,
        place: Place,
        shared: &Rc<Shared>,
    ) -> Self {
        Self::of(Client::Known(client), transport, inbox, writer, session, place, shared)
    }

    fn of(
        client: Client,
        transport: Transport,
        inbox: Inbox,
        writer: Writer,
        session: Session,
        place: Place,
        shared: &Rc<Shared>,
    ) -> Self {
        Self {
            client,
            session,
            timer: Timer::new(),
            writer,
            inbox,
            transport,
            stage: Stage::Open,
            reading: Reading::new(),
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
            let is_tight = self.shared.memory.level() >= Level::Tight;
            let intake = self.intake(is_tight);
            self.session.set_intake(intake, now);
            while let Some(batch) = self.session.poll_batch(now) {
                self.send(batch);
            }
            self.inbox.gauge().set_input(self.session.held_bytes() + self.transport.held_bytes());
            if self.session.is_over() {
                self.stage = Stage::Gone;
            }
            if self.stage != Stage::Open {
                break;
            }
            if let Some(deadline) = self.session.deadline() {
                self.timer.set(deadline, self.shared.clock);
            }
            let wake = self.wait(is_tight && intake != Intake::All).await;
            self.wake(wake).await;
        }
        // It may take seconds to end, and holds none of the client's input meanwhile.
        self.session.discard_input();
        self.inbox.gauge().set_input(self.transport.held_bytes());
        match self.stage {
            // Boxed: an open connection has no room for what only its end needs.
            Stage::HungUp => Box::pin(self.close()).await,
            Stage::Gone | Stage::Open => {
                if let Client::Unknown(unknown) = &self.client {
                    log::debug!("{} left before it was announced", unknown.0.addr);
                    self.client = Client::Abandoned; // and with that its outbox is gone
                }
                self.await_hang_up().await;
            }
        }
        debug_assert_eq!(Rc::strong_count(self.transport.socket()), 1, "its own share");
    }

    async fn wait(&mut self, wants_relief: bool) -> Wake {
        let (memory, registration) = (&self.shared.memory, &self.registration);
        let (transport, interest, is_blocked) = (&self.transport, self.session.interest(), self.writer.is_blocked());
        let mut writable =
            poll_fn(|cx| if is_blocked { transport.socket().poll_writable(cx) } else { Poll::Pending }).fuse();
        let (reading, scheduler) = (&mut self.reading, &self.shared.scheduler);
        let mut readable = poll_fn(|cx| match interest {
            Interest::Nothing => Poll::Pending,
            Interest::Read | Interest::HangUp | Interest::Broken if transport.socket().poll_broken(cx).is_ready() => {
                reading.poll_last(scheduler, cx).map(|()| Wake::Broken)
            }
            Interest::Read => reading.poll(transport, scheduler, cx).map(|()| Wake::Readable),
            Interest::HangUp => {
                ready!(transport.socket().poll_hang_up(cx));
                reading.poll_last(scheduler, cx).map(|()| Wake::Readable)
            }
            Interest::Broken => Poll::Pending,
        })
        .fuse();
        let mut timer = (&mut self.timer).fuse();
        let mut relief =
            poll_fn(|cx| if wants_relief { memory.poll_relief(registration, cx) } else { Poll::Pending }).fuse();
        // Reading comes last: a flood of input must not keep the timer from firing.
        select_biased! {
            item = self.inbox.next() => Wake::Item(item),
            () = writable => Wake::Writable,
            () = timer => Wake::Timer,
            () = relief => Wake::Relief,
            wake = readable => wake,
        }
    }

    async fn wake(&mut self, wake: Wake) {
        self.session.set_busy(!self.shared.scheduler.is_open());
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
                    self.stage = Stage::HungUp; // the loop above has found the end, and `next` does not return it again
                } else if self.session.interest() == Interest::Read && self.transport.is_readable() {
                    // Every task that is ready by now runs first: what the client sends meanwhile joins the next batch.
                    task::yield_now().await;
                }
            }
            Wake::Writable => {
                self.write();
                task::yield_now().await; // it may take more, and others have a turn first
            }
            Wake::Readable => {
                self.read();
                if self.transport.socket().has_hung_up() {
                    self.read(); // so that the end of input is in the same batch as the last lines
                }
                if self.transport.is_readable() {
                    task::yield_now().await; // there is more, and other tasks run first
                }
            }
            Wake::Broken => self.abort(),
            Wake::Relief => {}
            Wake::Timer => {
                // If the process was suspended, what came meanwhile counts before the timeout, even if no event has told of it
                // yet: one read for the bytes, and one for the end of input.
                for _ in 0..2 {
                    if self.session.interest() == Interest::Read {
                        self.read();
                    }
                }
                self.write();
                self.session.timeout(self.shared.clock.now());
                task::yield_now().await; // the next deadline may have passed already
            }
        }
    }

    fn take(&mut self, item: QueueItem) {
        match item {
            QueueItem::Bytes(bytes) => self.writer.push(bytes),
            QueueItem::Credit(credit) => self.session.credited(credit.not_before, self.shared.clock.now()),
            QueueItem::End(_) => {} // it has been told why
        }
    }

    fn read(&mut self) {
        let (now, mut is_broken) = (self.shared.clock.now(), false);
        let bytes_max = self.reading.bytes_max(&self.shared.scheduler, self.shared.memory.level() >= Level::Tight);
        READ_BUFFER.with_borrow_mut(|buffer| match self.transport.read(&mut buffer[..bytes_max]) {
            Ok(Received::End) => self.session.eof(now),
            Ok(Received::Bytes { read, cost }) => {
                self.reading.has_read(cost, &self.shared.scheduler);
                self.session.received(&mut buffer[..read], now);
            }
            Ok(Received::Nothing { cost: 0 }) => {}
            Ok(Received::Nothing { cost }) => self.reading.has_read(cost, &self.shared.scheduler),
            Err(_) => is_broken = true,
        });
        if is_broken {
            self.abort();
        } else if self.transport.has_unsent() && !self.writer.is_blocked() {
            self.write(); // what TLS has answered
        }
    }

    fn write(&mut self) {
        // An error means that the connection is broken, which the poller reports too: then its last input is read.
        let written = self.writer.write(&mut self.transport, self.shared.clock).unwrap_or(0);
        self.session.written(written, self.writer.is_blocked(), self.shared.clock.now());
        if self.inbox.gauge().take_relief()
            && let Some(client) = self.client.id()
        {
            self.shared.broker.unbounded_send(Request::Relieved(client)).ok();
        }
    }
}
