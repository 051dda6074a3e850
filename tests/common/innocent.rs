//! A client that has done nothing, and measures how long it waits for answers while others attack the server.

use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use memchr::memmem;

use super::Client;

/// Between an answer and the next question; it reads meanwhile, too. So it asks less often than the rate limit lets it.
const GAP: Duration = Duration::from_millis(3);
/// How long an attack that is over may still be felt.
const AFTERMATH: Duration = Duration::from_secs(1);
/// When it gives up: whatever the test, this is far too long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `sync` again and again on a thread of its own, and reads all else that it is sent.
#[derive(Debug)]
pub struct Innocent {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What it has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// How long it has waited for the slowest answer.
    pub worst: Duration,
    pub answers: usize,
    /// Why it was not answered, if it was not.
    pub error: Option<String>,
}

impl Innocent {
    /// Returns when the first answer has come.
    #[track_caller]
    pub fn start(client: Client) -> Self {
        client.stream.set_read_timeout(Some(GAP)).expect("not zero");
        let mut asker = Asker { client, number: 0, tail: Vec::new(), buffer: vec![0; 256 << 10] };
        asker.ask().expect("it is answered before the attack");
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        Self { is_over, thread: thread::spawn(move || asker.run(&ends)) }
    }

    /// Asks a last time, and leaves.
    #[track_caller]
    pub fn finish(self) -> Seen {
        self.is_over.store(true, Relaxed);
        self.thread.join().expect("no panic")
    }

    /// The same, after a while in which it feels what the attack leaves behind. It must have been answered each time,
    /// within `limit`.
    #[track_caller]
    pub fn finish_within(self, limit: Duration) {
        thread::sleep(AFTERMATH); // the stretch that is measured
        let seen = self.finish();
        super::note(&format!("{seen:.0?}"));
        assert!(seen.error.is_none() && seen.worst < limit, "an innocent client: {seen:?}");
    }
}

struct Asker {
    client: Client,
    number: usize,
    /// The end of what it has read, since an answer may come in two pieces.
    tail: Vec<u8>,
    buffer: Vec<u8>,
}

impl Asker {
    fn run(mut self, is_over: &AtomicBool) -> Seen {
        let mut seen = Seen::default();
        loop {
            let is_last = is_over.load(Relaxed);
            let asked = Instant::now();
            let answer = self.ask();
            seen.worst = seen.worst.max(asked.elapsed());
            match answer.and_then(|()| self.listen()) {
                Ok(()) => seen.answers += 1,
                Err(error) => seen.error = Some(error.to_string()),
            }
            if is_last || seen.error.is_some() {
                return seen;
            }
        }
    }

    fn ask(&mut self) -> io::Result<()> {
        self.number += 1;
        let question = format!("sync|{}\n", self.number);
        self.client.stream.write_all(question.as_bytes())?;
        self.tail.clear();
        let asked = Instant::now();
        loop {
            let read = self.read()?;
            self.tail.extend_from_slice(&self.buffer[..read]);
            if memmem::find(&self.tail, question.as_bytes()).is_some() {
                return Ok(());
            }
            self.tail.drain(..self.tail.len().saturating_sub(question.len()));
            if asked.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    fn listen(&mut self) -> io::Result<()> {
        let end = Instant::now() + GAP;
        while Instant::now() < end {
            self.read()?;
        }
        Ok(())
    }

    /// Answers zero when nothing has come for a while.
    fn read(&mut self) -> io::Result<usize> {
        match self.client.stream.read(&mut self.buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => Ok(read),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }
}
