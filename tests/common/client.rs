//! A client as simple as nc.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use rustix::net::SendFlags;
use socket2::{Domain, Type};

use super::{DEADLINE, Server, Texts, position::is_expected};

/// The most lines that a failure shows.
const SHOWN_LINES: usize = 10;
/// The most characters of each that it shows.
const SHOWN_CHARS: usize = 100;

/// A connection and what has been received on it.
#[derive(Debug)]
pub struct Client {
    pub stream: TcpStream,
    /// Its own address, as the server announces it.
    pub addr: String,
    pub name: String,
    texts: &'static Texts,
    /// What was received; from `taken` on, no line has been read yet.
    buffer: Vec<u8>,
    taken: usize,
    /// The last lines, shown when a test fails.
    seen: VecDeque<String>,
}

/// What was received.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    Line(String),
    Eof,
    /// The connection has ended in the middle of this line.
    Unfinished(String),
    /// Nothing came in time.
    Nothing,
    Reset,
}

/// How a client connects.
#[derive(Debug, Default)]
pub(crate) struct Socket {
    pub(crate) from: Option<Ipv4Addr>,
    pub(crate) is_narrow: bool,
}

impl Client {
    #[track_caller]
    pub(crate) fn connect(server: &Server, socket: &Socket) -> Self {
        let mut client = Self::dial(server, socket);
        client.send(b"\n"); // so that it is announced at once
        client.expect(&client.online());
        client
    }

    #[track_caller]
    pub(crate) fn dial(server: &Server, options: &Socket) -> Self {
        Self::dial_with(server.addr, server.texts, options)
    }

    /// Connects to a server that is not a [`Server`] of this crate.
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
            // The kernel sizes a send buffer by packets.
            socket.set_tcp_mss(1000).expect("a size above the least");
        }
        socket.connect_timeout(&server.into(), DEADLINE).expect("the server listens");
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).expect("TCP");
        stream.set_write_timeout(Some(DEADLINE)).expect("not zero");
        let addr = stream.local_addr().expect("connected").to_string();
        Self { stream, name: addr.clone(), addr, texts, buffer: Vec::new(), taken: 0, seen: VecDeque::new() }
    }

    /// Another handle on the same connection, to write to it from another thread.
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

    /// Sends a FIN; reads on.
    pub fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).expect("connected");
    }

    /// Closes with an RST.
    pub fn reset(self) {
        let socket = socket2::Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("an option of SOL_SOCKET");
    }

    /// Reads the next line.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.receive(DEADLINE) {
            Received::Line(line) => line,
            heard => panic!("{} waited for a line: {heard:?}; {}", self.name, self.so_far()),
        }
    }

    /// Reads the next line, which must be this one. The epoch of a position may be written `.EPOCH`.
    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        match self.receive(DEADLINE) {
            Received::Line(heard) if is_expected(line, &heard) => {}
            heard => panic!("{} waited for {line:?}: {heard:?}; {}", self.name, self.so_far()),
        }
    }

    /// Reads up to this line and returns what comes before it.
    #[track_caller]
    pub fn expect_among(&mut self, line: &str) -> Vec<String> {
        let mut before = Vec::new();
        loop {
            match self.receive(DEADLINE) {
                Received::Line(heard) if is_expected(line, &heard) => return before,
                Received::Line(heard) => before.push(heard),
                heard => panic!("{} waited for {line:?}: {heard:?}; {}", self.name, self.so_far()),
            }
        }
    }

    /// Sends a command that only this client is answered. Returns what comes before the answer, which is everything
    /// that the server has sent so far.
    #[track_caller]
    pub fn fence(&mut self) -> Vec<String> {
        self.say("to|");
        self.expect_among(self.texts.private_form)
    }

    /// The same in any language and format: returns what comes before the line that has the answer in it.
    #[track_caller]
    pub fn fence_anywhere(&mut self) -> Vec<String> {
        self.say("sync|fence");
        let mut before = Vec::new();
        loop {
            let line = self.line();
            if line.contains("fence") {
                return before;
            }
            before.push(line);
        }
    }

    /// The server has sent nothing that this client has not read.
    #[track_caller]
    pub fn nothing(&mut self) {
        let before = self.fence();
        assert!(before.is_empty(), "{} should have received nothing: {before:?}; {}", self.name, self.so_far());
    }

    /// The server has closed the connection with a FIN, and has sent nothing more.
    #[track_caller]
    pub fn eof(&mut self) {
        let heard = self.receive(DEADLINE);
        assert!(heard == Received::Eof, "{} waited for the end: {heard:?}; {}", self.name, self.so_far());
    }

    /// Reads all lines up to the end.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            match self.receive(DEADLINE) {
                Received::Line(line) => lines.push(line),
                Received::Eof => return lines,
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

    /// The line that everyone reads when this client says `text`.
    pub fn says(&self, text: &str) -> String {
        format!("[{}]{}:{text}", self.addr, self.name)
    }

    /// The line that those in a room read when this client says `text` there.
    pub fn says_in(&self, room: &str, text: &str) -> String {
        format!("#{room} {}", self.says(text))
    }

    /// Joins a room. The others in it have still to read so.
    #[track_caller]
    pub fn join(&mut self, room: &str) {
        self.say(&format!("join|{room}"));
        let answer = format!("join|ok|{room}|");
        while !self.line().starts_with(&answer) {}
    }

    /// The line that announces its arrival.
    pub fn online(&self) -> String {
        self.says(self.texts.online)
    }

    /// The line that tells the others its first name.
    pub fn known_as(&self) -> String {
        self.texts.known_as(&self.addr, &self.addr, &self.name)
    }

    /// The line that announces its departure.
    pub fn offline(&self) -> String {
        self.says(self.texts.offline)
    }

    /// Waits this long for the next line.
    #[track_caller]
    pub fn receive(&mut self, within: Duration) -> Received {
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
                return Received::Line(line);
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
                Ok(0) if self.buffer.is_empty() => return Received::Eof,
                Ok(0) => return Received::Unfinished(String::from_utf8_lossy(&self.buffer).into_owned()),
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Received::Nothing;
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Received::Reset,
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
