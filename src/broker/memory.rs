//! The account of all memory that clients make the server hold: queued bytes (those that wait for many count once), unparsed
//! input, and steps that wait for their turn. Knows sums, and nothing of what they are for.

use std::{
    cell::Cell,
    mem,
    sync::Arc,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

/// From this share of the account on, reading stops and long answers pause; in percent.
const TIGHT_PERCENT: usize = 75;
/// Below this share they go on; in percent.
const RELIEF_PERCENT: usize = 65;

/// The account. One for a server; what is charged to it is released when the thing that was charged is dropped.
#[derive(Debug)]
pub struct Memory {
    used: AtomicUsize,
    max: usize,
    /// Bytes in the queues of all clients: those that wait for many count as often as they wait, and no part of `used`.
    queued: AtomicUsize,
    /// There is not enough: from [`TIGHT_PERCENT`] on, until there is relief.
    is_tight: AtomicBool,
    /// The tasks that wait for relief, each once.
    waiting: Mutex<Vec<Waker>>,
    /// How often there has been relief.
    reliefs: AtomicU32,
}

/// For which relief a task waits already.
#[derive(Debug, Default)]
pub struct Registration(Cell<Option<u32>>);

/// How much of the account is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// There is enough.
    Free,
    /// Nobody may make the server hold more.
    Tight,
    /// Somebody has to go.
    Full,
}

impl Memory {
    /// An account of at most `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicUsize::new(0),
            max,
            queued: AtomicUsize::new(0),
            is_tight: AtomicBool::new(false),
            waiting: Mutex::default(),
            reliefs: AtomicU32::new(0),
        })
    }

    /// Bytes that may be in use.
    pub(super) fn max(&self) -> usize {
        self.max
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Bytes in the queues of all clients, each as often as it waits.
    pub(super) fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// So many more bytes are in a queue.
    pub(super) fn queue(&self, bytes: usize) {
        self.queued.fetch_add(bytes, Relaxed);
    }

    /// So many bytes of a queue are no more.
    pub(super) fn unqueue(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Relaxed);
    }

    /// Bytes in use beyond what there is.
    pub(super) fn excess(&self) -> usize {
        self.used().saturating_sub(self.max)
    }

    /// Bytes that have to be released before there is relief.
    pub(super) fn wanted(&self) -> usize {
        self.used().saturating_sub(percent(self.max, RELIEF_PERCENT))
    }

    /// How much is used.
    #[must_use]
    pub fn level(&self) -> Level {
        let used = self.used();
        if used >= self.max {
            Level::Full
        } else if self.is_tight.load(Relaxed) {
            Level::Tight
        } else {
            Level::Free
        }
    }

    /// Waits while there is not enough. A task that waits uses the same `registration` each time.
    pub fn poll_relief(&self, registration: &Registration, cx: &Context<'_>) -> Poll<()> {
        if !self.is_tight.load(Relaxed) {
            return Poll::Ready(());
        }
        let current = Some(self.reliefs.load(Relaxed));
        if registration.0.replace(current) != current {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Bytes that may be queued for many, and count until the last of them has got them.
    pub(crate) fn share(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        struct Counted(Box<[u8]>, Arc<Memory>);
        impl AsRef<[u8]> for Counted {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        impl Drop for Counted {
            fn drop(&mut self) {
                self.1.release(self.0.len());
            }
        }
        if bytes.is_empty() {
            return Bytes::new();
        }
        self.charge(bytes.len());
        Bytes::from_owner(Counted(bytes.into(), Arc::clone(self)))
    }

    pub(super) fn charge(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        if used >= percent(self.max, TIGHT_PERCENT) {
            self.is_tight.store(true, Relaxed);
        }
    }

    pub(super) fn release(&self, bytes: usize) {
        let used = self.used.fetch_sub(bytes, Relaxed) - bytes;
        if self.is_tight.load(Relaxed) && used < percent(self.max, RELIEF_PERCENT) {
            self.is_tight.store(false, Relaxed);
            self.reliefs.fetch_add(1, Relaxed);
            let waiting = mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

fn percent(max: usize, hundredths: usize) -> usize {
    max / 100 * hundredths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_bytes_count_once_until_the_last_of_them_is_gone() {
        let memory = Memory::new(1000);
        let bytes = memory.share(vec![0; 300]);
        let copies = [bytes.clone(), bytes.slice(10..20)];
        assert_eq!(memory.used(), 300);
        drop(bytes);
        assert_eq!(memory.used(), 300);
        drop(copies);
        assert_eq!(memory.used(), 0);
        assert_eq!((memory.share(Vec::new()), memory.used()), (Bytes::new(), 0));
    }

    #[test]
    fn there_is_enough_or_not() {
        let memory = Memory::new(1000);
        for (charge, level) in [(749, Level::Free), (1, Level::Tight), (249, Level::Tight), (1, Level::Full)] {
            memory.charge(charge);
            assert_eq!(memory.level(), level, "{} of 1000", memory.used());
        }
    }

    #[test]
    fn what_is_too_much_and_what_there_is_relief_for() {
        let memory = Memory::new(1000);
        for (charge, excess, wanted) in [(650, 0, 0), (300, 0, 300), (50, 0, 350), (7, 7, 357)] {
            memory.charge(charge);
            assert_eq!((memory.excess(), memory.wanted()), (excess, wanted), "{} of {}", memory.used(), memory.max());
        }
        assert_eq!(memory.max(), 1000);
    }

    #[test]
    fn relief_comes_when_much_is_free_again() {
        let (memory, cx) = (Memory::new(1000), &Context::from_waker(Waker::noop()));
        let registration = Registration::default();
        assert!(memory.poll_relief(&registration, cx).is_ready());
        memory.charge(800);
        (0..1000).for_each(|_| assert!(memory.poll_relief(&registration, cx).is_pending()));
        assert_eq!(memory.waiting.lock().unwrap().len(), 1, "a task that asks again waits once");
        memory.release(100);
        assert!(memory.poll_relief(&registration, cx).is_pending() && memory.level() == Level::Tight);
        memory.release(50);
        assert!(memory.poll_relief(&registration, cx).is_pending(), "below 65 %, not at it");
        memory.release(1);
        assert!(memory.poll_relief(&registration, cx).is_ready() && memory.level() == Level::Free);
        assert!(memory.waiting.lock().unwrap().is_empty());
    }
}
