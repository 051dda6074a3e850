//! The subcommands, with the real binary at both ends: every exit code, and what has taken effect when one exits.

mod account;
mod chat;
mod chat_evil_server;
mod chat_history;
mod chat_rooms;
mod chat_screen;
mod chat_terminal;
mod evil_history;
mod evil_server;
mod exit_codes;
mod help;
mod history;
mod listen;
mod nonblocking;
mod older_server;
mod order;
mod process;
mod resume;
mod rooms;
mod screen;
mod send;
mod settings;
mod terminal;
mod wait;
mod who;

use std::net::{Ipv4Addr, TcpListener};

use common::{Server, run};

const DONE: i32 = 0;
const REFUSED: i32 = 1;
const USAGE: i32 = 2;
const LOST: i32 = 3;
const TIMED_OUT: i32 = 124;

/// Runs a subcommand against `server`, with an empty stdin, until it exits. Returns the exit code, stdout and stderr.
#[track_caller]
fn cli(server: &Server, flags: &[&str]) -> (i32, String, String) {
    let (subcommand, rest) = flags.split_first().expect("a subcommand");
    run(&[&[*subcommand, "--port", &server.addr.port().to_string()], rest].concat())
}

/// A port that nobody listens on, or has listened on lately.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("bound").port()
}

/// The texts of the public messages among these lines.
fn said_by_others(lines: &[String]) -> Vec<&str> {
    let texts = lines.iter().filter_map(|line| line.strip_prefix('[')?.split_once(']'));
    // The name of a client that has not renamed is its address, which has a colon in it.
    let texts = texts.filter_map(|(addr, rest)| match rest.strip_prefix(addr) {
        Some(rest) => rest.strip_prefix(':'),
        None => Some(rest.split_once(':')?.1),
    });
    texts.filter(|text| !matches!(*text, "is online" | "is offline")).collect()
}
