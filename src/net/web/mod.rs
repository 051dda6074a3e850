//! The web's door: HTTP for curl, for programs and for browsers. Each request is made by a user of the chat, who asks the broker
//! as any client does; what it is told in answer is the body. Knows no rules and no text.
//!
//! [`Web`] serves the requests of one connection, in order. A request for what happens from now on makes it an ordinary
//! [`Connection`] with one more dialect. Sessions have no connection of their own: `session/runner.rs` runs each, and `hub.rs` all of
//! them, in one task.

mod answer;
mod ask;
mod follow;
mod hub;
mod link;
mod repeat;
mod say;
mod session;
mod user;

use std::{rc::Rc, sync::Arc};

use async_std::task;

pub(super) use self::hub::Hub;
use self::{
    answer::Answer,
    link::{Link, Patience},
    user::User,
};
use super::{
    admission::Place,
    beginning::Closing,
    connection::{Connection, Shared},
    transport::Transport,
};
use crate::{
    broker::QueueGauge,
    chat::{Departure, Kinds},
    origin::Origin,
    protocol::{
        Dialect, Lang, Session,
        http::{AskedAs, Head, Item, Problem, Request, Shape, status_of_departure},
        render_unserved,
    },
};

/// A connection over which HTTP is spoken.
pub(super) struct Web {
    link: Link,
    /// Who asks, where it is nobody in particular: kept for the next request.
    visitor: Option<User>,
    origin: Origin,
    hub: Rc<Hub>,
    /// The last field: the place must not be free before the socket is closed.
    place: Place,
}

/// Why a request is not answered as others.
enum Ended {
    /// It cannot be understood, nor what follows it.
    Problem(Problem),
    /// The client is gone, or does not go on.
    Gone,
    /// It has been answered otherwise than was meant, and this comes next.
    Answered(Next),
}

/// What comes after an answer.
enum Next {
    /// Another request may come.
    Request,
    /// Nothing: the connection ends when all is sent.
    Close,
    /// What happens from now on, for this user, in this dialect.
    Stream(Box<Stream>),
}

