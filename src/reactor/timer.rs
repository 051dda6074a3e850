//! A timer for somebody who sets it all the time and seldom hears it. Each move of a timer of async-io wakes its reactor's
//! thread, so this one is moved only when it must go off earlier.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use async_io::Timer;

use super::Clock;

/// Goes off when it was set to, or earlier: to what it had been set to before.
pub(crate) struct Alarm {
    timer: Timer,
    /// What the timer is set to.
    at: Duration,
    clock: Clock,
}

impl Alarm {
    /// One that is not set.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { timer: Timer::never(), at: Duration::MAX, clock }
    }

    /// Has it go off at `at`, by the clock of the server, at the latest.
    pub(crate) fn set(&mut self, at: Duration) {
        if at < self.at {
            self.at = at;
            self.timer.set_at(self.clock.instant(at));
        }
    }
}

impl Future for Alarm {
    type Output = ();

    /// Is not set any more when it has gone off.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.timer).poll(cx));
        self.at = Duration::MAX;
        Poll::Ready(())
    }
}
