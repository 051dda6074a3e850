//! Plays the workloads about what is kept of what is said: what it costs those who speak, and how fast it is told again.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{MANY_IN_FLIGHT, REST_PATIENCE, SENDERS, Stage};
use crate::archives::{Archives, Contents};
use crate::child::Server;
use crate::crowd::TURN;
use crate::load::{Pace, Timing, middle, talk};
use crate::metric::Metric;
use crate::servers::{PIPECHAT_FLAGS, Program};
use crate::watchdog::Watchdog;
use crate::wire::{MARKER, text};
use crate::workloads::{HISTORY_LINES, Scale, Workload};

/// The parts in which steady talk is measured, each with the other server's beside it.
const SLICES: u32 = 10;
/// Between two lines at rest: enough for a server's threads to fall asleep.
const SILENCE: Duration = Duration::from_millis(4);
/// Memory for the lines of [`Workload::ReplayRecent`].
const RECENT_MEMORY: &str = "64M";
/// Lines on their way, while these are said.
const SAID_AT_ONCE: usize = 1_000;
/// Another client asks for little so long after a question to the store at most, or a part of it.
const OTHER_LATEST: Duration = Duration::from_millis(1);
const OTHER_STEPS: u32 = 8;
/// Who asks the store, and who asks for little.
const ASKER: usize = 0;
const OTHER: usize = 1;

/// Starts a server with what is to be kept already, and room for what will be.
pub(super) fn start(
    workload: Workload,
    program: &Program,
    scale: &Scale,
    archives: &mut Archives,
) -> io::Result<Server> {
    let contents = match workload {
        Workload::History | Workload::Start => Some(scale.archive),
        Workload::ReplayStored => Some(Contents { messages: scale.replayed, rooms: 1 }),
        _ => None,
    };
    match (program, contents) {
        (Program::Keeping(path, keeping), Some(contents)) => {
            // What is replayed is one large room.
            keeping.start(path, Some(&archives.get(contents)?), &["--history-lines", "0"])
        }
        (Program::Pipechat(path), None) if workload == Workload::ReplayRecent => {
            // Beside what is said there are notices of who comes and goes.
            let lines = (scale.replayed + 10).to_string();
            let flags = ["--recent", &lines, "--recent-memory", RECENT_MEMORY];
            Server::announced(path, &[PIPECHAT_FLAGS, &flags].concat(), None)
        }
        _ => program.start(false),
    }
}

impl Stage {
    /// Steady talk, by turns with this server and with one that keeps less, so that what else the machine does hits both.
    pub(super) fn kept(&mut self, clients: usize, line_bytes: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        let mut less = self.keeping_less()?;
        let senders = self.gather(clients, SENDERS)?;
        less.gather(clients, SENDERS)?;
        let (mut more, mut ratios, mut cpu_ratios) = (Vec::new(), Vec::new(), Vec::new());
        let slice = Timing { warm_up: scale.timing.warm_up / SLICES, measured: scale.timing.measured / SLICES };
        for turn in 0..SLICES {
            let talk = |stage: &mut Self| {
                let public = stage.public(clients, senders.clone(), line_bytes, MANY_IN_FLIGHT);
                let pace = talk(&mut stage.crowd, &stage.server, &public, slice)?;
                stage.server.rest(REST_PATIENCE)?;
                Ok::<_, io::Error>(pace)
            };
            // What is first has no advantage.
            let (ours, theirs) = if turn % 2 == 0 {
                let ours = talk(self)?;
                (ours, talk(&mut less)?)
            } else {
                let theirs = talk(&mut less)?;
                (talk(self)?, theirs)
            };
            ratios.push(ours.per_second() / theirs.per_second());
            cpu_ratios.push(ours.cpu_per_delivery() / theirs.cpu_per_delivery());
            more.push(ours);
        }
        let deliveries = more.iter().map(|pace| pace.deliveries).sum::<u64>() as f64;
        let sum = |part: fn(&Pace) -> f64| more.iter().map(part).sum::<f64>();
        let mut metrics = vec![
            (Metric::Throughput, deliveries / sum(|pace| pace.seconds)),
            (Metric::CpuPerDelivery, sum(|pace| pace.cpu_seconds) / deliveries),
            (Metric::ToLess, middle(&mut ratios)),
            (Metric::CpuToLess, middle(&mut cpu_ratios)),
        ];
        let store_seconds = sum(|pace| pace.store_seconds);
        if store_seconds > 0.0 {
            metrics.push((Metric::CpuPerStored, store_seconds / (deliveries / clients as f64)));
        }
        Ok(metrics)
    }

    /// A client that says a line and hears it, and then one of a server without a store, in turn.
    pub(super) fn kept_at_rest(&mut self, line_bytes: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        let mut less = self.keeping_less()?;
        let line = self.wire.public(&text(line_bytes)).into_bytes();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let mut both = [(&mut self.crowd, &mut with), (&mut less.crowd, &mut without)];
        for (crowd, _) in &mut both {
            crowd.join(1, 1, |client| self.wire.greeting(client))?;
        }
        for said in 1..=scale.kept_lines as u64 {
            for (crowd, seconds) in &mut both {
                sleep(SILENCE);
                let began = Instant::now();
                crowd.say(0, &line)?;
                crowd.await_marks(said)?;
                seconds.push(began.elapsed().as_secs_f64());
            }
        }
        Ok(vec![
            (Metric::AddedMedian, middle(&mut with) - middle(&mut without)),
            (Metric::AddedTail, tail(&mut with) - tail(&mut without)),
        ])
    }

