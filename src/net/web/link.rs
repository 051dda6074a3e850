//! A connection over which HTTP is spoken: parts of requests come, parts of answers go. Knows no rules.

use std::{future::poll_fn, pin::pin, rc::Rc, task::ready, time::Duration};

use async_std::task;
use futures::{
    FutureExt,
    future::{Either, pending, select},
    select_biased,
};
use smol_timeout::TimeoutExt;

use super::{
    Ended,
    user::{News, User},
};
use crate::{
    broker::{Level, QueueGauge, Queued, Registration, Request, Told},
    net::{
        beginning::Closing,
        connection::{
            READ_BUFFER, Shared,
            ending::{LINGER, drain},
        },
        read_scheduler::Reading,
        transport::{Received, Transport},
        writer::Writer,
    },
    protocol::http::{Item, Problem, Requests},
    reactor::Timer,
};

/// How long a connection may stay open without a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long the head of a request may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long nothing may come of a body whose length is known.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a request above which no more of it is read while memory is tight.
const SMALL_BYTES: usize = 4 << 10;

/// A connection over which HTTP is spoken.
pub(super) struct Link {
    pub(super) transport: Transport,
    pub(super) writer: Writer,
    /// Of what waits for this connection, and of what it holds.
    pub(super) gauge: Rc<QueueGauge>,
    pub(super) shared: Rc<Shared>,
    reading: Reading,
    requests: Requests,
    timer: Timer,
    closing: Closing,
    registration: Registration,
}

/// How long the next part of a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// A request may come, or none.
    Request,
    /// A body of known length goes on.
    Body,
    /// A body is sent as it is written, perhaps for days.
    Endless,
}

impl Link {
    pub(super) fn new(transport: Transport, gauge: Rc<QueueGauge>, closing: Closing, shared: &Rc<Shared>) -> Self {
        Self {
            transport,
            writer: Writer::new(Rc::clone(&gauge)),
            gauge,
            reading: Reading::new(),
            requests: Requests::new(shared.limits.borrow().line_max),
            timer: Timer::new(),
            closing,
            registration: Registration::default(),
            shared: Rc::clone(shared),
        }
    }

    /// Waits for the next part of a request. What is told to `user` meanwhile is thrown away: nobody has asked.
    pub(super) async fn next(&mut self, patience: Patience, mut user: Option<&mut User>) -> Result<Item, Ended> {
        let (mut since, mut head_since) = (self.shared.clock.now(), None);
        loop {
            if let Some(item) = self.try_next()? {
                return Ok(item);
            }
            self.charge(0);
            let is_within_head = self.requests.is_within_head();
            let deadline = match patience {
                Patience::Request if is_within_head => Some(*head_since.get_or_insert(since) + HEAD_TIMEOUT),
                Patience::Request => Some(since + KEEP_ALIVE),
                Patience::Body => Some(since + BODY_TIMEOUT),
                Patience::Endless => None,
            };
            if let Some(deadline) = deadline {
                self.timer.set(deadline, self.shared.clock);
            }
            let has_come = self.receive(deadline.is_some(), user.as_deref_mut()).await?;
            let now = self.shared.clock.now();
            if has_come {
                since = now;
            } else if deadline.is_some_and(|deadline| deadline <= now) {
                return Err(if is_within_head { Problem::TooSlow.into() } else { Ended::Gone });
            }
        }
    }

    /// The next part of a request, if it has come.
    pub(super) fn try_next(&mut self) -> Result<Option<Item>, Ended> {
        match self.requests.take()? {
            Item::Incomplete => Ok(None),
            item => Ok(Some(item)),
        }
    }

    /// Whether the last request has ended.
    pub(super) fn is_between(&self) -> bool {
        self.requests.is_between()
    }

