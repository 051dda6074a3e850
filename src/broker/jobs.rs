//! What waits to be verified: one payer's after another's, so that who asks for much waits for itself. Knows no threads.

use rustc_hash::FxHashMap;

use super::{by_payer::ByPayer, schedule::FlowKey};
use crate::chat::{ClientId, Job, Ticket};

/// The jobs of clients that are here. A client has one at most, so that they are bounded as clients are.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    waiting: ByPayer<Asked>,
    /// Mirrors `waiting`: where the job of a client is.
    clients: FxHashMap<ClientId, (FlowKey, u64)>,
}

/// A job, and whose it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) client: ClientId,
    pub(super) ticket: Ticket,
    pub(super) job: Job,
}

impl Jobs {
    /// Adds the job of a client, instead of the one that waits for it if there is one.
    pub(super) fn push(&mut self, payer: FlowKey, client: ClientId, ticket: Ticket, job: Job) {
        self.remove(client);
        let number = self.waiting.push(payer, Asked { client, ticket, job });
        self.clients.insert(client, (payer, number));
    }

    /// The client is gone, or wants nothing any more.
    pub(super) fn remove(&mut self, client: ClientId) {
        if let Some((payer, number)) = self.clients.remove(&client) {
            self.waiting.remove(payer, number);
        }
    }

    /// Takes the next one.
    pub(super) fn next(&mut self) -> Option<Asked> {
        let asked = self.waiting.next()?;
        self.clients.remove(&asked.client);
        Some(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Network;

    fn network(last: u8) -> FlowKey {
        FlowKey::Network(Network::of(crate::origin::Addr::Ip(([10, 0, 0, last], 1).into())))
    }

    /// Each client of these has asked, with its number as its ticket, at the expense of these networks.
    fn asked(all: &[(u8, u64)]) -> Jobs {
        let mut jobs = Jobs::default();
        for &(payer, client) in all {
            jobs.push(network(payer), ClientId(client), Ticket(client), Job::MakeToken);
        }
        jobs
    }

    fn served(jobs: &mut Jobs) -> Vec<u64> {
        std::iter::from_fn(|| jobs.next()).map(|asked| asked.client.0).collect()
    }

    #[test]
    fn payers_take_turns_whatever_each_asks_for() {
        let mut jobs = asked(&[(1, 11), (1, 12), (1, 13), (2, 21), (2, 22), (3, 31)]);
        assert_eq!(served(&mut jobs), [11, 21, 31, 12, 22, 13]);
        jobs = asked(&[(1, 11), (1, 12), (1, 13)]);
        assert_eq!(jobs.next().map(|asked| asked.client), Some(ClientId(11)));
        jobs.push(network(2), ClientId(21), Ticket(0), Job::MakeToken);
        jobs.push(network(1), ClientId(11), Ticket(0), Job::MakeToken);
        assert_eq!(served(&mut jobs), [12, 21, 13, 11]);
    }

    #[test]
    fn who_is_gone_keeps_nobody_waiting() {
        let mut jobs = asked(&[(1, 11), (1, 12), (2, 21), (3, 31)]);
        [12, 21].into_iter().for_each(|client| jobs.remove(ClientId(client)));
        jobs.push(network(2), ClientId(22), Ticket(0), Job::MakeToken);
        assert_eq!(served(&mut jobs), [11, 22, 31]);
        for client in 0..1000 {
            jobs.push(network(1), ClientId(client), Ticket(0), Job::MakeToken);
            jobs.remove(ClientId(client));
        }
        assert_eq!(jobs.waiting.turns(), 1);
        assert_eq!(served(&mut jobs), [0; 0]);
        assert!(jobs.waiting.turns() == 0 && jobs.clients.is_empty());
    }

    #[test]
    fn a_client_has_one_job() {
        let mut jobs = asked(&[(1, 11), (2, 21)]);
        jobs.push(network(1), ClientId(11), Ticket(7), Job::MakeToken);
        let next = jobs.next().unwrap();
        assert_eq!((next.client, next.ticket), (ClientId(11), Ticket(7)));
        assert_eq!(served(&mut jobs), [21]);
    }
}
