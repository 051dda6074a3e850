//! What goes into the chat next: whose step it is, and what needs no chat. Knows no rules and no clock.

use std::{mem, sync::Arc, time::Duration};

use super::{
    client::Stage,
    core::{Broker, Current, flow_key},
    schedule::Next,
};
use crate::{
    chat::{Chat, ClientId, Departure, Entry, Event, Input, Load},
    origin::Origin,
    protocol::{Refused, Reply, Step, escape::escaped},
    store::BATCH_CHANGES_MAX,
};

/// How long a wait may be overdue while clients have something to do: what they have sent by then may still meet it.
const OVERDUE_MAX: Duration = Duration::from_secs(1);
/// Changes to be kept in one turn, after which no further step is begun. By one entry, at most as many clients leave as are in
/// 64 rooms, of each kind: whose waits time out, who have what they waited for, who are banned, and all at the end. The last
/// of each may be in a hundred rooms more, unless `--max-rooms-per-client` says otherwise.
const CHANGES_MAX: usize = BATCH_CHANGES_MAX / 2;
/// Steps without an entry for the chat, or turns that flows let pass, after which others' lines are looked for: some tens of
/// microseconds of work.
const STEPS_MAX: usize = 1024;

impl Broker {
    /// The next entry for the chat in this turn, if there is one and the turn is not full. What needs no chat is done on
    /// the way.
    pub fn next_entry(&mut self, now: Duration, chat: &Chat) -> Option<Entry> {
        if let Some(input) = self.urgent.pop_front() {
            return Some(self.entry(now, input));
        }
        // The chat's own work and clients' steps take turns, and each as much as it delivers: a page of a long answer is worth
        // hundreds of lines. A wait that is overdue may still be met by what clients have sent by now.
        let due = chat.deadline();
        let is_pressing = due.is_some_and(|due| due.is_zero() || due + OVERDUE_MAX <= now);
        let mut steps = 0;
        while !self.is_full() && steps < STEPS_MAX {
            steps += 1;
            if (is_pressing || !self.answers.is_empty()) && self.owed_to_clients == 0 {
                break;
            }
            let Some(next) = self.schedule.next() else { break };
            if let Some((input, work)) = self.step(next, chat) {
                let is_done = !matches!(input, Input::Arrive(..) | Input::Visit(..) | Input::Command(..));
                let delivered = self.turn.delivered_bytes();
                self.current = Some(Current { client: next.client, flow: next.flow, delivered, work, is_done });
                return Some(self.entry(now, input));
            }
        }
        if self.is_full() {
            return None;
        }
        // What the store has answered and what the chat has left to do take turns, too.
        let answer = if is_pressing && self.was_answer { None } else { self.answers.pop_front() };
        self.was_answer = answer.is_some();
        let input = answer.or_else(|| due.is_some_and(|due| due <= now).then_some(Input::Continue))?;
        self.continued_at = Some(self.turn.delivered_bytes());
        Some(self.entry(now, input))
    }

    /// Whether no further step is to be begun in this turn.
    fn is_full(&self) -> bool {
        self.turn.is_full() || self.changes.len() >= CHANGES_MAX
    }

    fn entry(&self, now: Duration, input: Input) -> Entry {
        Entry { now, at: self.turn.at(), input }
    }

    /// Does the next step of a client. Answers it if it is for the chat, with what it costs beside what is delivered for it;
    /// takes the client out of the queue if there is none.
    fn step(&mut self, next: Next, chat: &Chat) -> Option<(Input, usize)> {
        let id = next.client;
        let Some(client) = self.clients.get_mut(&id).filter(|client| flow_key(id, client) == next.key) else {
            self.schedule.done(next.flow);
            return None;
        };
        let delivered = self.turn.delivered_bytes();
        let cost = client.next_cost(|command| chat.audience(id, command));
        if !self.schedule.affords(next, cost.total()) {
            return None;
        }
        let is_heavy = next.is_heavy || client.has_sent_much();
        match client.next_step() {
            Some(Step::Arrive) => {
                client.has_arrived = true;
                log::info!("{id} {} arrived", client.origin.addr);
                let origin = client.origin.clone();
                self.note_account(&origin, chat);
                return Some((Input::Arrive(id, origin), 0));
            }
            Some(Step::Visit) => {
                if !mem::replace(&mut client.has_arrived, true) || !client.listener.is_apart() {
                    log::info!("{} visits", client.log_name(id));
                }
                let origin = client.origin.clone();
                self.note_account(&origin, chat);
                return Some((Input::Visit(id, origin), 0));
            }
            Some(Step::Command(command)) => {
                let load = if is_heavy { Load::Heavy } else { Load::Light };
                return Some((Input::Command(id, load, command), cost.work));
            }
            Some(Step::Broken) => return Some((Input::Broken(id), 0)),
            Some(Step::Eof) => return Some((Input::Eof(id), 0)),
            Some(Step::Close(departure)) if !client.has_arrived => {
                // The others never hear of it, and the chat neither.
                if departure.is_told() {
                    self.turn.tell(&mut client.listener, &Event::Farewell(departure));
                }
                self.remove(id, departure);
                return None;
            }
            Some(Step::Close(departure)) => {
                if departure == Departure::WriteTimeout {
                    client.outbox.cut();
                }
                return Some((Input::End(id, departure), 0));
            }
            Some(Step::Reply(reply)) => {
                if let Reply::Refused(error) = reply {
                    client.note_refusal(error.code(), || Refused::Form(error));
                    self.metrics.refused(error.code());
                }
                self.reply(id, &reply);
            }
            Some(Step::Check(token)) => {
                let refused = client.refused.take();
                self.reply(id, &Reply::Checked { token, refused });
                if refused.is_some() {
                    return Some((Input::End(id, Departure::CheckFailed), 0));
                }
            }
            Some(Step::Speak(dialect)) => {
                self.addressed.push(id); // its place in this turn's bytes means nothing in the next
                self.turn.speak(&mut client.listener, dialect);
                return None; // free, so that it is confirmed before another flow's turn
            }
            Some(Step::Request { stops_at_refusal }) => {
                client.begin_request(stops_at_refusal);
                return None; // free, as what follows is not
            }
            None => {
                self.schedule.done(next.flow);
                client.is_queued = false;
                if matches!(client.stage, Stage::Arriving | Stage::Passing) {
                    client.stage = Stage::Present; // from now on it pays for itself
                }
                self.done.push(id);
                return None;
            }
        }
        self.schedule.charge(next.flow, self.turn.delivered_bytes() - delivered);
        None
    }

    /// Says once that there is no such account as an operator has given to a user of this machine.
    fn note_account(&mut self, origin: &Origin, chat: &Chat) {
        let Some(account) = &origin.account else { return };
        if chat.has_account(account) {
            self.missing.remove(account);
        } else if self.missing.insert(Arc::clone(account)) {
            log::warn!("--peer: there is no account {}: who is to be it is nobody in particular", escaped(account));
        }
    }

    fn reply(&mut self, id: ClientId, reply: &Reply) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.listener.private_bytes() == 0 {
            self.addressed.push(id);
        }
        self.turn.reply(&mut client.listener, reply);
    }
}
