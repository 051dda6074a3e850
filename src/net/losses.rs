//! Output that was given up because clients did not take it in time: counted for the log. Knows only numbers.

use std::cell::Cell;

/// How many bytes were given up, and for how many clients.
#[derive(Debug, Default)]
pub(super) struct Losses {
    clients: Cell<usize>,
    bytes: Cell<usize>,
}

impl Losses {
    /// So many bytes were not sent to a client. Zero bytes count as no loss.
    pub(super) fn add(&self, bytes: usize) {
        if bytes > 0 {
            self.clients.update(|clients| clients + 1);
            self.bytes.update(|total| total + bytes);
        }
    }

    /// How many clients have lost how many bytes since the last call.
    pub(super) fn take(&self) -> (usize, usize) {
        (self.clients.take(), self.bytes.take())
    }
}
