//! One turn of the broker: what is to be told, rendered once per dialect, in one order. Knows no queues and no sockets.

use std::{mem, ops::Range, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;

use super::memory::Memory;
use crate::{
    chat::{Event, RoomId, Seq},
    protocol::{Dialect, Format, Reply, Stamp, render, render_reply},
};

/// Public bytes of one turn, in the longest dialect, after which no further step is begun: 256 lines of 500 bytes.
const PUBLIC_BYTES_MAX: usize = 128 << 10;
/// Bytes of one turn, each as often as it is delivered, after which no further step is begun: ten milliseconds of copying, as
/// much as two thousand sends take.
const DELIVERED_BYTES_MAX: usize = 32 << 20;
/// So many more for each listener above [`LISTENERS`]: with more of them, it is the number of sends that takes the time.
const DELIVERED_BYTES_EACH: usize = 64 << 10;
/// As many as are served within a fiftieth of a second.
const LISTENERS: usize = 2048;
/// The same for all private bytes together: a millisecond's work.
const PRIVATE_BYTES_MAX: usize = 1 << 20;

/// What a turn has to tell so far.
#[derive(Debug)]
pub(super) struct Turn {
    /// When it began, by the calendar.
    at: Timestamp,
    /// Its public bytes, by dialect, in the order of the events.
    public: [Vec<u8>; Dialect::COUNT],
    /// To whom those belong, in the same order.
    segments: Vec<Segment>,
    /// How many clients are spoken to in each dialect: what nobody reads is not rendered.
    listeners: [usize; Dialect::COUNT],
    /// Public bytes so far, in the longest dialect.
    public_bytes: usize,
    /// Private bytes so far.
    private_bytes: usize,
    /// Bytes so far, each as often as it is delivered.
    delivered_bytes: usize,
}

/// A stretch of public events of one room.
#[derive(Debug)]
struct Segment {
    room: RoomId,
    /// Where it ends, by dialect.
    ends: [usize; Dialect::COUNT],
}

/// What a turn has for one client alone, in order with the public bytes.
#[derive(Debug, Default)]
pub(super) struct PrivateOutput {
    segments: Vec<OutputSegment>,
    /// The bytes of `OutputSegment::Private`.
    bytes: Vec<u8>,
}

/// A stretch of bytes for one client.
#[derive(Debug)]
enum OutputSegment {
    /// Of the public bytes in this dialect.
    Public(Dialect, Range<usize>),
    /// Of the client's own.
    Private(Range<usize>),
}

/// How one client is told of a turn.
#[derive(Debug)]
pub(super) struct Listener {
    dialect: Dialect,
    /// Where in the turn's public bytes those begin that the client has not been given. None: it is told none of them.
    public_from: Option<usize>,
    /// What the turn has for this client alone. None for most.
    private: Option<Box<PrivateOutput>>,
}

/// Bytes for one client.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// They are for this client alone.
    pub(super) is_private: bool,
}

