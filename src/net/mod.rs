//! The shell around the rules: the listener, the accept loop, a future per connection, and the start and end of the server.
//! Knows no rules and no text. All of it runs on one thread; async-std's reactor, on a thread of its own, wakes that one for new
//! connections and timers.

mod accept;
mod admission;
mod connection;
mod losses;
mod read_scheduler;
mod refusals;
mod writer;

use std::{
    cell::Cell,
    future::Future,
    io,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_std::net::TcpListener;
use futures::{
    channel::mpsc,
    future::{Either, select},
    pin_mut,
};
use smol_timeout::TimeoutExt;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use self::{connection::Shared, losses::Losses, read_scheduler::read_scheduler};
use crate::{
    Config,
    broker::{self, BrokenBacklog, Broker, Departed, Memory, StoreClient},
    chat::ClientId,
    reactor::{Clock, Executor, Poller},
};

/// Connections that the kernel completes ahead of `accept`. Also bounded by net.core.somaxconn.
const BACKLOG: i32 = 4096;
/// Silence of a peer's kernel before it is probed, between probes, and how many probes: a dead peer is found in 90 s.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10)).with_retries(3);
/// How long sent bytes may go unacknowledged before the kernel gives the peer up.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes that the kernel takes for a peer ahead of what it can send. Without this limit it takes megabytes, and a slow reader
/// looks stuck for a long time, and then fast for a moment.
const UNSENT_MAX: u32 = 128 << 10;

/// A server that is listening, and does not serve yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    poller: Poller,
    config: Config,
    store: Option<StoreClient>,
}

impl Server {
    /// Begins to listen, and opens the store, if there is one; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// One sentence, where the address can't be listened on, or the store can't be opened. [`io::ErrorKind::InvalidInput`],
    /// where a setting is out of its bounds: see [`Config::checked`].
    pub fn bind(config: Config) -> io::Result<Self> {
        let config = config.checked().map_err(|sentence| io::Error::new(io::ErrorKind::InvalidInput, sentence))?;
        let listener = Self::listen(config.addr)
            .map_err(|error| io::Error::new(error.kind(), format!("can't listen on {}: {error}", config.addr)))?;
        let store = config.store.as_ref().map(StoreClient::open).transpose().map_err(io::Error::other)?;
        Ok(Self { addr: listener.local_addr()?, listener, poller: Poller::new()?, config, store })
    }

    fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit these: no system call per connection.
        socket.set_tcp_nodelay(true)?;
        socket.set_out_of_band_inline(true)?; // telnet's interrupt is urgent data, in the middle of a command
        socket.set_tcp_keepalive(&KEEPALIVE)?;
        socket.set_tcp_notsent_lowat(UNSENT_MAX)?;
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(std::net::TcpListener::from(socket)))
    }

    /// Where it listens, with the port that port 0 became.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves on this thread until `stop`; then takes no new connections, tells every client, and flushes the queues, for at
    /// most the drain timeout.
    ///
    /// # Errors
    /// One sentence, where the store could not keep all of it.
    ///
    /// # Panics
    /// When the broker panics: without it there is no chat, so the server must not go on.
    pub fn run(self, stop: impl Future<Output = ()> + 'static) -> Result<(), String> {
        let Self { listener, poller, config, store, .. } = self;
        let has_unkept = store.as_ref().map(StoreClient::has_unkept).unwrap_or_default();
        let poller = Rc::new(poller);
        let executor = Executor::new(Rc::clone(&poller));
        let losses = Rc::<Losses>::default();
        let end = executor.run(serve(listener, config, store, stop, executor.clone(), poller, Rc::clone(&losses)));
        drop(executor); // and with it the connections that are left
        match (losses.take(), &end) {
            ((0, _), End::Drained(_) | End::StoreTimedOut) => {}
            ((0, _), End::TimedOut) => log::info!("drain timeout: not all clients have closed their connections"),
            ((clients, bytes), _) => log::warn!("{bytes} bytes were not sent in time (clients: {clients})"),
        }
        match end {
            End::Drained(0) => Ok(()),
            // What was told is kept.
            End::TimedOut | End::StoreTimedOut if !has_unkept.load(Relaxed) => Ok(()),
            End::Drained(_) | End::TimedOut | End::StoreTimedOut => {
                Err("the store could not keep all that has happened".to_owned())
            }
        }
    }
}

/// How a shutdown ended.
enum End {
    /// All queues were flushed, or given up, and the store has kept all but so many changes.
    Drained(u64),
    /// The drain timeout expired while connections were open.
    TimedOut,
    /// It expired after that, before the store could say what it has kept.
    StoreTimedOut,
}

async fn serve(
    listener: TcpListener,
    config: Config,
    store: Option<StoreClient>,
    stop: impl Future<Output = ()>,
    executor: Executor,
    poller: Rc<Poller>,
    losses: Rc<Losses>,
) -> End {
    let (requests, inbox) = mpsc::unbounded();
    let clock = Clock::start();
    let memory = Memory::new(config.memory_max);
    let backlog = Rc::<BrokenBacklog>::default();
    let departed = Rc::<Departed>::default();
    let (scheduler, running) = read_scheduler();
    executor.spawn(running).detach();
    let drain_timeout = config.drain_timeout;
    let broker = Broker::new(config.clone(), Arc::clone(&memory), Rc::clone(&backlog), Rc::clone(&departed));
    let broker = executor.spawn(broker::run(inbox, Rc::clone(&poller), broker, clock, store));
    let shared = Rc::new(Shared {
        broker: requests.clone(),
        clock,
        limits: Arc::new(config.limits),
        losses: Rc::clone(&losses),
        memory,
        backlog,
        departed,
        scheduler,
        next_client: Cell::new(ClientId(1)),
    });
    let accepting = Box::pin(accept::run(listener, executor, poller, &config, shared));
    pin_mut!(stop);
    match select(broker, select(stop, accepting)).await {
        Either::Left((_, _)) => unreachable!("the broker ends after the last of its senders, and one is here"),
        Either::Right((Either::Left(((), accepting)), broker)) => {
            drop(accepting); // and with it its sender; the listener closes
            log::info!("shutting down");
            losses.take(); // they have been logged
            // An error means that the broker is dead, which awaiting it tells.
            requests.unbounded_send(broker::Request::ShutDown).ok();
            drop(requests);
            // The broker ends with the last connection: those have senders too. The store has what is left of the time.
            let deadline = clock.now() + drain_timeout;
            let store = match broker.timeout(drain_timeout).await {
                Some(Some(store)) => store,
                Some(None) => return End::Drained(0),
                None => return End::TimedOut,
            };
            let left = deadline.saturating_sub(clock.now());
            store.close(left).timeout(left).await.map_or(End::StoreTimedOut, End::Drained)
        }
        Either::Right((Either::Right((never, _)), _)) => match never {},
    }
}
