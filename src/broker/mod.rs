//! The broker future: alone owns the chat and every client's outbox. It works in turns: handles what has come, renders
//! each event once per dialect, hands out the results, and yields, so that every connection reads before the next turn
//! begins. Under load turns grow by themselves.

mod backpressure;
mod outbox;
mod rate_limit;

pub(crate) use outbox::{Inbox, Outbox, QUEUE_ITEM_OVERHEAD, QueueItem, Queued, Waiting, outbox};
pub use rate_limit::{Bucket, Rate};

use std::{collections::BTreeMap, mem, rc::Rc, time::Duration};

use async_std::task;
use bytes::Bytes;
use futures::{
    StreamExt,
    channel::mpsc::UnboundedReceiver,
    future::{Either, select},
};
use jiff::Timestamp;
use log::Level;

use self::{
    backpressure::Progress,
    outbox::{Part, queued_total, shared},
};
use crate::{
    Config,
    chat::{Audience, Chat, ClientId, Departure, Event, Input, Line, Output, Setting},
    protocol::{Dialect, Stamp, render},
    reactor::{Clock, Poller, Timer, Wait},
};

/// Requests of one turn. Enough that a storm of arrivals is announced in few writes, few enough that nobody waits long.
const TURN_REQUESTS_MAX: usize = 4096;
/// Public bytes of one turn, in one dialect, after which no further request is begun. Well below any sane queue limit:
/// a turn alone must not make slow consumers of everybody.
const TURN_BYTES_MAX: usize = 128 << 10;
/// Clients written to before other tasks that are ready have a turn: half a millisecond's work, if there is a line or two.
const FLUSH_SENDS_MAX: usize = 128;
/// Public bytes of a turn while a slow reader is waited for.
const PACED_TURN_BYTES_MAX: usize = 32 << 10;

/// What connections ask of the broker. The queue needs no bound of its own: a connection has one batch of lines in it at
/// most, and is silent until that has taken effect.
pub(crate) enum Request {
    /// A client has come; this is where to send what it is told.
    Arrive(ClientId, Box<Outbox>),
    /// A client has sent these lines.
    Lines(ClientId, Vec<Line>),
    /// A client has sent its last line.
    Eof(ClientId),
    /// A client was silent for the idle timeout.
    Silent(ClientId),
    /// A client hears nothing any more; its last lines may still come.
    Broken(ClientId),
    /// The connection has ended from its side.
    Gone(ClientId, Departure),
    /// The server ends.
    ShutDown,
}

/// Serves requests until the last sender of them is gone.
pub(crate) async fn run(mut requests: UnboundedReceiver<Request>, poller: Rc<Poller>, config: Config, clock: Clock) {
    let mut broker = Broker::new(config);
    let mut alarm = Timer::new(clock);
    loop {
        // Cutting slow consumers at the end of a turn is news for the next one.
        let first = if broker.has_news() { None } else { Some(broker.next_request(&mut requests, &mut alarm).await) };
        // What others have sent by now is in this turn too: larger turns are fewer writes.
        poller.poll(Wait::No);
        task::yield_now().await;
        let now = clock.now();
        broker.begin_turn(now);
        match first {
            Some(First::Request(request)) => broker.handle(request),
            Some(First::End) => return,
            Some(First::Deadline) | None => {}
        }
        let mut handled = 1;
        while handled < TURN_REQUESTS_MAX && !broker.turn_is_full() {
            let Ok(request) = requests.try_recv() else { break };
            broker.handle(request);
            handled += 1;
        }
        let pace = broker.flush(now).await;
        // Behind all connections that were woken: they read before the next turn begins.
        task::yield_now().await;
        if !pace.is_zero() {
            task::sleep(pace).await;
        }
    }
}

/// What a turn begins with.
enum First {
    Request(Request),
    Deadline,
    End,
}

struct Broker {
    config: Config,
    chat: Chat,
    /// Of every member of the chat, and within a turn of those who just arrive.
    outboxes: BTreeMap<ClientId, Box<Outbox>>,
    /// Of those who have left in this turn: dropped when they have what it had for them.
    leaving: Vec<Outbox>,
    /// How many of `outboxes` are spoken to in each dialect: what nobody hears is not rendered.
    listeners: [usize; Dialect::COUNT],
    /// This turn's public bytes, by dialect.
    public: [Vec<u8>; Dialect::COUNT],
    /// Bytes of all public events, in the longest dialect.
    said: usize,
    /// The number of the last public event.
    seq: u64,
    /// When this turn began, by the calendar.
    at: Timestamp,
    /// The clients whose lines have taken effect in this turn.
    ready: Vec<ClientId>,
    /// This turn's outputs; empty between requests.
    out: Vec<Output>,
    /// The last turn was followed by a wait for a slow reader.
    is_paced: bool,
    is_shutting_down: bool,
}

