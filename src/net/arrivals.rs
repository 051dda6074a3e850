//! Accepted connections, of all listeners: which are let in, and what a connection future begins with.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt, channel::oneshot};
use rustix::fd::OwnedFd;
use rustls::ServerConfig;

use super::{
    admission::{Admission, Place},
    beginning::{Beginning, Closing},
    connection::Shared,
    listener::Peer,
    refusals::Refusals,
    web::Hub,
};
use crate::{
    Config,
    address::Cidr,
    broker::Entrance,
    listen::{Door, Listen},
    origin::{Addr, Origin},
    protocol::Dialect,
    reactor::{Clock, Executor, Poller, Socket, Token},
};

/// Lets accepted connections in, or refuses them.
pub(super) struct Arrivals {
    /// The token of the next socket.
    next: Cell<Token>,
    /// The number of the next connection of a user of this machine.
    next_of_users: Cell<u64>,
    executor: Executor,
    poller: Rc<Poller>,
    admission: Rc<RefCell<Admission>>,
    refusals: Rc<RefCell<Refusals>>,
    hub: Rc<Hub>,
    proxies: Vec<Cidr>,
    /// The accounts of users of this machine.
    peers: BTreeMap<u32, Arc<str>>,
    /// What new connections with TLS begin with.
    tls: RefCell<Option<Arc<ServerConfig>>>,
    /// The dialect that connections begin with.
    dialect: Dialect,
    closing: Closing,
    /// Dropped with this, which ends what has not begun.
    _open: oneshot::Sender<()>,
    shared: Rc<Shared>,
}

impl Arrivals {
    pub(super) fn new(
        executor: Executor,
        poller: Rc<Poller>,
        config: &Config,
        tls: Option<Arc<ServerConfig>>,
        shared: Rc<Shared>,
    ) -> Self {
        let (open, closing) = oneshot::channel();
        let dialect = Dialect { lang: config.lang, ..Dialect::default() };
        let admission = Rc::new(RefCell::new(Admission::new(config, Rc::clone(&shared.metrics))));
        let (hub, sessions) = Hub::new(&config.web, config.lang, &admission);
        executor.spawn(sessions).detach();
        Self {
            next: Cell::new(Token(1)),
            next_of_users: Cell::new(1),
            executor,
            poller,
            admission,
            hub,
            refusals: Rc::new(RefCell::new(Refusals::new(dialect))),
            proxies: config.proxies.clone(),
            peers: config.peers.clone(),
            tls: RefCell::new(tls),
            dialect,
            closing: closing.shared(),
            _open: open,
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
        if listen.is_proxied() && !self.is_proxy(&origin) {
            log::debug!("{} is no proxy", origin.addr);
            return Ok(false);
        }
        // Whose limits a proxied connection comes under is told later.
        let payer = origin.payer(&self.shared.trusted.borrow()).filter(|_| !listen.is_proxied());
        match Place::take(&self.admission, Entrance::of(listen), payer, now) {
            Ok(place) => self.connect(stream, origin, place, listen).map(|()| true),
            Err(departure) => {
                self.shared.metrics.refused_connection(departure);
                let mut refusals = self.refusals.borrow_mut();
                if listen.is_tls() {
                    refusals.count(origin.addr, departure, now); // a handshake is more than it may cost
                } else {
                    refusals.refuse(stream, origin.addr, departure, listen.door(), now);
                }
                Ok(false)
            }
        }
    }

    /// New connections begin with these limits and this certificate.
    pub(super) fn reload(&self, config: &Config, tls: Option<Arc<ServerConfig>>) {
        self.admission.borrow_mut().set_limits(config);
        self.hub.reload(&config.web);
        self.shared.trusted.replace(config.trusted.clone());
        self.shared.limits.replace(Arc::new(config.limits));
        if tls.is_some() {
            self.tls.replace(tls);
        }
    }

    /// Whether it may tell other addresses than its own.
    fn is_proxy(&self, origin: &Origin) -> bool {
        origin.addr.ip().is_some_and(|ip| self.proxies.iter().any(|block| block.contains(ip)))
    }

    fn origin(&self, peer: Peer) -> Origin {
        match peer {
            Peer::Ip(addr) => addr.into(),
            Peer::User(uid) => {
                let id = self.next_of_users.get();
                self.next_of_users.set(id + 1);
                let account = self.peers.get(&uid).cloned();
                Origin { addr: Addr::Unix { uid, id }, is_told: false, is_encrypted: false, account }
            }
        }
    }

    fn connect(&self, stream: OwnedFd, origin: Origin, place: Place, listen: &Listen) -> io::Result<()> {
        let token = self.next.get();
        let socket = Rc::new(Socket::new(stream, token, Rc::clone(&self.poller))?);
        self.next.set(Token(token.0 + 1));
        self.shared.metrics.accepted(Entrance::of(listen));
        let beginning = Beginning {
            is_proxied: listen.is_proxied(),
            door: listen.door(),
            tls: self.tls.borrow().clone().filter(|_| listen.is_tls()),
            dialect: self.dialect,
            refusals: Rc::clone(&self.refusals),
            hub: Rc::clone(&self.hub),
            shared: Rc::clone(&self.shared),
            origin,
            socket,
            place,
        };
        if beginning.is_proxied || beginning.tls.is_some() || beginning.door == Door::Web {
            self.executor.spawn(beginning.run(self.closing.clone())).detach();
        } else {
            let mut connection = beginning.connection();
            self.executor.spawn(async move { connection.run().await }).detach();
        }
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
