//! The world around the chat: clients that come, talk, stall and break off, packets cut anywhere, a clock that jumps.
//!
//! Whatever happens is put to the chat and to the model of it, and both have to answer the same.

mod actions;
mod checks;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    net::SocketAddr,
    time::Duration,
};

use common::Rng;
use jiff::Timestamp;
use pipechat::{
    chat::{Audience, Capacity, Chat, ClientId, Command, Departure, Event, Input, Limits, Output, Rules, Setting},
    protocol::Stamp,
};

use super::{
    generator::{LINE_MAX, WAIT_MAX},
    model::{Model, NAMES},
    peer::{Kind, Peer, QUEUE_MAX, RATE},
    reader::Heard,
};

/// Where clients come from.
const NETWORKS: [&str; 3] = ["127.0.0.1", "10.1.2.3", "::1"];
const CAPACITY: Capacity = Capacity { total: 16, per_ip: 8 };
/// Those who come first and see it all: a text in Chinese, one in English, and JSON.
const WITNESSES: usize = 3;
/// The clock, the packets and the readers of a world without faults, in a step.
const HEALED: (Duration, usize, usize) = (Duration::from_millis(50), 64, 1024);

pub(crate) struct World {
    rng: Rng,
    now: Duration,
    chat: Chat,
    model: Model,
    /// Connected, or with something yet to read.
    peers: BTreeMap<ClientId, Peer>,
    /// On their way to the broker.
    requests: VecDeque<(ClientId, Input)>,
    /// How many clients have come.
    arrived: usize,
    /// How many texts have been made.
    texts: usize,
    /// All that everyone was told.
    public: Vec<Heard>,
    /// Every input, with all that followed from it.
    pub(crate) transcript: String,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let limits = Limits {
            line_max: LINE_MAX,
            queue_max: QUEUE_MAX,
            rate: RATE,
            idle_timeout: Duration::ZERO,
            write_timeout: Duration::ZERO,
            wait_max: WAIT_MAX,
            clients_max: CAPACITY.total,
        };
        let mut rng = Rng(seed);
        let rules = Rules {
            capacity: CAPACITY,
            wait_max: WAIT_MAX,
            strict_idle: rng.one_in(4),
            limits: std::sync::Arc::new(limits),
        };
        let mut world = Self {
            rng,
            now: Duration::ZERO,
            chat: Chat::new(rules.clone()),
            model: Model::new(rules),
            peers: BTreeMap::new(),
            requests: VecDeque::new(),
            arrived: 0,
            texts: 0,
            public: Vec::new(),
            transcript: String::new(),
        };
        for first_words in ["stay", "lang|en", "format|json"] {
            let client = world.arrive(Kind::Witness);
            world.input(client, Input::Lines(vec![pipechat::protocol::parse(first_words.as_bytes())]));
        }
        world
    }

    /// One step with all its faults.
    pub(crate) fn step(&mut self) {
        match self.rng.below(100) {
            0..=9 if self.peers.len() < CAPACITY.total + 3 => {
                let kind = if self.rng.one_in(8) { Kind::Fuzzer } else { Kind::Guest };
                self.arrive(kind);
            }
            10..=69 => self.type_something(),
            70..=84 => self.someone_fails(),
            85..=93 => self.now += Duration::from_millis(self.rng.below(2000) as u64),
            94 if self.rng.one_in(4) => self.now += Duration::from_secs(3600),
            _ => {}
        }
        // A clock that goes back is not followed.
        let back = if self.rng.one_in(10) { Duration::from_secs(5) } else { Duration::ZERO };
        self.tick(self.now.saturating_sub(back));
        let packet = 1 + self.rng.below(80);
        self.speak(packet);
        for _ in 0..self.rng.below(5) {
            self.serve();
        }
        let bytes = self.rng.below(1500);
        self.read(bytes);
        self.cut_slow();
        self.probe();
        self.reap();
    }

    /// Nobody types any more, everyone reads, and the clock runs evenly, until nothing is under way. How long that takes is
    /// bounded by what was typed: packets, lines at their rate, waits to the end; and by a queue.
    pub(crate) fn heal(&mut self) {
        let (tick, packet, bytes) = HEALED;
        let steps = |time: Duration| time.as_millis().div_ceil(tick.as_millis()) as usize;
        let (of_a_line, of_a_wait) = (2 + steps(Duration::from_secs(1) / RATE.per_second), steps(WAIT_MAX));
        let bound = |peer: &Peer| {
            let (lines, waits) = peer.unheard();
            peer.typed.len() / packet + lines * of_a_line + (1 + waits) * of_a_wait + QUEUE_MAX / bytes
        };
        let bound = self.peers.values().map(bound).max().unwrap_or(0);
        self.peers.values_mut().for_each(|peer| peer.is_stalled = false);
        for _ in 0..bound {
            self.now += tick;
            self.tick(self.now);
            self.speak(packet);
            while !self.requests.is_empty() {
                self.serve();
            }
            self.read(bytes);
            self.cut_slow();
            self.reap();
            if self.peers.values().all(|peer| peer.is_quiet() && peer.queued() == 0) {
                return;
            }
        }
        panic!("not quiet after {bound} healthy steps");
    }

    /// All leave, and nothing of them is left.
    pub(crate) fn end(mut self) -> String {
        self.compare_witnesses();
        self.peers.values_mut().for_each(|peer| peer.has_finished = true);
        self.heal();
        assert_eq!(self.chat.members().count(), 0);
        assert_eq!(self.chat.deadline(), None);
        assert!(self.peers.is_empty());
        for spellings in NAMES {
            let client = self.arrive(Kind::Guest);
            let out = self.input(client, Input::Lines(vec![Ok(Command::Rename(spellings[0].to_owned()))]));
            assert!(matches!(out[..], [Output::Tell(_, Event::Renamed { .. }), Output::Ready(_)]), "{out:?}");
        }
        self.transcript
    }

    fn arrive(&mut self, kind: Kind) -> ClientId {
        let client = ClientId(self.arrived as u64);
        self.arrived += 1;
        let ip = if kind == Kind::Witness { NETWORKS[0] } else { self.rng.pick(&NETWORKS) };
        let port = u16::try_from(1024 + self.arrived % 60_000).expect("a port");
        let addr = SocketAddr::new(ip.parse().expect("an IP address"), port);
        self.peers.insert(client, Peer::new(client, kind, self.now, self.public.len()));
        self.input(client, Input::Arrive(addr));
        client
    }

    /// Puts an input to the chat and to the model, compares what they make of it, and does it.
    fn input(&mut self, client: ClientId, input: Input) -> Vec<Output> {
        writeln!(self.transcript, "{client} {input:?}").expect("a String takes all");
        let expected = self.model.handle(client, &input);
        let (what, mut out) = (input.clone(), Vec::new());
        self.chat.handle(client, input, &mut out);
        assert_eq!(out, expected, "{client} {what:?}");
        self.apply(&out);
        assert!(self.chat.members().eq(self.model.members()));
        out
    }

    fn tick(&mut self, now: Duration) {
        let expected = self.model.tick(now);
        let mut out = Vec::new();
        self.chat.tick(now, &mut out);
        assert_eq!(out, expected, "at {now:?}");
        self.apply(&out);
        assert!(self.chat.deadline().is_none_or(|deadline| deadline > now));
    }

    fn apply(&mut self, out: &[Output]) {
        for output in out {
            writeln!(self.transcript, "\t{output:?}").expect("a String takes all");
            let mut stamp = Stamp { seq: None, at: Timestamp::UNIX_EPOCH };
            match output {
                Output::Tell(Audience::Everyone, event) => {
                    self.public.push(Heard::of(event));
                    stamp.seq = Some(self.public.len() as u64);
                    let peers = self.peers.values_mut().filter(|peer| peer.departure.is_none());
                    peers.for_each(|peer| peer.tell(event, stamp));
                }
                Output::Tell(Audience::One(client), event) => self.peer(*client).tell(event, stamp),
                Output::Ready(client) => self.peer(*client).is_ready = true,
                Output::Set(client, setting) => {
                    let dialect = &mut self.peer(*client).dialect;
                    let with = dialect.with(*setting);
                    match *setting {
                        Setting::Stay => {}
                        Setting::Format(format) => dialect.format = format,
                        Setting::Lang(lang) => dialect.lang = lang,
                    }
                    assert_eq!(*dialect, with);
                }
                Output::HangUp(client, departure) => self.peer(*client).departure = Some(*departure),
            }
        }
    }

    fn peer(&mut self, client: ClientId) -> &mut Peer {
        self.peers.get_mut(&client).expect("who is told or hung up on has a connection")
    }

    /// A packet from each, cut anywhere, and what connections make of it.
    fn speak(&mut self, packet: usize) {
        for peer in self.peers.values_mut().filter(|peer| !peer.is_lost) {
            peer.packet(packet, self.now);
            self.requests.extend(peer.speak(self.now).into_iter().map(|input| (peer.client, input)));
        }
    }

    fn serve(&mut self) {
        if let Some((client, input)) = self.requests.pop_front() {
            self.input(client, input);
        }
    }

    fn read(&mut self, bytes: usize) {
        for peer in self.peers.values_mut().filter(|peer| !peer.is_stalled && !peer.is_lost) {
            let bytes = if peer.kind == Kind::Witness { usize::MAX } else { bytes };
            peer.sent += bytes.min(peer.queued());
        }
    }

    fn cut_slow(&mut self) {
        let is_slow = |peer: &&mut Peer| peer.queued() > QUEUE_MAX && peer.departure.is_none();
        let slow: Vec<_> = self.peers.values_mut().filter(is_slow).map(|peer| (peer.cut(), peer.client).1).collect();
        for client in slow {
            self.input(client, Input::End(Departure::SlowConsumer));
        }
    }
}
