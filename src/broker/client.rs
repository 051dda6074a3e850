//! What the broker knows of one client: how to tell it something, and what is still to be done for it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    broken::{BrokenBacklog, Taken},
    cost::Cost,
    log_name::LogName,
    memory::Memory,
    metrics::Metrics,
    outbox::{Credit, Outbox, Outcome},
    public_output::PublicOutput,
    rate_limit::RateLimit,
    turn::Listener,
};
use crate::{
    chat::{ClientId, Command, Congestion, Identity},
    origin::Origin,
    protocol::{Batch, Rate, Refused, Step},
};

/// Bytes that wait for one client alone, above which heavy flows may send it no private messages, and its own long answers
/// pause.
const BEHIND_BYTES: u32 = 256 << 10;
/// The same while memory is tight.
const BEHIND_BYTES_TIGHT: u32 = 4 << 10;
/// Bytes that wait for one client alone, above which nobody may send it private messages.
const FAR_BEHIND_BYTES: u32 = 512 << 10;

/// A batch of more bytes is a heavy load, though the flow has not used its quantum: two messages of the longest default length.
const LIGHT_BATCH_BYTES: usize = 8 << 10;

/// The address that stands for a name, of most clients.
const ADDRESS_BYTES: usize = 15;

/// One client of the broker.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) origin: Origin,
    /// What the chat knows it as, once it has a name; for the log.
    pub(super) who: Option<Arc<Identity>>,
    pub(super) outbox: Outbox,
    pub(super) listener: Listener,
    pub(super) stage: Stage,
    /// It pays for itself alone, and not together with others from its address.
    pub(super) is_trusted: bool,
    /// The chat knows it.
    pub(super) has_arrived: bool,
    /// The chat has not done with its last command.
    pub(super) is_busy: bool,
    /// The code of what was refused first since its last check.
    pub(super) refused: Option<&'static str>,
    /// The request at work, if its client wants to know what comes of it.
    request: Option<Box<RequestAtWork>>,
    /// The client is in the queue of its flow.
    pub(super) is_queued: bool,
    /// The number of the last flush that has come by.
    pub(super) flushed: u32,
    /// What the chat knows of its queue.
    pub(super) congestion: Congestion,
    pending: Option<Box<Pending>>,
    rate: RateLimit,
    /// When the connection may send its next batch; it has not been told yet.
    owed_credit: Option<Duration>,
}

/// A request at work.
#[derive(Debug)]
struct RequestAtWork {
    /// Nothing more is to be done of it once something was refused.
    stops_at_refusal: bool,
    outcome: Outcome,
}

/// How far a client has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// It is not announced yet, or at its first words.
    Arriving,
    /// The same, and it has ended already: its first words are its last.
    Passing,
    /// It is here.
    Present,
    /// Its connection is broken. Boxed, since few are.
    Broken(#[expect(dead_code, reason = "gives back what it took when it is dropped")] Box<Taken>),
}

/// What is left of a client's last batch.
#[derive(Debug)]
struct Pending {
    steps: VecDeque<Step>,
    /// Of the first one, if it is a command and that was asked.
    cost: Option<Cost>,
    /// Charged to the memory account until all steps are done.
    bytes: usize,
    memory: Arc<Memory>,
}

impl Client {
    pub(super) fn new(origin: Origin, is_trusted: bool, outbox: Outbox, listener: Listener) -> Self {
        Self {
            origin,
            who: None,
            outbox,
            listener,
            stage: Stage::Arriving,
            is_trusted,
            has_arrived: false,
            is_busy: false,
            refused: None,
            request: None,
            is_queued: false,
            flushed: 0,
            congestion: Congestion::None,
            pending: None,
            rate: RateLimit::default(),
            owed_credit: None,
        }
    }

    /// Takes a batch that comes at `now`. The next one must not come before `not_before`, nor faster than the rate.
    pub(super) fn push(&mut self, batch: Batch, rate: Rate, not_before: Duration, memory: &Arc<Memory>, now: Duration) {
        if batch.lines > 0 {
            self.owed_credit = Some(self.rate.take(rate, batch.lines, now).max(not_before));
        }
        if !batch.steps.is_empty() {
            let pending = self.pending.get_or_insert_with(|| Box::new(Pending::new(memory)));
            memory.charge(batch.bytes());
            pending.bytes += batch.bytes();
            pending.steps.extend(batch.steps);
        }
    }

    /// Whether its connection is not broken.
    pub(super) fn can_be_told(&self) -> bool {
        match self.stage {
            Stage::Arriving | Stage::Passing | Stage::Present => true,
            Stage::Broken(_) => false,
        }
    }

    /// The connection has broken, behind lines that the client sent while it could still read: keeps the first ones of them,
    /// as many as `backlog` has room for.
    pub(super) fn keep_some_lines(&mut self, backlog: &BrokenBacklog, taken: &mut Taken) {
        let Some(pending) = &mut self.pending else { return };
        let (room, mut lines, mut bytes) = (backlog.room(), 0, 0);
        let before = pending.steps.len();
        pending.steps.retain(|step| {
            let is_kept = !step.is_line() || lines < room;
            lines += usize::from(step.is_line() && is_kept);
            bytes += if is_kept { step.bytes() } else { 0 };
            is_kept
        });
        pending.steps.shrink_to_fit();
        pending.cost = None;
        taken.add(lines, bytes, before - pending.steps.len());
        pending.memory.release(pending.bytes - bytes);
        pending.bytes = bytes;
    }

    /// What the log calls the client of this id.
    pub(super) fn log_name(&self, id: ClientId) -> LogName {
        LogName { id, addr: self.origin.addr, who: self.who.clone() }
    }

