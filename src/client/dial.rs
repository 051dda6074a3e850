//! The attempt to connect, by a deadline.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
};

use super::{ANSWER_MAX, Deadline, Failure, endpoint::Endpoint, tls};

/// Connects in a thread of its own, because nothing limits how long the lookup of a host takes.
///
/// # Errors
/// [`Failure::Lost`] if nobody answers there, [`Failure::NoTls`] if one does whom TLS does not trust, [`Failure::TimedOut`] at the
/// deadline.
pub(super) fn connect(endpoint: &Endpoint, deadline: Deadline) -> Result<TcpStream, Failure> {
    let (sender, connected) = channel();
    let Endpoint { host, port, tls } = endpoint;
    let (target, tls) = ((host.clone(), *port), tls.clone());
    thread::spawn(move || {
        let attempt = target.to_socket_addrs().and_then(|addrs| {
            let mut refusal = io::Error::new(io::ErrorKind::NotFound, "it has no address");
            for addr in addrs {
                match TcpStream::connect(addr) {
                    Ok(stream) if is_its_own_peer(&stream) => refusal = io::ErrorKind::ConnectionRefused.into(),
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return match tls {
                            Some(tls) => tls::begin(&target.0, stream, tls),
                            None => Ok(stream),
                        };
                    }
                    Err(error) => refusal = error,
                }
            }
            Err(refusal)
        });
        sender.send(attempt).ok(); // too late, otherwise
    });
    let cannot = |why: String| Failure::Lost(format!("can't connect to {host} port {port}: {why}"));
    match connected.recv_timeout(deadline.left().unwrap_or(ANSWER_MAX)) {
        Ok(attempt) => attempt.map_err(|error| match tls::why_not(&error) {
            Some(why) => Failure::NoTls(format!("can't connect to {host} port {port}: {why}")),
            None => cannot(error.to_string()),
        }),
        Err(RecvTimeoutError::Timeout) => {
            Err(Failure::TimedOut(format!("timed out: can't connect to {host} port {port}")))
        }
        Err(RecvTimeoutError::Disconnected) => Err(cannot("the attempt failed".to_owned())),
    }
}

/// Whether the kernel has connected the socket to itself. That can happen where nobody listens, if the port is one that the
/// kernel also gives to clients.
fn is_its_own_peer(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, TcpListener};

    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn a_socket_that_is_connected_to_itself_is_no_server() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        assert!(is_its_own_peer(&socket.into()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_its_own_peer(&TcpStream::connect(listener.local_addr().unwrap()).unwrap()));
    }
}
