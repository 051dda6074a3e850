//! One client and its connection, in a world that cuts bytes anywhere and stalls.

use std::{collections::VecDeque, time::Duration};

use pipechat::{
    chat::{Bucket, ClientId, Command, Departure, Event, Format, Input, Line, Rate},
    protocol::{Dialect, Framer, Stamp, Telnet, parse_frame, render},
};

use super::{
    generator::{LINE_MAX, Speaker},
    reader::{Heard, read, read_object},
};

/// Lines handed over at once.
const BATCH_LINES_MAX: usize = 6;
/// Bytes that may wait for a client.
pub(crate) const QUEUE_MAX: usize = 6 << 10;
pub(crate) const RATE: Rate = Rate { per_second: 4, burst: 8 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads at once, speaks well, never leaves.
    Witness,
    /// Anybody.
    Guest,
    /// Sends garbage.
    Fuzzer,
}

pub(crate) struct Peer {
    pub(crate) client: ClientId,
    pub(crate) kind: Kind,
    pub(crate) speaker: Speaker,

    /// What the lines mean that it has typed and the broker has not got.
    pub(crate) meant: VecDeque<Line>,
    /// Typed, and on its way to the server.
    pub(crate) typed: VecDeque<u8>,
    /// It will type no more, and its end of input comes after what it has typed.
    pub(crate) has_finished: bool,
    /// It has broken off, and nothing more comes from it.
    pub(crate) is_lost: bool,
    /// It has broken off, and what it has typed still comes. What it is told, its connection throws away.
    pub(crate) is_broken: bool,
    /// It does not read.
    pub(crate) is_stalled: bool,

    telnet: Telnet,
    framer: Framer,
    backlog: Vec<u8>,
    is_eof: bool,
    is_done: bool,
    pub(crate) is_ready: bool,
    bucket: Bucket,
    /// Lines that it may still say at once; less than none is a debt.
    tokens: f64,
    idle_since: Duration,
    pause_until: Duration,

    pub(crate) dialect: Dialect,
    /// All that was rendered for it.
    pub(crate) wire: Vec<u8>,
    /// How much of `wire` it has got.
    pub(crate) sent: usize,
    told: Vec<ServerMessage>,
    /// Why the broker has hung up.
    pub(crate) departure: Option<Departure>,
    /// How many public lines there had been when it came.
    pub(crate) joined: usize,
}

struct ServerMessage {
    event: Event,
    dialect: Dialect,
    is_public: bool,
    /// Where in `wire` it ends.
    end: usize,
}

impl Peer {
    pub(crate) fn new(client: ClientId, kind: Kind, now: Duration, joined: usize) -> Self {
        Self {
            client,
            kind,
            speaker: Speaker::default(),
            meant: VecDeque::new(),
            typed: VecDeque::new(),
            has_finished: false,
            is_lost: false,
            is_broken: false,
            is_stalled: false,
            telnet: Telnet::default(),
            framer: Framer::new(LINE_MAX),
            backlog: Vec::new(),
            is_eof: false,
            is_done: false,
            is_ready: true,
            bucket: Bucket::new(RATE),
            tokens: f64::from(RATE.burst),
            idle_since: now,
            pause_until: Duration::ZERO,
            dialect: Dialect::default(),
            wire: Vec::new(),
            sent: 0,
            told: Vec::new(),
            departure: None,
            joined,
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.wire.len() - self.sent
    }

    /// Nothing is under way from it.
    pub(crate) fn is_quiet(&self) -> bool {
        let has_spoken_out = self.typed.is_empty() && self.backlog.is_empty() && self.is_ready;
        self.departure.is_some() || self.is_lost || has_spoken_out && self.has_finished == self.is_done
    }

    /// How many lines and how many waits are under way from it, at the most.
    pub(crate) fn unheard(&self) -> (usize, usize) {
        let bytes = self.typed.len() + self.backlog.len();
        match self.kind {
            Kind::Fuzzer => (1 + bytes, bytes / "wait|1|user|x".len()),
            Kind::Witness | Kind::Guest => {
                let is_wait = |line: &&Line| matches!(line, Ok(Command::Wait(..)));
                (1 + self.meant.len(), self.meant.iter().filter(is_wait).count())
            }
        }
    }

    /// A packet of at most `bytes` bytes reaches the server, if that reads it.
    pub(crate) fn packet(&mut self, bytes: usize, now: Duration) {
        let is_paused = self.pause_until > now || self.queued() > QUEUE_MAX / 2;
        if self.is_eof || self.is_done || self.departure.is_some() || !self.backlog.is_empty() || is_paused {
            return;
        }
        let mut packet: Vec<u8> = self.typed.drain(..bytes.min(self.typed.len())).collect();
        self.is_eof = self.typed.is_empty() && self.has_finished;
        let kept = self.telnet.strip(&mut packet);
        packet.truncate(kept);
        self.backlog = packet;
    }

    /// What the connection has for the broker.
    pub(crate) fn speak(&mut self, now: Duration) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.is_done || self.departure.is_some() {
            return inputs;
        }
        let may_speak = self.is_ready && self.pause_until <= now;
        let mut lines = if may_speak { self.next_lines() } else { Vec::new() };
        let is_last = self.is_eof && self.backlog.is_empty();
        if is_last && may_speak && lines.is_empty() {
            lines.extend(self.framer.finish().map(|frame| parse_frame(&frame, LINE_MAX)));
        }
        if !lines.is_empty() {
            inputs.push(self.say(lines, now));
        }
        if is_last && !self.framer.is_within_line() {
            // Whatever it waits for: that it says no more is told at once.
            self.is_done = true;
            assert_eq!(self.meant, [], "{}: lines were lost", self.client);
            inputs.push(if self.is_broken { Input::End(Departure::Lost) } else { Input::Eof });
        }
        inputs
    }

