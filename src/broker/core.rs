//! All that the broker owns but the chat, and what goes into the chat: whose step is next. Knows no rules and no clock.

use std::{collections::VecDeque, mem, rc::Rc, sync::Arc, time::Duration};

use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Outbox, Request,
    broken::BrokenBacklog,
    client::{Client, Stage},
    cost::cost,
    limits::SlowReaders,
    memory::{Level, Memory},
    rate_limit::AddressRates,
    schedule::{FlowId, FlowKey, Next, Schedule},
    turn::{Listener, Turn},
};
use crate::{
    Config,
    address::Network,
    chat::{Chat, ClientId, Departure, Entry, Input, Load},
    protocol::{Batch, Dialect, Format, Step},
};

/// How long a wait may be overdue while clients have something to do: what they have sent by then may still meet it.
const OVERDUE_MAX: Duration = Duration::from_secs(1);
/// Steps without an entry for the chat, or turns that flows let pass, after which others' lines are looked for: some tens of
/// microseconds of work.
const STEPS_MAX: usize = 1024;

/// All that the broker owns but the chat. It schedules what goes into the chat ([`Self::next_entry`]) and does what comes
/// out ([`Self::apply`]); [`Self::flush`] ends a turn.
#[derive(Debug)]
pub struct Broker {
    pub(super) config: Config,
    pub(super) memory: Arc<Memory>,
    /// Of every member of the chat, and of those who just arrive.
    pub(super) clients: FxHashMap<ClientId, Box<Client>>,
    /// Those who have left in this turn: dropped when they have what it had for them.
    pub(super) leaving: Vec<(Outbox, Listener)>,
    /// Clients in `clients` that are told public events.
    pub(super) members: FxHashSet<ClientId>,
    pub(super) turn: Turn,
    pub(super) schedule: Schedule,
    /// The command that the chat is at.
    pub(super) current: Option<Current>,
    pub(super) rates: AddressRates,
    pub(super) backlog: Rc<BrokenBacklog>,
    /// Clients that this turn has something for alone.
    pub(super) addressed: Vec<ClientId>,
    /// Clients whose batch was done in this turn.
    pub(super) done: Vec<ClientId>,
    /// Clients that are behind with what waits for them alone.
    pub(super) behind: FxHashSet<ClientId>,
    pub(super) slow: SlowReaders,
    /// The last turn chose somebody to disconnect since memory had run out.
    pub(super) makes_room: bool,
    /// Input for the chat that comes before all others.
    pub(super) urgent: VecDeque<Input>,
    /// A client has left.
    pub(super) has_departed: bool,
    /// The chat knows that memory is tight.
    pub(super) is_tight: bool,
    /// The last entry was for the chat's own work.
    pub(super) has_continued: bool,
}

/// A command in the hands of the chat.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) client: ClientId,
    pub(super) flow: FlowId,
    /// What the turn had delivered before it.
    pub(super) delivered: usize,
    /// The chat has done with it.
    pub(super) is_done: bool,
}

impl Broker {
    /// A broker without clients.
    #[must_use]
    pub fn new(config: Config, memory: Arc<Memory>, backlog: Rc<BrokenBacklog>) -> Self {
        Self {
            config,
            memory,
            clients: FxHashMap::default(),
            leaving: Vec::new(),
            members: FxHashSet::default(),
            turn: Turn::new(),
            schedule: Schedule::default(),
            current: None,
            rates: AddressRates::default(),
            backlog,
            addressed: Vec::new(),
            done: Vec::new(),
            behind: FxHashSet::default(),
            slow: SlowReaders::default(),
            makes_room: false,
            urgent: VecDeque::new(),
            has_departed: false,
            is_tight: false,
            has_continued: false,
        }
    }

    /// Takes a request, to be served in its turn.
    pub fn accept(&mut self, request: Request, now: Duration) {
        match request {
            Request::Connect(client, addr, outbox) => {
                log::debug!("{client} {addr} connected");
                let listener = Listener::new(Dialect { format: Format::Text, lang: self.config.lang });
                self.clients
                    .insert(client, Box::new(Client::new(addr, self.config.trusts(addr.ip()), outbox, listener)));
            }
            Request::Batch(id, batch) => self.push(id, batch, now),
            Request::Broken(id, batch, taken) => {
                let Some(client) = self.clients.get_mut(&id) else { return };
                client.outbox.close();
                self.turn.leave(&mut client.listener);
                self.members.remove(&id);
                client.is_queued = false; // it will be, at another's expense
                client.stage = Stage::Broken(Box::new(taken));
                self.push(id, batch, now);
            }
            Request::Relieved(id) => self.measure(id),
            Request::ShutDown => self.urgent.push_back(Input::ShutDown),
        }
    }

