//! What comes before a conversation: the header of a proxy, and a TLS handshake. Each has its time, and a connection that does
//! not do its part is closed without a word to anybody.

use std::{cell::RefCell, future::poll_fn, io, pin::pin, rc::Rc, sync::Arc, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, Shared, select},
};
use rustls::ServerConfig;
use smol_timeout::TimeoutExt;

use super::{
    admission::Place,
    connection::{self, Connection},
    refusals::Refusals,
    transport::{TlsSocket, Transport},
    web::{Hub, Web},
};
use crate::{
    broker::{Departed, QueueGauge, outbox, outbox_counted},
    chat::ClientId,
    listen::Door,
    origin::Origin,
    protocol::{Dialect, HEADER_BYTES_MAX, Header, Session},
    reactor::{Socket, is_transient},
};

/// How long the header of a proxy may take, and how long a TLS handshake.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Resolves when the server shuts down: what has not begun then never does.
pub(super) type Closing = Shared<oneshot::Receiver<()>>;

/// A connection that was let in.
pub(super) struct Beginning {
    pub(super) origin: Origin,
    pub(super) socket: Rc<Socket>,
    /// It begins with the header of a proxy, which is this place's peer until that says otherwise.
    pub(super) is_proxied: bool,
    /// What is spoken after that.
    pub(super) door: Door,
    /// What comes next is a TLS handshake.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) dialect: Dialect,
    pub(super) refusals: Rc<RefCell<Refusals>>,
    pub(super) hub: Rc<Hub>,
    pub(super) shared: Rc<connection::Shared>,
    /// The last field: the place must not be free before the socket is closed.
    pub(super) place: Place,
}

impl Beginning {
    /// The connection, where nothing comes before it.
    pub(super) fn connection(self) -> Connection {
        let Self { origin, socket, dialect, shared, place, .. } = self;
        let (outbox, inbox) = outbox(Some(Rc::clone(&socket)), Arc::clone(&shared.memory));
        let session = Session::new(Arc::clone(&shared.limits.borrow()), dialect, shared.clock.now());
        Connection::new(origin, outbox, Transport::Plain(socket), inbox, session, place, &shared)
    }

    /// Goes through the beginning, and serves the client.
    pub(super) fn run(self, closing: Closing) -> impl Future<Output = ()> {
        // Both boxed: an open connection has no room for what only came before it.
        let beginning = Box::pin(self.begin_while_open(closing));
        async {
            let connection = match beginning.await {
                Some(Begun::Connection(connection)) => Some(connection),
                Some(Begun::Web(web, held)) => Box::pin(serve_web(web, held)).await,
                None => None,
            };
            if let Some(mut connection) = connection {
                connection.run().await;
            }
        }
    }

    /// Begins, unless the server shuts down before.
    async fn begin_while_open(self, closing: Closing) -> Option<Begun> {
        let addr = self.origin.addr;
        match select(pin!(self.begin(closing.clone())), closing).await {
            Either::Left((Ok(begun), _)) => Some(begun),
            Either::Left((Err(error), _)) => {
                log::debug!("{addr} made no beginning: {error}");
                None
            }
            Either::Right(_) => None,
        }
    }

    async fn begin(mut self, closing: Closing) -> io::Result<Begun> {
        if self.is_proxied {
            self = self.proxied().await?;
        }
        match (self.tls.take(), self.door) {
            (Some(tls), _) => self.encrypted(tls, closing).await,
            (None, Door::Line) => Ok(Begun::Connection(Box::new(self.connection()))),
            (None, Door::Web) => {
                let gauge = Rc::new(QueueGauge::new(Arc::clone(&self.shared.memory)));
                let transport = Transport::Plain(Rc::clone(&self.socket));
                Ok(self.web(transport, gauge, closing))
            }
        }
    }

    /// The connection, where HTTP is spoken over it.
    fn web(self, transport: Transport, gauge: Rc<QueueGauge>, closing: Closing) -> Begun {
        let Self { origin, socket, hub, shared, place, .. } = self;
        drop(socket); // the transport has it
        let held = Held::new(&shared, &origin, &gauge);
        Begun::Web(Box::new(Web::new(transport, gauge, origin, place, closing, hub, &shared)), held)
    }

