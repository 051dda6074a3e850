//! Requests that make sessions, have lines done in them, and end them.

use std::rc::Rc;

use super::{Piece, Session};
use crate::{
    broker::{Outcome, QueueGauge, Told},
    chat::{Departure, Kinds},
    net::web::{Ended, Next, User, Web, ask::note_refusal, repeat::Begun, user::News},
    password::make_session_id,
    protocol::http::{Head, Log, Problem, Shape, status_of},
};

impl Web {
    /// Makes a session.
    pub(in crate::net::web) async fn open(&mut self, head: &Head) -> Result<Next, Ended> {
        let asked_as = self.asked_as(head).await?;
        let (place, origin) = match self.hub.place(&self.origin, &self.link.shared) {
            Ok(place) => place,
            Err(departure) => return self.refuse(head, Problem::Unavailable(departure)).await,
        };
        let gauge = Rc::new(QueueGauge::new(self.link.gauge.memory()));
        let mut user = User::connect(origin, None, &gauge, &self.link.shared);
        let dialect = Shape::Json.dialect(Kinds::All, self.lang(head));
        user.arrive(dialect, asked_as.command()).await;
        let (mut log, mut answers) = (Log::default(), Vec::new());
        let status = loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(item) => {
                    gauge.discard(&item);
                    log.push(&item.bytes, self.link.shared.clock.now());
                    if item.told == Told::Answer {
                        answers.extend_from_slice(&item.bytes);
                    }
                }
                News::Done(outcome) => break outcome.refused.as_ref().map(status_of),
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
                return self.refuse(head, Problem::Unavailable(Departure::Full)).await;
            }
        };
        let (session, runner) = Session::new(user, gauge, log, place, dialect, &self.link.shared);
        self.hub.begin(id.clone(), session, runner.run());
        answer.field("Location", format!("/sessions/{id}"));
        self.put(&mut answer, format!("{{\"session\":\"{id}\"}}\n").into_bytes()).await?;
        answer.end(&mut self.link, 201).await
    }

    /// Has the lines of the body done in a session, and answers what their answers are.
    pub(in crate::net::web) async fn do_lines(&mut self, head: &Head, id: &str, skips: bool) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        let Begun { repeat, mut gathered } = self.begin_once(head).await?;
        if gathered.is_none() {
            self.ask_for_body(head).await?;
        }
        let mut answer = self.answer(head, Shape::Json);
        let mut total = Outcome::default();
        loop {
            let lines = match gathered.take() {
                Some(lines) => lines,
                None => match self.body_lines(head, false, None).await {
                    Ok(lines) => lines,
                    Err(ended) => return self.break_off(answer, ended).await,
                },
            };
            let mut answers = session.lines(lines.lines.into(), skips);
            let outcome = loop {
                let piece = match &repeat {
                    Some(_) => answers.next().await, // it is done whether or not the client waits for it
                    None => self.link.unless_broken(answers.next()).await?,
                };
                match piece {
                    Some(Piece::Bytes(bytes)) => self.put(&mut answer, bytes).await?,
                    Some(Piece::Done(outcome)) => break outcome,
                    Some(Piece::Left(departure)) => return self.sent_away(answer, departure).await,
                    None => {
                        self.put_problem(&mut answer, Problem::NoSuchSession).await?;
                        return self.end(answer, Problem::NoSuchSession.status()).await;
                    }
                }
            };
            total.add(outcome);
            if lines.has_ended || total.refused.is_some() && !skips {
                break;
            }
            self.pass_on(head, &mut answer).await?;
        }
        note_refusal(&mut answer, &total);
        let status = total.refused.as_ref().map_or(200, status_of);
        if let Some(repeat) = repeat {
            repeat.end(status, &answer);
        }
        self.end(answer, status).await
    }

    /// Ends a session.
    pub(in crate::net::web) async fn quit(&mut self, head: &Head, id: &str) -> Result<Next, Ended> {
        let Some(session) = self.hub.session(id) else { return self.refuse(head, Problem::NoSuchSession).await };
        session.quit();
        self.answer(head, Shape::Json).end(&mut self.link, 204).await
    }
}
