//! The accept loop: owns the listener, lets connections in or refuses them, and gives out client ids.

use std::{
    cell::RefCell,
    convert::Infallible,
    io,
    net::{SocketAddr, TcpStream},
    pin::pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use async_std::{net::TcpListener, task};
use futures::future::{Either, select};
use rustix::net::{SocketFlags, acceptfrom_with};

use super::{
    admission::{Admission, Place},
    connection::{Connection, Shared},
    refusals::Refusals,
};
use crate::{
    Config,
    address::Cidr,
    broker::outbox,
    origin::Origin,
    protocol::{Dialect, Session},
    reactor::{Executor, Poller, Socket, Timer, Token},
};

/// How long to wait after a failed `accept`, doubled each time. Errors pass: what is missing (descriptors, memory)
/// comes back when connections end.
const BACKOFF: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Connections accepted before other tasks run, however many are waiting: some milliseconds of work.
const ACCEPTS_MAX: usize = 128;
/// The same for those that are refused: about a millisecond of work that is of use to no client.
const REFUSALS_MAX: usize = 64;

/// Accepts connections for ever, and spawns a connection future for each that may come in.
pub(super) async fn run(
    listener: TcpListener,
    executor: Executor,
    poller: Rc<Poller>,
    config: &Config,
    shared: Rc<Shared>,
) -> Infallible {
    let clock = shared.clock;
    let mut arrivals = Arrivals::new(executor, poller, config, shared);
    let mut timer = Timer::new();
    let mut backoff = BACKOFF;
    loop {
        arrivals.refusals.timeout(clock.now());
        if let Some(deadline) = arrivals.refusals.deadline() {
            timer.set(deadline, clock);
        }
        // Waiting takes async-std's `accept`, which registers the connection with async-std's reactor; `try_into` undoes that.
        // The connections waiting behind it are accepted directly, at one system call each.
        let accepted = match select(pin!(listener.accept()), &mut timer).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(((), _)) => continue,
        };
        let accepted = accepted.and_then(|(stream, addr)| {
            arrivals.admit(stream.try_into()?, addr)?;
            backoff = BACKOFF;
            accept_waiting(&listener, &mut arrivals)
        });
        let Err(error) = accepted else {
            task::yield_now().await;
            continue;
        };
        if is_about_one_connection(&error) {
            log::debug!("accept: {error}");
            continue;
        }
        if backoff == BACKOFF {
            log::warn!("accept: {error}; trying again until it works");
        }
        arrivals.refusals.close_all();
        task::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Accepts the connections that are waiting, up to [`ACCEPTS_MAX`] with the first.
fn accept_waiting(listener: &TcpListener, arrivals: &mut Arrivals) -> io::Result<()> {
    let mut refused = 0;
    for _ in 1..ACCEPTS_MAX {
        match accept_now(listener) {
            Ok((stream, addr)) => refused += usize::from(!arrivals.admit(stream, addr)?),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        if refused == REFUSALS_MAX {
            break;
        }
    }
    Ok(())
}

/// # Errors
/// `WouldBlock` when no connection waits: async-std's listeners never block.
fn accept_now(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, addr) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    let addr = addr.ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((stream.into(), addr.try_into()?))
}

/// Lets accepted connections in, or refuses them.
struct Arrivals {
    /// The token of the next socket.
    next: Token,
    executor: Executor,
    poller: Rc<Poller>,
    admission: Rc<RefCell<Admission>>,
    refusals: Refusals,
    /// Addresses that are spared the limits for one address.
    trusted: Vec<Cidr>,
    /// The dialect that connections begin with.
    dialect: Dialect,
    shared: Rc<Shared>,
}

impl Arrivals {
    fn new(executor: Executor, poller: Rc<Poller>, config: &Config, shared: Rc<Shared>) -> Self {
        let admission = Rc::new(RefCell::new(Admission::new(config)));
        let dialect = Dialect { lang: config.lang, ..Dialect::default() };
        let (refusals, trusted) = (Refusals::new(dialect), config.trusted.clone());
        Self { next: Token(1), executor, poller, admission, refusals, trusted, dialect, shared }
    }

    /// Lets the connection in, if it may come in. Answers whether.
    ///
    /// # Errors
    /// When the kernel has no memory to watch the connection with; it is closed then.
    fn admit(&mut self, stream: TcpStream, addr: SocketAddr) -> io::Result<bool> {
        let origin = Origin::from(addr);
        let now = self.shared.clock.now();
        match Place::take(&self.admission, origin.payer(&self.trusted), now) {
            Ok(place) => self.connect(stream, origin, place).map(|()| true),
            Err(departure) => {
                self.refusals.refuse(stream, origin.addr, departure, now);
                Ok(false)
            }
        }
    }

    fn connect(&mut self, stream: TcpStream, origin: Origin, place: Place) -> io::Result<()> {
        let token = self.next;
        let socket = Rc::new(Socket::new(stream, token, Rc::clone(&self.poller))?);
        self.next = Token(token.0 + 1);
        let (outbox, inbox) = outbox(Some(Rc::clone(&socket)), Arc::clone(&self.shared.memory));
        let session = Session::new(Arc::clone(&self.shared.limits), self.dialect, self.shared.clock.now());
        let mut connection = Connection::new(origin, outbox, socket, inbox, session, place, &self.shared);
        self.executor.spawn(async move { connection.run().await }).detach();
        Ok(())
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
