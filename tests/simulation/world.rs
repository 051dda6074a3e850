//! The world around the server: clients that come, talk, stall and break off, packets cut anywhere, a clock that jumps.
//!
//! Broker, chat and sessions are the real ones, and each turn is one of the broker's own loop. Whatever the chat gets, the
//! model of the rules gets too, and both have to answer the same.

mod actions;
mod checks;
mod slow;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use common::Rng;
use jiff::Timestamp;
use pipechat::{
    Config,
    broker::{BrokenBacklog, Broker, Departed, Level, Memory, Request, outbox},
    chat::{Chat, ClientId, Departure, Entry, Input, Output, RoomLimits},
    protocol::{Limits, Rate, Step, parse},
};

use super::{
    generator::{LINE_MAX, WAIT_MAX},
    model::Model,
    peer::{Kind, Peer},
    watch::Tokens,
};
use slow::SlowReaders;

/// Where clients come from.
const NETWORKS: [&str; 3] = ["127.0.0.1", UNTRUSTED, "::1"];
const UNTRUSTED: &str = "10.1.2.3";
const CLIENTS_MAX: usize = 16;
/// Those who come first and see it all: a text in Chinese, one in English, and JSON.
const WITNESSES: usize = 3;
/// Bytes that may wait for a client, at all and for long.
const QUEUE_MAX: usize = 6 << 10;
const SOFT_QUEUE_MAX: usize = 3 << 10;
const SOFT_LIMIT_TIME: Duration = Duration::from_secs(60);
/// Bytes that clients may make the server hold. Memory runs out in some worlds, and in others it does not.
const MEMORY_MAX: [usize; 3] = [11 << 10, 15 << 10, 1 << 30];
/// How many rooms there may be at the least. Few, so that there are too many.
const ROOMS_MIN: RoomLimits = RoomLimits { rooms_max: 4, per_client_max: 1 };
const RATE: Rate = Rate { per_second: 4, burst: 8 };
/// Of all clients of the address that is not trusted. The burst is in proportion.
const RATE_PER_IP: Rate = Rate { per_second: 6, burst: 12 };
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const WRITE_TIMEOUT: Duration = Duration::from_secs(12);
/// The clock, the packets and the readers of a world without faults, in a step.
const HEALED: (Duration, usize, usize) = (Duration::from_millis(50), 64, 1024);

