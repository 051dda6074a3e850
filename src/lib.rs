//! `pipechat`: a chat server that a shell can speak.
//!
//! ```text
//! bytes ─► framing ─► Command ─► [broker: Chat::handle] ─► Output ─► rendered once ─► outboxes ─► bytes
//!          (wire)     (chat)      (chat, pure)             (net)     (wire)           (net)
//! ```
//!
//! - [`chat`]: the rules. No sockets, bytes, clocks or tasks; time is an argument.
//! - [`protocol`]: bytes ↔ meaning. No sockets and no rules.
//! - [`net`]: accept loop, connection futures, the broker future, queues, timers, and the thread that runs them. No rules.
//!
//! What holds throughout: there is no mutex around the chat, and no `.await` between reading its state and changing it.
//! The broker alone owns the [`chat::Chat`] and so makes one order of events, the same for all; a slow client makes it
//! wait for 50 ms a turn at most. It writes to a client for whom nothing waits; the connection alone reads, and writes what
//! has to wait. One thread does all of it, and waits in one place. Whatever can pile up has a bound with a name.

pub mod broker;
pub mod chat;
pub mod net;
pub mod protocol;
pub mod reactor;

mod config;

pub use config::Config;
pub use net::Server;
