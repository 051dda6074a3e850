//! What runs a session: has its lines done, one after the other, and keeps what its user is told.

use std::{collections::VecDeque, mem, rc::Rc, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedReceiver, future::pending, pin_mut, select_biased};

use super::{BEHIND_BYTES_MAX, Job, Lines, Piece, Session};
use crate::{
    broker::{Outcome, Told},
    chat::Departure,
    net::{
        admission::Place,
        connection::Shared,
        web::user::{News, User},
    },
    protocol::{Dialect, Limits, Step, Verb, http::steps_of, render_taken},
    reactor::Timer,
};

/// How long a session stays when no stream listens any more.
const ALONE_MAX: Duration = Duration::from_secs(5);
/// The same for one to which none has listened, since its last request.
const UNHEARD_MAX: Duration = Duration::from_secs(60);

/// What runs a session.
pub(in crate::net::web) struct Runner {
    session: Rc<Session>,
    user: User,
    jobs: UnboundedReceiver<Job>,
    /// Lines that wait, and bytes of theirs.
    waiting: VecDeque<Lines>,
    waiting_bytes: usize,
    current: Option<Current>,
    /// What the user was told while the session waits for its streams.
    unheard: VecDeque<News>,
    dialect: Dialect,
    limits: Arc<Limits>,
    /// Since when nobody listens, or asks.
    alone_since: Duration,
    was_heard: bool,
    timer: Timer,
    shared: Rc<Shared>,
    /// The last field, as in connections.
    _place: Place,
}

/// What a session wakes up for.
enum Wake {
    Job(Job),
    News(News),
    Timer,
}

/// Lines at work.
struct Current {
    lines: Lines,
    /// What the line is that is at work, and whether it was answered.
    verb: Verb,
    is_answered: bool,
    outcome: Outcome,
}

impl Runner {
    pub(super) fn new(
        session: Rc<Session>,
        user: User,
        jobs: UnboundedReceiver<Job>,
        place: Place,
        dialect: Dialect,
        shared: &Rc<Shared>,
    ) -> Self {
        Self {
            session,
            user,
            jobs,
            waiting: VecDeque::new(),
            current: None,
            unheard: VecDeque::new(),
            waiting_bytes: 0,
            dialect,
            limits: Arc::clone(&shared.limits.borrow()),
            alone_since: shared.clock.now(),
            was_heard: false,
            timer: Timer::new(),
            shared: Rc::clone(shared),
            _place: place,
        }
    }

    /// Runs the session until its user is gone.
    pub(in crate::net::web) async fn run(mut self) {
        let departure = loop {
            self.begin_lines();
            self.charge();
            if let Some(departure) = self.step().await {
                break departure;
            }
        };
        log::debug!("a session has ended: {}", departure.code());
        self.session.is_over.set(true);
        self.session.wake();
    }

    /// Waits for what comes next, and does it. Answers why the session ends, if it does.
    async fn step(&mut self) -> Option<Departure> {
        let untaken = self.current.as_ref().map_or(0, |current| match current.lines.answers.is_closed() {
            true => 0, // nobody takes them any more
            false => current.lines.untaken.get(),
        });
        let is_behind = self.session.is_behind();
        self.session.waits_for_streams.set(is_behind);
        let is_held_up = is_behind || untaken > BEHIND_BYTES_MAX;
        let is_alone = self.session.streams.borrow().is_empty();
        let deadline = is_alone.then(|| self.alone_since + if self.was_heard { ALONE_MAX } else { UNHEARD_MAX });
        if let Some(deadline) = deadline {
            self.timer.set(deadline, self.shared.clock);
        }
        if !is_held_up && let Some(news) = self.unheard.pop_front() {
            return self.hear(news).await;
        }
        match self.wait(is_alone).await {
            Wake::Job(job) => self.take(job),
            // What waits counts as before; that the user is gone is known at once.
            Wake::News(News::End(departure)) => {
                for news in mem::take(&mut self.unheard) {
                    self.hear(news).await;
                }
                return self.hear(News::End(departure)).await;
            }
            Wake::News(news) if is_held_up => self.unheard.push_back(news),
            Wake::News(news) => return self.hear(news).await,
            Wake::Timer => {
                // One who waits for an answer is no stream, and there all the same.
                let is_asked = self.current.as_ref().is_some_and(|current| !current.lines.answers.is_closed());
                if !is_asked && deadline.is_some_and(|deadline| deadline <= self.shared.clock.now()) {
                    return Some(Departure::Left); // the user leaves as it is dropped
                }
            }
        }
        None
    }

