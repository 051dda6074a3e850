//! Listeners that come back with the last position they have seen, while others talk and the server ends now and then.

use std::{
    io::Write,
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Sender, channel},
    },
    thread,
};

use common::{Client, Crowd, DEADLINE, Received, Rng, Server, until};
use rustix::process::Signal;

use crate::{
    StoreFile, kill, random,
    rows::{Row, assert_same},
    shut_down,
};

const MEMBERS: usize = 30;
const TALKERS: usize = 2;
/// What a talker says at once: more than the smallest memory here has.
const LINES: usize = 8;
const RESUMERS: usize = 4;
/// How often each comes back in a life of the server.
const RETURNS: usize = 6;
/// The most rows that it is told before it leaves again.
const ROWS_MAX: usize = 60;

/// Talks in the room, and in another one, as fast as it is answered, until the server ends.
fn talk(mut client: Client) {
    for batch in 0.. {
        let lines: String = (0..LINES).map(|line| format!("in|r|{batch} {line}\nin|other|{line}\n")).collect();
        let end = format!("sync|{batch}");
        if client.stream.write_all(format!("{lines}{end}\n").as_bytes()).is_err() {
            return;
        }
        loop {
            match client.receive(DEADLINE) {
                Received::Line(line) if line == end => break,
                Received::Line(_) => {}
                Received::Nothing => panic!("{} is not answered", client.name),
                Received::Eof | Received::Reset | Received::Unfinished(_) => return,
            }
        }
    }
}

/// Comes back behind the last of `told`, and appends what it is told then: at least `least` rows.
#[track_caller]
fn come_back(server: &Server, told: &mut Vec<Row>, least: usize) -> Client {
    let mut client = server.dial();
    let last = told.last().map_or(0, |row| row.n);
    client.say(&format!("format|json\njoin|r|since|{last}"));
    listen(&mut client, told, least);
    client
}

/// Appends what a client is told in the room until these are so many rows.
#[track_caller]
fn listen(client: &mut Client, told: &mut Vec<Row>, least: usize) {
    let enough = told.len() + least;
    while told.len() < enough {
        let line = client.line();
        assert!(!line.contains("\"event\":\"refused\""), "{line}");
        told.extend(Row::told(&line).filter(|row| row.room == "r"));
    }
}

/// One listener: it leaves at random places, in each way there is, and comes back. Its last connection lasts as long as the
/// server.
fn resume(server: &Server, mut told: Vec<Row>, mut rng: Rng, returned: &Sender<()>) -> Vec<Row> {
    for _ in 0..RETURNS {
        let mut client = come_back(server, &mut told, rng.below(ROWS_MAX));
        match rng.below(4) {
            0 => client.reset(),
            1 => {} // it closes, and there may be lines that it has not read
            2 => {
                client.say("quit");
                told.extend(Row::told_to_the_end(&mut client).into_iter().filter(|row| row.room == "r"));
            }
            _ => {
                // It leaves the room, and comes back on the same connection.
                client.say("leave|r\nsync|left");
                loop {
                    let line = client.line();
                    if line.contains("\"event\":\"sync\"") {
                        break;
                    }
                    told.extend(Row::told(&line).filter(|row| row.room == "r"));
                }
                let last = told.last().map_or(0, |row| row.n);
                client.say(&format!("join|r|since|{last}"));
                listen(&mut client, &mut told, rng.below(ROWS_MAX));
            }
        }
    }
    let mut client = come_back(server, &mut told, 1);
    returned.send(()).expect("the test waits for it");
    told.extend(Row::told_to_the_end(&mut client).into_iter().filter(|row| row.room == "r"));
    told
}

#[test]
fn one_who_comes_back_is_told_all_and_nothing_twice() {
    let mut rng = random("resuming");
    let file = StoreFile::new();
    let mut listeners: Vec<Vec<Row>> = vec![Vec::new(); RESUMERS];
    for (life, recent) in ["2", "50", "7"].into_iter().enumerate() {
        let server = file.serve(&["--recent", recent, "--rate", "0", "--history-lines", "0"]);
        let members = Crowd::join(&server, MEMBERS, |_| "join|r\n".to_owned()).read();
        listeners = thread::scope(|scope| {
            for number in 0..TALKERS {
                let talker = server.join(&format!("talker{number}"));
                scope.spawn(|| talk(talker));
            }
            let (returned, returns) = channel();
            let mut running = Vec::new();
            for told in listeners {
                let (server, rng, returned) = (&server, Rng(rng.number()), returned.clone());
                running.push(scope.spawn(move || resume(server, told, rng, &returned)));
            }
            drop(returned); // one that fails is not waited for
            let all_have_returned = (0..RESUMERS).all(|_| returns.recv_timeout(2 * DEADLINE).is_ok());
            // Before anything is found wrong: all of these talk and listen until the server ends.
            server.signal(if life % 2 == 0 { Signal::KILL } else { Signal::TERM });
            assert!(all_have_returned, "each has returned often enough");
            running.into_iter().map(|listener| listener.join().expect("no panic")).collect()
        });
        members.finish();
        server.exit(DEADLINE);
        let kept = file.rows_of("r");
        for (number, told) in listeners.iter().enumerate() {
            let kept: Vec<_> =
                kept.iter().take_while(|row| told.last().is_some_and(|last| row.n <= last.n)).cloned().collect();
            assert_same(told, &kept, &format!("listener{number} of --recent {recent}"));
        }
    }
}

#[test]
fn a_long_replay_is_handed_over_to_what_happens_meanwhile() {
    const LINES: usize = 3000;
    const LATE: usize = 5;
    const LAST: &str = "that was all";
    let file = StoreFile::new();
    let server = file.serve(&["--recent", "5", "--rate", "0"]);
    let mut ann = server.join("ann");
    for batch in 0..LINES / 100 {
        let lines: String = (0..100).map(|line| format!("in|r|{batch} {line}\n")).collect();
        ann.send(lines.as_bytes());
        ann.fence();
    }
    let joined = AtomicUsize::new(0);
    let told: Vec<Vec<Row>> = thread::scope(|scope| {
        let late: Vec<_> = (0..LATE)
            .map(|_| {
                let (mut client, joined) = (server.dial(), &joined);
                client.say("format|json\njoin|r|since|0");
                scope.spawn(move || {
                    let mut rows: Vec<Row> = Vec::new();
                    while rows.last().is_none_or(|row| row.text.as_deref() != Some(LAST)) {
                        let line = client.line();
                        joined.fetch_add(usize::from(line.contains("\"verb\":\"join\"")), Relaxed);
                        rows.extend(Row::told(&line).filter(|row| row.room == "r"));
                    }
                    rows
                })
            })
            .collect();
        // While these are told the past, there is more of it; then all of them are there.
        let mut line = 0;
        until("all have joined", || {
            for _ in 0..20 {
                ann.say(&format!("in|r|meanwhile {line}"));
                line += 1;
            }
            ann.fence();
            joined.load(Relaxed) == LATE
        });
        ann.say(&format!("in|r|{LAST}"));
        late.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    for (number, told) in told.iter().enumerate() {
        let kept = file.rows_of("r");
        let last = kept.iter().position(|row| row.text.as_deref() == Some(LAST)).expect("it is kept");
        let kept = &kept[..=last];
        assert_same(told, kept, &format!("client {number}"));
    }
    kill(server);
    let server = file.serve(&[]);
    shut_down(server);
}
