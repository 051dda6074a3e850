//! All that the broker owns but the chat. Knows no rules and no clock.

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::channel::oneshot;
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Outbox,
    arrivals::Arrivals,
    broken::BrokenBacklog,
    client::{Client, Stage},
    departed::Departed,
    jobs::Jobs,
    limits::SlowReaders,
    memory::{Level, Memory},
    metrics::Metrics,
    rate_limit::AddressRates,
    schedule::{FlowId, FlowKey, Schedule},
    turn::{Listener, Turn},
};
use crate::{
    Config,
    address::Network,
    chat::{ClientId, Departure, Input, Query},
    store::Change,
};

/// Bytes of recent events that are given back at least where memory is tight, so that this comes to an end.
const SHRINK_BYTES_MIN: usize = 64 << 10;
/// One part in so many of what recent events may take is theirs, however tight memory is.
const RECENT_KEPT: usize = 4;

/// All that the broker owns but the chat. It schedules what goes into the chat ([`Self::next_entry`]) and does what comes
/// out ([`Self::apply`]); [`Self::flush`] ends a turn.
#[derive(Debug)]
pub struct Broker {
    pub(super) config: Config,
    pub(super) memory: Arc<Memory>,
    pub(crate) metrics: Rc<Metrics>,
    /// Of every member of the chat, and of those who just arrive.
    pub(super) clients: FxHashMap<ClientId, Box<Client>>,
    /// Those who have left in this turn: dropped when they have what it had for them.
    pub(super) leaving: Vec<Leaving>,
    pub(super) departed: Rc<Departed>,
    pub(super) turn: Turn,
    pub(super) schedule: Schedule,
    pub(super) arrivals: Arrivals,
    /// The step that the chat is at.
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
    /// What the store has answered. Each page is worth hundreds of lines, so they take turns with clients' steps.
    pub(super) answers: VecDeque<Input>,
    /// The last entry for the chat's own work was one of `answers`.
    pub(super) was_answer: bool,
    /// A client has left.
    pub(super) has_departed: bool,
    /// Memory was tight when the turn began.
    pub(super) is_tight: bool,
    /// What the chat's own work has delivered, in bytes, for which clients' steps have not been worth as much since.
    pub(super) owed_to_clients: usize,
    /// The last entry was for the chat's own work, when the turn had delivered so much.
    pub(super) continued_at: Option<usize>,
    /// How often turns were flushed, modulo 2³².
    pub(super) flushes: u32,
    /// What is to be kept before this turn is told.
    pub(super) changes: Vec<Change>,
    /// What the store is to be asked for clients, when it has kept that.
    pub(super) questions: Vec<(ClientId, Query)>,
    /// What is to be verified for clients.
    pub(super) jobs: Jobs,
    /// Where to ask for the server's end, until that was done.
    stop: Option<oneshot::Sender<()>>,
    /// Accounts that users of this machine were to be and that were not there, as the log says once.
    pub(super) missing: BTreeSet<Arc<str>>,
    /// The bans in the store are to be read again.
    pub(super) rereads_bans: bool,
    /// Bytes of recent events that are charged to the memory account.
    recent: usize,
}

/// A step in the hands of the chat.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) client: ClientId,
    pub(super) flow: FlowId,
    /// What the turn had delivered before it.
    pub(super) delivered: usize,
    /// What it costs beside what is delivered for it.
    pub(super) work: usize,
    /// The chat has done with it.
    pub(super) is_done: bool,
}

/// A client that has left in this turn.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) client: ClientId,
    pub(super) payer: FlowKey,
    pub(super) outbox: Outbox,
    pub(super) listener: Listener,
    pub(super) departure: Departure,
}

impl Broker {
    /// A broker without clients.
    #[must_use]
    pub fn new(config: Config, memory: Arc<Memory>, backlog: Rc<BrokenBacklog>, departed: Rc<Departed>) -> Self {
        Self {
            config,
            metrics: Rc::new(Metrics::new(Arc::clone(&memory))),
            memory,
            clients: FxHashMap::default(),
            leaving: Vec::new(),
            departed,
            turn: Turn::new(),
            schedule: Schedule::default(),
            arrivals: Arrivals::default(),
            current: None,
            rates: AddressRates::default(),
            backlog,
            addressed: Vec::new(),
            done: Vec::new(),
            behind: FxHashSet::default(),
            slow: SlowReaders::default(),
            makes_room: false,
            urgent: VecDeque::new(),
            answers: VecDeque::new(),
            was_answer: false,
            has_departed: false,
            is_tight: false,
            owed_to_clients: 0,
            continued_at: None,
            flushes: 0,
            changes: Vec::new(),
            questions: Vec::new(),
            jobs: Jobs::default(),
            stop: None,
            missing: BTreeSet::new(),
            rereads_bans: false,
            recent: 0,
        }
    }

