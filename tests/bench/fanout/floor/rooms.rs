//! The floor for workloads in rooms: the least that a server must do to send lines to those who are in the same room.
//!
//! It works as the other one does, with one buffer of lines per room. A client in several rooms in which something was
//! said gets all of it by one `send`, room by room. Rooms are called `r` and a number, or `lobby`.

use std::io;
use std::ops::Range;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendFlags};

use super::{LISTENER, READ_BYTES, address, fd_flags};

/// The place of the lobby among the rooms; room `r0` comes next.
const LOBBY: usize = 0;

pub(super) struct RoomFloor {
    epoll: OwnedFd,
    listener: OwnedFd,
    /// A client that has left is None, and its place is not used again: no workload has any who leave.
    clients: Vec<Option<Client>>,
    read: Vec<u8>,
    rooms: Vec<Room>,
    /// Rooms in which something was said in this turn.
    touched: Vec<usize>,
    /// Clients that have something to be told in this turn.
    told: Vec<usize>,
    /// For a client that is told several things.
    gathered: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<Member>,
    /// All lines of this turn, as they go out to all members.
    said: Vec<u8>,
}

struct Member {
    place: usize,
    /// Where this member's share of `said` begins.
    since: usize,
}

struct Client {
    socket: OwnedFd,
    /// `[ADDR]ADDR`
    who: Vec<u8>,
    /// Where its lines go.
    current: usize,
    /// The beginning of an incomplete line.
    partial: Vec<u8>,
    /// Stretches of what was said in rooms in this turn.
    shares: Vec<(usize, Range<usize>)>,
    /// Answers of this turn.
    answers: Vec<u8>,
    /// What a full socket did not take. While there is any, epoll waits for room.
    pending: Vec<u8>,
}

impl RoomFloor {
    pub(super) fn new(epoll: OwnedFd, listener: OwnedFd) -> Self {
        Self {
            epoll,
            listener,
            clients: Vec::new(),
            read: vec![0; READ_BYTES],
            rooms: vec![Room::default()],
            touched: Vec::new(),
            told: Vec::new(),
            gathered: Vec::new(),
        }
    }

