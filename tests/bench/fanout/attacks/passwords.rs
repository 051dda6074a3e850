//! Passwords that are tried: each costs the server some hundredths of a second, on a thread of its own.

use std::io;
use std::net::Ipv4Addr;

use super::Attack;
use super::arena::Arena;
use super::sockets::{push, send_all};

pub(super) const ATTACKS: &[Attack] = &[Attack::new("passwords", tried).flags(&["--store", "chat.db"])];

/// More than the server can check in the time.
const TRIES: usize = 50;

/// Each from an address of its own, and no account twice, so that no limit of one is reached.
fn tried(arena: &mut Arena) -> io::Result<()> {
    let mut clients = Vec::new();
    for number in 0..arena.count(100) {
        let last = u8::try_from(number + 1).expect("few");
        let client = arena.dial().from(Ipv4Addr::new(127, 0, 3, last)).connect()?;
        push(&client, b"visit\n")?;
        clients.push(client);
    }
    arena.have_joined(clients.len());
    arena.begin()?;
    for (number, client) in clients.iter().enumerate() {
        let tries: String = (0..TRIES).map(|n| format!("login|nobody{number}x{n}|a wrong password\n")).collect();
        send_all(std::slice::from_ref(client), tries.as_bytes());
    }
    arena.wait(5.0);
    Ok(())
}
