//! All that the broker owns but the chat: schedules what goes into it, and does what comes out. Knows no rules and no clock.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
    time::Duration,
};

use async_std::task;
use jiff::Timestamp;
use log::Level;

use super::{
    Outbox, Request,
    backpressure::Progress,
    client::Client,
    outbox::queued_total,
    rate_limit::RateLimit,
    turn::{Listener, Turn},
};
use crate::{
    Config,
    chat::{Audience, Chat, ClientId, Departure, Entry, Input, Output},
    protocol::{Dialect, Format, Step},
};

/// Clients sent to before other tasks that are ready have a turn: half a millisecond's work, if there is a line or two.
const FLUSH_SENDS_MAX: usize = 128;

/// All that the broker owns but the chat. It schedules what goes into the chat ([`Self::next_entry`]) and does what comes
/// out ([`Self::apply`]); [`Self::flush`] ends a turn.
#[derive(Debug)]
pub struct Broker {
    config: Config,
    /// Of every member of the chat, and of those who just arrive.
    clients: BTreeMap<ClientId, Box<Client>>,
    /// Those who have left in this turn: dropped when they have what it had for them.
    leaving: Vec<(Outbox, Listener)>,
    turn: Turn,
    /// Clients that have something to do, in order. Some may have left since.
    runnable: VecDeque<ClientId>,
    /// Clients whose batch was done in this turn.
    done: Vec<ClientId>,
    /// Input for the chat that comes before all others.
    urgent: VecDeque<Input>,
    /// The last entry was for the chat's own work.
    has_continued: bool,
    /// Bytes of all public events, in the longest dialect.
    public_bytes: usize,
}

