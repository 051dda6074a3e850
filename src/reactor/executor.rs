//! The executor: one thread, which runs all tasks of a server, and waits for its sockets when none is ready. Its queue is
//! async-std's own, async-executor. What differs is where it waits: async-std's threads hand the wait to each other and to
//! the reactor's, and a line for a server at rest was paid for with the waking of two threads, as much as fifty deliveries.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Waker},
};

use async_executor::{LocalExecutor, Task};
use futures::FutureExt;

use super::poller::Readiness;

/// Tasks run before a look at the sockets: some task may always be ready, and the others' clients must be heard.
const TICKS_MAX: usize = 64;

/// Runs tasks. A clone is the same executor.
#[derive(Clone)]
pub(crate) struct Executor {
    tasks: Rc<LocalExecutor<'static>>,
    readiness: Rc<Readiness>,
}

impl Executor {
    pub(crate) fn new(readiness: Rc<Readiness>) -> Self {
        Self { tasks: Rc::default(), readiness }
    }

    /// Has a task run beside the others. Dropping the handle ends it.
    pub(crate) fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Task<T> {
        self.tasks.spawn(task)
    }

    /// Runs all tasks until this one ends. To be called once, and not by a task.
    ///
    /// # Panics
    /// As the task does.
    pub(crate) fn run<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> T {
        let waker = Waker::from(self.readiness.bell());
        let mut task = self.spawn(task);
        loop {
            let is_idle = !(0..TICKS_MAX).all(|_| self.tasks.try_tick());
            if task.is_finished() {
                return (&mut task).now_or_never().expect("it has finished");
            }
            if is_idle {
                // Other threads wake tasks too: timers and the listener are async-std's, `stop` is anybody's. While `tick` waits, that rings.
                let tick = pin!(self.tasks.tick());
                if tick.poll(&mut Context::from_waker(&waker)).is_pending() {
                    self.readiness.wait();
                }
            } else {
                self.readiness.look();
            }
            // Not before: while `tick` waits, each task that is woken would ring the bell.
            self.readiness.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        io::Write,
        net::{TcpListener, TcpStream},
        thread,
    };

    use async_std::task;
    use futures::{
        channel::oneshot,
        future::{Either, select},
    };

    use super::*;
    use crate::{
        chat::ClientId,
        reactor::{Poller, Socket},
    };

    fn executor() -> Executor {
        Executor::new(Rc::new(Readiness::new(Poller::new().unwrap())))
    }

    #[test]
    fn whatever_is_always_ready_keeps_no_socket_from_being_seen() {
        let executor = executor();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = Socket::new(listener.accept().unwrap().0, ClientId(1), Rc::clone(&executor.readiness)).unwrap();
        let is_seen = executor.run(async move {
            peer.write_all(b"x").unwrap();
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
    fn other_threads_end_the_wait() {
        let (ask, asked) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        let other = thread::spawn(move || answer.send(futures::executor::block_on(asked)));
        assert_eq!(executor().run(async { (ask.send(7), answered.await) }), (Ok(()), Ok(Ok(7))));
        other.join().unwrap().unwrap();
    }

    #[test]
    #[should_panic(expected = "as the task does")]
    fn it_panics_as_its_task_does() {
        executor().run(async { panic!("as the task does") });
    }
}
