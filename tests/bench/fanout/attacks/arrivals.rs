//! Clients that arrive in masses, or never leave.

use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use super::Attack;
use super::arena::Arena;
use super::figure::Figure;
use super::readers::{FULL_SPEED, Readers};
use super::sockets::{Dial, in_parallel, push};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new("arrival-storm", storm),
    Attack::new("lingering", lingering).flags(&["--max-clients-per-ip", "5", "--trusted", ""]).open_files(1_064),
];

const THREADS: usize = 4;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const NEWCOMERS: usize = 4;
/// A newcomer that waits for longer was not served at all.
const NEWCOMER_PATIENCE: Duration = Duration::from_secs(5);

/// Members hear of each who comes and goes.
fn storm(arena: &mut Arena) -> io::Result<()> {
    let members = arena.join(arena.count(2_000), |_| String::new())?;
    let _members = Readers::new(members, FULL_SPEED)?;
    arena.begin()?;
    let dial = arena.dial();
    let times = in_parallel(THREADS, arena.until(2.0), |_| dial.connect().map(drop));
    arena.note(Figure::Times, times as f64);
    Ok(())
}

/// One address connects a thousand times a second, is refused, and never closes first. Another wants to be served.
fn lingering(arena: &mut Arena) -> io::Result<()> {
    arena.begin_apart()?;
    let (dial, is_over) = (arena.dial(), AtomicBool::new(false));
    let (head_start, gap) = (arena.time(1.5), arena.time(0.3));
    let delay = scope(|scope| {
        scope.spawn(|| {
            let mut held = Vec::new();
            while !is_over.load(Ordering::Relaxed)
                && let Ok(stream) = dial.connect()
            {
                held.push(stream);
                sleep(Duration::from_millis(1));
            }
        });
        sleep(head_start);
        let mut worst = Duration::ZERO;
        for _ in 0..NEWCOMERS {
            worst = worst.max(newcomers_delay(dial.from(OTHER)));
            sleep(gap);
        }
        is_over.store(true, Ordering::Relaxed);
        worst
    });
    arena.note(Figure::Delay, delay.as_secs_f64());
    Ok(())
}

/// Until it has its first answer, or may as well give up.
fn newcomers_delay(dial: Dial) -> Duration {
    let began = Instant::now();
    let answered = || -> io::Result<()> {
        let mut stream = dial.connect()?;
        push(&stream, b"sync|here\n")?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(NEWCOMER_PATIENCE))?;
        let (mut heard, mut read) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&heard).contains("sync|here\n") {
            let bytes = stream.read(&mut read)?;
            if bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            heard.extend_from_slice(&read[..bytes]);
        }
        Ok(())
    };
    if answered().is_ok() { began.elapsed() } else { NEWCOMER_PATIENCE.max(began.elapsed()) }
}
