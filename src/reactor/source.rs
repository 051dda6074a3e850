//! One socket's readiness, as last reported by the poller, and the task that waits for a change.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use futures::task::AtomicWaker;
use rustix::event::epoll::EventFlags;

/// A socket's readiness, shared by the poller, which sets it, and the socket, which clears it. One task at a time can
/// wait for it.
///
/// Nothing here is used by two threads at once. It is atomic because the poller may be moved to another thread.
#[derive(Debug, Default)]
pub(crate) struct Source {
    ready: Ready,
    waker: AtomicWaker,
}

/// What a socket is ready for. A flag stays set until it is cleared.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    /// Bytes can be read, or the end of input.
    pub(crate) readable: Flag,
    /// Bytes can be written, or never again.
    pub(crate) writable: Flag,
    /// A read that fills less than its buffer has not read all: behind the data there is the end of input, an error, or
    /// urgent data, before which a read stops. Never cleared.
    pub(crate) hang_up: Flag,
    /// The connection has failed, or is shut down in both directions. Never cleared.
    pub(crate) broken: Flag,
}

#[derive(Debug, Default)]
pub(crate) struct Flag(AtomicBool);

impl Flag {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set_if(&self, condition: bool) {
        if condition {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Source {
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// To be called after a read that has read all. An event that has come in between is not lost: it is still in the
    /// epoll.
    pub(crate) fn clear_readable(&self) {
        self.ready.readable.clear();
    }

    /// To be called after a write that would block; no event is lost here either.
    pub(crate) fn clear_writable(&self) {
        self.ready.writable.clear();
    }

    /// Waits until `condition` holds. Replaces the waker of the task that waited before.
    pub(crate) fn poll_until(&self, condition: impl FnOnce(&Ready) -> bool, cx: &Context<'_>) -> Poll<()> {
        if condition(&self.ready) {
            return Poll::Ready(());
        }
        self.waker.register(cx.waker());
        Poll::Pending
    }

    /// Notes what an event of the epoll says, and wakes the task that waits, which checks its condition again.
    pub(crate) fn dispatch(&self, event: EventFlags) {
        let broken = event.intersects(EventFlags::HUP | EventFlags::ERR);
        let hang_up = broken || event.intersects(EventFlags::RDHUP | EventFlags::PRI);
        self.ready.readable.set_if(hang_up || event.contains(EventFlags::IN));
        self.ready.writable.set_if(broken || event.contains(EventFlags::OUT));
        self.ready.hang_up.set_if(hang_up);
        self.ready.broken.set_if(broken);
        self.waker.wake();
    }
}
