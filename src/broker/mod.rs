//! The broker future: it alone owns the chat and every client's outbox. It works in turns: does what has come, renders each
//! event once per dialect, sends the results, and yields, so that every connection reads before the next turn begins. Under
//! load turns grow by themselves. Knows no rules, and of sockets only that an outbox has one.

mod apply;
mod arrivals;
mod broken;
mod client;
mod core;
mod cost;
mod departed;
mod flush;
mod gauge;
mod limits;
mod log_name;
mod memory;
mod next;
mod outbox;
mod public_output;
mod rate_limit;
mod schedule;
mod segments;
mod turn;

use std::{future::poll_fn, hint::black_box, net::SocketAddr, rc::Rc, sync::Arc, task::Poll, time::Duration};

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

pub use self::{
    broken::{BrokenBacklog, Taken},
    core::Broker,
    departed::Departed,
    memory::{Level, Memory, Registration},
};
pub use gauge::{QUEUE_ITEM_OVERHEAD, QueueGauge};
pub use outbox::{Inbox, Outbox, QueueItem, Queued, outbox};

/// Inputs between two looks at the clock.
const INPUTS_PER_CLOCK: usize = 32;

/// How long after the last departure memory is given back.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(1);
/// How often, so far apart: the allocator first notes what is free, and gives it back some time later.
const GIVE_BACKS: u32 = 3;
/// An allocation as large as those that the allocator takes from the kernel by themselves.
const GIVE_BACK_BYTES: usize = 4 << 20;

/// Has the allocator give the memory of clients that have left back to the kernel: it does so when it is next called for
/// something large, and at rest nobody calls it.
fn give_back() {
    drop(black_box(Vec::<u8>::with_capacity(GIVE_BACK_BYTES)));
}

/// What connections ask of the broker. The queue needs no bound of its own: a connection has one batch of lines in it at
/// most, and waits for its credit.
#[derive(Debug)]
pub enum Request {
    /// A client has connected from this address; this is where to send what it is told.
    Connect(ClientId, SocketAddr, Outbox),
    /// A connection has this to do.
    Batch(ClientId, Batch),
    /// A connection is broken, and this was its last.
    Broken(ClientId, Batch, Taken),
    /// Much less waits for a client alone than when the broker asked for this.
    Relieved(ClientId),
    /// The server shuts down.
    ShutDown,
}

/// Serves requests until the last sender of them is gone.
pub(crate) async fn run(
    mut requests: UnboundedReceiver<Request>,
    poller: Rc<Poller>,
    config: Config,
    memory: Arc<Memory>,
    backlog: Rc<BrokenBacklog>,
    departed: Rc<Departed>,
    clock: Clock,
) {
    let mut chat = Chat::new(config.rules());
    let mut broker = Broker::new(config, Arc::clone(&memory), backlog, departed);
    let mut timer = Timer::new();
    let (mut out, registration) = (Vec::new(), Registration::default());
    let (mut give_back_at, mut give_backs) = (None, 0);
    loop {
        if !broker.has_work() {
            if let Some(deadline) = chat.deadline().into_iter().chain(broker.deadline()).chain(give_back_at).min() {
                timer.set(deadline, clock);
            }
            // Where memory is tight, some of the chat's work waits for relief.
            let relief =
                poll_fn(|cx| if broker.is_tight() { memory.poll_relief(&registration, cx) } else { Poll::Pending });
            match select(requests.next(), select(&mut timer, relief)).await {
                Either::Left((Some(request), _)) => broker.accept(request, clock.now()),
                Either::Left((None, _)) => return,
                Either::Right(_) => {}
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
        for handled in 1.. {
            let Some(entry) = broker.next_entry(now, &chat) else { break };
            chat.handle(entry, &mut out);
            broker.apply(&mut out);
            if handled % INPUTS_PER_CLOCK == 0 && clock.now() > now + broker.turn_time_max() {
                break;
            }
        }
        broker.flush(&chat, now);
        if broker.take_departed() {
            (give_back_at, give_backs) = (Some(now + GIVE_BACK_AFTER), GIVE_BACKS);
        } else if give_back_at.is_some_and(|at| at <= now) {
            give_back();
            give_backs -= 1;
            give_back_at = (give_backs > 0).then_some(now + GIVE_BACK_AFTER);
        }
        // Behind all connections that were woken: they read before the next turn begins.
        task::yield_now().await;
    }
}
