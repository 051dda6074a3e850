//! What the chat asks of a store, and what it does with the answers. The store here is a list, from which the first ones may
//! have been removed.

use super::{super::*, origin};
use crate::protocol::{Line, parse};

const ANN: ClientId = ClientId(1);
const BOB: ClientId = ClientId(2);

/// A chat with a store, in which Ann and Bob are.
struct Stage {
    chat: Chat,
    /// All that was kept.
    kept: Vec<Record>,
    /// Of these, the store has removed all up to this number.
    gone: u64,
    /// What the chat asked for Ann, and was not answered.
    asked: Option<Query>,
    remembered: Vec<String>,
    forgotten: Vec<Arc<str>>,
    /// What Ann was told.
    told: Vec<String>,
    /// Ann is told what happens in the lobby.
    is_listening: bool,
}

impl Stage {
    fn new(per_room_max: usize) -> Self {
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

    fn at(n: usize) -> Timestamp {
        Timestamp::from_second(n.try_into().expect("few")).expect("in our time")
    }

    fn input(&mut self, input: Input) {
        let (mut out, at) = (Vec::new(), Self::at(self.kept.len() + 1));
        self.chat.handle(Entry { now: Duration::ZERO, at, input }, &mut out);
        for output in out {
            match output {
                Output::Publish(public) => {
                    if self.is_listening && public.room == RoomId::LOBBY {
                        self.told.push(format!("live {}", public.position.map_or(0, |position| position.n)));
                    }
                    if let Some(Position { n, .. }) = public.position {
                        self.kept.push(Record { n, at, room: public.name, event: public.event });
                    }
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
                Output::Ready(_) | Output::HangUp(..) => {}
            }
        }
    }

    fn line(&mut self, client: ClientId, line: &str) {
        match parse(line.as_bytes()) {
            Ok(Line::Command(command)) => self.input(Input::Command(client, Load::Light, command)),
            other => panic!("{line:?} is no command: {other:?}"),
        }
    }

    fn say(&mut self, lines: usize) {
        (0..lines).for_each(|_| self.line(BOB, "x"));
    }

    /// Answers the chat, as a store does.
    fn answer(&mut self) {
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
    fn finish(&mut self) -> Vec<String> {
        while self.asked.is_some() || self.chat.deadline().is_some() {
            if self.asked.is_some() {
                self.answer();
            }
            self.input(Input::Continue);
        }
        std::mem::take(&mut self.told)
    }
}

/// `1`, `2` … as Ann is told of them again.
fn numbers(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn what_memory_has_given_up_is_asked_of_the_store() {
    for (start, first) in [("since|0", 1), ("since|595", 596), ("since|600", 601), ("since|590", 591), ("600", 1)] {
        let mut stage = Stage::new(5);
        stage.say(600);
        stage.told.clear();
        stage.line(ANN, &format!("history|lobby|{start}"));
        assert_eq!(stage.asked.is_some(), first <= 595, "{start}");
        let expected = [numbers(first..=600), vec![format!("{} until 600", 601 - first)]].concat();
        assert_eq!(stage.finish(), expected, "{start}");
    }
}

#[test]
fn a_time_is_looked_up_in_the_store_too() {
    let mut stage = Stage::new(2);
    stage.say(9);
    stage.told.clear();
    stage.line(ANN, "history|lobby|since|1970-01-01T00:00:07Z"); // the seventh was said then
    assert_eq!(stage.finish(), ["7", "8", "9", "3 until 9"]);
    stage.line(ANN, "history|lobby|since|4s"); // it is the tenth second
    assert_eq!(stage.finish(), ["6", "7", "8", "9", "4 until 9"]);
    stage.gone = 7;
    stage.line(ANN, "history|lobby|since|4s");
    assert_eq!(stage.finish(), ["gone, oldest 7"]);
    stage.line(ANN, "history|lobby|since|1970-01-01T00:00:08Z");
    assert_eq!(stage.finish(), ["8", "9", "2 until 9"]);
}

#[test]
fn what_the_store_has_given_up_is_gone() {
    let mut stage = Stage::new(2);
    stage.say(600);
    stage.gone = 300;
    for (line, told) in [
        ("history|lobby|since|299", vec!["gone, oldest 300"]),
        ("history|lobby|since|595.zzzzz", vec!["gone, oldest 300"]),
        ("history|lobby|since|1.unknown", vec!["gone, oldest 300"]),
        ("history|lobby|since|598", vec!["599", "600", "2 until 600"]),
        ("join|lobby|since|5", vec!["gone, oldest 300"]),
    ] {
        stage.told.clear();
        stage.line(ANN, line);
        assert_eq!(stage.finish(), told, "{line}");
    }
    stage.say(1);
    assert_eq!(stage.finish(), ["live 601"], "she hears what happens again");
    stage.line(ANN, "history|lobby|1000");
    assert_eq!(stage.finish().len(), 302);
}

#[test]
fn what_happens_while_the_store_is_asked_is_told_once_and_in_order() {
    for (per_room_max, rounds) in [(1, 9), (3, 5), (100, 3), (1000, 1)] {
        let mut stage = Stage::new(per_room_max);
        stage.say(700);
        stage.told.clear();
        stage.line(ANN, "join|lobby|since|0");
        for _ in 0..rounds {
            stage.say(7);
            if stage.asked.is_some() {
                stage.answer();
            }
            stage.say(3);
            stage.input(Input::Continue);
        }
        let mut told = stage.finish();
        stage.say(2);
        told.extend(stage.finish());
        let live = told.iter().position(|told| told == "in").expect("she has joined");
        let past = told[..live - 1].to_vec();
        assert_eq!(past, numbers(1..=past.len() as u64), "{per_room_max}");
        assert!(past.len() >= 700 + 10 * rounds.min(2), "{per_room_max}");
        let next = past.len() + 1;
        assert_eq!(told[live + 1..], [format!("live {next}"), format!("live {}", next + 1)]);
    }
}

#[test]
fn a_client_that_has_left_is_not_told_what_it_asked() {
    let mut stage = Stage::new(1);
    stage.say(9);
    stage.line(ANN, "history|lobby|9");
    stage.told.clear();
    stage.input(Input::End(ANN, Departure::Lost));
    stage.answer();
    assert!(stage.told.iter().all(|told| told.starts_with("live")), "{:?}", stage.told);
    assert!(stage.chat.questions.is_empty() && stage.chat.deadline().is_none());
}

#[test]
fn one_who_has_sent_all_waits_for_the_store() {
    let mut stage = Stage::new(1);
    stage.say(9);
    stage.told.clear();
    stage.line(ANN, "history|lobby|9");
    stage.input(Input::Eof(ANN));
    assert!(stage.chat.members.get(ANN).is_some());
    assert_eq!(stage.finish().len(), 10);
    assert!(stage.chat.members.get(ANN).is_none());
}

#[test]
fn a_store_that_cannot_be_read_is_no_reason_to_hang() {
    let mut stage = Stage::new(1);
    stage.say(9);
    for line in ["history|lobby|9", "join|lobby|since|0", "history|lobby|since|5m"] {
        stage.told.clear();
        stage.line(ANN, line);
        stage.asked.take().expect("a question");
        stage.input(Input::Answered(ANN, None));
        assert_eq!(stage.finish(), ["store-failed"], "{line}");
    }
    stage.say(1);
    assert_eq!(stage.finish(), ["live 10"]);
}

#[test]
fn nothing_is_said_that_cannot_be_kept() {
    let mut stage = Stage::new(9);
    stage.line(ANN, "join|a");
    stage.input(Input::StoreDown);
    let said = stage.kept.len();
    for line in ["hi", "in|lobby|hi", "in|new|hi", "topic|a|red"] {
        stage.told.clear();
        stage.line(ANN, line);
        assert_eq!(stage.finish(), ["not-stored"], "{line}");
    }
    assert_eq!(stage.kept.len(), said);
    stage.line(ANN, "topic|a");
    stage.line(BOB, "join|a");
    assert_eq!(stage.kept.len(), said + 1, "who comes and goes is told, and kept later");
    stage.input(Input::StoreUp);
    stage.line(ANN, "hi");
    assert_eq!(stage.kept.len(), said + 2);
}

#[test]
fn what_is_known_of_a_room_is_kept_and_forgotten() {
    let mut stage = Stage::new(9);
    for line in ["join|a", "topic|a|red", "in|b|x", "topic|b|", "join|a", "in|lobby|x"] {
        stage.line(ANN, line);
    }
    assert_eq!(stage.remembered, ["a  10.0.0.1", "a red 10.0.0.1", "b  10.0.0.1", "b  10.0.0.1"]);
    (0..90).for_each(|n| stage.line(BOB, &format!("join|room-{n}")));
    assert!(stage.forgotten.is_empty());
    let mut small = Stage::new(9);
    small.chat = Chat::new(
        Rules { has_store: true, rooms: RoomLimits { rooms_max: 3, per_client_max: 9 }, ..Rules::default() },
        Epoch::from_random(0),
    );
    small.input(Input::Arrive(ANN, origin([10, 0, 0, 1], 1)));
    for line in ["in|a|x", "in|b|x", "in|a|y", "in|c|x"] {
        small.line(ANN, line);
    }
    assert_eq!(small.forgotten, ["b".into()]);
}

fn past(name: &str, last: u64) -> PastRoom {
    PastRoom { name: name.to_owned(), topic: None, keeper: Some("10.0.0.7".parse().unwrap()), last }
}

#[test]
fn a_chat_goes_on_where_its_store_has_left_off() {
    let rules = Rules { has_store: true, rooms: RoomLimits { rooms_max: 4, per_client_max: 2 }, ..Rules::default() };
    let mut stage = Stage::new(1);
    stage.chat = Chat::new(rules, Epoch::from_random(0));
    let mut out = Vec::new();
    let rooms = [
        past("eldest", 1),
        past("a", 3),
        past("empty", 0),
        past("x y", 4),
        past("lobby", 30),
        PastRoom { keeper: None, topic: Some("red".into()), ..past("B", 40) },
        past("c", 41),
    ];
    stage.chat.restore(100, 0, &rooms, &mut out);
    let forget = |name: &str| Output::Forget(name.into());
    assert_eq!(out, ["eldest", "a", "empty", "x y"].map(forget), "too many, the eldest first; and what is no name");
    stage.chat.rooms.assert_mirrors();
    stage.input(Input::Arrive(ANN, origin([10, 0, 0, 1], 1)));
    stage.told.clear();
    stage.line(ANN, "in|lobby|hi");
    assert_eq!(stage.finish(), ["live 100"], "numbers go on");
    stage.line(ANN, "history|B");
    assert!(matches!(stage.asked, Some(Query::SeekLast { .. })), "its events are in the store");
}
