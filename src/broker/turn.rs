//! One turn of the broker: what is to be told, rendered once per dialect, in one order. Knows no queues and no sockets.

mod listener;

use std::{mem, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Told, memory::Memory, public_output::PublicOutput, segments::Segments};
use crate::{
    chat::{Event, Public, RoomId, RoomSet},
    protocol::{Dialect, Format, Reply, Stamp, render, render_public, render_reply},
};

pub(super) use listener::{Listener, Part};

/// Public bytes of one room in one turn, in the longest dialect, after which no further step is begun: 256 lines of 500 bytes.
const PUBLIC_BYTES_MAX: usize = 128 << 10;
/// The same for all rooms together: some milliseconds of rendering.
const ROOMS_BYTES_MAX: usize = 2 << 20;
/// Bytes of one turn, each as often as it is delivered, after which no further step is begun: ten milliseconds of copying, as
/// much as two thousand sends take.
const DELIVERED_BYTES_MAX: usize = 32 << 20;
/// So many more for each listener above [`LISTENERS`]: with more of them, it is the number of sends that takes the time.
const DELIVERED_BYTES_EACH: usize = 64 << 10;
/// As many as are served within a fiftieth of a second.
const LISTENERS: usize = 2048;
/// The same for all private bytes together: a millisecond's work.
const PRIVATE_BYTES_MAX: usize = 1 << 20;
/// How long a turn may handle inputs before what came of them is sent.
const TURN_TIME_MAX: Duration = Duration::from_millis(5);
/// So much more for each listener above [`LISTENERS`], as long as a send takes. So a thousand rooms' bursts are one send to each
/// member.
const TURN_TIME_EACH: Duration = Duration::from_micros(5);

/// What a turn has to tell so far.
#[derive(Debug)]
pub(super) struct Turn {
    /// When it began, by the calendar.
    at: Timestamp,
    /// Its public bytes, by dialect, in the order of the events.
    public: [Vec<u8>; Dialect::COUNT],
    /// To whom those belong.
    segments: Segments,
    /// How many clients are spoken to in each dialect: what nobody reads is not rendered.
    listeners: [usize; Dialect::COUNT],
    /// Public bytes so far, in the longest dialect: of all rooms, and of the room that has most.
    public_bytes: usize,
    room_bytes_max: usize,
    /// Private bytes so far.
    private_bytes: usize,
    /// Bytes so far, each as often as it is delivered.
    delivered_bytes: usize,
}

impl Turn {
    pub(super) fn new() -> Self {
        Self {
            at: Timestamp::UNIX_EPOCH,
            public: Default::default(),
            segments: Segments::default(),
            listeners: [0; Dialect::COUNT],
            public_bytes: 0,
            room_bytes_max: 0,
            private_bytes: 0,
            delivered_bytes: 0,
        }
    }

    /// A turn begins.
    pub(super) fn begin(&mut self, at: Timestamp) {
        self.at = at;
    }

    /// When it began, by the calendar.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether no further step is to be begun.
    pub(super) fn is_full(&self) -> bool {
        self.room_bytes_max >= PUBLIC_BYTES_MAX
            || self.public_bytes >= ROOMS_BYTES_MAX
            || self.private_bytes >= PRIVATE_BYTES_MAX
            || self.delivered_bytes >= DELIVERED_BYTES_MAX.max(self.listeners_above() * DELIVERED_BYTES_EACH)
    }

    /// How long it may handle inputs.
    pub(super) fn time_max(&self) -> Duration {
        TURN_TIME_MAX + TURN_TIME_EACH * u32::try_from(self.listeners_above()).unwrap_or(u32::MAX)
    }

    fn listeners_above(&self) -> usize {
        self.listeners.iter().sum::<usize>().saturating_sub(LISTENERS)
    }

    /// Bytes so far, each as often as it is delivered.
    pub(super) fn delivered_bytes(&self) -> usize {
        self.delivered_bytes
    }

    /// From here on the client is told what happens in the room.
    pub(super) fn enter(&mut self, listener: &mut Listener, room: RoomId) {
        self.mark_public(listener);
        self.listeners[listener.dialect.index()] += usize::from(listener.rooms.is_empty());
        listener.rooms.insert(room);
    }

