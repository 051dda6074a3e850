//! Passes on what is said between a local socket, in the clear, and the server's, through TLS. Knows nothing of what it is.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    thread,
};

use rustix::event::{PollFd, PollFlags, poll};
use rustls::ClientConnection;

/// Bytes taken at once from either side; no more is taken before they are passed on.
const BYTES_MAX: usize = 16 << 10;

/// Starts a thread that does so until one side ends. Answers the local socket's other end; it is no TCP socket, but reads and
/// writes as one.
pub(super) fn start(tcp: TcpStream, tls: ClientConnection) -> io::Result<TcpStream> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    tcp.set_nonblocking(true)?;
    let mut relay = Relay { local: ours, tcp, tls, to_local: Vec::new(), input: Input::Open };
    thread::Builder::new().name("tls".to_owned()).spawn(move || relay.run())?;
    Ok(TcpStream::from(OwnedFd::from(theirs)))
}

struct Relay {
    local: UnixStream,
    tcp: TcpStream,
    tls: ClientConnection,
    /// What the server has said, as far as it is not passed on.
    to_local: Vec<u8>,
    input: Input,
}

/// What is said here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// No more comes; the server is to be told, when the rest is sent.
    Ended,
    /// It was told.
    Told,
}

impl Relay {
    /// Errors end it: then both sockets close, and the client finds out.
    fn run(&mut self) {
        while let Ok(true) = self.step() {}
    }

    /// Waits until something can be passed on, and does so. Answers whether there may be more.
    fn step(&mut self) -> io::Result<bool> {
        let wants_write = self.tls.wants_write();
        if self.input == Input::Ended && !wants_write {
            self.tcp.shutdown(Shutdown::Write)?;
            self.input = Input::Told;
        }
        let flag = |is_wanted, flag| if is_wanted { flag } else { PollFlags::empty() };
        let takes_local = self.input == Input::Open && !wants_write;
        let takes_server = self.to_local.is_empty();
        let local = flag(takes_local, PollFlags::IN) | flag(!takes_server, PollFlags::OUT);
        let server = flag(takes_server, PollFlags::IN) | flag(wants_write, PollFlags::OUT);
        let mut fds =
            [PollFd::from_borrowed_fd(self.local.as_fd(), local), PollFd::from_borrowed_fd(self.tcp.as_fd(), server)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => return Ok(true),
            other => other?,
        };
        if takes_local {
            self.take_local()?;
        }
        while self.tls.wants_write() && is_done(self.tls.write_tls(&mut self.tcp))? {}
        if takes_server && !self.take_server()? {
            return Ok(false);
        }
        self.pass_on()?;
        Ok(true)
    }

    fn take_local(&mut self) -> io::Result<()> {
        let mut buffer = [0; BYTES_MAX];
        match self.local.read(&mut buffer) {
            Ok(0) => {
                self.tls.send_close_notify();
                self.input = Input::Ended;
            }
            Ok(read) => self.tls.writer().write_all(&buffer[..read])?,
            other => drop(is_done(other)?),
        }
        Ok(())
    }

    /// Answers whether the server may say more.
    fn take_server(&mut self) -> io::Result<bool> {
        let is_over = match self.tls.read_tls(&mut self.tcp) {
            Ok(read) => read == 0,
            other => {
                is_done(other)?;
                false
            }
        };
        let state = self.tls.process_new_packets().map_err(io::Error::other)?;
        let mut text = vec![0; state.plaintext_bytes_to_read()];
        self.tls.reader().read_exact(&mut text)?;
        self.to_local = text;
        if is_over || state.peer_has_closed() {
            self.local.set_nonblocking(false)?; // what is left is passed on, or nobody wants it
            self.local.write_all(&self.to_local)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn pass_on(&mut self) -> io::Result<()> {
        while !self.to_local.is_empty() {
            match self.local.write(&self.to_local) {
                Ok(written) => drop(self.to_local.drain(..written)),
                other => {
                    is_done(other)?;
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Whether something was done; not where the socket would block.
fn is_done(result: io::Result<usize>) -> io::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(false),
        Err(error) => Err(error),
    }
}
