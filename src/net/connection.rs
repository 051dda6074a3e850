//! The connection future: it alone reads a socket. It selects between the socket, its inbox and one timer; what it reads
//! goes to the broker, a batch of lines at a time; what comes out of the inbox it writes as soon as the socket takes it.

use std::{cell::RefCell, future::poll_fn, mem, rc::Rc, task::Poll, time::Duration};

use async_std::task;
use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedSender, select_biased, stream::FusedStream};
use smol_timeout::TimeoutExt;

use super::writer::Writer;
use crate::{
    Config,
    broker::{Bucket, Inbox, QueueItem, Request},
    chat::{ClientId, Departure, Line},
    protocol::{Framer, Telnet, parse_frame},
    reactor::{Clock, Socket, Timer, is_transient},
};

/// Bytes read at once. With `BATCH_LINES_MAX`, what bounds the turn of a client among others.
const READ_BYTES: usize = 16 << 10;
/// Lines handed to the broker at once. Even lines of one letter, which become much longer with their sender before
/// them, make a bounded turn.
const BATCH_LINES_MAX: usize = 256;
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
    config: Rc<Config>,
    clock: Clock,
    telnet: Telnet,
    framer: Framer,
    /// Read, and not yet made into lines: the broker is not ready for them. At most two reads.
    backlog: Vec<u8>,
    /// Why nothing more is read: the client has said that it will send no more, or the connection has ended.
    ended: Option<Departure>,
    /// The broker has all lines of the client, and knows that they were the last.
    is_done: bool,
    /// It has ended as it should: the broker knows.
    is_over: bool,
    /// The broker is through with the last batch.
    is_ready: bool,
    bucket: Bucket,
    /// No line is handed over before this.
    pause_until: Duration,
    /// Since when the client is silent: its last line, or the last time that the server kept it from being heard.
    idle_since: Duration,
    alarm: Timer,
    /// What was taken out of the inbox.
    writer: Writer,
}

/// What a connection wakes up for.
enum Woken {
    QueueItem(Option<QueueItem>),
    Readable,
    Broken,
    Writable(Option<()>),
    Alarm,
}

/// Why a connection ends.
enum End {
    /// The broker has hung up.
    HungUp,
    /// It breaks off; the broker does not know yet.
    Gone(Departure),
}

impl Connection {
    pub(super) fn new(
        client: ClientId,
        socket: Rc<Socket>,
        inbox: Inbox,
        broker: UnboundedSender<Request>,
        config: Rc<Config>,
        clock: Clock,
    ) -> Self {
        let now = clock.now();
        let writer = Writer::new(Rc::clone(&socket), inbox.waiting(), config.write_timeout);
        Self {
            client,
            socket,
            inbox,
            broker,
            clock,
            telnet: Telnet::default(),
            framer: Framer::new(config.line_max),
            backlog: Vec::new(),
            ended: None,
            is_done: false,
            is_over: false,
            is_ready: true,
            bucket: Bucket::new(config.rate),
            pause_until: Duration::ZERO,
            idle_since: now,
            alarm: Timer::new(clock),
            writer,
            config,
        }
    }

    /// Serves the client until one side hangs up.
    pub(super) async fn run(&mut self) {
        self.set_alarm();
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        match end {
            End::HungUp => self.close().await,
            End::Gone(departure) => self.request(Request::Gone(self.client, departure)),
        }
        self.is_over = true;
    }

