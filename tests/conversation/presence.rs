//! Who is here: arrivals, departures, `who` and the idle timeout.

use std::time::{Duration, Instant};

use common::{Client, DEADLINE, Received, Server, ZH};

use crate::{in_both, rooms::two_in_a_room};

#[test]
fn an_arrival_is_announced_to_the_newcomer_first_and_to_everyone_else() {
    in_both(&[], |server, texts| {
        let mut ann = server.dial();
        ann.expect(&format!("[{0}]{0}:{1}", ann.addr, texts.online));
        let mut bob = server.dial();
        let arrival = format!("[{0}]{0}:{1}", bob.addr, texts.online);
        bob.expect(&arrival);
        ann.expect(&arrival);
        ann.nothing();
        bob.nothing();
    });
}

#[test]
fn who_lists_everyone_in_order_of_arrival() {
    in_both(&[], |server, _| {
        let [mut zoe, mut ann] = server.join_all(["zoe", "ann"]);
        let mut cat = server.connect();
        zoe.fence();
        ann.fence();
        ann.say("who");
        ann.expect("[zoe] is online");
        ann.expect("[ann] is online");
        ann.expect(&format!("[{}] is online", cat.addr));
        ann.nothing();
        zoe.nothing();
        cat.nothing();
    });
}

#[test]
fn a_departure_is_announced_once_however_the_client_leaves() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        let leavers: [fn(Client); 4] = [
            drop,
            Client::reset,
            |client| {
                client.half_close();
                drop(client);
            },
            |mut client| {
                client.half_close();
                client.eof();
            },
        ];
        for leave in leavers {
            let bob = server.join("bob");
            let gone = format!("[{}]bob:{}", bob.addr, texts.offline);
            assert_eq!(ann.fence(), [format!("[{0}]{0}:{1}", bob.addr, texts.online), bob.known_as()]);
            leave(bob);
            ann.expect(&gone);
            ann.say("who");
            ann.expect("[ann] is online");
            ann.nothing();
        }
    });
}

#[test]
fn a_client_without_a_name_departs_under_its_address() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let bob = server.connect();
    ann.expect(&bob.online());
    let gone = format!("[{0}]{0}:is offline", bob.addr);
    drop(bob);
    ann.expect(&gone);
}

#[test]
fn a_client_that_only_sets_something_and_ends_is_answered_and_announced_to_nobody() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let mut probe = server.dial();
    probe.say("lang|zh");
    probe.half_close();
    probe.expect(ZH.set_lang);
    probe.eof();
    ann.nothing();
}

#[test]
fn an_idle_client_is_told_why_it_is_disconnected_and_so_are_the_others() {
    in_both(&["--idle-timeout", "0.5"], |server, texts| {
        let start = Instant::now();
        let mut ann = server.join("ann");
        let mut bob = server.join("bob");
        ann.expect(&format!("[{0}]{0}:{1}", bob.addr, texts.online));
        ann.expect(&bob.known_as());
        // A blank line resets the idle timeout and is not passed on.
        let kicked = loop {
            bob.send(b"\n");
            match bob.receive(Duration::from_millis(100)) {
                Received::Nothing => assert!(start.elapsed() < DEADLINE, "ann is silent and still here"),
                heard => break heard,
            }
        };
        assert!(start.elapsed() > Duration::from_millis(500), "after {:?}", start.elapsed());
        assert_eq!(kicked, Received::Line(format!("[{}]ann:{}", ann.addr, texts.offline)));
        bob.say("who");
        bob.expect("[bob] is online");
        bob.say("rename|ann");
        bob.expect(&texts.renamed("bob", "ann"));
        ann.expect(texts.idle);
        ann.eof();
        bob.expect(texts.idle);
        bob.eof();
    });
}

#[test]
fn without_an_idle_timeout_nobody_is_disconnected() {
    let server = Server::start(&["--idle-timeout", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    assert_eq!(ann.receive(Duration::from_millis(300)), Received::Nothing);
    bob.nothing();
    ann.nothing();
}

#[test]
fn departures_and_new_names_are_told_in_each_room() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        bob.rename("rob");
        let (known_as, offline) = (texts.known_as(&bob.addr, "bob", "rob"), bob.offline());
        let in_room = [format!("#builds {known_as}"), texts.offline_in("builds", &bob.addr, "rob")];
        drop(bob);
        for (line, in_room) in [known_as, offline].iter().zip(in_room) {
            ann.expect(line);
            ann.expect(&in_room);
            cid.expect(line);
        }
        ann.nothing();
        cid.nothing();
    });
}
