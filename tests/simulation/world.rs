//! The world around the server: clients that come, talk, stall and break off, packets cut anywhere, a clock that jumps.
//!
//! Broker, chat and sessions are the real ones, and each turn is one of the broker's own loop. Whatever the chat gets, the
//! model of the rules gets too, and both have to answer the same.

mod actions;
mod checks;
mod crash;
mod entries;
mod heal;
mod slow;
mod storing;
mod turns;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use common::Rng;
use jiff::Timestamp;
use pipechat::{
    Config, StoreConfig,
    broker::{BrokenBacklog, Broker, Departed, Memory, Request, outbox},
    chat::{Chat, ClientId, Epoch, Position, RecentLimits, RoomLimits},
    protocol::{Limits, Rate, parse},
    store::{Options, SyncMode},
};

use super::{
    generator::{LINE_MAX, WAIT_MAX},
    model::Model,
    peer::{Kind, Peer},
    watch::Tokens,
};
use slow::SlowReaders;
use storing::{Queued, Storing};

/// Where clients come from.
const NETWORKS: [&str; 3] = ["127.0.0.1", UNTRUSTED, "::1"];
const UNTRUSTED: &str = "10.1.2.3";
const CLIENTS_MAX: usize = 16;
/// Those who come first and see it all: a text in Chinese, one in English, and JSON.
const WITNESSES: usize = 3;
/// Bytes that may wait for a client, at all and for long.
const QUEUE_MAX: usize = 6 << 10;
const SOFT_LIMIT_TIME: Duration = Duration::from_secs(60);
/// Bytes that clients may make the server hold. Memory runs out in some worlds, and in others it does not.
const MEMORY_MAX: [usize; 4] = [11 << 10, 15 << 10, 40 << 10, 1 << 30];
/// The same where there is a store: what it has comes in longer pieces.
const QUEUE_MAX_STORED: usize = 96 << 10;
const MEMORY_MAX_STORED: [usize; 2] = [300 << 10, 1 << 30];
/// How many rooms there may be at the least. Few, so that there are too many.
const ROOMS_MIN: RoomLimits = RoomLimits { rooms_max: 4, per_client_max: 1 };
/// How many events are kept of each room at the most, and how many bytes these may take: nothing in some worlds; little, so that
/// much is gone; or so much that it is told in pieces.
const RECENT: [(usize, usize); 9] = [
    (0, RECENT_BYTES_MAX),
    (3, RECENT_BYTES_MAX),
    (3, 2 << 10),
    (20, RECENT_BYTES_MAX),
    (67, RECENT_BYTES_MAX),
    (67, RECENT_BYTES_MAX),
    (PER_ROOM_MAX, 300),
    (PER_ROOM_MAX, 8 << 10),
    (PER_ROOM_MAX, RECENT_BYTES_MAX),
];
const RECENT_BYTES_MAX: usize = 16 << 20;
const PER_ROOM_MAX: usize = 200;
/// The longest line about an event, in bytes.
const EVENT_BYTES: usize = 600;
/// Positions that clients remember.
const POSITIONS_MAX: usize = 30;
/// When the world began, in seconds by the calendar.
const BEGINNING: i64 = 1_800_000_000;
const RATE: Rate = Rate { per_second: 4, burst: 8 };
/// Of all clients of the address that is not trusted. The burst is in proportion.
const RATE_PER_IP: Rate = Rate { per_second: 6, burst: 12 };
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const WRITE_TIMEOUT: Duration = Duration::from_secs(12);

