//! Lines out of bytes, however the bytes are cut into packets. Holds at most one line.

use std::mem;

use super::editing::erase;

/// What is between two line endings.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line, without its ending.
    Line(&'a [u8]),
    /// A line of more than the limit; its bytes are gone.
    TooLong,
}

/// Backspace: what a terminal's key of that name sends, unless it sends [`DEL`].
const BS: u8 = 8;
const DEL: u8 = 0x7f;

/// Finds lines. A line ends with LF, CR LF, or telnet's CR NUL (RFC 854); a lone CR or NUL is a part of it.
///
/// Of a peer that is telnet, which may send each key as it is typed, a lone CR ends a line too, and BS and DEL take away the
/// last character of the line so far. The limit holds for what is left of the line at any time: a line that has gone beyond it
/// stays too long until it ends, whatever is erased, since its bytes are gone.
#[derive(Debug)]
pub struct Framer {
    /// The longest line, in bytes without its ending.
    line_max: usize,
    /// The beginning of a line whose ending has not come. At most `line_max` bytes, and one for a CR that may be a part of
    /// the ending. Gives its memory back when the line is complete.
    partial: Vec<u8>,
    /// The line so far is over the limit: the rest of it is discarded.
    is_too_long: bool,
    /// `partial` was returned as a complete line: it is cleared before the next one.
    is_stale: bool,
    mode: Mode,
}

/// What BS, DEL and a lone CR are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Bytes like others.
    Plain,
    /// Keys of telnet's terminal.
    Telnet,
    /// The same; and the last byte was a CR, which has ended a line: a LF or NUL that follows belongs to that.
    TelnetAfterCr,
}

impl Framer {
    /// A framer for lines of at most `line_max` bytes.
    #[must_use]
    pub fn new(line_max: usize) -> Self {
        Self { line_max, partial: Vec::new(), is_too_long: false, is_stale: false, mode: Mode::Plain }
    }

    /// Input from here on was typed at telnet's terminal.
    pub fn set_telnet(&mut self) {
        self.mode = Mode::Telnet;
    }

    /// Takes the bytes of the next line off the front of `input`; without a complete one, all of `input`, and answers
    /// `None`.
    pub fn next<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        self.renew();
        if self.mode != Mode::Plain {
            return self.next_typed(input);
        }
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

    /// The same for telnet's terminal.
    fn next_typed<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        self.skip_after_cr(input);
        loop {
            let Some(end) = input.iter().position(|byte| matches!(*byte, b'\n' | b'\r' | 0 | BS | DEL)) else {
                self.keep(mem::take(input));
                return None;
            };
            let (text, key) = (&input[..end], input[end]);
            *input = &input[end + 1..];
            match key {
                BS | DEL => {
                    self.keep(text);
                    if !self.is_too_long {
                        erase(&mut self.partial);
                    }
                }
                // A NUL is content, unless it follows a CR that came before the peer was known to be telnet.
                0 if !(end == 0 && self.partial.last() == Some(&b'\r')) => {
                    self.keep(text);
                    self.keep(&[key]);
                }
                _ => {
                    if key == b'\r' {
                        self.mode = Mode::TelnetAfterCr;
                        self.skip_after_cr(input);
                    }
                    if self.partial.is_empty() {
                        self.partial = Vec::new(); // all of it was erased
                    }
                    return Some(self.complete(text));
                }
            }
        }
    }

    /// Drops a LF or NUL that belongs to the CR before it, as soon as there is a byte to tell.
    fn skip_after_cr(&mut self, input: &mut &[u8]) {
        if self.mode == Mode::TelnetAfterCr && !input.is_empty() {
            self.mode = Mode::Telnet;
            *input = input.strip_prefix(b"\n").or(input.strip_prefix(b"\0")).unwrap_or(input);
        }
    }

    /// The last line, when no more bytes will come: it needs no ending.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        self.renew();
        if self.partial.is_empty() && !self.is_too_long { None } else { Some(self.complete(&[])) }
    }

    /// How many lines end in `text`, about: for the log.
    #[must_use]
    pub fn endings(&self, text: &[u8]) -> usize {
        let line_feeds = memchr::memchr_iter(b'\n', text).count();
        match self.mode {
            Mode::Plain => line_feeds,
            Mode::Telnet | Mode::TelnetAfterCr => {
                let is_alone = |&cr: &usize| text.get(cr + 1) != Some(&b'\n');
                line_feeds + memchr::memchr_iter(b'\r', text).filter(is_alone).count()
            }
        }
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
            return; // the last byte stays the last
        }
        // One byte over the limit may be the CR of the ending; if anything else follows, the line is too long.
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
mod tests;
