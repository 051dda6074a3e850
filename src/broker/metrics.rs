//! What is counted and measured for those who watch the server. Knows only numbers, and what they are of.
//!
//! One thread counts and reads, so that counting is an addition and reading needs no turn of the broker: [`Metrics::snapshot`] can
//! be asked at any time, between turns and while one waits for the store. What is a sum already (memory, queues) is looked up
//! then; the broker notes how many clients and rooms there are at the end of each turn.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    sync::Arc,
    time::Duration,
};

use super::{memory::Memory, turn::Part};
use crate::{
    Config,
    chat::Departure,
    listen::{Door, Listen},
    protocol::http::{Health, Histogram, Labelled, Snapshot},
};

/// The buckets of times: what a turn and a commit should take, what they may (`TURN_TIME_MAX`, a sync of a slow disk), and what
/// users feel; the last is `COMMIT_TIME_MAX`.
const TIMES: [Duration; 12] = {
    let us = Duration::from_micros;
    [
        us(50),
        us(100),
        us(250),
        us(500),
        us(1000),
        us(2500),
        us(5000),
        us(10_000),
        us(25_000),
        us(100_000),
        us(250_000),
        us(1_000_000),
    ]
};

/// Why connections are refused before they are clients, and no client leaves.
const REFUSED_WHY: [Departure; 3] = [Departure::Full, Departure::FullForAddress, Departure::TooManyArrivals];

/// Where a connection comes in, as the numbers tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// Lines over plain TCP.
    Line,
    /// Lines through TLS.
    Tls,
    /// Lines through the file system.
    Unix,
    /// HTTP, plain or through TLS.
    Web,
    /// No connection: a session over HTTP.
    Session,
}

impl Entrance {
    const ALL: [Self; 5] = [Self::Line, Self::Tls, Self::Unix, Self::Web, Self::Session];

    pub(crate) fn of(listen: &Listen) -> Self {
        match listen {
            Listen::Tcp { door: Door::Web, .. } => Self::Web,
            Listen::Tcp { door: Door::Line, is_tls: true, .. } => Self::Tls,
            Listen::Tcp { door: Door::Line, is_tls: false, .. } => Self::Line,
            Listen::Unix(_) => Self::Unix,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Tls => "tls",
            Self::Unix => "unix",
            Self::Web => "web",
            Self::Session => "session",
        }
    }
}

/// What is counted and measured, since the server began.
#[derive(Debug)]
pub struct Metrics {
    memory: Arc<Memory>,
    /// Open connections.
    open: [Cell<u64>; Entrance::ALL.len()],
    accepted: [Cell<u64>; Entrance::ALL.len()],
    /// Connections that were refused, and clients that have left.
    refused: [Cell<u64>; Departure::ALL.len()],
    departed: [Cell<u64>; Departure::ALL.len()],
    /// How many of what clients asked for was refused, by code. Refusals are few beside lines.
    refusals: RefCell<BTreeMap<&'static str, u64>>,
    lines: Cell<u64>,
    deliveries: Cell<u64>,
    delivered_bytes: Cell<u64>,
    turns: Times,
    commits: Times,
    /// As the last turn has left them.
    clients: Cell<usize>,
    rooms: Cell<usize>,
    recent_bytes: Cell<usize>,
    is_draining: Cell<bool>,
    store_fails: Cell<bool>,
}

impl Metrics {
    /// Nothing has happened yet. `memory` is the server's account.
    pub(crate) fn new(memory: Arc<Memory>) -> Self {
        Self {
            memory,
            open: Default::default(),
            accepted: Default::default(),
            refused: Default::default(),
            departed: Default::default(),
            refusals: RefCell::default(),
            lines: Cell::default(),
            deliveries: Cell::default(),
            delivered_bytes: Cell::default(),
            turns: Times::default(),
            commits: Times::default(),
            clients: Cell::default(),
            rooms: Cell::default(),
            recent_bytes: Cell::default(),
            is_draining: Cell::default(),
            store_fails: Cell::default(),
        }
    }

