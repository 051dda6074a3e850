//! A client as simple as nc.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::net::SendFlags;
use socket2::{Domain, Type};

use super::{DEADLINE, Server, Texts};

/// How many lines a failure shows.
const SHOWN_LINES: usize = 10;
/// And how much of each.
const SHOWN_CHARS: usize = 100;

/// A connection, as its user sees it.
#[derive(Debug)]
pub struct Client {
    pub stream: TcpStream,
    /// As the server announces it.
    pub addr: String,
    pub name: String,
    texts: &'static Texts,
    /// Received, from `taken` on not yet read.
    buffer: Vec<u8>,
    taken: usize,
    /// The last lines, for failures.
    seen: VecDeque<String>,
}

/// What there was to read.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Line(String),
    Eof,
    /// Nothing within the time.
    Silence,
    Reset,
}

/// How to connect.
#[derive(Debug, Default)]
pub(crate) struct Socket {
    pub(crate) from: Option<Ipv4Addr>,
    pub(crate) is_narrow: bool,
}

impl Client {
    #[track_caller]
    pub(crate) fn connect(server: &Server, socket: &Socket) -> Self {
        let mut client = Self::dial(server, socket);
        client.expect(&client.online());
        client
    }

    #[track_caller]
    pub(crate) fn dial(server: &Server, options: &Socket) -> Self {
        Self::dial_with(server.addr, server.texts, options)
    }

    /// Connects to a server that is no [`Server`].
    #[track_caller]
    pub fn dial_at(addr: SocketAddr, texts: &'static Texts) -> Self {
        Self::dial_with(addr, texts, &Socket::default())
    }

