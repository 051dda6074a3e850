//! Lines out of bytes, however the bytes are cut into packets. Holds at most one line's worth.

use std::mem;

/// What stands between two line endings.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line, without its ending.
    Line(&'a [u8]),
    /// A line of more than the limit; its bytes are gone.
    TooLong,
}

/// Finds lines. A line ends with LF, CR LF, or telnet's CR NUL (RFC 854); a lone CR or NUL is a part of it.
#[derive(Debug)]
pub struct Framer {
    /// The longest line, in bytes without its ending.
    line_max: usize,
    /// The beginning of a line whose ending has not come. At most `line_max` bytes, and one for a CR that may be a part of
    /// the ending. Gives its memory back when the line is complete.
    partial: Vec<u8>,
    /// The rest of this line is to be thrown away.
    is_too_long: bool,
    /// `partial` has been handed out and is over.
    is_stale: bool,
}

impl Framer {
    /// A framer for lines of at most `line_max` bytes.
    #[must_use]
    pub fn new(line_max: usize) -> Self {
        Self { line_max, partial: Vec::new(), is_too_long: false, is_stale: false }
    }

    /// Takes the bytes of the next line off the front of `input`; without a complete one, all of `input`, and answers
    /// `None`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        self.renew();
        let mut from = 0;
        loop {
            let Some(found) = memchr::memchr2(b'\n', 0, &input[from..]) else {
                self.keep(mem::take(input));
                return None;
            };
            let end = from + found;
            let follows_cr = match end {
                0 => self.partial.last() == Some(&b'\r'),
                _ => input[end - 1] == b'\r',
            };
            if input[end] == 0 && !follows_cr {
                from = end + 1;
                continue;
            }
            let (line, rest) = (&input[..end], &input[end + 1..]);
            *input = rest;
            return Some(self.complete(line));
        }
    }

    /// The last line, when no more bytes will come: it needs no ending.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        self.renew();
        if self.partial.is_empty() && !self.is_too_long { None } else { Some(self.complete(&[])) }
    }

    /// Bytes that it holds of a line whose ending has not come.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Whether [`Self::finish`] has a line.
    #[must_use]
    pub fn is_within_line(&self) -> bool {
        !self.is_stale && (!self.partial.is_empty() || self.is_too_long)
    }

    fn complete<'a>(&'a mut self, line: &'a [u8]) -> Frame<'a> {
        let line = if self.partial.is_empty() {
            line
        } else {
            self.keep(line);
            self.is_stale = true;
            &self.partial
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if mem::take(&mut self.is_too_long) || line.len() > self.line_max { Frame::TooLong } else { Frame::Line(line) }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return; // what came last still is what came last
        }
        // One byte over the limit may be the CR of the ending; with anything after it the line is too long for sure.
        if self.is_too_long || self.partial.len() + bytes.len() > self.line_max.saturating_add(1) {
            self.is_too_long = true;
            self.partial = Vec::new();
            // A CR NUL may still end it.
            if bytes.last() == Some(&b'\r') {
                self.partial.push(b'\r');
            }
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn renew(&mut self) {
        if mem::take(&mut self.is_stale) {
            self.partial = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All the lines that come out of `packets`: `None` is one that was too long.
    fn frames<'a>(line_max: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
        let owned = |frame: Frame<'_>| match frame {
            Frame::Line(line) => Some(line.to_vec()),
            Frame::TooLong => None,
        };
        let (mut framer, mut lines) = (Framer::new(line_max), Vec::new());
        for mut packet in packets {
            while let Some(frame) = framer.next(&mut packet) {
                lines.push(owned(frame));
            }
            assert!(framer.partial.len() <= line_max + 1, "holds one line's worth");
        }
        lines.extend(framer.finish().map(owned));
        lines
    }

    fn check(packets: &[&str], lines: &[&str]) {
        let expected: Vec<_> = lines.iter().map(|line| Some(line.as_bytes().to_vec())).collect();
        assert_eq!(frames(8, packets.iter().map(|p| p.as_bytes())), expected, "{packets:?}");
    }

    #[test]
    fn an_empty_packet_changes_nothing() {
        let packets: [&[u8]; 4] = [b"123456789\r", b"", b"\0", b"who\n"];
        assert_eq!(frames(8, packets), [None, Some(b"who".to_vec())]);
    }

    #[test]
    fn without_a_limit_a_line_is_as_long_as_it_is() {
        let mut framer = Framer::new(usize::MAX);
        assert_eq!(framer.next(&mut &b"o"[..]), None);
        assert_eq!(framer.next(&mut &b"ne\n"[..]), Some(Frame::Line(b"one")));
    }

    #[test]
    fn a_line_is_a_line_not_a_packet() {
        check(&["one\ntwo\n"], &["one", "two"]);
        check(&["o", "n", "e", "\n", "two\n"], &["one", "two"]);
        check(&["one\ntw", "o\nthree\nfo", "ur\n"], &["one", "two", "three", "four"]);
        check(&["\n\n"], &["", ""]);
    }

    #[test]
    fn the_last_line_needs_no_ending() {
        check(&["one\ntwo"], &["one", "two"]);
        check(&["one"], &["one"]);
        check(&["one\r"], &["one"]);
        check(&[], &[]);
    }

    #[test]
    fn three_endings() {
        check(&["one\r\ntwo\r\0three\n"], &["one", "two", "three"]);
        check(&["one\r", "\ntwo\r", "\0three\n"], &["one", "two", "three"]);
        check(&["a\rb\0c\n"], &["a\rb\0c"]);
        check(&["a\0", "b\n"], &["a\0b"]);
    }

    #[test]
    fn a_line_over_the_limit_is_one_refusal_and_the_next_works() {
        for (line, fits) in [("1234567", true), ("12345678", true), ("123456789", false), ("1234567890123", false)] {
            for ending in ["\n", "\r\n", "\r\0"] {
                let bytes = format!("{line}{ending}next\n");
                let first = fits.then(|| line.as_bytes().to_vec());
                assert_eq!(frames(8, [bytes.as_bytes()]), [first.clone(), Some(b"next".to_vec())], "{bytes:?}");
                assert_eq!(frames(8, bytes.as_bytes().chunks(1)), [first, Some(b"next".to_vec())], "{bytes:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0u8), 1u8..=255], 0..200),
            cuts in proptest::collection::vec(1usize..12, 1..200),
        ) {
            let whole = frames(8, [&bytes[..]]);
            let (mut rest, mut packets) = (&bytes[..], Vec::new());
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() { break }
                let (packet, after) = rest.split_at(cut.min(rest.len()));
                packets.extend([packet, &[]]); // telnet's commands alone are a packet without text
                rest = after;
            }
            prop_assert_eq!(frames(8, packets), whole);
        }
    }
}
