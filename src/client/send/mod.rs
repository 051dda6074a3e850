//! `pipechat send`: sends lines as messages, and returns when they have taken effect. Among the lines it sends fences: `sync`
//! with the number of a line, so that the answers tell which lines are delivered and which one is refused.
//!
//! One thread reads the input. Each connection has one that writes and one that reads, so that neither waits for the other.
//! The main thread keeps lines until they are confirmed, and waits for what the others report, by a deadline.

mod input;
mod link;

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};

use pipechat::chat::{LOBBY, Position};

use self::{
    input::{Line, PERMITS, read_lines},
    link::Link,
};
use super::{
    Deadline, Failure, Outcome, SendArgs, complain,
    connection::Connection,
    endpoint::Endpoint,
    fields::{field, room},
    lines::{LINE_BYTES_MAX, Lines},
    options::ConnectOptions,
    print,
    retry::{open_persistently, open_when_up, reopen},
    token::Token,
};
use crate::args::Timeout;

/// Reports that may wait for the main thread; the other threads wait if there are more.
const REPORTS_MAX: usize = 64;
/// How long the server may take to answer `quit`.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// What the other threads tell the main one.
enum Report {
    /// The next line of the input.
    Line(Line),
    /// The line of this number is longer than any that is sent.
    TooLong(u64),
    /// There are no more lines.
    InputEnded,
    /// The input cannot be read, for this reason.
    InputFailed(String),
    /// What has come on the connection of this number.
    Answer(u64, Answer),
}

/// What comes on a connection.
enum Answer {
    /// The server has handled everything up to the line of this number.
    Synced(u64),
    /// The server has said a line, which it keeps at this position.
    Said(Option<Position>),
    /// The server has refused a line, for this reason, which is short enough for stderr.
    Refused(String),
    /// The connection has ended, or the server does not read.
    Ended(Failure),
}

/// Whether there may be more input.
#[derive(PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

impl SendArgs {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> Outcome {
        if self.text.iter().all(String::is_empty) {
            return Err(Failure::Usage("TEXT must not be empty; use - to send each line of stdin".to_owned()));
        }
        let prefix = match (&self.to, &self.room) {
            (Some(_), Some(_)) => return Err(Failure::Usage("--to and --room exclude each other".to_owned())),
            (Some(_), None) if self.verbose => {
                return Err(Failure::Usage(
                    "--to and --verbose exclude each other: what is private is not kept".to_owned(),
                ));
            }
            (Some(to), None) => format!("to|{}|", field("--to", to)?),
            (None, Some(name)) => format!("in|{}|", room("--room", name)?),
            (None, None) if self.verbose => format!("in|{LOBBY}|"), // whose answer tells the position
            (None, None) => "say|".to_owned(),
        };
        let text = self.text.join(" ");
        let from_stdin = text == "-";
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let options = ConnectOptions {
            name: self.name.as_deref(),
            token: token.as_ref(),
            idle_exempt: from_stdin,
            ..ConnectOptions::new(&endpoint, self.lang).visiting()
        };
        let whole = Deadline::of(self.timeout);
        let connection = match (self.reconnect, from_stdin) {
            (false, _) => open_when_up(&options, whole)?,
            (true, false) => open_persistently(&options, whole)?,
            (true, true) => open_persistently(&options, Deadline::NEVER)?,
        };
        let (sender, reports) = sync_channel(REPORTS_MAX);
        let (permits, permitted) = channel();
        (0..PERMITS).for_each(|_| permits.send(()).expect("the receiver is here"));
        let mut delivery = Delivery {
            link: Link::start(0, connection, self.timeout.0, &sender)?,
            unconfirmed: VecDeque::new(),
            input: Input::Open,
            all_accepted: true,
            untold: self.verbose.then_some(0),
            numbers_lines: from_stdin || text.trim_end().contains('\n'),
            // Stdin may take any time, so only the answers have a deadline then.
            deadline: if from_stdin { Deadline::NEVER } else { whole },
            per_answer: from_stdin.then_some(self.timeout),
            reports,
            sender: sender.clone(),
            permits,
        };
        let lines = if from_stdin { Lines::of_stdin() } else { Lines::of_text(text) };
        thread::spawn(move || read_lines(lines, &prefix, &permitted, &sender));
        while let Err(failure) = delivery.run() {
            let reason = match failure {
                Failure::Lost(reason) if self.reconnect => reason,
                Failure::TimedOut(reason) if self.reconnect && from_stdin => reason,
                failure => return Err(failure),
            };
            let connection = reopen(&options, &reason, if from_stdin { Deadline::NEVER } else { whole })?;
            delivery.resume(connection, self.timeout)?;
        }
        delivery.finish()
    }
}

/// Lines on their way from the input to the server.
struct Delivery {
    link: Link,
    /// Lines that were sent and neither confirmed nor refused, oldest first.
    unconfirmed: VecDeque<Line>,
    input: Input,
    all_accepted: bool,
    /// How many lines were sent on this connection whose positions are still to be printed; `None` if they are not.
    untold: Option<usize>,
    /// Whether the number of a line says more than the line.
    numbers_lines: bool,
    /// When the next report must have come.
    deadline: Deadline,
    /// How long each answer may take, counted from the one before it; `None` if the deadline is for all of them.
    per_answer: Option<Timeout>,
    reports: Receiver<Report>,
    sender: SyncSender<Report>,
    /// Lets the input be read.
    permits: Sender<()>,
}

