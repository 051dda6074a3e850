//! A session: a user of the chat without a connection of its own. Its lines come with requests, and what it is told is kept for
//! the streams that listen to it. `runner.rs` runs it, `requests.rs` and `stream.rs` serve what is asked of it.

mod requests;
mod runner;
mod stream;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use futures::{
    StreamExt,
    channel::mpsc::{self, UnboundedReceiver, UnboundedSender},
};

pub(super) use self::runner::Runner;
use super::user::User;
use crate::{
    broker::{Outcome, QueueGauge},
    chat::Departure,
    net::{admission::Place, connection::Shared},
    protocol::{Dialect, FormError, http::Log},
};

/// Events that a stream may be behind, before the session waits for it; and bytes of answers that a request may be.
const BEHIND_MAX: u64 = 500;
const BEHIND_BYTES_MAX: usize = 256 << 10;

/// A session, as requests see it.
pub(super) struct Session {
    jobs: UnboundedSender<Job>,
    pub(super) log: RefCell<Log>,
    streams: RefCell<Vec<Rc<StreamState>>>,
    /// It has ended.
    pub(super) is_over: Cell<bool>,
    gauge: Rc<QueueGauge>,
    /// It goes on when its streams have.
    waits_for_streams: Cell<bool>,
}

/// A stream that listens.
pub(super) struct StreamState {
    /// The number of the last event that it has sent.
    pub(super) sent: Cell<u64>,
    wake: UnboundedSender<()>,
}

/// What requests want of a session.
enum Job {
    /// To do these lines, and answer.
    Lines(Lines),
    /// To end.
    Quit,
    /// To see what has changed: somebody has listened, or does no more.
    Look,
}

/// Lines to be done.
struct Lines {
    left: VecDeque<Result<String, FormError>>,
    /// Bytes of them, as they came.
    bytes: usize,
    /// To go on behind a line that is refused.
    skips: bool,
    answers: UnboundedSender<Piece>,
    /// Bytes of answers that were not taken yet.
    untaken: Rc<Cell<usize>>,
}

/// A piece of the answer to lines.
pub(super) enum Piece {
    /// What was told.
    Bytes(Vec<u8>),
    /// All was done or refused: what has come of it.
    Done(Outcome),
    /// The session has ended with a line of them.
    Left(Departure),
}

/// Where the answers to lines come.
pub(super) struct Answers {
    pieces: UnboundedReceiver<Piece>,
    untaken: Rc<Cell<usize>>,
    session: Rc<Session>,
}

impl Session {
    /// A session of this user, which has arrived, and what runs it.
    pub(super) fn new(
        user: User,
        gauge: Rc<QueueGauge>,
        log: Log,
        place: Place,
        dialect: Dialect,
        shared: &Rc<Shared>,
    ) -> (Rc<Self>, Runner) {
        let (sender, jobs) = mpsc::unbounded();
        let session = Rc::new(Self {
            jobs: sender,
            log: RefCell::new(log),
            streams: RefCell::default(),
            is_over: Cell::new(false),
            gauge,
            waits_for_streams: Cell::new(false),
        });
        let runner = Runner::new(Rc::clone(&session), user, jobs, place, dialect, shared);
        (session, runner)
    }

    /// Has these lines done.
    pub(super) fn lines(self: &Rc<Self>, lines: VecDeque<Result<String, FormError>>, skips: bool) -> Answers {
        let (answers, pieces) = mpsc::unbounded();
        let untaken = Rc::<Cell<usize>>::default();
        let bytes = lines.iter().map(|line| size_of_val(line) + line.as_ref().map_or(0, String::capacity)).sum();
        let lines = Lines { left: lines, bytes, skips, answers, untaken: Rc::clone(&untaken) };
        self.jobs.unbounded_send(Job::Lines(lines)).ok(); // fails when it has ended, and then the answers end
        Answers { pieces, untaken, session: Rc::clone(self) }
    }

    pub(super) fn quit(&self) {
        self.jobs.unbounded_send(Job::Quit).ok();
    }

    /// A stream listens behind the event of this number. It is woken when there is more.
    pub(super) fn listen(&self, after: u64) -> (Rc<StreamState>, UnboundedReceiver<()>) {
        let (wake, woken) = mpsc::unbounded();
        let stream = Rc::new(StreamState { sent: Cell::new(after), wake });
        self.streams.borrow_mut().push(Rc::clone(&stream));
        self.look();
        (stream, woken)
    }

    /// The stream does not listen any more.
    pub(super) fn leave(&self, stream: &Rc<StreamState>) {
        self.streams.borrow_mut().retain(|other| !Rc::ptr_eq(other, stream));
        self.look();
    }

    /// Has the session see what has changed.
    pub(super) fn look(&self) {
        self.jobs.unbounded_send(Job::Look).ok();
    }

    /// These lines were told.
    fn tell(&self, lines: &[u8], now: Duration) {
        let mut log = self.log.borrow_mut();
        log.push(lines, now);
        drop(log);
        self.wake();
    }

    fn wake(&self) {
        self.streams.borrow().iter().for_each(|stream| drop(stream.wake.unbounded_send(())));
    }

    /// A stream has sent more. If the session waits for it, it goes on.
    pub(super) fn stream_went_on(&self) {
        if self.waits_for_streams.get() && !self.is_behind() {
            self.look();
        }
    }

    /// Whether some stream is far behind.
    fn is_behind(&self) -> bool {
        let last = self.log.borrow().last();
        self.streams.borrow().iter().any(|stream| last - stream.sent.get() > BEHIND_MAX)
    }
}

impl Answers {
    /// Waits for the next piece. None where the session has ended before.
    pub(super) async fn next(&mut self) -> Option<Piece> {
        let piece = self.pieces.next().await;
        if let Some(Piece::Bytes(bytes)) = &piece {
            let before = self.untaken.get();
            self.untaken.set(before - bytes.len());
            if before > BEHIND_BYTES_MAX {
                self.session.look();
            }
        }
        piece
    }
}

impl Lines {
    fn answer(&self, bytes: Vec<u8>) {
        self.untaken.update(|untaken| untaken + bytes.len());
        self.answers.unbounded_send(Piece::Bytes(bytes)).ok();
    }
}
