//! The load generator: many client sockets on one thread, over one epoll.
//!
//! It counts what comes in, by a marker byte, and keeps nothing of it but each client's last few bytes, to show
//! when a client is cut off. It allocates nothing per delivery. Knows nothing of what the bytes mean, except how
//! to answer a ping.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use crate::watchdog::{PATIENCE, Watchdog};

/// One `recv` takes at most this much; shared by all clients, small enough for the L2 cache.
const READ_BYTES: usize = 256 * 1024;
/// Events of one turn. More wait for the next.
const EVENTS: usize = 1024;
/// Connections opened between two reads.
const CONNECTS_PER_TURN: usize = 64;
/// Connections from one loopback address: it has 28,232 ports by default, and some may be in TIME_WAIT.
const CLIENTS_PER_SOURCE: usize = 10_000;
/// What is kept of the last bytes that a client heard.
const TAIL_BYTES: usize = 96;
/// How long a turn lasts in which nothing comes in.
pub(crate) const TURN: Duration = Duration::from_millis(100);

/// How a server asks whether a client is alive, and what it wants to hear.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ping {
    /// At the beginning of a line.
    pub(crate) ask: &'static [u8],
    pub(crate) answer: &'static [u8],
    /// A byte of `ask` that no other traffic has: looking for it is cheap.
    pub(crate) rare: u8,
}

/// The clients of one server, and all that they have heard.
pub(crate) struct Crowd {
    server: SocketAddrV4,
    ping: Option<Ping>,
    epoll: OwnedFd,
    clients: Vec<Client>,
    /// Clients that have heard anything at all.
    greeted: usize,
    /// Bytes that all clients have heard.
    bytes: u64,
    /// The byte that is counted.
    marker: u8,
    /// Markers that all clients have heard.
    marks: u64,
    /// When each marker was heard, while that is wanted.
    stamps: Option<Vec<Instant>>,
    read: Box<[u8]>,
    events: Vec<epoll::Event>,
}

#[derive(Debug)]
struct Client {
    socket: OwnedFd,
    bytes: u64,
    marks: u64,
    /// What a full socket did not take. While there is any, epoll waits for room.
    unsent: Vec<u8>,
    tail: [u8; TAIL_BYTES],
    tail_len: usize,
}

impl Crowd {
    pub(crate) fn new(server: SocketAddrV4, ping: Option<Ping>, marker: u8) -> io::Result<Self> {
        Ok(Self {
            server,
            ping,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            greeted: 0,
            bytes: 0,
            marker,
            marks: 0,
            stamps: None,
            read: vec![0; READ_BYTES].into(),
            events: Vec::with_capacity(EVENTS),
        })
    }

    /// Lets those who join from now on go to another place of the same server.
    pub(crate) fn go_to(&mut self, place: SocketAddrV4) {
        self.server = place;
    }

    /// Markers that all clients together have heard.
    pub(crate) fn marks(&self) -> u64 {
        self.marks
    }

    /// Markers that one client has heard.
    pub(crate) fn marks_of(&self, client: usize) -> u64 {
        self.clients[client].marks
    }

    /// Bytes that one client has heard.
    pub(crate) fn bytes_of(&self, client: usize) -> u64 {
        self.clients[client].bytes
    }

    /// Counts another byte from now on, from 0.
    pub(crate) fn count(&mut self, marker: u8) {
        self.marker = marker;
        self.restart_count();
    }

    /// Counts from 0 again. Nothing may be on its way.
    pub(crate) fn restart_count(&mut self) {
        self.marks = 0;
        self.clients.iter_mut().for_each(|client| client.marks = 0);
    }

    /// Connects `more` clients and says `greeting` as each. At most `at_once` of them are on their way, that is,
    /// have not heard anything yet; what comes in is read meanwhile. Returns when all have heard something.
    pub(crate) fn join(&mut self, more: usize, at_once: usize, greeting: impl Fn(usize) -> String) -> io::Result<()> {
        let all = self.clients.len() + more;
        let mut watchdog = Watchdog::new();
        while self.greeted < all {
            let on_their_way = self.clients.len() - self.greeted;
            let room = at_once.saturating_sub(on_their_way).min(CONNECTS_PER_TURN);
            for _ in 0..room.min(all - self.clients.len()) {
                self.connect(greeting(self.clients.len()).into_bytes())?;
            }
            let may_connect = self.clients.len() < all && room == CONNECTS_PER_TURN;
            let heard = self.turn(if may_connect { Duration::ZERO } else { TURN })?;
            watchdog.look(heard + room as u64, || {
                format!("of {all} clients, {} have heard something after their arrival", self.greeted)
            })?;
        }
        Ok(())
    }

    /// Says `bytes` as `client`. What the socket does not take goes out as soon as there is room.
    pub(crate) fn say(&mut self, client: usize, bytes: &[u8]) -> io::Result<()> {
        let speaker = &mut self.clients[client];
        if !speaker.unsent.is_empty() {
            speaker.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let taken = match net::send(&speaker.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(taken) => taken,
            Err(Errno::AGAIN) => 0,
            // The next read tells of it, with what was heard last.
            Err(Errno::PIPE | Errno::CONNRESET) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if taken < bytes.len() {
            speaker.unsent.extend_from_slice(&bytes[taken..]);
            watch(&self.epoll, &speaker.socket, client, EventFlags::IN | EventFlags::OUT)?;
        }
        Ok(())
    }

    /// Waits at most `patience` for something to come in, and reads all that is ready.
    /// Returns how many bytes that was.
    pub(crate) fn turn(&mut self, patience: Duration) -> io::Result<u64> {
        let before = self.bytes;
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timespec(patience))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let (data, flags) = (event.data, event.flags);
            let client = usize::try_from(data.u64()).expect("clients are indices");
            if flags.contains(EventFlags::OUT) {
                self.flush(client)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.hear(client)?;
            }
        }
        self.events = events;
        Ok(self.bytes - before)
    }

