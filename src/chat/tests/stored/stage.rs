//! A chat with a store, which is a list here, from which the first ones may have been removed.

use std::{collections::BTreeSet, slice};

use super::super::{super::*, origin};
use crate::protocol::{Line, parse};

pub(super) const ANN: ClientId = ClientId(1);
pub(super) const BOB: ClientId = ClientId(2);

/// A chat with a store, in which Ann and Bob are.
pub(super) struct Stage {
    pub(super) chat: Chat,
    /// All that was kept.
    pub(super) kept: Vec<Record>,
    /// Of these, the store has removed all up to this number.
    pub(super) gone: u64,
    /// How many events are in a page.
    pub(super) page_max: usize,
    /// What the chat asked for Ann, and was not answered.
    pub(super) asked: Option<Query>,
    pub(super) remembered: Vec<String>,
    pub(super) forgotten: Vec<Arc<str>>,
    /// What Ann was told.
    pub(super) told: Vec<String>,
    /// Ann is told what happens in these rooms.
    pub(super) listening: BTreeSet<RoomId>,
}

impl Stage {
    pub(super) fn new(per_room_max: usize) -> Self {
        let recent = RecentLimits { per_room_max, ..RecentLimits::default() };
        Self::by(Rules { has_store: true, recent, ..Rules::default() })
    }

    pub(super) fn by(rules: Rules) -> Self {
        let mut stage = Self {
            chat: Chat::new(rules, Epoch::from_random(0)),
            kept: Vec::new(),
            gone: 0,
            page_max: 1000,
            asked: None,
            remembered: Vec::new(),
            forgotten: Vec::new(),
            told: Vec::new(),
            listening: BTreeSet::new(),
        };
        stage.arrive(ANN);
        stage.arrive(BOB);
        stage.told.clear();
        stage
    }

    pub(super) fn arrive(&mut self, client: ClientId) {
        let port = u16::try_from(client.0).expect("few");
        self.input(Input::Arrive(client, origin([10, 0, 0, 1], port)));
    }

    pub(super) fn at(n: usize) -> Timestamp {
        Timestamp::from_second(n.try_into().expect("few")).expect("in our time")
    }

    pub(super) fn input(&mut self, input: Input) {
        let (mut out, at) = (Vec::new(), Self::at(self.kept.len() + 1));
        self.chat.handle(Entry { now: Duration::ZERO, at, input }, &mut out);
        for output in out {
            match output {
                Output::Publish(public) => {
                    if self.listening.contains(&public.room) {
                        self.told.push(format!("live {}", public.position.map_or(0, |position| position.n)));
                    }
                    if let Some(Position { n, .. }) = public.position {
                        self.kept.push(Record { n, at, room: public.name, event: public.event.into() });
                    }
                }
                Output::Keep(record) => {
                    self.told.push(format!("kept {}", record.n));
                    self.kept.push(record);
                }
                Output::Ask(ANN, query) => assert!(self.asked.replace(query).is_none(), "one at a time"),
                Output::Tell(ANN, Event::Past(record, _)) => self.told.push(record.n.to_string()),
                Output::Tell(ANN, Event::Done(Done::History { count, position, has_more, .. })) => {
                    let n = position.map_or(0, |position| position.n);
                    self.told.push(format!("{count} until {n}{}", if has_more { ", more" } else { "" }));
                }
                Output::Tell(ANN, Event::Done(Done::Join { .. })) => self.told.push("in".to_owned()),
                Output::Tell(ANN, Event::Declined(_, Refusal::HistoryGone { oldest, .. })) => {
                    self.told.push(format!("gone, oldest {}", oldest.map_or(0, |oldest| oldest.n)));
                }
                Output::Tell(ANN, Event::Declined(_, refusal) | Event::Refused(refusal)) => {
                    self.told.push(refusal.code().to_owned());
                }
                Output::Join(ANN, room) => drop(self.listening.insert(room)),
                Output::Part(ANN, room) => drop(self.listening.remove(&room)),
                Output::Remember { room, topic, keeper } => {
                    let keeper = keeper.map_or(String::new(), |keeper| keeper.to_string());
                    self.remembered.push(format!("{room} {} {keeper}", topic.unwrap_or_default()));
                }
                Output::Forget(room) => self.forgotten.push(room),
                Output::Tell(..) | Output::Join(..) | Output::Part(..) | Output::Ask(..) => {}
                Output::HangUp(ANN, _) => self.listening.clear(),
                Output::Ready(_)
                | Output::HangUp(..)
                | Output::Account(_)
                | Output::Order(_)
                | Output::ShutDown
                | Output::Verify(..) => {}
            }
        }
    }