    /// All numbers, as they are now. Costs some microseconds, and changes nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let by_entrance = |counts: &[Cell<u64>]| -> Labelled {
            Entrance::ALL.iter().zip(counts).map(|(entrance, count)| (entrance.word(), count.get())).collect()
        };
        // With the zeros: a total that begins at one does not look like one more.
        let by_reason = |counts: &[Cell<u64>], is_refused: bool| -> Labelled {
            let reasons = Departure::ALL.iter().zip(counts);
            let reasons = reasons.filter(|(reason, _)| REFUSED_WHY.contains(reason) == is_refused);
            reasons.map(|(reason, count)| (reason.code(), count.get())).collect()
        };
        Snapshot {
            connections: by_entrance(&self.open),
            accepted: by_entrance(&self.accepted),
            refused: by_reason(&self.refused, true),
            clients: self.clients.get() as u64,
            rooms: self.rooms.get() as u64,
            lines: self.lines.get(),
            deliveries: self.deliveries.get(),
            delivered_bytes: self.delivered_bytes.get(),
            queued_bytes: self.memory.queued() as u64,
            disconnects: by_reason(&self.departed, false),
            refusals: self.refusals.borrow().iter().map(|(&code, &count)| (code, count)).collect(),
            turns: self.turns.snapshot(),
            commits: self.commits.snapshot(),
            memory_used: self.memory.used() as u64,
            memory_max: Some(self.memory.max()).filter(|&max| max < Config::MEMORY_BYTES_MAX).map(|max| max as u64),
            recent_bytes: self.recent_bytes.get() as u64,
        }
    }

    /// Whether all is well. A server that shuts down is not asked for its store.
    #[must_use]
    pub fn health(&self) -> Health {
        match (self.is_draining.get(), self.store_fails.get()) {
            (true, _) => Health::Draining,
            (false, true) => Health::StoreFails,
            (false, false) => Health::Ok,
        }
    }

    /// A connection is open from now on; [`Self::closed`] is to follow.
    pub(crate) fn opened(&self, entrance: Entrance) {
        add(&self.open[entrance as usize], 1);
    }

    pub(crate) fn closed(&self, entrance: Entrance) {
        self.open[entrance as usize].update(|open| open - 1);
    }

    /// A connection was let in.
    pub(crate) fn accepted(&self, entrance: Entrance) {
        add(&self.accepted[entrance as usize], 1);
    }

    /// A connection was refused.
    pub(crate) fn refused_connection(&self, reason: Departure) {
        add(&self.refused[reason as usize], 1);
    }

    /// The server shuts down.
    pub(crate) fn drain(&self) {
        self.is_draining.set(true);
    }

    /// Whether the chat is told that the store fails.
    pub(super) fn set_store_fails(&self, fails: bool) {
        self.store_fails.set(fails);
    }

    /// A client has sent so many lines.
    pub(super) fn taken(&self, lines: usize) {
        add(&self.lines, lines);
    }

    /// Something that a client asked for was refused.
    pub(super) fn refused(&self, code: &'static str) {
        *self.refusals.borrow_mut().entry(code).or_default() += 1;
    }

    /// A client is sent this.
    pub(super) fn delivered(&self, parts: &[Part]) {
        add(&self.deliveries, parts.len());
        add(&self.delivered_bytes, parts.iter().map(|part| part.bytes.len()).sum());
    }

    /// A client has left.
    pub(super) fn departed(&self, reason: Departure) {
        add(&self.departed[reason as usize], 1);
    }

    /// A turn has waited so long for the store to commit. While that fails, turns do not wait.
    pub(super) fn committed(&self, took: Duration) {
        if !self.store_fails.get() {
            self.commits.add(took);
        }
    }

    /// A turn has sent all that came of it, and has left so many clients, rooms, and bytes of recent events.
    pub(super) fn flushed(&self, clients: usize, rooms: usize, recent_bytes: usize) {
        self.clients.set(clients);
        self.rooms.set(rooms);
        self.recent_bytes.set(recent_bytes);
    }

    /// A turn has ended, which took so long.
    pub(super) fn turn_ended(&self, took: Duration) {
        self.turns.add(took);
    }
}

fn add(count: &Cell<u64>, more: usize) {
    count.update(|count| count + more as u64);
}

/// How often something took how long.
#[derive(Debug, Default)]
struct Times {
    /// How often it took no more than each of [`TIMES`], and more than the one before; at the end, more than all.
    counts: [Cell<u64>; TIMES.len() + 1],
    sum: Cell<Duration>,
}

impl Times {
    fn add(&self, took: Duration) {
        add(&self.counts[TIMES.partition_point(|&most| most < took)], 1);
        self.sum.update(|sum| sum + took);
    }

    fn snapshot(&self) -> Histogram {
        let (mut count, mut buckets) = (0, Vec::new());
        for (&most, of_bucket) in TIMES.iter().zip(&self.counts) {
            count += of_bucket.get();
            buckets.push((most, count));
        }
        let longer = self.counts[TIMES.len()].get();
        Histogram { buckets, count: count + longer, sum: self.sum.get() }
    }
}

#[cfg(test)]
mod tests;
