//! The shell around the rules: the listeners, their accept loops, a future per connection, and the start and end of the server.
//! Knows no rules and no text. All of it runs on one thread; async-std's reactor, on a thread of its own, wakes that one for new
//! connections and timers.

mod accept;
mod admission;
mod arrivals;
mod beginning;
mod connection;
mod listener;
mod losses;
mod read_scheduler;
mod refusals;
mod socket_file;
mod transport;
mod web;
mod writer;

use std::{
    cell::{Cell, RefCell},
    convert::Infallible,
    future::{self, Future},
    io,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures::{
    Stream, StreamExt,
    channel::{
        mpsc::{self, UnboundedSender},
        oneshot,
    },
    future::{Either, select, select_all},
    pin_mut,
    stream::pending,
};
use rustls::ServerConfig;
use smol_timeout::TimeoutExt;

use self::{
    arrivals::Arrivals,
    connection::Shared,
    listener::Listener,
    losses::Losses,
    read_scheduler::read_scheduler,
    transport::{handshakes, server_config},
};
use crate::{
    Config,
    broker::{self, BrokenBacklog, Broker, Departed, Memory, StoreClient},
    chat::ClientId,
    listen::{Door, Listen},
    reactor::{Clock, Executor, Poller},
};

/// A server that is listening, and does not serve yet.
#[derive(Debug)]
pub struct Server {
    /// That of [`Config::addr`] first.
    listeners: Vec<Listener>,
    /// The certificate in force.
    tls: Option<Arc<ServerConfig>>,
    poller: Poller,
    config: Config,
    store: Option<StoreClient>,
}

impl Server {
    /// Begins to listen, and opens the store, if there is one; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// One sentence, where a place can't be listened on, or there is none, or the store can't be opened. [`io::ErrorKind::InvalidInput`],
    /// where a setting is out of its bounds: see [`Config::checked`].
    pub fn bind(config: Config) -> io::Result<Self> {
        let config = config.checked().map_err(|sentence| io::Error::new(io::ErrorKind::InvalidInput, sentence))?;
        let places = config.addr.map(Listen::plain).into_iter().chain(config.listen.iter().cloned());
        let listeners = places.map(|place| Listener::bind(&place)).collect::<io::Result<Vec<_>>>()?;
        if listeners.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is nowhere to listen"));
        }
        let tls = config.tls.as_ref().map(server_config).transpose().map_err(io::Error::other)?;
        let store = config.store.as_ref().map(StoreClient::open).transpose().map_err(io::Error::other)?;
        Ok(Self { listeners, tls, poller: Poller::new()?, config, store })
    }

    /// The first place where it listens for lines over plain TCP connections, with the port that port 0 became.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(|listener| match listener.listen() {
            Listen::Tcp { addr, door: Door::Line, is_tls: false, is_proxied: false } => Some(*addr),
            Listen::Tcp { .. } | Listen::Unix(_) => None,
        })
    }

    /// All places where it listens, as the program says them: the address of [`Config::addr`], and URLs.
    pub fn places(&self) -> impl Iterator<Item = String> {
        self.listeners.iter().enumerate().map(|(n, listener)| match listener.listen() {
            Listen::Tcp { addr, .. } if n == 0 && self.config.addr.is_some() => addr.to_string(),
            place @ (Listen::Tcp { .. } | Listen::Unix(_)) => place.to_string(),
        })
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
        self.run_and_reload(stop, pending())
    }

    /// The same, and takes new limits and a new certificate for connections to come. All else that these configurations say,
    /// such as where to listen, needs another start.
    ///
    /// # Errors
    /// As those of [`Self::run`].
    ///
    /// # Panics
    /// As [`Self::run`] does.
    pub fn run_and_reload(
        self,
        stop: impl Future<Output = ()> + 'static,
        reloads: impl Stream<Item = Config> + Unpin + 'static,
    ) -> Result<(), String> {
        let Self { listeners, tls, poller, config, store } = self;
        let has_unkept = store.as_ref().map(StoreClient::has_unkept).unwrap_or_default();
        let poller = Rc::new(poller);
        let executor = Executor::new(Rc::clone(&poller));
        let losses = Rc::<Losses>::default();
        let end = executor.run(serve(
            (listeners, tls),
            config,
            store,
            (stop, reloads),
            executor.clone(),
            poller,
            Rc::clone(&losses),
        ));
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

/// Takes new configurations as they come.
async fn reload(
    mut reloads: impl Stream<Item = Config> + Unpin,
    arrivals: Rc<Arrivals>,
    broker: UnboundedSender<broker::Request>,
) -> Infallible {
    while let Some(config) = reloads.next().await {
        let config = match config.checked() {
            Ok(config) => config,
            Err(sentence) => {
                log::error!("not reloaded: {sentence}");
                continue;
            }
        };
        match config.tls.as_ref().map(server_config).transpose() {
            Ok(tls) => {
                arrivals.reload(&config, tls);
                broker.unbounded_send(broker::Request::Reload(Box::new(config))).ok(); // fails when the broker is dead
                log::info!("reloaded: limits, certificate and bans, for what comes after");
            }
            Err(sentence) => log::error!("not reloaded: {sentence}"),
        }
    }
    future::pending().await
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

/// Ends when the broker asks for the server's end. If it is dropped without that, as after a panic, that is for others to see.
async fn asked_to_end(asked: oneshot::Receiver<()>) {
    if asked.await.is_err() {
        future::pending::<()>().await;
    }
}

async fn serve(
    (listeners, tls): (Vec<Listener>, Option<Arc<ServerConfig>>),
    config: Config,
    store: Option<StoreClient>,
    (stop, reloads): (impl Future<Output = ()>, impl Stream<Item = Config> + Unpin),
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
    let (handshakes, granting) = handshakes();
    executor.spawn(granting).detach();
    let drain_timeout = config.drain_timeout;
    let mut broker = Broker::new(config.clone(), Arc::clone(&memory), Rc::clone(&backlog), Rc::clone(&departed));
    let (stop_sender, asked) = oneshot::channel();
    broker.set_stop(stop_sender);
    let metrics = Rc::clone(&broker.metrics);
    let stop = select(Box::pin(stop), Box::pin(asked_to_end(asked)));
    let broker = executor.spawn(broker::run(inbox, Rc::clone(&poller), broker, clock, store));
    let shared = Rc::new(Shared {
        broker: requests.clone(),
        clock,
        trusted: RefCell::new(config.trusted.clone()),
        limits: RefCell::new(Arc::new(config.limits)),
        losses: Rc::clone(&losses),
        memory,
        metrics: Rc::clone(&metrics),
        backlog,
        departed,
        scheduler,
        handshakes,
        next_client: Cell::new(ClientId(1)),
    });
    let arrivals = Rc::new(Arrivals::new(executor, poller, &config, tls, shared));
    let loops = listeners.into_iter().map(|listener| Box::pin(accept::run(listener, Rc::clone(&arrivals))));
    let accepting = select_all(loops.collect::<Vec<_>>());
    let accepting = select(accepting, Box::pin(reload(reloads, arrivals, requests.clone())));
    pin_mut!(stop);
    match select(broker, select(stop, accepting)).await {
        Either::Left((_, _)) => unreachable!("the broker ends after the last of its senders, and one is here"),
        Either::Right((Either::Left((_, accepting)), broker)) => {
            drop(accepting); // and with it its sender; the listeners close
            log::info!("shutting down");
            metrics.drain();
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
        Either::Right((Either::Right((Either::Left(((never, ..), _)) | Either::Right((never, _)), _)), _)) => {
            match never {}
        }
    }
}
