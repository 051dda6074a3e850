//! The innocent client that is measured: it asks `sync` again and again, and times the answers.
//!
//! Attackers, server and innocents share this machine's CPUs, which those of an attacked server would not. So from a round
//! trip is taken what the server, or the innocent if that is longer, has waited for a CPU meanwhile.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// Between an answer and the next question; it reads meanwhile, too.
const GAP: Duration = Duration::from_millis(3);

/// A client on a thread of its own.
#[derive(Debug)]
pub(super) struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<RoundTrips>,
}

/// What it has seen.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    /// By the clock.
    pub(super) raw: Vec<f64>,
    /// The same without what was lost to other processes.
    pub(super) own: Vec<f64>,
    pub(super) was_cut: bool,
}

impl Probe {
    /// Returns when the first answer has come.
    pub(super) fn start(stream: TcpStream, server: &Path) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(GAP))?;
        let waited = File::open(server.join("schedstat"))?;
        let mut asker = Asker { stream, waited, number: 0, heard: Vec::new(), read: vec![0; 256 << 10] };
        asker.ask()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        Ok(Self { stop, thread: spawn(move || asker.run(&stopped)) })
    }

    /// Returns when the last answer has come.
    pub(super) fn finish(self) -> RoundTrips {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

struct Asker {
    stream: TcpStream,
    /// The server's `schedstat`: time on a CPU, time waiting for one.
    waited: File,
    number: usize,
    /// The end of what was heard, as an answer may come in two pieces.
    heard: Vec<u8>,
    read: Vec<u8>,
}

impl Asker {
    fn run(mut self, stop: &AtomicBool) -> RoundTrips {
        let mut round_trips = RoundTrips::default();
        let Ok(own_waited) = File::open("/proc/thread-self/schedstat") else { return round_trips };
        while !stop.load(Ordering::Relaxed) && !round_trips.was_cut {
            let before = (waited(&self.waited), waited(&own_waited));
            let asked = Instant::now();
            // One that waits in vain has waited all the same.
            round_trips.was_cut = self.ask().is_err();
            let raw = asked.elapsed();
            let servers = waited(&self.waited).saturating_sub(before.0);
            let own = waited(&own_waited).saturating_sub(before.1);
            round_trips.raw.push(raw.as_secs_f64());
            round_trips.own.push(raw.saturating_sub(servers.max(own)).as_secs_f64());
            round_trips.was_cut |= self.listen().is_err();
        }
        round_trips
    }

    /// Waits for the answer as long as it takes.
    fn ask(&mut self) -> io::Result<()> {
        self.number += 1;
        let question = format!("sync|p{}\n", self.number).into_bytes();
        self.stream.write_all(&question)?;
        self.heard.clear();
        loop {
            let bytes = self.read()?;
            self.heard.extend_from_slice(&self.read[..bytes]);
            if self.heard.windows(question.len()).any(|window| window == question) {
                return Ok(());
            }
            self.heard.drain(..self.heard.len().saturating_sub(question.len()));
        }
    }

    /// Reads for a while what others say.
    fn listen(&mut self) -> io::Result<()> {
        let end = Instant::now() + GAP;
        while Instant::now() < end {
            self.read()?;
        }
        Ok(())
    }

    /// Returns 0 when nothing has come in for a while.
    fn read(&mut self) -> io::Result<usize> {
        match self.stream.read(&mut self.read) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => Ok(bytes),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// How long a thread has been ready to run without a CPU. Nothing, where the kernel does not say.
fn waited(schedstat: &File) -> Duration {
    let mut text = [0; 96];
    let bytes = schedstat.read_at(&mut text, 0).unwrap_or(0);
    let text = String::from_utf8_lossy(&text[..bytes]);
    Duration::from_nanos(text.split_ascii_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0))
}
