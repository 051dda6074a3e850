//! An independent watch over one connection: what its clocks and counters must say. It knows the manual, not the session.

use std::time::Duration;

use pipechat::{
    chat::Departure,
    protocol::{Batch, Intake, Limits, Rate, Reply, Setting, Step},
};

/// A bucket of tokens, one for each line.
pub(crate) struct Tokens {
    rate: Rate,
    /// Lines that may still be said at once; less than none is a debt.
    left: f64,
    at: Duration,
}

impl Tokens {
    pub(crate) fn new(rate: Rate, now: Duration) -> Self {
        Self { rate, left: f64::from(rate.burst), at: now }
    }

    /// Takes so many, and answers when there is no debt.
    pub(crate) fn take(&mut self, lines: usize, now: Duration) -> Duration {
        let (per_second, burst) = (f64::from(self.rate.per_second), f64::from(self.rate.burst));
        let fresh = (now - self.at).as_secs_f64() * per_second;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred lines")]
        let lines = lines as f64;
        self.left = burst.min(self.left + fresh) - lines;
        self.at = now;
        now + Duration::from_secs_f64((-self.left / per_second).max(0.0))
    }
}

pub(crate) struct Watch {
    limits: Limits,
    /// The broker has not done with the last lines.
    is_outstanding: bool,
    /// The client has sent faster than it may, and is not heard before this.
    not_before: Duration,
    tokens: Tokens,
    /// What the credit for the last lines has to say, and when they were accepted.
    credit_due: Option<(Duration, Duration)>,
    /// Much waited for it when it last did something.
    intake: Intake,
    /// When it was last known to be held back, or began.
    held_at: Duration,
    /// When it was first known not to be held back any more.
    free_at: Option<Duration>,
    is_exempt: bool,
    /// It is over, or says no more: it cannot be idle.
    has_ended: bool,
    is_closed: bool,
    /// Since when its socket has taken nothing, where something waits.
    blocked_since: Option<Duration>,
}

impl Watch {
    pub(crate) fn new(limits: Limits, now: Duration) -> Self {
        Self {
            limits,
            is_outstanding: false,
            not_before: Duration::ZERO,
            tokens: Tokens::new(limits.rate, now),
            credit_due: None,
            intake: Intake::All,
            held_at: now,
            free_at: None,
            is_exempt: false,
            has_ended: false,
            is_closed: false,
            blocked_since: None,
        }
    }

    /// Nothing that it has said is under way, and it may go on at once.
    pub(crate) fn is_at_rest(&self, now: Duration) -> bool {
        !self.is_outstanding && self.not_before <= now
    }

    /// The connection hands over a batch.
    pub(crate) fn batch(&mut self, batch: &Batch, intake: Intake, now: Duration) {
        // What has come of a broken connection is heard at once.
        if batch.lines > 0 && !batch.steps.contains(&Step::Broken) {
            let is_behind = [intake, self.intake] == [Intake::Nothing; 2];
            assert!(!is_behind, "it asks for more, and does not read");
            assert!(!self.is_outstanding, "lines without a credit");
            assert!(now >= self.not_before, "too early: at {now:?}, not {:?}", self.not_before);
            self.is_outstanding = true;
        }
        for step in &batch.steps {
            match step {
                Step::Close(Departure::Idle) => {
                    let silence = now.checked_sub(self.held_at);
                    let is_idle = silence.is_some_and(|silence| silence >= self.limits.idle_timeout);
                    assert!(is_idle && !self.is_exempt && !self.has_ended, "idle after {silence:?}");
                }
                Step::Close(Departure::WriteTimeout) => {
                    let since = self.blocked_since.expect("no bytes wait");
                    assert!(now >= since + self.limits.write_timeout, "write timeout after {:?}", now - since);
                }
                Step::Reply(Reply::Set(Setting::Stay)) => self.is_exempt = true,
                Step::Arrive
                | Step::Visit
                | Step::Command(_)
                | Step::Check(_)
                | Step::Reply(_)
                | Step::Speak(_)
                | Step::Request { .. }
                | Step::Broken
                | Step::Eof
                | Step::Close(_) => {}
            }
            self.has_ended |= matches!(step, Step::Eof | Step::Close(_));
            self.is_closed |= matches!(step, Step::Close(_));
        }
    }

    /// The broker takes so many lines, and has to answer with the time that the counters of tokens say: the client's, and
    /// that of its address.
    pub(crate) fn accepted(&mut self, batch: &Batch, of_address: Duration, now: Duration) {
        let due = self.tokens.take(batch.lines, now).max(of_address);
        let is_second = self.credit_due.replace((due, now)).is_some();
        assert!(!is_second || batch.steps.contains(&Step::Broken), "two batches at once");
    }

    /// The connection gets its credit.
    pub(crate) fn credited(&mut self, not_before: Duration, now: Duration) {
        let (due, accepted_at) = self.credit_due.take().expect("one credit a batch");
        let is_exact = not_before.abs_diff(due) < Duration::from_micros(1);
        let is_free = due == accepted_at && not_before <= due;
        assert!(is_exact || is_free, "the next line not before {not_before:?}, not {due:?}");
        self.is_outstanding = false;
        self.not_before = not_before;
        self.held_at = self.held_at.max(now).max(not_before);
    }

    /// The connection has tried to write.
    pub(crate) fn wrote(&mut self, written: usize, is_blocked: bool, now: Duration) {
        let since = self.blocked_since.filter(|_| written == 0).unwrap_or(now);
        self.blocked_since = is_blocked.then_some(since);
    }

    /// The connection is broken: nothing waits any more.
    pub(crate) fn aborted(&mut self) {
        self.blocked_since = None;
    }

    /// A look at the connection, which may have more to do or not.
    pub(crate) fn look(&mut self, intake: Intake, is_exhausted: bool, now: Duration) {
        self.intake = intake;
        if self.is_outstanding || self.not_before > now || intake != Intake::All {
            self.held_at = self.held_at.max(now);
            self.free_at = None;
        } else if is_exhausted {
            let free_at = *self.free_at.get_or_insert(now);
            let is_idle = now - free_at >= self.limits.idle_timeout;
            assert!(!is_idle || self.is_exempt || self.has_ended, "idle since {free_at:?}, and not ended");
        }
        if is_exhausted && !self.is_closed {
            let is_stuck = self.blocked_since.is_some_and(|since| now - since >= self.limits.write_timeout);
            assert!(!is_stuck, "stuck since {:?}, and not ended", self.blocked_since);
        }
    }
}
