//! Text out of events and replies, in a dialect.

use jiff::Timestamp;

use super::{
    dialect::{Dialect, Format, LineEnding, Stamp},
    line::{json, text},
    reply::Reply,
};
use crate::chat::{Event, PublicEvent};

/// Appends `event` to `out`, as a whole line with its ending; in text, nothing for the end of `who`.
pub fn render(out: &mut Vec<u8>, event: &Event, stamp: Stamp<'_>, dialect: Dialect) {
    let from = out.len();
    match dialect.format {
        Format::Text => text::event(out, event, dialect.lang),
        Format::Json => json::event(out, event, stamp, dialect.lang),
    }
    end_lines(out, from, dialect.ending);
}

/// The same for what all who are in a room are told.
pub fn render_public(out: &mut Vec<u8>, event: &PublicEvent, stamp: Stamp<'_>, dialect: Dialect) {
    let from = out.len();
    match dialect.format {
        Format::Text => text::public_event(out, event, stamp.room, dialect.lang),
        Format::Json => json::public_event(out, event, stamp),
    }
    end_lines(out, from, dialect.ending);
}

/// Appends `reply` to `out`, as whole lines with their endings: one, but for `help` in text.
pub fn render_reply(out: &mut Vec<u8>, reply: &Reply, at: Timestamp, dialect: Dialect) {
    let from = out.len();
    match dialect.format {
        Format::Text => text::reply(out, reply, dialect.lang),
        Format::Json => json::reply(out, reply, Stamp::private(at), dialect.lang),
    }
    end_lines(out, from, dialect.ending);
}

/// Gives the lines that begin at `from` their ending. They are rendered with LF, which stands nowhere else in them.
fn end_lines(out: &mut Vec<u8>, from: usize, ending: LineEnding) {
    match ending {
        LineEnding::Lf => {}
        LineEnding::CrLf => {
            let mut at = from;
            while let Some(length) = memchr::memchr(b'\n', &out[at..]) {
                out.insert(at + length, b'\r');
                at += length + b"\r\n".len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{chat::Refusal, protocol::Limits};

    #[test]
    fn with_cr_lf_the_same_lines_have_another_ending() {
        let (event, help) = (Event::Refused(Refusal::NoSuchUser), Reply::Help(Arc::new(Limits::default())));
        let stamp = Stamp::private(Timestamp::UNIX_EPOCH);
        for dialect in Dialect::ALL {
            let rendered = |dialect: Dialect| {
                let mut out = b"before\n".to_vec();
                render(&mut out, &event, stamp, dialect);
                render_reply(&mut out, &help, stamp.at, dialect);
                let lines = out.strip_prefix(b"before\n").expect("what was there stays");
                String::from_utf8(lines.to_vec()).expect("UTF-8")
            };
            let (plain, own) = (rendered(Dialect { ending: LineEnding::Lf, ..dialect }), rendered(dialect));
            assert!(plain.ends_with('\n') && !plain.contains('\r'), "{plain:?}");
            match dialect.ending {
                LineEnding::Lf => assert_eq!(own, plain),
                LineEnding::CrLf => assert_eq!(own, plain.replace('\n', "\r\n")),
            }
        }
    }
}
