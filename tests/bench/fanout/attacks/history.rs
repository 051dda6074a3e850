//! Few bytes that ask for a long history, which is read or not; and rooms that nobody is in.

use std::io;

use super::Attack;
use super::arena::{Arena, REST_PATIENCE};
use super::readers::{FULL_SPEED, Readers};
use super::sockets::{drain, send_all};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("history-unread", |arena| ask(arena, 2_000, false)),
    Attack::new("history-read", |arena| ask(arena, 500, true)),
    Attack::new("history-joins", joins),
    Attack::new("history-stored", |arena| stored(arena, "x")).flags(STORED),
    Attack::new("history-stored-escapes", |arena| stored(arena, "\x1b")).flags(STORED),
    Attack::new("history-stored-unread", unread).flags(STORED),
    Attack::new("history-rooms", rooms),
];

/// Small: what the kernel does not take, the server must hold.
const RECEIVE_BUFFER: usize = 4096;
const LINES: usize = 1_000;
/// Most of what is asked for is in the store alone.
const STORED: &[&str] = &["--store", "chat.db", "--recent", "5"];
const LINE_BYTES: usize = 2_000;

/// A room with as much as is kept of one, in long lines.
fn fill(arena: &mut Arena, what: &str) -> io::Result<()> {
    let speaker = arena.join(1, |_| "visit\nrename|speaker\n".to_owned())?;
    for _ in 0..LINES / 10 {
        send_all(&speaker, format!("in|builds|{}\n", what.repeat(LINE_BYTES)).repeat(10).as_bytes());
        drain(&speaker);
    }
    arena.server.rest(REST_PATIENCE)?;
    drain(&speaker); // a close with answers unread would cost the server some lines
    Ok(())
}

/// Everyone asks for all of it, again and again.
fn ask(arena: &mut Arena, clients: usize, is_read: bool) -> io::Result<()> {
    fill(arena, "x")?;
    let dial = if is_read { arena.dial() } else { arena.dial().receive_buffer(RECEIVE_BUFFER) };
    let askers = arena.join_by(dial, arena.count(clients), |_| String::new())?;
    arena.begin()?;
    send_all(&askers, &b"history|builds|1000\n".repeat(if is_read { 3 } else { 100 }));
    // Those who read nothing stay connected all the same.
    let (_readers, _silent) =
        if is_read { (Some(Readers::new(askers, FULL_SPEED)?), None) } else { (None, Some(askers)) };
    arena.wait(3.0);
    Ok(())
}

/// Everyone joins the room with all of it, and leaves it.
fn joins(arena: &mut Arena) -> io::Result<()> {
    fill(arena, "x")?;
    let clients = arena.join(arena.count(300), |_| String::new())?;
    arena.begin()?;
    send_all(&clients, &b"join|builds|last|1000\nleave|builds\n".repeat(3));
    let _readers = Readers::new(clients, FULL_SPEED)?;
    arena.wait(3.0);
    Ok(())
}

/// Everyone asks for all of it, and reads it; of escape characters, each is told as six.
fn stored(arena: &mut Arena, what: &str) -> io::Result<()> {
    fill(arena, what)?;
    let clients = arena.join(arena.count(100), |_| String::new())?;
    arena.begin()?;
    send_all(&clients, b"history|builds|since|0\n");
    let _readers = Readers::new(clients, FULL_SPEED)?;
    arena.wait(3.0);
    Ok(())
}

/// Very many ask for all of it, in the dialect in which it is largest, and read nothing.
fn unread(arena: &mut Arena) -> io::Result<()> {
    fill(arena, "\x1b")?;
    let dial = arena.dial().receive_buffer(RECEIVE_BUFFER);
    let clients = arena.join_by(dial, arena.count(2_400), |_| "format|json\nvisit\n".to_owned())?;
    arena.begin()?;
    send_all(&clients, &b"history|builds|since|0\n".repeat(4));
    arena.wait(8.0);
    Ok(())
}

/// Each makes rooms by speaking there, until there are no more.
fn rooms(arena: &mut Arena) -> io::Result<()> {
    let clients = arena.join(arena.count(500), |n| format!("rename|c{n}\n"))?;
    arena.begin()?;
    for n in 0..100 {
        for (number, client) in clients.iter().enumerate() {
            send_all(std::slice::from_ref(client), format!("in|r{number}-{n}|x\n").as_bytes());
        }
    }
    arena.wait(2.0);
    Ok(())
}
