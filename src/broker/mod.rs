//! The broker future: it alone owns the chat and every client's outbox. It works in turns: does what has come, renders each
//! event once per dialect, sends the results, and yields, so that every connection reads before the next turn begins. Under
//! load turns grow by themselves. Knows no rules, and of sockets only that an outbox has one.

mod backpressure;
mod client;
mod core;
mod outbox;
mod rate_limit;
mod turn;

use std::{net::SocketAddr, rc::Rc};

use async_std::task;
use futures::{
    StreamExt,
    channel::mpsc::UnboundedReceiver,
    future::{Either, select},
};
use jiff::Timestamp;

use crate::{
    Config,
    chat::{Chat, ClientId},
    protocol::Batch,
    reactor::{Clock, Poller, Timer, Wait},
};

pub use self::core::Broker;
pub use outbox::{Inbox, Outbox, QUEUE_ITEM_OVERHEAD, QueueGauge, QueueItem, Queued, outbox};

/// Inputs to the chat in one turn. Enough that a storm of arrivals is announced in few writes, few enough that nobody waits
/// long.
const TURN_INPUTS_MAX: usize = 4096;

/// What connections ask of the broker. The queue needs no bound of its own: a connection has one batch of lines in it at
/// most, and waits for its credit.
#[derive(Debug)]
pub enum Request {
    /// A client has connected from this address; this is where to send what it is told.
    Connect(ClientId, SocketAddr, Outbox),
    /// A connection has this to do.
    Batch(ClientId, Batch),
    /// The server shuts down.
    ShutDown,
}

/// Serves requests until the last sender of them is gone.
pub(crate) async fn run(mut requests: UnboundedReceiver<Request>, poller: Rc<Poller>, config: Config, clock: Clock) {
    let mut chat = Chat::new(config.rules());
    let mut broker = Broker::new(config);
    let mut timer = Timer::new(clock);
    let mut out = Vec::new();
    loop {
        if !broker.has_work() {
            if let Some(deadline) = chat.deadline() {
                timer.set(deadline);
            }
            match select(requests.next(), &mut timer).await {
                Either::Left((Some(request), _)) => broker.accept(request, clock.now()),
                Either::Left((None, _)) => return,
                Either::Right(((), _)) => {}
            }
        }
        // What others have sent by now is in this turn too: larger turns are fewer writes.
        poller.poll(Wait::No);
        task::yield_now().await;
        let now = clock.now();
        broker.begin_turn(Timestamp::now());
        while let Ok(request) = requests.try_recv() {
            broker.accept(request, now);
        }
        for _ in 0..TURN_INPUTS_MAX {
            let Some(entry) = broker.next_entry(now, &chat) else { break };
            chat.handle(entry, &mut out);
            broker.apply(&mut out);
        }
        let pace = broker.flush(now).await;
        // Behind all connections that were woken: they read before the next turn begins.
        task::yield_now().await;
        if !pace.is_zero() {
            task::sleep(pace).await;
        }
    }
}