    /// The next step that can be done now. Behind a command that is not done, only the end of the client can be.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        self.peek()?;
        let pending = self.pending.as_mut()?;
        let step = pending.steps.pop_front();
        pending.cost = None;
        if pending.steps.is_empty() {
            self.pending = None; // a client that says nothing holds nothing
        }
        step
    }

    /// What the next step will cost at least. `audience` tells how many are told of a command. Both are found out once: the
    /// step may have to wait for many turns.
    pub(super) fn next_cost(&mut self, audience: impl FnOnce(&Command) -> usize) -> Cost {
        let name_bytes = self.who.as_ref().map_or(ADDRESS_BYTES, |who| who.name.len());
        let known = self.pending.as_ref().and_then(|pending| pending.cost);
        let cost = match self.peek() {
            Some(Step::Command(command)) => known.unwrap_or_else(|| Cost::of(command, name_bytes, audience(command))),
            Some(
                Step::Arrive
                | Step::Visit
                | Step::Check(_)
                | Step::Reply(_)
                | Step::Speak(_)
                | Step::Request { .. }
                | Step::Broken
                | Step::Eof
                | Step::Close(_),
            )
            | None => return Cost::default(),
        };
        if let Some(pending) = &mut self.pending {
            pending.cost = Some(cost);
        }
        cost
    }

    fn peek(&self) -> Option<&Step> {
        let step = self.pending.as_ref()?.steps.front()?;
        let is_end = match step {
            Step::Broken | Step::Eof | Step::Close(_) => true,
            Step::Arrive
            | Step::Visit
            | Step::Command(_)
            | Step::Check(_)
            | Step::Reply(_)
            | Step::Speak(_)
            | Step::Request { .. } => false,
        };
        (is_end || !self.is_busy).then_some(step)
    }

    /// Whether the client has sent much at once.
    pub(super) fn has_sent_much(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.bytes > LIGHT_BATCH_BYTES)
    }

    /// A request begins. What comes of it is noted, and once something was refused, nothing more is done of it, if it is to stop.
    pub(super) fn begin_request(&mut self, stops_at_refusal: bool) {
        self.request = Some(Box::new(RequestAtWork { stops_at_refusal, outcome: Outcome::default() }));
    }

    /// Something was refused, as its code says, and with more than that to those who want to know.
    pub(super) fn note_refusal(&mut self, code: &'static str, refused: impl FnOnce() -> Refused) {
        self.refused.get_or_insert(code);
        let Some(request) = &mut self.request else { return };
        request.outcome.refused.get_or_insert_with(refused);
        if request.stops_at_refusal
            && let Some(pending) = &mut self.pending
        {
            pending.steps.retain(|step| !step.is_line());
            pending.cost = None;
            if pending.steps.is_empty() {
                self.pending = None;
            }
        }
    }

    /// A message of its was kept for one who is away.
    pub(super) fn note_kept(&mut self) {
        if let Some(request) = &mut self.request {
            request.outcome.is_kept = true;
        }
    }

    /// The credit that the connection is to be given, if its last batch is done.
    pub(super) fn take_credit(&mut self) -> Option<Credit> {
        if self.is_busy || self.pending.is_some() {
            return None;
        }
        let not_before = self.owed_credit.take()?;
        let outcome = self.request.take().map(|request| Box::new(request.outcome));
        Some(Credit { not_before, outcome })
    }

    /// Bytes that the client makes the server hold for it alone.
    pub(super) fn own_bytes(&self) -> usize {
        let pending = self.pending.as_ref().map_or(0, |pending| pending.bytes);
        self.outbox.gauge().own_bytes() + pending
    }

    /// How far the client is behind with what waits for it alone. What it was counts too: it is free again at half.
    pub(super) fn measure_congestion(&self, is_tight: bool) -> Congestion {
        let private = self.outbox.private() + self.listener.private_bytes();
        let behind_max = behind_max(is_tight);
        let (behind, far) = match self.congestion {
            Congestion::None => (behind_max, FAR_BEHIND_BYTES),
            Congestion::Behind => (behind_max / 2, FAR_BEHIND_BYTES),
            Congestion::FarBehind => (behind_max / 2, FAR_BEHIND_BYTES / 2),
        };
        if private > far as usize {
            Congestion::FarBehind
        } else if private > behind as usize {
            Congestion::Behind
        } else {
            Congestion::None
        }
    }

    /// Has the connection tell when the congestion gets less.
    pub(super) fn want_relief(&self, is_tight: bool) {
        match self.congestion {
            Congestion::None => self.outbox.want_relief(0),
            Congestion::Behind => self.outbox.want_relief(behind_max(is_tight) / 2),
            Congestion::FarBehind => self.outbox.want_relief(FAR_BEHIND_BYTES / 2),
        }
    }

    /// Sends what a turn that is over has for the client.
    pub(super) fn send(&mut self, public: &mut PublicOutput, memory: &Arc<Memory>, metrics: &Metrics, now: Duration) {
        let Self { outbox, listener, .. } = self;
        listener.take(public, memory, |parts| {
            metrics.delivered(parts);
            outbox.send(parts, now);
        });
    }
}

fn behind_max(is_tight: bool) -> u32 {
    if is_tight { BEHIND_BYTES_TIGHT } else { BEHIND_BYTES }
}

impl Pending {
    fn new(memory: &Arc<Memory>) -> Self {
        Self { steps: VecDeque::new(), cost: None, bytes: 0, memory: Arc::clone(memory) }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.memory.release(self.bytes);
    }
}
