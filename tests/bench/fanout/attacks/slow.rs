//! Readers that read just enough not to be disconnected, beside talkers whom they should not hold up.

use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::Attack;
use super::arena::Arena;
use super::figure::Figure;
use super::readers::{FULL_SPEED, Readers, Return};
use super::sockets::{drain, push};
use crate::crowd::Crowd;
use crate::load::{Talk, Timing, talk};
use crate::wire::{MARKER, Wire, text};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("slow-1-at-0.1MB/s", |arena| beside(arena, 100, 1, 100_000)),
    Attack::new("slow-1-at-1MB/s", |arena| beside(arena, 100, 1, 1_000_000)),
    Attack::new("slow-1-at-10MB/s", |arena| beside(arena, 100, 1, 10_000_000)),
    Attack::new("slow-10-at-0.1MB/s", |arena| beside(arena, 100, 10, 100_000)),
    Attack::new("slow-10-at-1MB/s", |arena| beside(arena, 100, 10, 1_000_000)),
    Attack::new("slow-10-at-10MB/s", |arena| beside(arena, 100, 10, 10_000_000)),
    Attack::new("slow-100-at-0.1MB/s", |arena| beside(arena, 100, 100, 100_000)),
    Attack::new("slow-100-at-1MB/s", |arena| beside(arena, 100, 100, 1_000_000)),
    Attack::new("slow-100-at-10MB/s", |arena| beside(arena, 100, 100, 10_000_000)),
    Attack::new("slow-400-flooders", |arena| beside(arena, 400, 1, 1_000_000)),
    Attack::new("slow-stuffed", stuffed),
];

/// The kernel holds this much and as much again before a reader is behind.
const RECEIVE_BUFFER: usize = 64 << 10;
/// Tens of megabytes a second for each listener, where nobody is slow: all three rates are slower.
const LINE_BYTES: usize = 250;
/// Lines of each talker that have not reached everyone yet.
const LINES_PER_TALKER: u64 = 3;
/// Connections on their way when the talkers arrive.
const ARRIVALS_AT_ONCE: usize = 256;
/// What a stuffed reader has in its queue: just below `--max-queue`.
const STUFFED_BYTES: usize = 900_000;
/// What it reads per second, and what it is sent as much of.
const STUFFING_RATE: usize = 1_000_000;
const STUFFING_GAP: Duration = Duration::from_millis(40);
const STUFFING_BYTES: usize = STUFFING_RATE / 25;
/// Seconds before something is measured, and while it is.
const AT_FULL_SPEED: (f64, f64) = (0.3, 1.0);
/// First the queues must fill.
const AT_RATE: (f64, f64) = (1.5, 1.5);

/// How much of the talkers' throughput is kept, when the readers slow down from full speed to `rate`.
fn beside(arena: &mut Arena, talkers: usize, readers: usize, rate: u64) -> io::Result<()> {
    let mut crowd = talkers_of(arena, talkers)?;
    let readers = slow_readers(arena, arena.count(readers))?;
    arena.begin()?;
    let before = pace(arena, &mut crowd, talkers, AT_FULL_SPEED)?;
    readers.set_rate(rate);
    let with = pace(arena, &mut crowd, talkers, AT_RATE)?;
    readers.set_rate(FULL_SPEED);
    let after = pace(arena, &mut crowd, talkers, AT_FULL_SPEED)?;
    arena.note(Figure::Kept, with / f64::midpoint(before, after));
    arena.note(Figure::AttackersCut, readers.cut() as f64);
    Ok(())
}

/// The same beside a reader whose queue an accomplice keeps nearly full.
fn stuffed(arena: &mut Arena) -> io::Result<()> {
    const TALKERS: usize = 100;
    let mut crowd = talkers_of(arena, TALKERS)?;
    let readers = slow_readers(arena, 1)?;
    let accomplice = arena.member("")?;
    arena.begin()?;
    let before = pace(arena, &mut crowd, TALKERS, AT_FULL_SPEED)?;
    readers.set_rate(STUFFING_RATE as u64);
    let is_over = AtomicBool::new(false);
    let with = thread::scope(|scope| {
        scope.spawn(|| stuff(&accomplice, &is_over));
        let with = pace(arena, &mut crowd, TALKERS, AT_RATE);
        is_over.store(true, Ordering::Relaxed);
        with
    })?;
    readers.set_rate(FULL_SPEED);
    let after = pace(arena, &mut crowd, TALKERS, AT_FULL_SPEED)?;
    arena.note(Figure::Kept, with / f64::midpoint(before, after));
    arena.note(Figure::AttackersCut, readers.cut() as f64);
    Ok(())
}

fn stuff(accomplice: &TcpStream, is_over: &AtomicBool) {
    let line = format!("to|slow0|{}\n", "p".repeat(4_000));
    let mut bytes = STUFFED_BYTES;
    while !is_over.load(Ordering::Relaxed)
        && push(accomplice, line.repeat(bytes.div_ceil(line.len())).as_bytes()).is_ok()
    {
        drain([accomplice]);
        bytes = STUFFING_BYTES;
        thread::sleep(STUFFING_GAP);
    }
}

fn talkers_of(arena: &mut Arena, talkers: usize) -> io::Result<Crowd> {
    let mut crowd = Crowd::new(arena.dial().to, None, MARKER)?;
    crowd.join(talkers, ARRIVALS_AT_ONCE, |_| String::new())?;
    arena.have_joined(talkers);
    Ok(crowd)
}

/// Readers at full speed for now, who come back when they are disconnected.
fn slow_readers(arena: &mut Arena, readers: usize) -> io::Result<Readers> {
    let dial = arena.dial().receive_buffer(RECEIVE_BUFFER);
    let streams = arena.join_by(dial, readers, |number| format!("rename|slow{number}\n"))?;
    let back = Return { dial, greeting: "rename|slow0\n" };
    Readers::persistent(streams, FULL_SPEED, back)
}

/// Lines per second of all talkers together; they say the next ones when all have heard the last.
fn pace(arena: &Arena, crowd: &mut Crowd, talkers: usize, (warm_up, measured): (f64, f64)) -> io::Result<f64> {
    let line = Wire::Pipe.public(&text(LINE_BYTES)).into_bytes();
    let in_flight = LINES_PER_TALKER * talkers as u64;
    let all = Talk { senders: 0..talkers, line, in_flight, hearers: talkers as u64 };
    let timing = Timing { warm_up: arena.time(warm_up), measured: arena.time(measured) };
    Ok(talk(crowd, &arena.server, &all, timing)?.per_second() / talkers as f64)
}
