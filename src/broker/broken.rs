//! A bound on the lines of broken connections that wait to be handled, all together: no client waits for an answer there, and
//! connecting again costs nothing. Connections take from it; dropping [`Taken`], which the broker holds, gives back.

use std::{cell::Cell, rc::Rc};

/// Lines of all broken connections that may wait.
const LINES_MAX: usize = 10_000;
/// Bytes of the same, as they are held: a line of one letter takes some sixty.
const BYTES_MAX: usize = 4 << 20;

/// The lines of broken connections that wait.
#[derive(Debug, Default)]
pub struct BrokenBacklog {
    lines: Cell<usize>,
    bytes: Cell<usize>,
    /// Lines that were dropped and are not in the log yet.
    dropped: Cell<usize>,
}

/// What one broken connection has taken of it, until this is dropped.
#[derive(Debug)]
pub struct Taken {
    backlog: Rc<BrokenBacklog>,
    lines: usize,
    bytes: usize,
}

impl BrokenBacklog {
    /// How many more lines may wait.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.bytes.get() >= BYTES_MAX { 0 } else { LINES_MAX.saturating_sub(self.lines.get()) }
    }

    /// So many lines of a connection that has broken wait, and so many were dropped since there was no room.
    #[must_use]
    pub fn take(self: &Rc<Self>, lines: usize, bytes: usize, dropped: usize) -> Taken {
        self.add(lines, bytes, dropped);
        Taken { backlog: Rc::clone(self), lines, bytes }
    }

    fn add(&self, lines: usize, bytes: usize, dropped: usize) {
        self.lines.update(|sum| sum + lines);
        self.bytes.update(|sum| sum + bytes);
        self.dropped.update(|sum| sum + dropped);
    }

    /// How many lines have been dropped since this was asked.
    pub(super) fn take_dropped(&self) -> usize {
        self.dropped.take()
    }
}

impl Taken {
    /// So many more lines of the same connection wait, and so many more were dropped since there was no room.
    pub(super) fn add(&mut self, lines: usize, bytes: usize, dropped: usize) {
        self.backlog.add(lines, bytes, dropped);
        (self.lines, self.bytes) = (self.lines + lines, self.bytes + bytes);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.backlog.lines.update(|sum| sum - self.lines);
        self.backlog.bytes.update(|sum| sum - self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_may_wait() {
        let backlog = Rc::<BrokenBacklog>::default();
        assert_eq!(backlog.room(), LINES_MAX);
        let mut one = backlog.take(LINES_MAX - 20, 80, 0);
        one.add(10, 20, 0);
        assert_eq!(backlog.room(), 10);
        let other = backlog.take(10, 100, 20);
        assert_eq!((backlog.room(), backlog.take_dropped(), backlog.take_dropped()), (0, 20, 0));
        drop(one);
        assert_eq!(backlog.room(), LINES_MAX - 10);
        drop(other);
        assert_eq!((backlog.lines.get(), backlog.bytes.get()), (0, 0));
    }

    #[test]
    fn so_many_bytes_may_wait() {
        let backlog = Rc::<BrokenBacklog>::default();
        let (one, other) = (backlog.take(3, BYTES_MAX, 0), backlog.take(1, BYTES_MAX, 0));
        assert_eq!(backlog.room(), 0);
        drop(one);
        assert_eq!(backlog.room(), 0, "the other has taken as much");
        drop(other);
        assert_eq!(backlog.room(), LINES_MAX);
    }
}
