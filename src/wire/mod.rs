//! Bytes ↔ meaning: lines out of bytes, commands out of lines, text out of events. Knows no sockets and no rules.

mod framing;
mod json;
mod parse;
mod render;
mod telnet;
mod visible;
mod words;

pub use framing::{Frame, Framer};
pub use parse::{parse, parse_frame};
pub use render::{Dialect, Stamp, render};
pub use telnet::Telnet;
