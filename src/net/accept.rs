//! The accept loop: owns the listener and gives out client ids.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpStream},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use async_std::{net::TcpListener, task};
use futures::channel::mpsc::UnboundedSender;
use rustix::net::{SocketFlags, acceptfrom_with};

use super::connection::Connection;
use crate::{
    Config,
    broker::{Request, outbox},
    chat::ClientId,
    protocol::{Dialect, Format, Lang, Limits, Session},
    reactor::{Clock, Executor, Poller, Socket, Token},
};

/// How long to wait after a failed `accept`, doubled each time. Errors pass: what is missing (descriptors, memory)
/// comes back when connections end.
const BACKOFF: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Connections accepted before others have a turn, however many knock. Many, since each turn tells everyone who came.
const ACCEPTS_MAX: usize = 1024;

/// Accepts connections for ever, and spawns a connection future for each.
pub(super) async fn run(
    listener: TcpListener,
    broker: UnboundedSender<Request>,
    executor: Executor,
    poller: Rc<Poller>,
    config: Config,
    clock: Clock,
) -> Infallible {
    let mut arrivals = Arrivals {
        next: ClientId(1),
        broker,
        executor,
        poller,
        limits: Arc::new(config.limits),
        lang: config.lang,
        clock,
    };
    let mut backoff = BACKOFF;
    loop {
        let Err(error) = accept_some(&listener, &mut arrivals, &mut backoff).await else { continue };
        if is_about_one_connection(&error) {
            log::debug!("accept: {error}");
            continue;
        }
        if backoff == BACKOFF {
            log::warn!("accept: {error}; trying again until it works");
        }
        task::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Waits for a connection, and accepts those that have come with it, [`ACCEPTS_MAX`] at the most. Only async-std's
/// `accept` can be waited for, but it registers the connection with async-std's reactor, and whoever takes it out has
/// that undone. The others cost one system call each.
async fn accept_some(listener: &TcpListener, arrivals: &mut Arrivals, backoff: &mut Duration) -> io::Result<()> {
    let (stream, addr) = listener.accept().await?;
    arrivals.admit(stream.try_into()?, addr)?;
    *backoff = BACKOFF;
    for _ in 1..ACCEPTS_MAX {
        match accept_now(listener) {
            Ok((stream, addr)) => arrivals.admit(stream, addr)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    task::yield_now().await;
    Ok(())
}

/// # Errors
/// `WouldBlock` when no connection waits: async-std's listeners never block.
fn accept_now(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, addr) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    let addr = addr.ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((stream.into(), addr.try_into()?))
}

/// Makes clients of accepted connections.
struct Arrivals {
    next: ClientId,
    broker: UnboundedSender<Request>,
    executor: Executor,
    poller: Rc<Poller>,
    limits: Arc<Limits>,
    lang: Lang,
    clock: Clock,
}

impl Arrivals {
    /// # Errors
    /// When the kernel has no memory to watch the connection with; it is closed then.
    fn admit(&mut self, stream: TcpStream, addr: SocketAddr) -> io::Result<()> {
        let client = self.next;
        let socket = Rc::new(Socket::new(stream, Token(client.0), Rc::clone(&self.poller))?);
        self.next = ClientId(client.0 + 1);
        let (outbox, inbox) = outbox(Some(Rc::clone(&socket)));
        // Fails only when the broker is dead, and then the server is as good as ended.
        self.broker.unbounded_send(Request::Connect(client, addr, outbox)).ok();
        let dialect = Dialect { format: Format::Text, lang: self.lang };
        let session = Session::new(Arc::clone(&self.limits), dialect, self.clock.now());
        let (broker, congested_from) = (self.broker.clone(), self.limits.queue_max / 2);
        let mut connection = Connection::new(client, socket, inbox, broker, session, self.clock, congested_from);
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
