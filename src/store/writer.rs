//! What the thread that writes does. It commits what waits, removes what is too much when there is nothing to commit, and goes on when
//! the disk lets it. Knows when to do what; what it means in the file is in [`super::commit`] and [`super::retention`].

use std::{
    mem,
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use futures::channel::{mpsc::UnboundedSender, oneshot};

use super::{Change, LOG_TARGET, Outcome, amount::Amount, database::Tables, health::Health, held::Held, order};

/// How long after a commit that has failed it is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The longest patience: with any more, the time could not be reckoned.
const PATIENCE_MAX: Duration = Duration::from_hours(24 * 365);

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Task {
    /// To commit changes.
    Commit {
        /// The number of the batch.
        batch: u64,
        /// The batch.
        changes: Vec<Change>,
    },
    /// To tell the accounts when all is committed.
    TellAccounts,
    /// To tell the bans and mutes when all is committed.
    TellBans,
    /// To end when all is committed.
    Close {
        /// How long it may try.
        patience: Duration,
        /// Where to tell how many changes are lost.
        done: oneshot::Sender<u64>,
    },
}

/// What waits, and how it goes.
#[derive(Debug)]
pub(super) struct Writer<'c> {
    pub(super) tables: Tables<'c>,
    held: Held,
    health: Health,
    ending: Ending,
    outcomes: UnboundedSender<Outcome>,
    /// How steps go that may wait.
    steps: Health,
    /// The largest number that was given out.
    highest: u64,
    /// The last batch that is in the file.
    committed: u64,
    /// The bans are to be told.
    owes_bans: bool,
}

/// Whether the thread is to end.
#[derive(Debug)]
enum Ending {
    Open,
    /// When all is committed, or at `until`.
    Closing {
        until: Instant,
        done: oneshot::Sender<u64>,
    },
    /// When all is committed, or a commit fails: the store was dropped.
    Dropped,
}

impl<'c> Writer<'c> {
    pub(super) fn new(tables: Tables<'c>, outcomes: UnboundedSender<Outcome>) -> Self {
        let highest = tables.state.highest;
        let (health, steps) = (Health::Working, Health::Working);
        Self {
            tables,
            held: Held::default(),
            health,
            ending: Ending::Open,
            outcomes,
            steps,
            highest,
            committed: 0,
            owes_bans: false,
        }
    }

