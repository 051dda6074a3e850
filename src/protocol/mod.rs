//! Bytes ↔ meaning: a connection's conversation out of bytes, and text out of events. Knows no sockets and no rules.

pub mod http;

mod dialect;
mod line;
mod proxy;
mod render;
mod reply;
mod session;
mod verb;

pub use dialect::{Dialect, Envelope, Format, Lang, Setting, Stamp};
pub use line::{Frame, Framer, Line, Telnet, Text, parse, parse_frame};
pub use line::{escape, foreign};
pub use proxy::{HEADER_BYTES_MAX, Header};
pub use render::{render, render_public, render_reply, render_taken, render_unserved};
pub use reply::{FormError, Limits, Rate, Refused, Reply};
pub use session::{Batch, Intake, Interest, Session, Step};
pub use verb::Verb;
