//! A client of HTTP as simple as can be, on a blocking socket: it sends the bytes that a test gives it, cut where that wants it.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

use common::DEADLINE;

use crate::events::{short, short_all};

/// A connection, and what has come over it.
pub(crate) struct Conn {
    pub(crate) stream: TcpStream,
    /// Received, and not understood yet.
    raw: Vec<u8>,
    /// Of the body of the answer, not taken yet.
    body: Vec<u8>,
    left: Left,
}

/// What is left of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Bytes(usize),
    /// So many bytes of a chunk, and its line end.
    Chunk(usize),
    /// The size of a chunk.
    Size,
    /// All up to the end of the connection.
    Open,
}

/// How a body has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Whole,
    /// The connection has ended before.
    BrokenOff,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A request as most clients make it.
pub(crate) fn request(method: &str, target: &str, fields: &[&str], body: &str) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}{length}\r\n{body}")
}

impl Conn {
    #[track_caller]
    pub(crate) fn open(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).expect("the server listens"))
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a time");
        stream.set_write_timeout(Some(DEADLINE)).expect("a time");
        stream.set_nodelay(true).expect("TCP");
        Self { stream, raw: Vec::new(), body: Vec::new(), left: Left::Open }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("it is connected");
    }

    /// Sends a piece of a body whose length is not known.
    #[track_caller]
    pub(crate) fn send_chunk(&mut self, text: &str) {
        self.send(format!("{:x}\r\n{text}\r\n", text.len()));
    }

    /// Asks, and reads the answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, target: &str, fields: &[&str], body: &str) -> Answer {
        self.send(request(method, target, fields, body));
        self.answer(method != "HEAD")
    }

    /// Reads a whole answer, whose body must be whole too.
    #[track_caller]
    pub(crate) fn answer(&mut self, has_body: bool) -> Answer {
        let head = self.head();
        if !has_body {
            self.left = Left::Bytes(0);
        }
        let end = self.read_body();
        let body = String::from_utf8(std::mem::take(&mut self.body)).expect("UTF-8");
        assert_eq!(end, End::Whole, "{head:?} {body}");
        Answer { status: head.status, head, body }
    }

    /// Reads a head.
    #[track_caller]
    pub(crate) fn head(&mut self) -> Head {
        let length = loop {
            if let Some(at) = self.raw.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill(), "a head comes, not only {:?}", String::from_utf8_lossy(&self.raw));
        };
        let text = String::from_utf8(self.raw.drain(..length).collect()).expect("UTF-8");
        let mut lines = text.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status line");
        let status = status[..3].parse().expect("a status");
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let head = Head { status, fields: lines.map(|line| field(line).expect("a field")).collect() };
        self.left = match (head.get("Transfer-Encoding"), head.get("Content-Length")) {
            (Some(coding), None) => {
                assert_eq!(coding, "chunked");
                Left::Size
            }
            (None, Some(length)) => Left::Bytes(length.parse().expect("a length")),
            (None, None) if matches!(status, 100 | 204 | 304) => Left::Bytes(0),
            (None, None) => Left::Open,
            both => panic!("two ends: {both:?}"),
        };
        head
    }

    /// Reads the next line of the body, without its ending.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.body.iter().position(|&byte| byte == b'\n') {
                let line = self.body.drain(..=end).collect();
                return String::from_utf8(line).expect("UTF-8").trim_end_matches('\n').to_owned();
            }
            let end = self.step();
            assert_eq!(end, None, "a line comes, not only {:?}", String::from_utf8_lossy(&self.body));
        }
    }

    /// The next byte of the body.
    #[track_caller]
    pub(crate) fn byte(&mut self) -> u8 {
        while self.body.is_empty() {
            assert_eq!(self.step(), None, "a byte comes");
        }
        self.body.remove(0)
    }

    /// The same of an object, in short.
    #[track_caller]
    pub(crate) fn event(&mut self) -> String {
        short(&self.line())
    }

    /// The next server-sent event: its id, and its data in short. Comments are passed over.
    #[track_caller]
    pub(crate) fn sse(&mut self) -> (String, String) {
        let mut id = String::new();
        loop {
            let line = self.line();
            if let Some(n) = line.strip_prefix("id: ") {
                n.clone_into(&mut id);
            } else if let Some(data) = line.strip_prefix("data: ") {
                assert_eq!(self.line(), "");
                return (id, short(data));
            } else {
                assert!(matches!(&*line, ":" | ""), "{line:?} is no event");
            }
        }
    }

    /// Server-sent events up to this one, which is among them.
    #[track_caller]
    pub(crate) fn sse_up_to(&mut self, last: &str) -> Vec<(String, String)> {
        let mut events = vec![self.sse()];
        while events[events.len() - 1].1 != last {
            events.push(self.sse());
        }
        events
    }

    /// Reads what is left of the body.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> (String, End) {
        let end = self.read_body();
        (String::from_utf8(std::mem::take(&mut self.body)).expect("UTF-8"), end)
    }

    /// The server has closed the connection, and has sent nothing more.
    #[track_caller]
    pub(crate) fn eof(&mut self) {
        let is_open = self.fill();
        assert!(!is_open && self.raw.is_empty(), "the end comes, not {:?}", String::from_utf8_lossy(&self.raw));
    }

    fn read_body(&mut self) -> End {
        loop {
            if let Some(end) = self.step() {
                return end;
            }
        }
    }

    /// Takes something of the body. Answers how that has ended, if it has.
    fn step(&mut self) -> Option<End> {
        match self.left {
            Left::Bytes(0) => return Some(End::Whole),
            Left::Bytes(left) if !self.raw.is_empty() => {
                let taken = left.min(self.raw.len());
                self.body.extend(self.raw.drain(..taken));
                self.left = Left::Bytes(left - taken);
                return None;
            }
            Left::Open if !self.raw.is_empty() => {
                self.body.append(&mut self.raw);
                return None;
            }
            Left::Chunk(size) if self.raw.len() >= size + 2 => {
                let end = self.raw.split_off(size);
                self.body.append(&mut self.raw);
                self.raw = end.strip_prefix(b"\r\n").expect("a line end behind a chunk").to_vec();
                self.left = Left::Size;
                return None;
            }
            Left::Size => {
                if let Some(at) = self.raw.windows(2).position(|end| end == b"\r\n") {
                    let size: Vec<u8> = self.raw.drain(..at + 2).collect();
                    let size = String::from_utf8(size).expect("digits");
                    let size = usize::from_str_radix(size.trim_end(), 16).expect("the size of a chunk");
                    self.left = if size > 0 { Left::Chunk(size) } else { Left::Bytes(0) };
                    if size == 0 {
                        while self.raw.len() < 2 {
                            assert!(self.fill(), "the end of the last chunk");
                        }
                        assert_eq!(self.raw.drain(..2).collect::<Vec<_>>(), b"\r\n");
                    }
                    return None;
                }
            }
            Left::Bytes(_) | Left::Open | Left::Chunk(_) => {}
        }
        match (self.fill(), self.left) {
            (true, _) => None,
            (false, Left::Open) => Some(End::Whole),
            (false, _) => Some(End::BrokenOff),
        }
    }

    /// Reads more. Answers whether the connection is still open.
    #[track_caller]
    fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 << 10];
        match self.stream.read(&mut bytes) {
            Ok(read) => {
                self.raw.extend_from_slice(&bytes[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => panic!("nothing comes: {error}; so far: {:?}", String::from_utf8_lossy(&self.raw)),
        }
    }
}

impl Head {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} twice");
        value
    }
}

impl Answer {
    /// Its lines, in short.
    pub(crate) fn events(&self) -> Vec<String> {
        short_all(&self.body)
    }

    /// Its status, and its lines in short.
    pub(crate) fn said(&self) -> String {
        format!("{} {}", self.status, self.events().join("; ")).trim_end().to_owned()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }
}
