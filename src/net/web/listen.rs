//! Requests that begin or use something that lasts: what happens in rooms from now on, and sessions.

use std::{future::poll_fn, rc::Rc, time::Duration};

use futures::{FutureExt, StreamExt, select_biased};

use super::{
    Answer, Ended, Next, Stream, User, Web,
    ask::Outcome,
    session::{Piece, Session},
    user::News,
};
use crate::{
    broker::{QueueGauge, Queued, Told},
    chat::{Command, Kinds, LOBBY},
    password::make_session_id,
    protocol::{
        Step,
        http::{AskedAs, Head, Length, Log, Past, Problem, Shape, status_of, status_of_departure},
    },
    reactor::Timer,
};

/// How often one who listens to a session is told that it is there.
const COMMENT_INTERVAL: Duration = Duration::from_secs(15);
/// Bytes of events written at once.
const WRITE_BYTES_MAX: usize = 16 << 10;

impl Web {
    /// Tells what has happened in rooms and what happens from now on: to a user like any other, who has arrived and joined them.
    pub(super) async fn follow(&mut self, head: &Head, past: Past) -> Result<Next, Ended> {
        let asked_as = match AskedAs::of(head) {
            Ok(asked_as) => asked_as,
            Err(problem) => return self.refuse(head, problem).await,
        };
        self.visitor = None;
        self.link.gauge.hold_back(true);
        let socket = self.link.transport.plain();
        let mut user = User::connect(self.origin.clone(), socket, &self.link.gauge, &self.link.shared);
        let (shape, kinds) = (past.shape, past.kinds);
        let dialect = shape.dialect(kinds, self.hub.lang);
        let mut steps = vec![Step::Speak(dialect), Step::Arrive, Step::Request { stops_at_refusal: true }];
        steps.extend(asked_as.command().map(Step::Command));
        steps.push(Step::Command(Command::Leave(LOBBY.to_owned())));
        let mut answer = self.answer(head, shape);
        answer.field("X-Accel-Buffering", "no"); // a proxy is to pass it on at once
        match self.arrive(&mut user, steps, &mut answer).await? {
            Ok(()) => {}
            Err(status) => return self.end(answer, status).await,
        }
        user.ask(vec![Step::Request { stops_at_refusal: true }, Step::Command(past.command())]).await;
        loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(part) => answer.take(&mut self.link, part).await?,
                News::Done(credit) if credit.refused.is_some() => return self.answered(answer, &credit).await,
                News::Done(_) => break,
                News::End(departure) => return self.sent_away(answer, departure).await,
            }
        }
        answer.begin(&mut self.link, Length::Open);
        self.link.flush().await?;
        Ok(Next::Stream(Box::new(Stream { user, dialect })))
    }

    /// The user arrives. What it is told alone comes first in the answer; if it is refused, why. Answers the status then.
    async fn arrive(
        &mut self,
        user: &mut User,
        steps: Vec<Step>,
        answer: &mut Answer<'_>,
    ) -> Result<Result<(), u16>, Ended> {
        user.ask(steps).await;
        let mut answers = Vec::new();
        let status = loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(part) if part.told == Told::Private => answer.take(&mut self.link, part).await?,
                News::Bytes(part) if part.told == Told::Answer => answers.push(part),
                News::Bytes(part) => self.link.discard(&part),
                News::Done(credit) => break Outcome::refused_status(&credit),
                News::End(departure) => {
                    self.put_problem(answer, Problem::Unavailable(departure)).await?;
                    break Some(status_of_departure(departure));
                }
            }
        };
        for part in answers {
            match status {
                Some(_) => answer.take(&mut self.link, part).await?,
                None => self.link.discard(&part),
            }
        }
        Ok(status.map_or(Ok(()), Err))
    }

    /// Makes a session.
    pub(super) async fn open(&mut self, head: &Head) -> Result<Next, Ended> {
        let asked_as = match AskedAs::of(head) {
            Ok(asked_as) => asked_as,
            Err(problem) => return self.refuse(head, problem).await,
        };
        let (place, origin) = match self.hub.place(&self.origin, &self.link.shared) {
            Ok(place) => place,
            Err(departure) => return self.refuse(head, Problem::Unavailable(departure)).await,
        };
        let gauge = Rc::new(QueueGauge::new(self.link.gauge.memory()));
        let mut user = User::connect(origin, None, &gauge, &self.link.shared);
        let dialect = Shape::Json.dialect(Kinds::All, self.hub.lang);
        let mut steps = vec![Step::Speak(dialect), Step::Arrive, Step::Request { stops_at_refusal: true }];
        steps.extend(asked_as.command().map(Step::Command));
        user.ask(steps).await;
        let (mut log, mut answers) = (Log::default(), Vec::new());
        let status = loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(Queued { bytes, told }) => {
                    gauge.release(bytes.len(), told.is_private());
                    gauge.release_item();
                    log.push(&bytes, self.link.shared.clock.now());
                    if told == Told::Answer {
                        answers.extend_from_slice(&bytes);
                    }
                }
                News::Done(credit) => break Outcome::refused_status(&credit),
                News::End(departure) => return self.refuse(head, Problem::Unavailable(departure)).await,
            }
        };
        let mut answer = self.answer(head, Shape::Json);
        if let Some(status) = status {
            self.put(&mut answer, answers).await?;
            return self.end(answer, status).await;
        }
        let id = match make_session_id() {
            Ok(id) => id,
            Err(error) => {
                log::error!("no session: {error}");
                return self.refuse(head, Problem::Unavailable(crate::chat::Departure::Full)).await;
            }
        };
        let (session, runner) = Session::new(user, gauge, log, place, dialect, &self.link.shared);
        self.hub.begin(id.clone(), session, runner.run());
        answer.field("Location", format!("/sessions/{id}"));
        self.put(&mut answer, format!("{{\"session\":\"{id}\"}}\n").into_bytes()).await?;
        answer.end(&mut self.link, 201).await
    }

    /// Has the lines of the body done in a session, and answers what their answers are.
    pub(super) async fn do_lines(&mut self, head: &Head, id: &str, skips: bool) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        let repeat = match self.begin_once(head).await? {
            Ok(repeat) => repeat,
            Err(next) => return Ok(next),
        };
        self.ask_for_body(head).await?;
        let mut answer = self.answer(head, Shape::Json);
        let mut first_refused = None;
        loop {
            let lines = self.body_lines(head, repeat.is_some()).await?;
            let mut answers = session.lines(lines.lines.into(), skips);
            let refused = loop {
                let piece = match &repeat {
                    Some(_) => answers.next().await, // it is done whether or not the client waits for it
                    None => self.link.unless_broken(answers.next()).await?,
                };
                match piece {
                    Some(Piece::Bytes(bytes)) => self.put(&mut answer, bytes).await?,
                    Some(Piece::Done(refused)) => break refused,
                    None => {
                        if answer.bytes() == 0 {
                            self.put_problem(&mut answer, Problem::NoSuchSession).await?;
                            return self.end(answer, Problem::NoSuchSession.status()).await;
                        }
                        return self.end(answer, 200).await; // such as for `quit`
                    }
                }
            };
            first_refused = first_refused.or(refused);
            if lines.has_ended || refused.is_some() && !skips {
                break;
            }
            self.pass_on(head, &mut answer).await?;
        }
        let status = first_refused.map_or(200, |refused| status_of(refused.code));
        if let Some(seconds) = first_refused.and_then(|refused| refused.retry_after) {
            answer.field("Retry-After", seconds.to_string());
        }
        if let Some(repeat) = repeat {
            repeat.end(status, &answer);
        }
        self.end(answer, status).await
    }

    /// Ends a session.
    pub(super) async fn quit(&mut self, head: &Head, id: &str) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        session.quit();
        self.answer(head, Shape::Json).end(&mut self.link, 204).await
    }

    /// Tells what a session's user is told, until the session or the connection ends.
    pub(super) async fn listen(&mut self, head: &Head, id: &str, after: Option<u64>) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        session.log.borrow_mut().forget(self.link.shared.clock.now());
        let after = after.unwrap_or_else(|| session.log.borrow().last());
        if session.log.borrow().behind(after).is_none() {
            return self.refuse(head, Problem::SessionGone).await;
        }
        self.visitor = None;
        let mut listening = Listening::new(session, after);
        let mut answer = self.answer(head, Shape::ServerSent);
        answer.field("X-Accel-Buffering", "no");
        answer.begin(&mut self.link, Length::Open);
        self.link.flush().await?;
        let clock = self.link.shared.clock;
        // Set seldom: not for each event.
        let mut timer = Timer::new();
        let mut comment_at = clock.now() + COMMENT_INTERVAL;
        loop {
            while let Some(events) = listening.next_events() {
                self.link.push(events);
                self.link.flush().await?;
                comment_at = clock.now() + COMMENT_INTERVAL;
            }
            if listening.is_over() {
                return Ok(Next::Close);
            }
            timer.set(comment_at, clock);
            let socket = self.link.transport.socket();
            let mut gone = poll_fn(|cx| socket.poll_hang_up(cx)).fuse();
            let is_late = select_biased! {
                _ = listening.woken.next() => false,
                () = (&mut timer).fuse() => comment_at <= clock.now(),
                () = gone => return Err(Ended::Gone),
            };
            if is_late {
                self.link.push(":\n\n");
                self.link.flush().await?;
                comment_at = clock.now() + COMMENT_INTERVAL;
            }
        }
    }
}

