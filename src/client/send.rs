//! `pipechat send`: sends lines as messages, and returns when they have taken effect. One thread reads the input and
//! writes to the server, one reads what the server sends, and the main one waits for their reports, by the deadline.

use std::{
    io::{self, Write},
    net::TcpStream,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};

use pipechat::chat::Event;

use super::{
    Deadline, Failure, Outcome, SendArgs,
    args::{field, timeout},
    complain,
    connection::{ConnectOptions, Connection},
    lines::{Input, LINE_BYTES_MAX, Lines},
    message::ServerMessage,
    reader::Reader,
};

/// The token of a fence, a `sync` that the server answers when it has handled every line before it.
const FENCE: &str = "fence";
/// Lines between two fences.
const FENCE_LINES: usize = 256;
/// Fences that may be unanswered. This limits by lines what is in buffers between here and the server, so that a slow
/// server answers in time.
const FENCES_AHEAD: usize = 4;
/// Reports that may wait for the main thread; the other threads wait if there are more.
const REPORTS_MAX: usize = 64;
/// How long the server may take to answer `quit`.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// What the other threads tell the main one.
enum Report {
    /// A fence is about to be sent.
    Fence,
    /// That was the last fence.
    Done,
    /// The server has answered a fence.
    Synced,
    /// A line was not sent as a message. The reason is on stderr already.
    Refused,
    /// The connection or the input has ended, or the server does not read.
    Ended(Failure),
}

impl SendArgs {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> Outcome {
        let timeout = timeout(self.timeout)?;
        let deadline = Deadline::after(timeout);
        let prefix = match &self.to {
            Some(to) => format!("to|{}|", field("--to", to)?),
            None => "say|".to_owned(),
        };
        let from_stdin = self.text.is_empty();
        let options = ConnectOptions {
            host: &self.host,
            port: self.port,
            name: self.name.as_deref(),
            lang: self.lang,
            idle_exempt: from_stdin,
            keeps_news: false,
        };
        let (reader, mut stream) = Connection::open(&options, deadline)?.split();
        let lines = if from_stdin { Lines::of_stdin() } else { Lines::of_text(self.text.join(" ")) };
        let lost = |error: io::Error| Failure::Lost(format!("connection lost: {error}"));
        let writer = stream.try_clone().map_err(lost)?;
        writer.set_write_timeout(Some(timeout.max(Duration::from_millis(1)))).map_err(lost)?;
        let (sender, reports) = sync_channel(REPORTS_MAX);
        let (permits, permitted) = channel();
        (0..FENCES_AHEAD).for_each(|_| permits.send(()).expect("the receiver is here"));
        let writer = Writer { lines, prefix, stream: writer, permitted, reports: sender.clone() };
        thread::spawn(move || writer.run());
        thread::spawn(move || read_answers(reader, &sender));

        // Stdin may take any time, so only the answers to fences have a deadline.
        let per_fence = from_stdin.then_some(timeout);
        let all_accepted = confirm(&reports, &permits, if from_stdin { Deadline::NEVER } else { deadline }, per_fence)?;
        // When the connection has ended, the name is free.
        if stream.write_all(b"quit\n").is_ok() {
            let deadline = Deadline::after(GOODBYE_MAX);
            while !matches!(next(&reports, deadline), Report::Ended(_)) {}
        }
        if all_accepted { Ok(()) } else { Err(Failure::Refused(None)) }
    }
}

/// Waits until the last fence is answered: by `deadline`, or with `per_fence`, that long after the answer before it.
/// Returns whether no line was refused.
fn confirm(
    reports: &Receiver<Report>,
    permits: &Sender<()>,
    mut deadline: Deadline,
    per_fence: Option<Duration>,
) -> Result<bool, Failure> {
    let (mut unanswered, mut is_done, mut all_accepted) = (0_usize, false, true);
    while !is_done || unanswered > 0 {
        match next(reports, deadline) {
            Report::Fence => {
                unanswered += 1;
                if let (1, Some(timeout)) = (unanswered, per_fence) {
                    deadline = Deadline::after(timeout);
                }
            }
            Report::Synced if unanswered == 0 => {} // the answer to nothing
            Report::Synced => {
                unanswered -= 1;
                permits.send(()).ok(); // fails if the writer has sent all
                if let Some(timeout) = per_fence {
                    deadline = if unanswered > 0 { Deadline::after(timeout) } else { Deadline::NEVER };
                }
            }
            Report::Done => is_done = true,
            Report::Refused => all_accepted = false,
            Report::Ended(failure) => return Err(failure),
        }
    }
    Ok(all_accepted)
}

fn next(reports: &Receiver<Report>, deadline: Deadline) -> Report {
    let report = match deadline.left() {
        // Even if there is a report: a server can see to it that there always is one.
        Some(Duration::ZERO) => Err(RecvTimeoutError::Timeout),
        Some(left) => reports.recv_timeout(left),
        None => reports.recv().map_err(RecvTimeoutError::from),
    };
    report.unwrap_or_else(|error| {
        Report::Ended(match error {
            RecvTimeoutError::Timeout => Failure::TimedOut("timed out: not confirmed".to_owned()),
            RecvTimeoutError::Disconnected => Failure::Lost("connection lost".to_owned()),
        })
    })
}

/// Reads what the server sends, without a pause, since the server disconnects a client that does not read. Prints
/// refusals.
fn read_answers(mut reader: Reader, reports: &SyncSender<Report>) {
    loop {
        let report = match reader.next_answer(Deadline::NEVER) {
            Ok(ServerMessage::Answer(Event::Synced(token))) if token == FENCE => Report::Synced,
            Ok(ServerMessage::Refused { text, .. }) => {
                complain(&text);
                Report::Refused
            }
            Ok(
                ServerMessage::News(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Farewell { .. },
            ) => continue,
            Err(failure) => Report::Ended(failure),
        };
        let has_ended = matches!(report, Report::Ended(_));
        if reports.send(report).is_err() || has_ended {
            return;
        }
    }
}

/// Reads the input and writes it to the server.
struct Writer {
    lines: Lines,
    prefix: String,
    stream: TcpStream,
    /// One for each fence that may be sent.
    permitted: Receiver<()>,
    reports: SyncSender<Report>,
}

impl Writer {
    fn run(mut self) {
        if let Err(failure) = self.send_all() {
            self.reports.send(Report::Ended(failure)).ok();
        }
    }

    fn send_all(&mut self) -> Outcome {
        let (mut out, mut at_end) = (Vec::new(), false);
        while !at_end {
            if self.permitted.recv().is_err() {
                return Ok(()); // the main thread has finished
            }
            for _ in 0..FENCE_LINES {
                let input = self.lines.next(&self.prefix, &mut out);
                match input.map_err(|error| Failure::Usage(format!("can't read stdin: {error}")))? {
                    Input::Line => {}
                    Input::TooLong => {
                        complain(&format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes"));
                        self.reports.send(Report::Refused).ok();
                    }
                    Input::End => {
                        at_end = true;
                        break;
                    }
                }
                if !self.lines.has_more() {
                    self.flush(&mut out)?;
                }
            }
            self.reports.send(Report::Fence).ok();
            out.extend_from_slice(format!("sync|{FENCE}\n").as_bytes());
            self.flush(&mut out)?;
        }
        self.reports.send(Report::Done).ok();
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Outcome {
        match self.stream.write_all(out) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(Failure::TimedOut("timed out: the server takes no more".to_owned()))
            }
            // If the connection is lost, the reader learns why.
            Ok(()) | Err(_) => {
                out.clear();
                Ok(())
            }
        }
    }
}
