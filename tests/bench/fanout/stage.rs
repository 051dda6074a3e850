//! Plays a workload with one server: starts it, gathers a crowd, lets it talk, takes the metrics.

mod kept;
mod rooms;
mod verbs;

use std::io;
use std::net::SocketAddrV4;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};

use crate::archives::Archives;
use crate::child::Server;
use crate::crowd::Crowd;
use crate::keeping::can_keep;
use crate::load::{Pace, Talk, Timing, single_lines, talk};
use crate::metric::Metric;
use crate::servers::Program;
use crate::wire::{MARKER, Wire, text};
use crate::workloads::{Scale, Workload};

const SENDERS: usize = 10;
const MANY_IN_FLIGHT: u64 = 256;
const FEW_IN_FLIGHT: u64 = 16;
/// Arrivals on their way in a storm: less than a listener's backlog of 4096. One that overflows makes the kernel
/// drop the rest and try again a second later, and the benchmark would measure that.
const STORM_AT_ONCE: usize = 4_000;
/// When nothing has come in for this long, everything has arrived.
const STILL: Duration = Duration::from_millis(300);
/// How long a server may be busy with itself after a storm.
const REST_PATIENCE: Duration = Duration::from_secs(60);

/// The outcome of a workload.
#[derive(Debug)]
pub(crate) enum Outcome {
    Metrics(Vec<(Metric, f64)>),
    /// The server has no such thing.
    Without(&'static str),
}

/// Runs `workload` once, with a server of its own.
pub(crate) fn play(
    workload: Workload,
    program: &Program,
    scale: &Scale,
    archives: &mut Archives,
) -> io::Result<Outcome> {
    let in_rooms = workload.is_in_rooms();
    if workload.clients(scale) > program.clients_max(in_rooms) {
        return Ok(Outcome::Without("not for so many clients"));
    }
    if !program.wire().carries(workload.line_bytes()) {
        return Ok(Outcome::Without("lines too long for it"));
    }
    let server = match program {
        _ if !workload.is_about_keeping() => program.start(in_rooms)?,
        Program::Pipechat(path) | Program::Keeping(path, _) if !can_keep(path)? => {
            return Ok(Outcome::Without("it keeps nothing"));
        }
        _ => kept::start(workload, program, scale, archives)?,
    };
    let mut stage = Stage::new(server, program)?;
    // If the server has exited, that explains the failure.
    stage.play(workload, scale, archives).map_err(|error| match stage.server.early_exit() {
        Some(early_exit) => io::Error::other(format!("{error}; {early_exit}")),
        None => error,
    })
}

struct Stage {
    /// Dropped first: a server that is gone need not tell ten thousand clients about each other's departure.
    server: Server,
    crowd: Crowd,
    wire: Wire,
    program: Program,
    is_floor: bool,
}

impl Stage {
    /// A running server, which is this program, and nobody there yet.
    fn new(server: Server, program: &Program) -> io::Result<Self> {
        let wire = program.wire();
        let crowd = Crowd::new(server.address, wire.ping(), MARKER)?;
        Ok(Self { server, crowd, wire, program: program.clone(), is_floor: *program == Program::Floor })
    }

    fn play(&mut self, workload: Workload, scale: &Scale, archives: &mut Archives) -> io::Result<Outcome> {
        let clients = workload.clients(scale);
        let metrics = match workload {
            Workload::Steady | Workload::SteadyMore | Workload::SteadyLong => {
                let senders = self.gather(clients, SENDERS)?;
                both(self.talk(clients, senders, workload.line_bytes(), MANY_IN_FLIGHT, scale)?)
            }
            Workload::Trickle => {
                let senders = self.gather(clients, SENDERS)?;
                both(self.talk(clients, senders, workload.line_bytes(), FEW_IN_FLIGHT, scale)?)
            }
            Workload::OneLineFew | Workload::OneLineMore | Workload::OneLineMost => {
                self.one_line(clients, workload.line_bytes(), scale)?
            }
            Workload::JoinStorm => self.join_storm(clients)?,
            Workload::Private => return self.private(clients, workload.line_bytes(), scale),
            Workload::Idle => self.idle(clients, scale)?,
            Workload::StuckReader => self.stuck_reader(clients, workload.line_bytes(), scale)?,
            Workload::Languages => return self.mixed(clients, "lang|en\n", workload.line_bytes(), scale),
            Workload::Json => return self.mixed(clients, "format|json\n", workload.line_bytes(), scale),
            Workload::Who => return self.who(clients, scale),
            Workload::Rooms => return self.small_rooms(clients, workload.line_bytes(), 1, scale),
            Workload::RoomsMore => {
                return self.small_rooms(clients, workload.line_bytes(), rooms::LINES_IN_FLIGHT, scale);
            }
            Workload::RoomsShared => return self.shared_rooms(clients, workload.line_bytes(), scale),
            Workload::RoomsOwn => return self.join_and_leave(clients, clients),
            Workload::RoomsSame => return self.join_and_leave(clients, 1),
            Workload::KeptFew | Workload::KeptMore => self.kept(clients, workload.line_bytes(), scale)?,
            Workload::KeptAtRest => self.kept_at_rest(workload.line_bytes(), scale)?,
            Workload::History => self.history(scale)?,
            Workload::ReplayRecent => self.replay_recent(workload.line_bytes(), scale)?,
            Workload::ReplayStored => self.replay(0, scale)?,
            Workload::Start => self.first_answer(&archives.get(scale.archive)?, scale)?,
            Workload::Full => self.full(clients, workload.line_bytes())?,
        };
        Ok(Outcome::Metrics(metrics))
    }

