//! The body of a request, however it is cut into packets: what it says, without the sizes of its chunks. Holds at most the line
//! of one size.

use httparse::{InvalidChunkSize, Status, parse_chunk_size};

use super::{BodyLength, Problem};

/// The longest line before a chunk, with what may be said about it, and the longest one behind the last chunk.
const LINE_BYTES_MAX: usize = 256;
/// All that may come behind the last chunk.
const TRAILER_BYTES_MAX: usize = 8 << 10;

/// A body, as far as it has come.
#[derive(Debug)]
pub struct Body {
    state: State,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many bytes are left of the body, or of a chunk.
    Bytes {
        left: u64,
        is_chunk: bool,
    },
    /// The size of a chunk comes.
    Size,
    /// The line end behind a chunk comes.
    ChunkEnd,
    /// Fields come that nobody needs, after so many bytes of them.
    Trailer(usize),
    Ended,
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<'a> {
    /// What they say.
    pub text: &'a [u8],
    /// How many bytes were taken: none when the body has ended, or there are none.
    pub bytes: usize,
}

impl Body {
    /// A body of which nothing has come.
    #[must_use]
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Bytes(0) => State::Ended,
            BodyLength::Bytes(left) => State::Bytes { left, is_chunk: false },
            BodyLength::Chunked => State::Size,
        };
        Self { state, line: Vec::new() }
    }

    /// Whether all of it has come.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Takes some of these bytes.
    ///
    /// # Errors
    /// What is wrong with a chunk: the connection cannot go on.
    pub fn take<'a>(&mut self, bytes: &'a [u8]) -> Result<Taken<'a>, Problem> {
        match self.state {
            State::Ended => Ok(Taken { text: &[], bytes: 0 }),
            State::Bytes { left, is_chunk } => {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                self.state = match left - taken as u64 {
                    0 if is_chunk => State::ChunkEnd,
                    0 => State::Ended,
                    left => State::Bytes { left, is_chunk },
                };
                Ok(Taken { text: &bytes[..taken], bytes: taken })
            }
            State::Size | State::ChunkEnd | State::Trailer(_) => {
                let taken = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| end + 1);
                if self.line.len() + taken > LINE_BYTES_MAX {
                    return Err(Problem::Malformed);
                }
                self.line.extend_from_slice(&bytes[..taken]);
                if self.line.ends_with(b"\n") {
                    self.end_line()?;
                    self.line = Vec::new();
                }
                Ok(Taken { text: &[], bytes: taken })
            }
        }
    }

    fn end_line(&mut self) -> Result<(), Problem> {
        let line = self.line.strip_suffix(b"\r\n").ok_or(Problem::Malformed)?;
        self.state = match self.state {
            // httparse takes no digits for 0.
            State::Size if !line.first().is_some_and(u8::is_ascii_hexdigit) => return Err(Problem::Malformed),
            State::Size => match parse_chunk_size(&self.line) {
                Ok(Status::Complete((_, 0))) => State::Trailer(0),
                Ok(Status::Complete((_, left))) => State::Bytes { left, is_chunk: true },
                Ok(Status::Partial) | Err(InvalidChunkSize) => return Err(Problem::Malformed),
            },
            State::ChunkEnd if line.is_empty() => State::Size,
            State::ChunkEnd => return Err(Problem::Malformed),
            State::Trailer(_) if line.is_empty() => State::Ended,
            State::Trailer(before) if before + line.len() > TRAILER_BYTES_MAX => return Err(Problem::HeadTooLong),
            State::Trailer(before) => State::Trailer(before + line.len()),
            State::Bytes { .. } | State::Ended => self.state,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body says that comes in pieces of so many bytes, and what is left behind it.
    fn read(length: BodyLength, bytes: &[u8], piece: usize) -> Result<(String, Vec<u8>), Problem> {
        let (mut body, mut text, mut at) = (Body::new(length), Vec::new(), 0);
        while at < bytes.len() && !body.has_ended() {
            let taken = body.take(&bytes[at..bytes.len().min(at + piece)])?;
            assert!(taken.bytes > 0, "it goes on");
            text.extend_from_slice(taken.text);
            at += taken.bytes;
            assert!(body.line.len() <= LINE_BYTES_MAX);
        }
        if !body.has_ended() {
            text.extend_from_slice(" …".as_bytes());
        }
        Ok((String::from_utf8(text).expect("UTF-8"), bytes[at..].to_vec()))
    }

    fn chunks(bytes: &str) -> Result<String, Problem> {
        let all = (1..=bytes.len()).map(|piece| read(BodyLength::Chunked, bytes.as_bytes(), piece));
        let mut all: Vec<_> = all.map(|read| read.map(|(text, _)| text)).collect();
        all.dedup();
        assert_eq!(all.len(), 1, "{bytes:?} means the same however it is cut");
        all.remove(0)
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        for piece in 1..20 {
            let read = |length| read(BodyLength::Bytes(length), b"build greenGET /", piece);
            assert_eq!(read(11), Ok(("build green".to_owned(), b"GET /".to_vec())));
            assert_eq!(read(0), Ok((String::new(), b"build greenGET /".to_vec())));
            assert_eq!(read(99), Ok(("build greenGET / …".to_owned(), Vec::new())));
        }
    }

    #[test]
    fn chunks_are_one_text() {
        for (bytes, text) in [
            ("5\r\nbuild\r\n6\r\n green\r\n0\r\n\r\n", "build green"),
            ("B;name=value\r\nbuild green\r\n00\r\nX: y\r\nZ: \r\n\r\n", "build green"),
            ("0\r\n\r\n", ""),
            ("5\r\nbui", "bui …"),
            ("5\r\nbuild\r\n", "build …"),
        ] {
            assert_eq!(chunks(bytes), Ok(text.to_owned()), "{bytes:?}");
        }
        let (_, rest) = read(BodyLength::Chunked, b"1\r\nx\r\n0\r\n\r\nGET /", 99).expect("a body");
        assert_eq!(rest, b"GET /");
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bytes in [
            "5\nbuild\r\n0\r\n\r\n",
            "5\r\nbuild\n0\r\n\r\n",
            "5\r\nbuildx\r\n0\r\n\r\n",
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "11111111111111111\r\n",
            "0\r\n\n",
            &format!("5{}\r\n", " ".repeat(LINE_BYTES_MAX)),
        ] {
            assert_eq!(chunks(bytes), Err(Problem::Malformed), "{bytes:?}");
        }
        let trailer = format!("0\r\n{}", "X: y\r\n".repeat(TRAILER_BYTES_MAX / 4 + 1));
        assert_eq!(read(BodyLength::Chunked, trailer.as_bytes(), 999).map(drop), Err(Problem::HeadTooLong));
    }
}
