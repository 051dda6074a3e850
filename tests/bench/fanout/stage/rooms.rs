//! Plays the workloads in rooms.

use std::io;
use std::time::{Duration, Instant};

use super::{Outcome, REST_PATIENCE, Stage, both};
use crate::load::{Dialogue, chorus, converse};
use crate::metric::Metric;
use crate::wire::{MARKER, Wire, text};
use crate::workloads::{ROOM_MEMBERS, Scale};

/// Of each room, where there are several.
pub(super) const LINES_IN_FLIGHT: usize = 16;

/// Lines said at a time by as many clients, before what comes in is read.
const SAID_AT_ONCE: usize = 64;

/// `|` in the answers.
const BARS_OF_JOIN: u64 = 5;
const BARS_OF_LEAVE: u64 = 2;

/// How the clients of one block share the rooms: in steps of so many, which have no divisor in common with the number of
/// rooms. So no two clients are in the same rooms.
const STEPS: [usize; 5] = [1, 3, 7, 9, 11];

impl Stage {
    /// Each client is in one of many small rooms. In each room the first of them speaks.
    pub(super) fn small_rooms(
        &mut self,
        clients: usize,
        line_bytes: usize,
        window: usize,
        scale: &Scale,
    ) -> io::Result<Outcome> {
        let rooms = scale.small_rooms();
        if self.wire.join(0).is_none() {
            return Ok(Outcome::Without("no rooms"));
        }
        self.arrive(clients)?;
        self.each_says(clients, |wire, client| wire.join(client % rooms))?;
        self.settle()?;
        let deliveries = self.wire.hearers(ROOM_MEMBERS) as u64;
        let hears_itself = self.wire.hearers(ROOM_MEMBERS) == ROOM_MEMBERS;
        let dialogue = |room| Dialogue {
            speaker: room,
            hearer: if hears_itself { room } else { room + rooms },
            line: self.wire.in_room(room, &text(line_bytes)).into_bytes(),
            heard: 1,
            deliveries,
        };
        let dialogues: Vec<_> = (0..rooms).map(dialogue).collect();
        Ok(Outcome::Metrics(both(converse(&mut self.crowd, &self.server, &dialogues, window, scale.timing)?)))
    }

    /// Each client is in the lobby and in many rooms, no two in the same ones. Lines come from a client in each room, and
    /// from one in the lobby.
    pub(super) fn shared_rooms(&mut self, clients: usize, line_bytes: usize, scale: &Scale) -> io::Result<Outcome> {
        if self.wire != Wire::Pipe {
            return Ok(Outcome::Without("no lobby beside rooms"));
        }
        let (rooms, memberships) = (scale.shared_rooms(), scale.memberships());
        self.arrive(clients)?;
        let memory = self.server.memory()?;
        // The last room that a client joins is where it speaks: for the first of them, each in another one.
        for membership in (0..memberships).rev() {
            let room = |client: usize| (client + membership * STEPS[client / rooms]) % rooms;
            self.few_at_once(clients, |client| format!("join|r{}\n", room(client)), BARS_OF_JOIN)?;
        }
        let in_lobby = rooms;
        self.crowd.say(in_lobby, b"join|lobby\n")?;
        self.settle()?;
        let memory = self.memory_each(memory, clients * memberships)?;
        let lines: Vec<_> = (0..=in_lobby).map(|speaker| (speaker, format!("{}\n", text(line_bytes)).into())).collect();
        let deliveries = (clients * memberships + clients) as u64;
        let pace = chorus(&mut self.crowd, &self.server, &lines, deliveries, scale.timing)?;
        let mut metrics = both(pace);
        if !self.is_floor {
            metrics.push((Metric::MemoryPerMembership, memory));
        }
        Ok(Outcome::Metrics(metrics))
    }

    /// All clients join a room, and when all have, leave it: each its own, or all the same one.
    pub(super) fn join_and_leave(&mut self, clients: usize, rooms: usize) -> io::Result<Outcome> {
        self.arrive(clients)?;
        let mut memory = self.server.memory()?;
        if rooms == clients && !self.is_floor {
            self.few_at_once(clients, |client| format!("join|r{client}\n"), BARS_OF_JOIN)?;
            memory = self.server.memory()?.saturating_sub(memory);
            self.few_at_once(clients, |client| format!("leave|r{client}\n"), BARS_OF_LEAVE)?;
            self.settle()?;
        }
        let cpu = self.server.cpu()?;
        // Of the members of a room, each hears of its own coming and of all that come later, and has an answer. When they
        // leave, it is the other way round.
        let members = clients as u64 / rooms as u64;
        let lines = rooms as u64 * (members * (members + 1) / 2 + members);
        self.crowd.count(b'\n');
        let mut began = Instant::now();
        self.each_says(clients, |_, client| Some(format!("join|r{}\n", client % rooms)))?;
        self.crowd.await_marks(lines)?;
        let mut seconds = began.elapsed().as_secs_f64();
        self.server.rest(REST_PATIENCE)?;
        self.crowd.restart_count();
        began = Instant::now();
        self.each_says(clients, |_, client| Some(format!("leave|r{}\n", client % rooms)))?;
        self.crowd.await_marks(lines)?;
        seconds += began.elapsed().as_secs_f64();
        self.server.rest(REST_PATIENCE)?;
        let mut metrics = vec![(Metric::Time, seconds), (Metric::Cpu, (self.server.cpu()? - cpu).as_secs_f64())];
        if rooms == clients && !self.is_floor {
            metrics.push((Metric::MemoryPerRoom, memory as f64 / rooms as f64));
        }
        Ok(Outcome::Metrics(metrics))
    }

    /// Connects `clients`, which are in no room yet but the lobby, if there is one.
    fn arrive(&mut self, clients: usize) -> io::Result<()> {
        let wire = self.wire;
        self.crowd.join(clients, wire.arrivals_at_once(), |client| wire.arrival(client))?;
        self.settle()
    }

    /// Lets each client say something, and reads meanwhile what comes in.
    fn each_says(&mut self, clients: usize, what: impl Fn(Wire, usize) -> Option<String>) -> io::Result<()> {
        for client in 0..clients {
            if let Some(line) = what(self.wire, client) {
                self.crowd.say(client, line.as_bytes())?;
            }
            if client % SAID_AT_ONCE == 0 {
                self.crowd.turn(Duration::ZERO)?;
            }
        }
        Ok(())
    }

    /// Lets a few clients at a time say something, and waits for the answers, each with so many `|`. So what the server needs
    /// only on the way does not count as memory of what has come of it.
    fn few_at_once(&mut self, clients: usize, line: impl Fn(usize) -> String, bars: u64) -> io::Result<()> {
        self.crowd.count(b'|');
        for client in 0..clients {
            self.crowd.say(client, line(client).as_bytes())?;
            let said = client + 1;
            if said % SAID_AT_ONCE == 0 || said == clients {
                self.crowd.await_marks(bars * said as u64)?;
            }
        }
        self.crowd.count(MARKER);
        Ok(())
    }
}
