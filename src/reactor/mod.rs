//! Runs futures on one thread and tells which sockets are ready. Knows nothing of the chat.

mod clock;
mod executor;
mod poller;
mod socket;
mod timer;

pub(crate) use clock::Clock;
pub(crate) use executor::Executor;
pub(crate) use poller::{Poller, Readiness};
pub(crate) use socket::{Socket, is_transient};
pub(crate) use timer::Alarm;
