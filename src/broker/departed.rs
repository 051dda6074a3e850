//! Clients that have left, and for which something is still queued: it counts for whoever pays for it, and when memory runs
//! out it may be thrown away. The broker puts them in, their connections take them out.

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use super::{gauge::QueueGauge, schedule::FlowKey};
use crate::chat::ClientId;

/// The queues of those who have left.
#[derive(Debug, Default)]
pub struct Departed {
    queues: RefCell<HashMap<ClientId, Queue>>,
}

#[derive(Debug)]
struct Queue {
    payer: FlowKey,
    gauge: Rc<QueueGauge>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// To be written. Its connection waits, or will.
    Kept(Option<Waker>),
    /// To be thrown away.
    Dropped,
}

impl Departed {
    /// The client has left, and this is queued for it, at this one's expense.
    pub(super) fn insert(&self, client: ClientId, payer: FlowKey, gauge: Rc<QueueGauge>) {
        self.queues.borrow_mut().insert(client, Queue { payer, gauge, state: State::Kept(None) });
    }

    /// Calls `look` for each that is not to be thrown away: the client, who pays, and what is queued.
    pub(super) fn for_each(&self, mut look: impl FnMut(ClientId, FlowKey, &QueueGauge)) {
        for (&client, queue) in &*self.queues.borrow() {
            match queue.state {
                State::Kept(_) => look(client, queue.payer, &queue.gauge),
                State::Dropped => {}
            }
        }
    }

    /// Has what is queued thrown away, if the client is one of those who have left. Answers whether.
    pub(super) fn discard(&self, client: ClientId) -> bool {
        let Some(state) =
            self.queues.borrow_mut().get_mut(&client).map(|queue| mem::replace(&mut queue.state, State::Dropped))
        else {
            return false;
        };
        if let State::Kept(Some(waker)) = state {
            waker.wake();
        }
        true
    }

    /// Waits until what is queued is to be thrown away.
    pub fn poll_discard(&self, client: ClientId, cx: &Context<'_>) -> Poll<()> {
        match self.queues.borrow_mut().get_mut(&client).map(|queue| &mut queue.state) {
            Some(State::Kept(waker)) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(State::Dropped) => Poll::Ready(()),
            None => Poll::Pending, // there was nothing in its queue when it left
        }
    }

    /// The connection of this client has ended.
    pub fn remove(&self, client: ClientId) {
        self.queues.borrow_mut().remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{Memory, outbox};

    #[test]
    fn what_is_queued_is_kept_until_it_is_to_be_thrown_away() {
        let (departed, client, cx) = (Departed::default(), ClientId(1), &Context::from_waker(Waker::noop()));
        assert!(departed.poll_discard(client, cx).is_pending() && !departed.discard(client));
        let (outbox, _inbox) = outbox(None, Memory::new(1000));
        departed.insert(client, FlowKey::Client(client), Rc::clone(outbox.gauge()));
        let count = || {
            let mut count = 0;
            departed.for_each(|_, _, _| count += 1);
            count
        };
        assert!(departed.poll_discard(client, cx).is_pending() && count() == 1);
        assert!(departed.discard(client) && departed.poll_discard(client, cx).is_ready());
        assert_eq!(count(), 0, "it is not chosen again");
        departed.remove(client);
        assert!(departed.queues.borrow().is_empty());
    }
}
