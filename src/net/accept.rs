//! The accept loop: owns the listener and gives out client ids.

use std::{convert::Infallible, io, net::SocketAddr, rc::Rc, time::Duration};

use async_std::{net::TcpListener, task};
use futures::channel::mpsc::UnboundedSender;

use super::connection::Connection;
use crate::{
    Config,
    broker::{Request, outbox},
    chat::ClientId,
    reactor::{Clock, Executor, Poller, Socket, Token},
};

/// How long to wait after a failed `accept`, doubled each time. Errors pass: what is missing (descriptors, memory) comes
/// back when connections end.
const BACKOFF: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// Connections accepted before others have a turn, however many knock. Many, since each turn tells everyone who came.
const ACCEPTS_MAX: u64 = 1024;

/// Accepts connections for ever, and spawns a connection future for each.
pub(super) async fn run(
    listener: TcpListener,
    broker: UnboundedSender<Request>,
    executor: Executor,
    poller: Rc<Poller>,
    config: Config,
    clock: Clock,
) -> Infallible {
    let config = Rc::new(config);
    let mut next = ClientId(1);
    let mut backoff = BACKOFF;
    loop {
        match accept(&listener, next, &poller).await {
            Ok((socket, addr)) => {
                backoff = BACKOFF;
                let socket = Rc::new(socket);
                let (outbox, inbox) = outbox(addr, Rc::clone(&socket), config.lang);
                // Fails only when the broker is dead, and then the server is as good as ended.
                broker.unbounded_send(Request::Arrive(next, outbox)).ok();
                let mut connection = Connection::new(next, socket, inbox, broker.clone(), Rc::clone(&config), clock);
                executor.spawn(async move { connection.run().await }).detach();
                next = ClientId(next.0 + 1);
                if next.0.is_multiple_of(ACCEPTS_MAX) {
                    task::yield_now().await;
                }
            }
            Err(error) if is_about_one_connection(&error) => log::debug!("accept: {error}"),
            Err(error) => {
                if backoff == BACKOFF {
                    log::warn!("accept: {error}; trying again until it works");
                }
                task::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF_MAX);
            }
        }
    }
}

async fn accept(listener: &TcpListener, client: ClientId, poller: &Rc<Poller>) -> io::Result<(Socket, SocketAddr)> {
    let (stream, addr) = listener.accept().await?;
    Ok((Socket::new(stream.try_into()?, Token(client.0), Rc::clone(poller))?, addr))
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}