pub(crate) struct World {
    rng: Rng,
    now: Duration,
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
        let limits = Limits {
            line_max: LINE_MAX,
            queue_max: QUEUE_MAX,
            soft_queue_max: SOFT_QUEUE_MAX,
            rate: RATE,
            idle_timeout: IDLE_TIMEOUT,
            strict_idle: rng.one_in(4),
            write_timeout: WRITE_TIMEOUT,
            wait_max: WAIT_MAX,
            clients_max: CLIENTS_MAX,
        };
        let rooms = RoomLimits {
            rooms_max: ROOMS_MIN.rooms_max + rng.below(3),
            per_client_max: ROOMS_MIN.per_client_max + rng.below(2),
        };
        let config = Config { limits, rate_per_ip: RATE_PER_IP.per_second, rooms, ..Config::default() };
        let backlog = Rc::<BrokenBacklog>::default();
        let departed = Rc::<Departed>::default();
        let memory = Memory::new(MEMORY_MAX[rng.below(MEMORY_MAX.len())]);
        let mut world = Self {
            rng,
            now: Duration::from_secs(1),
            chat: Chat::new(config.rules()),
            model: Model::new(config.rules()),
            broker: Broker::new(config, Arc::clone(&memory), Rc::clone(&backlog), Rc::clone(&departed)),
            backlog,
            departed,
            memory,
            limits: Arc::new(limits),
            peers: BTreeMap::new(),
            requests: VecDeque::new(),
            tokens: Tokens::new(RATE_PER_IP, Duration::ZERO),
            slow: SlowReaders::default(),
            awake_at: Duration::ZERO,
            connected: 0,
            texts: 0,
            transcript: String::new(),
        };
        for first_words in ["format|text", "lang|en", "format|json"] {
            let client = world.connect(Kind::Witness);
            for words in [first_words, "stay"] {
                let meaning = parse(words.as_bytes());
                world.peer(client).type_line(format!("{words}\n").as_bytes(), meaning);
            }
            world.heal();
        }
        world
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
            94 if self.rng.one_in(4) && !self.limits.strict_idle => self.now += Duration::from_secs(3600),
            _ => {}
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
        self.reap();
        self.check_memory();
    }

    /// Nobody types any more, everyone reads, and the clock runs evenly, until nothing is under way. How long that takes is
    /// bounded by what was typed: packets, lines at their rate, waits to the end; and by a queue.
    pub(crate) fn heal(&mut self) {
        let (tick, packet, bytes) = HEALED;
        let steps = |time: Duration| time.as_millis().div_ceil(tick.as_millis()) as usize;
        let (of_a_line, of_a_wait) = (2 + steps(Duration::from_secs(1) / RATE.per_second), steps(WAIT_MAX));
        let bound = |peer: &Peer| {
            let (lines, waits) = peer.unheard();
            10 + peer.typed() / packet + lines * of_a_line + (1 + waits) * of_a_wait + 2 * QUEUE_MAX / bytes
        };
        let lines: usize = self.peers.values().map(|peer| peer.unheard().0).sum();
        let of_all = lines * steps(Duration::from_secs(1) / RATE_PER_IP.per_second);
        let bound = of_all + self.peers.values().map(bound).max().unwrap_or(0);
        self.peers.values_mut().for_each(|peer| peer.reads = usize::MAX);
        for _ in 0..bound {
            self.now += tick;
            self.stay_awake();
            for peer in self.peers.values_mut() {
                peer.deliver(packet);
                peer.work_off(self.now, &mut self.requests);
            }
            self.turn(usize::MAX, self.now);
            for peer in self.peers.values_mut() {
                peer.work_off(self.now, &mut self.requests);
                peer.read(bytes);
            }
            self.reap();
            let is_idle = !self.broker.has_work() && self.requests.is_empty();
            if is_idle && self.peers.values().all(|peer| peer.is_quiet(self.now)) {
                let held: usize = self.peers.values().map(|peer| peer.connection.input()).sum();
                assert_eq!(self.memory.used(), held, "nothing waits, and only the beginnings of lines are held");
                return;
            }
        }
        panic!("not quiet after {bound} healthy steps");
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
        self.requests.push_back(Request::Connect(client, addr, outbox));
        let mut peer = Peer::new(client, kind, addr, &self.limits, inbox, visits, self.now);
        peer.connection.read_max = 1 + self.rng.below(200);
        self.peers.insert(client, peer);
        client
    }

    /// A turn of the broker, with so many inputs at the most.
    fn turn(&mut self, inputs_max: usize, chat_now: Duration) {
        let is_due = self.chat.deadline().is_some_and(|deadline| deadline <= chat_now);
        let is_tight = self.memory.level() >= Level::Tight;
        let is_news = is_tight != self.broker.is_tight();
        let has_work = self.broker.has_work() || is_due || is_news || !self.requests.is_empty();
        self.broker.begin_turn(Timestamp::UNIX_EPOCH);
        while let Some(request) = self.requests.pop_front() {
            self.accept(request);
        }
        for _ in 0..inputs_max {
            let Some(entry) = self.broker.next_entry(chat_now, &self.chat) else { break };
            assert!(has_work, "{entry:?} out of nothing");
            self.handle(entry);
        }
        self.broker.flush(&self.chat, self.now);
        for peer in self.peers.values_mut() {
            peer.connection.leave(&self.departed, peer.client, self.now);
        }
        let queues = self.peers.values().map(|peer| (peer.client, peer.connection.queued().0));
        self.slow.look(queues, self.memory.level() == Level::Full, self.now);
    }

    fn accept(&mut self, request: Request) {
        if let Request::Batch(client, batch) = &request {
            for step in &batch.steps {
                writeln!(self.transcript, "{client} {step:?}").expect("a String takes all");
            }
            // The broker may have hung up on it.
            if let Some(peer) = self.peers.get_mut(client).filter(|peer| !peer.account.is_gone()) {
                let is_trusted = peer.addr.ip().to_string() != UNTRUSTED;
                let lines = if is_trusted { 0 } else { batch.lines };
                let of_address = if lines > 0 { self.tokens.take(lines, self.now) } else { self.now };
                peer.accepted(batch, of_address, self.now);
            }
        }
        let request = match request {
            Request::Batch(client, batch) if batch.steps.contains(&Step::Broken) => {
                let taken = self.backlog.take(batch.lines, batch.bytes(), 0);
                Request::Broken(client, batch, taken)
            }
            request => request,
        };
        self.broker.accept(request, self.now);
    }

    /// Puts an entry to the chat and to the model, compares what they make of it, and has the broker do it.
    fn handle(&mut self, entry: Entry) {
        writeln!(self.transcript, "input: {:?}", entry.input).expect("a String takes all");
        match &entry.input {
            Input::Arrive(client, _)
            | Input::Visit(client, _)
            | Input::Command(client, _, _)
            | Input::Congested(client, _)
            | Input::Eof(client)
            | Input::Broken(client)
            | Input::End(client, _) => {
                let is_cut = matches!(entry.input, Input::End(_, Departure::SlowConsumer));
                assert!(!is_cut || self.slow.may_be_cut(*client), "{client} is not slow, and there is room");
                if let Some(peer) = self.peers.get_mut(client) {
                    peer.account.input(&entry.input);
                }
            }
            Input::ShutDown => self.peers.values_mut().for_each(|peer| peer.account.closing()),
            Input::Continue => {}
        }
        let expected = self.model.handle(&entry);
        let (what, mut out) = (entry.clone(), Vec::new());
        self.chat.handle(entry, &mut out);
        assert_eq!(out, expected, "{what:?}");
        out.iter().for_each(|output| self.note(output));
        self.broker.apply(&mut out);
        for note in self.model.take_notes() {
            writeln!(self.transcript, "\t{note}").expect("a String takes all");
        }
        assert!(self.chat.members().eq(self.model.members()));
        for room in self.model.rooms() {
            assert!(self.chat.members_of(room.id).eq(room.members.iter().copied()), "in {}", room.name);
        }
        assert_eq!(self.chat.deadline(), self.model.deadline());
    }

    /// Writes an output into the accounts of those it is about.
    fn note(&mut self, output: &Output) {
        writeln!(self.transcript, "\t{output:?}").expect("a String takes all");
        match output {
            Output::Publish(public) => {
                let is_answered = |client| public.except == Some(client);
                let told = self.peers.values_mut().map(|peer| peer.account.publish(public, is_answered(peer.client)));
                assert_eq!(told.filter(|is_told| *is_told).count(), public.members, "{public:?}");
            }
            Output::Tell(client, event) => self.peer(*client).account.tell(event),
            Output::Join(client, room) => self.peer(*client).account.join(*room),
            Output::Part(client, room) => self.peer(*client).account.part(*room),
            Output::Ready(client) => self.peer(*client).account.ready(),
            Output::HangUp(client, departure) => self.peer(*client).account.hang_up(*departure),
        }
    }

    fn peer(&mut self, client: ClientId) -> &mut Peer {
        self.peers.get_mut(&client).expect("who is told or hung up on has a connection")
    }
}
