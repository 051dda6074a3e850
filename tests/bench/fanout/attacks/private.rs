//! Private messages that fill one client's queue faster than it can read.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::readers::FULL_SPEED;
use super::sockets::push;

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("private-victim", |arena| victim(arena, 40, 4, FULL_SPEED)),
    Attack::new("private-steady-victim", |arena| victim(arena, 1, 80, 2_000_000)),
];

/// A control character is shown as six.
const ESCAPES: usize = 4_000;

/// All senders send all their lines to a client that reads at `rate`; the server finds them at once.
fn victim(arena: &mut Arena, senders: usize, lines: usize, rate: u64) -> io::Result<()> {
    let victim = arena.member("rename|victim\n")?;
    arena.innocents(vec![victim], rate)?;
    let senders = arena.join(senders, |_| String::new())?;
    arena.begin()?;
    let lines = format!("to|victim|{}\n", "\x1b".repeat(ESCAPES)).repeat(lines);
    arena.at_once(|| senders.iter().try_for_each(|sender| push(sender, lines.as_bytes())))?;
    arena.wait(2.0);
    Ok(())
}
