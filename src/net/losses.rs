//! What clients were not sent, since they did not take it in time. Knows figures alone.

use std::cell::Cell;

/// Bytes that were given up, and the clients that they were for.
#[derive(Debug, Default)]
pub(super) struct Losses {
    clients: Cell<usize>,
    bytes: Cell<usize>,
}

impl Losses {
    /// A client was not sent so many bytes. None are no loss.
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
