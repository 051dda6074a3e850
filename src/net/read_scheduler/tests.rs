//! The scheduler, polled by hand, and connections on sockets of their own.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    pin::{Pin, pin},
    task::{Context, Waker},
};

use super::*;
use crate::reactor::{Poller, Socket, Token, Wait};

/// Takes those out of the queue whose permit was granted, and answers how many.
fn take_granted(queue: &mut Vec<Permit>) -> usize {
    let before = queue.len();
    queue.retain_mut(|permit| permit.try_recv() == Ok(None));
    before - queue.len()
}

#[test]
fn permits_are_granted_in_the_order_in_which_connections_queue() {
    let (scheduler, running) = read_scheduler();
    let (mut running, cx) = (pin!(running), &mut Context::from_waker(Waker::noop()));
    let mut queue: Vec<_> = (0..PERMITS + 3).map(|_| scheduler.enter(Kind::Burst)).collect();
    drop(queue.remove(1)); // a connection that has left takes no permit
    assert!(running.as_mut().poll(cx).is_pending());
    let is_granted: Vec<_> = queue.iter_mut().map(|permit| permit.try_recv() == Ok(Some(()))).collect();
    assert_eq!(is_granted, [vec![true; PERMITS], vec![false; 2]].concat());
    queue.drain(..PERMITS);
    assert!(running.as_mut().poll(cx).is_pending());
    assert_eq!(take_granted(&mut queue), 2);
    drop(scheduler);
    assert!(running.as_mut().poll(cx).is_ready());
}

#[test]
fn bursts_come_before_floods_and_do_not_starve_them() {
    let (scheduler, running) = read_scheduler();
    let (mut running, cx) = (pin!(running), &mut Context::from_waker(Waker::noop()));
    let mut floods: Vec<_> = (0..3 * PERMITS).map(|_| scheduler.enter(Kind::Flood)).collect();
    let mut bursts: Vec<_> = (0..2 * PERMITS).map(|_| scheduler.enter(Kind::Burst)).collect();
    let mut granted = Vec::new();
    for _ in 0..4 {
        assert!(running.as_mut().poll(cx).is_pending());
        granted.push((take_granted(&mut bursts), take_granted(&mut floods)));
    }
    assert_eq!(granted, [(24, 8), (24, 8), (16, 16), (0, 32)]);
}

