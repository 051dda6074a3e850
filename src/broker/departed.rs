//! Connections that hold memory and are no clients of the broker: those of clients that have left while something is still
//! queued for them, and those whose handshake goes on. What they hold counts for the payer's memory, and when memory runs out
//! the broker may have one discarded. The broker puts in clients that have left, connections take themselves out.

use std::{
    cell::RefCell,
    collections::HashMap,
    mem,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use super::{gauge::QueueGauge, schedule::FlowKey};
use crate::{address::Network, chat::ClientId};

/// What is held for connections that are no clients of the broker.
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
    /// To be written. With the waker of its connection, once that waits.
    Kept(Option<Waker>),
    /// To be discarded.
    Dropped,
}

impl Departed {
    /// The client has left, and its queue is charged to this payer.
    pub(super) fn insert(&self, client: ClientId, payer: FlowKey, gauge: Rc<QueueGauge>) {
        self.queues.borrow_mut().insert(client, Queue { payer, gauge, state: State::Kept(None) });
    }

    /// The handshake of a connection begins, under an id that no client has. Its network pays for what it holds; without one,
    /// each connection pays for itself.
    pub fn begin(&self, id: ClientId, network: Option<Network>, gauge: Rc<QueueGauge>) {
        self.insert(id, network.map_or(FlowKey::Client(id), FlowKey::Network), gauge);
    }

    /// Calls `visit` for each queue that is not to be discarded, with its client, payer and gauge.
    pub(super) fn for_each(&self, mut visit: impl FnMut(ClientId, FlowKey, &QueueGauge)) {
        for (&client, queue) in &*self.queues.borrow() {
            match queue.state {
                State::Kept(_) => visit(client, queue.payer, &queue.gauge),
                State::Dropped => {}
            }
        }
    }

    /// Has the client's queue discarded, if it has left. Answers whether it has.
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

    /// Waits until what is held for this one is to be discarded.
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