    async fn wait(&mut self, is_timed: bool) -> Wake {
        let Self { user, jobs, timer, .. } = self;
        let news = user.next().fuse();
        let time = async { if is_timed { timer.await } else { pending().await } }.fuse();
        pin_mut!(news, time);
        select_biased! {
            job = jobs.select_next_some() => Wake::Job(job),
            news = news => Wake::News(news),
            () = time => Wake::Timer,
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Lines(lines) => {
                self.waiting_bytes += lines.bytes;
                self.waiting.push_back(lines);
                self.alone_since = self.shared.clock.now();
            }
            Job::Quit => {
                self.user.ask_now(vec![Step::Close(Departure::Quit)], 0);
            }
            Job::Look => {
                self.was_heard |= !self.session.streams.borrow().is_empty();
                self.alone_since = self.shared.clock.now();
            }
        }
    }

    async fn hear(&mut self, news: News) -> Option<Departure> {
        let now = self.shared.clock.now();
        match news {
            News::Bytes(item) => {
                self.session.gauge.discard(&item);
                self.session.tell(&item.bytes, now);
                if let Some(current) = self.current.as_mut().filter(|_| item.told == Told::Answer) {
                    current.is_answered = true;
                    current.lines.answer(item.bytes.to_vec());
                }
            }
            News::Done(outcome) => {
                self.user.wait_until_due().await;
                self.line_done(outcome);
            }
            News::End(departure) => {
                match self.current.as_mut() {
                    Some(current) if current.verb == Verb::Quit => {
                        current.lines.left.clear();
                        self.line_done(Outcome::default());
                    }
                    // Such as a wait in vain: it has been answered, if there was anything to say.
                    Some(current) => drop(current.lines.answers.unbounded_send(Piece::Left(departure))),
                    None => {}
                }
                return Some(departure);
            }
        }
        None
    }

    /// The line at work is done.
    fn line_done(&mut self, outcome: Outcome) {
        let Some(current) = &mut self.current else { return };
        if !current.is_answered && outcome.refused.is_none() {
            let mut line = Vec::new();
            render_taken(&mut line, current.verb, jiff::Timestamp::now());
            current.lines.answer(line);
        }
        if outcome.refused.is_some() && !current.lines.skips {
            current.lines.left.clear();
        }
        current.outcome.add(outcome);
        self.next_line();
    }

    /// Begins with the lines that have waited longest.
    fn begin_lines(&mut self) {
        while self.current.is_none()
            && let Some(lines) = self.waiting.pop_front()
        {
            self.waiting_bytes -= lines.bytes;
            self.current = Some(Current { lines, verb: Verb::Say, is_answered: false, outcome: Outcome::default() });
            self.next_line();
        }
    }

    /// Has the next line done.
    fn next_line(&mut self) {
        let Some(current) = &mut self.current else { return };
        while let Some(line) = current.lines.left.pop_front() {
            let Some((verb, steps)) = steps_of(line, &mut self.dialect, &self.limits) else { continue };
            (current.verb, current.is_answered) = (verb, false);
            let request = vec![Step::Request { stops_at_refusal: false }];
            self.user.ask_now([request, steps].concat(), 1);
            return;
        }
        let outcome = mem::take(&mut current.outcome);
        current.lines.answers.unbounded_send(Piece::Done(outcome)).ok();
        self.current = None;
    }

    /// Counts what the session holds.
    fn charge(&self) {
        let current = self.current.as_ref().map_or(0, |current| current.lines.bytes + current.lines.untaken.get());
        self.session.gauge.set_input(self.session.log.borrow().bytes() + current + self.waiting_bytes);
    }
}
