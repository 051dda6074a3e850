//! Bytes ↔ meaning: lines out of bytes, commands out of lines, text out of events. Knows no sockets and no rules.

mod dialect;
mod line;

pub use dialect::{Dialect, Stamp, render};
pub use line::foreign;
pub use line::{Frame, Framer, Telnet, parse, parse_frame};
