//! Requests for what happens in rooms from now on. Each is made by a user like any other, who has arrived and is in those rooms.

use super::{Answer, Ended, Next, Stream, User, Web, user::News};
use crate::{
    broker::Told,
    chat::{Command, LOBBY},
    protocol::{
        Step,
        http::{Head, Length, Past, Problem, status_of, status_of_departure},
    },
};

impl Web {
    /// Tells what has happened in rooms and what happens from now on: to a user like any other, who has arrived and joined them.
    pub(super) async fn follow(&mut self, head: &Head, past: Past) -> Result<Next, Ended> {
        let asked_as = self.asked_as(head).await?;
        self.visitor = None;
        self.link.gauge.hold_back(true);
        let socket = self.link.transport.plain();
        let mut user = User::connect(self.origin.clone(), socket, &self.link.gauge, &self.link.shared);
        let (shape, kinds) = (past.shape, past.kinds);
        let dialect = shape.dialect(kinds, self.lang(head));
        user.arrive(dialect, asked_as.command().into_iter().chain([Command::Leave(LOBBY.to_owned())])).await;
        let mut answer = self.answer(head, shape);
        answer.field("X-Accel-Buffering", "no"); // a proxy is to pass it on at once
        match self.arrive(&mut user, &mut answer).await? {
            Ok(()) => {}
            Err(status) => return self.end(answer, status).await,
        }
        user.ask(vec![Step::Request { stops_at_refusal: true }, Step::Command(past.command())]).await;
        loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(part) => answer.take(&mut self.link, part).await?,
                News::Done(outcome) if outcome.refused.is_some() => return self.answered(answer, &outcome).await,
                News::Done(_) => break,
                News::End(departure) => return self.sent_away(answer, departure).await,
            }
        }
        answer.begin(&mut self.link, Length::Open);
        self.link.flush().await?;
        Ok(Next::Stream(Box::new(Stream { user, dialect })))
    }

    /// The user arrives. What it is told alone comes first in the answer; if it is refused, why. Answers the status then.
    async fn arrive(&mut self, user: &mut User, answer: &mut Answer<'_>) -> Result<Result<(), u16>, Ended> {
        let mut answers = Vec::new();
        let status = loop {
            match self.link.unless_broken(user.next()).await? {
                News::Bytes(part) if part.told == Told::Private => answer.take(&mut self.link, part).await?,
                News::Bytes(part) if part.told == Told::Answer => answers.push(part),
                News::Bytes(part) => self.link.discard(&part),
                News::Done(outcome) => break outcome.refused.as_ref().map(status_of),
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
}
