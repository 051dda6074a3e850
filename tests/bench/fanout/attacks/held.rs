//! Input that the server must hold, since its clients wait.

use std::io;

use rustix::net::{SendFlags, send};

use super::Attack;
use super::arena::Arena;
use super::sockets::send_all;

pub(super) const ATTACKS: &[Attack] = &[Attack::new("held-input", held), Attack::new("slow-loris", slow_loris)];

const WORD_BYTES: usize = 255;
const HELD_BYTES: usize = 30_000;
/// Urgent data comes in between.
const PARTS: usize = 4;

/// Each client waits for something long, and has lines behind that. Urgent data wakes the server for nothing.
fn held(arena: &mut Arena) -> io::Result<()> {
    let part = "w".repeat(WORD_BYTES);
    let clients = arena.join(arena.count(2_000), |_| format!("wait|3600|text|{part}\n"))?;
    arena.begin()?;
    let lines = b"x\n".repeat(HELD_BYTES / PARTS / 2);
    for _ in 0..PARTS {
        send_all(&clients, &lines);
        for client in &clients {
            // One that the server has disconnected attacks no more.
            send(client, b"!", SendFlags::OOB | SendFlags::NOSIGNAL).ok();
        }
        arena.wait(0.3);
    }
    arena.wait(1.0);
    Ok(())
}

/// Lines that never end, a few bytes at a time.
fn slow_loris(arena: &mut Arena) -> io::Result<()> {
    let clients = arena.join(arena.count(50), |_| String::new())?;
    arena.begin()?;
    let end = arena.until(2.0);
    while std::time::Instant::now() < end {
        send_all(&clients, b"z");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Ok(())
}
