//! Lines that are many times longer when they go out, in all dialects at once.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::readers::FULL_SPEED;
use super::readers::Readers;
use super::sockets::push;

pub(super) const ATTACKS: &[Attack] = &[Attack::new("escapes-in-all-dialects", everywhere)];

const DIALECTS: [&str; 4] = ["", "format|json\n", "lang|zh\n", "lang|zh\nformat|json\n"];
const ESCAPES: usize = 4_000;

/// Public lines of control characters, said at once to members of all dialects, who read at full speed.
fn everywhere(arena: &mut Arena) -> io::Result<()> {
    let members = arena.join(arena.count(300), |number| DIALECTS[number % DIALECTS.len()].into())?;
    arena.innocents(members, FULL_SPEED)?;
    let speakers = arena.join(arena.count(40), |_| String::new())?;
    arena.begin()?;
    let lines = format!("{}\n", "\x1b".repeat(ESCAPES)).repeat(4);
    arena.at_once(|| speakers.iter().try_for_each(|speaker| push(speaker, lines.as_bytes())))?;
    let _speakers = Readers::new(speakers, FULL_SPEED)?;
    arena.wait(2.0);
    Ok(())
}