impl Broker {
    /// A broker without clients.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            clients: BTreeMap::new(),
            leaving: Vec::new(),
            turn: Turn::new(),
            runnable: VecDeque::new(),
            done: Vec::new(),
            urgent: VecDeque::new(),
            has_continued: false,
            public_bytes: 0,
        }
    }

    /// Takes a request, to be served in its turn.
    pub fn accept(&mut self, request: Request, now: Duration) {
        match request {
            Request::Connect(client, addr, outbox) => {
                log::debug!("{client} {addr} connected");
                let listener = Listener::new(Dialect { format: Format::Text, lang: self.config.lang });
                let progress = Progress::since(self.public_bytes);
                let rate = RateLimit::new(self.config.limits.rate);
                self.clients.insert(client, Box::new(Client::new(addr, outbox, listener, progress, rate)));
            }
            Request::Batch(id, batch) => {
                let Some(client) = self.clients.get_mut(&id) else { return };
                if batch.lines > 0 && !mem::replace(&mut client.has_spoken, true) {
                    log::info!("{id} {} arrived", client.addr);
                }
                client.push(batch, now);
                if !mem::replace(&mut client.is_queued, true) {
                    self.runnable.push_back(id);
                }
            }
            Request::ShutDown => self.urgent.push_back(Input::ShutDown),
        }
    }

    /// Whether a turn has something to do at once.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.urgent.is_empty() || !self.runnable.is_empty() || !self.turn.is_empty() || !self.leaving.is_empty()
    }

    /// A turn begins, at this time of the calendar.
    pub fn begin_turn(&mut self, at: Timestamp) {
        self.turn.begin(at);
    }

    /// The next entry for the chat in this turn, if there is one and the turn is not full. What needs no chat is done on
    /// the way.
    pub fn next_entry(&mut self, now: Duration, chat: &Chat) -> Option<Entry> {
        if let Some(input) = self.urgent.pop_front() {
            return Some(Entry { now, input });
        }
        let may_continue = chat.deadline().is_some_and(|deadline| deadline <= now);
        // The chat's own work and that of clients take turns.
        if may_continue && !self.has_continued && !self.turn.is_full() {
            self.has_continued = true;
            return Some(Entry { now, input: Input::Continue });
        }
        self.has_continued = false;
        while !self.turn.is_full() {
            let Some(&id) = self.runnable.front() else {
                return may_continue.then_some(Entry { now, input: Input::Continue });
            };
            if let Some(input) = self.step(id) {
                return Some(Entry { now, input });
            }
        }
        None
    }

    /// Does the next step of a client. Answers it if it is for the chat; takes the client out of the line if there is none.
    fn step(&mut self, id: ClientId) -> Option<Input> {
        let Some(client) = self.clients.get_mut(&id) else {
            self.runnable.pop_front();
            return None;
        };
        match client.next_step() {
            Some(Step::Arrive) => {
                self.turn.listen(&mut client.listener);
                Some(Input::Arrive(id, client.addr))
            }
            Some(Step::Command(command)) => {
                client.is_busy = true;
                Some(Input::Command(id, command))
            }
            Some(Step::Reply(reply)) => {
                self.turn.reply(&mut client.listener, &reply);
                None
            }
            Some(Step::Speak(dialect)) => {
                self.turn.speak(&mut client.listener, dialect);
                None
            }
            Some(Step::Broken) => Some(Input::Broken(id)),
            Some(Step::Eof) => Some(Input::Eof(id)),
            Some(Step::Close(departure)) => {
                if departure == Departure::WriteTimeout {
                    client.outbox.cut();
                }
                Some(Input::End(id, departure))
            }
            None => {
                self.runnable.pop_front();
                client.is_queued = false;
                self.done.push(id);
                None
            }
        }
    }

    /// Does what follows from the rules.
    pub fn apply(&mut self, out: &mut Vec<Output>) {
        for output in out.drain(..) {
            match output {
                Output::Tell(Audience::Room(room), seq, event) => self.turn.publish(room, seq, &event),
                Output::Tell(Audience::One(client), _, event) => {
                    if let Some(client) = self.clients.get_mut(&client) {
                        self.turn.tell(&mut client.listener, &event);
                    }
                }
                Output::Ready(client) => {
                    if let Some(record) = self.clients.get_mut(&client) {
                        record.is_busy = false;
                        if !mem::replace(&mut record.is_queued, true) {
                            self.runnable.push_back(client);
                        }
                    }
                }
                Output::HangUp(client, departure) => self.hang_up(client, departure),
            }
        }
    }

    /// The client gets what this turn has for it so far, and nothing after that.
    fn hang_up(&mut self, id: ClientId, departure: Departure) {
        let Some(client) = self.clients.remove(&id) else { return };
        let Client { addr, outbox, mut listener, has_spoken, .. } = *client;
        // A client that comes and goes without a word is a probe, or might as well be one.
        let is_probe = !has_spoken && matches!(departure, Departure::Left | Departure::Lost);
        let level = if is_probe { Level::Debug } else { Level::Info };
        log::log!(level, "{id} {addr} departed: {}", departure.code());
        self.turn.leave(&mut listener);
        if departure != Departure::Lost {
            self.leaving.push((outbox, listener));
        }
    }

    /// Ends the turn: sends everyone what it has for them, and lets those go on whose batch is done. Answers how long to
    /// wait before the next one begins.
    pub async fn flush(&mut self, now: Duration) -> Duration {
        let public = self.turn.end();
        for (outbox, mut listener) in self.leaving.drain(..) {
            listener.take_private(&public, |parts| {
                outbox.send(parts);
            });
        }
        let (mut too_slow, mut pace) = (Vec::new(), Duration::ZERO);
        for (sent, (&id, client)) in self.clients.iter_mut().enumerate() {
            if sent > 0 && sent.is_multiple_of(FLUSH_SENDS_MAX) {
                task::yield_now().await;
            }
            // Before this turn's bytes: one long answer alone makes nobody a slow consumer.
            match observe(client, self.public_bytes, self.config.limits.queue_max, now) {
                Some(wait) => pace = pace.max(wait),
                None => too_slow.push(id),
            }
            client.send(&public);
        }
        self.give_credits();
        self.public_bytes += public.len();
        drop(public); // what everybody has got waits for nobody
        self.disconnect(too_slow);
        self.turn.set_paced(!pace.is_zero());
        pace
    }

    /// Lets those connections go on whose batch is done. Comes when all is sent: what they have to say next is in one turn
    /// then.
    fn give_credits(&mut self) {
        for client in self.done.drain(..) {
            if let Some(client) = self.clients.get_mut(&client)
                && let Some(not_before) = client.take_credit()
            {
                client.outbox.credit(Some(not_before));
            }
        }
    }

    /// Disconnects clients whose queues are too long; without any, the one with the longest queue if all queues together are.
    fn disconnect(&mut self, mut too_slow: Vec<ClientId>) {
        if too_slow.is_empty() && queued_total() > self.config.queued_total_max {
            // What that one alone held is free when its connection has thrown it away. Those on their way out may hold more,
            // for as long as they linger: then it may be a small queue's turn, but never one's for whom nothing waits.
            let queues = self.clients.iter().map(|(&id, client)| (client.outbox.queued(), id));
            too_slow.extend(queues.filter(|&(queued, _)| queued > 0).max().map(|(_, id)| id));
        }
        for id in too_slow {
            if let Some(client) = self.clients.get(&id) {
                client.outbox.cut();
            }
            self.urgent.push_back(Input::End(id, Departure::SlowConsumer));
        }
    }
}

/// Looks how a client reads. `None`: too much waits for it. Otherwise how long the others should wait for it.
fn observe(client: &mut Client, public_bytes: usize, queue_max: usize, now: Duration) -> Option<Duration> {
    if client.progress.is_due(queue_max) {
        client.progress.observe(client.outbox.queued(), public_bytes, queue_max, now)
    } else {
        Some(Duration::ZERO)
    }
}
