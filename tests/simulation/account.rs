//! What one client is told, by the model's account, and whether that is what it has read.

use std::collections::VecDeque;

use pipechat::{
    chat::{Departure, Event, Input, Seq},
    protocol::{Dialect, Format, LineEnding, Reply, Step, Verb},
};

use super::{
    reader::{Heard, plain, read, read_object},
    words::{self, Words, form},
};

/// Limits that `help` tells, a line each.
const HELP_LIMITS: usize = 8;

#[derive(Default)]
pub(crate) struct Account {
    /// Steps that the broker has accepted, and not done as far as is known.
    steps: VecDeque<Step>,
    /// The chat is at its last command.
    pub(crate) is_busy: bool,
    presence: Presence,
    /// Events, public and private, in order.
    told: Vec<Told>,
    /// Replies, in order.
    answers: Vec<Answer>,
    /// Where its lines begin to end in CR LF.
    cr_lf: Option<CrLf>,
    /// The code of what was refused first since its last check.
    refused: Option<&'static str>,
    /// As many events were told when the server began to shut down, and said nothing in public any more.
    told_before_closing: Option<usize>,
    /// As many events were told when it began to visit, and heard nothing public any more.
    told_while_present: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Coming,
    Here,
    /// It is told nothing public.
    Visiting,
    Gone(Departure),
}

#[derive(Debug)]
struct Told {
    seq: Option<Seq>,
    event: Event,
    /// The client has an answer of its own, and is told this only where events are counted.
    is_answered: bool,
}

/// A reply stands somewhere among the events: the broker does not tell where, apart from what must be before and behind.
#[derive(Debug)]
struct Answer {
    reply: Reply,
    /// The dialect from here on, where that changes.
    dialect: Option<Dialect>,
    /// It comes behind so many events.
    from: usize,
    /// And not behind more than these. Unknown where the client has left before anything told of it.
    until: Option<usize>,
}

/// Like an answer, that stands somewhere among the events.
#[derive(Debug, Clone, Copy)]
struct CrLf {
    /// So many events end in LF.
    from: usize,
    /// What comes behind so many events ends in CR LF. Unknown where nothing told of it.
    until: Option<usize>,
    /// Behind so many answers.
    answers: usize,
}

/// What excuses a client that has not read all that it was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excuse {
    /// It has broken off, or the server could not wait for it any longer.
    pub(crate) end_is_missing: bool,
    /// It was cut off for reading slowly: all but the last is thrown away.
    pub(crate) has_gap: bool,
}

impl Account {
    pub(crate) fn is_here(&self) -> bool {
        matches!(self.presence, Presence::Here | Presence::Visiting)
    }

    /// It is told what is public.
    pub(crate) fn is_present(&self) -> bool {
        self.presence == Presence::Here
    }

