//! How much of each kind of line the log takes, and what is said in place of the rest. Knows no clock and writes nothing: time
//! is an argument, a line a number of bytes.
//!
//! A kind is a level and a target, which is the module that logs unless it says otherwise. Each has an account of its own, so
//! that neither warnings nor what other modules have to say is lost in a flood of departures. Lines at debug and trace have
//! no limit, because somebody asked for them.

use std::{fmt, time::Duration};

use log::Level;

/// The purpose of the limit: a flood costs at most so many bytes of disk in an hour, so 24 times that in a day.
const HOUR_BYTES_MAX: u64 = 1_000_000;
/// Levels that are limited: error, warn, info.
const LEVELS: u64 = 3;
/// Kinds of lines with an account, for each level: three modules, and [`OTHERS`]. Each costs a part of the hour's bytes.
const KINDS_MAX: usize = 4;
/// Bytes of a kind that are written at once after a silence: about 400 lines, so that a crowd can come and go.
const BURST_BYTES: u32 = 32_000;
/// Bytes of a kind that are written per minute after that: about ten lines.
const MINUTE_BYTES: u32 = 800;
/// What a summary counts for, in bytes. It has fewer, as targets are short.
const SUMMARY_BYTES: u32 = 128;
/// How long lines are counted until a summary tells how many they were; there is at most one a minute for each kind.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);
/// The target of the account that the other kinds share, when there are more than [`KINDS_MAX`].
const OTHERS: &str = "others";

// The worst hour: every kind there can be has been silent before, floods from then on, and its last summary comes when
// nothing is left. 12 × (32,000 + 60 × 800 + 128) = 961,536.
const _: () = assert!(
    LEVELS * KINDS_MAX as u64 * (BURST_BYTES as u64 + 60 * MINUTE_BYTES as u64 + SUMMARY_BYTES as u64) < HOUR_BYTES_MAX
);
// Summaries alone do not use up an account.
const _: () = assert!(SUMMARY_BYTES < MINUTE_BYTES);

/// The accounts of all kinds of lines.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// At most [`KINDS_MAX`] for each level.
    accounts: Vec<Account>,
}

#[derive(Debug)]
struct Account {
    level: Level,
    target: String,
    /// When all that was written is paid for, at [`MINUTE_BYTES`]. It is never further ahead than [`BURST_BYTES`] and a
    /// summary take.
    paid_at: Duration,
    left_out: Option<LeftOut>,
}

/// Lines that were not written, and that no summary has counted yet.
#[derive(Debug)]
struct LeftOut {
    since: Duration,
    lines: u64,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is to be written.
    Written,
    /// It is left out, and the first of its kind since the last summary: [`Limiter::deadline`] may be earlier now.
    FirstLeftOut,
    /// It is left out, and counted.
    LeftOut,
}

/// How many lines of a kind were left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) level: Level,
    pub(super) target: String,
    lines: u64,
    over: Duration,
}

impl Limiter {
    /// Decides about a line of so many bytes.
    pub(super) fn admit(&mut self, level: Level, target: &str, bytes: usize, now: Duration) -> Admission {
        if level > Level::Info {
            return Admission::Written;
        }
        let account = self.account(level, target);
        let paid_at = account.paid_at.max(now).saturating_add(cost(u32::try_from(bytes).unwrap_or(u32::MAX)));
        if paid_at.saturating_sub(now) <= cost(BURST_BYTES) {
            account.paid_at = paid_at;
            return Admission::Written;
        }
        match &mut account.left_out {
            Some(left_out) => {
                left_out.lines += 1;
                Admission::LeftOut
            }
            none @ None => {
                *none = Some(LeftOut { since: now, lines: 1 });
                Admission::FirstLeftOut
            }
        }
    }