    fn one_line(&mut self, clients: usize, line_bytes: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        let senders = self.gather(clients, SENDERS)?;
        let line = self.public(clients, senders, line_bytes, 1);
        let spread = single_lines(&mut self.crowd, &self.server, &line, scale.repeats)?;
        Ok(vec![
            (Metric::First, spread.first),
            (Metric::Median, spread.median),
            (Metric::Last, spread.last),
            (Metric::CpuPerDelivery, spread.cpu_per_delivery),
        ])
    }

    fn join_storm(&mut self, clients: usize) -> io::Result<Vec<(Metric, f64)>> {
        let memory = self.server.memory()?;
        let cpu = self.server.cpu()?;
        // Everyone hears of its own arrival and of all later ones, a line each.
        let notices = clients as u64 * (clients as u64 + 1) / 2;
        self.crowd.count(b'\n');
        let began = Instant::now();
        self.crowd.join(clients, STORM_AT_ONCE, |_| String::new())?;
        self.crowd.await_marks(notices)?;
        let seconds = began.elapsed().as_secs_f64();
        self.server.rest(REST_PATIENCE)?;
        Ok(vec![
            (Metric::Time, seconds),
            (Metric::Cpu, (self.server.cpu()? - cpu).as_secs_f64()),
            (Metric::Memory, self.memory_each(memory, clients)?),
        ])
    }

    fn idle(&mut self, clients: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        let memory = self.server.memory()?;
        self.gather(clients, 0)?;
        let memory = self.memory_each(memory, clients)?;
        let (cpu, since) = (self.server.cpu()?, Instant::now());
        sleep(scale.idle);
        let cpu = (self.server.cpu()? - cpu).as_secs_f64() / since.elapsed().as_secs_f64();
        Ok(vec![(Metric::Memory, memory), (Metric::IdleCpu, cpu)])
    }

    fn stuck_reader(&mut self, clients: usize, line_bytes: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        let senders = self.gather(clients, SENDERS)?;
        let without = self.talk(clients, senders.clone(), line_bytes, MANY_IN_FLIGHT, scale)?;
        let stuck = never_reads(self.server.address)?;
        self.settle()?;
        // No warm-up, which would hide it if the others are held up only until the stuck one is cut.
        let timing = Timing { warm_up: Duration::ZERO, ..scale.timing };
        let public = self.public(clients, senders, line_bytes, MANY_IN_FLIGHT);
        let with = talk(&mut self.crowd, &self.server, &public, timing)?;
        drop(stuck);
        Ok(vec![(Metric::Throughput, with.per_second()), (Metric::Kept, with.per_second() / without.per_second())])
    }

    fn full(&mut self, clients: usize, line_bytes: usize) -> io::Result<Vec<(Metric, f64)>> {
        let before = self.server.memory()?;
        let began = Instant::now();
        let senders = self.gather(clients, 1)?;
        let seconds = began.elapsed().as_secs_f64();
        let with = self.memory_each(before, clients)?;
        let line = self.public(clients, senders, line_bytes, 1);
        let spread = single_lines(&mut self.crowd, &self.server, &line, 1)?;
        self.crowd = Crowd::new(self.server.address, self.wire.ping(), MARKER)?;
        self.server.rest(REST_PATIENCE)?;
        Ok(vec![
            (Metric::Time, seconds),
            (Metric::Last, spread.last),
            (Metric::Memory, with),
            (Metric::MemoryAfter, self.memory_each(before, clients)?),
        ])
    }

    /// Connects `clients` and waits until all of them have heard of each other. Returns who of the crowd may send:
    /// `senders` of the clients or, where a server wants those apart, as many connections beside them.
    fn gather(&mut self, clients: usize, senders: usize) -> io::Result<Range<usize>> {
        let at_once = self.wire.arrivals_at_once();
        self.crowd.join(clients, at_once, |client| self.wire.greeting(client))?;
        let first = match self.wire.publisher_greeting() {
            Some(greeting) => {
                self.crowd.join(senders, at_once, |_| greeting.clone())?;
                clients
            }
            None => 0,
        };
        self.settle()?;
        Ok(first..first + senders)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.crowd.await_quiet(STILL)?;
        self.server.rest(REST_PATIENCE)
    }

    fn talk(
        &mut self,
        clients: usize,
        senders: Range<usize>,
        line_bytes: usize,
        in_flight: u64,
        scale: &Scale,
    ) -> io::Result<Pace> {
        let public = self.public(clients, senders, line_bytes, in_flight);
        talk(&mut self.crowd, &self.server, &public, scale.timing)
    }

    fn public(&self, clients: usize, senders: Range<usize>, line_bytes: usize, in_flight: u64) -> Talk {
        Talk {
            senders,
            line: self.wire.public(&text(line_bytes)).into_bytes(),
            in_flight,
            hearers: self.wire.hearers(clients) as u64,
        }
    }

    /// What the server's memory has grown by, for each of `clients`.
    fn memory_each(&self, before: u64, clients: usize) -> io::Result<f64> {
        Ok(self.server.memory()?.saturating_sub(before) as f64 / clients as f64)
    }
}

fn both(pace: Pace) -> Vec<(Metric, f64)> {
    vec![(Metric::Throughput, pace.per_second()), (Metric::CpuPerDelivery, pace.cpu_per_delivery())]
}

/// A client that connects and then never reads. Its receive buffer is as small as the kernel allows.
fn never_reads(server: SocketAddrV4) -> io::Result<OwnedFd> {
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_recv_buffer_size(&socket, 1)?;
    net::connect(&socket, &server)?;
    Ok(socket)
}
