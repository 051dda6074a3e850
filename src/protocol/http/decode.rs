//! Requests and the lines of their bodies, out of bytes, however those are cut into packets. Holds at most one head, one line, and
//! what was received at once.

use super::{Body, Head, Parsed, Problem};
use crate::protocol::{
    FormError,
    line::{Frame, Framer},
};

/// What a client sends over one connection, request by request.
#[derive(Debug)]
pub struct Requests {
    /// Received, and not taken from `at` on.
    bytes: Vec<u8>,
    at: usize,
    state: State,
    /// The longest line, in bytes.
    line_max: usize,
}

#[derive(Debug)]
enum State {
    /// A head comes.
    Head,
    /// Lines come.
    Body(Box<(Body, Framer)>),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// It has not come yet.
    Incomplete,
    /// A request begins.
    Head(Box<Head>),
    /// A line of its body, if it is one; the last one needs no ending.
    Line(Result<String, FormError>),
    /// Its body has ended, and with it the request.
    End,
}

impl Requests {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(line_max: usize) -> Self {
        Self { bytes: Vec::new(), at: 0, state: State::Head, line_max }
    }

    /// The client has sent these bytes.
    pub fn received(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part of what was received.
    ///
    /// # Errors
    /// Why it cannot be understood, nor what follows it.
    pub fn take(&mut self) -> Result<Item, Problem> {
        let item = match &mut self.state {
            State::Head => match Head::parse(&self.bytes[self.at..])? {
                Parsed::Incomplete => Item::Incomplete,
                Parsed::Complete(head, length) => {
                    self.at += length;
                    self.state = State::Body(Box::new((Body::new(head.length), Framer::new(self.line_max))));
                    Item::Head(head)
                }
            },
            State::Body(body) => {
                let (body, framer) = &mut **body;
                let found = next_line(body, framer, &self.bytes, &mut self.at, self.line_max)?;
                match found {
                    Some(line) => Item::Line(line),
                    None if body.has_ended() => match framer.finish() {
                        Some(frame) => Item::Line(text_of(&frame, self.line_max)),
                        None => {
                            self.state = State::Head;
                            Item::End
                        }
                    },
                    None => Item::Incomplete,
                }
            }
        };
        if self.at == self.bytes.len() {
            (self.bytes, self.at) = (Vec::new(), 0); // one who has sent nothing more holds nothing
        }
        Ok(item)
    }

    /// Whether a request has begun whose head is not complete.
    #[must_use]
    pub fn is_within_head(&self) -> bool {
        matches!(self.state, State::Head) && self.at < self.bytes.len()
    }

    /// Whether the last request has ended.
    #[must_use]
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Head)
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let body = match &self.state {
            State::Head => 0,
            State::Body(body) => size_of::<(Body, Framer)>() + body.1.held_bytes(),
        };
        self.bytes.capacity() + body
    }
}

/// Takes bytes of a body until they end a line, or there are none.
fn next_line(
    body: &mut Body,
    framer: &mut Framer,
    bytes: &[u8],
    at: &mut usize,
    line_max: usize,
) -> Result<Option<Result<String, FormError>>, Problem> {
    while *at < bytes.len() && !body.has_ended() {
        let rest = &bytes[*at..];
        // A line ends with LF, or telnet's CR NUL: at most one does here.
        let end = memchr::memchr2(b'\n', 0, rest).map_or(rest.len(), |end| end + 1);
        let taken = body.take(&rest[..end])?;
        *at += taken.bytes;
        if let Some(frame) = framer.next(&mut { taken.text }) {
            return Ok(Some(text_of(&frame, line_max)));
        }
    }
    Ok(None)
}

/// What a line says.
fn text_of(frame: &Frame<'_>, line_max: usize) -> Result<String, FormError> {
    let line = match frame {
        Frame::Line(line) => line,
        Frame::TooLong => return Err(FormError::TooLong(line_max)),
    };
    let text = str::from_utf8(line).map_err(|_| FormError::NotUtf8)?;
    if text.contains('\0') { Err(FormError::Nul) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE_MAX: usize = 20;

    /// What comes of bytes that are cut into pieces of this size.
    fn items(bytes: &[u8], piece: usize) -> Vec<String> {
        let mut requests = Requests::new(LINE_MAX);
        let mut items = Vec::new();
        for piece in bytes.chunks(piece) {
            requests.received(piece);
            loop {
                match requests.take() {
                    Ok(Item::Incomplete) => break,
                    Ok(Item::Head(head)) => items.push(format!("{:?} /{}", head.method, head.target.path.join("/"))),
                    Ok(Item::Line(Ok(text))) => items.push(text),
                    Ok(Item::Line(Err(error))) => items.push(error.code().to_owned()),
                    Ok(Item::End) => items.push("end".to_owned()),
                    Err(problem) => {
                        items.push(problem.code().to_owned());
                        return items;
                    }
                }
            }
            assert!(requests.held_bytes() < 4 * super::super::HEAD_BYTES_MAX);
        }
        items
    }

    #[test]
    fn requests_and_their_lines_are_the_same_however_they_are_cut() {
        let bytes = b"POST /rooms/a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\none\r\ntwo\nend\
            GET /rooms HTTP/1.1\r\nHost: a\r\n\r\n\
            PUT /rooms/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\none\r\n2\r\n\nt\r\n4\r\nwo\n\xff\r\n1\r\n\n\r\n1e\r\n123456789 123456789 123456789 \r\n0\r\n\r\n\
            GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n";
        let expected = [
            "Post /rooms/a",
            "one",
            "two",
            "end",
            "end",
            "Get /rooms",
            "end",
            "Put /rooms/b",
            "one",
            "two",
            "not-utf8",
            "line-too-long",
            "end",
            "Get /",
            "end",
            "malformed",
        ];
        for piece in 1..=bytes.len() {
            assert_eq!(items(bytes, piece), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_body_that_is_no_chunk_ends_the_conversation() {
        let bytes = b"PUT /rooms/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\n\r\n";
        for piece in 1..=bytes.len() {
            assert_eq!(items(bytes, piece), ["Put /rooms/b", "malformed"]);
        }
    }

    #[test]
    fn it_knows_where_it_is_and_what_it_holds() {
        let mut requests = Requests::new(LINE_MAX);
        assert!(requests.is_between() && !requests.is_within_head() && requests.held_bytes() == 0);
        let head = b"POST /rooms/a HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n";
        requests.received(&head[..20]);
        assert_eq!(requests.take(), Ok(Item::Incomplete));
        assert!(requests.is_between() && requests.is_within_head());
        assert!((20..64).contains(&requests.held_bytes()));
        requests.received(&head[20..]);
        requests.received(b"one\n12345");
        assert!(matches!(requests.take(), Ok(Item::Head(_))));
        assert!(!requests.is_between() && !requests.is_within_head());
        assert_eq!(requests.take(), Ok(Item::Line(Ok("one".to_owned()))));
        assert_eq!(requests.take(), Ok(Item::Incomplete));
        let beside = size_of::<(Body, Framer)>();
        assert!((beside + 5..beside + 64).contains(&requests.held_bytes()), "the beginning of a line");
        requests.received(b"678");
        assert_eq!(requests.take(), Ok(Item::Line(Ok("12345678".to_owned()))));
        assert_eq!(requests.take(), Ok(Item::End));
        assert!(requests.is_between() && !requests.is_within_head() && requests.held_bytes() == 0);
    }
}
