//! The file descriptor by which other threads end a wait of the poller.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

use rustix::{
    event::{EventfdFlags, eventfd},
    fd::{AsFd, BorrowedFd, OwnedFd},
};

/// An eventfd, and a waker that writes to it: once for each wait, and only when the thread waits or is about to.
#[derive(Debug)]
pub(crate) struct WakeFd {
    fd: OwnedFd,
    /// The next wake must write. Set before the last look for work that precedes a wait: a wake that comes after that
    /// look finds it set, one that comes before it has made work that the look finds.
    is_sleeping: AtomicBool,
}

impl WakeFd {
    /// # Errors
    /// When the process may open no more files.
    pub(crate) fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { fd, is_sleeping: AtomicBool::new(false) })
    }

    pub(crate) fn set_sleeping(&self, is_sleeping: bool) {
        self.is_sleeping.store(is_sleeping, Ordering::SeqCst);
    }
}

impl Wake for WakeFd {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_sleeping.swap(false, Ordering::SeqCst) {
            // The poller watches it edge-triggered: each write is an event, and nobody has to read. It fails after 2^64
            // of them.
            rustix::io::write(&self.fd, &1_u64.to_ne_bytes()).ok();
        }
    }
}

impl AsFd for WakeFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
