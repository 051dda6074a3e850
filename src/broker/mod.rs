//! The broker future: it alone owns the chat and every client's outbox. It works in turns: does what has come, renders each
//! event once per dialect, sends the results, and yields, so that every connection reads before the next turn begins. Under
//! load turns grow by themselves. Knows no rules, and of sockets only that an outbox has one.

mod apply;
mod arrivals;
mod broken;
mod by_payer;
mod client;
mod core;
mod cost;
mod departed;
mod flush;
mod gauge;
mod give_back;
mod jobs;
mod limits;
mod log_name;
mod memory;
mod metrics;
mod next;
mod outbox;
mod public_output;
mod rate_limit;
mod requests;
mod schedule;
mod segments;
mod store_client;
mod turn;
mod verifier;

use std::{
    future::poll_fn,
    hash::{BuildHasher, Hasher, RandomState},
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use async_std::task;
use futures::{
    StreamExt,
    channel::mpsc::UnboundedReceiver,
    future::{Either, select},
};
use jiff::Timestamp;

use crate::{
    Config,
    chat::{Chat, ClientId, Epoch, Input, Output},
    origin::Origin,
    protocol::Batch,
    reactor::{Clock, Poller, Timer, Wait},
};

use self::{give_back::GiveBack, verifier::Verifier};

pub use self::{
    broken::{BrokenBacklog, Taken},
    core::Broker,
    departed::Departed,
    memory::{Level, Memory, Registration},
    metrics::Metrics,
    store_client::StoreClient,
};
pub(crate) use metrics::Entrance;

pub use gauge::{QUEUE_ITEM_OVERHEAD, QueueGauge};
pub use outbox::{Credit, Inbox, Outbox, Outcome, QueueItem, Queued, Told, outbox, outbox_counted};

/// The target of operators' acts in the log, which leaves none of them out.
pub const ACTS_TARGET: &str = "pipechat::broker::order";

/// Inputs between two looks at the clock.
const INPUTS_PER_CLOCK: usize = 32;

/// What connections ask of the broker. The queue needs no bound of its own: a connection has one batch of lines in it at
/// most, and waits for its credit.
#[derive(Debug)]
pub enum Request {
    /// A client has connected from there; this is where to send what it is told.
    Connect(ClientId, Origin, Outbox),
    /// A connection has this to do.
    Batch(ClientId, Batch),
    /// A connection is broken, and this was its last.
    Broken(ClientId, Batch, Taken),
    /// Much less waits for a client alone than when the broker asked for this.
    Relieved(ClientId),
    /// Memory has run out: somebody may have to go, though nobody asks for anything.
    MakeRoom,
    /// The limits of this configuration hold from now on, but for those of queues: they would end connections. So do the bans
    /// that are in the store.
    Reload(Box<Config>),
    /// The server shuts down.
    ShutDown,
}

/// A number that nobody can tell before: the standard library begins its hashes with one.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Serves requests until the last sender of them is gone. Answers the store, which is to be closed.
pub(crate) async fn run(
    mut requests: UnboundedReceiver<Request>,
    poller: Rc<Poller>,
    broker: Broker,
    clock: Clock,
    store: Option<StoreClient>,
) -> Option<StoreClient> {
    let mut runner = Runner::new(broker, clock, store);
    while runner.broker.has_work() || runner.wait(&mut requests).await {
        // What others have sent by now is in this turn too: larger turns are fewer writes.
        poller.poll(Wait::No);
        task::yield_now().await;
        runner.turn(&mut requests).await;
        // Behind all connections that were woken: they read before the next turn begins.
        task::yield_now().await;
    }
    runner.store
}

/// The chat, and what it takes to run it.
struct Runner {
    chat: Chat,
    broker: Broker,
    store: Option<StoreClient>,
    verifier: Verifier,
    clock: Clock,
    timer: Timer,
    memory: Arc<Memory>,
    registration: Registration,
    give_back: GiveBack,
    out: Vec<Output>,
}

impl Runner {
    fn new(broker: Broker, clock: Clock, store: Option<StoreClient>) -> Self {
        let epoch = store.as_ref().and_then(StoreClient::epoch);
        let chat = Chat::new(broker.config.rules(), epoch.unwrap_or_else(|| Epoch::from_random(random())));
        let mut runner = Self {
            chat,
            memory: Arc::clone(&broker.memory),
            broker,
            store,
            verifier: Verifier::default(),
            clock,
            timer: Timer::new(),
            registration: Registration::default(),
            give_back: GiveBack::default(),
            out: Vec::new(),
        };
        if let Some(store) = &mut runner.store {
            store.restore(&mut runner.chat, &mut runner.out);
            runner.broker.apply(&mut runner.out);
        }
        runner
    }

    /// Waits until there is something to do. Answers whether somebody can still ask for something.
    async fn wait(&mut self, requests: &mut UnboundedReceiver<Request>) -> bool {
        let Self { chat, broker, store, verifier, clock, timer, memory, registration, give_back, .. } = self;
        let deadlines = [chat.deadline(), broker.deadline(), give_back.deadline()];
        if let Some(deadline) = deadlines.into_iter().flatten().min() {
            timer.set(deadline, *clock);
        }
        // Where memory is tight, some of the chat's work waits for relief.
        let is_tight = broker.is_tight();
        let relief = poll_fn(|cx| if is_tight { memory.poll_relief(registration, cx) } else { Poll::Pending });
        let notice = poll_fn(|cx| poll_notice(store, verifier, cx));
        match select(requests.next(), select(select(timer, relief), notice)).await {
            Either::Left((Some(request), _)) => broker.accept(request, clock.now()),
            Either::Left((None, _)) => return false,
            Either::Right((Either::Left(_), _)) => {}
            Either::Right((Either::Right((input, _)), _)) => broker.tell_chat(input),
        }
        true
    }

    /// Does what has come, keeps it, and tells it.
    async fn turn(&mut self, requests: &mut UnboundedReceiver<Request>) {
        let Self { chat, broker, store, verifier, clock, give_back, out, .. } = self;
        let now = clock.now();
        broker.begin_turn(Timestamp::now());
        while let Ok(request) = requests.try_recv() {
            broker.accept(request, now);
        }
        let no_wait = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready(input) = poll_notice(store, verifier, no_wait) {
            broker.tell_chat(input);
        }
        for handled in 1.. {
            let Some(entry) = broker.next_entry(now, chat) else { break };
            chat.handle(entry, out);
            broker.apply(out);
            if handled % INPUTS_PER_CLOCK == 0 && clock.now() > now + broker.turn_time_max() {
                break;
            }
        }
        if let Some(store) = store {
            let (changes, questions) = broker.take_changes();
            let (begun, has_changes) = (clock.now(), !changes.is_empty());
            let input = store.keep(changes, *clock).await;
            if has_changes {
                broker.metrics.committed(clock.now() - begun);
            }
            if let Some(input) = input {
                broker.tell_chat(input);
            }
            if broker.takes_bans() {
                store.reread_bans();
            }
            store.ask(questions, broker.answers(), |client| broker.payer(client));
        }
        broker.flush(chat, now);
        verifier.work(&mut broker.jobs);
        give_back.turn_ended(broker.take_departed(), now);
        broker.metrics.turn_ended(clock.now() - now);
    }
}

/// The next thing that the chat has to know from a thread.
fn poll_notice(store: &mut Option<StoreClient>, verifier: &mut Verifier, cx: &mut Context<'_>) -> Poll<Input> {
    let store = store.as_mut().map_or(Poll::Pending, |store| store.poll_next(cx));
    if store.is_ready() { store } else { verifier.poll_next(cx) }
}