    /// Whether the server shuts down, and nothing more may be asked over the connection.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.peek().is_some()
    }

    /// Reads what comes. Answers whether it has come before the timer went off, if that is set.
    async fn receive(&mut self, is_timed: bool, user: Option<&mut User>) -> Result<bool, Ended> {
        let is_late = {
            let Self { reading, transport, timer, shared, closing, gauge, requests, registration, .. } = self;
            // While memory is tight, no more is read from one who makes the server hold much.
            let is_held_back = shared.memory.level() >= Level::Tight && requests.held_bytes() > SMALL_BYTES;
            let mut readable = pin!(
                poll_fn(|cx| {
                    if is_held_back {
                        ready!(shared.memory.poll_relief(registration, cx));
                    }
                    reading.poll(transport, &shared.scheduler, cx)
                })
                .fuse()
            );
            let mut late = pin!(async { if is_timed { timer.await } else { pending().await } }.fuse());
            let mut unasked = pin!(discard_all(user, gauge).fuse());
            select_biased! {
                () = readable => false,
                () = late => true,
                _ = &mut *closing => return Err(Ended::Gone),
                () = unasked => return Ok(true), // the user is gone
            }
        };
        if is_late {
            return Ok(false);
        }
        let bytes_max = self.reading.bytes_max(&self.shared.scheduler, self.shared.memory.level() >= Level::Tight);
        READ_BUFFER.with_borrow_mut(|buffer| match self.transport.read(&mut buffer[..bytes_max]) {
            Ok(Received::Bytes { read, cost }) => {
                self.reading.has_read(cost, &self.shared.scheduler);
                self.requests.received(&buffer[..read]);
                Ok(())
            }
            Ok(Received::Nothing { cost }) => {
                self.reading.has_read(cost, &self.shared.scheduler);
                Ok(())
            }
            Ok(Received::End) | Err(_) => Err(Ended::Gone),
        })?;
        if self.transport.has_unsent() {
            Box::pin(self.flush()).await?; // what TLS has answered, which is seldom
        }
        if self.transport.is_readable() {
            task::yield_now().await; // there is more, and other tasks run first
        }
        Ok(true)
    }

    /// Counts what is held of requests, and so many bytes of theirs beside. If memory has run out, the broker is to see who has to
    /// go: it may have nothing else to do.
    pub(super) fn charge(&self, bytes: usize) {
        self.gauge.set_input(self.requests.held_bytes() + self.transport.held_bytes() + bytes);
        if self.shared.memory.level() == Level::Full {
            self.shared.broker.unbounded_send(Request::MakeRoom).ok(); // fails only when the broker is dead
        }
    }

    /// Queues bytes that the connection itself has made.
    pub(super) fn push(&mut self, bytes: impl Into<Vec<u8>>) {
        let item = self.own(bytes);
        self.writer.push(item);
    }

    /// Counts bytes that the connection itself has made, and that are not empty.
    pub(super) fn own(&self, bytes: impl Into<Vec<u8>>) -> Queued {
        let bytes = self.shared.memory.share(bytes.into());
        self.gauge.queue(bytes.len(), true);
        Queued { bytes, told: Told::Answer }
    }

    /// Throws away bytes that a user was told.
    pub(super) fn discard(&self, item: &Queued) {
        self.gauge.discard(item);
    }

    /// Writes all that is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        let timeout = self.shared.limits.borrow().write_timeout;
        let is_written = self.writer.write_all(&mut self.transport, timeout, self.shared.clock).await;
        if is_written { Ok(()) } else { Err(Ended::Gone) }
    }

    /// Waits until the client is gone, or the timer goes off at this time or before.
    pub(super) async fn is_gone_before(&mut self, at: Duration) -> bool {
        self.timer.set(at, self.shared.clock);
        let socket = self.transport.socket();
        let gone = poll_fn(|cx| socket.poll_hang_up(cx));
        matches!(select(pin!(gone), &mut self.timer).await, Either::Left(_))
    }

    /// Ends the connection: writes what is queued, says that this is all, and for a while throws away what the peer still sends. A
    /// close with unread input would reset the connection, and the peer could lose the answer.
    pub(super) async fn close(&mut self) {
        let mut is_written = self.flush().await.is_ok();
        if is_written && self.transport.end_output() {
            is_written = self.flush().await.is_ok();
        }
        if is_written && self.transport.socket().shutdown().is_ok() {
            drain(self.transport.socket()).timeout(LINGER).await;
        }
    }

    /// Does `work`, unless the connection fails before.
    pub(super) async fn unless_broken<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        let socket = self.transport.socket();
        match select(pin!(work), pin!(poll_fn(|cx| socket.poll_broken(cx)))).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(((), _)) => Err(Ended::Gone),
        }
    }

    /// The same, unless the client sends no more before.
    pub(super) async fn unless_gone<T>(&self, work: impl Future<Output = T>) -> Result<T, Ended> {
        let socket = self.transport.socket();
        let work = self.unless_broken(work);
        match select(pin!(work), pin!(poll_fn(|cx| socket.poll_hang_up(cx)))).await {
            Either::Left((done, _)) => done,
            Either::Right(((), _)) => Err(Ended::Gone),
        }
    }
}

/// Throws away what the user is told, until it is gone.
async fn discard_all(user: Option<&mut User>, gauge: &QueueGauge) {
    let Some(user) = user.filter(|user| !user.is_gone()) else { return pending().await };
    loop {
        match user.next().await {
            News::Bytes(item) => gauge.discard(&item),
            News::Done(_) => {}
            News::End(_) => return,
        }
    }
}
