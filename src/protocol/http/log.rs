//! What a session's user was told lately, numbered, so that a stream that breaks can go on where it was. Time is an argument.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

/// How many events are kept.
const EVENTS_MAX: usize = 1000;
/// How many bytes of them.
const BYTES_MAX: usize = 4 << 20;
/// How long.
const AGE_MAX: Duration = Duration::from_mins(5);
/// What each takes beside its text.
const EVENT_OVERHEAD: usize = size_of::<Logged>() + 32;

/// What was told lately.
#[derive(Debug)]
pub struct Log {
    events: VecDeque<Logged>,
    /// The number of the next one.
    next: u64,
    bytes: usize,
}

/// An event, as it was told.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its number, from 1 on.
    pub n: u64,
    at: Duration,
    /// The line, without its ending.
    pub line: Bytes,
}

impl Default for Log {
    fn default() -> Self {
        Self { events: VecDeque::new(), next: 1, bytes: 0 }
    }
}

impl Log {
    /// These lines were told.
    pub fn push(&mut self, lines: &[u8], now: Duration) {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            self.bytes += line.len() + EVENT_OVERHEAD;
            self.events.push_back(Logged { n: self.next, at: now, line: Bytes::copy_from_slice(line) });
            self.next += 1;
        }
        self.forget(now);
    }

    /// Forgets what is too old, or too much.
    pub fn forget(&mut self, now: Duration) {
        while let Some(first) = self.events.front()
            && (self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX || now.saturating_sub(first.at) > AGE_MAX)
        {
            self.bytes -= first.line.len() + EVENT_OVERHEAD;
            self.events.pop_front();
        }
    }

    /// The number of the last event; 0 before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// What was told behind the event of this number. `None` if some of it is not kept any more, or the number is one of the
    /// future.
    #[must_use]
    pub fn behind(&self, n: u64) -> Option<impl Iterator<Item = &Logged>> {
        let first = self.next - self.events.len() as u64;
        let skipped = usize::try_from(n.checked_add(1)?.checked_sub(first)?).ok()?;
        (n < self.next).then(|| self.events.range(skipped..))
    }

    /// Bytes that it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(log: &Log, n: u64) -> Option<Vec<u64>> {
        log.behind(n).map(|events| events.map(|event| event.n).collect())
    }

    #[test]
    fn a_stream_goes_on_behind_what_it_has_had() {
        let mut log = Log::default();
        assert_eq!((numbers(&log, 0), numbers(&log, 1), log.last()), (Some(vec![]), None, 0));
        log.push(b"a\nb\n", Duration::ZERO);
        log.push(b"c\n", Duration::ZERO);
        assert_eq!(numbers(&log, 0), Some(vec![1, 2, 3]));
        assert_eq!(numbers(&log, 2), Some(vec![3]));
        assert_eq!((numbers(&log, 3), numbers(&log, 4), numbers(&log, u64::MAX)), (Some(vec![]), None, None));
        let lines: Vec<_> = log.behind(1).into_iter().flatten().map(|event| event.line.clone()).collect();
        assert_eq!(lines, ["b", "c"]);
    }

    #[test]
    fn what_is_old_or_too_much_is_forgotten_and_that_is_told() {
        let mut log = Log::default();
        for _ in 0..=EVENTS_MAX {
            log.push(b"x\n", Duration::ZERO);
        }
        assert_eq!((numbers(&log, 0), numbers(&log, 1).map(|numbers| numbers.len())), (None, Some(EVENTS_MAX)));
        log.forget(AGE_MAX);
        assert_eq!(numbers(&log, 1).map(|numbers| numbers.len()), Some(EVENTS_MAX));
        log.forget(AGE_MAX + Duration::from_millis(1));
        let all = 1 + EVENTS_MAX as u64;
        assert_eq!((numbers(&log, all - 1), numbers(&log, all), log.bytes()), (None, Some(vec![]), 0));
        let long = vec![b'x'; BYTES_MAX / 2];
        (0..3).for_each(|_| log.push(&long, AGE_MAX));
        assert!(log.bytes() <= BYTES_MAX && log.bytes() > BYTES_MAX / 2);
        assert_eq!(numbers(&log, all + 2), Some(vec![all + 3]));
    }
}