    /// Waits for one thing, and does what follows from it.
    async fn step(&mut self) -> Result<(), End> {
        let woken = {
            let may_read = self.ended.is_none() && self.backlog.len() < READ_BYTES && !self.is_behind();
            let may_speak = self.may_speak();
            let is_broken = self.writer.is_broken();
            let (socket, mut blocked) = (&self.socket, self.writer.blocked());
            // Lines that have to wait do so in the socket, but the end of a connection is to be noticed all the same.
            let mut readable = poll_fn(|cx| match (may_read, may_speak) {
                (true, true) => socket.poll_readable(cx).map(|()| Woken::Readable),
                (true, false) => socket.poll_hang_up(cx).map(|()| Woken::Readable),
                (false, _) if is_broken => Poll::Pending,
                (false, _) => socket.poll_broken(cx).map(|()| Woken::Broken),
            })
            .fuse();
            let mut alarm = (&mut self.alarm).fuse();
            // Reading comes last: a flood must not silence the alarm.
            select_biased! {
                item = self.inbox.next() => Woken::QueueItem(item),
                ready = blocked => Woken::Writable(ready),
                () = alarm => Woken::Alarm,
                woken = readable => woken,
            }
        };
        match woken {
            Woken::QueueItem(Some(item)) => {
                self.take(item);
                while let Some(item) = self.inbox.try_next() {
                    self.take(item);
                }
                self.write();
                // The loop above may have met the end, after which `next` is silent.
                if self.inbox.is_terminated() {
                    return Err(End::HungUp);
                }
                if self.may_speak() && self.ended.is_none() && self.socket.is_readable() {
                    // Behind all who are ready by now: what the client says until then is in the next turn too.
                    task::yield_now().await;
                }
            }
            Woken::QueueItem(None) => return Err(End::HungUp),
            Woken::Readable => {
                self.read();
                if self.socket.is_readable() {
                    task::yield_now().await; // there is more, and others have a turn first
                }
            }
            Woken::Broken => self.abort(),
            Woken::Writable(Some(())) => self.write(),
            Woken::Writable(None) => {
                // The broker hangs up, with a last word for the client, should it read again.
                self.request(Request::Gone(self.client, Departure::WriteTimeout));
                self.ended = Some(Departure::WriteTimeout);
                self.is_done = true;
            }
            Woken::Alarm => {
                // What came while the server stood still is heard before silence is judged, even if no event has told of it yet:
                // a read for the bytes, and one for the end.
                for _ in 0..2 {
                    if self.may_speak() && self.ended.is_none() {
                        self.read();
                    }
                }
                self.on_alarm();
                task::yield_now().await; // for the next one may be due already
            }
        }
        self.speak();
        if self.ended == Some(Departure::Lost) && self.backlog.is_empty() {
            return Err(End::Gone(Departure::Lost)); // behind the last of its lines
        }
        Ok(())
    }

    /// Much waits for the client: it is not to ask for more.
    fn is_behind(&self) -> bool {
        self.writer.is_blocked() && self.inbox.queued() >= self.config.queue_max / 2
    }

