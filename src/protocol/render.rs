//! Text out of events and replies, in a dialect.

use jiff::Timestamp;

use super::{
    dialect::{Dialect, Format, Stamp},
    line::{json, text},
    reply::Reply,
};
use crate::chat::Event;

/// Appends `event` to `out`, as a whole line with its LF; in text, nothing for the end of `who`.
pub fn render(out: &mut Vec<u8>, event: &Event, stamp: Stamp, dialect: Dialect) {
    match dialect.format {
        Format::Text => text::event(out, event, dialect.lang),
        Format::Json => json::event(out, event, stamp, dialect.lang),
    }
}

/// Appends `reply` to `out`, as whole lines with their LF: one, but for `help` in text.
pub fn render_reply(out: &mut Vec<u8>, reply: &Reply, at: Timestamp, dialect: Dialect) {
    match dialect.format {
        Format::Text => text::reply(out, reply, dialect.lang),
        Format::Json => json::reply(out, reply, Stamp { seq: None, at }, dialect.lang),
    }
}
