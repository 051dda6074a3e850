//! The log goes to stderr by way of a thread of its own: a terminal that was stopped, or a pipe that nobody reads, stalls
//! the log and not the chat.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, Write},
    mem, panic,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use env_logger::{Builder, Env, Target};

/// Bytes of the log that may wait for stderr, as many as for any client. Lines over it are dropped, and counted.
const LOG_QUEUE_MAX: usize = 1 << 20;
/// How long the end of the program waits for them.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Begins to log what `RUST_LOG` says, and how threads panic.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin() -> io::Result<Logging> {
    let (queue, entries) = queue();
    thread::Builder::new().name("log".to_owned()).spawn(move || write_out(&entries, &mut io::stderr()))?;
    let target = Target::Pipe(Box::new(Log { queue: queue.clone(), dropped: 0 }));
    Builder::from_env(Env::default().default_filter_or("info")).target(target).init();
    let of_panics = queue.clone();
    panic::set_hook(Box::new(move |info| {
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
    (Queue { entries, queued: Arc::default() }, receiver)
}

/// The log, as long as it is held. Dropping it waits until what was logged is written, a second at the most.
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
}

enum Entry {
    Line(Waiting),
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
    fn push(&self, line: Vec<u8>) {
        self.queued.fetch_add(line.len(), Relaxed);
        // The thread that receives them has no end.
        self.entries.send(Entry::Line(Waiting { line, queued: Arc::clone(&self.queued) })).ok();
    }
}

/// Where env_logger writes to.
struct Log {
    queue: Queue,
    /// Lines dropped since the last one that was not.
    dropped: usize,
}

impl Write for Log {
    /// Takes a line, whole. Never waits, never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.queued.load(Relaxed) + line.len() > LOG_QUEUE_MAX {
            self.dropped += 1;
        } else {
            match mem::take(&mut self.dropped) {
                0 => {}
                dropped => {
                    let gap = format!("({dropped} lines are missing here: the log was not read)\n");
                    self.queue.push(gap.into_bytes());
                }
            }
            self.queue.push(line.to_vec());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_out(entries: &Receiver<Entry>, stderr: &mut impl Write) {
    for entry in entries {
        match entry {
            // One that can't be written, to a full disk for instance, is lost; the next one may not be.
            Entry::Line(waiting) => drop(stderr.write_all(&waiting.line)),
            Entry::Fence(passed) => drop(passed.send(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_dropped_and_counted() {
        let (queue, entries) = queue();
        let mut log = Log { queue, dropped: 0 };
        let (line, fit) = (format!("{:>99}\n", "a line"), LOG_QUEUE_MAX / 100);
        (0..fit + 7).for_each(|_| log.write_all(line.as_bytes()).unwrap());
        assert_eq!(entries.try_iter().count(), fit, "these are read at last");
        log.write_all(b"next\n").unwrap();
        drop(log);
        let mut written = Vec::new();
        write_out(&entries, &mut written);
        let expected = "(7 lines are missing here: the log was not read)\nnext\n";
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn the_end_waits_for_what_was_logged() {
        const LINES: usize = 10_000;
        struct Stderr(Sender<()>);
        impl Write for Stderr {
            fn write(&mut self, line: &[u8]) -> io::Result<usize> {
                self.0.send(()).unwrap();
                Ok(line.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (queue, entries) = queue();
        let mut log = Log { queue: queue.clone(), dropped: 0 };
        let (writes, written) = channel();
        thread::spawn(move || write_out(&entries, &mut Stderr(writes)));
        (0..LINES).for_each(|_| log.write_all(b"a line\n").unwrap());
        drop(Logging(queue));
        assert_eq!(written.try_iter().count(), LINES);
    }
}
