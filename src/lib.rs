//! `pipechat`: a chat server you can use from a shell.
//!
//! ```text
//! bytes ─► Session ─► Step ─► [broker: schedule ─► Chat::handle ─► render ─► store.commit ─► flush] ─► bytes
//!        (protocol)          (broker)  (chat, pure)  (protocol)  (store)    (broker)           (net)
//! ```
//!
//! Each floor knows only those below it:
//!
//! - [`net`]: who may come in, the accept loop, a future per connection, and how connections end; in `net/web`, requests over
//!   HTTP and sessions. No rules, no text.
//! - [`broker`]: the one future that owns the chat. It schedules what goes into it, renders what comes out, sends it, and
//!   keeps the accounts: who pays for time, memory and rates. No rules.
//! - [`store`]: what is kept in a file, on threads of its own: history, accounts, private messages. No rules, no text.
//! - [`protocol`]: bytes ↔ meaning, sans-IO. A [`protocol::Session`] is one connection's conversation; time is an argument.
//! - [`chat`]: the rules. Synchronous and deterministic; no sockets, bytes, clocks or tasks.
//! - [`reactor`]: the executor, readiness of sockets, timers and the clock. Knows nothing of the chat.
//! - [`password`]: hashes of passwords, new tokens, random numbers. Knows no accounts.
//! - [`units`]: durations and sizes as people write them, for flags and for the wire.
//! - [`manual`]: the manual, a page per subject, which `pipechat help TOPIC` prints.
//!
//! Accounts are `chat/accounts` (who may register and log in, and mailboxes), `broker/verifier.rs` (the thread that hashes), and
//! `store/accounts.rs`, `store/watch.rs` and `store/mailboxes.rs` (what is kept, and what `pipechat account` changes meanwhile).
//! A password goes out of the chat as `Output::Verify` and comes back as `Input::Verified`.
//!
//! Order is `chat/order` (operators and owners of rooms: who may send away, keep out, silence, lock) and `store/order.rs`. What one
//! may do follows from the account that one is logged in to, and from nothing else.
//!
//! HTTP is `protocol/http` (heads, bodies, what is asked for, what stands around answers, the page) and `net/web`: each request is
//! made by a client of the broker, which is told in a dialect, as any other.
//!
//! History is `chat/recent.rs` (the last events, in memory), `chat/history.rs` (where one begins that a client asks for),
//! `chat/replay.rs` (the events of rooms, in one order, or an account's messages on their way to a client), `chat/answered.rs` and
//! `store/reader.rs` (what memory has given up).
//!
//! HTTP is `protocol/http` (requests and answers, sans-IO, and the page in the browser) and `net/web` (connections and sessions).
//! Each request is made by a client of the broker, like any other.
//!
//! To follow one public line from socket to socket, read `net/connection.rs` (the pump), `protocol/session/mod.rs`,
//! `broker/core.rs`, `chat/mod.rs` and `broker/turn.rs`.
//!
//! What holds throughout: there is no mutex around the chat, and no `.await` between reading its state and changing it. The
//! broker alone owns the [`chat::Chat`] and so makes one order of events, the same for all; it never waits for a client. It
//! writes to a client for whom nothing waits; the connection alone reads, and writes what has to wait. One thread does all of
//! it, and waits in one place. Whatever a client can make the server hold or do has a bound with a name, and a payer.

pub mod broker;
pub mod chat;
pub mod manual;
pub mod net;
pub mod password;
pub mod protocol;
pub mod reactor;
pub mod store;
pub mod units;

mod address;
mod config;
mod listen;
mod origin;

pub use address::{Cidr, Network};
pub use config::{Config, StoreConfig, TlsFiles, WebConfig};
pub use listen::{Door, Listen};
pub use net::Server;
pub use origin::{Addr, Origin};
