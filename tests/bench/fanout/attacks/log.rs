//! What an attack costs the disk by way of the log.

use std::io;
use std::time::Instant;

use super::Attack;
use super::arena::Arena;
use super::figure::Figure;
use super::sockets::{in_parallel, push, reset};

pub(super) const ATTACKS: &[Attack] = &[Attack::new("log-volume", volume)];

const THREADS: usize = 2;
const CONNECTIONS: usize = 20_000;
const HOUR_SECONDS: f64 = 3_600.0;
/// The longest half of the attack, in seconds.
const HALF_SECONDS: f64 = 10.0;

/// An hour costs what the first half of the attack has cost, which may be a burst that is allowed once, and then the pace of
/// the second half.
fn volume(arena: &mut Arena) -> io::Result<()> {
    arena.begin()?;
    let before = arena.server.log_bytes()?;
    come_and_go(arena)?;
    let (half, since) = (arena.server.log_bytes()?, Instant::now());
    come_and_go(arena)?;
    let pace = (arena.server.log_bytes()? - half) as f64 / since.elapsed().as_secs_f64();
    arena.note(Figure::Log, (half - before) as f64 + pace * HOUR_SECONDS);
    Ok(())
}

/// Half of the connections, and until the log has all of them.
fn come_and_go(arena: &Arena) -> io::Result<()> {
    let dial = arena.dial();
    let left = std::sync::atomic::AtomicUsize::new(arena.count(CONNECTIONS) / 2);
    in_parallel(THREADS, arena.until(HALF_SECONDS), |_| {
        use std::sync::atomic::Ordering::Relaxed;
        if left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
            return Err(io::Error::other("that was the last one"));
        }
        let stream = dial.connect()?;
        push(&stream, b"x\n")?;
        reset(stream);
        Ok(())
    });
    arena.server.rest(super::time_limit::PATIENCE)
}
