//! Where an attack takes place: a server of its own, innocents, and what is measured. Does not know what the attack is.

use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::figure::Figure;
use super::innocents::Probe;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::{Dial, drain, push};
use crate::child::Server;
use crate::goals;
use crate::load::middle;

/// Innocents that read at full speed, beside the one whose round trips are measured.
const READING_INNOCENTS: usize = 10;
/// Connections that are opened before all of them are read again: what they hear of each other must not fill the kernel.
const CONNECTS_PER_DRAIN: usize = 200;
/// How long the server may be busy with itself before an attack.
pub(super) const REST_PATIENCE: Duration = Duration::from_secs(20);
/// After an attack, innocents are watched for at least so long: the attackers' departure may be what freezes them.
const WATCHED_AFTER: Duration = Duration::from_secs(1);
/// The server may take so long to give back its memory.
const GIVE_BACK: Duration = Duration::from_secs(10);

/// What holds for all attacks of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Tiny sizes and short times.
    pub(crate) quick: bool,
    /// Innocents come from other addresses than attackers.
    pub(crate) innocents_apart: bool,
}

/// An attacked server. What an attack function has opened is closed when it returns; then the arena looks what is left.
#[derive(Debug)]
pub(crate) struct Arena {
    pub(super) server: Server,
    settings: Settings,
    probe: Option<Probe>,
    /// Innocents that read.
    readers: Vec<Readers>,
    /// It was told to end.
    is_terminated: bool,
    connections: usize,
    figures: Vec<(Figure, f64)>,
}

impl Arena {
    pub(super) fn open(
        program: &Path,
        flags: &[&str],
        open_files: Option<u32>,
        settings: Settings,
    ) -> io::Result<Self> {
        let flags = [&["--port", "0", "--lang", "en"], flags].concat();
        let server = Server::logged(program, &flags, open_files)?;
        Ok(Self {
            server,
            settings,
            probe: None,
            readers: Vec::new(),
            is_terminated: false,
            connections: 0,
            figures: Vec::new(),
        })
    }

    /// So many clients or lines, or a fiftieth of them.
    pub(super) fn count(&self, whole: usize) -> usize {
        if self.settings.quick { whole.div_ceil(50).max(whole.min(2)) } else { whole }
    }

    /// So many seconds, or a tenth of them.
    pub(super) fn time(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(if self.settings.quick { seconds / 10.0 } else { seconds })
    }

    pub(super) fn until(&self, seconds: f64) -> Instant {
        Instant::now() + self.time(seconds)
    }

    pub(super) fn wait(&self, seconds: f64) {
        sleep(self.time(seconds));
    }

    /// How attackers connect.
    pub(super) fn dial(&self) -> Dial {
        Dial { to: self.server.address, from: None, receive_buffer: None }
    }

    /// Connects `clients`, of which each says `greeting` with its number, and waits until the server has digested them.
    pub(super) fn join(&mut self, clients: usize, greeting: impl Fn(usize) -> String) -> io::Result<Vec<TcpStream>> {
        self.join_by(self.dial(), clients, greeting)
    }

    pub(super) fn join_by(
        &mut self,
        dial: Dial,
        clients: usize,
        greeting: impl Fn(usize) -> String,
    ) -> io::Result<Vec<TcpStream>> {
        let mut streams = Vec::with_capacity(clients);
        for number in 0..clients {
            let stream = dial.connect()?;
            push(&stream, greeting(number).as_bytes())?;
            streams.push(stream);
            if streams.len() % CONNECTS_PER_DRAIN == 0 {
                drain(&streams);
            }
        }
        self.have_joined(clients);
        drain(&streams);
        self.server.rest(REST_PATIENCE)?;
        drain(&streams);
        Ok(streams)
    }

    /// Tells of clients that an attack has connected by other means.
    pub(super) fn have_joined(&mut self, clients: usize) {
        self.connections += clients;
    }

    /// One client that says `greeting`.
    pub(super) fn member(&mut self, greeting: &str) -> io::Result<TcpStream> {
        Ok(self.join(1, |_| greeting.into())?.remove(0))
    }

    /// Lets the innocents come: from here on they are measured.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.begin_at(self.settings.innocents_apart)
    }

    /// The same, each innocent from an address of its own.
    pub(super) fn begin_apart(&mut self) -> io::Result<()> {
        self.begin_at(true)
    }

    /// Adds innocents that read at a rate.
    pub(super) fn innocents(&mut self, streams: Vec<TcpStream>, rate: u64) -> io::Result<()> {
        self.readers.push(Readers::new(streams, rate)?);
        Ok(())
    }

    /// Stops the server while `act` takes place, so that it finds all of it at once.
    pub(super) fn at_once(&self, act: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.server.stop()?;
        let done = act();
        self.server.resume()?;
        done
    }

    /// Asks the server to end in good order.
    pub(super) fn terminate(&mut self) -> io::Result<()> {
        // Of a process that has ended nobody knows it any more.
        self.note(Figure::Peak, self.server.peak_memory()? as f64);
        self.is_terminated = true;
        self.server.terminate()
    }

    pub(super) fn note(&mut self, figure: Figure, value: f64) {
        self.figures.push((figure, value));
    }

    /// Looks what is left after the attack, ends the innocents and the server. Also tells if the server has exited by itself.
    pub(super) fn close(mut self) -> (Vec<(Figure, f64)>, Option<String>) {
        let after = if self.is_terminated { None } else { self.memory_after() };
        self.note(Figure::Connections, self.connections as f64);
        if let (Ok(peak), Some(after)) = (self.server.peak_memory(), after) {
            self.note(Figure::Peak, peak as f64);
            self.note(Figure::After, after as f64);
        }
        let mut cut = self.readers.iter().map(Readers::cut).sum::<usize>();
        if let Some(probe) = self.probe.take() {
            let mut seen = probe.finish();
            cut += usize::from(seen.was_cut);
            self.note(Figure::Freeze, seen.own.iter().copied().fold(0.0, f64::max));
            self.note(Figure::RawFreeze, seen.raw.iter().copied().fold(0.0, f64::max));
            self.note(Figure::RoundTrip, if seen.own.is_empty() { f64::NAN } else { middle(&mut seen.own) });
        }
        self.note(Figure::Cut, cut as f64);
        self.figures.sort_by_key(|(figure, _)| *figure);
        let early_exit = self.server.early_exit().filter(|_| !self.is_terminated);
        (self.figures, early_exit)
    }

    /// None where there is no server any more.
    fn memory_after(&self) -> Option<u64> {
        const LOOK: Duration = Duration::from_millis(20);
        let left = Instant::now();
        sleep(WATCHED_AFTER);
        loop {
            let memory = self.server.memory().ok()?;
            if goals::MEMORY_AFTER.is_met(memory as f64) || left.elapsed() > GIVE_BACK {
                return Some(memory);
            }
            sleep(LOOK);
        }
    }

    fn begin_at(&mut self, apart: bool) -> io::Result<()> {
        let mut streams = Vec::new();
        for number in 1..=u8::try_from(READING_INNOCENTS + 1).expect("there are few innocents") {
            let dial = self.dial();
            let dial = if apart { dial.from(Ipv4Addr::new(127, 0, 1, number)) } else { dial };
            streams.push(dial.connect()?);
        }
        let measured = streams.remove(0);
        self.readers.push(Readers::new(streams, FULL_SPEED)?);
        self.probe = Some(Probe::start(measured, &self.server.proc(""))?);
        Ok(())
    }
}
