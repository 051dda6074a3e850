//! The thread that reads the input. Knows nothing of connections.

use std::sync::mpsc::{Receiver, SyncSender};

use bytes::Bytes;

use super::Report;
use crate::client::lines::{Input, Lines};

/// How much may be unconfirmed: a line takes a permit, and another one for each [`PERMIT_BYTES`] in it. So memory is bounded,
/// and a slow server answers in time.
pub(super) const PERMITS: usize = 1024;
const PERMIT_BYTES: usize = 4 << 10;
/// Lines up to one that is fenced, if more lines wait to be read. A `sync` costs as much of the rate limit as a line.
const GROUP_LINES: u64 = 16;
/// Up to this length, in bytes, a line is hardly too long for a server.
const SHORT_BYTES: usize = 256;

/// A line of the input.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// As it is sent.
    pub(super) bytes: Bytes,
    /// Whether a `sync` with its number follows it. The server's answer confirms this line and those before it.
    pub(super) is_fenced: bool,
}

impl Line {
    pub(super) fn permits(&self) -> usize {
        1 + self.bytes.len() / PERMIT_BYTES
    }
}

/// Reports the lines of the input, each to be sent after this prefix. A line that may well be refused is fenced from its
/// neighbours, so that a refusal tells its number; so is the last line before the input has to be waited for.
pub(super) fn read_lines(mut lines: Lines, prefix: &str, permitted: &Receiver<()>, reports: &SyncSender<Report>) {
    let mut unfenced = 0;
    for number in 1.. {
        if permitted.recv().is_err() {
            return; // the main thread has finished
        }
        let mut bytes = Vec::new();
        let report = match lines.next(prefix, &mut bytes) {
            Ok(Input::Line) => {
                let is_plain = is_plain(&bytes, prefix);
                let is_fenced = !is_plain || unfenced + 1 == GROUP_LINES || !lines.has_more();
                if !is_plain && unfenced > 0 {
                    bytes.splice(..0, format!("sync|{}\n", number - 1).into_bytes());
                }
                if is_fenced {
                    bytes.extend_from_slice(format!("sync|{number}\n").as_bytes());
                }
                unfenced = if is_fenced { 0 } else { unfenced + 1 };
                let line = Line { number, bytes: bytes.into(), is_fenced };
                if (1..line.permits()).any(|_| permitted.recv().is_err()) {
                    return;
                }
                Report::Line(line)
            }
            Ok(Input::TooLong) => Report::TooLong(number),
            Ok(Input::End) => Report::InputEnded,
            Err(error) => Report::InputFailed(error.to_string()),
        };
        let is_last = match report {
            Report::InputEnded | Report::InputFailed(_) => true,
            Report::Line(_) | Report::TooLong(_) | Report::Answer(..) => false,
        };
        if reports.send(report).is_err() || is_last {
            return;
        }
    }
}

/// Whether there is hardly a reason to refuse this line, which begins with this prefix.
fn is_plain(line: &[u8], prefix: &str) -> bool {
    let has_text = || line[prefix.len()..].iter().any(|byte| !b"\r\n".contains(byte));
    let is_public = prefix == "say|" || prefix.starts_with("in|") && has_text();
    is_public && line.len() <= SHORT_BYTES && !line.contains(&0) && std::str::from_utf8(line).is_ok()
}