    #[track_caller]
    fn dial_with(server: SocketAddr, texts: &'static Texts, options: &Socket) -> Self {
        let socket = socket2::Socket::new(Domain::for_address(server), Type::STREAM, None).expect("a socket");
        if let Some(from) = options.from {
            socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address of ours");
        }
        if options.is_narrow {
            socket.set_recv_buffer_size(4096).expect("an option of SOL_SOCKET");
            // The kernel makes a send buffer of so many packets.
            socket.set_tcp_mss(1000).expect("a size above the least");
        }
        socket.connect_timeout(&server.into(), DEADLINE).expect("the server listens");
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).expect("TCP");
        stream.set_write_timeout(Some(DEADLINE)).expect("not zero");
        let addr = stream.local_addr().expect("connected").to_string();
        Self { stream, name: addr.clone(), addr, texts, buffer: Vec::new(), taken: 0, seen: VecDeque::new() }
    }

    /// Another handle on the same connection, to write to it from elsewhere.
    pub fn writer(&self) -> TcpStream {
        self.stream.try_clone().expect("a descriptor")
    }

    /// Sends a line.
    #[track_caller]
    pub fn say(&mut self, text: &str) {
        self.send(format!("{text}\n").as_bytes());
    }

    /// Sends just these bytes.
    #[track_caller]
    pub fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes) {
            panic!("{} can't send: {error}; {}", self.name, self.so_far());
        }
    }

    /// Sends just these bytes, the last of them as TCP's urgent data.
    #[track_caller]
    pub fn send_urgent(&mut self, bytes: &[u8]) {
        let sent = rustix::net::send(&self.stream, bytes, SendFlags::OOB).expect("connected");
        assert_eq!(sent, bytes.len(), "few bytes always fit");
    }

    /// Sends no more; reads on.
    pub fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).expect("connected");
    }

    /// Breaks off: the server gets an RST.
    pub fn reset(self) {
        let socket = socket2::Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("an option of SOL_SOCKET");
    }

    /// Reads the next line.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.hear(DEADLINE) {
            Heard::Line(line) => line,
            heard => panic!("{} waited for a line: {heard:?}; {}", self.name, self.so_far()),
        }
    }

    /// Reads the next line, which must be this one.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        match self.hear(DEADLINE) {
            Heard::Line(heard) if heard == line => {}
            heard => panic!("{} waited for {line:?}: {heard:?}; {}", self.name, self.so_far()),
        }
    }

    /// Reads up to this line and returns what comes before it.
    #[track_caller]
    pub fn expect_among(&mut self, line: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            match self.hear(DEADLINE) {
                Heard::Line(heard) if heard == line => return before,
                Heard::Line(heard) => before.push(heard),
                heard => panic!("{} waited for {line:?}: {heard:?}; {}", self.name, self.so_far()),
            }
        }
    }

    /// Asks for something that only this client is answered, and that comes after all that has happened so far. Returns
    /// what comes before.
    #[track_caller]
    pub fn fence(&mut self) -> Vec<String> {
        self.say("to|");
        self.expect_among(self.texts.private_form)
    }

    /// Nothing has come for this client that it has not read.
    #[track_caller]
    pub fn nothing(&mut self) {
        let before = self.fence();
        assert!(before.is_empty(), "{} was to hear nothing: {before:?}; {}", self.name, self.so_far());
    }

    /// The server has closed, in order, and has nothing more to say.
    #[track_caller]
    pub fn eof(&mut self) {
        let heard = self.hear(DEADLINE);
        assert!(heard == Heard::Eof, "{} waited for the end: {heard:?}; {}", self.name, self.so_far());
    }

    /// Reads all lines up to the end.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.hear(DEADLINE) {
                Heard::Line(line) => lines.push(line),
                Heard::Eof => return lines,
                heard => panic!("{} waited for the end: {heard:?}; {}", self.name, self.so_far()),
            }
        }
    }

    /// Takes a name.
    #[track_caller]
    pub fn rename(&mut self, name: &str) {
        self.say(&format!("rename|{name}"));
        self.expect_among(&self.texts.renamed(&self.name, name));
        name.clone_into(&mut self.name);
    }

    /// What everyone reads when this client says so.
    pub fn says(&self, text: &str) -> String {
        format!("[{}]{}:{text}", self.addr, self.name)
    }

    /// What everyone reads when it arrives.
    pub fn online(&self) -> String {
        self.says(self.texts.online)
    }

    /// What everyone else reads when it is gone.
    pub fn offline(&self) -> String {
        self.says(self.texts.offline)
    }

    /// Reads the next line, or what there is instead, within this time.
    #[track_caller]
    pub fn hear(&mut self, within: Duration) -> Heard {
        let until = Instant::now() + within;
        let mut searched = self.taken;
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let end = searched + length;
                let line = std::str::from_utf8(&self.buffer[self.taken..end]);
                let line =
                    line.unwrap_or_else(|_| panic!("the server's lines are UTF-8; {}", self.so_far())).to_owned();
                self.taken = end + 1;
                if self.seen.len() == SHOWN_LINES {
                    self.seen.pop_front();
                }
                self.seen.push_back(line.chars().take(SHOWN_CHARS).collect());
                return Heard::Line(line);
            }
            if self.taken > 0 {
                self.buffer.drain(..self.taken);
                self.taken = 0;
            }
            searched = self.buffer.len();
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).expect("not zero");
            let mut bytes = [0; 16 << 10];
            match self.stream.read(&mut bytes) {
                Ok(0) if self.buffer.is_empty() => return Heard::Eof,
                Ok(0) => panic!("{}: the last line has no ending; {}", self.name, self.so_far()),
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Heard::Silence;
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Heard::Reset,
                Err(error) => panic!("{} can't read: {error}; {}", self.name, self.so_far()),
            }
        }
    }

    fn so_far(&self) -> String {
        let begun = String::from_utf8_lossy(&self.buffer[self.taken..]);
        let begun: String = begun.chars().take(SHOWN_CHARS).collect();
        format!("so far: {:#?}, and unfinished: {begun:?}", self.seen)
    }
}
