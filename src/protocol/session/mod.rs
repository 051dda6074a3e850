//! One connection's conversation, sans-IO: bytes go in, batches of steps for the broker come out. Time is an argument. Knows
//! no socket, no queue and no rule of the chat.
//!
//! It owns what the connection has sent and the broker has not got (partial lines, unparsed bytes), the credit to send more,
//! the settings of the connection, and its timers.

mod batch;
mod lines;
mod preface;
mod presence;
mod telnet;
mod timers;

#[cfg(test)]
mod tests;

use std::{mem, sync::Arc, time::Duration};

use self::{
    preface::Preface,
    presence::{ANNOUNCED_AFTER, Presence, SETTINGS_MAX},
    timers::Timers,
};
use super::{
    dialect::Dialect,
    line::{Framer, Telnet},
    reply::Limits,
};
use crate::chat::Departure;

pub use batch::{Batch, Intake, Interest, Step};

/// Bytes that may be unparsed before the session wants no more: a read's worth. The last read may double it.
const UNPARSED_BYTES_MAX: usize = 16 << 10;

/// How far a client's input has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputState {
    /// More may come.
    Open,
    /// No more bytes come; some may not be parsed yet.
    Ended,
    /// The broker has got all of it, and knows that it was all.
    Finished,
    /// The connection is to end, and the broker knows why.
    Closed,
}

/// The right to hand the broker a batch of lines.
#[derive(Debug)]
struct Credit {
    /// The broker has not done with the last batch.
    outstanding: bool,
    /// The client has sent faster than it may: no batch before this.
    not_before: Option<Duration>,
}

/// A connection's conversation.
#[derive(Debug)]
pub struct Session {
    limits: Arc<Limits>,
    input: InputState,
    /// The peer can be told nothing any more.
    is_broken: bool,
    /// A line was refused when nobody could be told any more: the next `check` has to fail.
    has_hidden_refusal: bool,
    telnet: Telnet,
    framer: Framer,
    /// Read and not parsed, since the broker is not ready for it. At most two reads.
    unparsed: Vec<u8>,
    /// So many bytes of `unparsed`, and not none, came before the peer was known to be telnet. None: it was before those, or
    /// is not.
    before_negotiation: Option<usize>,
    credit: Credit,
    intake: Intake,
    preface: Preface,
    presence: Presence,
    /// No line has come yet.
    is_first_line: bool,
    dialect: Dialect,
    timers: Timers,
    /// What [`Self::poll_batch`] has to give.
    batch: Batch,
}

impl Session {
    /// The session of a client that has connected at `now`.
    #[must_use]
    pub fn new(limits: Arc<Limits>, dialect: Dialect, now: Duration) -> Self {
        Self {
            input: InputState::Open,
            is_broken: false,
            has_hidden_refusal: false,
            telnet: Telnet::default(),
            framer: Framer::new(limits.line_max),
            unparsed: Vec::new(),
            before_negotiation: None,
            credit: Credit { outstanding: false, not_before: None },
            intake: Intake::All,
            preface: Preface::new(),
            presence: Presence::From(now + ANNOUNCED_AFTER),
            is_first_line: true,
            dialect,
            timers: Timers::default(),
            batch: Batch::default(),
            limits,
        }
    }

    /// The client has sent these bytes, which are changed.
    pub fn received(&mut self, bytes: &mut [u8], now: Duration) {
        if self.input != InputState::Open {
            return;
        }
        if let Some(departure) = self.preface.received(bytes) {
            return self.close(departure);
        }
        let text = self.telnet.strip(bytes);
        let (before, after) = bytes[..text.len].split_at(text.before_negotiation.unwrap_or(0));
        if text.before_negotiation.is_some() {
            self.parse_or_keep(before, now);
            self.negotiated();
        }
        self.parse_or_keep(after, now);
    }

    /// The client sends no more.
    pub fn eof(&mut self, now: Duration) {
        if self.input == InputState::Open {
            self.input = InputState::Ended;
            self.timers.stop_idle();
            self.advance(now);
        }
    }

    /// The connection is broken: the client can be told nothing any more. What it has sent by now is heard, whatever the
    /// credit, up to so many lines. Answers how many were dropped.
    pub fn reset(&mut self, lines_max: usize, now: Duration) -> usize {
        if mem::replace(&mut self.is_broken, true) {
            return 0;
        }
        self.timers.stop_write();
        match self.presence {
            Presence::From(_) => {} // it is told with the first line, if there is one
            Presence::Known => self.batch.steps.push(Step::Broken),
        }
        if matches!(self.input, InputState::Open | InputState::Ended) {
            self.parse_unparsed(lines_max, now);
        }
        if self.input == InputState::Ended && self.unparsed.is_empty() {
            self.parse_last(now); // of a connection that has not ended, what was begun is no line
        }
        let dropped = mem::take(&mut self.unparsed);
        if matches!(self.input, InputState::Open | InputState::Ended) {
            self.close(Departure::Lost);
        }
        self.framer.endings(&dropped)
    }

