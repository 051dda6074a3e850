//! The public part of a turn that is over, to be shared by all who are told it. Knows no clients and no queues.

use std::{
    ops::{Range, RangeBounds},
    sync::Arc,
};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use super::{memory::Memory, segments::Segments};
use crate::{
    chat::{RoomId, RoomSet},
    protocol::Dialect,
};

/// Copies are kept for others in the same rooms until they have so many bytes together.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// The public part of a turn that is over.
#[derive(Debug)]
pub(super) struct PublicOutput {
    /// By dialect.
    bytes: [Bytes; Dialect::COUNT],
    segments: Segments,
    /// Copies for those who are in more than one room, but not in all: by dialect, and by the rooms in which something has
    /// happened.
    copies: [FxHashMap<Box<[RoomId]>, Bytes>; Dialect::COUNT],
    /// Bytes of the copies.
    kept: usize,
    /// To be used again.
    touched: Vec<RoomId>,
}

impl PublicOutput {
    pub(super) fn new(bytes: [Bytes; Dialect::COUNT], segments: Segments) -> Self {
        Self { bytes, segments, copies: Default::default(), kept: 0, touched: Vec::new() }
    }

    pub(super) fn segments(&self) -> &Segments {
        &self.segments
    }

    pub(super) fn slice(&self, dialect: Dialect, range: impl RangeBounds<usize>) -> Bytes {
        self.bytes[dialect.index()].slice(range)
    }

    /// All that is for those who are in these rooms, without a copy where it is in one piece.
    pub(super) fn of_rooms(&mut self, dialect: Dialect, rooms: &RoomSet, memory: &Arc<Memory>) -> Bytes {
        match self.segments.rooms() {
            [] => return Bytes::new(),
            &[only] if rooms.contains(only) => return self.bytes[dialect.index()].clone(),
            [_] => return Bytes::new(),
            _ => {}
        }
        let Self { bytes, segments, copies, kept, touched } = self;
        segments.touched(rooms, touched);
        match touched[..] {
            [] => return Bytes::new(),
            [only] => {
                if let Some(range) = segments.only_range(dialect, only) {
                    return bytes[dialect.index()].slice(range);
                }
            }
            _ => {}
        }
        let (bytes, copies) = (&bytes[dialect.index()], &mut copies[dialect.index()]);
        if let Some(copy) = copies.get(&touched[..]) {
            return copy.clone();
        }
        let ranges = segments.ranges(dialect, touched, 0);
        match &ranges[..] {
            [] => Bytes::new(),
            [range] => bytes.slice(range.clone()),
            ranges => {
                let mut copy = Vec::with_capacity(ranges.iter().map(Range::len).sum());
                ranges.iter().for_each(|range| copy.extend_from_slice(&bytes[range.clone()]));
                let copy = memory.share(copy);
                if *kept + copy.len() <= KEPT_BYTES_MAX {
                    *kept += copy.len();
                    copies.insert(touched.as_slice().into(), copy.clone());
                }
                copy
            }
        }
    }
}
