//! What comes out of the chat: events are rendered, clients go on or are hung up on. Knows no rules.

use std::{mem, sync::Arc};

use log::Level as LogLevel;

use super::{
    ACTS_TARGET,
    client::Client,
    core::{Broker, Current, Leaving, flow_key, payer},
    schedule::STEP_COST,
};
use crate::{
    chat::{
        AccountDone, AccountRefusal, Asked, ClientId, Congestion, Deed, Departure, Done, Event, Input, OrderChange,
        Output, Position, Public, Record, Refusal,
    },
    protocol::{Refused, escape::escaped},
    store::Change,
};

/// The target of renames in the log: a flood of them must not be taken for departures, and leave those out.
const RENAMES: &str = "pipechat::broker::renames";

/// The target of what is done with accounts in the log.
const ACCOUNTS: &str = "pipechat::broker::accounts";
/// The target of acts of rooms' owners in the log. Anybody may be one.
const OWNERS: &str = "pipechat::broker::owners";

/// Logs what was done to keep order.
fn log_deed(Deed { at: _, who, is_operators, act, whom, room, reason }: &Deed) {
    let field = |name: &str, text: Option<&str>| match text {
        Some(text) if !text.is_empty() => format!(" {name} {}", escaped(text)),
        Some(_) | None => String::new(),
    };
    let (whom, room, reason) =
        (field("whom", whom.as_deref()), field("room", room.as_deref()), field("reason", Some(reason)));
    let target = if *is_operators { ACTS_TARGET } else { OWNERS };
    log::info!(target: target, "{} by {}{whom}{room}{reason}", act.word(), escaped(who));
}

impl Broker {
    /// Does what follows from the rules.
    pub fn apply(&mut self, out: &mut Vec<Output>) {
        for output in out.drain(..) {
            match output {
                Output::Ask(id, query) => self.questions.push((id, query)),
                Output::Remember { room, topic, keeper } => {
                    self.changes.push(Change::Remember { room, topic, keeper });
                }
                Output::Order(change) => {
                    if let OrderChange::Act(deed) = &change {
                        log_deed(deed);
                    }
                    self.changes.push(Change::Order(change));
                }
                Output::ShutDown => self.ask_to_end(),
                Output::Account(change) => self.changes.push(Change::Account(change)),
                Output::Keep(record) => self.changes.push(Change::Event(record)),
                Output::Verify(id, ticket, job) => {
                    if let Some(client) = self.clients.get(&id) {
                        self.jobs.push(payer(id, client), id, ticket, job);
                    }
                }
                Output::Forget(room) => self.changes.push(Change::Forget(room)),
                Output::Publish(public) => self.publish(&public),
                Output::Join(id, room) => {
                    if let Some(client) = self.clients.get_mut(&id).filter(|client| client.can_be_told()) {
                        self.addressed.push(id);
                        self.turn.enter(&mut client.listener, room);
                    }
                }
                Output::Part(id, room) => {
                    if let Some(client) = self.clients.get_mut(&id) {
                        self.addressed.push(id);
                        self.turn.exit(&mut client.listener, room);
                    }
                }
                Output::Tell(id, event) => {
                    if let Some(client) = self.clients.get_mut(&id) {
                        if let Event::Renamed { new, .. } = &event {
                            log::info!(target: RENAMES, "{} is now {}", client.log_name(id), escaped(&new.name));
                            client.who = Some(Arc::clone(new));
                        }
                        if client.listener.private_bytes() == 0 {
                            self.addressed.push(id);
                        }
                        if let Some(act) = act_of_account(&event) {
                            log::info!(target: ACCOUNTS, "{} {act}", client.log_name(id));
                        }
                        if let Event::Done(Done::Account(AccountDone::Kept(_))) = &event {
                            client.note_kept();
                        }
                        if let Event::Refused(refusal) | Event::Declined(_, refusal) = &event {
                            client.note_refusal(refusal.code(), || Refused::Chat(refusal.clone()));
                            self.metrics.refused(refusal.code());
                        }
                        self.turn.tell(&mut client.listener, &event);
                        if client.measure_congestion(self.is_tight) > client.congestion {
                            self.measure(id);
                        }
                    }
                }
                Output::Ready(id) => match &mut self.current {
                    Some(current) if current.client == id => current.is_done = true,
                    Some(_) | None => self.go_on(id),
                },
                Output::HangUp(id, departure) => self.remove(id, departure),
            }
        }
        if let Some(delivered) = self.continued_at.take() {
            self.owed_to_clients = (self.turn.delivered_bytes() - delivered).max(1); // at least one step
        }
        if let Some(Current { client, flow, delivered, work, is_done }) = self.current.take() {
            let cost = work + self.turn.delivered_bytes() - delivered;
            self.owed_to_clients = self.owed_to_clients.saturating_sub(cost + STEP_COST);
            self.schedule.charge(flow, cost);
            if !is_done && let Some(client) = self.clients.get_mut(&client) {
                client.is_busy = true;
            }
        }
    }