    /// The same pipechat when it keeps less.
    fn keeping_less(&self) -> io::Result<Self> {
        let less = self.program.keeping_less().ok_or_else(|| io::Error::other("nothing keeps less"))?;
        Self::new(less.start(false)?, &less)
    }

    /// Asks for the last messages of one room after the other. Another client asks for little, by turns alone and while the
    /// store is asked.
    pub(super) fn history(&mut self, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        self.gather(2, 0)?;
        self.crowd.count(b'\n');
        let rooms = scale.archive.rooms;
        let lines = HISTORY_LINES.min(scale.archive.messages / rooms) as u64 + 1;
        // The next room is always another one than the store has just read.
        let mut questions = (0..).map(|number| format!("history|r{}|{HISTORY_LINES}\n", number * 7 % rooms));
        let (mut answers, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
        for (_, step) in (0..scale.questions).zip((0..OTHER_STEPS).cycle()) {
            let asked = self.ask(ASKER, &questions.next().expect("numbers do not end"), lines)?;
            answers.push(self.answer(&asked)?);

            let later = OTHER_LATEST * step / OTHER_STEPS;
            alone.push(self.ask_for_little(later)?);

            let asked = self.ask(ASKER, &questions.next().expect("numbers do not end"), lines)?;
            beside.push(self.ask_for_little(later)?);
            self.answer(&asked)?;
        }
        Ok(vec![
            (Metric::AnswerMedian, middle(&mut answers)),
            (Metric::AnswerTail, tail(&mut answers)),
            (Metric::OtherMedian, middle(&mut beside)),
            (Metric::OtherTail, tail(&mut beside)),
            (Metric::OtherSlowed, middle(&mut beside) / middle(&mut alone)),
        ])
    }

    /// Lets the other client ask after a while. Returns the seconds until it has the answer.
    fn ask_for_little(&mut self, later: Duration) -> io::Result<f64> {
        sleep(later); // a loop would take a CPU from the server
        let asked = self.ask(OTHER, "sync|x\n", 1)?;
        self.answer(&asked)
    }

    /// A client fills a room, and another is told all of it.
    pub(super) fn replay_recent(&mut self, line_bytes: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        self.gather(1, 0)?;
        self.crowd.say(0, b"join|r0\n")?;
        self.settle()?;
        self.crowd.restart_count();
        let line = self.wire.public(&text(line_bytes));
        let mut said = 0;
        while said < scale.replayed {
            let more = SAID_AT_ONCE.min(scale.replayed - said);
            said += more;
            self.crowd.say(0, line.repeat(more).as_bytes())?;
            self.crowd.await_marks(said as u64)?;
        }
        self.replay(1, scale)
    }

    /// A client is told all that was said in a room, and then another one; there are `others` beside them. The first one fills
    /// SQLite's cache, which has a bound of its own.
    pub(super) fn replay(&mut self, others: usize, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        self.gather(2, 0)?;
        self.crowd.count(MARKER);
        let mut replay = |client: usize| {
            let memory = self.server.memory()?;
            self.server.restart_peak()?;
            let asked = self.ask(client, "join|r0|since|0\n", scale.replayed as u64)?;
            let seconds = self.answer(&asked)?;
            let growth = self.server.peak_memory()?.saturating_sub(memory) as f64;
            // It hears no more.
            self.crowd.say(client, b"leave|r0\n")?;
            self.settle()?;
            Ok::<_, io::Error>((scale.replayed as f64 / seconds, growth))
        };
        let (_, first_growth) = replay(others)?;
        let (per_second, growth) = replay(others + 1)?;
        Ok(vec![(Metric::Throughput, per_second), (Metric::FirstGrowth, first_growth), (Metric::Growth, growth)])
    }

    /// From the start of the server until a client has heard something.
    pub(super) fn first_answer(&mut self, archive: &Path, scale: &Scale) -> io::Result<Vec<(Metric, f64)>> {
        self.crowd.join(1, 1, |client| self.wire.greeting(client))?;
        let seconds = self.server.began.elapsed().as_secs_f64();
        let bytes = fs::metadata(archive)?.len() as f64 / scale.archive.messages as f64;
        Ok(vec![(Metric::Time, seconds), (Metric::FileBytes, bytes)])
    }

    /// Says `line` as a client that will hear so many marks for it.
    fn ask(&mut self, client: usize, line: &str, marks: u64) -> io::Result<Asked> {
        let marks = self.crowd.marks_of(client) + marks;
        let began = Instant::now();
        self.crowd.say(client, line.as_bytes())?;
        Ok(Asked { client, marks, began })
    }

    /// Reads until the answer is complete. Returns the seconds since the question.
    fn answer(&mut self, asked: &Asked) -> io::Result<f64> {
        let mut watchdog = Watchdog::new();
        while self.crowd.marks_of(asked.client) < asked.marks {
            let heard = self.crowd.turn(TURN)?;
            watchdog.look(heard, || {
                format!("client {} has heard {} of {}", asked.client, self.crowd.marks_of(asked.client), asked.marks)
            })?;
        }
        Ok(asked.began.elapsed().as_secs_f64())
    }
}

/// A question that is on its way.
struct Asked {
    client: usize,
    /// What the client has heard when it has the answer.
    marks: u64,
    began: Instant,
}

/// What all but a hundredth are at most; sorts them.
fn tail(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) * 99 / 100]
}
