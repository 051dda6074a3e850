//! One client: what it types and means, how it reads, and its connection.

mod checks;

use std::{collections::VecDeque, iter::Peekable, net::SocketAddr, sync::Arc, time::Duration};

use pipechat::{
    broker::{Inbox, Request},
    chat::{ClientId, Command, Departure},
    protocol::{Batch, Dialect, Envelope, Limits, Line, Reply, Setting, Step},
};

use super::{
    account::{Account, Excuse},
    connection::{Connection, Seen, Stage},
    generator::Speaker,
    meaning::{Meaning, Understanding},
    reader::Heard,
    watch::Watch,
};

/// Bytes that the kernels hold for a client that does not read.
const OUTGOING_MAX: usize = 512;
/// More than any connection has to do at one time.
const WAKES_MAX: usize = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads at once, speaks well, never leaves.
    Witness,
    /// Anybody.
    Guest,
    /// Sends garbage.
    Fuzzer,
}

/// What comes behind all that a client has typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// More of it.
    Open,
    /// The end of its input.
    Ending,
    /// Its reset. It reads nothing any more.
    Resetting,
}

/// A line that was typed, and not understood so far.
struct Meant {
    /// As many bytes had been typed at its end.
    typed: usize,
    meaning: Meaning,
    /// Its bytes begin with the client's first negotiation.
    has_negotiation: bool,
    /// It has no envelope: it is a line if the end of the input comes behind it, and none if that is a reset.
    is_open: bool,
}

pub(crate) struct Peer {
    pub(crate) client: ClientId,
    pub(crate) kind: Kind,
    pub(crate) addr: SocketAddr,
    pub(crate) speaker: Speaker,
    /// It has typed its negotiation.
    is_telnet: bool,

    /// Typed, and on its way to the server.
    typed: VecDeque<u8>,
    typed_total: usize,
    /// What that and what is at the server means.
    meant: VecDeque<Meant>,
    pub(crate) sending: Sending,
    /// Bytes that it reads in a step, at the most.
    pub(crate) reads: usize,
    received: Vec<u8>,
    /// So many bytes of it were looked at for positions.
    looked_at: usize,

    understanding: Understanding,
    has_arrived: bool,
    /// The step that has ended its input, or its life.
    end: Option<Step>,
    /// From here on, nobody knows what its lines mean.
    is_unclear: bool,

    pub(crate) connection: Connection,
    watch: Watch,
    pub(crate) account: Account,
}

impl Peer {
    pub(crate) fn new(
        client: ClientId,
        kind: Kind,
        addr: SocketAddr,
        limits: &Arc<Limits>,
        inbox: Inbox,
        visits: bool,
        now: Duration,
    ) -> Self {
        let visit = Meant { typed: 0, meaning: Ok(Line::Set(Setting::Visit)), has_negotiation: false, is_open: false };
        let outgoing_max = if kind == Kind::Witness { usize::MAX } else { OUTGOING_MAX };
        Self {
            client,
            kind,
            addr,
            speaker: Speaker::default(),
            is_telnet: false,
            typed: VecDeque::new(),
            typed_total: 0,
            meant: visits.then_some(visit).into_iter().collect(),
            sending: Sending::Open,
            reads: usize::MAX,
            received: Vec::new(),
            looked_at: 0,
            understanding: Understanding::new(Arc::clone(limits), Dialect::default()),
            has_arrived: visits,
            end: None,
            is_unclear: kind == Kind::Fuzzer,
            connection: Connection::new(limits, inbox, outgoing_max, visits, now),
            watch: Watch::new(**limits, now),
            account: Account::default(),
        }
    }

    /// Bytes that have not reached the server.
    pub(crate) fn typed(&self) -> usize {
        self.typed.len()
    }