    pub(crate) fn departure(&self) -> Option<Departure> {
        match self.presence {
            Presence::Gone(departure) => Some(departure),
            Presence::Coming | Presence::Here | Presence::Visiting => None,
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.departure().is_some()
    }

    pub(crate) fn accept(&mut self, steps: &[Step]) {
        self.steps.extend(steps.iter().cloned());
        self.release();
    }

    /// The chat gets an input of this client: the next of its steps, unless the broker ends it by itself.
    pub(crate) fn input(&mut self, input: &Input) {
        let step = match input {
            Input::Arrive(..) => Step::Arrive,
            Input::Visit(..) => Step::Visit,
            Input::Command(_, _, command) => Step::Command(command.clone()),
            Input::Eof(_) => Step::Eof,
            Input::Broken(_) => Step::Broken,
            Input::End(_, Departure::SlowConsumer) => return,
            Input::End(_, departure) => Step::Close(*departure),
            Input::Congested(..) => return,
            Input::Continue | Input::ShutDown => panic!("{input:?} is of no client"),
        };
        if self.is_gone() {
            return; // it was in the queue before others that have ended the client
        }
        assert_eq!(self.steps.pop_front(), Some(step.clone()), "behind it {:?}", self.steps);
        for answer in self.answers.iter_mut().rev().take_while(|answer| answer.until.is_none()) {
            answer.until = Some(self.told.len());
        }
        if let Some(cr_lf) = &mut self.cr_lf {
            cr_lf.until.get_or_insert(self.told.len());
        }
        match step {
            Step::Arrive => self.presence = Presence::Here,
            Step::Visit => {
                self.presence = Presence::Visiting;
                self.told_while_present.get_or_insert(self.told.len());
            }
            Step::Command(_) => {
                assert!(!self.is_busy, "the one before is not done");
                self.is_busy = true;
            }
            Step::Reply(_) | Step::Check(_) | Step::Speak(_) | Step::Broken | Step::Eof | Step::Close(_) => {}
        }
        self.release();
    }

    pub(crate) fn tell(&mut self, seq: Option<Seq>, event: &Event, is_answered: bool) {
        assert!(self.is_here(), "{event:?} is told to one who is {:?}", self.presence);
        if let Event::Refused(refusal) = event {
            self.refused.get_or_insert(refusal.code());
        }
        self.told.push(Told { seq, event: event.clone(), is_answered });
    }

    pub(crate) fn ready(&mut self) {
        assert!(self.is_busy, "one command, done twice");
        self.is_busy = false;
        self.release();
    }

    pub(crate) fn hang_up(&mut self, departure: Departure) {
        assert!(self.is_here(), "hung up on twice");
        self.presence = Presence::Gone(departure);
    }

    pub(crate) fn closing(&mut self) {
        self.told_before_closing = Some(self.told.len());
    }

    /// The broker says that all that it has accepted is done.
    pub(crate) fn assert_done(&self) {
        assert!(!self.is_busy && self.steps.iter().all(is_end), "a credit before {:?}", self.steps);
    }

    /// The replies that the broker may have given by now.
    fn release(&mut self) {
        let mut dialect = None;
        while !self.is_busy
            && let Some(step) =
                self.steps.pop_front_if(|step| matches!(step, Step::Speak(_) | Step::Reply(_) | Step::Check(_)))
        {
            let reply = match step {
                Step::Reply(reply) => {
                    if let Reply::Refused(error) = reply {
                        self.refused.get_or_insert(error.code());
                    }
                    reply
                }
                Step::Check(token) => {
                    let refused = self.refused.take();
                    if refused.is_some() {
                        self.steps = [Step::Close(Departure::CheckFailed)].into();
                    }
                    Reply::Checked { token, refused }
                }
                Step::Speak(next) => {
                    if next.ending == LineEnding::CrLf && self.cr_lf.is_none() {
                        self.cr_lf = Some(CrLf { from: self.told.len(), until: None, answers: self.answers.len() });
                    }
                    dialect = Some(next);
                    continue;
                }
                Step::Arrive | Step::Visit | Step::Command(_) | Step::Broken | Step::Eof | Step::Close(_) => {
                    unreachable!()
                }
            };
            let (dialect, from) = (dialect.take(), self.told.len());
            self.answers.push(Answer { reply, dialect, from, until: None });
        }
    }

    /// Checks all that the client has read, and answers what was public in it.
    pub(crate) fn check(&self, received: &[u8], excuse: Excuse, syncs: bool) -> Vec<Heard> {
        let end = received.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        assert!(end == received.len() || excuse.end_is_missing, "half a line: {:?}", &received[end..]);
        let text = str::from_utf8(&received[..end]).expect("UTF-8");
        let (is_cr_lf, lines): (Vec<_>, Vec<_>) = text
            .split_terminator('\n')
            .map(|line| line.strip_suffix('\r').map_or((false, line), |line| (true, line)))
            .unzip();
        assert!(is_cr_lf.is_sorted(), "a line ends in LF behind one that ends in CR LF: {text:?}");
        let mut reading = Reading::new(self, &lines, &is_cr_lf);
        while reading.next() {}
        reading.check_sequence(syncs);
        if reading.lines.is_empty() && (excuse.end_is_missing || reading.is_complete()) {
            return reading.story();
        }
        assert!(excuse.has_gap, "{}", reading.mismatch());
        if !excuse.end_is_missing {
            let last = self.told.last().expect("at least its farewell");
            let is_farewell = matches!(last.event, Event::Farewell(_));
            assert!(is_farewell && last.is_read_in_any(&lines[lines.len() - 1..]), "cut off without a word: {lines:?}");
        }
        let story = reading.story();
        reading.check_behind_gap();
        story
    }
}

/// A reader's place in its lines, and in what it was told.
struct Reading<'a> {
    account: &'a Account,
    lines: &'a [&'a str],
    /// Of all lines, whether they end in CR LF.
    is_cr_lf: &'a [bool],
    dialect: Dialect,
    told: usize,
    answers: usize,
}

