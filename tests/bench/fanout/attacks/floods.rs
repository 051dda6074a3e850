//! Few bytes that ask for large answers, which nobody reads.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::names::ideographs;
use super::sockets::send_all;

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("who-flood", who),
    Attack::new("help-flood", |arena| unread(arena, 2_000, b"help\n", 500)),
    Attack::new("sync-flood", |arena| unread(arena, 2_000, format!("sync|{}\n", "t".repeat(4_000)).as_bytes(), 32)),
    Attack::new("blank-lines", |arena| unread(arena, 500, b"\n", 30_000)),
];

/// Small: what the kernel does not take, the server must hold.
const RECEIVE_BUFFER: usize = 4096;
/// How long the server has to answer before all leave.
const WATCHED_SECONDS: f64 = 3.0;

/// Everyone asks who is there; each is told all the names, the longest there are.
fn who(arena: &mut Arena) -> io::Result<()> {
    let askers = arena.join_by(arena.dial().receive_buffer(RECEIVE_BUFFER), arena.count(2_500), |n| {
        format!("rename|{}\nformat|json\n", ideographs(n))
    })?;
    arena.begin()?;
    send_all(&askers, b"who\n");
    arena.wait(WATCHED_SECONDS);
    Ok(())
}

fn unread(arena: &mut Arena, clients: usize, line: &[u8], lines: usize) -> io::Result<()> {
    let askers = arena.join_by(arena.dial().receive_buffer(RECEIVE_BUFFER), arena.count(clients), |_| String::new())?;
    arena.begin()?;
    send_all(&askers, &line.repeat(lines));
    arena.wait(WATCHED_SECONDS);
    Ok(())
}
