//! `pipechat send`: says lines, and returns when they have taken effect. One thread reads the input and writes it to the
//! server, one reads what the server tells, and the main one waits for both: none of them waits for another.

use std::{
    io::{self, Write},
    net::TcpStream,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use pipechat::chat::Event;

use super::{
    Deadline, Failure, Outcome, SendArgs,
    args::{field, timeout},
    complain,
    connection::{ConnectOptions, Connection, Reader},
    lines::{Input, LINE_BYTES_MAX, Lines},
    message::ServerMessage,
};

/// Lines after which the server is asked whether it has come so far.
const FENCE_LINES: usize = 256;
/// Fences that may be unanswered: what lies in buffers between here and the server is bounded by lines, not by megabytes, so
/// that a slow server answers in time.
const FENCES_AHEAD: usize = 4;
/// How long the goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// What the main thread is told by the others.
enum Report {
    /// A fence is about to be sent.
    Fence,
    /// That was the last fence.
    Done,
    /// The server has come as far as a fence.
    Synced,
    /// A line is not said, and why.
    Refused(String),
    /// It ends.
    Over(Failure),
}

impl SendArgs {
    /// Says it.
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
        };
        let (reader, mut stream) = Connection::open(&options, deadline)?.split();
        let lines = if from_stdin { Lines::of_stdin() } else { Lines::of_text(self.text.join(" ")) };
        let lost = |error: io::Error| Failure::Lost(format!("connection lost: {error}"));
        let writer = stream.try_clone().map_err(lost)?;
        writer.set_write_timeout(Some(timeout.max(Duration::from_millis(1)))).map_err(lost)?;
        let (sender, reports) = channel();
        let (permits, permitted) = channel();
        (0..FENCES_AHEAD).for_each(|_| permits.send(()).expect("the receiver is here"));
        let speaker = Speaker { lines, prefix, writer, permitted, reports: sender.clone() };
        thread::spawn(move || speaker.run());
        thread::spawn(move || hear(reader, &sender));

        // Of stdin nobody knows how long it takes; a server that has something to answer does so in time.
        let pace = from_stdin.then_some(timeout);
        let is_all_said = confirm(&reports, &permits, if from_stdin { Deadline::NEVER } else { deadline }, pace)?;
        // When this returns the name is free again.
        if stream.write_all(b"quit\n").is_ok() {
            let deadline = Deadline::after(GOODBYE_MAX);
            while !matches!(next(&reports, deadline), Report::Over(_)) {}
        }
        if is_all_said { Ok(()) } else { Err(Failure::Refused(None)) }
    }
}

/// Waits until the last fence is answered. Tells whether nothing was refused.
fn confirm(
    reports: &Receiver<Report>,
    permits: &Sender<()>,
    mut deadline: Deadline,
    pace: Option<Duration>,
) -> Result<bool, Failure> {
    let (mut fences, mut is_done, mut is_all_said) = (0, false, true);
    while !is_done || fences > 0 {
        match next(reports, deadline) {
            Report::Fence => {
                fences += 1;
                if let (1, Some(pace)) = (fences, pace) {
                    deadline = Deadline::after(pace);
                }
            }
            Report::Synced => {
                fences -= 1;
                permits.send(()).ok(); // the speaker may be through
                if let Some(pace) = pace {
                    deadline = if fences > 0 { Deadline::after(pace) } else { Deadline::NEVER };
                }
            }
            Report::Done => is_done = true,
            Report::Refused(text) => {
                is_all_said = false;
                complain(&text);
            }
            Report::Over(failure) => return Err(failure),
        }
    }
    Ok(is_all_said)
}

fn next(reports: &Receiver<Report>, deadline: Deadline) -> Report {
    let report = match deadline.left() {
        Some(left) => reports.recv_timeout(left),
        None => reports.recv().map_err(RecvTimeoutError::from),
    };
    report.unwrap_or_else(|error| {
        Report::Over(match error {
            RecvTimeoutError::Timeout => Failure::TimedOut("timed out: not confirmed".to_owned()),
            RecvTimeoutError::Disconnected => Failure::Lost("connection lost".to_owned()),
        })
    })
}

/// Reads what the server tells, always: one that does not read is cut. Chat is of no interest here.
fn hear(mut reader: Reader, reports: &Sender<Report>) {
    loop {
        let report = match reader.next_answer(Deadline::NEVER) {
            Ok(ServerMessage::Answer(Event::Synced(_))) => Report::Synced,
            Ok(ServerMessage::Refused { text, .. }) => Report::Refused(text),
            Ok(
                ServerMessage::News(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Words(_)
                | ServerMessage::Farewell { .. },
            ) => continue,
            Err(failure) => Report::Over(failure),
        };
        let is_over = matches!(report, Report::Over(_));
        if reports.send(report).is_err() || is_over {
            return;
        }
    }
}

struct Speaker {
    lines: Lines,
    prefix: String,
    writer: TcpStream,
    /// One for each fence that may be sent.
    permitted: Receiver<()>,
    reports: Sender<Report>,
}

impl Speaker {
    fn run(mut self) {
        if let Err(failure) = self.speak() {
            self.reports.send(Report::Over(failure)).ok();
        }
    }

    fn speak(&mut self) -> Outcome {
        let (mut out, mut is_over) = (Vec::new(), false);
        while !is_over {
            if self.permitted.recv().is_err() {
                return Ok(()); // nobody wants to know any more
            }
            for _ in 0..FENCE_LINES {
                let input = self.lines.next(&self.prefix, &mut out);
                match input.map_err(|error| Failure::Usage(format!("can't read stdin: {error}")))? {
                    Input::Line => {}
                    Input::TooLong => {
                        let text = format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes");
                        self.reports.send(Report::Refused(text)).ok();
                    }
                    Input::End => {
                        is_over = true;
                        break;
                    }
                }
                if !self.lines.has_more() {
                    self.flush(&mut out)?;
                }
            }
            self.reports.send(Report::Fence).ok();
            out.extend_from_slice(b"sync|fence\n");
            self.flush(&mut out)?;
        }
        self.reports.send(Report::Done).ok();
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> Outcome {
        match self.writer.write_all(out) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Err(Failure::TimedOut("timed out: the server takes no more".to_owned()))
            }
            // Where it breaks, the one who listens gets to know why.
            Ok(()) | Err(_) => {
                out.clear();
                Ok(())
            }
        }
    }
}