/// The scheduler begins the next round.
fn begin_round(running: &mut Pin<&mut impl Future<Output = ()>>) {
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

/// Connections read as much as they may, until the round is used up. Answers how many reads that took.
fn use_up(scheduler: &ReadScheduler) -> usize {
    let mut reading = Reading::new();
    let mut reads = 0;
    while reading.bytes_max(scheduler, false) == READ_BYTES {
        reading.has_read(READ_BYTES, scheduler);
        reads += 1;
    }
    reads
}

#[test]
fn so_much_is_read_in_a_round_and_the_next_one_begins_anew() {
    let (scheduler, running) = read_scheduler();
    let mut running = pin!(running);
    begin_round(&mut running);
    for _ in 0..3 {
        assert_eq!(use_up(&scheduler), ROUND_BYTES / READ_BYTES);
        assert_eq!(Reading::new().bytes_max(&scheduler, false), SMALL_READ_BYTES);
        assert_eq!(Reading::Permitted.bytes_max(&scheduler, false), READ_BYTES);
        begin_round(&mut running);
    }
}

#[test]
fn a_round_that_nobody_uses_up_is_over_too() {
    let (scheduler, running) = read_scheduler();
    let mut running = pin!(running);
    begin_round(&mut running);
    Reading::new().has_read(READ_BYTES, &scheduler);
    begin_round(&mut running);
    assert_eq!(use_up(&scheduler), ROUND_BYTES / READ_BYTES);
}

#[test]
fn small_reads_leave_a_round_as_it_is() {
    let (scheduler, _running) = read_scheduler();
    (0..2 * ROUND_BYTES / SMALL_READ_BYTES).for_each(|_| Reading::new().has_read(SMALL_READ_BYTES, &scheduler));
    assert_eq!(use_up(&scheduler), ROUND_BYTES / READ_BYTES);
}

#[test]
fn while_memory_is_tight_everyone_reads_little() {
    let (scheduler, _running) = read_scheduler();
    for reading in [Reading::new(), Reading::Much(Kind::Flood), Reading::Permitted] {
        assert_eq!(reading.bytes_max(&scheduler, true), SMALL_READ_BYTES, "{reading:?}");
    }
}

#[test]
fn how_much_was_read_tells_what_the_client_sends() {
    let (scheduler, _running) = read_scheduler();
    let after = |bytes| {
        let mut reading = Reading::Permitted;
        reading.has_read(bytes, &scheduler);
        reading
    };
    assert!(matches!(after(SMALL_READ_BYTES - 1), Reading::Little));
    for bytes in [SMALL_READ_BYTES, READ_BYTES - 1] {
        assert!(matches!(after(bytes), Reading::Much(Kind::Burst)), "{bytes}");
    }
    assert!(matches!(after(READ_BYTES), Reading::Much(Kind::Flood)));
}

/// A socket, its poller and its peer.
fn pair() -> (Transport, Rc<Poller>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let poller = Rc::new(Poller::new().unwrap());
    let socket = Socket::new(listener.accept().unwrap().0, Token(1), Rc::clone(&poller)).unwrap();
    (Transport::Plain(Rc::new(socket)), poller, peer)
}

#[test]
fn a_client_that_sends_little_is_read_at_once() {
    let ((scheduler, _running), (socket, poller, mut peer)) = (read_scheduler(), pair());
    let cx = &mut Context::from_waker(Waker::noop());
    use_up(&scheduler);
    let mut reading = Reading::new();
    assert!(reading.poll(&socket, &scheduler, cx).is_pending());
    peer.write_all(b"hi").unwrap();
    while !socket.is_readable() {
        poller.poll(Wait::UntilEvent);
    }
    assert!(reading.poll(&socket, &scheduler, cx).is_ready());
}

#[test]
fn a_client_that_sends_much_needs_a_permit_when_a_round_is_used_up() {
    let ((scheduler, running), (socket, poller, mut peer)) = (read_scheduler(), pair());
    let (mut running, cx) = (pin!(running), &mut Context::from_waker(Waker::noop()));
    begin_round(&mut running);
    let mut reading = Reading::Much(Kind::Burst);
    assert!(reading.poll(&socket, &scheduler, cx).is_pending(), "there is nothing to read");
    peer.write_all(b"hi").unwrap();
    while !socket.is_readable() {
        poller.poll(Wait::UntilEvent);
    }
    assert!(reading.poll(&socket, &scheduler, cx).is_ready(), "the round has just begun");
    use_up(&scheduler);
    assert!(reading.poll(&socket, &scheduler, cx).is_pending());
    begin_round(&mut running);
    assert!(reading.poll(&socket, &scheduler, cx).is_ready());
    use_up(&scheduler);
    assert_eq!(reading.bytes_max(&scheduler, false), READ_BYTES, "with its permit");
}

#[test]
fn a_client_that_has_hung_up_needs_a_permit_and_is_then_read_at_once() {
    let (scheduler, running) = read_scheduler();
    let (mut running, cx) = (pin!(running), &mut Context::from_waker(Waker::noop()));
    begin_round(&mut running);
    for mut reading in [Reading::new(), Reading::Much(Kind::Flood)] {
        assert!(reading.poll_last(&scheduler, cx).is_pending(), "though the round has just begun");
        begin_round(&mut running);
        assert!(reading.poll_last(&scheduler, cx).is_ready());
        use_up(&scheduler);
        assert_eq!(reading.bytes_max(&scheduler, false), READ_BYTES);
        begin_round(&mut running);
    }
}