    /// The server ends when this is told.
    pub fn set_stop(&mut self, stop: oneshot::Sender<()>) {
        self.stop = Some(stop);
    }

    /// An operator wants the server to end.
    pub(super) fn ask_to_end(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok(); // else it ends already
        }
    }

    /// Whether a turn has something to do at once.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.urgent.is_empty() || !self.answers.is_empty() || !self.schedule.is_empty() || !self.arrivals.is_empty()
    }

    /// What this turn has for the store: what to keep, and what to answer after that.
    #[must_use]
    pub fn take_changes(&mut self) -> (Vec<Change>, Vec<(ClientId, Query)>) {
        (mem::take(&mut self.changes), mem::take(&mut self.questions))
    }

    /// Who pays for what the store is asked for a client; nobody if it is not here any more.
    pub(super) fn payer(&self, id: ClientId) -> Option<FlowKey> {
        self.clients.get(&id).map(|client| payer(id, client))
    }

    /// The chat is to know this: what the store has answered in its turn, all else before anything that clients ask for. What
    /// somebody else has changed of accounts comes before all: what the chat changes then, it changes in these.
    pub fn tell_chat(&mut self, input: Input) {
        match input {
            Input::Answered(..) => self.answers.push_back(input),
            Input::Accounts(_) => {
                self.urgent.retain(|input| !matches!(input, Input::Accounts(_)));
                self.urgent.push_front(input);
            }
            Input::StoreDown | Input::StoreUp => {
                self.metrics.set_store_fails(matches!(input, Input::StoreDown));
                self.urgent.push_back(input);
            }
            input => self.urgent.push_back(input),
        }
    }

    /// Whether the bans in the store are to be read again since this was asked.
    pub(super) fn takes_bans(&mut self) -> bool {
        mem::take(&mut self.rereads_bans)
    }

    /// How many answers of the store the chat has not had yet.
    pub(super) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// Whether a client has left since this was asked.
    pub(super) fn take_departed(&mut self) -> bool {
        mem::take(&mut self.has_departed)
    }

    /// How long this turn may handle inputs.
    #[must_use]
    pub fn turn_time_max(&self) -> Duration {
        self.turn.time_max()
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
        // To the millisecond, as it is told and kept.
        self.turn.begin(Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at));
        for id in self.arrivals.take() {
            // Its connection may have broken since.
            if let Some(client) = self.clients.get(&id).filter(|client| matches!(client.stage, Stage::Arriving)) {
                self.schedule.push(flow_key(id, client), id);
            }
        }
        let is_tight = self.memory.level() >= Level::Tight;
        if !mem::replace(&mut self.is_tight, is_tight) && is_tight {
            // Less may wait for each client now. Those who were behind are measured at the end of each turn anyway.
            let clients: Vec<_> = self.clients.keys().copied().collect();
            clients.into_iter().for_each(|client| self.measure(client));
        }
    }

    /// Where memory is tight, recent events give theirs back first: though no client may be read until there is more.
    pub(super) fn shrink_recent(&mut self) {
        let least = self.config.recent.bytes_max.min(self.memory.max() / 2) / RECENT_KEPT;
        if self.recent > least && self.memory.level() >= Level::Tight {
            self.urgent.push_back(Input::Shrink(self.memory.wanted().max(SHRINK_BYTES_MIN)));
        }
    }

    /// Recent events take so many bytes now.
    pub(super) fn charge_recent(&mut self, bytes: usize) {
        let before = mem::replace(&mut self.recent, bytes);
        if bytes > before {
            self.memory.charge(bytes - before);
        } else {
            self.memory.release(before - bytes);
        }
    }
}

/// Who pays for what a client holds: its address; a trusted one, each connection for itself.
pub(super) fn payer(id: ClientId, client: &Client) -> FlowKey {
    if client.is_trusted { FlowKey::Client(id) } else { FlowKey::Network(Network::of(client.origin.addr)) }
}

/// Who pays for the next step of a client.
pub(super) fn flow_key(id: ClientId, client: &Client) -> FlowKey {
    match &client.stage {
        Stage::Arriving if client.is_trusted => FlowKey::Arrivals,
        Stage::Passing if client.is_trusted => FlowKey::Passing,
        Stage::Arriving | Stage::Passing | Stage::Present => payer(id, client),
        Stage::Broken(_) => FlowKey::Broken,
    }
}

#[cfg(test)]
mod tests;
