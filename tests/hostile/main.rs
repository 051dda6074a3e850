//! Hostile clients and failures, against the real binary over sockets: a client that is disconnected is told why, and
//! no other client is affected. The tests that measure CPU or memory run alone.

mod admission;
mod attacks;
mod attacks_of_crowds;
mod attacks_on_history;
mod attacks_on_readers;
mod capacity;
mod disconnects;
mod endings;
mod floods;
mod garbage;
mod idle;
mod shutdown;
mod slow_consumers;
mod telnet;

use std::{io::Write, net::TcpStream, ops::Range};

use common::Client;

const MB: u64 = 1 << 20;
/// The longest line that a server takes by default, in bytes.
const LINE_MAX: usize = 4096;

/// How many connections were refused for this reason, as the log has it.
fn refused(log: &[String], code: &str) -> usize {
    let (one, more) = (format!(" refused: {code}"), format!(" more refused: {code},"));
    let count = |line: &String| match line.split_once(&more) {
        Some((before, _)) => before.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number"),
        None => usize::from(line.ends_with(&one)),
    };
    log.iter().map(count).sum()
}

/// A numbered text of `size` bytes.
fn numbered(number: usize, size: usize) -> String {
    let number = format!("{number:07}");
    let filling = size.saturating_sub(number.len());
    number + &"x".repeat(filling)
}

/// Sends numbered texts, as fast as the server reads them.
fn flood(writer: &mut TcpStream, numbers: Range<usize>, size: usize) {
    for number in numbers {
        writer.write_all((numbered(number, size) + "\n").as_bytes()).expect("the server reads");
    }
}

/// Reads the texts that `flood` sends, each once and in order. Returns the other lines that came.
#[track_caller]
fn read_flood(reader: &mut Client, says: &str, numbers: Range<usize>, size: usize) -> Vec<String> {
    let mut others = Vec::new();
    for number in numbers {
        loop {
            let line = reader.line();
            let Some(text) = line.strip_prefix(says) else {
                others.push(line);
                continue;
            };
            assert_eq!(text.get(..7), Some(&*format!("{number:07}")), "{} reads in order", reader.name);
            assert_eq!(text.len(), size, "{} reads whole lines", reader.name);
            break;
        }
    }
    others
}
