//! What one client is told, by the model's account, and whether that is what it has read.

mod entitled;
mod reading;
mod told;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use pipechat::{
    chat::{Command, Departure, Event, Input, Public, RoomId},
    protocol::{Envelope, Reply, Step},
};

use super::{any_event::AnyEvent, model::Past, reader::Heard};
use entitled::Entitled;
use reading::Reading;
use told::{Answer, Place, Told};

#[derive(Default)]
pub(crate) struct Account {
    /// Steps that the broker has accepted, and not done as far as is known.
    steps: VecDeque<Step>,
    /// The chat is at its last command, or at its arrival.
    pub(crate) is_busy: bool,
    presence: Presence,
    /// The rooms that it is in, each with the number of its stay among all its stays in rooms.
    rooms: BTreeMap<RoomId, usize>,
    stays: usize,
    /// Its last command was to join a room when it was told what has happened there.
    joins_later: bool,
    /// It was in that room before, and hears nothing of it meanwhile.
    pub(crate) deferred: Option<RoomId>,
    /// Up to which kept event of each room it was told all.
    entitled: Entitled,
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
    /// As many events were told when it began to visit, and did not hear itself any more.
    told_while_present: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Presence {
    #[default]
    Coming,
    Here,
    /// It is told nothing public but in rooms that it joins.
    Visiting,
    Gone(Departure),
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
            Input::Shrink(_)
            | Input::Answered(..)
            | Input::Verified(..)
            | Input::Accounts(_)
            | Input::Bans(_)
            | Input::Trusted(_)
            | Input::StoreDown
            | Input::StoreUp
            | Input::Continue
            | Input::ShutDown => panic!("{input:?} is of no client"),
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
            Step::Arrive => {
                self.presence = Presence::Here;
                self.is_busy = true;
            }
            Step::Visit => {
                self.is_busy = true;
                self.presence = Presence::Visiting;
                self.joins_later = false;
                self.told_while_present.get_or_insert(self.told.len());
            }
            Step::Command(command) => {
                assert!(!self.is_busy, "the one before is not done");
                self.entitled.asks(&command);
                self.joins_later = matches!(command, Command::Join { start: Some(_), .. });
                self.is_busy = true;
            }
            Step::Broken => self.entitled.breaks(),
            Step::Reply(_) | Step::Check(_) | Step::Speak(_) | Step::Request { .. } | Step::Eof | Step::Close(_) => {}
        }
        self.release();
    }

    /// It is told what happens in the room from now on.
    pub(crate) fn join(&mut self, room: RoomId, past: &[Past]) {
        self.entitled.join(room, past);
        self.deferred.take_if(|deferred| *deferred == room);
        assert!(self.is_here(), "one who is {:?} joins", self.presence);
        self.stays += 1;
        let before = self.rooms.insert(room, self.stays);
        assert_eq!(before, None, "it is there already");
    }

    /// And not any more.
    pub(crate) fn part(&mut self, room: RoomId) {
        assert!(self.rooms.remove(&room).is_some(), "it is not there");
        self.deferred = self.joins_later.then_some(room);
        self.entitled.part(room);
    }

    /// It is told this alone.
    pub(crate) fn tell(&mut self, event: &Event, past: &[Past]) {
        self.entitled.tell(event, past);
        assert!(self.is_here(), "{event:?} is told to one who is {:?}", self.presence);
        if let Event::Refused(refusal) | Event::Declined(_, refusal) = event {
            self.refused.get_or_insert(refusal.code());
        }
        self.told.push(Told { place: None, event: event.clone().into(), is_answered: false });
    }

    /// Something has happened in a room: it is told so if it is there. Answers whether it is.
    pub(crate) fn publish(&mut self, public: &Public, is_answered: bool, at: Timestamp, past: &[Past]) -> bool {
        let Some(&stay) = self.rooms.get(&public.room) else { return false };
        let Public { name, seq, position, .. } = public;
        let place = Place { room: Arc::clone(name), seq: *seq, position: *position, at, stay };
        if let Some(position) = position {
            self.entitled.publish(public.room, position.n, past);
        }
        self.told.push(Told { place: Some(place), event: (*public.event).clone().into(), is_answered });
        true
    }

    pub(crate) fn ready(&mut self) {
        assert!(self.is_busy, "one command, done twice");
        self.is_busy = false;
        self.release();
    }

    pub(crate) fn hang_up(&mut self, departure: Departure) {
        assert!(self.is_here(), "hung up on twice");
        self.presence = Presence::Gone(departure);
        self.rooms.clear();
        self.deferred = None;
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
                    if next.envelope == Envelope::CrLf && self.cr_lf.is_none() {
                        self.cr_lf = Some(CrLf { from: self.told.len(), until: None, answers: self.answers.len() });
                    }
                    dialect = Some(next);
                    continue;
                }
                Step::Arrive
                | Step::Visit
                | Step::Command(_)
                | Step::Request { .. }
                | Step::Broken
                | Step::Eof
                | Step::Close(_) => {
                    unreachable!()
                }
            };
            let (dialect, from) = (dialect.take(), self.told.len());
            self.answers.push(Answer { reply, dialect, from, until: None });
        }
    }

    /// Checks all that the client has read, and answers what has happened in the lobby of it.
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
            let is_farewell = matches!(last.event, AnyEvent::Alone(Event::Farewell(_)));
            assert!(is_farewell && last.is_read_in_any(&lines[lines.len() - 1..]), "cut off without a word: {lines:?}");
        }
        let story = reading.story();
        reading.check_behind_gap();
        story
    }
}

fn is_end(step: &Step) -> bool {
    matches!(step, Step::Broken | Step::Eof | Step::Close(_))
}