impl Delivery {
    /// Sends what is read until all of it is confirmed.
    ///
    /// # Errors
    /// The connection has ended, or an answer has not come by the deadline.
    fn run(&mut self) -> Outcome {
        while self.input == Input::Open || !self.unconfirmed.is_empty() {
            match next(&self.reports, self.deadline)? {
                Report::Line(line) => {
                    self.link.send(&line);
                    self.untold = self.untold.map(|untold| untold + 1);
                    self.unconfirmed.push_back(line);
                    if self.unconfirmed.len() == 1 {
                        self.restart_clock();
                    }
                }
                Report::TooLong(number) => {
                    self.all_accepted = false;
                    complain(&format!("line {number}: too long, not sent: at most {LINE_BYTES_MAX} bytes"));
                    self.permits.send(()).ok(); // fails if the input has ended
                }
                Report::InputEnded => self.input = Input::Ended,
                Report::InputFailed(error) => return Err(Failure::Lost(format!("can't read stdin: {error}"))),
                Report::Answer(link, _) if link != self.link.number => {}
                Report::Answer(_, Answer::Synced(number)) => self.confirm(number),
                Report::Answer(_, Answer::Said(position)) => self.tell(position)?,
                Report::Answer(_, Answer::Refused(text)) => self.refuse(&text),
                Report::Answer(_, Answer::Ended(failure)) => return Err(failure),
            }
        }
        Ok(())
    }

    /// The server has handled the line of this number, and those before it.
    fn confirm(&mut self, number: u64) {
        let Some(last) = self.unconfirmed.iter().position(|line| line.number == number) else {
            return; // the answer to nothing
        };
        for line in self.unconfirmed.drain(..=last) {
            (0..line.permits()).for_each(|_| self.permits.send(()).unwrap_or_default()); // fails if the input has ended
        }
        self.restart_clock();
    }

    /// Prints the position of a line. A server may tell no more than there are lines.
    fn tell(&mut self, position: Option<Position>) -> Outcome {
        match &mut self.untold {
            None | Some(0) => return Ok(()),
            Some(untold) => *untold -= 1,
        }
        let position = position.map_or_else(|| "-".to_owned(), |position| position.to_string());
        print(format!("{position}\n").as_bytes())
    }

    /// Tells that a line is not delivered: one of those that the server confirms next.
    fn refuse(&mut self, why: &str) {
        self.all_accepted = false;
        self.untold = self.untold.map(|untold| untold.saturating_sub(1));
        let first = self.unconfirmed.front().map(|line| line.number);
        let last = self.unconfirmed.iter().find(|line| line.is_fenced).map(|line| line.number);
        match (first, last) {
            (Some(first), Some(last)) if self.numbers_lines && first < last => {
                complain(&format!("one of lines {first} to {last}: {why}"));
            }
            (Some(number), _) if self.numbers_lines => complain(&format!("line {number}: {why}")),
            (Some(_) | None, _) => complain(why),
        }
    }

    fn restart_clock(&mut self) {
        if let Some(timeout) = self.per_answer {
            self.deadline = if self.unconfirmed.is_empty() { Deadline::NEVER } else { Deadline::of(timeout) };
        }
    }

    /// Goes on with this connection, with the lines that the one before has not confirmed.
    fn resume(&mut self, connection: Connection, timeout: Timeout) -> Outcome {
        self.link = Link::start(self.link.number + 1, connection, timeout.0, &self.sender)?;
        self.unconfirmed.iter().for_each(|line| self.link.send(line));
        self.untold = self.untold.map(|_| self.unconfirmed.len());
        self.restart_clock();
        Ok(())
    }

    /// Quits, and waits until the server has closed the connection: then the name is free.
    fn finish(mut self) -> Outcome {
        if self.link.quit().is_ok() {
            let deadline = Deadline::after(GOODBYE_MAX);
            while let Ok(report) = next(&self.reports, deadline) {
                if matches!(report, Report::Answer(link, Answer::Ended(_)) if link == self.link.number) {
                    break;
                }
            }
        }
        if self.all_accepted { Ok(()) } else { Err(Failure::Refused(None)) }
    }
}

fn next(reports: &Receiver<Report>, deadline: Deadline) -> Result<Report, Failure> {
    let report = match deadline.left() {
        // Even if there is a report: a server can see to it that there always is one.
        Some(Duration::ZERO) => Err(RecvTimeoutError::Timeout),
        Some(left) => reports.recv_timeout(left),
        None => reports.recv().map_err(RecvTimeoutError::from),
    };
    report.map_err(|error| match error {
        RecvTimeoutError::Timeout => Failure::TimedOut("timed out: not confirmed".to_owned()),
        RecvTimeoutError::Disconnected => Failure::Lost("connection lost".to_owned()),
    })
}
