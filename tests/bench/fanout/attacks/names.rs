//! Names that are expensive to compare, and many of them.

use std::io;

use super::Attack;
use super::arena::Arena;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::send_all;

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("long-names-to", |arena| long(arena, "to|", "|x")),
    Attack::new("long-names-wait", |arena| long(arena, "wait|9|user|", "")),
    Attack::new("rename-storm", renames),
];

/// One of these becomes 18 characters by NFKC.
const EXPANDING: &str = "\u{fdfa}";
const LONG_NAME_BYTES: usize = 4_080;

/// A valid name of 32 characters, 128 bytes, that nobody else has.
pub(super) fn ideographs(number: usize) -> String {
    let ideograph = |place: usize| {
        let offset = u32::try_from((number * 7 + place * 131) % 40_000).expect("it is less than 40,000");
        char::from_u32(0x20000 + offset).expect("CJK Extension B has 42,720 characters")
    };
    (0..32).map(ideograph).collect()
}

fn long(arena: &mut Arena, before: &str, after: &str) -> io::Result<()> {
    let name = EXPANDING.repeat(LONG_NAME_BYTES / EXPANDING.len());
    let clients = arena.join(arena.count(300), |_| String::new())?;
    arena.begin()?;
    send_all(&clients, format!("{before}{name}{after}\n").repeat(4).as_bytes());
    arena.wait(2.0);
    Ok(())
}

/// Clients that rename themselves back and forth, while as many as can be wait for such names to come and go.
fn renames(arena: &mut Arena) -> io::Result<()> {
    let waiters = arena.count(1_000);
    let waiters = arena.join(waiters, |n| format!("wait|600|user|{}\n", ideographs(10_000 + n)))?;
    let waiters = Readers::new(waiters, FULL_SPEED)?;
    let clients = arena.join(arena.count(200), |_| String::new())?;
    arena.begin()?;
    for (number, client) in clients.iter().enumerate() {
        let back_and_forth = format!("rename|{}\nrename|{}\n", ideographs(2 * number), ideographs(2 * number + 1));
        send_all(std::slice::from_ref(client), back_and_forth.repeat(300).as_bytes());
    }
    arena.wait(2.0);
    drop(waiters);
    Ok(())
}