impl<'a> Reading<'a> {
    fn new(account: &'a Account, lines: &'a [&'a str], is_cr_lf: &'a [bool]) -> Self {
        Self { account, lines, is_cr_lf, dialect: Dialect::default(), told: 0, answers: 0 }
    }

    /// So many lines are read, which say the next event or answer: they end as they must.
    fn has_read(&mut self, lines: usize, must_be_cr_lf: Option<bool>) {
        let place = self.is_cr_lf.len() - self.lines.len();
        for is_cr_lf in &self.is_cr_lf[place..place + lines] {
            assert!(must_be_cr_lf.is_none_or(|must| must == *is_cr_lf), "the wrong ending: {}", self.mismatch());
        }
        self.lines = &self.lines[lines..];
    }

    /// Whether the next event ends in CR LF, where that is known.
    fn event_is_cr_lf(&self) -> Option<bool> {
        let Some(CrLf { from, until, .. }) = self.account.cr_lf else { return Some(false) };
        match until {
            _ if self.told < from => Some(false),
            Some(until) if self.told >= until => Some(true),
            Some(_) | None => None,
        }
    }

    fn answer_is_cr_lf(&self) -> bool {
        self.account.cr_lf.is_some_and(|cr_lf| self.answers >= cr_lf.answers)
    }

    /// Reads the next thing that was told, if it is what the lines say.
    fn next(&mut self) -> bool {
        let answer = self.account.answers.get(self.answers).filter(|answer| answer.from <= self.told);
        if let Some(answer) = answer {
            let dialect = answer.dialect.unwrap_or(self.dialect);
            if let Some(read) = answer.read(self.lines, dialect) {
                let is_whole = read == answer.lines(dialect);
                self.has_read(read, Some(self.answer_is_cr_lf()));
                self.dialect = dialect;
                self.answers += usize::from(is_whole);
                return is_whole;
            }
            if answer.until == Some(self.told) {
                return false; // it has to come now
            }
        }
        let Some(told) = self.account.told.get(self.told) else { return false };
        let Some(read) = told.read(self.lines, self.dialect) else { return false };
        self.has_read(read, self.event_is_cr_lf());
        self.told += 1;
        true
    }

    fn is_complete(&self) -> bool {
        let answers = &self.account.answers[self.answers..];
        self.told == self.account.told.len() && answers.iter().all(|answer| answer.until.is_none())
    }

    fn mismatch(&self) -> String {
        let Self { account, lines, dialect, told, answers, .. } = self;
        format!(
            "in {dialect:?}, not as told\nread: {:?}\ntold: {:?}\nanswered: {:?}",
            lines.iter().take(2).collect::<Vec<_>>(),
            account.told[*told..].iter().take(2).collect::<Vec<_>>(),
            account.answers[*answers..].iter().take(2).collect::<Vec<_>>(),
        )
    }

    /// What was read so far that was public.
    fn story(&self) -> Vec<Heard> {
        let told = &self.account.told[..self.told];
        told.iter().filter(|told| told.seq.is_some()).map(|told| Heard::of(&told.event)).collect()
    }

    /// Public events are numbered without gaps, and a sync is answered behind all that was said before it.
    fn check_sequence(&self, syncs: bool) {
        let (mut last, mut said) = (None, 0);
        let told = &self.account.told[..self.told];
        let own = told.first().map(|told| Heard::of(&told.event));
        for (place, Told { seq, event, .. }) in told.iter().enumerate() {
            if let Some(seq) = *seq {
                assert!(last.is_none_or(|last| last + 1 == seq), "{seq} behind {last:?}");
                last = Some(seq);
            }
            if let (Some(Heard::Online { addr: own, .. }), Heard::Message { addr, .. }) = (&own, &Heard::of(event)) {
                said += usize::from(own == addr);
            }
            let is_before = |told: Option<usize>| told.is_none_or(|told| place < told);
            let hears_itself =
                is_before(self.account.told_before_closing) && is_before(self.account.told_while_present);
            if let (Event::Synced(token), true) = (event, syncs && hears_itself) {
                assert_eq!(*token, said.to_string(), "synced before all was said");
            }
        }
    }

    /// The rest is in order, but some of it is missing.
    fn check_behind_gap(&mut self) {
        while let Some(line) = self.lines.first() {
            let mut told = self.account.told[self.told..].iter();
            let mut answers = self.account.answers[self.answers..].iter();
            let mut read = 1;
            if let Some(skipped) = told.position(|told| told.is_read_in_any(&self.lines[..1])) {
                self.told += skipped + 1;
            } else if let Some(skipped) = answers.position(|answer| {
                let found = Dialect::ALL.iter().find_map(|&dialect| answer.read(self.lines, dialect));
                read = found.unwrap_or(read);
                found.is_some()
            }) {
                self.answers += skipped + 1;
            } else {
                panic!("{line:?} was not told");
            }
            self.lines = &self.lines[read..];
        }
    }
}

impl Told {
    /// How many of the first lines say this in this dialect.
    fn read(&self, lines: &[&str], dialect: Dialect) -> Option<usize> {
        if self.is_answered && dialect.format == Format::Text {
            return Some(0);
        }
        if let Some(words) = words::of_event(&self.event, dialect.lang) {
            return read_words(&words, lines, dialect);
        }
        let line = lines.first()?;
        let is_json = dialect.format == Format::Json;
        let is_it = line.starts_with('{') == is_json
            && read(line, dialect) == Heard::of(&self.event)
            && (!is_json || read_object(line).seq == self.seq);
        is_it.then_some(1)
    }