    pub(crate) fn type_line(&mut self, line: &[u8], meaning: Meaning) {
        self.type_bytes(line);
        let has_negotiation = self.speaker.is_telnet && !std::mem::replace(&mut self.is_telnet, true);
        let is_over_at_cr = self.is_telnet && (line.ends_with(b"\r\n") || line.ends_with(b"\r\0"));
        let typed = self.typed_total - usize::from(is_over_at_cr);
        self.meant.push_back(Meant { typed, meaning, has_negotiation, is_open: false });
    }

    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        assert_eq!(self.sending, Sending::Open, "{} has ended", self.client);
        self.typed.extend(bytes);
        self.typed_total += bytes.len();
    }

    /// Its last line needs no ending, if it is one at all.
    pub(crate) fn leave_last_line_open(&mut self) {
        let Some(last) = self.meant.back_mut().filter(|last| !matches!(last.meaning, Ok(Line::Blank))) else { return };
        while self.typed.pop_back_if(|byte| matches!(byte, b'\n' | b'\r' | b'\0')).is_some() {
            self.typed_total -= 1;
            last.is_open = true;
        }
        last.typed = last.typed.min(self.typed_total);
    }

    /// It breaks off, and all but so many of the bytes that are under way are lost. What is left of a line is none.
    pub(crate) fn reset(&mut self, kept: usize) {
        self.sending = Sending::Resetting;
        let arrived = self.typed_total - self.typed.len();
        self.typed.truncate(kept);
        self.meant.retain(|meant| meant.typed <= arrived + kept);
    }

    /// So many bytes reach the server.
    pub(crate) fn deliver(&mut self, bytes: usize) {
        let socket = &mut self.connection.socket;
        socket.incoming.extend(self.typed.drain(..bytes.min(self.typed.len())));
        if self.typed.is_empty() {
            socket.is_ended |= self.sending == Sending::Ending;
            socket.is_reset |= self.sending == Sending::Resetting;
        }
    }

    /// It reads so many bytes at the most.
    pub(crate) fn read(&mut self, bytes: usize) {
        if self.sending != Sending::Resetting {
            let outgoing = &mut self.connection.socket.outgoing;
            self.received.extend(outgoing.drain(..bytes.min(self.reads).min(outgoing.len())));
        }
    }

    /// Its connection does so many things, if it has as many to do.
    pub(crate) fn work(&mut self, wakes: usize, now: Duration, requests: &mut VecDeque<Request>) {
        for _ in 0..wakes {
            let mut seen = Vec::new();
            let is_exhausted = !self.connection.wake(now, &mut seen);
            for seen in seen {
                self.see(seen, now, requests);
            }
            if self.connection.stage == Stage::Open {
                self.watch.look(self.connection.intake, is_exhausted, now);
            }
            if is_exhausted {
                return;
            }
        }
    }

    /// Its connection does all that it has to do.
    pub(crate) fn work_off(&mut self, now: Duration, requests: &mut VecDeque<Request>) {
        self.work(WAKES_MAX, now, requests);
        assert!(!self.connection.wake(now, &mut Vec::new()), "{}'s connection never rests", self.client);
    }

    fn see(&mut self, seen: Seen, now: Duration, requests: &mut VecDeque<Request>) {
        match seen {
            Seen::Batch(batch) => {
                self.watch.batch(&batch, self.connection.intake, now);
                self.understand(&batch);
                requests.push_back(Request::Batch(self.client, batch));
            }
            Seen::Credit(not_before) => {
                self.watch.credited(not_before, now);
                if !self.account.is_gone() {
                    self.account.assert_done();
                }
            }
            Seen::Wrote(written, is_blocked) => self.watch.wrote(written, is_blocked, now),
            Seen::Relieved => requests.push_back(Request::Relieved(self.client)),
            Seen::Aborted => self.watch.aborted(),
        }
    }

    /// The batch has to be what its next lines mean. Where it says that the connection is broken, nobody reads replies any
    /// more.
    fn understand(&mut self, batch: &Batch) {
        let mut steps = batch.steps.iter().peekable();
        if !self.has_arrived {
            assert_eq!(steps.next(), Some(&Step::Arrive));
            self.has_arrived = true;
        }
        assert!(batch.lines == 0 || self.end.is_none(), "{} says something behind its end", self.client);
        let (mut is_broken, mut has_hidden_refusal) = (false, false);
        for _ in 0..batch.lines {
            if self.is_unclear {
                break;
            }
            is_broken |= steps.next_if_eq(&&Step::Broken).is_some();
            self.understand_negotiation(&mut steps);
            let Meant { meaning, has_negotiation, .. } = self.meant.pop_front().expect("no line is made up");
            assert!(!has_negotiation || self.understanding.is_telnet(), "{} is not taken for telnet", self.client);
            for step in self.understanding.steps(&meaning) {
                is_broken |= steps.next_if_eq(&&Step::Broken).is_some();
                if is_broken && let Step::Reply(reply) = &step {
                    has_hidden_refusal |= matches!(reply, Reply::Refused(_));
                    continue;
                }
                let is_failed = has_hidden_refusal && matches!(step, Step::Check(_));
                let step = if is_failed { Step::Close(Departure::CheckFailed) } else { step };
                assert_eq!(steps.next(), Some(&step), "{} was misunderstood: {meaning:?}", self.client);
                self.end = Some(step).filter(|step| matches!(step, Step::Close(_)));
            }
        }
        loop {
            self.understand_negotiation(&mut steps);
            let Some(step) = steps.next() else { break };
            self.understand_end(step);
        }
    }

    /// The server has seen a negotiation: it stands before the next line, which may not have come.
    fn understand_negotiation<'a>(&mut self, steps: &mut Peekable<impl Iterator<Item = &'a Step>>) {
        let is_negotiation = |step: &&Step| matches!(step, Step::Speak(next) if next.envelope == Envelope::CrLf);
        let is_next = self.meant.front().map_or(self.is_telnet, |meant| meant.has_negotiation);
        let is_expected = is_next && !self.is_unclear && !self.understanding.is_telnet();
        if is_expected && steps.peek().is_some_and(is_negotiation) {
            let expected = self.understanding.negotiated();
            assert!(steps.next().into_iter().eq(&expected), "another dialect than {expected:?}");
        }
    }

    /// A step that is no line of its own.
    fn understand_end(&mut self, step: &Step) {
        let client = self.client;
        let socket = &self.connection.socket;
        let has_said_lines = self.is_unclear || self.meant.iter().all(|meant| meant.is_open);
        let has_said_all = self.is_unclear || self.meant.is_empty();
        match (&self.end, step) {
            (_, Step::Broken) => assert!(socket.is_reset, "{client} is not broken"),
            (None, Step::Eof) => assert!(socket.is_ended && has_said_all, "the end of {client} before the end"),
            (None, Step::Close(Departure::Lost)) => {
                assert!(socket.is_reset && socket.incoming.is_empty() && has_said_lines, "{client} is not lost");
            }
            (None, Step::Close(Departure::Idle | Departure::WriteTimeout)) => {} // the watch knows
            // It may still be stuck with the answer to its last line.
            (Some(Step::Eof), Step::Close(Departure::WriteTimeout)) => {}
            (end, _) => assert!(end.is_none() && self.is_unclear, "{client} did not mean {step:?} behind {end:?}"),
        }
        if matches!(step, Step::Eof | Step::Close(_)) {
            self.end = Some(step.clone());
        }
    }

    /// The broker has taken a batch.
    pub(crate) fn accepted(&mut self, batch: &Batch, of_address: Duration, now: Duration) {
        self.account.accept(&batch.steps);
        if batch.lines > 0 {
            self.watch.accepted(batch, of_address, now);
        }
    }

    /// Nothing is under way from it or to it.
    pub(crate) fn is_quiet(&self, now: Duration) -> bool {
        let socket = &self.connection.socket;
        let says_nothing = self.typed.is_empty() && socket.incoming.is_empty() && self.watch.is_at_rest(now);
        let has_read_all = socket.outgoing.is_empty() && self.connection.queued().0 == 0;
        let is_up_to_date = has_read_all && self.sending == Sending::Open && !self.account.is_gone();
        self.account.is_here() && says_nothing && is_up_to_date
    }

    /// How many lines and how many waits are under way from it, at the most.
    pub(crate) fn unheard(&self) -> (usize, usize) {
        let bytes = self.typed.len() + self.connection.socket.incoming.len();
        let is_wait = |meant: &&Meant| matches!(meant.meaning, Ok(Line::Command(Command::Wait(..))));
        match self.kind {
            Kind::Fuzzer => (1 + bytes, 1 + bytes / "wait|1|user|x".len()),
            Kind::Witness | Kind::Guest => (1 + self.meant.len(), 1 + self.meant.iter().filter(is_wait).count()),
        }
    }

    /// How often it has asked for what has happened, and was not answered, at the most.
    pub(crate) fn unheard_past(&self) -> usize {
        let is_past = |meant: &&Meant| match &meant.meaning {
            Ok(Line::Command(Command::History { .. } | Command::Join { start: Some(_), .. })) => true,
            Ok(_) | Err(_) => false,
        };
        let bytes = self.typed.len() + self.connection.socket.incoming.len();
        let of_fuzzer = if self.kind == Kind::Fuzzer { bytes / "history|x".len() } else { 0 };
        1 + of_fuzzer + self.meant.iter().filter(is_past).count()
    }
}
