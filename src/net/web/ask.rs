//! Requests that ask for something: lists, histories, waits, and what the server says of itself.

use super::{Answer, Ended, Next, User, Web, link::Link, user::News};
use crate::{
    broker::{Outcome, Told},
    chat::{Command, Departure, Kinds},
    protocol::http::{Head, Health, METRICS_CONTENT_TYPE, Problem, Shape, metrics, page, retry_after, status_of},
};

/// How it has ended what a user was asked to do.
pub(super) enum End {
    /// All was done, or refused.
    Done(Outcome),
    /// The user had to leave.
    Left(Departure),
}

impl Web {
    /// Asks the chat for something, and answers what it says.
    pub(super) async fn ask(
        &mut self,
        head: &Head,
        command: Command,
        shape: Shape,
        kinds: Kinds,
    ) -> Result<Next, Ended> {
        let mut user = self.user(head).await?;
        let until = if matches!(command, Command::Wait(..)) { Until::Gone } else { Until::Broken };
        user.request(shape.dialect(kinds, self.lang(head)), command).await;
        let mut answer = self.answer(head, shape);
        match collect(&mut self.link, &mut user, &mut answer, until).await? {
            End::Done(outcome) => {
                self.keep(head, user);
                self.answered(answer, &outcome).await
            }
            End::Left(departure) => self.sent_away(answer, departure).await,
        }
    }

    /// Ends the answer to what was done or refused.
    pub(super) async fn answered(&mut self, mut answer: Answer<'_>, outcome: &Outcome) -> Result<Next, Ended> {
        note_refusal(&mut answer, outcome);
        self.end(answer, status(outcome)).await
    }

    /// The user takes a name or logs in.
    pub(super) async fn take_identity(&mut self, head: &Head, user: &mut User, command: Command) -> Result<(), Ended> {
        user.request(Shape::Json.dialect(Kinds::All, self.lang(head)), command).await;
        let mut answer = self.answer(head, Shape::Json);
        match collect(&mut self.link, user, &mut answer, Until::Broken).await? {
            End::Done(outcome) if outcome.refused.is_none() => {
                answer.clear(&self.link);
                Ok(())
            }
            End::Done(outcome) => Err(Ended::Answered(self.answered(answer, &outcome).await?)),
            End::Left(departure) => Err(Ended::Answered(self.sent_away(answer, departure).await?)),
        }
    }

    pub(super) async fn page(&mut self, head: &Head, path: &[String]) -> Result<Next, Ended> {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let Some(asset) = page::asset(&path) else { return self.refuse(head, Problem::NotFound).await };
        let mut answer = Answer::new(head, asset.content_type, None);
        for (name, value) in page::SECURITY_HEADERS {
            answer.field(name, *value);
        }
        answer.field("ETag", asset.etag.clone());
        answer.field("Cache-Control", "no-cache"); // it is asked for again, with the tag
        if head.if_none_match.as_deref() == Some(&*asset.etag) {
            return answer.end(&mut self.link, 304).await;
        }
        self.put(&mut answer, asset.bytes.to_vec()).await?;
        answer.end(&mut self.link, 200).await
    }

    pub(super) async fn health(&mut self, head: &Head) -> Result<Next, Ended> {
        let health = self.link.shared.metrics.health();
        let status = if health == Health::Ok { 200 } else { 503 };
        let mut answer = self.answer(head, Shape::Text);
        self.put(&mut answer, format!("{}\n", health.code()).into()).await?;
        answer.end(&mut self.link, status).await
    }

    pub(super) async fn metrics(&mut self, head: &Head) -> Result<Next, Ended> {
        if !self.origin.is_trusted(&self.link.shared.trusted.borrow()) {
            return self.refuse(head, Problem::NotTrusted).await;
        }
        let mut answer = Answer::new(head, METRICS_CONTENT_TYPE, None);
        let text = metrics(&self.link.shared.metrics.snapshot());
        self.put(&mut answer, text.into()).await?;
        answer.end(&mut self.link, 200).await
    }

    pub(super) async fn options(&mut self, head: &Head, methods: &'static str) -> Result<Next, Ended> {
        let mut answer = self.answer(head, Shape::Json);
        answer.field("Allow", methods);
        if self.hub.guard.borrow().allowed_origin(head).is_some() {
            answer.field("Access-Control-Allow-Methods", methods);
            answer.field("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID");
            answer.field("Access-Control-Max-Age", "600");
        }
        answer.end(&mut self.link, 204).await
    }
}

/// When nobody waits for an answer any more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// When the connection has failed: a client that sends no more may still read.
    Broken,
    /// When the client sends no more: the answer may take an hour.
    Gone,
    /// Never: the client may ask again what has come of it.
    Done,
}

/// Passes on what the user is told in answer, until all that it was asked to do is done.
pub(super) async fn collect(
    link: &mut Link,
    user: &mut User,
    answer: &mut Answer<'_>,
    until: Until,
) -> Result<End, Ended> {
    loop {
        let news = match until {
            Until::Broken => link.unless_broken(user.next()).await?,
            Until::Gone => link.unless_gone(user.next()).await?,
            Until::Done => user.next().await,
        };
        match news {
            News::Bytes(part) if part.told == Told::Answer => answer.take(link, part).await?,
            News::Bytes(part) => link.discard(&part),
            News::Done(outcome) => return Ok(End::Done(outcome)),
            News::End(departure) => return Ok(End::Left(departure)),
        }
    }
}

/// The status of an answer to what has come of a request.
pub(super) fn status(outcome: &Outcome) -> u16 {
    match &outcome.refused {
        Some(refused) => status_of(refused),
        None if outcome.is_kept => 202,
        None => 200,
    }
}

/// Tells when it may be tried again, where that is known.
pub(super) fn note_refusal(answer: &mut Answer<'_>, outcome: &Outcome) {
    if let Some(seconds) = outcome.refused.as_ref().and_then(retry_after) {
        answer.field("Retry-After", seconds.to_string());
    }
}
