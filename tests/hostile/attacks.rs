//! Attacks that once froze the server for seconds, or took its memory: an innocent client must be answered all the time.
//!
//! What each attack did before its cure was measured with a release build of that time. A debug build on a busy machine takes
//! longer for everything, so the bounds are wide.

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{Crowd, EN, Innocent, Server, note, until};

use crate::MB;

/// How long an innocent client may wait for an answer.
const LIMIT: Duration = Duration::from_secs(2);

/// Once, their lines were all said, which took more than 20 s.
#[test]
fn connecting_speaking_and_breaking_off() {
    const TIMES: usize = 1000;
    let server = Server::start_alone(&[]);
    let innocent = Innocent::start(server.connect());
    let files = server.open_files();
    let (lines, start) = (b"x\n".repeat(8 << 10), Instant::now());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in (0..TIMES).take_while(|_| start.elapsed() < Duration::from_secs(1)) {
                    let mut client = server.dial();
                    client.send(&lines);
                    client.reset();
                }
            });
        }
    });
    let over = Instant::now();
    until("those who broke off have left", || server.open_files() == files);
    note(&format!("they have left after {:.1?}", over.elapsed()));
    innocent.finish_within(LIMIT);
}

/// Once, all lists were made at once: 150 MB.
#[test]
fn all_ask_who_is_here_and_none_reads() {
    const CLIENTS: u32 = 800;
    let server = Server::start_alone(&[]);
    let name = |number: u32| (0..32).filter_map(move |n| char::from_u32(0x20000 + (number * 7 + n * 131) % 40_000));
    let crowd = Crowd::join(&server, CLIENTS as usize, |number| {
        format!("rename|{}\nformat|json\n", name(u32::try_from(number).expect("few")).collect::<String>())
    });
    let before = server.rss();
    let innocent = Innocent::start(server.connect());
    crowd.send(b"who\n");
    innocent.finish_within(LIMIT);
    let grown = server.peak_rss().saturating_sub(before);
    note(&format!("{} MB more", grown / MB));
    assert!(grown < 60 * MB, "{grown} bytes more");
}

/// Once, an innocent client waited for 6 s.
#[test]
fn names_that_are_expensive_to_look_up() {
    let server = Server::start_alone(&[]);
    let crowd = Crowd::join(&server, 500, |_| String::new());
    let innocent = Innocent::start(server.connect());
    let name = "\u{fdfa}".repeat(1300); // each is 18 characters in NFKC
    crowd.send((format!("to|{name}|x\n").repeat(3) + &format!("wait|9|user|{name}\n")).as_bytes());
    let reading = crowd.read();
    innocent.finish_within(LIMIT);
    assert_eq!(reading.finish(), 0, "are cut");
}

/// Once, an innocent client waited for 5 s.
#[test]
fn texts_that_are_expensive_to_wait_for() {
    const WAITERS: usize = 2000;
    const SPEAKERS: usize = 60;
    let server = Server::start_alone(&[]);
    let waiters = Crowd::join(&server, WAITERS, |_| String::new());
    waiters.send(format!("wait|3600|text|{}b\n", "a".repeat(250)).as_bytes());
    let waiters = waiters.read();
    let mut victim = server.join("victim");
    let speakers = Crowd::join(&server, SPEAKERS, |_| String::new());
    victim.fence();
    let innocent = Innocent::start(server.connect());
    speakers.send(format!("to|victim|{}\n", "a".repeat(4000)).repeat(2).as_bytes());
    let text = EN.private("", "");
    let text = text.rsplit(']').next().expect("what follows the sender");
    let mut heard = 0;
    while heard < SPEAKERS * 2 {
        heard += usize::from(victim.line().contains(text));
    }
    innocent.finish_within(LIMIT);
    assert_eq!(waiters.finish(), 0, "are cut");
}

/// Once, all of them left in one turn, though these are too few to be felt for more than a tenth of a second.
#[test]
fn many_who_wait_for_one_to_leave_and_leave_then() {
    const WAITERS: usize = 2000;
    let server = Server::start_alone(&[]);
    let bob = server.join("bob");
    let waiters = Crowd::join(&server, WAITERS, |_| String::new());
    waiters.send(b"wait|60|gone|bob\n");
    waiters.half_close();
    let listeners = Crowd::join(&server, 20, |_| "format|json\n".to_owned()).read();
    let waiters = waiters.read();
    let innocent = Innocent::start(server.connect());
    let files = server.open_files();
    drop(bob);
    until("those who waited have left", || server.open_files() < files - WAITERS);
    innocent.finish_within(LIMIT);
    assert_eq!((waiters.finish(), listeners.finish()), (WAITERS, 0), "have ended");
}

/// The same as above.
#[test]
fn many_waits_that_time_out_in_the_same_moment() {
    const WAITERS: usize = 2000;
    let server = Server::start_alone(&[]);
    let waiters = Crowd::join(&server, WAITERS, |_| String::new());
    let innocent = Innocent::start(server.connect());
    let files = server.open_files();
    waiters.send(b"wait|1|user|nobody\n");
    let waiters = waiters.read();
    until("those who waited have left", || server.open_files() <= files - WAITERS);
    innocent.finish_within(LIMIT);
    assert_eq!(waiters.finish(), WAITERS, "have ended");
}

/// Once, beside thousands of members, this was felt for seconds; these are too few for more than a tenth of one.
#[test]
fn a_storm_of_arrivals_beside_many_members() {
    let server = Server::start_alone(&[]);
    let members = Crowd::join(&server, 300, |_| String::new()).read();
    let innocent = Innocent::start(server.connect());
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let times = (0..1500).take_while(|_| start.elapsed() < Duration::from_secs(1));
                times.for_each(|_| drop(server.dial()));
            });
        }
    });
    innocent.finish_within(LIMIT);
    assert_eq!(members.finish(), 0, "are cut");
}
