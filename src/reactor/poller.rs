//! Which sockets are ready. All are in one epoll, edge-triggered. In async-io's reactor each read would cost an `epoll_ctl`,
//! and events would come one by one; here one call reports all that are ready.

use std::{cell::RefCell, collections::HashMap, io, mem::MaybeUninit, sync::Arc};

use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    fd::OwnedFd,
    io::Errno,
};

use super::{source::Source, wake_fd::WakeFd};

/// Events taken from the kernel at once: 48 KiB of the stack. More are left for the next poll.
const EVENTS_MAX: usize = 4096;
/// The wake-up fd among the events.
const WAKE_FD: Token = Token(0);

/// A name for a socket, chosen by the caller that registers it. 0 is taken by the wake-up fd. No token should be used again
/// after its socket was dropped: an event of that socket could be taken for one of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Whether to wait when nothing is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Come back at once.
    No,
    /// Wait for the first event, or for a wake-up by another thread.
    UntilEvent,
}

/// Asks which sockets are ready, and wakes the tasks that wait for them.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    wake_fd: Arc<WakeFd>,
    /// Of every registered socket.
    sources: RefCell<HashMap<Token, Arc<Source>>>,
}

impl Poller {
    /// A poller without sockets.
    ///
    /// # Errors
    /// When the process may open no more files.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake_fd = WakeFd::new()?;
        epoll::add(&epoll, &wake_fd, EventData::new_u64(WAKE_FD.0), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, wake_fd: Arc::new(wake_fd), sources: RefCell::default() })
    }

    /// Polls for events, and wakes the tasks that wait for them.
    ///
    /// # Panics
    /// When epoll fails, for which it has no reason.
    pub fn poll(&self, wait: Wait) {
        let timeout = match wait {
            Wait::No => Some(&Timespec::default()),
            Wait::UntilEvent => None,
        };
        let mut buffer = [const { MaybeUninit::uninit() }; EVENTS_MAX];
        let events = match epoll::wait(&self.epoll, &mut buffer, timeout) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => &mut [],
            Err(error) => panic!("epoll: {error}"),
        };
        // This thread is awake: no waker has to write to the wake-up fd, least of all the ones called here.
        self.wake_fd.set_sleeping(false);
        for event in events {
            // Not borrowed while the task is woken: a waker may drop a socket. None: the wake-up fd, or a dropped
            // socket.
            let source = self.sources.borrow().get(&Token(event.data.u64())).cloned();
            if let Some(source) = source {
                source.dispatch(event.flags);
            }
        }
    }

    /// To be called before the last look for work that precedes a [`Wait::UntilEvent`]: from here on, until the next
    /// poll is over, [`Self::wake_fd`] ends the wait, even before it has begun.
    pub(crate) fn prepare_to_wait(&self) {
        self.wake_fd.set_sleeping(true);
    }

    /// Ends a wait, as a waker that may be called by any thread.
    pub(crate) fn wake_fd(&self) -> Arc<WakeFd> {
        Arc::clone(&self.wake_fd)
    }

    /// Watches a socket until [`Self::deregister`].
    ///
    /// # Errors
    /// When the kernel has no memory to watch it with.
    ///
    /// # Panics
    /// When the token is in use.
    pub(crate) fn register(&self, fd: &OwnedFd, token: Token) -> io::Result<Arc<Source>> {
        let source = Arc::<Source>::default();
        let mut sources = self.sources.borrow_mut();
        assert!(token != WAKE_FD && !sources.contains_key(&token), "{token:?} is in use");
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::PRI | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, fd, EventData::new_u64(token.0), flags)?;
        sources.insert(token, Arc::clone(&source));
        Ok(source)
    }

    /// Wakes no task for this socket any more. The kernel takes it out of the epoll when it is closed.
    pub(crate) fn deregister(&self, token: Token) {
        self.sources.borrow_mut().remove(&token);
    }
}
