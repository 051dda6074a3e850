//! Attacks on what waits for a client, on what is held of it, and on the log.

use std::{
    io::Read,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use common::{Client, Crowd, EN, Innocent, Received, Server, note};
use rustix::{
    net::{SendFlags, send},
    process::Signal,
};

use crate::MB;

/// Lines that a talker says in so long, of which only a few are on their way at a time.
fn pace(talker: &mut Client, time: Duration) -> f64 {
    const WINDOW: usize = 100;
    let lines = format!("{}\n", "x".repeat(250)).repeat(WINDOW) + "sync|said\n";
    let (start, mut said) = (Instant::now(), 0);
    while start.elapsed() < time {
        talker.send(lines.as_bytes());
        talker.expect_among("sync|said");
        said += WINDOW;
    }
    said as f64 / start.elapsed().as_secs_f64()
}

/// Reads so many bytes a second, in hundredths of a second.
fn read_slowly(mut stream: TcpStream, rate: usize) {
    let (start, mut piece) = (Instant::now(), vec![0; rate / 100]);
    for due in 1.. {
        if stream.read_exact(&mut piece).is_err() {
            return;
        }
        thread::sleep((Duration::from_millis(10) * due).saturating_sub(start.elapsed())); // this makes it slow
    }
}

/// Once, the server waited for it in each turn, and talkers were left with a thirtieth of their pace.
#[test]
fn a_slow_reader_costs_talkers_nothing() {
    let server = Server::start_alone(&["--rate", "0"]);
    let mut talker = server.connect();
    let listeners = Crowd::join(&server, 10, |_| String::new()).read();
    talker.fence();
    let alone = pace(&mut talker, Duration::from_secs(1));
    let slow = server.connect_narrow();
    let stream = slow.writer();
    let reader = thread::spawn(move || read_slowly(slow.stream, 1_000_000));
    pace(&mut talker, Duration::from_millis(300)); // its kernel's buffers fill
    let beside = pace(&mut talker, Duration::from_secs(1));
    note(&format!("{alone:.0} lines a second, {beside:.0} beside a slow reader"));
    assert!(beside > alone / 2.0, "{alone} lines a second, {beside} beside a slow reader");
    stream.shutdown(std::net::Shutdown::Both).expect("connected");
    reader.join().expect("no panic");
    assert_eq!(listeners.finish(), 0, "are cut");
}

/// Once, all of them were handed out in one turn, which was more than may wait, and the victim was disconnected.
#[test]
fn private_lines_of_many_do_not_cut_who_reads() {
    const SENDERS: usize = 40;
    const LINES: usize = 4;
    let server = Server::start_alone(&[]);
    let mut victim = server.join("victim");
    let mut senders: Vec<_> = (0..SENDERS).map(|_| server.connect()).collect();
    senders.iter_mut().for_each(|sender| drop(sender.fence()));
    victim.fence();
    let lines = format!("to|victim|{}\n", "\x1b".repeat(4000)).repeat(LINES); // each is shown as six characters
    server.signal(Signal::STOP);
    senders.iter_mut().for_each(|sender| sender.send(lines.as_bytes()));
    server.signal(Signal::CONT);
    let (delivered, refused) = thread::scope(|scope| {
        let refused = scope.spawn(|| {
            let answers = senders.iter_mut().flat_map(Client::fence).collect::<Vec<_>>();
            assert!(answers.iter().all(|answer| answer == EN.recipient_behind), "{answers:?}");
            answers.len()
        });
        let mut delivered = 0;
        loop {
            let line = match victim.receive(Duration::from_millis(100)) {
                Received::Line(line) => line,
                Received::Nothing if !refused.is_finished() => continue,
                Received::Nothing => break,
                end @ (Received::Unfinished(_) | Received::Eof | Received::Reset) => {
                    panic!("the victim is cut after {delivered} lines: {end:?}")
                }
            };
            assert!(line.starts_with("from:["), "{line}");
            delivered += 1;
        }
        delivered += victim.fence().len();
        (delivered, refused.join().expect("no panic"))
    });
    assert_eq!(delivered + refused, SENDERS * LINES, "{delivered} are delivered, and {refused} refused to the sender");
}

/// Once, all were disconnected: the timeout was over before the server had tried to write.
#[test]
fn who_has_read_everything_is_not_cut_when_the_server_stood_still() {
    const LINES: usize = 60;
    let server = Server::start_alone(&["--write-timeout", "1"]);
    let mut readers: Vec<_> = (0..20).map(|_| server.connect_narrow()).collect();
    readers.iter_mut().for_each(|reader| drop(reader.fence()));
    let mut ann = server.connect();
    let text = "m".repeat(4000);
    for _ in 0..LINES {
        ann.say(&text);
        ann.expect(&ann.says(&text));
    }
    // They read what they can get, which is not all, for longer than the write timeout.
    server.signal(Signal::STOP);
    let reading = Crowd::from(readers).read();
    thread::sleep(Duration::from_millis(1500)); // the stretch in which the server stands still
    server.signal(Signal::CONT);
    ann.fence();
    thread::sleep(Duration::from_millis(300));
    assert!(ann.fence().is_empty(), "nobody has left");
    assert_eq!(reading.finish(), 0, "are cut");
}

/// Once, such input was on nobody's account: 25 KB for each client, whatever the limit. (Urgent data wakes the server.)
#[test]
fn urgent_data_does_not_make_the_server_hold_more_input() {
    const CLIENTS: usize = 600;
    const PARTS: usize = 8;
    let server = Server::start_alone(&["--max-memory", "4194304"]);
    let clients = Crowd::join(&server, CLIENTS, |_| String::new());
    clients.send(b"wait|3600|user|nobody\n");
    let innocent = Innocent::start(server.connect());
    let mut ann = server.connect();
    let before = server.rss();
    let lines = b"x\n".repeat(4 << 10);
    for _ in 0..PARTS {
        for stream in clients.streams() {
            send(stream, &lines, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
            send(stream, b"!", SendFlags::OOB | SendFlags::DONTWAIT | SendFlags::NOSIGNAL).ok();
        }
        ann.fence(); // the server has seen it
    }
    innocent.finish_within(Duration::from_secs(2));
    let grown = server.peak_rss().saturating_sub(before);
    note(&format!("{} KB more for each", grown / 1024 / CLIENTS as u64));
    assert!(grown < 12 * MB, "{grown} bytes more");
}

/// Once, half a megabyte.
#[test]
fn coming_and_going_does_not_fill_the_log() {
    const TIMES: usize = 3000;
    let server = Server::start_alone(&[]);
    let mut ann = server.join("ann");
    for _ in 0..TIMES {
        let mut bob = server.dial();
        bob.say("x");
        let says = bob.says("x");
        drop(bob);
        ann.expect_among(&says);
    }
    ann.fence();
    let bytes: usize = server.log().iter().map(|line| line.len() + 1).sum();
    note(&format!("{bytes} bytes in the log"));
    assert!(bytes < 100_000, "{bytes} bytes in the log");
}