    /// When the next summary is due.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let since = self.accounts.iter().filter_map(|account| account.left_out.as_ref().map(|left_out| left_out.since));
        since.min().map(|since| since.saturating_add(SUMMARY_INTERVAL))
    }

    /// The summaries that are due, to be written now.
    pub(super) fn due(&mut self, now: Duration) -> Vec<Summary> {
        self.summaries(now, SUMMARY_INTERVAL)
    }

    /// All summaries, due or not, to be written now: the log ends.
    pub(super) fn end(&mut self, now: Duration) -> Vec<Summary> {
        self.summaries(now, Duration::ZERO)
    }

    fn summaries(&mut self, now: Duration, age_min: Duration) -> Vec<Summary> {
        let summary = |account: &mut Account| {
            let left_out = account.left_out.take_if(|left_out| now.saturating_sub(left_out.since) >= age_min)?;
            account.paid_at = account.paid_at.max(now).saturating_add(cost(SUMMARY_BYTES));
            let (target, over) = (account.target.clone(), now.saturating_sub(left_out.since));
            Some(Summary { level: account.level, target, lines: left_out.lines, over })
        };
        self.accounts.iter_mut().filter_map(summary).collect()
    }

    fn account(&mut self, level: Level, target: &str) -> &mut Account {
        let find = |target: &str| self.accounts.iter().position(|a| a.level == level && a.target == target);
        let has_room = self.accounts.iter().filter(|a| a.level == level).count() < KINDS_MAX - 1;
        let (found, target) = match find(target) {
            None if !has_room => (find(OTHERS), OTHERS),
            found @ (None | Some(_)) => (found, target),
        };
        let index = found.unwrap_or_else(|| {
            let target = target.to_owned();
            self.accounts.push(Account { level, target, paid_at: Duration::ZERO, left_out: None });
            self.accounts.len() - 1
        });
        &mut self.accounts[index]
    }
}

