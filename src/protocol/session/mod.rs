//! One connection's conversation, sans-IO: bytes go in, batches of steps for the broker come out. Time is an argument. Knows
//! no socket, no queue and no rule of the chat.
//!
//! It owns the input that the broker has not got yet (partial lines, unparsed bytes), the credit to hand on more, the settings of
//! the connection, and its timers.

mod batch;
mod credit;
mod lines;
mod preface;
mod presence;
mod telnet;
mod timers;

#[cfg(test)]
mod tests;

use std::{mem, sync::Arc, time::Duration};

use self::{
    credit::Credit,
    preface::Preface,
    presence::{ANNOUNCED_AFTER, Presence},
    timers::Timers,
};
use super::{
    dialect::{Dialect, Envelope},
    http::events::COMMENT_INTERVAL,
    line::{Framer, Telnet},
    reply::{Limits, Reply},
};
use crate::chat::Departure;

pub(super) use self::lines::check_setting;
pub use batch::{Batch, Intake, Interest, Step};

/// Unparsed bytes above which the session wants no more: as many as one read. The read before may have doubled them.
const UNPARSED_BYTES_MAX: usize = 16 << 10;

/// Steps for which a batch may have room that it does not need.
const SPARE_STEPS_MAX: usize = 16;

/// How far a client's input has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputState {
    /// More may come.
    Open,
    /// No more bytes will come; some may not be parsed yet.
    Ended,
    /// The broker has got all of it, and knows that it was all.
    Finished,
    /// The connection is to end, and the broker knows why.
    Closed,
}

/// What the client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It sends lines.
    Talks,
    /// It only listens, and whatever it sends means nothing. It is told that the server is there, at this time and then again, if
    /// it reads server-sent events.
    Listens(Option<Duration>),
}

/// A connection's conversation.
#[derive(Debug)]
pub struct Session {
    limits: Arc<Limits>,
    input: InputState,
    /// The connection is broken: nothing can be sent to the client any more.
    is_broken: bool,
    /// A line was refused after the connection broke, and the broker does not know: the next `check` has to fail.
    has_hidden_refusal: bool,
    telnet: Telnet,
    framer: Framer,
    /// Bytes read and not parsed, because there is no credit for them. At most two reads.
    unparsed: Vec<u8>,
    /// How many bytes of `unparsed`, at least one, came before the peer's first telnet negotiation. `None` if it negotiated
    /// before all of them, or has not.
    before_negotiation: Option<usize>,
    credit: Credit,
    intake: Intake,
    /// Other connections wait while this one parses.
    is_busy: bool,
    preface: Preface,
    presence: Presence,
    role: Role,
    /// No line has been parsed yet.
    is_first_line: bool,
    dialect: Dialect,
    timers: Timers,
    /// What [`Self::poll_batch`] returns next.
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
            is_busy: false,
            preface: Preface::new(),
            presence: Presence::Unannounced(now + ANNOUNCED_AFTER),
            role: Role::Talks,
            is_first_line: true,
            dialect,
            timers: Timers::default(),
            batch: Batch::default(),
            limits,
        }
    }

    /// The session of a client that the broker knows already, and that only listens from now on.
    #[must_use]
    pub fn listening(limits: Arc<Limits>, dialect: Dialect, now: Duration) -> Self {
        let alive_at = match dialect.envelope {
            Envelope::ServerSent(_) => Some(now + COMMENT_INTERVAL),
            Envelope::Lf | Envelope::CrLf | Envelope::Stream(_) => None,
        };
        let role = Role::Listens(alive_at);
        let mut session = Self { presence: Presence::Settled, role, ..Self::new(limits, dialect, now) };
        session.timers.exempt_from_idle();
        session
    }

    /// The client has sent these bytes. Changes them: telnet's commands are taken out in place.
    pub fn received(&mut self, bytes: &mut [u8], now: Duration) {
        if self.input != InputState::Open || matches!(self.role, Role::Listens(_)) {
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
        if self.input == InputState::Open && matches!(self.role, Role::Listens(_)) {
            self.close(Departure::Left); // what it is told has nobody to read it
        } else if self.input == InputState::Open {
            self.input = InputState::Ended;
            self.timers.stop_idle();
            self.advance(now);
        }
    }

    /// The connection is broken: nothing can be sent to the client any more. What it has sent is parsed whatever the credit, up
    /// to so many lines. Answers how many lines were dropped.
    pub fn reset(&mut self, lines_max: usize, now: Duration) -> usize {
        if mem::replace(&mut self.is_broken, true) {
            return 0;
        }
        self.timers.stop_write();
        match self.presence {
            Presence::Unannounced(_) => {} // the step follows the first line, if there is one
            Presence::Settled => self.batch.steps.push(Step::Broken),
        }
        if matches!(self.input, InputState::Open | InputState::Ended) {
            self.parse_unparsed(lines_max, now);
        }
        if self.input == InputState::Ended && self.unparsed.is_empty() {
            self.parse_last(now); // before the end of input, a partial line is no line
        }
        let dropped = mem::take(&mut self.unparsed);
        if matches!(self.input, InputState::Open | InputState::Ended) {
            self.close(Departure::Lost);
        }
        self.framer.endings(&dropped)
    }

    /// A write was tried: the socket took `written` bytes, and is blocked if more are queued.
    pub fn written(&mut self, written: usize, is_blocked: bool, now: Duration) {
        if !is_blocked || self.is_broken || self.input == InputState::Closed {
            self.timers.stop_write();
        } else if (written > 0 || !self.timers.is_writing()) && !self.limits.write_timeout.is_zero() {
            self.timers.start_write(now + self.limits.write_timeout);
        }
    }

    /// Time has passed. The caller must have tried to read and to write just before, because progress counts before timeouts.
    pub fn timeout(&mut self, now: Duration) {
        if matches!(self.presence, Presence::Unannounced(at) if at <= now) {
            self.announce();
            self.restart_idle(now);
        }
        if matches!(self.role, Role::Listens(Some(at)) if at <= now) && self.input == InputState::Open {
            self.role = Role::Listens(Some(now + COMMENT_INTERVAL));
            self.batch.steps.push(Step::Reply(Reply::Alive));
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

    /// The broker has hung up: input that was not handled is discarded, and so is all that follows.
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
        if is_empty || matches!(self.presence, Presence::Unannounced(_)) {
            return None;
        }
        let mut batch = mem::take(&mut self.batch);
        if batch.steps.capacity() >= batch.steps.len() + SPARE_STEPS_MAX {
            batch.steps.shrink_to_fit(); // thousands may wait for the broker
        }
        Some(batch)
    }

    /// When [`Self::timeout`] is to be called.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let not_before = if self.credit.outstanding { None } else { self.credit.not_before };
        let announced_at = match self.presence {
            Presence::Unannounced(at) => Some(at),
            Presence::Settled => None,
        };
        let alive_at = match self.role {
            Role::Listens(at) => at,
            Role::Talks => None,
        };
        [self.timers.deadline(), not_before, announced_at, alive_at].into_iter().flatten().min()
    }

    /// What the session wants to know of its socket.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let has_room = self.input == InputState::Open && self.unparsed.len() < UNPARSED_BYTES_MAX;
        let is_heard = self.may_parse() && self.role == Role::Talks;
        match (has_room && self.intake == Intake::All, is_heard) {
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

    /// Whether the connection is broken, and the broker knows why it ended: then there is nothing left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.input, InputState::Finished | InputState::Closed) && self.is_broken
    }
}
