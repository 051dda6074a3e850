//! The limits on the number of connections, and what happens without free descriptors.

use std::time::{Duration, Instant};

use common::{EN, Server, until};

use crate::refused;

#[test]
fn a_client_over_the_limit_is_told_so_and_a_freed_place_is_usable_at_once() {
    let server = Server::start(&["--max-clients", "3"]);
    let [mut ann, mut bob, mut cat] = server.join_all(["ann", "bob", "cat"]);
    for _ in 0..3 {
        let mut dan = server.dial();
        dan.expect(EN.full);
        dan.eof();
    }
    for client in [&mut ann, &mut bob, &mut cat] {
        client.nothing();
    }
    for _ in 0..3 {
        let offline = cat.offline();
        drop(cat);
        ann.expect(&offline);
        cat = server.connect();
        ann.expect(&cat.online());
        let mut dan = server.dial();
        dan.expect(EN.full);
        dan.eof();
        cat.nothing();
    }
    until("all six are in the log", || refused(&server.log(), "full") == 6);
}

#[test]
fn one_address_gets_only_its_share_of_connections() {
    let server = Server::start(&["--trusted", "", "--max-clients-per-ip", "2"]);
    let mut ann = server.connect();
    let bob = server.connect();
    ann.expect(&bob.online());
    let mut cat = server.dial();
    cat.expect(EN.full_for_address);
    cat.eof();
    let mut dan = server.dial_from([127, 0, 0, 2]);
    dan.expect(&dan.online());
    ann.expect(&dan.online());
    let offline = bob.offline();
    drop(bob);
    ann.expect(&offline);
    let mut eve = server.connect();
    eve.nothing();
    let mut fay = server.dial();
    fay.expect(EN.full_for_address);
    fay.eof();
}

#[test]
fn a_refused_client_that_stays_connected_holds_no_descriptor() {
    let server = Server::start_alone(&["--max-clients", "1"]);
    let mut ann = server.connect();
    let files = server.open_files();
    let mut pushy: Vec<_> = (0..100).map(|_| server.dial()).collect();
    let start = Instant::now();
    let most = server.open_files() - files;
    assert!(most <= 33, "{most} more"); // REFUSED_MAX, and one that is just accepted
    until("those turned away are closed, as they don't close", || server.open_files() == files);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for client in &mut pushy {
        client.expect(EN.full);
        client.eof();
    }
    ann.nothing();
}

#[test]
fn without_free_descriptors_the_server_waits_logs_once_and_recovers() {
    let server = Server::start_alone_with_open_files(64, &["--max-clients", "1000"]);
    let mut clients: Vec<_> = (0..100).map(|_| server.dial()).collect();
    server.expect_log(1, "accept:");
    let share = server.cpu_share(Duration::from_secs(2));
    assert!(share < 0.1, "{share} of a CPU while starved");
    let first = &mut clients[0];
    first.expect(&first.online());
    assert!(first.fence().len() > 20, "those who are in are served");
    assert_eq!(server.expect_log(1, "accept:").len(), 1, "one line in all this time");
    let mut waiting = clients.split_off(60);
    drop(clients);
    for client in &mut waiting {
        client.expect(&client.online());
    }
    waiting[0].fence();
    let episodes = server.expect_log(1, "accept:").len();
    let more: Vec<_> = (0..60).map(|_| server.dial()).collect();
    server.expect_log(episodes + 1, "accept:");
    drop((waiting, more));
    server.connect().fence();
}