    fn is_read_in_any(&self, line: &[&str]) -> bool {
        Dialect::ALL.iter().any(|&dialect| self.read(line, dialect) == Some(1))
    }
}

impl Answer {
    /// How many lines it has in this dialect.
    fn lines(&self, dialect: Dialect) -> usize {
        match (&self.reply, dialect.format) {
            (Reply::Help(_), Format::Text) => Verb::ALL.len() + HELP_LIMITS,
            (Reply::Help(_), Format::Json) | (Reply::Refused(_) | Reply::Set(_) | Reply::Checked { .. }, _) => 1,
        }
    }

    /// How many of the first lines say this in this dialect. Less than all where some are missing.
    fn read(&self, lines: &[&str], dialect: Dialect) -> Option<usize> {
        if let Some(words) = words::of_reply(&self.reply, dialect.lang) {
            return read_words(&words, lines, dialect);
        }
        let line = lines.first()?;
        if dialect.format == Format::Json {
            return (line.starts_with('{') && read_object(line).event == "help").then_some(1);
        }
        let verbs = Verb::ALL.map(|verb| format!("{} - ", form(verb)));
        let has_begun = |place: usize, line: &str| match verbs.get(place) {
            Some(verb) => line.starts_with(verb),
            None => line.contains(": "),
        };
        let lines = lines[..self.lines(dialect).min(lines.len())].iter().enumerate();
        Some(lines.take_while(|&(place, line)| has_begun(place, line)).count()).filter(|&read| read > 0)
    }
}

fn is_end(step: &Step) -> bool {
    matches!(step, Step::Broken | Step::Eof | Step::Close(_))
}

fn read_words(words: &Words, lines: &[&str], dialect: Dialect) -> Option<usize> {
    match (dialect.format, &words.line) {
        (Format::Text, None) => Some(0),
        (Format::Text, Some(expected)) => (plain(lines.first()?) == *expected).then_some(1),
        (Format::Json, _) => {
            let object = lines.first().filter(|line| line.starts_with('{')).map(|line| read_object(line))?;
            let has_text = words.text.is_none() || object.text == words.text;
            (object.event == words.event && object.seq.is_none() && has_text).then_some(1)
        }
    }
}