    fn say(&mut self, lines: Vec<Line>, now: Duration) -> Input {
        for line in lines.iter().filter(|_| self.kind != Kind::Fuzzer) {
            assert_eq!(Some(line), self.meant.pop_front().as_ref(), "{} was misunderstood", self.client);
        }
        self.take_tokens(lines.len(), now);
        self.is_ready = false;
        Input::Lines(lines)
    }

    fn next_lines(&mut self) -> Vec<Line> {
        let (mut lines, mut rest) = (Vec::new(), &self.backlog[..]);
        while lines.len() < BATCH_LINES_MAX
            && let Some(frame) = self.framer.next(&mut rest)
        {
            let line = parse_frame(&frame, LINE_MAX);
            let ends_batch = line.as_ref().is_ok_and(|command| command.ends_batch());
            lines.push(line);
            if ends_batch {
                break;
            }
        }
        self.backlog = rest.to_vec();
        lines
    }

    /// What the bucket says of the next read has to be what a counter of tokens says.
    fn take_tokens(&mut self, lines: usize, now: Duration) {
        let (per_second, burst) = (f64::from(RATE.per_second), f64::from(RATE.burst));
        let fresh = (now - self.idle_since).as_secs_f64() * per_second;
        self.tokens = burst.min(self.tokens + fresh) - lines as f64;
        self.idle_since = now;
        self.pause_until = self.bucket.take(lines, now);
        let pause = self.pause_until.saturating_sub(now).as_secs_f64();
        let expected = (-self.tokens / per_second).max(0.0);
        assert!((pause - expected).abs() < 1e-6, "{} is to be silent for {pause} s, not {expected} s", self.client);
    }

    /// It is told an event. What is told to one who has left is told to nobody, and should not be.
    pub(crate) fn tell(&mut self, event: &Event, stamp: Stamp) {
        assert_eq!(self.departure, None, "{} has left and is told {event:?}", self.client);
        render(&mut self.wire, event, stamp, self.dialect);
        let is_public = stamp.seq.is_some();
        self.told.push(ServerMessage { event: event.clone(), dialect: self.dialect, is_public, end: self.wire.len() });
    }

    /// What waits for it is thrown away, apart from the rest of a line that it has begun to get.
    pub(crate) fn cut(&mut self) {
        let end = self.told.iter().map(|told| told.end).find(|&end| end >= self.sent).expect("something waits");
        let end = if self.sent == 0 { 0 } else { end };
        self.told.retain(|told| told.end <= end);
        self.wire.truncate(end);
    }

    /// Checks what it has heard in its life: it reads as what it was told, each public line of its time once and in order,
    /// and the answer to a sync after everything it had said before. `public` is what was public, in order.
    pub(crate) fn check(&self, public: &[Heard]) {
        let (mut from, mut heard_public, mut said) = (0, self.joined, 0);
        let own = self.told.first().map(|told| Heard::of(&told.event));
        for told in self.told.iter().take_while(|told| told.end <= self.sent) {
            let line = std::str::from_utf8(&self.wire[from..told.end]).expect("UTF-8");
            from = told.end;
            let heard = Heard::of(&told.event);
            if heard == Heard::Other {
                assert!(line.is_empty() || line.ends_with('\n'));
            } else {
                assert_eq!(line.matches('\n').count(), 1, "{line:?}");
                assert_eq!(read(line.trim_end_matches('\n'), told.dialect), heard, "{line:?}");
            }
            if told.dialect.format == Format::Json {
                let seq = told.is_public.then_some(heard_public as u64 + 1);
                assert_eq!(read_object(line.trim_end_matches('\n')).seq, seq, "{line:?}");
            }
            if told.is_public {
                assert_eq!(public.get(heard_public), Some(&heard), "{} missed a line", self.client);
                heard_public += 1;
            }
            if let (Some(Heard::Online { addr: own, .. }), Heard::Message { addr, .. }) = (&own, &heard) {
                said += usize::from(own == addr);
            }
            if let (Event::Synced(token), true) = (&told.event, self.kind != Kind::Fuzzer) {
                assert_eq!(*token, said.to_string(), "{}: synced before all was said", self.client);
            }
        }
        if !self.is_lost && !self.is_stalled {
            assert_eq!(self.sent, self.wire.len(), "{} did not get all", self.client);
        }
    }

    /// The public lines that it has been told.
    pub(crate) fn heard_public(&self) -> Vec<Heard> {
        self.told.iter().filter(|told| told.is_public).map(|told| Heard::of(&told.event)).collect()
    }
}
