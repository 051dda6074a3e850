//! Bytes ↔ meaning: a connection's conversation out of bytes, and text out of events. Knows no sockets and no rules.

mod dialect;
pub mod http;
mod line;
mod proxy;
mod render;
mod reply;
mod session;
mod verb;

pub use dialect::{Dialect, Format, Lang, LineEnding, Setting, Stamp};
pub use line::{Frame, Framer, Line, Telnet, Text, parse, parse_frame};
pub use line::{escape, foreign};
pub use proxy::{HEADER_BYTES_MAX, Header};
pub use render::{render, render_public, render_reply};
pub use reply::{FormError, Limits, Rate, Reply};
pub use session::{Batch, Intake, Interest, Session, Step};
pub use verb::Verb;