    /// Reads until `marks` markers have been heard. More are an error as well.
    pub(crate) fn await_marks(&mut self, marks: u64) -> io::Result<()> {
        let mut watchdog = Watchdog::new();
        while self.marks < marks {
            let heard = self.turn(TURN)?;
            watchdog.look(heard, || format!("{} of {marks} deliveries have come", self.marks))?;
        }
        if self.marks > marks {
            return Err(io::Error::other(format!("{} deliveries came, expected {marks}", self.marks)));
        }
        Ok(())
    }

    /// Reads until nothing has come in for `still`.
    pub(crate) fn await_quiet(&mut self, still: Duration) -> io::Result<()> {
        let deadline = Instant::now() + 4 * PATIENCE;
        let mut since = Instant::now();
        while since.elapsed() < still {
            if self.turn(still)? > 0 {
                since = Instant::now();
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("the server does not become quiet"));
            }
        }
        Ok(())
    }

    /// Notes when each marker is heard, until `stamps` is called. Makes room for `expected` of them.
    pub(crate) fn stamp(&mut self, mut stamps: Vec<Instant>, expected: usize) {
        stamps.clear();
        stamps.reserve(expected);
        self.stamps = Some(stamps);
    }

    /// The moments noted since `stamp`, in order.
    pub(crate) fn stamps(&mut self) -> Vec<Instant> {
        self.stamps.take().unwrap_or_default()
    }

    fn connect(&mut self, greeting: Vec<u8>) -> io::Result<()> {
        let number = self.clients.len();
        let socket = net::socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            None,
        )?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if number >= CLIENTS_PER_SOURCE {
            let host = 1 + u8::try_from(number / CLIENTS_PER_SOURCE).map_err(io::Error::other)?;
            net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0))?;
        }
        match net::connect(&socket, &self.server) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        // The greeting goes out as soon as the socket is writable, that is, connected.
        let flags = if greeting.is_empty() { EventFlags::IN } else { EventFlags::IN | EventFlags::OUT };
        epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), flags)?;
        let (tail, tail_len) = ([0; TAIL_BYTES], 0);
        self.clients.push(Client { socket, bytes: 0, marks: 0, unsent: greeting, tail, tail_len });
        Ok(())
    }

    fn hear(&mut self, number: usize) -> io::Result<()> {
        let client = &mut self.clients[number];
        let heard = match net::recv(&client.socket, &mut *self.read, RecvFlags::empty()) {
            Ok((0, _)) => return Err(client.cut_off(number, "the server closed the connection")),
            Ok((n, _)) => &self.read[..n],
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(client.cut_off(number, &error.to_string())),
        };
        if client.bytes == 0 {
            self.greeted += 1;
        }
        let marks = occurrences(heard, self.marker);
        client.bytes += heard.len() as u64;
        client.marks += marks;
        client.keep_tail(heard);
        self.bytes += heard.len() as u64;
        self.marks += marks;
        if let Some(stamps) = &mut self.stamps {
            let now = Instant::now();
            stamps.extend((0..marks).map(|_| now));
        }
        if let Some(ping) = self.ping
            && occurrences(heard, ping.rare) > 0
            && heard.split(|byte| *byte == b'\n').any(|line| line.starts_with(ping.ask))
        {
            self.say(number, ping.answer)?;
        }
        Ok(())
    }

    fn flush(&mut self, number: usize) -> io::Result<()> {
        let client = &mut self.clients[number];
        // A broken socket shows itself to `hear`.
        let taken = net::send(&client.socket, &client.unsent, SendFlags::NOSIGNAL).unwrap_or(0);
        client.unsent.drain(..taken);
        if client.unsent.is_empty() {
            watch(&self.epoll, &client.socket, number, EventFlags::IN)?;
        }
        Ok(())
    }
}

impl Client {
    fn keep_tail(&mut self, heard: &[u8]) {
        let kept = &heard[heard.len().saturating_sub(TAIL_BYTES)..];
        self.tail[..kept.len()].copy_from_slice(kept);
        self.tail_len = kept.len();
    }

    fn cut_off(&self, number: usize, how: &str) -> io::Error {
        let last = String::from_utf8_lossy(&self.tail[..self.tail_len]);
        io::Error::other(format!("client {number}: {how} after {} bytes; it heard last: {last:?}", self.bytes))
    }
}

/// How often `wanted` is in `bytes`. Sums of bytes let the compiler use whole vectors, and do not
/// overflow in a run of 128.
fn occurrences(bytes: &[u8], wanted: u8) -> u64 {
    let runs = bytes.chunks(128);
    runs.map(|run| u64::from(run.iter().map(|byte| u8::from(*byte == wanted)).sum::<u8>())).sum()
}

fn watch(epoll: &OwnedFd, socket: &OwnedFd, client: usize, flags: EventFlags) -> io::Result<()> {
    Ok(epoll::modify(epoll, socket, EventData::new_u64(client as u64), flags)?)
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().cast_signed(), tv_nsec: duration.subsec_nanos().into() }
}
