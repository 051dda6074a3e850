//! What wakes the executor: sockets, other threads, timers.

use std::{
    future::poll_fn,
    hint,
    pin::pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use async_std::task;
use futures::{
    FutureExt,
    channel::{mpsc::unbounded, oneshot},
    executor::block_on,
    future::{Either, select},
    task::noop_waker_ref,
};

use super::{PATIENCE, executor, pair, run};
use crate::reactor::{Clock, Timer, Wait, executor::TICKS_MAX, wake_fd::WakeFd};

#[test]
fn whatever_is_always_ready_keeps_no_socket_from_being_seen() {
    let (executor, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    let is_seen = run(&executor, async move {
        peer.send(b"x");
        let readable = pin!(poll_fn(|cx| socket.poll_readable(cx)));
        let busy = pin!(async {
            for _ in 0..100 * TICKS_MAX {
                task::yield_now().await;
            }
        });
        matches!(select(readable, busy).await, Either::Left(_))
    });
    assert!(is_seen);
}

#[test]
fn no_wake_up_from_another_thread_is_lost() {
    const ROUNDS: u32 = 20_000;
    let (ask, mut asked) = unbounded();
    let (answer, answered) = mpsc::channel();
    let thread = thread::spawn(move || {
        executor().0.run(async move {
            while let Ok(number) = asked.recv().await {
                answer.send(number).unwrap();
            }
        });
    });
    for number in 0..ROUNDS {
        ask.unbounded_send(number).unwrap();
        assert_eq!(answered.recv_timeout(PATIENCE), Ok(number));
        // Each round begins at another point of the way to the wait.
        (0..number % 512).for_each(|_| hint::spin_loop());
    }
    drop(ask);
    thread.join().unwrap();
}

/// Reads the wake-up fd, which a poll does not do.
fn was_written(wake_fd: &WakeFd) -> bool {
    rustix::io::read(wake_fd, &mut [0; 8]).is_ok()
}

#[test]
fn a_wake_up_is_written_once_for_each_wait_and_only_then() {
    let wake_fd = Arc::new(WakeFd::new().unwrap());
    let waker = Waker::from(Arc::clone(&wake_fd));
    waker.wake_by_ref();
    assert!(!was_written(&wake_fd));
    wake_fd.set_sleeping(true);
    waker.wake_by_ref();
    assert!(was_written(&wake_fd));
    waker.wake_by_ref();
    assert!(!was_written(&wake_fd));
}

#[test]
fn a_waker_ends_a_wait_that_has_not_begun() {
    let (_, poller) = executor();
    poller.prepare_to_wait();
    poller.wake_fd().wake();
    poller.poll(Wait::UntilEvent);
}

#[test]
fn a_waker_called_by_the_poller_does_not_write() {
    let (_, poller) = executor();
    let (socket, peer) = pair(&poller, 1);
    poller.prepare_to_wait();
    assert_eq!(socket.poll_readable(&Context::from_waker(&Waker::from(poller.wake_fd()))), Poll::Pending);
    peer.send(b"x");
    poller.poll(Wait::UntilEvent);
    assert!(socket.is_readable());
    assert!(!was_written(&poller.wake_fd()));
}

#[test]
fn other_threads_end_the_wait() {
    let (ask, asked) = oneshot::channel();
    let (answer, answered) = oneshot::channel();
    let other = thread::spawn(move || answer.send(block_on(asked)));
    assert_eq!(run(&executor().0, async { (ask.send(7), answered.await) }), (Ok(()), Ok(Ok(7))));
    other.join().unwrap().unwrap();
}

#[test]
#[should_panic(expected = "as the task does")]
fn it_panics_as_its_task_does() {
    executor().0.run(async { panic!("as the task does") });
}

#[test]
fn a_timer_fires_at_the_earliest_time_it_was_set_to_and_can_be_set_again() {
    const SOON: Duration = Duration::from_millis(2);
    const LATE: Duration = Duration::from_secs(3600);
    run(&executor().0, async {
        let clock = Clock::start();
        let mut timer = Timer::new();
        let is_pending = |timer: &mut Timer| timer.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending();
        assert!(is_pending(&mut timer), "it is not set");
        timer.set(LATE, clock);
        assert!(is_pending(&mut timer));
        for _ in 0..2 {
            let at = clock.now() + SOON;
            timer.set(at, clock);
            timer.set(LATE, clock);
            (&mut timer).await;
            assert!(clock.now() >= at);
            assert!(is_pending(&mut timer), "it is not set any more");
        }
    });
}
