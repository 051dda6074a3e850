//! The thread that reads the input. Knows nothing of connections.

use std::sync::mpsc::{Receiver, SyncSender};

use bytes::Bytes;

use super::Report;
use crate::client::lines::{Input, Lines};

/// How much may be unconfirmed: a line takes a permit, and another one for each [`PERMIT_BYTES`] in it. So memory is bounded,
/// and a slow server answers in time.
pub(super) const PERMITS: usize = 1024;
const PERMIT_BYTES: usize = 4 << 10;

/// A line of the input.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// As it is sent, with a `sync` after it.
    pub(super) bytes: Bytes,
}

impl Line {
    pub(super) fn permits(&self) -> usize {
        1 + self.bytes.len() / PERMIT_BYTES
    }
}

/// Reports the lines of the input, each to be sent after this prefix.
pub(super) fn read_lines(mut lines: Lines, prefix: &str, permitted: &Receiver<()>, reports: &SyncSender<Report>) {
    for number in 1.. {
        if permitted.recv().is_err() {
            return; // the main thread has finished
        }
        let mut bytes = Vec::new();
        let report = match lines.next(prefix, &mut bytes) {
            Ok(Input::Line) => {
                bytes.extend_from_slice(format!("sync|{number}\n").as_bytes());
                let line = Line { number, bytes: bytes.into() };
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
