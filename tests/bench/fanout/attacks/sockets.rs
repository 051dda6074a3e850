//! Connections of attackers. Knows how to connect, to send without waiting for an answer, and to leave abruptly.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::net::{self, AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};

/// How long to wait for room in a socket, which a frozen server does not make.
const SEND_PATIENCE: Duration = Duration::from_secs(20);
/// Of a socket that waits for it.
const NAP: Duration = Duration::from_micros(500);

/// How to connect.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dial {
    pub(super) to: SocketAddrV4,
    pub(super) from: Option<Ipv4Addr>,
    /// What the kernel may receive before the client reads, in bytes; the default grows to megabytes.
    pub(super) receive_buffer: Option<usize>,
}

impl Dial {
    pub(super) fn from(self, address: Ipv4Addr) -> Self {
        Self { from: Some(address), ..self }
    }

    pub(super) fn receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: Some(bytes), ..self }
    }

    /// Connects; from here on the socket never blocks.
    pub(super) fn connect(self) -> io::Result<TcpStream> {
        let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let Some(bytes) = self.receive_buffer {
            sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
        }
        if let Some(address) = self.from {
            net::bind(&socket, &SocketAddrV4::new(address, 0))?;
        }
        net::connect(&socket, &self.to)?;
        let stream = TcpStream::from(socket);
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

/// Sends all of it, however long the server takes to read, within limits.
pub(super) fn push(mut stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    let deadline = Instant::now() + SEND_PATIENCE;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(taken) => bytes = &bytes[taken..],
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => sleep(NAP),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads and throws away what has come in. Whether the server has closed shows itself elsewhere.
pub(super) fn drain<'a>(streams: impl IntoIterator<Item = &'a TcpStream>) {
    let mut waste = vec![0; 256 << 10];
    for mut stream in streams {
        while stream.read(&mut waste).is_ok_and(|bytes| bytes > 0) {}
    }
}

/// Sends the same from all of them, as far as they have room for it: an attacker does not wait.
pub(super) fn send_all(streams: &[TcpStream], bytes: &[u8]) {
    for stream in streams {
        // One that the server has disconnected attacks no more.
        net::send(stream, bytes, SendFlags::NOSIGNAL).ok();
    }
}

/// Leaves with a reset instead of a FIN.
pub(super) fn reset(stream: TcpStream) {
    sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).ok();
    drop(stream);
}

/// Does the same in several threads until `end`, and says how often it was done. A thread ends with its first error:
/// there are no more ports, or there is no more server.
pub(super) fn in_parallel(threads: usize, end: Instant, act: impl Fn(usize) -> io::Result<()> + Sync) -> usize {
    let act = &act;
    thread::scope(|scope| {
        let repeat = |number| {
            move || {
                let mut times = 0;
                while Instant::now() < end && act(number).is_ok() {
                    times += 1;
                }
                times
            }
        };
        let threads: Vec<_> = (0..threads).map(|number| scope.spawn(repeat(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(0)).sum()
    })
}
