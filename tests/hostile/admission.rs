//! Admission: connections that are refused for their number or their rate, beside connections that are let in.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use common::{EN, Server, until};
use rustix::process::Signal;

use crate::refused;

#[test]
fn an_address_that_hammers_keeps_no_other_out() {
    const SHARE: usize = 500;
    let server = Server::start_alone_with_open_files(1064, &["--trusted", "", "--max-clients-per-ip", "500"]);
    let mut clients: Vec<_> = (0..SHARE).map(|_| server.dial()).collect();
    clients.iter_mut().for_each(|client| drop(client.fence()));
    let (is_over, mut times) = (AtomicBool::new(false), Vec::new());
    thread::scope(|scope| {
        let _end = server.ends_with_failure();
        for _ in 0..2 {
            // Most of them never close.
            scope.spawn(|| {
                let mut pushy = Vec::new();
                while !is_over.load(Relaxed) {
                    pushy.push(server.dial());
                    if pushy.len() > 100 {
                        pushy.clear();
                    }
                }
            });
        }
        until("the hammering is refused", || refused(&server.log(), "full-for-address") > 0);
        for _ in 0..50 {
            let start = Instant::now();
            let mut bob = server.dial_from([127, 0, 0, 2]);
            bob.send(b"\n");
            bob.expect(&bob.online());
            bob.say("sync|here");
            bob.expect_among("sync|here");
            times.push(start.elapsed());
        }
        is_over.store(true, Relaxed);
    });
    times.sort();
    assert!(times[25] < Duration::from_secs(1), "most wait as long as the one that hammers: {times:?}");
    clients[0].fence();
}

#[test]
fn a_refused_client_that_has_already_sent_much_is_told_why() {
    let server = Server::start(&["--max-clients", "1"]);
    let _ann = server.connect();
    server.signal(Signal::STOP); // so that all of it is there before the server looks
    let mut bob = server.dial();
    bob.send(&[b'x'; 64 << 10]);
    server.signal(Signal::CONT);
    bob.expect(EN.full);
    bob.eof();
}

#[test]
fn an_address_gets_in_no_faster_than_its_rate() {
    let server = Server::start(&["--trusted", "127.0.0.3", "--arrivals-per-ip", "1"]);
    let clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    drop(clients);
    let mut ann = server.dial();
    ann.expect(EN.too_many_arrivals);
    ann.eof();
    let mut bob = server.dial_from([127, 0, 0, 2]);
    bob.expect_among(&bob.online());
    for _ in 0..20 {
        let mut trusted = server.dial_from([127, 0, 0, 3]);
        trusted.expect_among(&trusted.online());
    }
    until("a second later one more gets in", || {
        let mut cat = server.dial();
        let line = cat.line();
        assert!(line == EN.too_many_arrivals || line == cat.online(), "{line}");
        line != EN.too_many_arrivals
    });
    assert!(refused(&server.log(), "too-many-arrivals") > 0);
}

#[test]
fn loopback_is_trusted_unless_told_otherwise() {
    let limits = ["--max-clients-per-ip", "1", "--arrivals-per-ip", "1"];
    let server = Server::start(&limits);
    let clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    let strict = server.start_another(&[&limits[..], &["--trusted", ""]].concat());
    let _first = strict.connect();
    let mut second = strict.dial();
    second.expect(EN.full_for_address);
    drop(clients);
}
