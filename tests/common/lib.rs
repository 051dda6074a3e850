//! What the tests share: a server as a child process, clients on plain blocking sockets, the texts that they expect,
//! and random numbers. Knows the server by its sockets and its output alone, not its source.
//!
//! Everything has a deadline, and nothing sleeps to wait for the server: a test waits for a line that must come after
//! what it waits for (`fence`), and fails with what came instead.

mod client;
mod crowd;
mod innocent;
mod limit;
mod position;
mod rng;
mod server;
mod texts;

use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

pub use client::{Client, Received};
pub use crowd::{Crowd, Reading};
pub use innocent::{Innocent, Seen};
pub use limit::{EndsWithFailure, TimeLimit, output};
pub use position::{mask_epochs, positions};
pub use rng::Rng;
pub use server::{Server, binary, program, run, run_with};
pub use texts::{EN, LONG_NAME, PUNCTUATION, SPACE, Texts, ZH};

/// How long an immediate answer may take, on a busy machine and in a debug build.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Writes to stderr although the test harness captures output: what is skipped, and what was measured.
pub fn note(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// Polls until the condition holds. For what no line announces, such as the number of open files of another process.
#[track_caller]
pub fn until(what: &str, mut already_satisfied: impl FnMut() -> bool) {
    let start = Instant::now();
    while !already_satisfied() {
        assert!(start.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
