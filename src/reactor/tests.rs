//! What the tests share: an executor with its poller, and sockets with their peers.

mod sockets;
mod waking;

use std::{
    future::Future,
    net::{Shutdown, TcpListener, TcpStream},
    rc::Rc,
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::ioctl_fionread,
    net::{SendFlags, send, sockopt},
};
use smol_timeout::TimeoutExt;
use socket2::SockRef;

use super::{Executor, Poller, Socket, Token};

/// What takes longer has not been woken.
const PATIENCE: Duration = Duration::from_secs(10);

fn executor() -> (Executor, Rc<Poller>) {
    let poller = Rc::new(Poller::new().unwrap());
    (Executor::new(Rc::clone(&poller)), poller)
}

/// Runs a task that must end.
fn run<T: 'static>(executor: &Executor, task: impl Future<Output = T> + 'static) -> T {
    executor.run(task.timeout(PATIENCE)).expect("it ends in time")
}

/// The other side of a socket's connection.
struct Peer {
    stream: TcpStream,
    /// The socket's end, to see what has arrived there.
    other_end: TcpStream,
}

/// A socket and its peer.
fn pair(poller: &Rc<Poller>, token: u64) -> (Socket, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    sockopt::set_socket_oobinline(&stream, true).unwrap();
    let other_end = stream.try_clone().unwrap();
    (Socket::new(stream, Token(token), Rc::clone(poller)).unwrap(), Peer { stream: peer, other_end })
}

impl Peer {
    /// Sends bytes, and waits until they have arrived, which is no event for anybody.
    fn send(&self, bytes: &[u8]) {
        self.send_with(bytes, SendFlags::empty());
    }

    fn send_with(&self, bytes: &[u8], flags: SendFlags) {
        let arrived = || ioctl_fionread(&self.other_end).unwrap();
        let expected = arrived() + bytes.len() as u64;
        assert_eq!(send(&self.stream, bytes, flags), Ok(bytes.len()));
        while arrived() < expected {
            thread::yield_now();
        }
    }

    /// Sends the end, and waits until it has arrived.
    fn shutdown(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
        poll(&mut [PollFd::new(&self.other_end, PollFlags::RDHUP)], None).unwrap();
    }

    fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
