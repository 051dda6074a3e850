//! Everyone sends at once what is short to send and long to handle, and reads the answers at full speed.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::{reset, send_all};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("crowd-long-lines", |arena| all_send(arena, &line(&"y".repeat(4_000)))),
    Attack::new("crowd-short-lines", |arena| all_send(arena, &line("x").repeat(1_000))),
    Attack::new("crowd-escaped-lines", |arena| all_send(arena, &line(&"\x1b".repeat(4_000)))),
    Attack::new("crowd-escaped-syncs", |arena| {
        all_send(arena, &line(&format!("sync|{}", "\x1b".repeat(4_000))).repeat(4))
    }),
    Attack::new("crowd-long-seconds", |arena| {
        all_send(arena, &line(&format!("wait|0.{}1|user|x", "0".repeat(4_040))).repeat(8))
    }),
    Attack::new("crowd-telnet-commands", |arena| all_send(arena, &b"\xff\xfd\x01".repeat(5_000))),
    Attack::new("crowd-settings", |arena| {
        all_send(arena, &b"format|json\nlang|en\nformat|text\nlang|zh\n".repeat(100))
    }),
    Attack::new("crowd-resets", all_reset),
];

/// As many as the goal for freezes is about.
const CLIENTS: usize = 1_900;

/// Each has sent more than the server reads of it, and all break off at once.
fn all_reset(arena: &mut Arena) -> io::Result<()> {
    let crowd = arena.join(arena.count(CLIENTS), |_| "wait|600|text|zzqq\n".to_owned())?;
    for _ in 0..2 {
        send_all(&crowd, &b"\xff\xf1".repeat(100_000));
    }
    arena.begin()?;
    crowd.into_iter().for_each(reset);
    arena.wait(4.0);
    Ok(())
}

fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into_bytes()
}

fn all_send(arena: &mut Arena, bytes: &[u8]) -> io::Result<()> {
    let crowd = arena.join(arena.count(CLIENTS), |_| String::new())?;
    arena.begin()?;
    send_all(&crowd, bytes);
    let _readers = Readers::new(crowd, FULL_SPEED)?;
    arena.wait(4.0);
    Ok(())
}