    fn read(&mut self) {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let read = match self.socket.read(buffer) {
                Ok(read) => read,
                Err(error) if is_transient(&error) => return,
                Err(_) => {
                    self.ended = Some(Departure::Lost);
                    self.abort();
                    return;
                }
            };
            if read == 0 {
                // A write that failed may have taken the error away from the read.
                self.ended = Some(if self.writer.is_broken() { Departure::Lost } else { Departure::Left });
            }
            let text = self.telnet.strip(&mut buffer[..read]);
            let mut rest = &buffer[..text];
            if self.may_speak() && self.backlog.is_empty() {
                self.send_batch(&mut rest);
            }
            self.backlog.extend_from_slice(rest);
        });
    }

    /// The broker is ready for the next batch, and the client has not spoken too fast and reads what it is told.
    fn may_speak(&self) -> bool {
        self.is_ready && self.pause_until == Duration::ZERO && !self.is_behind()
    }

    /// Hands the broker what has been read and could not be handed over yet.
    fn speak(&mut self) {
        if self.is_done {
            return;
        }
        if self.may_speak() && !self.backlog.is_empty() {
            let backlog = mem::take(&mut self.backlog);
            let mut rest = &backlog[..];
            self.send_batch(&mut rest);
            self.backlog = rest.to_vec();
        }
        if self.ended == Some(Departure::Left) && self.backlog.is_empty() {
            if self.may_speak()
                && let Some(last) = self.framer.finish().map(|frame| parse_frame(&frame, self.config.line_max))
            {
                self.send_lines(vec![last]);
            }
            if !self.framer.is_within_line() {
                // Also while the broker is not ready: the answer to a wait can then be the last line.
                self.request(Request::Eof(self.client));
                self.is_done = true;
            }
        }
    }

    /// Sends the broker the next lines of `rest`, if there are any complete ones.
    fn send_batch(&mut self, rest: &mut &[u8]) {
        let mut lines = Vec::new();
        while lines.len() < BATCH_LINES_MAX
            && let Some(frame) = self.framer.next(rest)
        {
            let line = parse_frame(&frame, self.config.line_max);
            let ends_batch = line.as_ref().is_ok_and(|command| command.ends_batch());
            lines.push(line);
            if ends_batch {
                break;
            }
        }
        if !lines.is_empty() {
            self.send_lines(lines);
        }
    }

    fn send_lines(&mut self, lines: Vec<Line>) {
        let now = self.clock.now();
        self.idle_since = now;
        self.is_ready = false;
        let pause_until = self.bucket.take(lines.len(), now);
        if pause_until > now {
            self.pause_until = pause_until;
            self.set_alarm();
        }
        self.request(Request::Lines(self.client, lines));
    }

    fn request(&self, request: Request) {
        // Fails only when the broker is dead; then the inbox ends too.
        self.broker.unbounded_send(request).ok();
    }

    fn on_alarm(&mut self) {
        let now = self.clock.now();
        if self.pause_until > Duration::ZERO && self.pause_until <= now {
            self.pause_until = Duration::ZERO;
            self.idle_since = now; // it was not the client who was silent
        }
        if !self.may_speak() && (self.socket.is_readable() || !self.backlog.is_empty()) {
            self.idle_since = now; // nor is it while what it has said is not taken
        }
        if self.ended.is_none()
            && self.pause_until.is_zero()
            && !self.config.idle_timeout.is_zero()
            && now >= self.idle_since + self.config.idle_timeout
        {
            // The broker may know a reason to spare the client: a whole timeout again.
            self.idle_since = now;
            self.request(Request::Silent(self.client));
        }
        self.set_alarm();
    }

    /// Has the alarm go off in time for what comes first.
    fn set_alarm(&mut self) {
        let at = if !self.pause_until.is_zero() {
            self.pause_until // no silence of the client's
        } else if self.config.idle_timeout.is_zero() || self.ended.is_some() {
            Duration::MAX
        } else {
            self.idle_since + self.config.idle_timeout
        };
        self.alarm.set(at);
    }

    fn take(&mut self, item: QueueItem) {
        match item {
            QueueItem::Bytes(bytes) => self.writer.push(bytes),
            QueueItem::Ready => {
                self.is_ready = true;
                self.idle_since = self.idle_since.max(self.clock.now());
            }
        }
    }

    fn write(&mut self) {
        if self.writer.write().is_err() {
            self.abort();
        }
    }

    /// The peer hears nothing any more, but what it has said is to be heard: who only speaks, as in `echo hi > /dev/tcp/…`,
    /// breaks off by hanging up.
    fn abort(&mut self) {
        if !self.writer.is_broken() {
            self.writer.abort();
            self.request(Request::Broken(self.client));
        }
    }

    /// The staged end: what waits is written, the peer is told that it was all, and what it still sends is read and
    /// thrown away for a while. A close with unread input would reset the connection, and the peer lose the last lines.
    async fn close(&mut self) {
        if self.inbox.is_cut() {
            self.writer.keep_last_words();
        }
        if !matches!(self.writer.flush().timeout(LINGER).await, Some(Ok(()))) {
            return;
        }
        if self.socket.shutdown().is_ok() {
            let drained = async {
                while READ_BUFFER
                    .with_borrow_mut(|buffer| self.socket.read(buffer))
                    .map_or_else(|error| is_transient(&error), |read| read > 0)
                {
                    poll_fn(|cx| self.socket.poll_readable(cx)).await;
                    task::yield_now().await; // for the timeout's sake too
                }
            };
            // A peer that goes on sending is cut off all the same.
            drained.timeout(LINGER).await;
        }
    }
}

impl Drop for Connection {
    /// A connection future that panics is a connection that broke.
    fn drop(&mut self) {
        if !self.is_over {
            self.request(Request::Gone(self.client, Departure::Lost));
        }
    }
}