    fn push(&mut self, id: ClientId, batch: Batch, now: Duration) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if batch.lines > 0 && !mem::replace(&mut client.has_spoken, true) {
            log::info!("{id} {} arrived", client.addr);
        }
        let not_before = self.rates.spend(client.addr.ip(), &self.config, batch.lines, now);
        client.push(batch, self.config.limits.rate, not_before, &self.memory, now);
        if !mem::replace(&mut client.is_queued, true) {
            self.schedule.push(flow_key(id, client), id);
        }
    }

    /// Whether a turn has something to do at once.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.urgent.is_empty() || !self.schedule.is_empty() || !self.turn.is_empty() || !self.leaving.is_empty()
    }

    /// Whether a client has left since this was asked.
    pub(super) fn take_departed(&mut self) -> bool {
        mem::take(&mut self.has_departed)
    }

    /// Whether memory was tight when the turn began.
    #[must_use]
    pub fn is_tight(&self) -> bool {
        self.is_tight
    }

    /// When a slow reader's time is over, though no request comes.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        self.slow.deadline()
    }

    /// A turn begins, at this time of the calendar.
    pub fn begin_turn(&mut self, at: Timestamp) {
        self.turn.begin(at);
        self.has_continued = false;
        let is_tight = self.memory.level() >= Level::Tight;
        if mem::replace(&mut self.is_tight, is_tight) != is_tight {
            self.urgent.push_back(Input::Tight(is_tight));
        }
    }

    /// The next entry for the chat in this turn, if there is one and the turn is not full. What needs no chat is done on
    /// the way.
    pub fn next_entry(&mut self, now: Duration, chat: &Chat) -> Option<Entry> {
        if let Some(input) = self.urgent.pop_front() {
            return Some(Entry { now, input });
        }
        // The chat's own work and that of clients take turns. A wait that is overdue may still be met by what clients have
        // sent by now.
        let due = chat.deadline();
        let must_continue = due.is_some_and(|due| due.is_zero() || due + OVERDUE_MAX <= now);
        let mut steps = 0;
        while !self.turn.is_full() && steps < STEPS_MAX {
            steps += 1;
            if must_continue && !self.has_continued {
                break;
            }
            let Some(next) = self.schedule.next() else { break };
            if let Some(input) = self.step(next) {
                self.has_continued = false;
                let is_done = !matches!(input, Input::Command(..));
                let delivered = self.turn.delivered_bytes();
                self.current = Some(Current { client: next.client, flow: next.flow, delivered, is_done });
                return Some(Entry { now, input });
            }
        }
        if self.turn.is_full() || due.is_none_or(|due| due > now) {
            return None;
        }
        self.has_continued = true;
        Some(Entry { now, input: Input::Continue })
    }

    /// Does the next step of a client. Answers it if it is for the chat; takes the client out of the queue if there is none.
    fn step(&mut self, next: Next) -> Option<Input> {
        let id = next.client;
        let Some(client) = self.clients.get_mut(&id).filter(|client| flow_key(id, client) == next.key) else {
            self.schedule.done(next.flow);
            return None;
        };
        let delivered = self.turn.delivered_bytes();
        if !self.schedule.affords(next, client.next_text_bytes() * self.members.len()) {
            return None;
        }
        let is_heavy = next.is_heavy || client.has_sent_much();
        match client.next_step() {
            Some(Step::Arrive) if client.is_probe() => {
                self.remove(id, Departure::Left);
                return None;
            }
            Some(Step::Arrive) => {
                if !matches!(client.stage, Stage::Broken(_)) {
                    self.turn.listen(&mut client.listener);
                    self.members.insert(id);
                }
                return Some(Input::Arrive(id, client.addr));
            }
            Some(Step::Command(command)) => {
                self.schedule.charge(next.flow, cost(&command));
                let load = if is_heavy { Load::Heavy } else { Load::Light };
                return Some(Input::Command(id, load, command));
            }
            Some(Step::Broken) => return Some(Input::Broken(id)),
            Some(Step::Eof) => return Some(Input::Eof(id)),
            Some(Step::Close(departure)) => {
                if departure == Departure::WriteTimeout {
                    client.outbox.cut();
                }
                return Some(Input::End(id, departure));
            }
            Some(Step::Reply(reply)) => {
                if client.listener.private_bytes() == 0 {
                    self.addressed.push(id);
                }
                self.turn.reply(&mut client.listener, &reply);
            }
            Some(Step::Speak(dialect)) => self.turn.speak(&mut client.listener, dialect),
            None => {
                self.schedule.done(next.flow);
                client.is_queued = false;
                if matches!(client.stage, Stage::Arriving) {
                    client.stage = Stage::Present; // from now on it pays for itself
                }
                self.done.push(id);
                return None;
            }
        }
        self.schedule.charge(next.flow, self.turn.delivered_bytes() - delivered);
        None
    }
}

/// Who pays for what a client holds: its address; a trusted one, each connection for itself.
pub(super) fn payer(id: ClientId, client: &Client) -> FlowKey {
    if client.is_trusted { FlowKey::Client(id) } else { FlowKey::Network(Network::of(client.addr.ip())) }
}

/// Who pays for the next step of a client.
pub(super) fn flow_key(id: ClientId, client: &Client) -> FlowKey {
    match &client.stage {
        Stage::Arriving => FlowKey::Arrivals,
        Stage::Present => payer(id, client),
        Stage::Broken(_) => FlowKey::Broken,
    }
}
