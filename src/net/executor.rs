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

use super::readiness::Readiness;

/// Tasks run before a look at the sockets: some task may always be ready, and the others' clients must be heard.
const TICKS_MAX: usize = 256;

/// Runs tasks. A clone is the same executor.
#[derive(Clone)]
pub(super) struct Executor {
    tasks: Rc<LocalExecutor<'static>>,
    readiness: Rc<Readiness>,
}

impl Executor {
    pub(super) fn new(readiness: Rc<Readiness>) -> Self {
        Self { tasks: Rc::default(), readiness }
    }

    /// Has a task run beside the others. Dropping the handle ends it.
    pub(super) fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Task<T> {
        self.tasks.spawn(task)
    }

    /// Runs all tasks until this one ends. To be called once, and not by a task.
    ///
    /// # Panics
    /// As the task does.
    pub(super) fn run<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> T {
        let waker = Waker::from(self.readiness.bell());
        let mut task = self.spawn(task);
        loop {
            let is_idle = !(0..TICKS_MAX).all(|_| self.tasks.try_tick());
            if task.is_finished() {
                return (&mut task).now_or_never().expect("it has finished");
            }
            if is_idle {
                // Other threads wake tasks too: timers, signals and the listener are async-std's. While `tick` waits, that rings.
                let tick = pin!(self.tasks.tick());
                if tick.poll(&mut Context::from_waker(&waker)).is_pending() {
                    self.readiness.wait();
                }
            } else {
                self.readiness.look();
            }
            self.readiness.wake();
        }
    }
}
