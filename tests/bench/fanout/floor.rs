//! The floor: the least that a server must do to fan lines out through the socket API.
//!
//! One thread, one epoll, one turn after the other. A turn reads what is ready, renders each line once into one
//! buffer, and does one `send` per client. No names, no limits, no verbs; the bytes are those of pipechat's wire
//! for clients that never rename. It is the yardstick, so it is written to be fast and nothing else. For workloads in
//! rooms there is another one, so that this one need not know them: [`rooms`].

mod rooms;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use self::rooms::RoomFloor;

/// Makes this program serve as the floor.
pub(crate) const FLAG: &str = "--floor";
/// The same, as the floor for workloads in rooms.
pub(crate) const ROOMS_FLAG: &str = "--floor-of-rooms";

/// Clients that may connect during a turn; the kernel's default ceiling (net.core.somaxconn).
const BACKLOG: i32 = 4096;
/// One `recv` takes at most this much; shared by all clients.
const READ_BYTES: usize = 256 * 1024;
/// Events of one turn. More wait for the next.
const EVENTS: usize = 1024;
/// The listener among the events; clients are numbered from 0.
const LISTENER: u64 = u64::MAX;

/// Serves until it is killed.
pub(crate) fn serve() -> io::Result<()> {
    let (epoll, listener) = listen()?;
    let mut floor = Floor {
        epoll: epoll.try_clone()?,
        listener,
        clients: Vec::new(),
        free: Vec::new(),
        read: vec![0; READ_BYTES],
        said: Vec::new(),
    };
    take_turns(&epoll, |events| floor.turn(events))
}

/// The same in rooms.
pub(crate) fn serve_rooms() -> io::Result<()> {
    let (epoll, listener) = listen()?;
    let mut floor = RoomFloor::new(epoll.try_clone()?, listener);
    take_turns(&epoll, |events| floor.turn(events))
}

/// Listens, and says where.
fn listen() -> io::Result<(OwnedFd, OwnedFd)> {
    let listener = net::socket_with(AddressFamily::INET, SocketType::STREAM, fd_flags(), None)?;
    // Accepted sockets inherit it, which saves a call for each.
    sockopt::set_tcp_nodelay(&listener, true)?;
    net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
    net::listen(&listener, BACKLOG)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;

    let mut stdout = io::stdout();
    writeln!(stdout, "floor listening on {}", address(net::getsockname(&listener)?)?)?;
    stdout.flush()?;
    Ok((epoll, listener))
}

fn take_turns(epoll: &OwnedFd, mut turn: impl FnMut(&[epoll::Event]) -> io::Result<()>) -> io::Result<()> {
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(epoll, spare_capacity(&mut events), None) {
            Ok(_) => turn(&events)?,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

struct Floor {
    epoll: OwnedFd,
    listener: OwnedFd,
    clients: Vec<Option<Client>>,
    /// Indices of `clients` that are None.
    free: Vec<usize>,
    read: Vec<u8>,
    /// All lines of this turn, as they go out to everyone.
    said: Vec<u8>,
}

struct Client {
    socket: OwnedFd,
    /// `[ADDR]ADDR:`
    prefix: Vec<u8>,
    /// The beginning of an incomplete line.
    partial: Vec<u8>,
    /// What a full socket did not take. While there is any, epoll waits for room.
    pending: Vec<u8>,
    /// Where this client's share of `said` begins: a newcomer does not receive what was said before it.
    since: usize,
}

impl Floor {
    fn turn(&mut self, events: &[epoll::Event]) -> io::Result<()> {
        for event in events {
            let (data, flags) = (event.data, event.flags);
            if data.u64() == LISTENER {
                self.accept()?;
                continue;
            }
            let place = usize::try_from(data.u64()).expect("places are indices");
            if flags.contains(EventFlags::OUT) {
                self.flush(place)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.hear(place);
            }
        }
        self.tell()
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (socket, peer) = match net::acceptfrom_with(&self.listener, fd_flags()) {
                Ok((socket, Some(peer))) => (socket, address(peer)?),
                Ok((_, None)) | Err(Errno::CONNABORTED) => continue,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let prefix = format!("[{peer}]{peer}:").into_bytes();
            let since = self.said.len();
            self.said.extend_from_slice(&prefix);
            self.said.extend_from_slice("已上线\n".as_bytes());
            let place = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            epoll::add(&self.epoll, &socket, EventData::new_u64(place as u64), EventFlags::IN)?;
            self.clients[place] = Some(Client { socket, prefix, partial: Vec::new(), pending: Vec::new(), since });
        }
    }

    /// Reads once, and appends each complete line to `said`.
    fn hear(&mut self, place: usize) {
        let Some(client) = &mut self.clients[place] else { return };
        let mut heard = match net::recv(&client.socket, &mut *self.read, RecvFlags::empty()) {
            Ok((0, _)) => return self.leave(place),
            Ok((n, _)) => &self.read[..n],
            Err(Errno::AGAIN | Errno::INTR) => return,
            Err(_) => return self.leave(place),
        };
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            if end == 0 && client.partial.is_empty() {
                heard = &heard[1..]; // a sign of life
                continue;
            }
            self.said.extend_from_slice(&client.prefix);
            self.said.append(&mut client.partial);
            self.said.extend_from_slice(&heard[..=end]);
            heard = &heard[end + 1..];
        }
        client.partial.extend_from_slice(heard);
    }

    fn leave(&mut self, place: usize) {
        if let Some(client) = self.clients[place].take() {
            self.free.push(place);
            self.said.extend_from_slice(&client.prefix);
            self.said.extend_from_slice("下线\n".as_bytes());
        }
    }

    /// One `send` per client. A broken socket shows itself to `hear` in the next turn.
    fn tell(&mut self) -> io::Result<()> {
        if self.said.is_empty() {
            return Ok(());
        }
        for (place, client) in self.clients.iter_mut().enumerate() {
            let Some(client) = client else { continue };
            let share = &self.said[client.since..];
            client.since = 0;
            if !client.pending.is_empty() {
                client.pending.extend_from_slice(share);
                continue;
            }
            let taken = net::send(&client.socket, share, SendFlags::NOSIGNAL).unwrap_or(0);
            if taken < share.len() {
                client.pending.extend_from_slice(&share[taken..]);
                watch(&self.epoll, client, place, EventFlags::IN | EventFlags::OUT)?;
            }
        }
        self.said.clear();
        Ok(())
    }

    fn flush(&mut self, place: usize) -> io::Result<()> {
        let Some(client) = &mut self.clients[place] else { return Ok(()) };
        let taken = net::send(&client.socket, &client.pending, SendFlags::NOSIGNAL).unwrap_or(0);
        client.pending.drain(..taken);
        if client.pending.is_empty() {
            watch(&self.epoll, client, place, EventFlags::IN)?;
        }
        Ok(())
    }
}

fn watch(epoll: &OwnedFd, client: &Client, place: usize, flags: EventFlags) -> io::Result<()> {
    Ok(epoll::modify(epoll, &client.socket, EventData::new_u64(place as u64), flags)?)
}

fn fd_flags() -> SocketFlags {
    SocketFlags::NONBLOCK | SocketFlags::CLOEXEC
}

fn address(any: net::SocketAddrAny) -> io::Result<SocketAddrV4> {
    Ok(SocketAddrV4::try_from(any)?)
}
