//! Whose step comes next: fair queueing between flows, as fq_codel does it (RFC 8290). Knows costs, and nothing of what the
//! steps are.
//!
//! A flow is all that comes from one address, or from one connection of a trusted address. Flows with little to do (sparse
//! ones) come first; the others (heavy ones) take turns, each until it has used up its quantum. The heavy ones together are
//! served as much as the sparse ones together, but for a quantum, so neither kind can starve the other.

use std::collections::{HashMap, VecDeque};

use slab::Slab;

use crate::{address::Network, chat::ClientId};

/// What a flow may use before the next one's turn, in bytes delivered: some fifty microseconds of work.
const QUANTUM: i64 = 64 << 10;
/// What a flow may use in its first turn, when it comes before heavy ones: thousands of flows may come at once.
const FIRST_QUANTUM: i64 = 4 << 10;
/// The cost of any step, whatever comes of it, in the same unit.
pub(super) const STEP_COST: usize = 256;

/// Who pays for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum FlowKey {
    /// All connections from a network.
    Network(Network),
    /// One connection from a trusted address.
    Client(ClientId),
    /// All connections from trusted addresses that are not announced yet.
    Arrivals,
    /// All connections from trusted addresses that have ended before they were announced: those that stay come first.
    Passing,
    /// All connections that are broken: nobody waits for an answer there.
    Broken,
}

/// A flow that has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FlowId(usize);

/// The flows that have something to do, or had just now.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    flows: Slab<Flow>,
    by_key: HashMap<FlowKey, usize>,
    /// Flows that have not used their first quantum since they had nothing to do.
    sparse: VecDeque<usize>,
    /// The others.
    heavy: VecDeque<usize>,
    /// What sparse flows have used since heavy ones had as much.
    owed_to_heavy: i64,
    /// How many clients have something to do.
    queued: usize,
}

#[derive(Debug)]
struct Flow {
    key: FlowKey,
    /// Clients with something to do, in order.
    queue: VecDeque<ClientId>,
    /// What it may still use in this round.
    deficit: i64,
}

/// A client whose step is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) client: ClientId,
    pub(super) flow: FlowId,
    /// At whose expense: the client may have another payer by now, or have left.
    pub(super) key: FlowKey,
    /// The flow has had more to do than its share.
    pub(super) is_heavy: bool,
}

impl Schedule {
    /// The client has something to do, at the expense of this flow. Not to be called again before [`Self::done`].
    pub(super) fn push(&mut self, key: FlowKey, client: ClientId) {
        let Self { flows, by_key, sparse, heavy, .. } = self;
        let id = *by_key.entry(key).or_insert_with(|| {
            let id = flows.insert(Flow { key, queue: VecDeque::new(), deficit: FIRST_QUANTUM });
            // Few wait for an answer to a connection that has ended, and none to a broken one: these are never served first.
            if matches!(key, FlowKey::Passing | FlowKey::Broken) { heavy } else { sparse }.push_back(id);
            id
        });
        self.flows[id].queue.push_back(client);
        self.queued += 1;
    }

    /// Whose step is next, if anybody has something to do. The same one until it is done, or its flow has used its quantum.
    pub(super) fn next(&mut self) -> Option<Next> {
        loop {
            let (id, is_heavy) = match (self.sparse.front(), self.heavy.front()) {
                (Some(_), Some(&id)) if self.owed_to_heavy >= QUANTUM => (id, true),
                (Some(&id), _) => (id, false),
                (None, Some(&id)) => (id, true),
                (None, None) => return None,
            };
            let flow = &mut self.flows[id];
            match flow.queue.front() {
                Some(&client) if flow.deficit > 0 => {
                    return Some(Next { client, flow: FlowId(id), key: flow.key, is_heavy });
                }
                Some(_) => {
                    flow.deficit += QUANTUM;
                    // Its clients take turns too.
                    flow.queue.rotate_left(1);
                    self.move_to_heavy(is_heavy);
                }
                None => {
                    if is_heavy { &mut self.heavy } else { &mut self.sparse }.pop_front();
                    self.by_key.remove(&flow.key);
                    self.flows.remove(id);
                }
            }
        }
    }

    /// Whether the flow that is next has enough left for a step of this cost, in bytes delivered. If not, its turn is over, and
    /// it has more in the next: one long line to a crowd waits for as many turns as it is worth.
    pub(super) fn affords(&mut self, next: Next, delivered: usize) -> bool {
        let flow = &mut self.flows[next.flow.0];
        let is_enough = i64::try_from(delivered).is_ok_and(|cost| cost <= flow.deficit);
        if !is_enough {
            flow.deficit += QUANTUM;
            if next.is_heavy {
                self.owed_to_heavy = (self.owed_to_heavy - QUANTUM).max(0); // to save up is to have been served
            }
            self.move_to_heavy(next.is_heavy);
        }
        is_enough
    }

    /// The step of this client has cost so much, in bytes delivered.
    pub(super) fn charge(&mut self, FlowId(id): FlowId, delivered: usize) {
        let cost = i64::try_from(delivered.saturating_add(STEP_COST)).unwrap_or(i64::MAX);
        if let Some(flow) = self.flows.get_mut(id) {
            flow.deficit = flow.deficit.saturating_sub(cost);
        }
        self.owed_to_heavy = match self.heavy.front() {
            Some(&heavy) if heavy == id => self.owed_to_heavy.saturating_sub(cost).max(0),
            Some(_) => self.owed_to_heavy.saturating_add(cost),
            None => 0,
        };
    }

    /// The client at the head of this flow has nothing to do any more.
    pub(super) fn done(&mut self, FlowId(id): FlowId) {
        let flow = &mut self.flows[id];
        flow.queue.pop_front();
        self.queued -= 1;
    }

    /// Whether nobody has anything to do.
    pub(super) fn is_empty(&self) -> bool {
        self.queued == 0
    }

    fn move_to_heavy(&mut self, is_heavy: bool) {
        let list = if is_heavy { &mut self.heavy } else { &mut self.sparse };
        let id = list.pop_front();
        self.heavy.extend(id);
    }
}

#[cfg(test)]
mod tests;
