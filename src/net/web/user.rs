//! A user of the chat whose requests come over HTTP: what it asks the broker, and what it is told. Knows no HTTP.

use std::{rc::Rc, time::Duration};

use async_std::task;
use futures::StreamExt;

use crate::{
    broker::{Inbox, Outcome, QueueGauge, QueueItem, Queued, Request, outbox_counted},
    chat::{ClientId, Command, Departure},
    net::connection::Shared,
    origin::Origin,
    protocol::{Batch, Dialect, Step},
    reactor::Socket,
};

/// A client of the broker.
pub(super) struct User {
    stay: Stay,
    inbox: Inbox,
    /// When it may ask again.
    not_before: Duration,
}

/// What a user is told.
pub(super) enum News {
    /// Whole lines.
    Bytes(Queued),
    /// The broker has done what was asked: what has come of it.
    Done(Outcome),
    /// The user is here no more.
    End(Departure),
}

/// The user leaves when this is dropped, unless it is gone.
struct Stay {
    client: ClientId,
    shared: Rc<Shared>,
    /// Why it is here no more, if it is not.
    gone: Option<Departure>,
    /// It is the client of an ordinary connection now.
    goes_on: bool,
}

impl User {
    /// Introduces a client to the broker, of which nothing is known but where it comes from. What waits for it counts by `gauge`.
    pub(super) fn connect(
        origin: Origin,
        socket: Option<Rc<Socket>>,
        gauge: &Rc<QueueGauge>,
        shared: &Rc<Shared>,
    ) -> Self {
        let (outbox, inbox) = outbox_counted(socket, Rc::clone(gauge));
        let client = shared.next_id();
        shared.broker.unbounded_send(Request::Connect(client, origin, outbox)).ok(); // fails only when the broker is dead
        Self {
            stay: Stay { client, shared: Rc::clone(shared), gone: None, goes_on: false },
            inbox,
            not_before: Duration::ZERO,
        }
    }

    /// It speaks without being here.
    pub(super) fn visit(&self) {
        self.stay.ask(vec![Step::Visit], 0);
    }

    /// The user asks for one thing, to be told in this dialect.
    pub(super) async fn request(&mut self, dialect: Dialect, command: Command) {
        let steps = [Step::Request { stops_at_refusal: true }, Step::Speak(dialect), Step::Command(command)];
        self.ask(steps.into()).await;
    }

    /// The user arrives, to be told so in this dialect, and asks for these.
    pub(super) async fn arrive(&mut self, dialect: Dialect, commands: impl IntoIterator<Item = Command>) {
        let begins = [Step::Speak(dialect), Step::Arrive, Step::Request { stops_at_refusal: true }];
        self.ask(begins.into_iter().chain(commands.into_iter().map(Step::Command)).collect()).await;
    }

    /// Asks the broker to do this, when it may: one line.
    pub(super) async fn ask(&mut self, steps: Vec<Step>) {
        self.ask_lines(steps, 1).await;
    }

    /// The same for what comes from so many lines.
    pub(super) async fn ask_lines(&mut self, steps: Vec<Step>, lines: usize) {
        self.wait_until_due().await;
        self.ask_now(steps, lines);
    }

    /// Asks the broker to do this, though the user may have asked faster than its rate.
    pub(super) fn ask_now(&self, steps: Vec<Step>, lines: usize) {
        self.stay.ask(steps, lines);
    }

    /// Waits until it may ask again.
    pub(super) async fn wait_until_due(&self) {
        let left = self.not_before.saturating_sub(self.stay.shared.clock.now());
        if !left.is_zero() {
            task::sleep(left).await;
        }
    }

    /// Waits for what the user is told next.
    pub(super) async fn next(&mut self) -> News {
        if self.inbox.gauge().take_relief() {
            self.stay.shared.broker.unbounded_send(Request::Relieved(self.stay.client)).ok();
        }
        match self.inbox.next().await {
            Some(QueueItem::Bytes(bytes)) => News::Bytes(bytes),
            Some(QueueItem::Credit(credit)) => {
                self.not_before = credit.not_before;
                News::Done(credit.outcome.map(|outcome| *outcome).unwrap_or_default())
            }
            Some(QueueItem::End(departure)) => {
                self.stay.gone = Some(departure);
                News::End(departure)
            }
            // It was told that before, or the broker is dead.
            None => News::End(*self.stay.gone.get_or_insert(Departure::Lost)),
        }
    }

    /// Whether it is here no more.
    pub(super) fn is_gone(&self) -> bool {
        self.stay.gone.is_some()
    }

    /// The user goes on as the client of an ordinary connection.
    pub(super) fn into_parts(mut self) -> (ClientId, Inbox) {
        self.stay.goes_on = true;
        (self.stay.client, self.inbox)
    }
}

impl Stay {
    fn ask(&self, steps: Vec<Step>, lines: usize) {
        self.shared.broker.unbounded_send(Request::Batch(self.client, Batch { steps, lines })).ok();
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if self.gone.is_none() && !self.goes_on {
            self.ask(vec![Step::Close(Departure::Left)], 0);
        }
        if !self.goes_on {
            self.shared.departed.remove(self.client); // where it has left before, with something queued
        }
    }
}
