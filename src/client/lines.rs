//! Lines of stdin or of the command line, encoded as lines of the wire. Whatever bytes are in one, it stays one line.

use std::io::{self, BufRead, BufReader, Read};

use pipechat::Config;

use super::stdio::Stdin;

/// The longest line that is sent, in bytes: the longest that a server can be told to accept. It bounds what an input without
/// line ends makes the client hold.
pub(super) const LINE_BYTES_MAX: usize = Config::LINE_BYTES_MAX;
/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// Where lines come from.
pub(super) struct Lines {
    source: BufReader<Box<dyn Read + Send>>,
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Line,
    TooLong,
    End,
}

impl Lines {
    pub(super) fn of_stdin() -> Self {
        Self::of(Box::new(Stdin))
    }

    pub(super) fn of_text(text: String) -> Self {
        Self::of(Box::new(io::Cursor::new(text)))
    }

    fn of(source: Box<dyn Read + Send>) -> Self {
        Self { source: BufReader::with_capacity(READ_BYTES, source) }
    }

    /// Appends the next line to `out`, with its LF, after `prefix`.
    pub(super) fn next(&mut self, prefix: &str, out: &mut Vec<u8>) -> io::Result<Input> {
        let mut line = Vec::new();
        let max = u64::try_from(LINE_BYTES_MAX).expect("small");
        if (&mut self.source).take(max + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(Input::End);
        }
        if line.pop_if(|&mut byte| byte == b'\n').is_none() && line.len() > LINE_BYTES_MAX {
            self.skip_line()?;
            return Ok(Input::TooLong);
        }
        out.extend_from_slice(prefix.as_bytes());
        push_line(out, &line);
        Ok(Input::Line)
    }

    /// Whether the next line is in the buffer, so that reading it does not block.
    pub(super) fn has_more(&self) -> bool {
        memchr::memchr(b'\n', self.source.buffer()).is_some()
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.source.fill_buf()?;
            let (taken, is_over) = match memchr::memchr(b'\n', bytes) {
                Some(end) => (end + 1, true),
                None => (bytes.len(), bytes.is_empty()),
            };
            self.source.consume(taken);
            if is_over {
                return Ok(());
            }
        }
    }
}

/// Appends `line` and an LF. On the wire a CR before a NUL would end the line, so it is left out, and 0xFF would begin
/// a telnet command, so it is doubled. The server then refuses the line for the NUL or the 0xFF in it.
fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    for (i, &byte) in line.iter().enumerate() {
        match byte {
            b'\r' if line[i..].iter().find(|&&byte| byte != b'\r') == Some(&0) => {}
            0xff => out.extend_from_slice(&[0xff, 0xff]),
            byte => out.push(byte),
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(input: &'static [u8]) -> (Vec<u8>, bool) {
        let (mut lines, mut out, mut is_whole) = (Lines::of(Box::new(input)), Vec::new(), true);
        loop {
            match lines.next("say|", &mut out).expect("memory") {
                Input::Line => {}
                Input::TooLong => is_whole = false,
                Input::End => return (out, is_whole),
            }
        }
    }

    #[test]
    fn each_line_stays_one() {
        for (input, out) in [
            (&b"a\nb"[..], &b"say|a\nsay|b\n"[..]),
            (b"", b""),
            (b"\n\n", b"say|\nsay|\n"),
            (b"a\r\n", b"say|a\r\n"),
            (b"a\r\0quit\n", b"say|a\0quit\n"),
            (b"a\r\r\0quit\n", b"say|a\0quit\n"),
            (b"\xff\xfa\n", b"say|\xff\xff\xfa\n"),
        ] {
            assert_eq!(wire(input), (out.to_vec(), true), "{input:?}");
        }
    }

    #[test]
    fn a_line_without_end_is_dropped_and_the_next_works() {
        for (length, is_whole) in [(LINE_BYTES_MAX, true), (LINE_BYTES_MAX + 1, false), (3 * LINE_BYTES_MAX, false)] {
            let input = [&vec![b'x'; length][..], b"\nnext\n"].concat();
            let (out, whole) = wire(input.leak());
            assert_eq!((whole, out.len() > LINE_BYTES_MAX), (is_whole, is_whole), "{length}");
            assert!(out.ends_with(b"say|next\n"));
        }
    }
}