    /// Works until it is to end. Returns who waits for that, and how many changes are lost.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) -> Option<(oneshot::Sender<u64>, u64)> {
        loop {
            self.receive(tasks);
            while self.takes_more()
                && let Ok(task) = tasks.try_recv()
            {
                self.take(task, Instant::now());
            }
            self.work(Instant::now());
            if self.is_done(Instant::now()) {
                return self.end();
            }
        }
    }

    /// Takes the next task; without one, waits until there is something else to do.
    fn receive(&mut self, tasks: &Receiver<Task>) {
        let now = Instant::now();
        let wait = self.due(now).map(|due| due.saturating_duration_since(now));
        if !matches!(self.ending, Ending::Open) {
            return thread::sleep(wait.unwrap_or_default()); // no task comes any more
        }
        let task = match wait {
            Some(wait) => tasks.recv_timeout(wait),
            None => tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match task {
            Ok(task) => self.take(task, Instant::now()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.ending = Ending::Dropped,
        }
    }

    /// Whether another task may be taken before the next commit.
    pub(super) fn takes_more(&self) -> bool {
        let is_group = match self.health {
            Health::Working => self.held.is_group(),
            Health::Failing { .. } => false, // it is bounded by what is held
        };
        matches!(self.ending, Ending::Open) && !is_group
    }

    pub(super) fn take(&mut self, task: Task, now: Instant) {
        match task {
            Task::Commit { batch, changes } => {
                let numbers = changes.iter().filter_map(|change| match change {
                    Change::Event(record) => Some(record.n),
                    Change::Remember { .. }
                    | Change::Account(_)
                    | Change::Order(_)
                    | Change::AccountsSeen(_)
                    | Change::Forget(_) => None,
                });
                self.highest = numbers.fold(self.highest, u64::max);
                let was_lossless = self.held.dropped() == 0;
                if self.held.push(batch, changes) > 0 && was_lossless {
                    log::error!(target: LOG_TARGET, "too much waits to be stored: from now on changes are lost");
                }
            }
            Task::TellAccounts => self.tables.state.watched.is_untold = true,
            Task::TellBans => self.owes_bans = true,
            Task::Close { patience, done } => {
                self.ending = Ending::Closing { until: now + patience.min(PATIENCE_MAX), done };
                if let Health::Failing { retry_at } = &mut self.health {
                    *retry_at = now;
                }
            }
        }
    }

    /// When there is something to do, if ever.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let due = match (self.held.is_empty(), self.health, self.steps) {
            (false, Health::Working, _) => Some(now),
            (true, Health::Working, _) if self.owes_bans => Some(now),
            (false, Health::Failing { retry_at }, _) | (true, _, Health::Failing { retry_at }) => Some(retry_at),
            (true, _, Health::Working) => {
                let look_at = self.tables.state.watched.look_at;
                Some(self.tables.due(now).map_or(look_at, |due| due.min(look_at)))
            }
        };
        match self.ending {
            Ending::Closing { until, .. } => Some(due.map_or(until, |due| due.min(until))),
            Ending::Open | Ending::Dropped => due,
        }
    }

    /// Commits a group, if there is one and it is time to. Then does some of what may wait; if that is to remove something, as
    /// much as the group has added, so that a flood does not outrun it.
    pub(super) fn work(&mut self, now: Instant) {
        let mut added = Amount::default();
        if !self.held.is_empty() && self.health.is_due(now) {
            added = self.commit(now);
        }
        if self.held.is_empty() && self.health == Health::Working {
            self.look(now);
            if mem::take(&mut self.owes_bans) {
                self.tell_bans(now);
            }
        }
        if self.health == Health::Working && self.steps.is_due(now) {
            match self.tables.keep_up(now, added) {
                Ok(()) => self.steps = Health::Working,
                Err(error) => {
                    if self.steps == Health::Working {
                        log::warn!(target: LOG_TARGET, "old events cannot be removed: {error}; trying again each second");
                    }
                    self.steps = Health::Failing { retry_at: now + RETRY_INTERVAL };
                }
            }
        }
    }

    /// Tells of accounts that another process has changed, and that process that they were told.
    fn look(&mut self, now: Instant) {
        let looked = self.tables.look(now).and_then(|found| {
            if let Some((number, accounts)) = found {
                let batch = self.committed;
                self.outcomes.unbounded_send(Outcome::Accounts { batch, number, accounts }).ok(); // nobody may want to know
            }
            self.tables.state.watched.edits.note(self.tables.connection)
        });
        if let Err(error) = looked {
            log::warn!(target: LOG_TARGET, "accounts cannot be read: {error}; trying again in a second");
            self.tables.state.watched.look_at = now + RETRY_INTERVAL;
        }
    }

    /// Tells the bans and mutes: somebody may have edited them.
    fn tell_bans(&self, now: Instant) {
        match order::sanctions(self.tables.connection, self.tables.state.clock.at(now)) {
            Ok(sanctions) => {
                self.outcomes.unbounded_send(Outcome::Bans { batch: self.committed, sanctions }).ok(); // as above
            }
            Err(error) => log::warn!(target: LOG_TARGET, "bans cannot be read: {error}; those in force stay"),
        }
    }

    /// Returns what was committed.
    fn commit(&mut self, now: Instant) -> Amount {
        let (count, changes) = self.held.group();
        match self.tables.commit(changes) {
            Ok(added) => {
                let batch = self.held.committed(count).expect("a group has a batch");
                if self.health != Health::Working {
                    let lost = self.held.dropped();
                    log::info!(target: LOG_TARGET, "stored again what was held ({lost} changes are lost)");
                }
                self.health = Health::Working;
                self.committed = batch;
                self.outcomes.unbounded_send(Outcome::Committed(batch)).ok(); // nobody may want to know
                added
            }
            Err(error) => {
                if self.health == Health::Working {
                    log::error!(target: LOG_TARGET, "cannot store: {error}; trying again each second");
                    let batch = self.held.first().expect("a group has a batch");
                    self.outcomes.unbounded_send(Outcome::Failed { batch, reason: error.to_string() }).ok();
                }
                self.health = Health::Failing { retry_at: now + RETRY_INTERVAL };
                Amount::default()
            }
        }
    }

    pub(super) fn is_done(&self, now: Instant) -> bool {
        let is_failing = self.health != Health::Working;
        match self.ending {
            Ending::Open => false,
            Ending::Closing { until, .. } => self.held.is_empty() || (is_failing && now >= until),
            Ending::Dropped => self.held.is_empty() || is_failing,
        }
    }

    /// Leaves the file so that the next start has nothing to count, and no number is left out.
    fn end(mut self) -> Option<(oneshot::Sender<u64>, u64)> {
        let lost = self.held.lost();
        match self.ending {
            Ending::Closing { done, .. } => {
                if let Err(error) = self.tables.finish(self.highest) {
                    log::warn!(target: LOG_TARGET, "the store is left as after a crash: {error}");
                }
                Some((done, lost))
            }
            Ending::Open | Ending::Dropped => {
                if lost > 0 {
                    log::error!(target: LOG_TARGET, "{lost} changes could not be stored");
                }
                None
            }
        }
    }
}
