//! Lines that wait for the server to take them. Knows no sockets: what takes bytes is an argument.

use std::io;

/// How many bytes may wait. Above that no more keys are read, so a paste of any size needs no more memory.
const BYTES_MAX: usize = 4 << 20;

/// Whole lines, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    lines: Vec<u8>,
    /// How many bytes of the first line have been taken.
    taken: usize,
}

impl Outbox {
    /// Appends a line, which has no line end.
    pub(super) fn push(&mut self, line: &str) {
        self.lines.extend_from_slice(line.as_bytes());
        self.lines.push(b'\n');
    }

    /// There is another connection. These lines come first on it, and then again the one of which the connection before has
    /// taken a part.
    pub(super) fn restart_with(&mut self, first: &str) {
        self.taken = 0;
        self.lines.splice(0..0, first.bytes().chain([b'\n']));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= BYTES_MAX
    }

    /// Offers what waits to `take`, which tells how many bytes it has taken.
    pub(super) fn flush(&mut self, take: impl FnOnce(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        self.taken += take(&self.lines[self.taken..])?;
        if let Some(end) = memchr::memrchr(b'\n', &self.lines[..self.taken]) {
            self.lines.drain(..=end);
            self.taken -= end + 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is offered; so many bytes of it are taken.
    fn flush(outbox: &mut Outbox, taken: usize) -> String {
        let mut offered = String::new();
        outbox
            .flush(|bytes| {
                offered = String::from_utf8(bytes.to_vec()).unwrap();
                Ok(taken)
            })
            .unwrap();
        offered
    }

    #[test]
    fn a_line_that_was_sent_in_part_is_sent_whole_again() {
        let mut outbox = Outbox::default();
        ["one", "two", "three"].iter().for_each(|line| outbox.push(line));
        assert_eq!(flush(&mut outbox, 6), "one\ntwo\nthree\n");
        assert_eq!(flush(&mut outbox, 1), "o\nthree\n");
        outbox.restart_with("zero");
        assert_eq!(flush(&mut outbox, 9), "zero\ntwo\nthree\n");
        assert_eq!(flush(&mut outbox, 6), "three\n");
        assert!(outbox.is_empty());
    }

    #[test]
    fn it_is_full_at_its_bound() {
        let mut outbox = Outbox::default();
        outbox.push(&"x".repeat(BYTES_MAX - 2));
        assert!(!outbox.is_full());
        outbox.push("");
        assert!(outbox.is_full());
    }
}