/// How long it takes until so many bytes are paid for.
fn cost(bytes: u32) -> Duration {
    Duration::from_secs(60).saturating_mul(bytes) / MINUTE_BYTES
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "… and {} more like this in the last {} s", self.lines, self.over.as_secs_f64().round().max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;
    /// Of an arrival or a departure.
    const LINE: usize = 80;

    fn at(seconds: u64) -> Duration {
        1_000_000 * Duration::from_secs(1) + Duration::from_secs(seconds)
    }

    /// How many of `lines` lines at once are written.
    fn written(limiter: &mut Limiter, level: Level, target: &str, lines: u32, now: Duration) -> u32 {
        (0..lines).map(|_| u32::from(limiter.admit(level, target, LINE, now) == Admission::Written)).sum()
    }

    fn told(summaries: &[Summary]) -> Vec<String> {
        summaries.iter().map(|summary| format!("{} {}: {summary}", summary.level, summary.target)).collect()
    }

    #[test]
    fn a_burst_is_written_and_then_ten_lines_a_minute() {
        let mut limiter = Limiter::default();
        assert_eq!(written(&mut limiter, Level::Info, "a", 1000, at(0)), 400);
        assert_eq!(written(&mut limiter, Level::Info, "a", 1000, at(59)), 9);
        assert_eq!(written(&mut limiter, Level::Info, "a", 1000, at(60)), 1);
        assert_eq!(written(&mut limiter, Level::Info, "a", 1000, at(HOUR)), 400, "a silence fills it, and no further");
    }

    #[test]
    fn what_is_left_out_is_told_once_a_minute() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.deadline(), None);
        written(&mut limiter, Level::Info, "a", 400, at(0));
        assert_eq!(limiter.deadline(), None, "nothing was left out");
        assert_eq!(limiter.admit(Level::Info, "a", LINE, at(1)), Admission::FirstLeftOut);
        assert_eq!(limiter.admit(Level::Info, "a", LINE, at(2)), Admission::LeftOut);
        assert_eq!(limiter.deadline(), Some(at(61)));
        assert_eq!(limiter.due(at(60)), []);
        assert_eq!(told(&limiter.due(at(61))), ["INFO a: … and 2 more like this in the last 60 s"]);
        assert_eq!((limiter.deadline(), limiter.due(at(1000))), (None, vec![]), "it is told once");
    }

    #[test]
    fn at_the_end_all_is_told() {
        let mut limiter = Limiter::default();
        written(&mut limiter, Level::Info, "a", 405, at(0));
        written(&mut limiter, Level::Warn, "b", 401, at(7));
        let summaries =
            ["INFO a: … and 5 more like this in the last 9 s", "WARN b: … and 1 more like this in the last 2 s"];
        assert_eq!(told(&limiter.end(at(9))), summaries);
        assert_eq!(limiter.end(at(9)), []);
    }

    #[test]
    fn kinds_do_not_starve_each_other() {
        let mut limiter = Limiter::default();
        written(&mut limiter, Level::Info, "a", 100_000, at(0));
        assert_eq!(written(&mut limiter, Level::Warn, "a", 9, at(0)), 9);
        assert_eq!(written(&mut limiter, Level::Error, "a", 9, at(0)), 9);
        assert_eq!(written(&mut limiter, Level::Info, "b", 9, at(0)), 9);
    }

    #[test]
    fn more_kinds_than_there_are_accounts_share_one() {
        let mut limiter = Limiter::default();
        for target in 0..1000 {
            written(&mut limiter, Level::Info, &target.to_string(), 1, at(0));
        }
        assert_eq!(limiter.accounts.len(), KINDS_MAX);
        assert_eq!(told(&limiter.end(at(0))), ["INFO others: … and 597 more like this in the last 1 s"]);
        assert_eq!(written(&mut limiter, Level::Info, "2", 9, at(0)), 9, "the first three have their own");
        assert_eq!(written(&mut limiter, Level::Error, "x", 9, at(0)), 9, "and so has every level");
    }

    #[test]
    fn what_was_asked_for_is_not_limited() {
        let mut limiter = Limiter::default();
        assert_eq!(written(&mut limiter, Level::Debug, "a", 10_000, at(0)), 10_000);
        assert_eq!(written(&mut limiter, Level::Trace, "a", 10_000, at(0)), 10_000);
        assert_eq!(written(&mut limiter, Level::Info, "a", 1, at(0)), 1);
    }

    #[test]
    fn an_enormous_line_is_left_out() {
        let mut limiter = Limiter::default();
        assert_eq!(limiter.admit(Level::Info, "a", usize::MAX, at(0)), Admission::FirstLeftOut);
        assert_eq!(limiter.admit(Level::Info, "a", LINE, at(0)), Admission::Written);
    }

    #[test]
    fn a_summary_is_as_short_as_it_counts_for() {
        let over = Duration::from_secs(99_999);
        let summary = Summary { level: Level::Info, target: "pipechat::broker".to_owned(), lines: u64::MAX, over };
        let line = super::super::line(summary.level, &summary.target, &summary);
        assert!(line.len() <= SUMMARY_BYTES as usize, "{} bytes: {line}", line.len());
    }

    #[test]
    fn the_worst_hour_is_under_a_megabyte() {
        let (mut limiter, mut bytes, mut summaries) = (Limiter::default(), 0, 0);
        for second in 0..=HOUR {
            for level in [Level::Error, Level::Warn, Level::Info] {
                for target in ["a", "b", "c", "d", "e"] {
                    for size in [500, LINE, 1] {
                        while limiter.admit(level, target, size, at(second)) == Admission::Written {
                            bytes += size;
                        }
                    }
                }
            }
            let due = limiter.due(at(second)).len();
            summaries += due;
            bytes += due * SUMMARY_BYTES as usize;
        }
        assert!((900_000..1_000_000).contains(&bytes), "{bytes}");
        assert!(summaries <= 12 * 60, "{summaries}");
    }
}
