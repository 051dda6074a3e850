//! When what may wait is done: removing what is too much, counting, and emptying SQLite's log. It is done in steps of a few
//! milliseconds, between commits and while there is nothing to commit. What is removed is in [`super::removing`].

use std::time::{Duration, Instant};

use rusqlite::Result;

use super::{
    amount::Amount,
    database::{State, Tables},
    held::GROUP_CHANGES_MAX,
    mailboxes::Expiry,
    rows::from_integer,
};

/// The rows that a step removes or changes at most: some milliseconds. Fewer would cost a busy room a transaction more for each of its commits.
pub(super) const STEP_ROWS: u64 = 500;
/// What these may take: as many milliseconds, where texts are long.
const STEP_BYTES: u64 = 1 << 20;
pub(super) const STEP: Amount = Amount { rows: STEP_ROWS, bytes: STEP_BYTES };
/// What is removed after a commit at most, beside as much as that has added: some tens of milliseconds.
const EXTRA: Amount = Amount { rows: GROUP_CHANGES_MAX as u64, bytes: 8 << 20 };
/// How often it is looked for events that are too old.
pub(super) const EXPIRY_INTERVAL: Duration = Duration::from_mins(1);
/// What is added before the size of the file is looked at again.
const SIZE_CHECK: Amount = Amount { rows: 500, bytes: 64 << 10 };
/// What is removed for space at least: so much that the file is not too large again before it is looked at.
pub(super) const SHRINK_BYTES_MIN: u64 = 2 * SIZE_CHECK.bytes;
/// What changes, and how many transactions, before the size of SQLite's log is looked at.
const LOG_CHECK: Amount = Amount { rows: 1000, bytes: 4 << 20 };
const LOG_CHECK_COMMITS: usize = 50;
/// The pages in SQLite's log from which on they are copied to their places in the file.
const LOG_PAGES_MAX: u64 = 1000;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Due {
    /// When it is looked for events that are too old; `None` if they never are.
    pub(super) expiry: Option<Instant>,
    /// Up to this number, private messages alone are left of what is too old. They have a time of their own.
    pub(super) expired: i64,
    pub(super) private: Expiry,
    /// There may be too much in the file.
    pub(super) is_large: bool,
    /// What was added since it was last looked.
    unchecked: Amount,
    log_changes: Amount,
    log_commits: usize,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The rows of rooms that are no more.
    Forget,
    /// The events of rooms above the number that is kept.
    Trim,
    /// The events that are too old.
    Expire,
    /// The private messages that are.
    ExpirePrivate,
    /// The oldest events of the largest rooms, if there is too much in the file.
    Shrink,
    /// The numbers of events, so that a start after a crash need not count them.
    Count,
    /// SQLite's log.
    CheckLog,
}

impl Due {
    pub(super) fn new(days_max: u32) -> Self {
        let now = Instant::now();
        let (expiry, private) = ((days_max > 0).then_some(now), Expiry::new(now));
        let [unchecked, log_changes] = [Amount::default(); 2];
        Self { expiry, expired: 0, private, is_large: true, unchecked, log_changes, log_commits: 0 }
    }

    /// So much was committed.
    pub(super) fn committed(&mut self, changes: Amount) {
        self.changed(changes);
        self.unchecked += changes;
        if self.unchecked.reaches(SIZE_CHECK) {
            self.unchecked = Amount::default();
            self.is_large = true;
        }
    }

    /// A step has changed so much.
    fn changed(&mut self, changes: Amount) {
        self.log_changes += changes;
        self.log_commits += 1;
    }
}

impl Tables<'_> {
    /// When there is something to do, if ever.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let Due { expiry, private, .. } = &self.state.due;
        if self.next_step(now).is_some() {
            Some(now)
        } else {
            Some(expiry.map_or(private.at, |expiry| expiry.min(private.at)))
        }
    }

    /// Does what is to be done, until that is a step's work, and more is removed than was `added` by a commit before. Rows count
    /// where rooms have too many, and bytes where the file is too large: each can be little where the other is much.
    pub(super) fn keep_up(&mut self, now: Instant, added: Amount) -> Result<()> {
        let mut most = added;
        most += EXTRA;
        let mut done = Amount::default();
        while let Some(changes) = self.step(now)? {
            done += changes;
            let is_even = done.rows > added.rows && (done.bytes > added.bytes || !self.state.due.is_large);
            if (is_even && done.reaches(STEP)) || done.reaches(most) {
                break;
            }
        }
        Ok(())
    }

    /// Does one step, if there is something to do. Returns what it has removed or changed.
    pub(super) fn step(&mut self, now: Instant) -> Result<Option<Amount>> {
        let Some(step) = self.next_step(now) else { return Ok(None) };
        let changes = match step {
            Step::Forget => self.forget(),
            Step::Trim => self.trim(),
            Step::Expire => self.expire(now),
            Step::ExpirePrivate => self.expire_private(now),
            Step::Shrink => self.shrink(),
            Step::Count => self.count(),
            Step::CheckLog => return self.check_log().map(|()| Some(Amount::default())),
        }?;
        self.state.due.changed(changes);
        Ok(Some(changes))
    }

    fn next_step(&self, now: Instant) -> Option<Step> {
        let State { rooms, due, .. } = &self.state;
        if due.log_changes.reaches(LOG_CHECK) || due.log_commits >= LOG_CHECK_COMMITS {
            Some(Step::CheckLog) // first: each of the others makes the log longer
        } else if !rooms.forgotten.is_empty() {
            Some(Step::Forget)
        } else if rooms.is_over() {
            Some(Step::Trim)
        } else if due.is_large {
            Some(Step::Shrink)
        } else if due.expiry.is_some_and(|at| at <= now) {
            Some(Step::Expire)
        } else if due.private.at <= now {
            Some(Step::ExpirePrivate)
        } else if rooms.counts_due() {
            Some(Step::Count)
        } else {
            None
        }
    }

    /// Writes how many events rooms have.
    pub(super) fn count(&mut self) -> Result<Amount> {
        let rooms = self.state.rooms.next_to_count(usize::try_from(STEP_ROWS).expect("a few hundred"));
        let transaction = self.transaction()?;
        for (_, room) in &rooms {
            if let Some(room) = room
                && room.is_behind
            {
                self.statements.set_lines(room)?;
            }
        }
        transaction.commit()?;
        self.state.rooms.counted(&rooms);
        Ok(Amount { rows: rooms.len() as u64, bytes: 0 })
    }

    /// Copies the pages in SQLite's log to their places, if there are many.
    fn check_log(&mut self) -> Result<()> {
        let pages: i64 = self.statements.log_pages.query_row([], |row| row.get(1))?;
        if from_integer(pages) >= LOG_PAGES_MAX {
            self.statements.checkpoint.query_row([], |_| Ok(()))?;
        }
        (self.state.due.log_changes, self.state.due.log_commits) = (Amount::default(), 0);
        Ok(())
    }
}
