//! What a turn has for one client: its share of the public bytes, and bytes of its own, in their order.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;

use crate::{
    broker::{Told, memory::Memory, public_output::PublicOutput, segments::Segments},
    chat::RoomSet,
    protocol::Dialect,
};

/// Private bytes that are held for as long as one of them waits to be sent.
const PIECE_BYTES: usize = 16 << 10;

/// How one client is told of a turn.
#[derive(Debug)]
pub(in crate::broker) struct Listener {
    pub(super) dialect: Dialect,
    /// It is told what happens in these.
    pub(super) rooms: RoomSet,
    /// Where in the turn's public bytes those begin that the client has not been given.
    pub(super) public_from: usize,
    /// What the turn has for this client alone. None for most.
    private: Option<Box<PrivateOutput>>,
}

/// Bytes for one client.
#[derive(Debug)]
pub(in crate::broker) struct Part {
    pub(in crate::broker) bytes: Bytes,
    pub(in crate::broker) told: Told,
}

/// What a turn has for one client alone, in order with the public bytes.
#[derive(Debug, Default)]
struct PrivateOutput {
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
    Private(Told, Range<usize>),
}

impl Listener {
    /// One that is in no room yet.
    pub(in crate::broker) fn new(dialect: Dialect) -> Self {
        Self { dialect, rooms: RoomSet::default(), public_from: 0, private: None }
    }

    /// Whether it is in no room.
    pub(in crate::broker) fn is_apart(&self) -> bool {
        self.rooms.is_empty()
    }

    /// Notes what it has not been given of these as its own.
    pub(super) fn mark(&mut self, segments: &Segments) {
        let mut touched = Vec::new();
        segments.touched(&self.rooms, &mut touched);
        for range in segments.ranges(self.dialect, &touched, self.public_from) {
            self.private.get_or_insert_default().segments.push(OutputSegment::Public(self.dialect, range));
        }
    }

    /// Appends private bytes, and answers how many.
    pub(super) fn append(&mut self, told: Told, render: impl FnOnce(&mut Vec<u8>, Dialect)) -> usize {
        let private = self.private.get_or_insert_default();
        let from = private.bytes.len();
        render(&mut private.bytes, self.dialect);
        let to = private.bytes.len();
        match private.segments.last_mut() {
            Some(OutputSegment::Private(last, range)) if *last == told => range.end = to,
            Some(OutputSegment::Private(..) | OutputSegment::Public(..)) | None => {
                private.segments.push(OutputSegment::Private(told, from..to));
            }
        }
        to - from
    }

    /// Bytes that this turn has for the client alone so far.
    pub(in crate::broker) fn private_bytes(&self) -> usize {
        self.private.as_ref().map_or(0, |private| private.bytes.len())
    }

    /// Gives `send` what a turn that is over has for the client, in order, and is ready for the next turn.
    pub(in crate::broker) fn take(
        &mut self,
        public: &mut PublicOutput,
        memory: &Arc<Memory>,
        send: impl FnOnce(&[Part]),
    ) {
        if self.private.is_some() || self.public_from > 0 {
            self.mark(public.segments());
            self.take_private(public, memory, send);
        } else {
            let bytes = public.of_rooms(self.dialect, &self.rooms, memory);
            if !bytes.is_empty() {
                send(&[Part { bytes, told: Told::Public }]);
            }
        }
        self.public_from = 0;
    }

    /// The same for a client that has left: what came after that is not for it.
    pub(in crate::broker) fn take_private(
        &mut self,
        public: &PublicOutput,
        memory: &Arc<Memory>,
        send: impl FnOnce(&[Part]),
    ) {
        let Some(private) = self.private.take() else { return };
        // In pieces: a socket that has taken most of a long answer is to hold little more than the rest.
        let pieces: Vec<_> = private.bytes.chunks(PIECE_BYTES).map(|piece| memory.share(piece.to_vec())).collect();
        let mut parts = Vec::new();
        for segment in private.segments {
            match segment {
                OutputSegment::Public(dialect, range) => {
                    parts.push(Part { bytes: public.slice(dialect, range), told: Told::Public });
                }
                OutputSegment::Private(told, range) => {
                    parts.extend(slices(&pieces, range).map(|bytes| Part { bytes, told }));
                }
            }
        }
        send(&parts);
    }
}

/// A range of what is in these pieces.
fn slices(pieces: &[Bytes], Range { start, end }: Range<usize>) -> impl Iterator<Item = Bytes> {
    (start / PIECE_BYTES..end.div_ceil(PIECE_BYTES)).map(move |at| {
        let before = at * PIECE_BYTES;
        pieces[at].slice(start.max(before) - before..(end - before).min(PIECE_BYTES))
    })
}