pub(crate) struct World {
    rng: Rng,
    now: Duration,
    /// By so much the calendar was set back.
    set_back: Duration,
    /// Some positions that were told, the last ones last.
    positions: Vec<Position>,
    config: Config,
    epoch: Epoch,
    memory_max: usize,
    chat: Chat,
    model: Model,
    broker: Broker,
    memory: Arc<Memory>,
    backlog: Rc<BrokenBacklog>,
    departed: Rc<Departed>,
    limits: Arc<Limits>,
    /// Connected, or with something yet to read.
    peers: BTreeMap<ClientId, Peer>,
    /// On their way to the broker.
    requests: VecDeque<Request>,
    /// What those may say at once who come from the address that is not trusted.
    tokens: Tokens,
    slow: SlowReaders,
    /// In some worlds.
    storing: Option<Storing>,
    /// What waited for each client when a commit began that is not over.
    queued: Queued,
    /// The number of the last event that was kept.
    last_number: u64,
    is_healing: bool,
    /// The server was asked to shut down.
    is_closing: bool,
    /// When the witnesses last gave a sign of life.
    awake_at: Duration,
    /// How many clients have come.
    connected: usize,
    /// How many texts have been made.
    texts: usize,
    /// Every input, with all that followed from it, and what clients have read.
    pub(crate) transcript: String,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let has_store = seed.is_multiple_of(3);
        let queue_max = if has_store { QUEUE_MAX_STORED } else { QUEUE_MAX };
        let limits = Limits {
            line_max: LINE_MAX,
            queue_max,
            soft_queue_max: queue_max / 2,
            rate: RATE,
            idle_timeout: IDLE_TIMEOUT,
            strict_idle: rng.one_in(4),
            write_timeout: WRITE_TIMEOUT,
            wait_max: WAIT_MAX,
            clients_max: CLIENTS_MAX,
            ..Limits::default()
        };
        let rooms = RoomLimits {
            rooms_max: ROOMS_MIN.rooms_max + 2 * rng.below(3),
            per_client_max: ROOMS_MIN.per_client_max + rng.below(2),
        };
        let (per_room_max, bytes_max) = RECENT[rng.below(RECENT.len())];
        let recent = RecentLimits { per_room_max, bytes_max };
        let keeps_presence = rng.one_in(2);
        let rate_per_ip = RATE_PER_IP.per_second;
        let store = has_store.then(no_file);
        let config = Config { limits, rate_per_ip, rooms, recent, keeps_presence, store, ..Config::default() };
        let epoch = Epoch::from_random(rng.number());
        let memory_max = match has_store {
            true => MEMORY_MAX_STORED[rng.below(MEMORY_MAX_STORED.len())],
            false => MEMORY_MAX[rng.below(MEMORY_MAX.len())],
        };
        let (backlog, departed, memory) = (Rc::default(), Rc::default(), Memory::new(memory_max));
        let mut world = Self {
            rng,
            now: Duration::from_secs(1),
            set_back: Duration::ZERO,
            positions: Vec::new(),
            chat: Chat::new(config.rules(), epoch),
            model: Model::new(config.rules(), epoch),
            broker: Broker::new(config.clone(), Arc::clone(&memory), Rc::clone(&backlog), Rc::clone(&departed)),
            config,
            epoch,
            memory_max,
            backlog,
            departed,
            memory,
            limits: Arc::new(limits),
            peers: BTreeMap::new(),
            requests: VecDeque::new(),
            tokens: Tokens::new(RATE_PER_IP, Duration::ZERO),
            slow: SlowReaders::new(queue_max),
            storing: has_store.then(Storing::new),
            queued: Queued::new(),
            last_number: 0,
            is_healing: false,
            is_closing: false,
            awake_at: Duration::ZERO,
            connected: 0,
            texts: 0,
            transcript: String::new(),
        };
        world.connect_witnesses();
        world
    }

    fn connect_witnesses(&mut self) {
        for first_words in ["format|text", "lang|en", "format|json"] {
            let client = self.connect(Kind::Witness);
            for words in [first_words, "stay"] {
                let meaning = parse(words.as_bytes());
                self.peer(client).type_line(format!("{words}\n").as_bytes(), meaning);
            }
            self.heal();
        }
    }

    /// One step with all its faults.
    pub(crate) fn step(&mut self) {
        self.now += Duration::from_millis(self.rng.below(20) as u64);
        if self.peers.is_empty() {
            self.connect(Kind::Guest);
        }
        match self.rng.below(100) {
            0..=9 if self.peers.len() < CLIENTS_MAX + 3 => {
                let kind = if self.rng.one_in(8) { Kind::Fuzzer } else { Kind::Guest };
                self.connect(kind);
            }
            10..=69 => self.type_something(),
            70..=84 => self.someone_fails(),
            85..=93 => self.now += Duration::from_millis(self.rng.below(2000) as u64),
            // Where nobody is exempt from the idle timeout, witnesses would be idle too.
            95 if self.rng.one_in(4) => self.set_back += Duration::from_millis(self.rng.below(2000) as u64),
            94 if self.rng.one_in(4) && !self.limits.strict_idle => self.now += Duration::from_secs(3600),
            _ => {}
        }
        if !self.is_closing && self.rng.one_in(if self.is_committing() { 20 } else { 300 }) {
            self.crash();
        }
        self.stay_awake();
        let packet = 1 + self.rng.below(80);
        self.peers.values_mut().for_each(|peer| peer.deliver(packet));
        self.work();
        if !self.rng.one_in(4) {
            // A clock that goes back is not followed.
            let back = if self.rng.one_in(10) { Duration::from_secs(5) } else { Duration::ZERO };
            let inputs_max = 1 + self.rng.below(30);
            self.turn(inputs_max, self.now.saturating_sub(back));
        }
        self.work();
        let bytes = self.rng.below(1500);
        self.peers.values_mut().for_each(|peer| peer.read(bytes));
        self.check_shown();
        self.reap();
        self.check_memory();
    }

    /// Each connection does something, in any order; the witnesses' do all that they can.
    fn work(&mut self) {
        let mut clients: Vec<_> = self.peers.keys().copied().collect();
        let first = self.rng.below(clients.len());
        clients.rotate_left(first);
        for client in clients {
            let wakes = self.rng.below(4);
            let does_all = self.rng.one_in(3);
            let (now, peer) = (self.now, self.peers.get_mut(&client).expect("one of them"));
            if does_all || peer.kind == Kind::Witness {
                peer.work_off(now, &mut self.requests);
            } else {
                peer.work(wakes, now, &mut self.requests);
            }
        }
    }

    fn connect(&mut self, kind: Kind) -> ClientId {
        let visits = kind == Kind::Guest && self.rng.one_in(4);
        self.connect_as(kind, visits)
    }

    fn connect_as(&mut self, kind: Kind, visits: bool) -> ClientId {
        self.connected += 1;
        let client = ClientId(self.connected as u64);
        let ip = if kind == Kind::Witness { NETWORKS[0] } else { self.rng.pick(&NETWORKS) };
        let port = u16::try_from(1024 + self.connected % 60_000).expect("a port");
        let addr = SocketAddr::new(ip.parse().expect("an IP address"), port);
        let (outbox, inbox) = outbox(None, Arc::clone(&self.memory));
        self.requests.push_back(Request::Connect(client, addr.into(), outbox));
        let mut peer = Peer::new(client, kind, addr, &self.limits, inbox, visits, self.now);
        peer.connection.read_max = 1 + self.rng.below(200);
        self.peers.insert(client, peer);
        client
    }

    /// The time by the calendar.
    fn at(&self) -> Timestamp {
        let beginning = Timestamp::from_second(BEGINNING).expect("in our time");
        beginning + (self.now.saturating_sub(self.set_back))
    }

    fn peer(&mut self, client: ClientId) -> &mut Peer {
        self.peers.get_mut(&client).expect("who is told or hung up on has a connection")
    }
}

/// A store that the world has in a list.
fn no_file() -> StoreConfig {
    let options =
        Options { sync: SyncMode::Normal, lines_max: u64::MAX, unread_max: 0, days_max: 0, bytes_max: u64::MAX };
    StoreConfig { path: "no file".into(), options }
}
