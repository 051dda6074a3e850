//! How much of a client's input is taken: none of a client that does not read, and little while memory is tight.

use super::Connection;
use crate::protocol::Intake;

/// While memory is tight, no more is read from a client that makes the server hold more bytes than this for it alone; and
/// nothing more is handled of one whose socket is full, once this many bytes wait for it alone.
const SMALL_BYTES: usize = 4 << 10;
/// While there is enough memory, nothing more is handled of a client whose socket is full, once this many bytes wait for it
/// alone: its next requests would add to them.
const CONGESTED_BYTES: usize = 256 << 10;

impl Connection {
    /// How much to take of the client's input. While memory is tight, a client that holds little is read as always; of another,
    /// what it has sent already is handled, because that frees memory.
    pub(super) fn intake(&self, is_tight: bool) -> Intake {
        let private = self.inbox.private();
        let private_max = if is_tight { SMALL_BYTES } else { CONGESTED_BYTES };
        if self.writer.is_blocked() && private >= private_max {
            Intake::Nothing
        } else if is_tight && private + self.session.held_bytes() > SMALL_BYTES {
            Intake::Held
        } else {
            Intake::All
        }
    }
}
