//! When the allocator is asked to give memory back to the kernel. Time is an argument.

use std::{hint::black_box, time::Duration};

/// How long after the last departure memory is given back.
const AFTER: Duration = Duration::from_secs(1);
/// How often, so far apart: the allocator first notes what is free, and gives it back some time later.
const TIMES: u32 = 3;
/// An allocation as large as those that the allocator takes from the kernel by themselves.
const BYTES: usize = 4 << 20;

/// Memory of clients that have left: the allocator gives it back when it is next called for something large, and at rest nobody
/// calls it.
#[derive(Debug, Default)]
pub(super) struct GiveBack {
    /// When it is called next.
    at: Option<Duration>,
    /// How often it is called then and later.
    left: u32,
}

impl GiveBack {
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.at
    }

    /// A turn has ended, in which a client has left or none.
    pub(super) fn turn_ended(&mut self, has_departed: bool, now: Duration) {
        if has_departed {
            (self.at, self.left) = (Some(now + AFTER), TIMES);
        } else if self.at.is_some_and(|at| at <= now) {
            drop(black_box(Vec::<u8>::with_capacity(BYTES)));
            self.left -= 1;
            self.at = (self.left > 0).then_some(now + AFTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_some_times_after_the_last_departure() {
        let (mut give_back, second) = (GiveBack::default(), Duration::from_secs(1));
        give_back.turn_ended(false, second);
        assert_eq!(give_back.deadline(), None);
        give_back.turn_ended(true, second);
        give_back.turn_ended(true, second * 3 / 2);
        assert_eq!(give_back.deadline(), Some(second * 5 / 2));
        give_back.turn_ended(false, 2 * second);
        assert_eq!(give_back.deadline(), Some(second * 5 / 2), "not yet");
        for n in 3..=4 {
            give_back.turn_ended(false, n * second);
            assert_eq!(give_back.deadline(), Some((n + 1) * second));
        }
        give_back.turn_ended(false, 5 * second);
        assert_eq!(give_back.deadline(), None);
    }
}
