//! Slow but steady readers that should hear the end of it.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Attack;
use super::arena::Arena;
use super::figure::Figure;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::push;

pub(super) const ATTACKS: &[Attack] = &[
    // The queue is to be long: what is told is in there, whatever the kernel takes.
    Attack::new("last-words-shutdown", shutdown).flags(&["--drain-timeout", "60", "--max-queue", "8388608"]),
    Attack::new("last-words-half-closed", half_closed),
];

const RECEIVE_BUFFER: usize = 64 << 10;
const LINE_BYTES: usize = 4_000;
/// In each line as often as it has bytes; no other line has it.
const LETTER: u8 = b'@';
const TICK: Duration = Duration::from_millis(20);
/// For a reader: its bytes take a few seconds.
const PATIENCE: Duration = Duration::from_secs(20);

fn shutdown(arena: &mut Arena) -> io::Result<()> {
    let (reader, lines) = behind(arena, 900)?;
    arena.terminate()?;
    finish(arena, reader, lines, 1_000_000, "the server is shutting down, goodbye\n");
    Ok(())
}

fn half_closed(arena: &mut Arena) -> io::Result<()> {
    let (reader, lines) = behind(arena, 250)?;
    push(&reader, b"sync|last\n")?;
    reader.shutdown(Shutdown::Write)?;
    finish(arena, reader, lines, 200_000, "sync|last\n");
    Ok(())
}

/// A client for which so many lines wait that were said to everyone.
fn behind(arena: &mut Arena, lines: usize) -> io::Result<(TcpStream, usize)> {
    let lines = arena.count(lines);
    let reader = arena.join_by(arena.dial().receive_buffer(RECEIVE_BUFFER), 1, |_| String::new())?.remove(0);
    let talker = arena.member("")?;
    let hears = Readers::new(vec![talker.try_clone()?], FULL_SPEED)?;
    let line = [&[LETTER].repeat(LINE_BYTES)[..], b"\n"].concat();
    push(&talker, &line.repeat(lines))?;
    arena.server.rest(PATIENCE)?;
    // The talker leaves.
    drop(hears);
    Ok((reader, lines))
}

/// Reads at `rate` bytes per second until the server closes: did all come, and the last line?
fn finish(arena: &mut Arena, mut reader: TcpStream, lines: usize, rate: usize, last: &str) {
    let (mut read, mut heard, mut letters) = (vec![0; 256 << 10], Vec::new(), 0);
    let (began, mut bytes) = (Instant::now(), 0);
    'open: while began.elapsed() < PATIENCE {
        sleep(TICK);
        let allowed = rate / 1_000 * usize::try_from(began.elapsed().as_millis()).expect("it is seconds");
        while bytes < allowed {
            let most = (allowed - bytes).min(read.len());
            match reader.read(&mut read[..most]) {
                Ok(0) => break 'open,
                Ok(some) => {
                    bytes += some;
                    letters += read[..some].iter().filter(|byte| **byte == LETTER).count();
                    heard.extend_from_slice(&read[..some]);
                    heard.drain(..heard.len().saturating_sub(1_000));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => break 'open,
            }
        }
    }
    arena.note(Figure::Received, letters as f64 / (lines * LINE_BYTES) as f64);
    let came = String::from_utf8_lossy(&heard).ends_with(last);
    arena.note(Figure::Answered, f64::from(u8::from(came)));
}
