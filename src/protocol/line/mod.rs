//! The line protocol: framing, telnet, commands out of lines, and events as text or JSON.

mod accounts;
pub mod escape;
pub mod foreign;
pub(super) mod json;
mod order;
pub(super) mod text;

mod editing;
mod framing;
mod help;
mod messages;
mod opening;
mod parse;
mod telnet;

pub use framing::{Frame, Framer};
pub(super) use messages::goodbye;
pub(super) use parse::parse_start;
pub use parse::{Line, parse, parse_frame};
pub use telnet::{Telnet, Text};
