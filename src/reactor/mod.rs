//! A small library of its own: runs futures on one thread, waits for sockets in one epoll, and tells the time. Knows
//! nothing of the chat, nor of what is read and written: a socket has a [`Token`], which means nothing here.

mod clock;
mod executor;
mod poller;
mod socket;
mod source;
#[cfg(test)]
mod tests;
mod timer;
mod wake_fd;

pub use clock::Clock;
pub(crate) use executor::Executor;
pub use poller::{Poller, Token, Wait};
pub use socket::{Socket, is_transient};
pub(crate) use timer::Timer;
