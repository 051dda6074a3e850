//! Clients that connect, send a read buffer full of lines, and break off, as fast as they can.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::figure::Figure;
use super::sockets::{in_parallel, push, reset};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("reconnect-flood", flood),
    // What a dead client has sent is handled at its rate, so it stays long.
    Attack::new("reconnect-rate-10", flood).flags(&["--rate", "10"]),
    Attack::new("reconnect-per-ip-5", flood_from_one_address).flags(&["--max-clients-per-ip", "5", "--trusted", ""]),
];

/// What the server reads at once.
const LINES_BYTES: usize = 16 << 10;
const THREADS: usize = 2;

fn flood(arena: &mut Arena) -> io::Result<()> {
    arena.begin()?;
    reconnect(arena)
}

fn flood_from_one_address(arena: &mut Arena) -> io::Result<()> {
    arena.begin_apart()?;
    reconnect(arena)
}

fn reconnect(arena: &mut Arena) -> io::Result<()> {
    let (dial, lines) = (arena.dial(), b"x\n".repeat(LINES_BYTES / 2));
    let times = in_parallel(THREADS, arena.until(2.0), |_| {
        let stream = dial.connect()?;
        // One that is refused has its connection reset while it sends.
        push(&stream, &lines).ok();
        reset(stream);
        Ok(())
    });
    arena.note(Figure::Times, times as f64);
    Ok(())
}
