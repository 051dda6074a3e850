//! How much is in the file, or comes into it, or goes.

use std::ops::{AddAssign, SubAssign};

/// What a row and its place in the index take besides the text, about.
const ROW_BYTES: u64 = 100;

/// So many rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) rows: u64,
    /// What they take, about.
    pub(super) bytes: u64,
}

impl Amount {
    /// That of rows whose texts have so many bytes.
    pub(super) fn new(rows: u64, text_bytes: u64) -> Self {
        Self { rows, bytes: text_bytes.saturating_add(rows.saturating_mul(ROW_BYTES)) }
    }

    /// The bytes of the texts.
    pub(super) fn text_bytes(self) -> u64 {
        self.bytes.saturating_sub(self.rows.saturating_mul(ROW_BYTES))
    }

    /// As much as `other`, of one of both.
    pub(super) fn reaches(self, other: Self) -> bool {
        self.rows >= other.rows || self.bytes >= other.bytes
    }

    /// At least one row.
    pub(super) fn half(self) -> Self {
        Self { rows: (self.rows / 2).max(1), bytes: (self.bytes / 2).max(1) }
    }

    /// The smaller one, of each of both.
    pub(super) fn min(self, other: Self) -> Self {
        Self { rows: self.rows.min(other.rows), bytes: self.bytes.min(other.bytes) }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Self) {
        self.rows += more.rows;
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

/// Not below zero: somebody may have edited the file.
impl SubAssign for Amount {
    fn sub_assign(&mut self, less: Self) {
        self.rows = self.rows.saturating_sub(less.rows);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }
}
