//! The log goes to stderr by way of a thread of its own: a terminal that was stopped, or a pipe that nobody reads, stalls
//! the log and not the chat.

use std::{
    io::{self, Write},
    mem,
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

/// Begins to log what `RUST_LOG` says.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin() -> io::Result<Logging> {
    let (log, entries) = queue();
    thread::Builder::new().name("log".to_owned()).spawn(move || write_out(&entries, &mut io::stderr()))?;
    let target = Target::Pipe(Box::new(log.clone()));
    Builder::from_env(Env::default().default_filter_or("info")).target(target).init();
    Ok(Logging(log))
}

/// The log, as long as it is held. Dropping it waits until what was logged is written, a second at the most.
pub(crate) struct Logging(Log);

impl Drop for Logging {
    fn drop(&mut self) {
        let (fence, passed) = channel();
        self.0.entries.send(Entry::Fence(fence)).ok();
        passed.recv_timeout(FLUSH_TIMEOUT).ok(); // an error either way: passed, or too late
    }
}

fn queue() -> (Log, Receiver<Entry>) {
    let (entries, receiver) = channel();
    (Log { entries, queued: Arc::default(), dropped: 0 }, receiver)
}

/// Where lines of the log wait.
#[derive(Clone)]
struct Log {
    entries: Sender<Entry>,
    /// Bytes that wait.
    queued: Arc<AtomicUsize>,
    /// Lines dropped since the last one that was not.
    dropped: usize,
}

enum Entry {
    Line(Waiting),
    /// Tells, by being dropped, that all before it is written.
    Fence(#[expect(dead_code, reason = "a signal when it is dropped")] Sender<()>),
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

impl Log {
    fn push(&self, line: Vec<u8>) {
        self.queued.fetch_add(line.len(), Relaxed);
        // Fails only when stderr is closed, and then nobody wants it.
        self.entries.send(Entry::Line(Waiting { line, queued: Arc::clone(&self.queued) })).ok();
    }
}

impl Write for Log {
    /// Takes a line, whole. Never waits, never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queued.load(Relaxed) + line.len() > LOG_QUEUE_MAX {
            self.dropped += 1;
        } else {
            match mem::take(&mut self.dropped) {
                0 => {}
                dropped => {
                    let gap = format!("({dropped} lines are missing here: the log was not read)\n");
                    self.push(gap.into_bytes());
                }
            }
            self.push(line.to_vec());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_out(entries: &Receiver<Entry>, stderr: &mut impl Write) {
    for entry in entries {
        if let Entry::Line(waiting) = entry
            && stderr.write_all(&waiting.line).is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_dropped_and_counted() {
        let (mut log, entries) = queue();
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
        let (mut log, entries) = queue();
        let (writes, written) = channel();
        thread::spawn(move || write_out(&entries, &mut Stderr(writes)));
        (0..LINES).for_each(|_| log.write_all(b"a line\n").unwrap());
        drop(Logging(log));
        assert_eq!(written.try_iter().count(), LINES);
    }
}
