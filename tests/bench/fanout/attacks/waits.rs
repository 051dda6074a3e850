//! Many who wait for the same, or for texts that are expensive to look for.

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::Attack;
use super::arena::Arena;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::{push, send_all};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("text-waits-private", |arena| texts(arena, "to|victim|")),
    Attack::new("text-waits-public", |arena| texts(arena, "")),
    Attack::new("half-closed-cascade", cascade),
    Attack::new("equal-deadlines", deadlines),
];

/// The longest text to wait for is tried first.
const PART_BYTES: [usize; 3] = [4_000, 1_000, 250];
const LINE_BYTES: usize = 4_000;
/// What an innocent can receive over a line of its own.
const STEADY_RATE: u64 = 2_000_000;

/// Lines that each waiter's text nearly matches, all over.
fn texts(arena: &mut Arena, verb: &str) -> io::Result<()> {
    let part = longest_part(arena)?;
    let waiters = arena.join(arena.count(5_000), |_| format!("wait|3600|text|{part}\n"))?;
    let _waiters = Readers::new(waiters, FULL_SPEED)?;
    let victim = arena.member("rename|victim\n")?;
    arena.innocents(vec![victim], FULL_SPEED)?;
    let speakers = arena.join(arena.count(40), |_| String::new())?;
    arena.begin()?;
    send_all(&speakers, format!("{verb}{}\n", "a".repeat(LINE_BYTES)).repeat(4).as_bytes());
    let _speakers = Readers::new(speakers, FULL_SPEED)?;
    arena.wait(3.0);
    Ok(())
}

/// The longest text that the server lets one wait for, if nothing is longer than a line.
fn longest_part(arena: &mut Arena) -> io::Result<String> {
    for bytes in PART_BYTES {
        let part = "a".repeat(bytes - 1) + "b";
        let client = arena.member("")?;
        // A wait that times out is the last thing that happens to a client.
        push(&client, format!("wait|0.001|text|{part}\nsync|refused\n").as_bytes())?;
        if !hears(client, "sync|refused\n")? {
            return Ok(part);
        }
    }
    Err(io::Error::other("the server lets nobody wait for a text"))
}

/// Whether a client hears this before the server closes.
fn hears(mut client: TcpStream, line: &str) -> io::Result<bool> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut heard, mut read) = (Vec::new(), [0; 4096]);
    loop {
        let bytes = client.read(&mut read)?;
        heard.extend_from_slice(&read[..bytes]);
        let has_come = heard.windows(line.len()).any(|window| window == line.as_bytes());
        if has_come || bytes == 0 {
            return Ok(has_come);
        }
    }
}

/// Clients that have ended their input and wait for Bob to leave: then all of them are answered and leave at once. Innocents
/// hear of each.
fn cascade(arena: &mut Arena) -> io::Result<()> {
    let bob = arena.member("rename|bob\n")?;
    let waiters = arena.join(arena.count(8_000), |_| "wait|60|gone|bob\n".into())?;
    for waiter in &waiters {
        waiter.shutdown(Shutdown::Write)?;
    }
    let _waiters = Readers::new(waiters, FULL_SPEED)?;
    let listeners = arena.join(arena.count(20), |_| "format|json\n".into())?;
    arena.innocents(listeners, STEADY_RATE)?;
    arena.begin()?;
    drop(bob);
    arena.wait(3.0);
    Ok(())
}

/// Waits that all time out in the same moment, which is the end of those who waited.
fn deadlines(arena: &mut Arena) -> io::Result<()> {
    let waiters = arena.join(arena.count(5_000), |_| String::new())?;
    arena.begin()?;
    send_all(&waiters, b"wait|2|user|nobody\n");
    let _waiters = Readers::new(waiters, FULL_SPEED)?;
    std::thread::sleep(Duration::from_secs(3));
    Ok(())
}
