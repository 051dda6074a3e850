//! Accepted connections, of all listeners: which are let in, and what a connection future begins with.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rustix::fd::OwnedFd;
use rustls::ServerConfig;
use smol_timeout::TimeoutExt;

use super::{
    admission::{Admission, Place},
    connection::{Connection, Shared},
    listener::Peer,
    refusals::Refusals,
    transport::{TlsSocket, Transport},
};
use crate::{
    Config,
    address::Cidr,
    broker::outbox,
    listen::Listen,
    origin::{Addr, Origin},
    protocol::{Dialect, Session},
    reactor::{Clock, Executor, Poller, Socket, Token},
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Lets accepted connections in, or refuses them.
pub(super) struct Arrivals {
    /// The token of the next socket.
    next: Cell<Token>,
    /// The number of the next connection of a user of this machine.
    next_of_users: Cell<u64>,
    executor: Executor,
    poller: Rc<Poller>,
    admission: Rc<RefCell<Admission>>,
    refusals: RefCell<Refusals>,
    /// Addresses that are spared the limits for one address.
    trusted: RefCell<Vec<Cidr>>,
    /// What new connections with TLS begin with.
    tls: RefCell<Option<Arc<ServerConfig>>>,
    /// The dialect that connections begin with.
    dialect: Dialect,
    shared: Rc<Shared>,
}

/// The connection of a client whose socket the broker may write to.
fn plain(origin: Origin, socket: Rc<Socket>, dialect: Dialect, place: Place, shared: &Rc<Shared>) -> Connection {
    let (outbox, inbox) = outbox(Some(Rc::clone(&socket)), Arc::clone(&shared.memory));
    let session = Session::new(Arc::clone(&shared.limits.borrow()), dialect, shared.clock.now());
    Connection::new(origin, outbox, Transport::Plain(socket), inbox, session, place, shared)
}

impl Arrivals {
    pub(super) fn new(
        executor: Executor,
        poller: Rc<Poller>,
        config: &Config,
        tls: Option<Arc<ServerConfig>>,
        shared: Rc<Shared>,
    ) -> Self {
        let dialect = Dialect { lang: config.lang, ..Dialect::default() };
        Self {
            next: Cell::new(Token(1)),
            next_of_users: Cell::new(1),
            executor,
            poller,
            admission: Rc::new(RefCell::new(Admission::new(config))),
            refusals: RefCell::new(Refusals::new(dialect)),
            trusted: RefCell::new(config.trusted.clone()),
            tls: RefCell::new(tls),
            dialect,
            shared,
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// Lets the connection in, if it may come in. Answers whether.
    ///
    /// # Errors
    /// When the kernel has no memory to watch the connection with; it is closed then.
    pub(super) fn admit(&self, stream: OwnedFd, peer: Peer, listen: &Listen) -> io::Result<bool> {
        let origin = Origin { is_encrypted: listen.is_tls(), ..self.origin(peer) };
        let now = self.clock().now();
        match Place::take(&self.admission, origin.payer(&self.trusted.borrow()), now) {
            Ok(place) => self.connect(stream, origin, place).map(|()| true),
            Err(departure) => {
                let mut refusals = self.refusals.borrow_mut();
                if listen.is_tls() {
                    refusals.close(stream, origin.addr, departure, now); // a handshake is more than it may cost
                } else {
                    refusals.refuse(stream, origin.addr, departure, now);
                }
                Ok(false)
            }
        }
    }

    /// New connections begin with these limits and this certificate.
    pub(super) fn reload(&self, config: &Config, tls: Option<Arc<ServerConfig>>) {
        self.admission.borrow_mut().set_limits(config);
        self.trusted.replace(config.trusted.clone());
        self.shared.limits.replace(Arc::new(config.limits));
        if tls.is_some() {
            self.tls.replace(tls);
        }
    }

    fn origin(&self, peer: Peer) -> Origin {
        match peer {
            Peer::Ip(addr) => addr.into(),
            Peer::User(uid) => {
                let id = self.next_of_users.get();
                self.next_of_users.set(id + 1);
                Origin { addr: Addr::Unix { uid, id }, is_told: false, is_encrypted: false, account: None }
            }
        }
    }

    fn connect(&self, stream: OwnedFd, origin: Origin, place: Place) -> io::Result<()> {
        let token = self.next.get();
        let socket = Rc::new(Socket::new(stream, token, Rc::clone(&self.poller))?);
        self.next.set(Token(token.0 + 1));
        let (dialect, shared) = (self.dialect, Rc::clone(&self.shared));
        let tls = self.tls.borrow().clone().filter(|_| origin.is_encrypted);
        let Some(tls) = tls else {
            let mut connection = plain(origin, socket, dialect, place, &shared);
            self.executor.spawn(async move { connection.run().await }).detach();
            return Ok(());
        };
        let connect = async move {
            let (outbox, inbox) = outbox(None, Arc::clone(&shared.memory));
            let addr = origin.addr;
            // Boxed: an open connection has no room for what only its beginning needs.
            let handshake = Box::pin(TlsSocket::accept(socket, tls, inbox.gauge(), &shared.handshakes));
            let tls = match handshake.timeout(HANDSHAKE_TIMEOUT).await {
                Some(Ok(tls)) => Transport::Tls(Box::new(tls)),
                Some(Err(error)) => return log::debug!("{addr} made no TLS handshake: {error}"),
                None => return log::debug!("{addr} made no TLS handshake in time"),
            };
            let session = Session::new(Arc::clone(&shared.limits.borrow()), dialect, shared.clock.now());
            Connection::new(origin, outbox, tls, inbox, session, place, &shared).run().await;
        };
        self.executor.spawn(connect).detach();
        Ok(())
    }

    /// Closes the refused connections whose time is over. Answers when there is something to do next.
    pub(super) fn close_refused(&self, now: Duration) -> Option<Duration> {
        let mut refusals = self.refusals.borrow_mut();
        refusals.timeout(now);
        refusals.deadline()
    }

    /// Closes all refused connections: their descriptors are needed.
    pub(super) fn close_all_refused(&self) {
        self.refusals.borrow_mut().close_all();
    }
}
