//! What one client was told and answered, and whether lines say that.

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::{
    chat::{Event, Position, Seq},
    protocol::{Dialect, Format, Reply, Verb},
};

use crate::{
    any_event::AnyEvent,
    object::read_object,
    reader::{Heard, dialects, plain, read},
    words::{self, Keys, Words, form},
};

/// Limits that `help` tells, a line each.
const HELP_LIMITS: usize = 13;

#[derive(Debug)]
pub(super) struct Told {
    /// Of what is public.
    pub(super) place: Option<Place>,
    pub(super) event: AnyEvent,
    /// The client has an answer of its own, and is told this only where events are counted.
    pub(super) is_answered: bool,
}

/// Where something public has happened.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) room: Arc<str>,
    pub(super) seq: Seq,
    /// If it is kept.
    pub(super) position: Option<Position>,
    pub(super) at: Timestamp,
    /// The client's stay in that room.
    pub(super) stay: usize,
}

/// A reply stands somewhere among the events: the broker does not tell where, apart from what must be before and behind.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// The dialect from here on, where that changes.
    pub(super) dialect: Option<Dialect>,
    /// It comes behind so many events.
    pub(super) from: usize,
    /// And not behind more than these. Unknown where the client has left before anything told of it.
    pub(super) until: Option<usize>,
}

impl Told {
    /// How many of the first lines say this in this dialect.
    pub(super) fn read(&self, lines: &[&str], dialect: Dialect) -> Option<usize> {
        if self.is_answered && dialect.format == Format::Text {
            return Some(0);
        }
        if let AnyEvent::Alone(event) = &self.event
            && let Some(words) = words::of_event(event, dialect.lang)
        {
            return read_words(&words, lines, dialect);
        }
        let line = lines.first()?;
        let is_json = dialect.format == Format::Json;
        let room = self.place.as_ref().map(|place| &*place.room);
        let is_it = line.starts_with('{') == is_json
            && read(line, dialect) == Heard::in_room(room, &self.event)
            && (!is_json || {
                let object = read_object(line);
                match (&self.place, &self.event) {
                    (Some(Place { seq, position, at, .. }), _) => {
                        let pos = position.map(|position| position.to_string());
                        object.seq == Some(*seq)
                            && object.room.as_deref() == room
                            && object.pos == pos
                            && object.at == *at
                    }
                    (None, AnyEvent::Alone(Event::Past(record, _))) => {
                        object.seq.is_none() && object.room.as_deref() == Some(&record.room)
                    }
                    (None, _) => object.seq.is_none() && object.room.is_none() && object.pos.is_none(),
                }
            });
        is_it.then_some(1)
    }

    pub(super) fn is_read_in_any(&self, line: &[&str]) -> bool {
        dialects().any(|dialect| self.read(line, dialect) == Some(1))
    }
}

impl Answer {
    /// How many lines it has in this dialect.
    pub(super) fn lines(&self, dialect: Dialect) -> usize {
        match (&self.reply, dialect.format) {
            (Reply::Help(_), Format::Text) => Verb::ALL.len() + HELP_LIMITS,
            (Reply::Alive, _) => 0,
            (Reply::Help(_), Format::Json) | (Reply::Refused(_) | Reply::Set(_) | Reply::Checked { .. }, _) => 1,
        }
    }

    /// How many of the first lines say this in this dialect. Less than all where some are missing.
    pub(super) fn read(&self, lines: &[&str], dialect: Dialect) -> Option<usize> {
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

fn read_words(words: &Words, lines: &[&str], dialect: Dialect) -> Option<usize> {
    match (dialect.format, &words.line) {
        (Format::Text, None) => Some(0),
        (Format::Text, Some(expected)) => (plain(lines.first()?) == *expected).then_some(1),
        (Format::Json, _) => {
            let object = lines.first().filter(|line| line.starts_with('{')).map(|line| read_object(line))?;
            let has_text = words.text.is_none() || object.text == words.text;
            let is_it = object.event == words.event && object.seq.is_none() && !object.is_replay && has_text;
            let keys = Keys {
                verb: object.verb,
                room: object.room,
                count: object.count,
                code: object.code,
                text: object.text,
                pos: object.pos,
            };
            (is_it && words.keys.as_ref().is_none_or(|expected| *expected == keys)).then_some(1)
        }
    }
}
