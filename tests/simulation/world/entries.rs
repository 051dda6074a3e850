//! What goes into the chat: the model has to make the same of it.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use pipechat::chat::{ClientId, Departure, Done, Entry, Event, Input, Output, Position, Public, Record, Refusal};

use super::{POSITIONS_MAX, World};
use crate::{account::Account, peer::Peer};

impl World {
    /// Puts an entry to the chat and to the model, compares what they make of it, and has the broker do it.
    pub(super) fn handle(&mut self, entry: Entry) {
        writeln!(self.transcript, "input: {:?}", entry.input).expect("a String takes all");
        match &entry.input {
            Input::Arrive(client, _)
            | Input::Visit(client, _)
            | Input::Command(client, _, _)
            | Input::Congested(client, _)
            | Input::Eof(client)
            | Input::Broken(client)
            | Input::End(client, _) => {
                let is_cut = matches!(entry.input, Input::End(_, Departure::SlowConsumer));
                assert!(!is_cut || self.slow.may_be_cut(*client), "{client} is not slow, and there is room");
                if let Some(peer) = self.peers.get_mut(client) {
                    peer.account.input(&entry.input);
                }
            }
            Input::ShutDown => self.peers.values_mut().for_each(|peer| peer.account.closing()),
            Input::Verified(..) | Input::Accounts(_) | Input::Bans(_) | Input::Trusted(_) => {}
            Input::Shrink(_) | Input::Answered(..) | Input::StoreDown | Input::StoreUp | Input::Continue => {}
        }
        let mut known = self.model.past().len();
        let expected = self.model.handle(&entry);
        let (what, mut out) = (entry.clone(), Vec::new());
        self.chat.handle(entry, &mut out);
        assert_eq!(out, expected, "{what:?}");
        for output in &out {
            if let Output::Publish(Public { position: Some(Position { n, .. }), .. }) | Output::Keep(Record { n, .. }) =
                output
            {
                assert!(*n > self.last_number, "the number {n} is given out again");
                self.last_number = *n;
                self.storing.iter_mut().for_each(|storing| storing.published(*n));
                known = self.model.past().partition_point(|past| past.n <= *n);
            }
            self.note(output, what.at, known);
        }
        self.broker.apply(&mut out);
        for note in self.model.take_notes() {
            writeln!(self.transcript, "\t{note}").expect("a String takes all");
        }
        assert!(self.chat.members().eq(self.model.members()));
        for room in self.model.rooms() {
            assert!(self.chat.members_of(room.id).eq(room.members.iter().copied()), "in {}", room.name);
        }
        assert_eq!(self.chat.deadline(), self.model.deadline());
        assert_eq!(self.chat.recent_bytes(), self.model.recent_bytes());
    }

    /// Writes an output into the accounts of those it is about. So many kept events had happened by then.
    fn note(&mut self, output: &Output, at: Timestamp, known: usize) {
        writeln!(self.transcript, "\t{output:?}").expect("a String takes all");
        self.remember(output);
        let past = &self.model.past()[..known];
        match *output {
            Output::Publish(ref public) => {
                let mut told = 0;
                for peer in self.peers.values_mut() {
                    let is_answered = public.except == Some(peer.client);
                    told += usize::from(peer.account.publish(public, is_answered, at, past));
                }
                let is_deferred = |peer: &&Peer| peer.account.deferred == Some(public.room);
                let told_later = self.peers.values().filter(is_deferred).count();
                assert_eq!(told + told_later, public.members, "{public:?}");
            }
            Output::Tell(client, ref event) => account(&mut self.peers, client).tell(event, past),
            Output::Join(client, room) => account(&mut self.peers, client).join(room, past),
            Output::Part(client, room) => account(&mut self.peers, client).part(room),
            Output::Ready(client) => account(&mut self.peers, client).ready(),
            Output::Ask(..) | Output::Keep(_) | Output::Remember { .. } | Output::Forget(_) => {}
            Output::Account(_) | Output::Order(_) | Output::ShutDown | Output::Verify(..) => {}
            Output::HangUp(client, departure) => account(&mut self.peers, client).hang_up(departure),
        }
    }

    /// Clients know positions that they were told.
    fn remember(&mut self, output: &Output) {
        let position = match output {
            Output::Publish(public) => public.position,
            Output::Tell(_, Event::Past(record, epoch)) => Some(Position { n: record.n, epoch: *epoch }),
            Output::Tell(
                _,
                Event::Done(Done::Join { position, .. } | Done::History { position, .. })
                | Event::Declined(_, Refusal::HistoryGone { oldest: position, .. }),
            ) => *position,
            Output::Tell(..) | Output::Join(..) | Output::Part(..) | Output::Ready(_) | Output::HangUp(..) => None,
            Output::Ask(..) | Output::Keep(_) | Output::Remember { .. } | Output::Forget(_) => None,
            Output::Account(_) | Output::Order(_) | Output::ShutDown | Output::Verify(..) => None,
        };
        self.positions.extend(position);
        if self.positions.len() > POSITIONS_MAX {
            let forgotten = self.rng.below(POSITIONS_MAX);
            self.positions.remove(forgotten);
        }
    }
}

fn account(peers: &mut BTreeMap<ClientId, Peer>, client: ClientId) -> &mut Account {
    &mut peers.get_mut(&client).expect("who is told or hung up on has a connection").account
}
