//! The turnstile, turned by hand, and connections on sockets of their own.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    pin::{Pin, pin},
    task::{Context, Waker},
};

use super::*;
use crate::reactor::{Poller, Token, Wait};

fn count(line: &mut Vec<Pass>) -> usize {
    let before = line.len();
    line.retain_mut(|pass| pass.try_recv() == Ok(None));
    before - line.len()
}

#[test]
fn so_many_pass_in_a_turn_in_the_order_in_which_they_came() {
    let (turnstile, turning) = turnstile();
    let (mut turning, cx) = (pin!(turning), &mut Context::from_waker(Waker::noop()));
    let mut line: Vec<_> = (0..PASSES + 3).map(|_| turnstile.enter(Kind::Burst)).collect();
    drop(line.remove(1)); // one that has left takes no pass
    assert!(turning.as_mut().poll(cx).is_pending());
    let has_passed: Vec<_> = line.iter_mut().map(|pass| pass.try_recv() == Ok(Some(()))).collect();
    assert_eq!(has_passed, [vec![true; PASSES], vec![false; 2]].concat());
    line.drain(..PASSES);
    assert!(turning.as_mut().poll(cx).is_pending());
    assert_eq!(count(&mut line), 2);
    drop(turnstile);
    assert!(turning.as_mut().poll(cx).is_ready());
}

#[test]
fn bursts_come_before_floods_and_do_not_starve_them() {
    let (turnstile, turning) = turnstile();
    let (mut turning, cx) = (pin!(turning), &mut Context::from_waker(Waker::noop()));
    let mut floods: Vec<_> = (0..3 * PASSES).map(|_| turnstile.enter(Kind::Flood)).collect();
    let mut bursts: Vec<_> = (0..2 * PASSES).map(|_| turnstile.enter(Kind::Burst)).collect();
    let mut passed = Vec::new();
    for _ in 0..4 {
        assert!(turning.as_mut().poll(cx).is_pending());
        passed.push((count(&mut bursts), count(&mut floods)));
    }
    assert_eq!(passed, [(24, 8), (24, 8), (16, 16), (0, 32)]);
}

/// A turn of the turnstile, which goes on.
fn turn_once(turning: &mut Pin<&mut impl Future<Output = ()>>) {
    assert!(turning.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// Connections read as much as they may, until the round is over. How many reads was that?
fn use_up(turnstile: &Turnstile) -> usize {
    let mut reading = Reading::new();
    let mut reads = 0;
    while reading.bytes_max(turnstile, false) == READ_BYTES {
        reading.has_read(READ_BYTES, turnstile);
        reads += 1;
    }
    reads
}

#[test]
fn so_much_is_read_in_a_round_and_the_next_one_begins_anew() {
    let (turnstile, turning) = turnstile();
    let mut turning = pin!(turning);
    turn_once(&mut turning);
    for _ in 0..3 {
        assert_eq!(use_up(&turnstile), ROUND_BYTES / READ_BYTES);
        assert_eq!(Reading::new().bytes_max(&turnstile, false), SMALL_READ_BYTES);
        assert_eq!(Reading::Passed.bytes_max(&turnstile, false), READ_BYTES);
        turn_once(&mut turning);
    }
}

#[test]
fn a_round_that_nobody_uses_up_is_over_too() {
    let (turnstile, turning) = turnstile();
    let mut turning = pin!(turning);
    turn_once(&mut turning);
    Reading::new().has_read(READ_BYTES, &turnstile);
    turn_once(&mut turning);
    assert_eq!(use_up(&turnstile), ROUND_BYTES / READ_BYTES);
}

#[test]
fn small_reads_leave_a_round_as_it_is() {
    let (turnstile, _turning) = turnstile();
    (0..2 * ROUND_BYTES / SMALL_READ_BYTES).for_each(|_| Reading::new().has_read(SMALL_READ_BYTES, &turnstile));
    assert_eq!(use_up(&turnstile), ROUND_BYTES / READ_BYTES);
}

#[test]
fn while_memory_is_tight_everyone_reads_little() {
    let (turnstile, _turning) = turnstile();
    for reading in [Reading::new(), Reading::Much(Kind::Flood), Reading::Passed] {
        assert_eq!(reading.bytes_max(&turnstile, true), SMALL_READ_BYTES, "{reading:?}");
    }
}

#[test]
fn how_much_was_read_tells_what_the_client_sends() {
    let (turnstile, _turning) = turnstile();
    let after = |bytes| {
        let mut reading = Reading::Passed;
        reading.has_read(bytes, &turnstile);
        reading
    };
    assert!(matches!(after(SMALL_READ_BYTES - 1), Reading::Little));
    for bytes in [SMALL_READ_BYTES, READ_BYTES - 1] {
        assert!(matches!(after(bytes), Reading::Much(Kind::Burst)), "{bytes}");
    }
    assert!(matches!(after(READ_BYTES), Reading::Much(Kind::Flood)));
}

/// A socket, its poller and its peer.
fn pair() -> (Socket, Rc<Poller>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let poller = Rc::new(Poller::new().unwrap());
    let socket = Socket::new(listener.accept().unwrap().0, Token(1), Rc::clone(&poller)).unwrap();
    (socket, poller, peer)
}

#[test]
fn one_that_sends_little_reads_as_soon_as_there_is_something() {
    let ((turnstile, _turning), (socket, poller, mut peer)) = (turnstile(), pair());
    let cx = &mut Context::from_waker(Waker::noop());
    use_up(&turnstile);
    let mut reading = Reading::new();
    assert!(reading.poll(&socket, &turnstile, cx).is_pending());
    peer.write_all(b"hi").unwrap();
    while !socket.is_readable() {
        poller.poll(Wait::UntilEvent);
    }
    assert!(reading.poll(&socket, &turnstile, cx).is_ready());
}

#[test]
fn one_that_sends_much_waits_for_its_turn_when_a_round_is_used_up() {
    let ((turnstile, turning), (socket, poller, mut peer)) = (turnstile(), pair());
    let (mut turning, cx) = (pin!(turning), &mut Context::from_waker(Waker::noop()));
    turn_once(&mut turning);
    let mut reading = Reading::Much(Kind::Burst);
    assert!(reading.poll(&socket, &turnstile, cx).is_pending(), "there is nothing to read");
    peer.write_all(b"hi").unwrap();
    while !socket.is_readable() {
        poller.poll(Wait::UntilEvent);
    }
    assert!(reading.poll(&socket, &turnstile, cx).is_ready(), "the round has just begun");
    use_up(&turnstile);
    assert!(reading.poll(&socket, &turnstile, cx).is_pending());
    turn_once(&mut turning);
    assert!(reading.poll(&socket, &turnstile, cx).is_ready());
    use_up(&turnstile);
    assert_eq!(reading.bytes_max(&turnstile, false), READ_BYTES, "it has passed");
}

#[test]
fn the_last_words_of_one_that_has_hung_up_wait_for_their_turn_and_are_read_at_once() {
    let (turnstile, turning) = turnstile();
    let (mut turning, cx) = (pin!(turning), &mut Context::from_waker(Waker::noop()));
    turn_once(&mut turning);
    for mut reading in [Reading::new(), Reading::Much(Kind::Flood)] {
        assert!(reading.poll_last(&turnstile, cx).is_pending(), "though the round has just begun");
        turn_once(&mut turning);
        assert!(reading.poll_last(&turnstile, cx).is_ready());
        use_up(&turnstile);
        assert_eq!(reading.bytes_max(&turnstile, false), READ_BYTES);
        turn_once(&mut turning);
    }
}