    /// The broker has done with the last batch; the next one must not come before `not_before`.
    pub fn credited(&mut self, not_before: Duration, now: Duration) {
        self.credit = Credit { outstanding: false, not_before: Some(not_before).filter(|&at| at > now) };
        self.resume(now);
    }

    /// How much is taken of what the client sends, from now on.
    pub fn set_intake(&mut self, intake: Intake, now: Duration) {
        if mem::replace(&mut self.intake, intake) != intake {
            self.resume(now);
        }
    }

    /// A write was tried: it took `written` bytes, and more wait for the socket or not.
    pub fn written(&mut self, written: usize, is_blocked: bool, now: Duration) {
        if !is_blocked || self.is_broken || self.input == InputState::Closed {
            self.timers.stop_write();
        } else if (written > 0 || !self.timers.is_writing()) && !self.limits.write_timeout.is_zero() {
            self.timers.start_write(now + self.limits.write_timeout);
        }
    }

    /// Time has passed. The caller has tried to read and to write just before: what has come or gone meanwhile counts.
    pub fn timeout(&mut self, now: Duration) {
        if matches!(self.presence, Presence::From(at) if at <= now) {
            self.announce();
            self.restart_idle(now);
        }
        if self.credit.not_before.is_some_and(|at| at <= now) {
            self.credit.not_before = None;
            self.resume(now);
        }
        if self.timers.write_is_due(now) {
            self.close(Departure::WriteTimeout);
        } else if self.timers.idle_is_due(now) {
            self.close(Departure::Idle);
        }
    }

    /// The broker has hung up: what has come of the client and was not handled is thrown away, and so is what comes.
    pub fn discard_input(&mut self) {
        self.input = InputState::Closed;
        self.unparsed = Vec::new();
        self.before_negotiation = None;
        self.framer = Framer::new(self.limits.line_max);
    }

    /// The next batch for the broker, if there is one.
    pub fn poll_batch(&mut self, now: Duration) -> Option<Batch> {
        self.advance(now);
        let is_empty = self.batch.steps.is_empty() && self.batch.lines == 0;
        if is_empty || matches!(self.presence, Presence::From(_)) { None } else { Some(mem::take(&mut self.batch)) }
    }

    /// When [`Self::timeout`] is to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let not_before = if self.credit.outstanding { None } else { self.credit.not_before };
        let announced_at = match self.presence {
            Presence::From(at) => Some(at),
            Presence::Known => None,
        };
        [self.timers.deadline(), not_before, announced_at].into_iter().flatten().min()
    }

    /// What the session wants to know of its socket.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let has_room = self.input == InputState::Open && self.unparsed.len() < UNPARSED_BYTES_MAX;
        match (has_room && self.intake == Intake::All, self.may_parse()) {
            (true, true) => Interest::Read,
            (true, false) => Interest::HangUp,
            (false, _) if self.is_broken => Interest::Nothing,
            (false, _) => Interest::Broken,
        }
    }

    /// Bytes that the session holds of what the client has sent.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.unparsed.capacity() + self.framer.held_bytes()
    }

    /// Whether the broker knows that the connection has ended, and nobody can be told any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.input, InputState::Finished | InputState::Closed) && self.is_broken
    }

    /// The broker has done with the last batch, and the client neither sends too fast nor reads too slowly.
    fn may_parse(&self) -> bool {
        !self.credit.outstanding && self.credit.not_before.is_none() && self.intake != Intake::Nothing
    }

    /// What kept the client from being heard is over: its silence counts from here.
    fn resume(&mut self, now: Duration) {
        self.advance(now);
        self.restart_idle(now);
    }

    /// Takes the credit for a batch.
    fn spend(&mut self, lines: usize, now: Duration) {
        self.batch.lines += lines;
        match self.presence {
            // What sets up the connection goes with the line that announces it. There is no end to such lines otherwise.
            Presence::From(_) if self.batch.lines < SETTINGS_MAX => {}
            Presence::From(_) | Presence::Known => {
                self.announce();
                self.credit.outstanding = true;
            }
        }
        self.restart_idle(now);
    }

    /// The client is silent from now on, if it can be: not while the broker works for it, or while it may not be heard.
    fn restart_idle(&mut self, now: Duration) {
        let may_speak = self.may_parse() && self.intake == Intake::All;
        if self.input == InputState::Open && may_speak && !self.limits.idle_timeout.is_zero() {
            self.timers.start_idle(now + self.limits.idle_timeout);
        } else {
            self.timers.stop_idle();
        }
    }
}