    /// The same, from the address that the proxy tells.
    async fn proxied(mut self) -> io::Result<Self> {
        let client = in_time(read_header(&self.socket)).await?;
        if let Some(client) = client {
            let is_encrypted = self.origin.is_encrypted;
            self.origin = Origin { is_told: true, is_encrypted, ..client };
        }
        let (payer, now) = (self.origin.payer(&self.shared.trusted.borrow()), self.shared.clock.now());
        match self.place.reassign(payer, now) {
            Ok(place) => Ok(Self { place, ..self }),
            Err(departure) => {
                self.shared.metrics.refused_connection(departure);
                let mut refusals = self.refusals.borrow_mut();
                if self.tls.is_none() {
                    self.socket.write([&refusals.line(departure, self.door)[..]].into_iter()).ok();
                    self.socket.shutdown().ok();
                }
                refusals.count(self.origin.addr, departure, now);
                Err(io::Error::other(departure.code()))
            }
        }
    }

    async fn encrypted(self, tls: Arc<ServerConfig>, closing: Closing) -> io::Result<Begun> {
        let gauge = Rc::new(QueueGauge::new(Arc::clone(&self.shared.memory)));
        let tls = {
            let held = Held::new(&self.shared, &self.origin, &gauge);
            let socket = Rc::clone(&self.socket);
            let accept = in_time(TlsSocket::accept(socket, tls, &gauge, &self.shared.handshakes));
            match select(pin!(accept), pin!(held.is_discarded())).await {
                Either::Left((tls, _)) => tls?,
                Either::Right(((), _)) => return Err(io::Error::other("memory has run out")),
            }
        };
        let transport = Transport::Tls(Box::new(tls));
        match self.door {
            Door::Web => Ok(self.web(transport, gauge, closing)),
            Door::Line => {
                let Self { origin, socket, dialect, shared, place, .. } = self;
                drop(socket); // the transport has it
                let (outbox, inbox) = outbox_counted(None, gauge);
                let session = Session::new(Arc::clone(&shared.limits.borrow()), dialect, shared.clock.now());
                let connection = Connection::new(origin, outbox, transport, inbox, session, place, &shared);
                Ok(Begun::Connection(Box::new(connection)))
            }
        }
    }
}

/// A connection that has begun.
enum Begun {
    /// One over which lines are spoken.
    Connection(Box<Connection>),
    /// One over which HTTP is spoken, and what is held for it.
    Web(Box<Web>, Held),
}

/// Serves requests until the connection ends, or becomes one that only listens. When memory runs out, it may be ended.
async fn serve_web(mut web: Box<Web>, held: Held) -> Option<Box<Connection>> {
    let stream = match select(pin!(web.run()), pin!(held.is_discarded())).await {
        Either::Left((stream, _)) => stream?,
        Either::Right(((), _)) => return None,
    };
    Some(Box::new(web.into_stream(*stream)))
}

/// What is held for a connection that is no client of the broker: that may discard it when memory runs out.
struct Held {
    id: ClientId,
    departed: Rc<Departed>,
}

impl Held {
    fn new(shared: &connection::Shared, origin: &Origin, gauge: &Rc<QueueGauge>) -> Self {
        let id = shared.next_id();
        shared.departed.begin(id, origin.payer(&shared.trusted.borrow()), Rc::clone(gauge));
        Self { id, departed: Rc::clone(&shared.departed) }
    }

    fn is_discarded(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.departed.poll_discard(self.id, cx))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.departed.remove(self.id);
    }
}

async fn in_time<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    step.timeout(STEP_TIMEOUT).await.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

/// Takes the header, and nothing of what is behind it. Answers where the client comes from, if that is not the proxy.
async fn read_header(socket: &Socket) -> io::Result<Option<Origin>> {
    let mut buffer = [0; HEADER_BYTES_MAX];
    loop {
        poll_fn(|cx| socket.poll_readable(cx)).await;
        let read = match socket.peek(&mut buffer) {
            Err(error) if is_transient(&error) => 0,
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            other => other?,
        };
        match Header::parse(&buffer[..read]) {
            Header::Complete { bytes, client } => {
                socket.read(&mut buffer[..bytes])?;
                return Ok(client.map(Origin::from));
            }
            Header::Incomplete if !socket.has_hung_up() => socket.await_more(),
            Header::Incomplete | Header::Invalid => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no header of the PROXY protocol"));
            }
        }
    }
}
