//! The shell around the rules: sockets, tasks, queues and timers. Knows no rules. All of it lives on the thread that runs the
//! server; async-std's reactor, on one of its own, tells of new connections and timers.

mod accept;
mod alarm;
mod broker;
mod connection;
mod executor;
mod outbox;
mod pace;
mod readiness;
mod socket;
mod writer;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use async_std::net::TcpListener;
use futures::{
    channel::mpsc,
    future::{Either, select},
    pin_mut,
};
use smol_timeout::TimeoutExt;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use self::{
    executor::Executor,
    readiness::{Poller, Readiness},
};
use crate::chat::{Lang, Limits, Places, Rate, Rules};

/// Connections that the kernel completes ahead of `accept`. Also bounded by net.core.somaxconn.
const BACKLOG: i32 = 4096;
/// Silence of a peer's kernel before it is probed, between probes, and how many probes: a dead peer is found in 90 s.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10)).with_retries(3);
/// How long sent bytes may go unacknowledged before the kernel gives the peer up.
const USER_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes that the kernel takes for a peer ahead of what it can send. Without it, megabytes: a slow reader would look stuck
/// for long, and then fast for a moment.
const UNSENT_MAX: u32 = 128 << 10;

/// What an operator can set. The defaults are those of the flags.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub addr: SocketAddr,
    /// The language that connections begin with.
    pub lang: Lang,
    /// Silence, in lines, after which a client is disconnected. Zero: never.
    pub idle_timeout: Duration,
    /// How many may be here.
    pub places: Places,
    /// The longest line, in bytes without its ending.
    pub line_max: usize,
    /// How fast a client may send lines.
    pub rate: Rate,
    /// Bytes that may wait for one client; over it, it is cut as a slow consumer.
    pub queue_max: usize,
    /// Bytes that may wait for all clients together, each byte counted once however many wait for it.
    pub queued_total_max: usize,
    /// How long a client may take no bytes while some wait for it.
    pub write_timeout: Duration,
    /// The longest wait that a client may ask for.
    pub wait_max: Duration,
    /// No client may be exempt from the idle timeout.
    pub strict_idle: bool,
    /// How long the end of the server waits for queues to empty.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 9999)),
            lang: Lang::Zh,
            idle_timeout: Duration::from_secs(300),
            places: Places::default(),
            line_max: 4096,                                 // the tutorial's read buffer
            rate: Rate { per_second: 1000, burst: 10_000 }, // a person's paste is free, a flood is not
            queue_max: 1 << 20,
            queued_total_max: 256 << 20,
            write_timeout: Duration::from_secs(10), // as NATS's write_deadline
            wait_max: Duration::from_secs(3600),
            strict_idle: false,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

impl Config {
    fn rules(&self) -> Rules {
        let limits = Limits {
            line_max: self.line_max,
            queue_max: self.queue_max,
            rate: self.rate,
            idle_timeout: self.idle_timeout,
            write_timeout: self.write_timeout,
            wait_max: self.wait_max,
            clients_max: self.places.total,
        };
        Rules { places: self.places, wait_max: self.wait_max, strict_idle: self.strict_idle, limits: Arc::new(limits) }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    poller: Poller,
    config: Config,
}

impl Server {
    /// Begins to listen; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// Where the address can't be listened on.
    pub fn bind(config: Config) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(config.addr), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit these: no system call per connection.
        socket.set_tcp_nodelay(true)?;
        socket.set_out_of_band_inline(true)?; // telnet's interrupt is urgent data, in the middle of a command
        socket.set_tcp_keepalive(&KEEPALIVE)?;
        socket.set_tcp_notsent_lowat(UNSENT_MAX)?;
        socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
        socket.bind(&config.addr.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(std::net::TcpListener::from(socket));
        Ok(Self { addr: listener.local_addr()?, listener, poller: Poller::new()?, config })
    }

    /// Where it listens, with the port that port 0 became.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves on this thread until `stop`; then takes no new connections, tells everyone, and waits for the queues to empty,
    /// for the drain timeout at the most.
    ///
    /// # Panics
    /// When the broker panics: without it there is no chat, and who runs the server must know.
    pub fn run(self, stop: impl Future<Output = ()> + 'static) {
        let Self { listener, poller, config, .. } = self;
        let readiness = Rc::new(Readiness::new(poller));
        let executor = Executor::new(Rc::clone(&readiness));
        executor.run(serve(listener, config, stop, executor.clone(), readiness));
    }
}

async fn serve(
    listener: TcpListener,
    config: Config,
    stop: impl Future<Output = ()>,
    executor: Executor,
    readiness: Rc<Readiness>,
) {
    let (requests, inbox) = mpsc::unbounded();
    let clock = Clock { start: Instant::now() };
    let drain_timeout = config.drain_timeout;
    let broker = executor.spawn(broker::run(inbox, Rc::clone(&readiness), config.clone(), clock));
    let accepting = Box::pin(accept::run(listener, requests.clone(), executor, readiness, config, clock));
    pin_mut!(stop);
    match select(broker, select(stop, accepting)).await {
        Either::Left(((), _)) => unreachable!("the broker ends after the last of its senders, and one is here"),
        Either::Right((Either::Left(((), accepting)), broker)) => {
            drop(accepting); // and with it its sender; the listener closes
            log::info!("shutting down");
            // An error means that the broker is dead, which awaiting it tells.
            requests.unbounded_send(broker::Request::ShutDown).ok();
            drop(requests);
            // The broker ends when the last connection is through.
            if broker.timeout(drain_timeout).await.is_none() {
                log::warn!("the drain timeout is over, some clients did not take all that was sent to them");
            }
        }
        Either::Right((Either::Right((never, _)), _)) => match never {},
    }
}

/// Tells the time to the rules, which know none: as the time since the server began.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Instant,
}

impl Clock {
    fn now(self) -> Duration {
        self.start.elapsed()
    }

    fn instant(self, at: Duration) -> Instant {
        self.start + at
    }
}
