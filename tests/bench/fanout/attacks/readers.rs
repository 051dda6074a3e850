//! Clients that read, at full speed or at a rate, on a thread of their own. Counts disconnections, and knows nothing of
//! what the bytes mean.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::sockets::{Dial, push};

/// Reads as fast as it can.
pub(super) const FULL_SPEED: u64 = u64::MAX;
/// One read takes at most this much.
const READ_BYTES: usize = 256 << 10;
/// Between two bites of one who reads at a rate; 10 MB/s are 20 KB, far less than a receive buffer.
const TICK: Duration = Duration::from_millis(2);
/// What may be made up for, when the thread had to wait for a CPU.
const LATE_MAX: Duration = Duration::from_millis(100);
const EVENTS: usize = 1024;

/// Sockets that are read. Dropping it closes them.
#[derive(Debug)]
pub(super) struct Readers {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    /// Bytes per second of each socket, or [`FULL_SPEED`].
    rate: AtomicU64,
    cut: AtomicUsize,
}

/// What a reader does who was disconnected: it comes back, and says this.
#[derive(Debug, Clone)]
pub(super) struct Return {
    pub(super) dial: Dial,
    pub(super) greeting: &'static str,
}

impl Readers {
    pub(super) fn new(sockets: Vec<TcpStream>, rate: u64) -> io::Result<Self> {
        Self::start(sockets, rate, None)
    }

    /// Readers that come back when they are disconnected.
    pub(super) fn persistent(sockets: Vec<TcpStream>, rate: u64, back: Return) -> io::Result<Self> {
        Self::start(sockets, rate, Some(back))
    }

    pub(super) fn set_rate(&self, rate: u64) {
        self.shared.rate.store(rate, Ordering::Relaxed);
    }

    /// How many were disconnected so far.
    pub(super) fn cut(&self) -> usize {
        self.shared.cut.load(Ordering::Relaxed)
    }

    fn start(sockets: Vec<TcpStream>, rate: u64, back: Option<Return>) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { stop: AtomicBool::new(false), rate: AtomicU64::new(rate), cut: AtomicUsize::new(0) });
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (number, socket) in sockets.iter().enumerate() {
            epoll::add(&epoll, socket, EventData::new_u64(number as u64), EventFlags::IN)?;
        }
        let sockets = sockets.into_iter().map(Some).collect();
        let mut read_loop = ReadLoop { shared: Arc::clone(&shared), epoll, sockets, back, waste: vec![0; READ_BYTES] };
        let thread = spawn(move || read_loop.run());
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What the thread has.
struct ReadLoop {
    shared: Arc<Shared>,
    epoll: OwnedFd,
    /// None where one was disconnected, and did not come back.
    sockets: Vec<Option<TcpStream>>,
    back: Option<Return>,
    waste: Vec<u8>,
}

impl ReadLoop {
    fn run(&mut self) {
        let mut events = Vec::with_capacity(EVENTS);
        let mut last = Instant::now();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let rate = self.shared.rate.load(Ordering::Relaxed);
            if rate != FULL_SPEED {
                sleep(TICK);
                let late = last.elapsed().min(LATE_MAX);
                last = Instant::now();
                let bite = (u128::from(rate) * late.as_micros() / 1_000_000).try_into().unwrap_or(READ_BYTES);
                (0..self.sockets.len()).for_each(|number| self.read(number, bite));
                continue;
            }
            last = Instant::now();
            events.clear();
            let patience = Timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
            if epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&patience)).is_err() {
                continue;
            }
            for event in &events {
                let data = event.data;
                self.read(usize::try_from(data.u64()).expect("numbers are indices"), READ_BYTES);
            }
        }
    }

    /// Reads at most `bite` bytes of one socket.
    fn read(&mut self, number: usize, mut bite: usize) {
        while bite > 0 {
            let Some(socket) = &mut self.sockets[number] else { return };
            let most = bite.min(self.waste.len());
            match socket.read(&mut self.waste[..most]) {
                Ok(bytes) if bytes > 0 => bite -= bytes,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
                Ok(_) | Err(_) => {
                    self.shared.cut.fetch_add(1, Ordering::Relaxed);
                    return self.replace(number);
                }
            }
        }
    }

    fn replace(&mut self, number: usize) {
        // Closing a socket takes it out of the epoll.
        self.sockets[number] = None;
        let Some(back) = &self.back else { return };
        // Without a new one there is a reader less to attack with.
        let Ok(socket) = back.dial.connect() else { return };
        push(&socket, back.greeting.as_bytes()).ok();
        if epoll::add(&self.epoll, &socket, EventData::new_u64(number as u64), EventFlags::IN).is_ok() {
            self.sockets[number] = Some(socket);
        }
    }
}