    pub(super) fn turn(&mut self, events: &[epoll::Event]) -> io::Result<()> {
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
            let place = self.clients.len();
            epoll::add(&self.epoll, &socket, EventData::new_u64(place as u64), EventFlags::IN)?;
            let client = Client {
                socket,
                who: format!("[{peer}]{peer}").into_bytes(),
                current: LOBBY,
                partial: Vec::new(),
                shares: Vec::new(),
                answers: Vec::new(),
                pending: Vec::new(),
            };
            self.enter(LOBBY, place);
            self.say(LOBBY, &client, b":", "已上线\n".as_bytes());
            self.clients.push(Some(client));
        }
    }

    /// Reads once, and does what each complete line asks for.
    fn hear(&mut self, place: usize) {
        let Some(mut client) = self.clients[place].take() else { return };
        let mut read = std::mem::take(&mut self.read);
        let is_open = match net::recv(&client.socket, &mut *read, RecvFlags::empty()) {
            Ok((0, _)) => false,
            Ok((n, _)) => {
                self.hear_lines(place, &mut client, &read[..n]);
                true
            }
            Err(Errno::AGAIN | Errno::INTR) => true,
            Err(_) => false,
        };
        self.read = read;
        self.clients[place] = is_open.then_some(client);
    }

    fn hear_lines(&mut self, place: usize, client: &mut Client, mut heard: &[u8]) {
        while let Some(end) = heard.iter().position(|byte| *byte == b'\n') {
            let line = &heard[..=end];
            if client.partial.is_empty() {
                self.line(place, client, line);
            } else {
                let mut whole = std::mem::take(&mut client.partial);
                whole.extend_from_slice(line);
                self.line(place, client, &whole);
            }
            heard = &heard[end + 1..];
        }
        client.partial.extend_from_slice(heard);
    }

    /// A complete line, with its end.
    fn line(&mut self, place: usize, client: &mut Client, line: &[u8]) {
        if line == b"\n" {
            // a sign of life
        } else if let Some(name) = line.strip_prefix(b"join|") {
            self.join(number(name), place, client);
        } else if let Some(name) = line.strip_prefix(b"leave|") {
            self.leave(number(name), place, client);
        } else {
            self.say(client.current, client, b":", line);
        }
    }

    fn join(&mut self, room: usize, place: usize, client: &mut Client) {
        client.current = room;
        // Only the lobby is joined by one who is in it, to speak there.
        if room != LOBBY {
            if self.rooms.len() <= room {
                self.rooms.resize_with(room + 1, Room::default);
            }
            self.enter(room, place);
            self.say(room, client, b" ", "已加入\n".as_bytes());
        }
        let members = self.rooms[room].members.len();
        self.answer(place, client, &format!("join|ok|{}|{members}|-|\n", name(room)));
    }

    fn leave(&mut self, room: usize, place: usize, client: &mut Client) {
        let Some(found) = self.rooms[room].members.iter().position(|member| member.place == place) else { return };
        self.say(room, client, b" ", "已离开\n".as_bytes());
        let Room { members, said } = &mut self.rooms[room];
        let share = (room, members.swap_remove(found).since..said.len());
        self.answer(place, client, &format!("leave|ok|{}\n", name(room)));
        client.shares.push(share);
        client.current = LOBBY;
    }

    fn enter(&mut self, room: usize, place: usize) {
        let Room { members, said } = &mut self.rooms[room];
        members.push(Member { place, since: said.len() });
    }

    /// Appends a line to what is said in a room.
    fn say(&mut self, room: usize, client: &Client, colon: &[u8], text: &[u8]) {
        let said = &mut self.rooms[room].said;
        if said.is_empty() {
            self.touched.push(room);
        }
        if room != LOBBY {
            said.extend_from_slice(format!("#{} ", name(room)).as_bytes());
        }
        said.extend_from_slice(&client.who);
        said.extend_from_slice(colon);
        said.extend_from_slice(text);
    }

    fn answer(&mut self, place: usize, client: &mut Client, answer: &str) {
        if !client.is_told() {
            self.told.push(place);
        }
        client.answers.extend_from_slice(answer.as_bytes());
    }

    /// One `send` per client that has something to be told. A broken socket shows itself to `hear` in the next turn.
    fn tell(&mut self) -> io::Result<()> {
        for &room in &self.touched {
            let Room { members, said } = &mut self.rooms[room];
            for Member { place, since } in members {
                let Some(client) = &mut self.clients[*place] else { continue };
                if !client.is_told() {
                    self.told.push(*place);
                }
                client.shares.push((room, *since..said.len()));
                *since = 0;
            }
        }
        for place in self.told.drain(..) {
            let Some(client) = &mut self.clients[place] else { continue };
            let share = match &client.shares[..] {
                [(room, range)] if client.answers.is_empty() => &self.rooms[*room].said[range.clone()],
                shares => {
                    self.gathered.clear();
                    for (room, range) in shares {
                        self.gathered.extend_from_slice(&self.rooms[*room].said[range.clone()]);
                    }
                    self.gathered.extend_from_slice(&client.answers);
                    &self.gathered
                }
            };
            if client.pending.is_empty() {
                let taken = net::send(&client.socket, share, SendFlags::NOSIGNAL).unwrap_or(0);
                if taken < share.len() {
                    client.pending.extend_from_slice(&share[taken..]);
                    watch(&self.epoll, client, place, EventFlags::IN | EventFlags::OUT)?;
                }
            } else {
                client.pending.extend_from_slice(share);
            }
            client.shares.clear();
            client.answers.clear();
        }
        for room in self.touched.drain(..) {
            self.rooms[room].said.clear();
        }
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

impl Client {
    fn is_told(&self) -> bool {
        !self.shares.is_empty() || !self.answers.is_empty()
    }
}

/// The place of the room with this name; its line end may follow.
fn number(name: &[u8]) -> usize {
    let digits = name.strip_prefix(b"r").map(|digits| digits.trim_ascii_end()).unwrap_or_default();
    if digits.is_empty() {
        return LOBBY;
    }
    digits.iter().fold(0, |number, digit| 10 * number + usize::from(digit.wrapping_sub(b'0'))) + 1
}

fn name(room: usize) -> String {
    if room == LOBBY { "lobby".into() } else { format!("r{}", room - 1) }
}

fn watch(epoll: &OwnedFd, client: &Client, place: usize, flags: EventFlags) -> io::Result<()> {
    Ok(epoll::modify(epoll, &client.socket, EventData::new_u64(place as u64), flags)?)
}