    fn publish(&mut self, public: &Public) {
        if self.config.store.is_some()
            && let Some(Position { n, .. }) = public.position
        {
            let (room, event) = (Arc::clone(&public.name), Arc::clone(&public.event));
            self.changes.push(Change::Event(Record { n, at: self.turn.at(), room, event: event.into() }));
        }
        match public.except.and_then(|id| self.clients.get_mut(&id)) {
            Some(client) => {
                self.addressed.extend(public.except);
                self.turn.publish_except(&mut client.listener, public);
            }
            None => self.turn.publish(public),
        }
    }

    /// The chat has done with a command that took long; the client's next steps may come.
    fn go_on(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        client.is_busy = false;
        if !mem::replace(&mut client.is_queued, true) {
            self.schedule.push(flow_key(id, client), id);
        }
    }

    /// The client gets what this turn has for it so far, and nothing after that.
    pub(super) fn remove(&mut self, id: ClientId, departure: Departure) {
        let Some(client) = self.clients.remove(&id) else { return };
        let payer = payer(id, &client);
        self.has_departed = true;
        self.metrics.departed(departure);
        let name = client.log_name(id);
        let Client { outbox, mut listener, has_arrived, .. } = *client;
        let level = if has_arrived { LogLevel::Info } else { LogLevel::Debug };
        log::log!(level, "{name} departed: {}", departure.code());
        self.slow.remove(id);
        self.jobs.remove(id);
        self.turn.leave(&mut listener);
        if departure != Departure::Lost {
            self.leaving.push(Leaving { client: id, payer, outbox, listener, departure });
        }
    }

    /// Tells the chat how far a client is behind with what waits for it alone, where that has changed.
    pub(super) fn measure(&mut self, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        let congestion = client.measure_congestion(self.is_tight);
        let before = mem::replace(&mut client.congestion, congestion);
        client.want_relief(self.is_tight);
        if congestion != before {
            self.urgent.push_back(Input::Congested(id, congestion));
        }
        if congestion != Congestion::None {
            self.behind.insert(id);
        }
    }
}

/// What the log says of what was done with an account, or tried.
fn act_of_account(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Done(Done::Account(done)) => match done {
            AccountDone::Register(_) => "has registered",
            AccountDone::Login { .. } => "has logged in",
            AccountDone::Password(_) => "has another password",
            AccountDone::Unregister(_) => "has unregistered",
            AccountDone::Token { .. } => "has a new token",
            AccountDone::Revoke(_) => "has revoked a token",
            AccountDone::Tokens(_) | AccountDone::Kept(_) => return None,
        },
        Event::Declined(Asked::Login | Asked::Password | Asked::Unregister, Refusal::Account(refusal)) => match refusal
        {
            AccountRefusal::LoginFailed => "has given a wrong password or token",
            AccountRefusal::TryLater(_) => "has tried too often",
            _ => return None,
        },
        _ => return None,
    })
}