impl Broker {
    fn new(config: Config) -> Self {
        Self {
            chat: Chat::new(config.rules()),
            config,
            outboxes: BTreeMap::new(),
            leaving: Vec::new(),
            listeners: [0; Dialect::COUNT],
            public: Default::default(),
            said: 0,
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            ready: Vec::new(),
            out: Vec::new(),
            is_paced: false,
            is_shutting_down: false,
        }
    }

    /// Waits for a request, or for a wait of a client to time out.
    async fn next_request(&self, requests: &mut UnboundedReceiver<Request>, alarm: &mut Timer) -> First {
        if let Some(deadline) = self.chat.deadline() {
            alarm.set(deadline);
        }
        match select(requests.next(), alarm).await {
            Either::Left((request, _)) => request.map_or(First::End, First::Request),
            Either::Right(((), _)) => First::Deadline,
        }
    }

    /// The clocks are asked once a turn.
    fn begin_turn(&mut self, now: Duration) {
        self.at = Timestamp::now();
        let mut out = mem::take(&mut self.out);
        self.chat.tick(now, &mut out);
        self.apply(out);
    }

    fn has_news(&self) -> bool {
        !self.leaving.is_empty() || self.public.iter().any(|public| !public.is_empty())
    }

    fn turn_is_full(&self) -> bool {
        let max = if self.is_paced { PACED_TURN_BYTES_MAX } else { TURN_BYTES_MAX };
        self.public.iter().any(|public| public.len() >= max)
    }

    fn handle(&mut self, request: Request) {
        match request {
            Request::Arrive(client, mut outbox) => {
                let addr = outbox.addr;
                log::debug!("{client} {addr} connected");
                outbox.public_from = self.public[outbox.dialect.index()].len();
                outbox.progress = Progress::since(self.said);
                self.listeners[outbox.dialect.index()] += 1;
                self.outboxes.insert(client, outbox);
                self.input(client, Input::Arrive(addr));
                if self.is_shutting_down {
                    self.input(client, Input::End(Departure::ShuttingDown));
                }
            }
            Request::Lines(client, lines) => {
                #[cfg(debug_assertions)]
                fault(&lines);
                if let Some(outbox) = self.outboxes.get_mut(&client)
                    && !mem::replace(&mut outbox.has_spoken, true)
                {
                    log::info!("{client} {} arrived", outbox.addr);
                }
                self.input(client, Input::Lines(lines));
            }
            Request::Eof(client) => self.input(client, Input::Eof),
            Request::Silent(client) => self.input(client, Input::Silent),
            Request::Broken(client) => self.input(client, Input::Broken),
            Request::Gone(client, departure) => {
                if let Some(outbox) = self.outboxes.get(&client) {
                    outbox.cut();
                }
                self.input(client, Input::End(departure));
            }
            Request::ShutDown => {
                self.is_shutting_down = true;
                let clients: Vec<_> = self.chat.members().map(|(client, _)| client).collect();
                for client in clients {
                    self.input(client, Input::End(Departure::ShuttingDown));
                }
            }
        }
    }

    fn input(&mut self, client: ClientId, input: Input) {
        let mut out = mem::take(&mut self.out);
        self.chat.handle(client, input, &mut out);
        self.apply(out);
    }

    /// Does what follows from the rules.
    fn apply(&mut self, mut out: Vec<Output>) {
        for output in out.drain(..) {
            match output {
                Output::Tell(Audience::Everyone, event) => self.tell_everyone(&event),
                Output::Tell(Audience::One(client), event) => self.tell(client, &event),
                Output::Ready(client) => self.ready.push(client),
                Output::Set(client, setting) => self.set(client, setting),
                Output::HangUp(client, departure) => self.hang_up(client, departure),
            }
        }
        self.out = out;
    }

    fn set(&mut self, client: ClientId, setting: Setting) {
        let Some(outbox) = self.outboxes.get_mut(&client) else { return };
        mark_public(outbox, &self.public);
        self.listeners[outbox.dialect.index()] -= 1;
        outbox.dialect = outbox.dialect.with(setting);
        self.listeners[outbox.dialect.index()] += 1;
        outbox.public_from = self.public[outbox.dialect.index()].len();
    }

    fn tell_everyone(&mut self, event: &Event) {
        if self.is_shutting_down {
            return; // nobody stays to hear who else goes
        }
        self.seq += 1;
        let stamp = Stamp { seq: Some(self.seq), at: self.at };
        for dialect in Dialect::ALL {
            if self.listeners[dialect.index()] > 0 {
                render(&mut self.public[dialect.index()], event, stamp, dialect);
            }
        }
    }

