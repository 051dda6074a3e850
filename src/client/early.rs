//! News that come before a connection is ready, kept within bounds until the subcommand prints them.

use super::message::ServerMessage;

/// How many messages are kept: more than any server sends in the one round trip until a connection is ready.
const EARLY_COUNT_MAX: usize = 10_000;
/// Bytes of lines that are kept. In memory they are about twice as large, and each costs a few hundred bytes more.
const EARLY_BYTES_MAX: usize = 4 << 20;

/// The first messages, with their lines, and how many more there were.
#[derive(Debug, Default)]
pub(super) struct EarlyNews {
    kept: Vec<(String, ServerMessage)>,
    /// The sum of the lengths of the lines in `kept`.
    bytes: usize,
    dropped: u64,
}

impl EarlyNews {
    /// Keeps this, or counts it as dropped. Once one was dropped, all are: what is kept has no gaps.
    pub(super) fn push(&mut self, line: String, news: ServerMessage) {
        let bytes = self.bytes + line.len();
        if self.dropped > 0 || self.kept.len() == EARLY_COUNT_MAX || bytes > EARLY_BYTES_MAX {
            self.dropped += 1;
        } else {
            self.bytes = bytes;
            self.kept.push((line, news));
        }
    }

    /// What was kept, oldest first, and how many were dropped.
    pub(super) fn into_parts(self) -> (Vec<(String, ServerMessage)>, u64) {
        (self.kept, self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_and_dropped(lines: impl IntoIterator<Item = usize>) -> (usize, u64) {
        let mut early = EarlyNews::default();
        for bytes in lines {
            early.push("x".repeat(bytes), ServerMessage::Set(String::new()));
        }
        let (kept, dropped) = early.into_parts();
        (kept.len(), dropped)
    }

    #[test]
    fn early_messages_have_two_bounds() {
        assert_eq!(kept_and_dropped([100; EARLY_COUNT_MAX]), (EARLY_COUNT_MAX, 0));
        assert_eq!(kept_and_dropped([100; EARLY_COUNT_MAX + 2]), (EARLY_COUNT_MAX, 2));
        assert_eq!(kept_and_dropped([EARLY_BYTES_MAX - 1, 1, 1]), (2, 1));
        assert_eq!(kept_and_dropped([1, EARLY_BYTES_MAX, 1]), (1, 2), "no gap");
    }
}
