//! Nothing that arrives at a socket is missed.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, Read},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread,
};

use futures::FutureExt;
use rustix::net::SendFlags;

use super::{executor, pair, run};
use crate::reactor::{Poller, Socket, Wait};

async fn readable(socket: &Socket) {
    poll_fn(|cx| socket.poll_readable(cx)).await;
}

async fn hang_up(socket: &Socket) {
    poll_fn(|cx| socket.poll_hang_up(cx)).await;
}

/// One read, of at most `room` bytes.
fn read(socket: &Socket, room: usize) -> String {
    let mut buffer = vec![0; room];
    let read = socket.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

fn would_block<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn a_read_that_fills_its_buffer_leaves_the_socket_readable_and_a_short_one_does_not() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        for round in ["first", "again"] {
            peer.send(b"abc");
            readable(&socket).await;
            assert_eq!(read(&socket, 2), "ab", "{round}");
            assert!(socket.is_readable(), "{round}");
            assert_eq!(read(&socket, 2), "c", "{round}");
            assert!(!socket.is_readable(), "{round}");
        }
        assert!(would_block(socket.read(&mut [0; 2])));
    });
}

#[test]
fn bytes_that_come_between_an_event_and_its_read_are_not_waited_for() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        peer.send(b"a");
        readable(&socket).await;
        peer.send(b"b");
        assert_eq!(read(&socket, 2), "ab");
        // Full, so that it may be tried again, which finds nothing and waits.
        assert!(would_block(socket.read(&mut [0; 2])));
        assert!(!socket.is_readable());
        peer.send(b"c");
        readable(&socket).await;
    });
}

#[test]
fn urgent_data_in_the_middle_is_read_with_the_rest() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        peer.send(b"ab");
        peer.send_with(b"!", SendFlags::OOB);
        peer.send(b"cd");
        hang_up(&socket).await;
        assert_eq!(read(&socket, 16), "ab", "a read stops before urgent data");
        assert!(socket.is_readable());
        assert_eq!(read(&socket, 16), "!cd");
        assert!(would_block(socket.read(&mut [0; 2])));
        assert!(!socket.is_readable());
        assert!(hang_up(&socket).now_or_never().is_none());
        peer.send(b"e");
        readable(&socket).await;
        assert_eq!(read(&socket, 16), "e");
    });
}

#[test]
fn the_end_of_input_is_seen_behind_data_that_came_with_it() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        peer.send(b"bye");
        peer.shutdown();
        hang_up(&socket).await;
        assert_eq!(read(&socket, 16), "bye");
        readable(&socket).await;
        assert_eq!(read(&socket, 16), "");
    });
}

#[test]
fn the_end_of_input_is_seen_when_it_comes_between_the_data_and_its_read() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        peer.send(b"bye");
        readable(&socket).await;
        assert!(hang_up(&socket).now_or_never().is_none());
        peer.shutdown();
        assert_eq!(read(&socket, 16), "bye");
        hang_up(&socket).await;
        assert_eq!(read(&socket, 16), "");
    });
}

#[test]
fn a_half_closed_connection_is_not_broken_and_a_reset_one_is() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        peer.shutdown();
        hang_up(&socket).await;
        let mut broken = poll_fn(|cx| socket.poll_broken(cx));
        assert!((&mut broken).now_or_never().is_none());
        peer.reset();
        broken.await;
    });
}

#[test]
fn a_full_socket_is_writable_again_when_the_peer_has_read() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    run(&executor, async move {
        let parts = vec![[7; 1000]; 100];
        let mut written = 0;
        socket.writable().await;
        while let Ok(bytes) = socket.write(parts.iter().map(|part| &part[..])) {
            written += bytes;
        }
        assert!(would_block(socket.write([&b"x"[..]].into_iter())));
        assert!(socket.writable().now_or_never().is_none());
        let mut stream = peer.stream;
        let reader = thread::spawn(move || stream.read_exact(&mut vec![0; written]).map(|()| stream));
        socket.writable().await;
        let mut stream = reader.join().unwrap().unwrap();
        assert_eq!(socket.write([&b"x"[..], b"y"].into_iter()).unwrap(), 2);
        socket.shutdown().unwrap();
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "xy");
    });
}

thread_local! {
    static DOOMED: RefCell<Vec<Socket>> = const { RefCell::new(Vec::new()) };
}

/// Drops the sockets of its thread.
struct Reaper;

impl Wake for Reaper {
    fn wake(self: Arc<Self>) {
        DOOMED.with_borrow_mut(Vec::clear);
    }
}

#[test]
fn a_waker_may_drop_sockets_that_have_events_too() {
    let (_, poller) = executor();
    let (sockets, peers): (Vec<_>, Vec<_>) = (1..=3).map(|token| pair(&poller, token)).unzip();
    let waker = Waker::from(Arc::new(Reaper));
    for socket in &sockets {
        assert_eq!(socket.poll_readable(&Context::from_waker(&waker)), Poll::Pending);
    }
    peers.iter().for_each(|peer| peer.send(b"x"));
    DOOMED.set(sockets);
    poller.poll(Wait::UntilEvent);
    assert!(DOOMED.with_borrow(Vec::is_empty));
}

#[test]
fn the_poller_knows_no_dropped_socket() {
    let (_, poller) = executor();
    drop(pair(&poller, 7));
    drop(pair(&poller, 7)); // else its token would be in use
}

#[test]
#[should_panic(expected = "Token(7) is in use")]
fn a_token_names_one_socket() {
    let (_, poller) = executor();
    let _both = (pair(&poller, 7), pair(&poller, 7));
}

#[test]
fn a_poller_can_be_moved_to_the_thread_that_runs_it() {
    fn check<T: Send>() {}
    check::<Poller>();
}