/// One who listens to a session.
struct Listening {
    session: Rc<Session>,
    stream: Rc<super::session::StreamState>,
    woken: futures::channel::mpsc::UnboundedReceiver<()>,
}

impl Listening {
    fn new(session: Rc<Session>, after: u64) -> Self {
        let (stream, woken) = session.listen(after);
        Self { session, stream, woken }
    }

    /// The next events that it has not sent, if there are any.
    fn next_events(&mut self) -> Option<Vec<u8>> {
        let log = self.session.log.borrow();
        let mut events = Vec::new();
        for event in log.behind(self.stream.sent.get())? {
            events.extend_from_slice(format!("id: {}\ndata: ", event.n).as_bytes());
            events.extend_from_slice(&event.line);
            events.extend_from_slice(b"\n\n");
            self.stream.sent.set(event.n);
            if events.len() >= WRITE_BYTES_MAX {
                break;
            }
        }
        drop(log);
        self.session.stream_went_on();
        Some(events).filter(|events| !events.is_empty())
    }

    /// Whether nothing more will come: the session has ended, or what came next is not kept any more.
    fn is_over(&self) -> bool {
        self.session.is_over.get() || self.session.log.borrow().behind(self.stream.sent.get()).is_none()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.session.leave(&self.stream);
    }
}
