//! Accepted connections, of all listeners: which are let in, and what a connection future begins with.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use rustix::fd::OwnedFd;

use super::{
    admission::{Admission, Place},
    connection::{Connection, Shared},
    listener::Peer,
    refusals::Refusals,
};
use crate::{
    Config,
    address::Cidr,
    broker::outbox,
    origin::{Addr, Origin},
    protocol::{Dialect, Session},
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
    refusals: RefCell<Refusals>,
    /// Addresses that are spared the limits for one address.
    trusted: Vec<Cidr>,
    /// The dialect that connections begin with.
    dialect: Dialect,
    shared: Rc<Shared>,
}

impl Arrivals {
    pub(super) fn new(executor: Executor, poller: Rc<Poller>, config: &Config, shared: Rc<Shared>) -> Self {
        let dialect = Dialect { lang: config.lang, ..Dialect::default() };
        Self {
            next: Cell::new(Token(1)),
            next_of_users: Cell::new(1),
            executor,
            poller,
            admission: Rc::new(RefCell::new(Admission::new(config))),
            refusals: RefCell::new(Refusals::new(dialect)),
            trusted: config.trusted.clone(),
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
    pub(super) fn admit(&self, stream: OwnedFd, peer: Peer) -> io::Result<bool> {
        let origin = self.origin(peer);
        let now = self.clock().now();
        match Place::take(&self.admission, origin.payer(&self.trusted), now) {
            Ok(place) => self.connect(stream, origin, place).map(|()| true),
            Err(departure) => {
                self.refusals.borrow_mut().refuse(stream, origin.addr, departure, now);
                Ok(false)
            }
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
        let (outbox, inbox) = outbox(Some(Rc::clone(&socket)), Arc::clone(&self.shared.memory));
        let session = Session::new(Arc::clone(&self.shared.limits), self.dialect, self.clock().now());
        let mut connection = Connection::new(origin, outbox, socket, inbox, session, place, &self.shared);
        self.executor.spawn(async move { connection.run().await }).detach();
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