    /// The client is told nothing that happens in the room after what has happened so far.
    pub(super) fn exit(&mut self, listener: &mut Listener, room: RoomId) {
        self.mark_public(listener);
        let was_listening = !listener.rooms.is_empty();
        listener.rooms.remove(room);
        self.listeners[listener.dialect.index()] -= usize::from(was_listening && listener.rooms.is_empty());
    }

    /// The same for all rooms.
    pub(super) fn leave(&mut self, listener: &mut Listener) {
        self.mark_public(listener);
        self.listeners[listener.dialect.index()] -= usize::from(!listener.rooms.is_empty());
        listener.rooms = RoomSet::default();
    }

    /// From here on the client is spoken to in this dialect.
    pub(super) fn speak(&mut self, listener: &mut Listener, dialect: Dialect) {
        self.mark_public(listener);
        let is_listening = usize::from(!listener.rooms.is_empty());
        self.listeners[listener.dialect.index()] -= is_listening;
        self.listeners[dialect.index()] += is_listening;
        listener.dialect = dialect;
        listener.public_from = self.public[dialect.index()].len();
    }

    /// Tells an event to all who are in its room.
    pub(super) fn publish(&mut self, public: &Public) {
        let Public { room, name, members, seq, position, event, .. } = public;
        if *members == 0 {
            return;
        }
        let stamp = Stamp { seq: Some(*seq), room: Some(name), position: *position, ..Stamp::private(self.at) };
        let mut longest = 0;
        for dialect in Dialect::ALL {
            if self.listeners[dialect.index()] > 0 {
                let buffer = &mut self.public[dialect.index()];
                let before = buffer.len();
                render_public(buffer, event, stamp, dialect);
                longest = longest.max(buffer.len() - before);
            }
        }
        self.public_bytes += longest;
        self.delivered_bytes += longest * members;
        let of_room = self.segments.push(
            *room,
            longest,
            self.public
                .each_ref()
                .map(|public| u32::try_from(public.len()).expect("a turn ends long before it has 4 GiB")),
        );
        self.room_bytes_max = self.room_bytes_max.max(of_room);
    }

    /// The same, apart from a client that is spoken to in text: the event's bytes are left out of its own. Objects are
    /// numbered without gaps, so nobody who reads those is left out.
    pub(super) fn publish_except(&mut self, listener: &mut Listener, public: &Public) {
        self.mark_public(listener);
        self.publish(public);
        match listener.dialect.format {
            Format::Text => listener.public_from = self.public[listener.dialect.index()].len(),
            Format::Json => {}
        }
    }

    /// Notes what has been told so far as the client's, before what follows is its alone or another's.
    fn mark_public(&self, listener: &mut Listener) {
        let until = self.public[listener.dialect.index()].len();
        if listener.public_from < until {
            listener.mark(&self.segments);
        }
        listener.public_from = until;
    }

    /// Tells an event to one client.
    pub(super) fn tell(&mut self, listener: &mut Listener, event: &Event) {
        let stamp = Stamp::private(self.at);
        let told = if event.is_answer() { Told::Answer } else { Told::Private };
        self.append(listener, told, |bytes, dialect| render(bytes, event, stamp, dialect));
    }

    /// Answers one client.
    pub(super) fn reply(&mut self, listener: &mut Listener, reply: &Reply) {
        let at = self.at;
        self.append(listener, Told::Answer, |bytes, dialect| render_reply(bytes, reply, at, dialect));
    }

    fn append(&mut self, listener: &mut Listener, told: Told, render: impl FnOnce(&mut Vec<u8>, Dialect)) {
        self.mark_public(listener);
        let bytes = listener.append(told, render);
        self.private_bytes += bytes;
        self.delivered_bytes += bytes;
    }

    /// Ends the turn.
    pub(super) fn end(&mut self, memory: &Arc<Memory>) -> PublicOutput {
        (self.public_bytes, self.room_bytes_max) = (0, 0);
        (self.private_bytes, self.delivered_bytes) = (0, 0);
        let bytes = self.public.each_mut().map(|public| memory.share(mem::take(public)));
        PublicOutput::new(bytes, mem::take(&mut self.segments))
    }
}

#[cfg(test)]
mod tests;