    fn tell(&mut self, client: ClientId, event: &Event) {
        let Some(outbox) = self.outboxes.get_mut(&client) else { return };
        mark_public(outbox, &self.public);
        let own = outbox.own.get_or_insert_default();
        let from = own.bytes.len();
        render(&mut own.bytes, event, Stamp { seq: None, at: self.at }, outbox.dialect);
        match own.parts.last_mut() {
            Some(Part::Own(last)) => last.end = own.bytes.len(),
            Some(Part::Public(..)) | None => own.parts.push(Part::Own(from..own.bytes.len())),
        }
    }

    /// The client gets what this turn has for it so far, and nothing after that.
    fn hang_up(&mut self, client: ClientId, departure: Departure) {
        let Some(mut outbox) = self.outboxes.remove(&client) else { return };
        // Whoever comes and goes without a word is a probe, or might as well be one.
        let is_probe = !outbox.has_spoken && matches!(departure, Departure::Left | Departure::Lost);
        let level = if is_probe { Level::Debug } else { Level::Info };
        log::log!(level, "{client} {} departed: {}", outbox.addr, departure.code());
        self.listeners[outbox.dialect.index()] -= 1;
        if departure != Departure::Lost {
            mark_public(&mut outbox, &self.public);
            self.leaving.push(*outbox);
        }
    }

    /// Ends the turn: everyone gets what it has for them. Answers how long to wait before the next one begins.
    async fn flush(&mut self, now: Duration) -> Duration {
        let public = self.public.each_mut().map(|public| shared(mem::take(public)));
        for mut outbox in self.leaving.drain(..) {
            send_private(&mut outbox, &public);
        }
        let (mut too_slow, mut pace) = (Vec::new(), Duration::ZERO);
        for (handed, (&client, outbox)) in self.outboxes.iter_mut().enumerate() {
            if handed > 0 && handed.is_multiple_of(FLUSH_SENDS_MAX) {
                task::yield_now().await;
            }
            // Before this turn's bytes: one long answer alone makes nobody a slow consumer.
            if outbox.progress.is_due(self.config.queue_max) {
                let queued = outbox.queued();
                match outbox.progress.look(queued, self.said, self.config.queue_max, now) {
                    Some(wait) => pace = pace.max(wait),
                    None => too_slow.push(client),
                }
            }
            let all = &public[outbox.dialect.index()];
            if outbox.own.is_some() {
                mark_public(outbox, &public);
                send_private(outbox, &public);
            } else if outbox.public_from < all.len() {
                outbox.send(&[all.slice(outbox.public_from..)]);
            }
            outbox.public_from = 0;
        }
        // When all is written: what these clients have to say next is in one turn then.
        for client in self.ready.drain(..) {
            if let Some(outbox) = self.outboxes.get(&client) {
                outbox.send_ready();
            }
        }
        self.said += public.iter().map(Bytes::len).max().unwrap_or_default();
        drop(public); // what everybody has got waits for nobody
        if too_slow.is_empty() && queued_total() > self.config.queued_total_max {
            // The largest queue goes first; what it alone held is free when its connection has thrown it away. Those on
            // their way out may hold more, for as long as they linger: then it may be a small one's turn, but never one's for
            // whom nothing waits.
            let queues = self.outboxes.iter().map(|(&client, outbox)| (outbox.queued(), client));
            too_slow.extend(queues.filter(|&(queued, _)| queued > 0).max().map(|(_, client)| client));
        }
        for client in too_slow {
            if let Some(outbox) = self.outboxes.get(&client) {
                outbox.cut();
            }
            self.input(client, Input::End(Departure::SlowConsumer));
        }
        self.is_paced = !pace.is_zero();
        pace
    }
}

/// Sends the client what was noted for it.
fn send_private(outbox: &mut Outbox, public: &[Bytes; Dialect::COUNT]) {
    let Some(own) = outbox.own.take() else { return };
    let bytes = shared(own.bytes);
    let parts = own.parts.into_iter().map(|part| match part {
        Part::Public(dialect, range) => public[dialect.index()].slice(range),
        Part::Own(range) => bytes.slice(range),
    });
    outbox.send(&parts.collect::<Vec<_>>());
}

/// Notes the public bytes so far as the client's, before what follows is its alone.
fn mark_public(outbox: &mut Outbox, public: &[impl AsRef<[u8]>; Dialect::COUNT]) {
    let until = public[outbox.dialect.index()].as_ref().len();
    if outbox.public_from < until {
        let public = Part::Public(outbox.dialect, outbox.public_from..until);
        outbox.own.get_or_insert_default().parts.push(public);
        outbox.public_from = until;
    }
}

/// Fault injection, for tests of what happens when the broker dies: in debug builds only, saying `$PIPECHAT_FAULT` is fatal.
#[cfg(debug_assertions)]
fn fault(lines: &[Line]) {
    use crate::chat::Command;
    if let Ok(fault) = std::env::var("PIPECHAT_FAULT") {
        assert!(!lines.contains(&Ok(Command::Say(fault))), "the broker dies, as it was told to");
    }
}