/// The public part of a turn that is over, to be shared by all who are told it.
#[derive(Debug)]
pub(super) struct PublicOutput {
    /// By dialect.
    bytes: [Bytes; Dialect::COUNT],
    segments: Vec<Segment>,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            at: Timestamp::UNIX_EPOCH,
            public: Default::default(),
            segments: Vec::new(),
            listeners: [0; Dialect::COUNT],
            public_bytes: 0,
            private_bytes: 0,
            delivered_bytes: 0,
        }
    }

    /// A turn begins.
    pub(super) fn begin(&mut self, at: Timestamp) {
        self.at = at;
    }

    /// Whether no further step is to be begun.
    pub(super) fn is_full(&self) -> bool {
        let above = self.listeners.iter().sum::<usize>().saturating_sub(LISTENERS);
        self.public_bytes >= PUBLIC_BYTES_MAX
            || self.private_bytes >= PRIVATE_BYTES_MAX
            || self.delivered_bytes >= DELIVERED_BYTES_MAX.max(above * DELIVERED_BYTES_EACH)
    }

    /// Bytes so far, each as often as it is delivered.
    pub(super) fn delivered_bytes(&self) -> usize {
        self.delivered_bytes
    }

    /// From here on the client is told public events.
    pub(super) fn listen(&mut self, listener: &mut Listener) {
        let dialect = listener.dialect.index();
        self.listeners[dialect] += 1;
        listener.public_from = Some(self.public[dialect].len());
    }

    /// The client is told no public event after those so far.
    pub(super) fn leave(&mut self, listener: &mut Listener) {
        let dialect = listener.dialect.index();
        listener.mark_public(self.public[dialect].len());
        if listener.public_from.take().is_some() {
            self.listeners[dialect] -= 1;
        }
    }

    /// From here on the client is spoken to in this dialect.
    pub(super) fn speak(&mut self, listener: &mut Listener, dialect: Dialect) {
        let is_listening = listener.public_from.is_some();
        self.leave(listener);
        listener.dialect = dialect;
        if is_listening {
            self.listen(listener);
        }
    }

    /// Tells an event to all who are in the room.
    pub(super) fn publish(&mut self, room: RoomId, seq: Option<Seq>, event: &Event) {
        let stamp = Stamp { seq, at: self.at };
        let mut longest = 0;
        for dialect in Dialect::ALL {
            if self.listeners[dialect.index()] > 0 {
                let buffer = &mut self.public[dialect.index()];
                let before = buffer.len();
                render(buffer, event, stamp, dialect);
                longest = longest.max(buffer.len() - before);
            }
        }
        self.public_bytes += longest;
        self.delivered_bytes += longest * self.listeners.iter().sum::<usize>();
        let ends = self.public.each_ref().map(Vec::len);
        match self.segments.last_mut() {
            Some(last) if last.room == room => last.ends = ends,
            Some(_) | None => self.segments.push(Segment { room, ends }),
        }
    }

    /// Tells an event to all who are in the room, apart from a client that is spoken to in text: the event's bytes are left
    /// out of its own. Objects are numbered without gaps, so nobody who reads those is left out.
    pub(super) fn publish_except(&mut self, listener: &mut Listener, room: RoomId, seq: Option<Seq>, event: &Event) {
        let index = listener.dialect.index();
        listener.mark_public(self.public[index].len());
        self.publish(room, seq, event);
        match listener.dialect.format {
            Format::Text => listener.public_from = listener.public_from.map(|_| self.public[index].len()),
            Format::Json => {}
        }
    }

    /// Tells an event to one client.
    pub(super) fn tell(&mut self, listener: &mut Listener, event: &Event) {
        let stamp = Stamp { seq: None, at: self.at };
        self.append(listener, |bytes, dialect| render(bytes, event, stamp, dialect));
    }

    /// Answers one client.
    pub(super) fn reply(&mut self, listener: &mut Listener, reply: &Reply) {
        let at = self.at;
        self.append(listener, |bytes, dialect| render_reply(bytes, reply, at, dialect));
    }

    fn append(&mut self, listener: &mut Listener, render: impl FnOnce(&mut Vec<u8>, Dialect)) {
        let bytes = listener.append(self.public[listener.dialect.index()].len(), render);
        self.private_bytes += bytes;
        self.delivered_bytes += bytes;
    }

    /// Ends the turn.
    pub(super) fn end(&mut self, memory: &Arc<Memory>) -> PublicOutput {
        (self.public_bytes, self.private_bytes, self.delivered_bytes) = (0, 0, 0);
        let bytes = self.public.each_mut().map(|public| memory.share(mem::take(public)));
        PublicOutput { bytes, segments: mem::take(&mut self.segments) }
    }
}

impl PublicOutput {
    /// Whether there is nothing for any room.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Where the public events end that a client is told. Today all of them are of the lobby, where everybody is.
    fn end(&self, dialect: Dialect) -> usize {
        self.segments.last().map_or(0, |segment| segment.ends[dialect.index()])
    }

    fn slice(&self, dialect: Dialect, range: Range<usize>) -> Bytes {
        self.bytes[dialect.index()].slice(range)
    }
}

impl Listener {
    /// One that is told no public events yet.
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, public_from: None, private: None }
    }

    /// Notes the public bytes up to `until` as the client's, before what follows is its alone.
    fn mark_public(&mut self, until: usize) {
        if let Some(from) = self.public_from
            && from < until
        {
            let segment = OutputSegment::Public(self.dialect, from..until);
            self.private.get_or_insert_default().segments.push(segment);
            self.public_from = Some(until);
        }
    }

    /// Appends private bytes behind so many public ones, and answers how many.
    fn append(&mut self, public: usize, render: impl FnOnce(&mut Vec<u8>, Dialect)) -> usize {
        self.mark_public(public);
        let private = self.private.get_or_insert_default();
        let from = private.bytes.len();
        render(&mut private.bytes, self.dialect);
        let to = private.bytes.len();
        match private.segments.last_mut() {
            Some(OutputSegment::Private(last)) => last.end = to,
            Some(OutputSegment::Public(..)) | None => private.segments.push(OutputSegment::Private(from..to)),
        }
        to - from
    }

    /// Bytes that this turn has for the client alone so far.
    pub(super) fn private_bytes(&self) -> usize {
        self.private.as_ref().map_or(0, |private| private.bytes.len())
    }

    /// Gives `send` what a turn that is over has for the client, in order, and is ready for the next turn.
    pub(super) fn take(&mut self, public: &PublicOutput, memory: &Arc<Memory>, send: impl FnOnce(&[Part])) {
        let end = public.end(self.dialect);
        if self.private.is_some() {
            self.mark_public(end);
            self.take_private(public, memory, send);
        } else if let Some(from) = self.public_from
            && from < end
        {
            send(&[Part { bytes: public.slice(self.dialect, from..end), is_private: false }]);
        }
        self.public_from = self.public_from.map(|_| 0);
    }

    /// The same for a client that has left: what came after that is not for it.
    pub(super) fn take_private(&mut self, public: &PublicOutput, memory: &Arc<Memory>, send: impl FnOnce(&[Part])) {
        let Some(private) = self.private.take() else { return };
        let bytes = memory.share(private.bytes);
        let segments = private.segments.into_iter().map(|segment| match segment {
            OutputSegment::Public(dialect, range) => Part { bytes: public.slice(dialect, range), is_private: false },
            OutputSegment::Private(range) => Part { bytes: bytes.slice(range), is_private: true },
        });
        send(&segments.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests;
