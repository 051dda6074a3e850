//! A chat with a store, which is a list here, from which the first ones may have been removed.

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
    /// What the chat asked for Ann, and was not answered.
    pub(super) asked: Option<Query>,
    pub(super) remembered: Vec<String>,
    pub(super) forgotten: Vec<Arc<str>>,
    /// What Ann was told.
    pub(super) told: Vec<String>,
    /// Ann is told what happens in the lobby.
    pub(super) is_listening: bool,
}

impl Stage {
    pub(super) fn new(per_room_max: usize) -> Self {
        let recent = RecentLimits { per_room_max, ..RecentLimits::default() };
        let rules = Rules { has_store: true, recent, ..Rules::default() };
        let mut stage = Self {
            chat: Chat::new(rules, Epoch::from_random(0)),
            kept: Vec::new(),
            gone: 0,
            asked: None,
            remembered: Vec::new(),
            forgotten: Vec::new(),
            told: Vec::new(),
            is_listening: false,
        };
        for client in [ANN, BOB] {
            let port = u16::try_from(client.0).expect("few");
            stage.input(Input::Arrive(client, origin([10, 0, 0, 1], port)));
        }
        stage.told.clear();
        stage
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
                    if self.is_listening && public.room == RoomId::LOBBY {
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
                Output::Join(ANN, RoomId::LOBBY) => self.is_listening = true,
                Output::Part(ANN, RoomId::LOBBY) => self.is_listening = false,
                Output::Remember { room, topic, keeper } => {
                    let keeper = keeper.map_or(String::new(), |keeper| keeper.to_string());
                    self.remembered.push(format!("{room} {} {keeper}", topic.unwrap_or_default()));
                }
                Output::Forget(room) => self.forgotten.push(room),
                Output::Tell(..) | Output::Join(..) | Output::Part(..) | Output::Ask(..) => {}
                Output::HangUp(ANN, _) => self.is_listening = false,
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
            Ok(Line::Command(command)) => self.input(Input::Command(client, Load::Light, command)),
            other => panic!("{line:?} is no command: {other:?}"),
        }
    }

    pub(super) fn say(&mut self, lines: usize) {
        (0..lines).for_each(|_| self.line(BOB, "x"));
    }

    /// Answers the chat, as a store does.
    pub(super) fn answer(&mut self) {
        let query = self.asked.take().expect("a question");
        let gone =
            self.kept.iter().rev().find(|record| record.n <= self.gone).map(|last| Gone { n: last.n, at: last.at });
        let of = |name: &Arc<str>| {
            let records = self.kept.iter().filter(|record| record.n > self.gone && record.room == *name);
            records.cloned().collect::<Vec<_>>()
        };
        let before = |records: &[Record], first: usize| match first {
            0 => self.gone,
            first => records[first - 1].n,
        };
        let answer = match query {
            Query::Page { room, after, until, limit } => {
                let records: Vec<_> = of(&room).into_iter().filter(|kept| kept.n > after && kept.n <= until).collect();
                let through = records.get(limit - 1).map_or(until, |last| last.n);
                Answer::Page { records: records.into_iter().take(limit).collect(), through, gone }
            }
            Query::SeekLast { room, count, until } => {
                let mut records = of(&room);
                records.retain(|record| record.n <= until);
                Answer::Behind { n: before(&records, records.len().saturating_sub(count)), gone }
            }
            Query::SeekSince { room, at } => {
                let records = of(&room);
                let first = records.iter().position(|record| record.at >= at).unwrap_or(records.len());
                Answer::Behind { n: before(&records, first), gone }
            }
        };
        self.input(Input::Answered(ANN, Some(answer)));
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
