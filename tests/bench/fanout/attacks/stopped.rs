//! The server's machine stands still, while clients that were behind read all that they can.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use super::Attack;
use super::arena::Arena;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::push;

pub(super) const ATTACKS: &[Attack] = &[Attack::new("stopped-process", stopped).flags(&["--write-timeout", "2"])];

const READERS: usize = 50;
const LINES: usize = 180;
/// Between two lines, so that those who read keep up with all of them.
const GAP: Duration = Duration::from_micros(200);

/// Longer than the write timeout. None of them has failed to read for so long: there was nothing to read.
fn stopped(arena: &mut Arena) -> io::Result<()> {
    let readers = arena.join_by(arena.dial().receive_buffer(4096), READERS, |_| String::new())?;
    let talker = arena.member("")?;
    let hears = Readers::new(vec![talker.try_clone()?], FULL_SPEED)?;
    let line = format!("{}\n", "m".repeat(4_000));
    for _ in 0..LINES {
        push(&talker, line.as_bytes())?;
        sleep(GAP);
    }
    sleep(Duration::from_millis(300));
    arena.server.stop()?;
    arena.innocents(readers, FULL_SPEED)?;
    arena.wait(3.0);
    arena.server.resume()?;
    arena.wait(1.5);
    // What they heard before counts for nothing, so the innocents that are measured come only now.
    arena.begin()?;
    drop(hears);
    Ok(())
}