    pub(super) fn line(&mut self, client: ClientId, line: &str) {
        match parse(line.as_bytes()) {
            Ok(Line::Command(command)) => self.command(client, command),
            other => panic!("{line:?} is no command: {other:?}"),
        }
    }

    pub(super) fn command(&mut self, client: ClientId, command: Command) {
        self.input(Input::Command(client, Load::Light, command));
    }

    /// How many events of the lobby are in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.chat.recent.after([(RoomId::LOBBY, 0)].into_iter()).count()
    }

    pub(super) fn say(&mut self, lines: usize) {
        (0..lines).for_each(|_| self.line(BOB, "x"));
    }

    /// Answers the chat, as a store does.
    pub(super) fn answer(&mut self) {
        let query = self.asked.take().expect("a question");
        let answer = self.store_answer(&query);
        self.input(Input::Answered(ANN, Some(answer)));
    }

    fn store_answer(&self, query: &Query) -> Answer {
        let gone =
            self.kept.iter().rev().find(|record| record.n <= self.gone).map(|last| Gone { n: last.n, at: last.at });
        // What is kept of some rooms, and behind which event it is that all but the first ones are.
        let of = |rooms: &[Arc<str>], kinds: Kinds| {
            let is_of = |record: &&Record| {
                record.n > self.gone && rooms.contains(&record.room) && (kinds == Kinds::All || is_message(record))
            };
            self.kept.iter().filter(is_of).cloned().collect::<Vec<_>>()
        };
        let before = |records: &[Record], first: usize| match first {
            0 => self.gone,
            first => records[first - 1].n,
        };
        let in_each = |rooms: &[Arc<str>], first: &dyn Fn(&Record) -> bool| {
            let find = |room| {
                let records = of(slice::from_ref(room), Kinds::All);
                before(&records, records.iter().position(first).unwrap_or(records.len()))
            };
            Answer::Behind { n: rooms.iter().map(find).collect(), gone: vec![gone; rooms.len()] }
        };
        match query {
            Query::Page { rooms, until, kinds, limit } => {
                let limit = (*limit).min(self.page_max);
                let after = |record: &Record| rooms.iter().find(|(name, _)| *name == record.room).map(|(_, n)| *n);
                let names: Vec<_> = rooms.iter().map(|(name, _)| Arc::clone(name)).collect();
                let mut records = of(&names, *kinds);
                records.retain(|kept| Some(kept.n) > after(kept) && kept.n <= *until);
                let through = records.get(limit - 1).map_or(*until, |last| last.n);
                Answer::Page {
                    records: records.into_iter().take(limit).collect(),
                    through,
                    gone: vec![gone; rooms.len()],
                }
            }
            Query::SeekOldest { rooms } => in_each(rooms, &|_| true),
            Query::SeekSince { rooms, at } => in_each(rooms, &|record| record.at >= *at),
            Query::SeekLast { rooms, kinds, count, until } => {
                let mut records = of(rooms, *kinds);
                records.retain(|record| record.n <= *until);
                // It looks at a page at once.
                match records.len().checked_sub(self.page_max) {
                    Some(rest) if *count > self.page_max => {
                        Answer::Further { count: count - self.page_max, until: records[rest].n - 1 }
                    }
                    Some(_) | None => {
                        let n = before(&records, records.len().saturating_sub(*count));
                        Answer::Behind { n: vec![n; rooms.len()], gone: vec![gone; rooms.len()] }
                    }
                }
            }
        }
    }

    /// Goes on until nothing is left to do, and answers what Ann was told.
    pub(super) fn finish(&mut self) -> Vec<String> {
        while self.asked.is_some() || self.chat.deadline().is_some() {
            if self.asked.is_some() {
                self.answer();
            }
            self.input(Input::Continue);
        }
        std::mem::take(&mut self.told)
    }
}

pub(super) fn is_message(record: &Record) -> bool {
    matches!(&record.event, KeptEvent::Public(event) if matches!(**event, PublicEvent::Message { .. }))
}
