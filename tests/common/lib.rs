//! What the end-to-end tests share: a server as a child process, clients on plain blocking sockets, and deadlines on
//! everything. Nothing sleeps in order to wait for the server: a test waits for a line that must come after what it waits
//! for (`fence`), and fails with what came instead.

mod client;
mod rng;
mod server;
mod texts;

use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

pub use client::{Client, Heard};
pub use rng::Rng;
pub use server::{Server, binary, program, run};
pub use texts::{EN, LONG_NAME, PUNCTUATION, SPACE, Texts, ZH};

/// How long anything that should come at once may take, on a busy machine and in a debug build.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Says something past the capture of the test harness: what is skipped is said, and what is measured is kept.
pub fn note(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// Looks until it is so. For what no line announces, such as the number of open files of another process.
#[track_caller]
pub fn until(what: &str, mut already_satisfied: impl FnMut() -> bool) {
    let start = Instant::now();
    while !already_satisfied() {
        assert!(start.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
