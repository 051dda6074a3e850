//! What everyone is told, and the end of the server.

use std::time::Duration;

use super::{Act, Notice, NoticeKind, OrderDone, OrderRefusal, act::notice};
use crate::chat::{
    Chat, ClientId, Done, Event, Output, Refusal,
    work::{PIECE_ITEMS, Task},
};

/// How long ahead the end of the server may be asked for: longer than it runs.
const AHEAD_MAX: Duration = Duration::from_hours(24 * 3650);

/// Something that everyone is told, some clients at a time.
#[derive(Debug)]
pub(in crate::chat) struct Announce {
    by: ClientId,
    notice: Notice,
    /// The last one that was told.
    after: ClientId,
}

impl Announce {
    pub(in crate::chat) fn by(&self) -> ClientId {
        self.by
    }
}

impl Chat {
    pub(super) fn announce(
        &mut self,
        client: ClientId,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        if text.is_empty() {
            return Err(Refusal::EmptyText);
        }
        self.note(&actor, Act::Announce, None, None, text, out);
        let notice = notice(NoticeKind::Announced, &actor, None, None, text);
        Ok(self.tell_all(client, notice, OrderDone::Only(Act::Announce), out))
    }

    pub(super) fn end_server(
        &mut self,
        client: ClientId,
        time: Duration,
        reason: &str,
        out: &mut Vec<Output>,
    ) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        let when = self.at.checked_add(time).ok().filter(|_| time <= AHEAD_MAX);
        let when = when.ok_or(OrderRefusal::TooFarAhead(AHEAD_MAX))?;
        self.order.shutdown = Some(self.now.saturating_add(time));
        self.note(&actor, Act::ShutDown, None, None, reason, out);
        let notice = notice(NoticeKind::ShutDown, &actor, None, Some(when), reason);
        Ok(self.tell_all(client, notice, OrderDone::ShutDown(Some(when)), out))
    }

    pub(super) fn cancel_end(&mut self, client: ClientId, out: &mut Vec<Output>) -> Result<Option<OrderDone>, Refusal> {
        let actor = self.operator(client)?;
        if self.order.shutdown.take().is_none() {
            return Ok(Some(OrderDone::ShutDown(None)));
        }
        self.note(&actor, Act::ShutDown, Some("cancel".into()), None, "", out);
        let notice = notice(NoticeKind::GoesOn, &actor, None, None, "");
        Ok(self.tell_all(client, notice, OrderDone::ShutDown(None), out))
    }

    /// The server ends, if it is time to.
    pub(in crate::chat) fn end_if_due(&mut self, out: &mut Vec<Output>) {
        if self.order.shutdown.is_some_and(|at| at <= self.now) {
            self.order.shutdown = None;
            out.push(Output::ShutDown);
        }
    }

    /// Answers the one who asks, and tells everyone. Its next command waits until everyone was told.
    fn tell_all(&mut self, by: ClientId, notice: Notice, done: OrderDone, out: &mut Vec<Output>) -> Option<OrderDone> {
        out.push(Output::tell(by, Event::Done(Done::Order(done))));
        self.begin(by, Task::Announce(Announce { by, notice, after: ClientId(0) }), out);
        None
    }

    /// Tells the next ones. Answers whether those were all.
    pub(in crate::chat) fn tell_some(&mut self, announce: &mut Announce, out: &mut Vec<Output>) -> bool {
        for _ in 0..PIECE_ITEMS {
            let Some(client) = self.members.next_of_all(announce.after) else { return true };
            announce.after = client;
            // Who has to log in first is told nothing of what goes on.
            if self.members.get(client).is_some_and(|member| member.door.is_none()) {
                self.notify(client, &announce.notice, out);
            }
        }
        false
    }
}
