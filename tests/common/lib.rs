//! What the end-to-end tests share: a server as a child process, clients on plain blocking sockets, and deadlines on
//! everything. Nothing sleeps in order to wait for the server: a test waits for a line that must come after what it waits
//! for (`fence`), and fails with what came instead.

mod client;
mod server;

use std::{
    io::{self, Write},
    thread,
    time::{Duration, Instant},
};

pub use client::{Client, Heard};
pub use server::{Server, binary, program, run};

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

/// Random numbers that a seed repeats (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }
}
