//! A timer that is set often and seldom fires. Moving a timer of async-io wakes that library's thread, so this one moves
//! its own only when it has to fire earlier.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::Clock;

/// Resolves at the time that it was set to, or at an earlier one that it was set to before. Then it is not set any more, and
/// can be set again.
#[derive(Debug)]
pub(crate) struct Timer {
    timer: async_io::Timer,
    /// What `timer` is set to.
    at: Option<Duration>,
}

impl Timer {
    /// A timer that is not set.
    pub(crate) fn new() -> Self {
        Self { timer: async_io::Timer::never(), at: None }
    }

    /// Sets it to `at` by this clock, the same each time. If it is already set to an earlier time, it stays so.
    pub(crate) fn set(&mut self, at: Duration, clock: Clock) {
        if self.at.is_none_or(|set| at < set) {
            self.at = Some(at);
            self.timer.set_at(clock.instant(at));
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        ready!(Pin::new(&mut self.timer).poll(cx));
        self.at = None;
        Poll::Ready(())
    }
}
