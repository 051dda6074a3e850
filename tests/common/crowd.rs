//! Many clients at once. What they hear is thrown away.

use std::{
    io::{self, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    event::{Timespec, epoll},
    net::{RecvFlags, SendFlags, recv, send, sockopt::set_socket_linger},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use super::{Client, Server};

/// Connections that are opened before all are read again: what they hear of each other must not fill their queues.
const DIALS_PER_DISCARD: usize = 200;
/// How long to wait for something to read before looking whether to end.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Clients that read only when they are told to.
#[derive(Debug)]
pub struct Crowd(Vec<TcpStream>);

/// The same, read by a thread as fast as it can.
#[derive(Debug)]
pub struct Reading {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Crowd {
    /// Connects so many clients, each of which says a greeting with its number in it. All of that has taken effect.
    #[track_caller]
    pub fn join(server: &Server, size: usize, greeting: impl Fn(usize) -> String) -> Self {
        let files = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).expect("up to the maximum");
        let mut clients: Vec<Client> = Vec::with_capacity(size);
        for number in 0..size {
            let mut client = server.dial();
            client.send(greeting(number).as_bytes());
            clients.push(client);
            if clients.len() % DIALS_PER_DISCARD == 0 {
                clients.iter_mut().for_each(|client| drop(client.fence_anywhere()));
            }
        }
        clients.iter_mut().for_each(|client| drop(client.fence_anywhere()));
        clients.into()
    }

    /// Each sends these bytes; one that was disconnected, or whose kernel takes no more, sends what it can.
    pub fn send(&self, bytes: &[u8]) {
        for mut stream in &self.0 {
            stream.write_all(bytes).ok();
        }
    }

    /// Each sends as much of these bytes as its kernel takes at once.
    pub fn send_now(&self, bytes: &[u8]) {
        for stream in &self.0 {
            send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
        }
    }

    /// Each sends a FIN; it reads on.
    pub fn half_close(&self) {
        self.0.iter().for_each(|stream| stream.shutdown(Shutdown::Write).expect("connected"));
    }

    /// Each breaks off.
    pub fn reset(self) {
        for stream in self.0 {
            set_socket_linger(&stream, Some(Duration::ZERO)).expect("an option");
        }
    }

    pub fn streams(&self) -> &[TcpStream] {
        &self.0
    }

    /// From here on they read.
    pub fn read(self) -> Reading {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        Reading { is_over, thread: Some(thread::spawn(move || read_all(&self.0, &ends).expect("epoll"))) }
    }
}

impl From<Vec<Client>> for Crowd {
    fn from(clients: Vec<Client>) -> Self {
        Self(clients.into_iter().map(|client| client.stream).collect())
    }
}

impl Reading {
    /// Closes them. Answers how many were closed by the server before.
    pub fn finish(mut self) -> usize {
        self.is_over.store(true, Relaxed);
        self.thread.take().expect("not finished yet").join().expect("no panic")
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.is_over.store(true, Relaxed);
    }
}

/// Reads until it is over, and answers how many have ended by then.
fn read_all(streams: &[TcpStream], is_over: &AtomicBool) -> io::Result<usize> {
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for (number, stream) in streams.iter().enumerate() {
        epoll::add(&poller, stream, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?;
    }
    let (mut events, mut ended) = (Vec::with_capacity(256), 0);
    while !is_over.load(Relaxed) {
        events.clear();
        match epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), Some(&PATIENCE)) {
            Err(error) if error != rustix::io::Errno::INTR => return Err(error.into()),
            Ok(_) | Err(_) => {}
        }
        for event in &events {
            let stream = &streams[usize::try_from(event.data.u64()).expect("an index")];
            if has_ended(stream) {
                epoll::delete(&poller, stream)?;
                ended += 1;
            }
        }
    }
    Ok(ended)
}

/// Throws away what has come. Nothing is copied: tcp(7), MSG_TRUNC.
fn has_ended(stream: &TcpStream) -> bool {
    let nowhere: &mut [u8] = &mut [0; 64 << 10];
    match recv(stream, nowhere, RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
        Ok((_, read)) => read == 0,
        Err(error) => !matches!(error, rustix::io::Errno::AGAIN | rustix::io::Errno::INTR),
    }
}
