//! Load of a known shape on a crowd that has joined: steady talk, dialogues, single lines.
//! Knows when to send something, not what it means; every loop has a deadline.

use std::io;
use std::ops::Range;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::child::Server;
use crate::crowd::{Crowd, TURN};
use crate::watchdog::Watchdog;

/// How long a load runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// Before anything is measured: queues fill, buffers grow, threads settle.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) deliveries: u64,
    pub(crate) seconds: f64,
    /// Of the server.
    pub(crate) cpu_seconds: f64,
    /// Of those threads of it that have to do with its store.
    pub(crate) store_seconds: f64,
}

/// How the names of these threads begin.
const STORE_THREADS: &str = "store-";

impl Pace {
    pub(crate) fn per_second(self) -> f64 {
        self.deliveries as f64 / self.seconds
    }

    pub(crate) fn cpu_per_delivery(self) -> f64 {
        self.cpu_seconds / self.deliveries as f64
    }
}

/// Some of a crowd talk to everyone.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) senders: Range<usize>,
    pub(crate) line: Vec<u8>,
    /// Lines that have not reached everyone yet, at most, all senders together.
    pub(crate) in_flight: u64,
    /// Deliveries of one line.
    pub(crate) hearers: u64,
}

/// Lets the senders take turns, and keeps the lines in flight at their limit.
pub(crate) fn talk(crowd: &mut Crowd, server: &Server, talk: &Talk, timing: Timing) -> io::Result<Pace> {
    let lines = talk.line.repeat(usize::try_from(talk.in_flight).expect("a window fits into memory"));
    let senders = talk.senders.len() as u64;
    let (mut sent, mut next) = (0_u64, 0);
    drive(crowd, server, timing, |crowd| {
        let everywhere = crowd.marks() / talk.hearers;
        let Some(on_their_way) = sent.checked_sub(everywhere) else {
            return Err(io::Error::other(format!("{everywhere} lines were heard, only {sent} were said")));
        };
        let room = talk.in_flight - on_their_way;
        let speakers = senders.min(room);
        for speaker in 0..speakers {
            // Equal shares; the first ones take what is left over.
            let share = room / speakers + u64::from(speaker < room % speakers);
            let bytes = usize::try_from(share).expect("a share of a window") * talk.line.len();
            crowd.say(talk.senders.start + next, &lines[..bytes])?;
            next = (next + 1) % talk.senders.len();
        }
        sent += room;
        Ok(sent * talk.hearers)
    })
}

/// One client says lines that one client (itself, perhaps) hears something after, and perhaps others.
#[derive(Debug)]
pub(crate) struct Dialogue {
    pub(crate) speaker: usize,
    pub(crate) hearer: usize,
    pub(crate) line: Vec<u8>,
    /// Deliveries that one line brings about to the hearer.
    pub(crate) heard: u64,
    /// To all.
    pub(crate) deliveries: u64,
}

/// Holds all dialogues at the same time, each with `window` lines on their way.
pub(crate) fn converse(
    crowd: &mut Crowd,
    server: &Server,
    dialogues: &[Dialogue],
    window: usize,
    timing: Timing,
) -> io::Result<Pace> {
    let batches: Vec<_> = dialogues.iter().map(|dialogue| dialogue.line.repeat(window)).collect();
    let mut sent = vec![0_u64; dialogues.len()];
    let mut expected = 0;
    drive(crowd, server, timing, |crowd| {
        for ((dialogue, batch), sent) in dialogues.iter().zip(&batches).zip(&mut sent) {
            let answered = crowd.marks_of(dialogue.hearer) / dialogue.heard;
            let Some(on_their_way) = sent.checked_sub(answered) else {
                return Err(io::Error::other(format!("client {} hears what is not for it", dialogue.hearer)));
            };
            let room = window as u64 - on_their_way;
            if room > 0 {
                let bytes = usize::try_from(room).expect("at most a window") * dialogue.line.len();
                crowd.say(dialogue.speaker, &batch[..bytes])?;
                *sent += room;
                expected += room * dialogue.deliveries;
            }
        }
        Ok(expected)
    })
}