/// Who is told what happens from now on, and how.
pub(super) struct Stream {
    user: User,
    dialect: Dialect,
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Web {
    pub(super) fn new(
        transport: Transport,
        gauge: Rc<QueueGauge>,
        origin: Origin,
        place: Place,
        closing: Closing,
        hub: Rc<Hub>,
        shared: &Rc<Shared>,
    ) -> Self {
        Self { link: Link::new(transport, gauge, closing, shared), visitor: None, origin, hub, place }
    }

    /// Serves requests, until the connection ends or becomes one for what happens from now on: with this it goes on then.
    pub(super) async fn run(&mut self) -> Option<Box<Stream>> {
        loop {
            // All else is boxed: a connection that waits for a request has no room for what it takes to serve one.
            let next = match self.link.next(Patience::Request, self.visitor.as_mut()).await {
                Ok(Item::Head(head)) => {
                    self.link.charge(0); // with what came behind it
                    Box::pin(self.serve(&head)).await
                }
                Ok(Item::Line(_) | Item::End | Item::Incomplete) => continue, // of a request that is answered already
                Err(ended) => Err(ended),
            };
            match next {
                Ok(Next::Request) => task::yield_now().await, // others have a turn first
                Ok(Next::Close) => break,
                Ok(Next::Stream(stream)) => return Some(stream),
                Err(Ended::Problem(problem)) => match Box::pin(self.refuse(&Head::unknown(), problem)).await {
                    Ok(_) => break,
                    Err(_) => return None,
                },
                Err(Ended::Gone | Ended::Answered(_)) => return None,
            }
        }
        self.visitor = None; // nobody visits any more
        Box::pin(self.link.close()).await;
        None
    }

    async fn serve(&mut self, head: &Head) -> Result<Next, Ended> {
        match self.handle(head).await {
            Err(Ended::Answered(next)) => Ok(next),
            other => other,
        }
    }

    async fn handle(&mut self, head: &Head) -> Result<Next, Ended> {
        let is_welcome = self.hub.guard.borrow().check(head);
        let request = match is_welcome.and_then(|()| Request::of(head)) {
            Ok(request) => request,
            Err(problem) => return self.refuse(head, problem).await,
        };
        if !request.has_body() {
            self.skip_body()?;
        }
        match request {
            Request::Say { to, skips } => self.say(head, &to, skips).await,
            Request::Lines { session, skips } => self.do_lines(head, &session, skips).await,
            Request::Page(path) => self.page(head, &path).await,
            Request::Health => self.health(head).await,
            Request::Metrics => self.metrics(head).await,
            Request::Options(methods) => self.options(head, methods).await,
            Request::List(command, shape) => self.ask(head, command, shape, Kinds::All).await,
            Request::Past(past) if past.follows => self.follow(head, past).await,
            Request::Past(past) => {
                let (shape, kinds) = (past.shape, past.kinds);
                self.ask(head, past.command(), shape, kinds).await
            }
            Request::Wait(command) => self.ask(head, command, Shape::Json, Kinds::All).await,
            Request::Open => self.open(head).await,
            Request::Listen { session, after } => self.listen(head, &session, after).await,
            Request::Quit(session) => self.quit(head, &session).await,
        }
    }

    /// Passes over a body that nobody needs, as far as it has come. If more follows, the connection ends with the answer.
    fn skip_body(&mut self) -> Result<(), Ended> {
        while !self.link.is_between() && self.link.try_next()?.is_some() {}
        Ok(())
    }

    /// Says why a request is not served.
    async fn refuse(&mut self, head: &Head, problem: Problem) -> Result<Next, Ended> {
        self.skip_body().ok(); // if there is more that is wrong with it, the connection ends with the answer
        let mut answer = self.answer(head, Shape::Json);
        match problem {
            Problem::MethodNotAllowed(methods) => answer.field("Allow", methods),
            _ if matches!(problem.status(), 409 | 429 | 503) => answer.field("Retry-After", "1"),
            _ => {}
        }
        self.put_problem(&mut answer, problem).await?;
        answer.end(&mut self.link, problem.status()).await
    }

    async fn put_problem(&mut self, answer: &mut Answer<'_>, problem: Problem) -> Result<(), Ended> {
        let mut line = Vec::new();
        let lang = self.lang(answer.head);
        render_unserved(&mut line, problem, jiff::Timestamp::now(), lang);
        self.put(answer, line).await
    }

    /// Takes bytes that the connection itself has made as a part of an answer.
    async fn put(&mut self, answer: &mut Answer<'_>, bytes: Vec<u8>) -> Result<(), Ended> {
        if bytes.is_empty() {
            return Ok(());
        }
        let part = self.link.own(bytes);
        answer.take(&mut self.link, part).await
    }

    /// The language of sentences for the one who asks.
    fn lang(&self, head: &Head) -> Lang {
        head.lang.unwrap_or(self.hub.lang)
    }

    fn answer<'h>(&self, head: &'h Head, shape: Shape) -> Answer<'h> {
        Answer::new(head, shape.content_type(), self.hub.guard.borrow().allowed_origin(head))
    }

    /// The one who asks.
    async fn user(&mut self, head: &Head) -> Result<User, Ended> {
        let Some(command) = self.asked_as(head).await?.command() else {
            let visitor = self.visitor.take().filter(|visitor| !visitor.is_gone());
            return Ok(visitor.unwrap_or_else(|| self.visit()));
        };
        let mut user = self.visit();
        self.take_identity(head, &mut user, command).await?;
        Ok(user)
    }

    /// Who is to ask.
    async fn asked_as(&mut self, head: &Head) -> Result<AskedAs, Ended> {
        match AskedAs::of(head) {
            Ok(asked_as) => Ok(asked_as),
            Err(problem) => Err(Ended::Answered(self.refuse(head, problem).await?)),
        }
    }

    /// Keeps the one who asks for the next request, if it is nobody in particular.
    fn keep(&mut self, head: &Head, user: User) {
        if matches!(AskedAs::of(head), Ok(AskedAs::Nobody)) {
            self.visitor = Some(user);
        }
    }

    /// Ends an answer, when what is left of the request was passed over.
    async fn end(&mut self, answer: Answer<'_>, status: u16) -> Result<Next, Ended> {
        self.skip_body().ok(); // if something is wrong with it, the connection ends with the answer
        answer.end(&mut self.link, status).await
    }

    /// The connection goes on as one for what happens from now on.
    pub(super) fn into_stream(self, Stream { user, dialect }: Stream) -> Connection {
        let Self { link, place, .. } = self;
        let Link { transport, writer, gauge, shared, .. } = link;
        gauge.hold_back(false);
        let (client, inbox) = user.into_parts();
        let limits = Arc::clone(&shared.limits.borrow());
        let session = Session::listening(limits, dialect, shared.clock.now());
        Connection::listening(client, transport, inbox, writer, session, place, &shared)
    }

    /// Someone who asks without being here.
    fn visit(&self) -> User {
        let user = User::connect(self.origin.clone(), None, &self.link.gauge, &self.link.shared);
        user.visit();
        user
    }

    /// The user has to leave before it is answered.
    async fn sent_away(&mut self, mut answer: Answer<'_>, departure: Departure) -> Result<Next, Ended> {
        if answer.bytes() == 0 {
            self.put_problem(&mut answer, Problem::Unavailable(departure)).await?;
        }
        self.end(answer, status_of_departure(departure)).await
    }
}
