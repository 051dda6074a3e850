//! What a client has read, held against what it was told, line by line.

use std::collections::BTreeMap;

use pipechat::{
    chat::{Event, Refusal},
    protocol::Dialect,
};

use super::{
    Account, CrLf,
    told::{Place, Told},
};
use crate::{
    any_event::AnyEvent,
    generator::IN,
    reader::{Heard, dialects},
};

/// A reader's place in its lines, and in what it was told.
pub(super) struct Reading<'a> {
    account: &'a Account,
    pub(super) lines: &'a [&'a str],
    /// Of all lines, whether they end in CR LF.
    is_cr_lf: &'a [bool],
    dialect: Dialect,
    told: usize,
    answers: usize,
}

impl<'a> Reading<'a> {
    pub(super) fn new(account: &'a Account, lines: &'a [&'a str], is_cr_lf: &'a [bool]) -> Self {
        Self { account, lines, is_cr_lf, dialect: Dialect::default(), told: 0, answers: 0 }
    }

    /// So many lines are read, which say the next event or answer, if they end as they must. (Behind a gap, the same words
    /// may be another answer.)
    fn has_read(&mut self, lines: usize, must_be_cr_lf: Option<bool>) -> bool {
        let place = self.is_cr_lf.len() - self.lines.len();
        let of_lines = &self.is_cr_lf[place..place + lines];
        if of_lines.iter().any(|is_cr_lf| must_be_cr_lf.is_some_and(|must| must != *is_cr_lf)) {
            return false;
        }
        self.lines = &self.lines[lines..];
        true
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
    pub(super) fn next(&mut self) -> bool {
        let answer = self.account.answers.get(self.answers).filter(|answer| answer.from <= self.told);
        if let Some(answer) = answer {
            let dialect = answer.dialect.unwrap_or(self.dialect);
            if let Some(read) = answer.read(self.lines, dialect) {
                let is_whole = read == answer.lines(dialect);
                if !self.has_read(read, Some(self.answer_is_cr_lf())) {
                    return false;
                }
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
        if !self.has_read(read, self.event_is_cr_lf()) {
            return false;
        }
        self.told += 1;
        true
    }

    pub(super) fn is_complete(&self) -> bool {
        let answers = &self.account.answers[self.answers..];
        self.told == self.account.told.len() && answers.iter().all(|answer| answer.until.is_none())
    }

    pub(super) fn mismatch(&self) -> String {
        let Self { account, lines, dialect, told, answers, is_cr_lf } = self;
        let ending = if is_cr_lf[is_cr_lf.len() - lines.len()..].first() == Some(&true) { "CR LF" } else { "LF" };
        format!(
            "in {dialect:?}, with {ending}, not as told\nread: {:?}\ntold: {:?}\nanswered: {:?}",
            lines.iter().take(2).collect::<Vec<_>>(),
            account.told[*told..].iter().take(2).collect::<Vec<_>>(),
            account.answers[*answers..].iter().take(2).collect::<Vec<_>>(),
        )
    }

    /// What was read so far of what has happened in the lobby.
    pub(super) fn story(&self) -> Vec<Heard> {
        let told = &self.account.told[..self.told];
        let is_in_lobby = |told: &&Told| told.place.as_ref().is_some_and(|place| &*place.room == "lobby");
        told.iter().filter(is_in_lobby).map(|told| Heard::of(&told.event)).collect()
    }

    /// Public events are numbered without gaps during each stay in a room, and a sync is answered behind all that was said before it.
    pub(super) fn check_sequence(&self, syncs: bool) {
        let (mut lasts, mut said) = (BTreeMap::new(), 0);
        let told = &self.account.told[..self.told];
        let own = told.first().map(|told| Heard::of(&told.event));
        for (n, Told { place, event, .. }) in told.iter().enumerate() {
            if let Some(Place { seq, stay, room, .. }) = place {
                let last = lasts.insert(*stay, *seq);
                assert!(last.is_none_or(|last| last + 1 == *seq), "{seq} behind {last:?} in {room}");
            }
            match (&own, &Heard::of(event)) {
                // What is said by `in` has an answer of its own.
                (Some(Heard::Online { addr: own, .. }), Heard::Message { addr, text, .. }) if own == addr => {
                    said += usize::from(!text.starts_with(IN));
                }
                (Some(Heard::Online { .. }), _) if is_unsaid(event) => said += 1,
                _ => {}
            }
            let is_before = |told: Option<usize>| told.is_none_or(|told| n < told);
            let hears_itself =
                is_before(self.account.told_before_closing) && is_before(self.account.told_while_present);
            if let (AnyEvent::Alone(Event::Synced(token)), true) = (event, syncs && hears_itself) {
                assert_eq!(*token, said.to_string(), "synced before all was said");
            }
        }
    }

    /// The rest is in order, but some of it is missing.
    pub(super) fn check_behind_gap(&mut self) {
        while let Some(line) = self.lines.first() {
            let mut told = self.account.told[self.told..].iter();
            let mut answers = self.account.answers[self.answers..].iter();
            let mut read = 1;
            if let Some(skipped) = told.position(|told| told.is_read_in_any(&self.lines[..1])) {
                self.told += skipped + 1;
            } else if let Some(skipped) = answers.position(|answer| {
                let found = dialects().find_map(|dialect| answer.read(self.lines, dialect));
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

/// A plain line was refused.
fn is_unsaid(event: &AnyEvent) -> bool {
    matches!(event, AnyEvent::Alone(Event::Refused(Refusal::NotInRoom | Refusal::NotStored)))
}