/// Lets all of these clients say a line at the same time, and again when all has been heard that they said the time before
/// the last. A line from each brings about so many deliveries together.
pub(crate) fn chorus(
    crowd: &mut Crowd,
    server: &Server,
    lines: &[(usize, Vec<u8>)],
    deliveries: u64,
    timing: Timing,
) -> io::Result<Pace> {
    let mut expected = 0;
    drive(crowd, server, timing, |crowd| {
        if crowd.marks() + deliveries >= expected {
            for (speaker, line) in lines {
                crowd.say(*speaker, line)?;
            }
            expected += deliveries;
        }
        Ok(expected)
    })
}

/// Times since a line was sent, in seconds; the median of many lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) last: f64,
    pub(crate) cpu_per_delivery: f64,
}

/// Sends `repeats` single lines, with nothing else in flight.
pub(crate) fn single_lines(crowd: &mut Crowd, server: &Server, line: &Talk, repeats: usize) -> io::Result<Spread> {
    /// Between two lines. Long enough for a server's threads to fall asleep.
    const SILENCE: Duration = Duration::from_millis(20);
    let (mut first, mut median, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut stamps = Vec::new();
    crowd.restart_count();
    // The first lines are not counted: buffers grow.
    let warm_up = (repeats / 10).max(1);
    let mut cpu = server.cpu()?;
    for (turn, speaker) in (1..=warm_up + repeats).zip(line.senders.clone().cycle()) {
        crowd.stamp(stamps, usize::try_from(line.hearers).expect("hearers are clients"));
        let said = Instant::now();
        crowd.say(speaker, &line.line)?;
        crowd.await_marks(turn as u64 * line.hearers)?;
        stamps = crowd.stamps();
        sleep(SILENCE);
        if turn == warm_up {
            cpu = server.cpu()?;
        }
        if turn > warm_up {
            let after = |stamp: Instant| (stamp - said).as_secs_f64();
            first.push(after(stamps[0]));
            median.push(after(stamps[stamps.len() / 2]));
            last.push(after(stamps[stamps.len() - 1]));
        }
    }
    let cpu = (server.cpu()? - cpu).as_secs_f64();
    Ok(Spread {
        first: middle(&mut first),
        median: middle(&mut median),
        last: middle(&mut last),
        cpu_per_delivery: cpu / (repeats as u64 * line.hearers) as f64,
    })
}

/// The median of a non-empty list, which it sorts.
pub(crate) fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// Runs `keep_going` between turns, for the time given, then waits for all that is still on its way.
/// `keep_going` says something if it may, and returns how many deliveries all that was said will bring about.
fn drive(
    crowd: &mut Crowd,
    server: &Server,
    timing: Timing,
    mut keep_going: impl FnMut(&mut Crowd) -> io::Result<u64>,
) -> io::Result<Pace> {
    crowd.restart_count();
    let mut run_for = |crowd: &mut Crowd, time: Duration| -> io::Result<u64> {
        let end = Instant::now() + time;
        let mut watchdog = Watchdog::new();
        loop {
            let expected = keep_going(crowd)?;
            let heard = crowd.turn(TURN)?;
            if watchdog.look(heard, || format!("{} of {expected} deliveries have come", crowd.marks()))? >= end {
                return Ok(expected);
            }
        }
    };
    run_for(crowd, timing.warm_up)?;
    let (cpu, store) = (server.cpu()?, server.cpu_of(STORE_THREADS)?);
    let (marks, since) = (crowd.marks(), Instant::now());
    let expected = run_for(crowd, timing.measured)?;
    let pace = Pace {
        deliveries: crowd.marks() - marks,
        seconds: since.elapsed().as_secs_f64(),
        cpu_seconds: (server.cpu()? - cpu).as_secs_f64(),
        store_seconds: (server.cpu_of(STORE_THREADS)? - store).as_secs_f64(),
    };
    crowd.await_marks(expected)?;
    Ok(pace)
}
