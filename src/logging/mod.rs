//! The log. A thread of its own writes it to stderr, so a terminal that was stopped, or a pipe that nobody reads, stalls the
//! log and not the chat. How much of each kind of line is written is for [`limit`] to say.

mod limit;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt,
    io::{self, Write},
    panic,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use env_logger::{Builder, Env};
use jiff::Zoned;
use log::{Level, Log, Metadata, Record};
use pipechat::broker::ACTS_TARGET;

use self::limit::{Admission, Limiter, Summary};

/// Bytes of the log that may wait for stderr: many thousand lines. Lines above that are dropped, and counted.
const LOG_QUEUE_MAX: usize = 1 << 20;
/// How long the program waits for them when it ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Begins to log what `RUST_LOG` selects, and panics.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin() -> io::Result<Logging> {
    let (queue, entries) = queue();
    let filter = Builder::from_env(Env::default().default_filter_or("info")).build();
    log::set_max_level(filter.filter());
    let logger = Logger { filter, queue: queue.clone(), limiter: Arc::default(), start: Instant::now() };
    let (limiter, start) = (Arc::clone(&logger.limiter), logger.start);
    let write = move || write_out(&entries, &limiter, || start.elapsed(), &mut io::stderr());
    thread::Builder::new().name("log".to_owned()).spawn(write)?;
    log::set_boxed_logger(Box::new(logger)).expect("there is no other logger");
    let of_panics = queue.clone();
    panic::set_hook(Box::new(move |info| {
        // Not limited: a panic is a bug.
        of_panics.push(format!("{info}\n").into_bytes());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            of_panics.push(format!("{backtrace}\n").into_bytes());
        }
    }));
    Ok(Logging(queue))
}

fn queue() -> (Queue, Receiver<Entry>) {
    let (entries, receiver) = channel();
    (Queue { entries, queued: Arc::default(), dropped: Arc::default() }, receiver)
}

/// The log, as long as it is held. Dropping it waits until what was logged is written, for at most [`FLUSH_TIMEOUT`].
pub(crate) struct Logging(Queue);

impl Drop for Logging {
    fn drop(&mut self) {
        let (fence, passed) = channel();
        self.0.entries.send(Entry::Fence(fence)).ok();
        passed.recv_timeout(FLUSH_TIMEOUT).ok();
    }
}

/// Where lines of the log wait.
#[derive(Clone)]
struct Queue {
    entries: Sender<Entry>,
    /// Bytes that wait.
    queued: Arc<AtomicUsize>,
    /// Lines dropped since a line was last queued.
    dropped: Arc<AtomicUsize>,
}

enum Entry {
    Line(Waiting),
    /// A line was left out, so there is a summary to be written in time.
    LeftOut,
    /// Is told when all before it is written.
    Fence(Sender<()>),
}

/// A line that waits, and counts until it is written.
struct Waiting {
    line: Vec<u8>,
    queued: Arc<AtomicUsize>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.queued.fetch_sub(self.line.len(), Relaxed);
    }
}

impl Queue {
    /// Takes a line, or drops and counts it, where too much waits. Never waits.
    fn offer(&self, line: Vec<u8>) {
        if self.queued.load(Relaxed) + line.len() > LOG_QUEUE_MAX {
            self.dropped.fetch_add(1, Relaxed);
            return;
        }
        match self.dropped.swap(0, Relaxed) {
            0 => {}
            dropped => {
                self.push(format!("({dropped} lines are missing here: the log was not read)\n").into_bytes());
            }
        }
        self.push(line);
    }

    fn push(&self, line: Vec<u8>) {
        self.queued.fetch_add(line.len(), Relaxed);
        self.send(Entry::Line(Waiting { line, queued: Arc::clone(&self.queued) }));
    }

    fn send(&self, entry: Entry) {
        // The thread that receives them has no end.
        self.entries.send(entry).ok();
    }
}

/// The logger behind the macros of `log`.
struct Logger {
    /// What `RUST_LOG` selects.
    filter: env_logger::Logger,
    queue: Queue,
    limiter: Arc<Mutex<Limiter>>,
    start: Instant,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.filter.matches(record) {
            return;
        }
        let (level, target) = (record.level(), record.target());
        let line = line(level, target, record.args());
        if target == ACTS_TARGET {
            return self.queue.push(line.into_bytes()); // operators alone can make it write these
        }
        let admission = lock(&self.limiter).admit(level, target, line.len(), self.start.elapsed());
        match admission {
            Admission::Written => self.queue.offer(line.into_bytes()),
            Admission::FirstLeftOut => self.queue.send(Entry::LeftOut),
            Admission::LeftOut => {}
        }
    }

    fn flush(&self) {}
}

/// A line of the log, with the local time and its offset from UTC.
fn line(level: Level, target: &str, text: &dyn fmt::Display) -> String {
    let now = Zoned::now();
    format!("[{} {level:<5} {target}] {text}\n", now.strftime("%FT%T%:z"))
}

fn lock(limiter: &Mutex<Limiter>) -> MutexGuard<'_, Limiter> {
    // Whatever a thread that panicked was about to count, the accounts are in order.
    limiter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes what comes, and the summaries in time also when nothing comes.
fn write_out(
    entries: &Receiver<Entry>,
    limiter: &Mutex<Limiter>,
    clock: impl Fn() -> Duration,
    stderr: &mut impl Write,
) {
    loop {
        let deadline = lock(limiter).deadline();
        let entry = match deadline {
            Some(at) => entries.recv_timeout(at.saturating_sub(clock())),
            None => entries.recv().map_err(RecvTimeoutError::from),
        };
        // Never while the limiter is locked: a stderr that nobody reads would stall every thread that logs.
        match entry {
            // A line that can't be written, to a full disk for instance, is lost; the next one may not be.
            Ok(Entry::Line(waiting)) => drop(stderr.write_all(&waiting.line)),
            Ok(Entry::Fence(passed)) => {
                let summaries = lock(limiter).end(clock());
                summarize(&summaries, stderr);
                passed.send(()).ok();
            }
            Ok(Entry::LeftOut) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let summaries = lock(limiter).due(clock());
        summarize(&summaries, stderr);
    }
}

fn summarize(summaries: &[Summary], stderr: &mut impl Write) {
    for summary in summaries {
        drop(stderr.write_all(line(summary.level, &summary.target, summary).as_bytes()));
    }
}

#[cfg(test)]
mod tests;
