//! The executor: one thread, which runs all tasks of a server, and waits for its sockets when none is ready. Its queue
//! is async-std's own, async-executor. What differs is where it waits: async-std's threads hand the wait to each other
//! and to the reactor's thread, so a line to an idle server cost two thread wake-ups, as much as fifty deliveries.

use std::{
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Context, Waker},
};

use async_executor::{LocalExecutor, Task};
use futures::FutureExt;

use super::poller::{Poller, Wait};

/// Tasks run between two polls: even if some task is always ready, the sockets of the others must be polled.
pub(super) const TICKS_MAX: usize = 64;

/// Runs tasks. A clone is the same executor.
#[derive(Debug, Clone)]
pub(crate) struct Executor {
    tasks: Rc<LocalExecutor<'static>>,
    poller: Rc<Poller>,
}

impl Executor {
    pub(crate) fn new(poller: Rc<Poller>) -> Self {
        Self { tasks: Rc::default(), poller }
    }

    /// Runs a task beside the others. Dropping the handle ends it.
    pub(crate) fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Task<T> {
        self.tasks.spawn(task)
    }

    /// Runs all tasks until this one ends. To be called once, and not by a task.
    ///
    /// # Panics
    /// As the task does.
    pub(crate) fn run<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> T {
        let waker = Waker::from(self.poller.wake_fd());
        let mut task = self.spawn(task);
        loop {
            let is_idle = !(0..TICKS_MAX).all(|_| self.tasks.try_tick());
            if task.is_finished() {
                return (&mut task).now_or_never().expect("it has finished");
            }
            if is_idle {
                // Other threads wake tasks too: timers and listeners are async-std's, and any thread may stop the
                // server. `tick` looks for tasks one last time; from then on, until it is dropped, new ones call the
                // waker.
                self.poller.prepare_to_wait();
                let tick = pin!(self.tasks.tick());
                let is_pending = tick.poll(&mut Context::from_waker(&waker)).is_pending();
                self.poller.poll(if is_pending { Wait::UntilEvent } else { Wait::No });
            } else {
                self.poller.poll(Wait::No);
            }
        }
    }
}
