//! A connection as `net` makes it: the same few calls on the real [`Session`] in the same order, on a socket made of two
//! queues. Each [`Connection::wake`] is one time around its loop.

use std::{
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures::stream::FusedStream;
use pipechat::{
    broker::{Credit, Departed, Inbox, Level, Memory, QueueGauge, QueueItem, Queued},
    chat::ClientId,
    protocol::{Batch, Dialect, Intake, Interest, Limits, Session},
};

/// How long the last bytes may take.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes that wait for a client alone, from which on it is not to ask for more.
const CONGESTED_BYTES: usize = 1 << 10;
/// The most that is read of what a broken connection has sent: more than any client has under way.
const LAST_READ_BYTES: usize = 64 << 10;

/// A socket, as the two kernels hold its bytes. It tells of nothing: the connection looks.
pub(crate) struct Socket {
    /// Sent by the peer, and not read.
    pub(crate) incoming: VecDeque<u8>,
    /// The peer sends no more than `incoming`.
    pub(crate) is_ended: bool,
    /// The peer takes nothing any more either.
    pub(crate) is_reset: bool,
    /// Written, and not read by the peer.
    pub(crate) outgoing: VecDeque<u8>,
    /// How many bytes `outgoing` may hold.
    pub(crate) outgoing_max: usize,
}

struct WouldBlock;
struct Reset;

impl Socket {
    fn is_readable(&self) -> bool {
        !self.incoming.is_empty() || self.has_end()
    }

    fn has_end(&self) -> bool {
        self.is_ended || self.is_reset
    }

    fn is_writable(&self) -> bool {
        self.is_reset || self.outgoing.len() < self.outgoing_max
    }

    /// Reads up to so many bytes; none at the end.
    fn read(&mut self, max: usize) -> Result<Result<Vec<u8>, WouldBlock>, Reset> {
        if !self.incoming.is_empty() {
            let bytes = max.min(self.incoming.len());
            Ok(Ok(self.incoming.drain(..bytes).collect()))
        } else if self.is_reset {
            Err(Reset)
        } else if self.is_ended {
            Ok(Ok(Vec::new()))
        } else {
            Ok(Err(WouldBlock))
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Reset> {
        if self.is_reset {
            return Err(Reset);
        }
        let taken = bytes.len().min(self.outgoing_max - self.outgoing.len());
        self.outgoing.extend(&bytes[..taken]);
        Ok(taken)
    }
}

/// What a connection was seen to do.
pub(crate) enum Seen {
    /// It has a batch for the broker.
    Batch(Batch),
    /// It has got the credit for another.
    Credit(Duration),
    /// The broker wanted to know that little waits for it alone.
    Relieved,
    /// It has tried to write: so much was taken, and more waits or not.
    Wrote(usize, bool),
    /// It has found its peer gone.
    Aborted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Open,
    /// The broker has hung up; what is queued may be written until then.
    HungUp(Duration),
    /// It is over; all was written, or not.
    Closed {
        is_complete: bool,
    },
}

pub(crate) struct Connection {
    pub(crate) socket: Socket,
    session: Session,
    inbox: Inbox,
    gauge: Rc<QueueGauge>,
    memory: Arc<Memory>,
    items: VecDeque<Queued>,
    input: usize,
    is_blocked: bool,
    is_broken: bool,
    /// How much of what the client sends is taken.
    pub(crate) intake: Intake,
    /// Not all that was queued was to be written.
    pub(crate) is_cut: bool,
    pub(crate) stage: Stage,
    /// Bytes read at once.
    pub(crate) read_max: usize,
}

impl Connection {
    /// A connection that is new, and announced or told to be a visitor's.
    pub(crate) fn new(limits: &Arc<Limits>, inbox: Inbox, outgoing_max: usize, visits: bool, now: Duration) -> Self {
        let (incoming, outgoing) = (VecDeque::new(), VecDeque::new());
        let mut session = Session::new(Arc::clone(limits), Dialect::default(), Duration::ZERO);
        if visits {
            session.received(&mut b"visit\n".to_owned(), now);
        } else {
            session.timeout(now); // it has said nothing for a while, and is announced
        }
        Self {
            socket: Socket { incoming, is_ended: false, is_reset: false, outgoing, outgoing_max },
            session,
            gauge: Rc::clone(inbox.gauge()),
            memory: inbox.gauge().memory(),
            inbox,
            items: VecDeque::new(),
            input: 0,
            is_blocked: false,
            is_broken: false,
            intake: Intake::All,
            is_cut: false,
            stage: Stage::Open,
            read_max: 1,
        }
    }

    /// Does what it wakes up for first, and answers whether there was anything.
    pub(crate) fn wake(&mut self, now: Duration, seen: &mut Vec<Seen>) -> bool {
        if self.stage == Stage::Open {
            let is_tight = self.memory.level() >= Level::Tight;
            self.intake = if self.is_blocked && self.inbox.private() >= CONGESTED_BYTES {
                Intake::Nothing
            } else if is_tight {
                Intake::Held
            } else {
                Intake::All
            };
            self.session.set_intake(self.intake, now);
            while let Some(batch) = self.session.poll_batch(now) {
                seen.push(Seen::Batch(batch));
            }
            self.input = self.session.held_bytes();
            self.gauge.set_input(self.input);
            if self.session.is_over() {
                self.stage = Stage::Closed { is_complete: false };
            } else if is_tight && self.memory.level() == Level::Free {
                return true; // it has given that back itself
            }
        }
        match self.stage {
            Stage::Open => self.wake_open(now, seen),
            Stage::HungUp(until) => self.close(until, now),
            Stage::Closed { .. } => {
                while let Some(item) = self.inbox.try_next() {
                    self.items.extend(bytes_of(item));
                }
                self.discard(); // nobody is told any more
                false
            }
        }
    }

    /// Bytes that the connection holds of what the client has sent.
    pub(crate) fn input(&self) -> usize {
        self.input
    }

    /// Bytes that wait for the client, and those of them that are for it alone.
    pub(crate) fn queued(&self) -> (usize, usize) {
        (self.inbox.queued(), self.inbox.private())
    }

    /// The broker knows nothing of the client any more.
    pub(crate) fn is_forgotten(&self) -> bool {
        Rc::strong_count(&self.gauge) == 2 // the inbox's, and that of the connection
    }

    fn wake_open(&mut self, now: Duration, seen: &mut Vec<Seen>) -> bool {
        if let Some(item) = self.inbox.try_next() {
            self.take(item, now, seen);
            while let Some(item) = self.inbox.try_next() {
                self.take(item, now, seen);
            }
            self.write(now, seen);
            return true;
        }
        if self.inbox.is_terminated() {
            self.stage = Stage::HungUp(now + LINGER);
        } else if self.is_blocked && self.socket.is_writable() {
            self.write(now, seen);
        } else if self.session.deadline().is_some_and(|deadline| deadline <= now) {
            for _ in 0..2 {
                if self.session.interest() == Interest::Read {
                    self.read(now, seen);
                }
            }
            self.write(now, seen);
            self.session.timeout(now);
        } else {
            match self.session.interest() {
                Interest::Read if self.socket.is_readable() => self.read(now, seen),
                Interest::HangUp if self.socket.has_end() => self.read(now, seen),
                Interest::Broken if self.socket.is_reset => self.abort(now, seen),
                Interest::Read | Interest::HangUp | Interest::Broken | Interest::Nothing => return false,
            }
        }
        true
    }

    fn take(&mut self, item: QueueItem, now: Duration, seen: &mut Vec<Seen>) {
        match item {
            QueueItem::Bytes(bytes) => self.items.push_back(bytes),
            QueueItem::End(_) => {}
            QueueItem::Credit(Credit { not_before, .. }) => {
                seen.push(Seen::Credit(not_before));
                self.session.credited(not_before, now);
            }
        }
    }

    fn read(&mut self, now: Duration, seen: &mut Vec<Seen>) {
        match self.socket.read(self.read_max) {
            Ok(Ok(bytes)) if bytes.is_empty() => self.session.eof(now),
            Ok(Ok(mut bytes)) => self.session.received(&mut bytes, now),
            Ok(Err(WouldBlock)) => {}
            Err(Reset) => self.abort(now, seen),
        }
    }

    fn write(&mut self, now: Duration, seen: &mut Vec<Seen>) {
        let written = self.write_items();
        seen.push(Seen::Wrote(written, self.is_blocked));
        self.session.written(written, self.is_blocked, now);
        if self.gauge.take_relief() {
            seen.push(Seen::Relieved);
        }
    }

    fn abort(&mut self, now: Duration, seen: &mut Vec<Seen>) {
        seen.push(Seen::Aborted);
        self.is_broken = true;
        self.is_blocked = false;
        self.discard();
        if let Ok(Ok(mut bytes)) = self.socket.read(LAST_READ_BYTES)
            && !bytes.is_empty()
        {
            self.session.received(&mut bytes, now);
        }
        self.session.reset(usize::MAX, now);
    }

    /// What is queued for a client that has left may have to be thrown away, if the socket does not take it at once.
    pub(crate) fn leave(&mut self, departed: &Departed, client: ClientId, now: Duration) {
        let is_discarded = || departed.poll_discard(client, &Context::from_waker(Waker::noop())).is_ready();
        if let Stage::HungUp(until) = self.stage
            && is_discarded()
            && !self.close(until, now)
        {
            self.discard();
            self.stage = Stage::Closed { is_complete: false };
        }
        if matches!(self.stage, Stage::Closed { .. }) {
            departed.remove(client);
        }
    }

    fn close(&mut self, until: Duration, now: Duration) -> bool {
        if self.inbox.is_cut() && !self.is_cut {
            self.is_cut = true;
            self.keep_last_item();
        }
        self.write_items();
        let is_complete = !self.is_blocked && !self.is_broken && !self.socket.is_reset;
        if is_complete || self.is_broken || now >= until {
            self.discard();
            self.stage = Stage::Closed { is_complete };
        }
        self.stage == Stage::Closed { is_complete }
    }

    /// Writes what waits, as far as the socket takes it. One that is reset takes nothing any more: it is thrown away.
    fn write_items(&mut self) -> usize {
        let mut total = 0;
        self.is_blocked = false;
        if self.is_broken {
            self.discard();
        }
        while let Some(first) = self.items.front_mut() {
            let Ok(written) = self.socket.write(&first.bytes) else {
                self.discard();
                break;
            };
            total += written;
            first.bytes.advance(written);
            self.gauge.release(written, first.told.is_private());
            if !first.bytes.is_empty() {
                self.is_blocked = true;
                break;
            }
            self.items.pop_front();
            self.gauge.release_item();
        }
        total
    }

    fn keep_last_item(&mut self) {
        let Some(last) = self.items.pop_back() else { return };
        let begun = self.items.pop_front().map(|mut first| {
            let end = first.bytes.iter().position(|&byte| byte == b'\n').map_or(first.bytes.len(), |end| end + 1);
            first.bytes = Bytes::copy_from_slice(&first.bytes[..end]);
            first
        });
        self.items = begun.into_iter().chain([last]).collect();
    }

    fn discard(&mut self) {
        for item in self.items.drain(..) {
            self.gauge.release(item.bytes.len(), item.told.is_private());
            self.gauge.release_item();
        }
    }
}

fn bytes_of(item: QueueItem) -> Option<Queued> {
    match item {
        QueueItem::Bytes(bytes) => Some(bytes),
        QueueItem::Credit(_) | QueueItem::End(_) => None,
    }
}
