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
mod tests {
    use super::*;

    const COSTLY: usize = QUANTUM as usize / 2;

    fn client(n: u64) -> FlowKey {
        FlowKey::Client(ClientId(n))
    }

    /// Serves `steps` steps, each of this cost, and answers whose they were. `left` says how many steps a client has left.
    fn serve(schedule: &mut Schedule, left: &mut HashMap<u64, usize>, steps: usize, cost: usize) -> Vec<u64> {
        let mut served = Vec::new();
        while served.len() < steps
            && let Some(next) = schedule.next()
        {
            let steps = left.get_mut(&next.client.0).unwrap();
            if *steps == 0 {
                schedule.done(next.flow);
                left.remove(&next.client.0);
                continue;
            }
            *steps -= 1;
            schedule.charge(next.flow, cost);
            served.push(next.client.0);
        }
        served
    }

    /// A schedule in which these clients have so many steps to do, each client in a flow of its own.
    fn schedule(work: &[(u64, usize)]) -> (Schedule, HashMap<u64, usize>) {
        let mut schedule = Schedule::default();
        for &(n, _) in work {
            schedule.push(client(n), ClientId(n));
        }
        (schedule, work.iter().copied().collect())
    }

    #[test]
    fn heavy_flows_take_turns() {
        let (mut schedule, mut left) = schedule(&[(1, 100), (2, 100), (3, 100)]);
        let served = serve(&mut schedule, &mut left, 30, COSTLY);
        for n in 1..=3 {
            let share = served.iter().filter(|&&client| client == n).count();
            assert!((8..=12).contains(&share), "{n} was served {share} times of 30: {served:?}");
        }
    }

    #[test]
    fn a_flow_with_little_to_do_comes_before_heavy_ones() {
        let (mut schedule, mut left) = schedule(&[(1, 100), (2, 100)]);
        serve(&mut schedule, &mut left, 10, COSTLY);
        for again in 0..3 {
            schedule.push(client(9), ClientId(9));
            left.insert(9, 1);
            assert_eq!(serve(&mut schedule, &mut left, 2, 0)[0], 9, "{again}");
        }
    }

    #[test]
    fn a_costly_step_waits_for_as_many_turns_as_it_is_worth() {
        let (mut schedule, _) = schedule(&[(1, 1), (2, 1), (3, 1)]);
        let cost = |next: Next| if next.client.0 == 3 { 2 * COSTLY } else { 6 * COSTLY + 1 };
        let (mut served, mut passed) = (Vec::new(), 0);
        while let Some(next) = schedule.next() {
            if schedule.affords(next, cost(next)) {
                served.push(next.client.0);
                schedule.done(next.flow);
            } else {
                passed += 1;
            }
        }
        assert_eq!((served.as_slice(), passed), (&[3, 1, 2][..], 7));
    }

    #[test]
    fn flows_that_save_up_for_a_costly_step_hold_nobody_up() {
        let costly = 1000 * QUANTUM as usize;
        let (mut schedule, mut left) = schedule(&[(1, 100), (2, 1), (3, 1)]);
        serve(&mut schedule, &mut left, 3, COSTLY); // they are heavy
        for n in 4..400 {
            // Little by little, the heavy ones are owed much.
            schedule.push(client(n), ClientId(n));
            left.insert(n, 1);
            let mut passed = 0;
            loop {
                let next = schedule.next().unwrap();
                let cost = if next.client.0 < 4 { costly } else { 0 };
                if schedule.affords(next, cost) {
                    assert_eq!(next.client.0, n, "nobody has saved up enough yet");
                    schedule.charge(next.flow, 0);
                    schedule.done(next.flow);
                    break;
                }
                passed += 1;
            }
            assert!(passed <= 3, "{n} waits for {passed} turns of others");
        }
    }

    #[test]
    fn flows_that_are_always_sparse_do_not_starve_a_heavy_one() {
        let (mut schedule, mut left) = schedule(&[(1, 1000)]);
        serve(&mut schedule, &mut left, 4, COSTLY);
        let mut of_heavy = 0;
        for _ in 0..50 {
            for n in 10..20 {
                if left.insert(n, 1).is_none() {
                    schedule.push(client(n), ClientId(n));
                }
            }
            of_heavy += serve(&mut schedule, &mut left, 10, 0).into_iter().filter(|&client| client == 1).count();
        }
        assert!(of_heavy > 20, "{of_heavy} of 500 steps");
    }

    #[test]
    fn many_connections_from_one_address_are_one_flow() {
        let mut schedule = Schedule::default();
        let crowd = FlowKey::Network("10.0.0.1".parse().unwrap());
        let mut left = HashMap::new();
        for n in 1..=100 {
            schedule.push(crowd, ClientId(n));
            left.insert(n, 100);
        }
        schedule.push(client(200), ClientId(200));
        left.insert(200, 100);
        let served = serve(&mut schedule, &mut left, 100, COSTLY);
        let mut others = served;
        others.retain(|&client| client != 200);
        let share = 100 - others.len();
        assert!((40..=60).contains(&share), "{share} of 100 against a hundred connections");
        others.sort_unstable();
        others.dedup();
        assert!(others.len() > 20, "the connections of one address take turns: {others:?}");
    }

    #[test]
    fn a_flow_that_has_nothing_to_do_is_gone() {
        let (mut schedule, mut left) = schedule(&[(1, 1), (2, 0)]);
        assert!(!schedule.is_empty());
        assert_eq!(serve(&mut schedule, &mut left, 9, 0), [1]);
        assert!(schedule.is_empty() && schedule.flows.is_empty() && schedule.by_key.is_empty());
    }
}
