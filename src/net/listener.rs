//! What accepts connections: a TCP port, or a socket in the file system. Knows nothing of what is spoken there.

use std::{io, net::SocketAddr, time::Duration};

use async_std::{net::TcpListener, os::unix::net::UnixListener};
use rustix::{
    fd::{AsFd, BorrowedFd, OwnedFd},
    net::{SocketFlags, acceptfrom_with, sockopt::socket_peercred},
};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::socket_file::SocketFile;
use crate::listen::Listen;

/// Connections that the kernel completes ahead of `accept`. Also bounded by net.core.somaxconn.
pub(super) const BACKLOG: i32 = 4096;
/// Silence of a peer's kernel before it is probed, between probes, and how many probes: a dead peer is found in 90 s.
const KEEPALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10)).with_retries(3);
/// How long sent bytes may go unacknowledged before the kernel gives the peer up.
const USER_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes that the kernel takes for a peer ahead of what it can send. Without this limit it takes megabytes, and a slow reader
/// looks stuck for a long time, and then fast for a moment.
const UNSENT_MAX: u32 = 128 << 10;

/// A place that is listened on.
#[derive(Debug)]
pub(super) struct Listener {
    kind: Kind,
    listen: Listen,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    /// The file is removed when the listener has been dropped.
    Unix(UnixListener, #[expect(dead_code, reason = "removes the file when it is dropped")] SocketFile),
}

/// Who has connected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Peer {
    Ip(SocketAddr),
    /// A process of this user on the same machine.
    User(u32),
}

impl Listener {
    /// # Errors
    /// One sentence.
    pub(super) fn bind(listen: &Listen) -> io::Result<Self> {
        let bound = match listen {
            &Listen::Tcp { addr, door, is_tls, is_proxied } => tcp(addr).and_then(|listener| {
                let listen = Listen::Tcp { addr: listener.local_addr()?, door, is_tls, is_proxied };
                Ok(Self { listen, kind: Kind::Tcp(listener) })
            }),
            Listen::Unix(path) => SocketFile::bind(path).map(|(listener, file)| Self {
                listen: listen.clone(),
                kind: Kind::Unix(UnixListener::from(listener), file),
            }),
        };
        bound.map_err(|error| {
            let place = match listen {
                Listen::Tcp { addr, .. } => addr.to_string(),
                Listen::Unix(_) => listen.to_string(),
            };
            io::Error::new(error.kind(), format!("can't listen on {place}: {error}"))
        })
    }

    /// Where it listens, with the port that port 0 became.
    pub(super) fn listen(&self) -> &Listen {
        &self.listen
    }

    /// Waits for the next connection. Takes async-std's `accept`, which registers it with async-std's reactor; the conversion
    /// undoes that.
    pub(super) async fn accept(&self) -> io::Result<(OwnedFd, Peer)> {
        match &self.kind {
            Kind::Tcp(listener) => {
                let (stream, addr) = listener.accept().await?;
                Ok((std::net::TcpStream::try_from(stream)?.into(), Peer::Ip(addr)))
            }
            Kind::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let stream = std::os::unix::net::UnixStream::try_from(stream)?;
                user(stream.into())
            }
        }
    }

    /// # Errors
    /// `WouldBlock` when no connection waits: async-std's listeners never block.
    pub(super) fn accept_now(&self) -> io::Result<(OwnedFd, Peer)> {
        let (stream, addr) = acceptfrom_with(self.as_fd(), SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
        match self.kind {
            Kind::Tcp(_) => Ok((stream, Peer::Ip(addr.ok_or(io::ErrorKind::ConnectionAborted)?.try_into()?))),
            Kind::Unix(..) => user(stream),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Tcp(listener) => listener.as_fd(),
            Kind::Unix(listener, _) => listener.as_fd(),
        }
    }
}

/// The connection, and whose process is at its other end.
fn user(stream: OwnedFd) -> io::Result<(OwnedFd, Peer)> {
    let uid = socket_peercred(&stream)?.uid.as_raw();
    Ok((stream, Peer::User(uid)))
}

fn tcp(addr: SocketAddr) -> io::Result<TcpListener> {
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
