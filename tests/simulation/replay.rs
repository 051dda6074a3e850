//! Replays that are long: they come in pieces, while others talk, and their clients read slowly, or leave. In the world there is
//! too little to be told for that.

use std::{collections::VecDeque, mem};

use common::Rng;
use pipechat::{
    Config,
    chat::{Command, Departure, RecentLimits, Start, Stretch},
    protocol::{Dialect, Lang, Step},
};

use super::stage::Stage;

const TALKER: u64 = 1;
const READERS: usize = 5;
const ROOM: &str = "ops";
/// Steps of one life.
const STEPS: usize = 100;

fn step(command: Command) -> Vec<Step> {
    vec![Step::Command(command)]
}

/// One who asks for what has happened, and follows it by the numbers that the talker gives its texts.
struct Reader {
    client: u64,
    /// What it has asked for, and was not answered.
    asked: VecDeque<Asked>,
    /// The number of the last text that it was told in its turn; unknown when it has just come in.
    last: Option<u64>,
    /// The same of what it has asked for without coming in.
    last_past: Option<u64>,
    /// It is told what has happened before it comes in.
    is_told_past: bool,
    /// Bytes of a line whose end it has not read.
    begun: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    History,
    Since,
    Join,
    Leave,
}

impl Reader {
    fn new(stage: &mut Stage, client: u64) -> Self {
        stage.connect(client, "127.0.0.1");
        stage.send(client, 0, vec![Step::Speak(Dialect { lang: Lang::En, ..Dialect::default() })]);
        Self { client, asked: VecDeque::new(), last: None, last_past: None, is_told_past: false, begun: String::new() }
    }

    fn ask(&mut self, stage: &mut Stage, rng: &mut Rng, events: u64) {
        let (room, start) = (ROOM.to_owned(), start(rng, events));
        let (asked, command) = match rng.below(8) {
            0 => (Asked::Join, Command::Join { room, start: None }),
            1 => (Asked::Leave, Command::Leave(room)),
            2..=4 => (Asked::History, Command::History(Stretch::of(room, start))),
            _ => (Asked::Since, Command::Join { room, start: Some(start) }),
        };
        self.asked.push_back(asked);
        stage.send(self.client, 1, step(command));
    }

    /// Reads so many bytes.
    fn read(&mut self, stage: &mut Stage, bytes: usize) {
        self.begun += &stage.read_text(self.client, bytes);
        while let Some((line, rest)) = self.begun.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            self.hear(&line);
            self.begun = rest;
        }
    }

    fn hear(&mut self, line: &str) {
        let asked = self.asked.front().copied();
        let is_past = line.starts_with("history|") && line.contains(".aaaaa|20") || line.contains(".aaaaa|1970");
        if asked == Some(Asked::Since) && is_past && !mem::replace(&mut self.is_told_past, true) {
            self.last = None; // it begins where it has asked for
        }
        if let Some(n) = line.split_once("n=").and_then(|(_, rest)| rest.split(';').next()) {
            let n = n.parse().expect("a number");
            let last = if is_past && asked == Some(Asked::History) { &mut self.last_past } else { &mut self.last };
            assert!(last.is_none_or(|last| last + 1 == n), "{}: {n} behind {last:?}", self.client);
            *last = Some(n);
        }
        let word = line.split('|').take(2).collect::<Vec<_>>();
        let is_gone = word[1..] == ["history-gone"];
        match (asked, word[0]) {
            (Some(Asked::History), "history") if !is_past => {
                self.last_past = None;
                self.asked.pop_front();
            }
            (Some(Asked::Since), "join") => {
                if is_gone {
                    self.last = None; // it may have missed something
                }
                self.is_told_past = false;
                self.asked.pop_front();
            }
            (Some(Asked::Join), "join") | (Some(Asked::Leave), "leave") => {
                if word[0] == "leave" {
                    self.last = None;
                }
                self.asked.pop_front();
            }
            _ => {}
        }
    }
}

fn start(rng: &mut Rng, events: u64) -> Start {
    let back = rng.below(400).min(rng.below(2000)) as u64;
    match rng.below(3) {
        0 => Start::Last(rng.below(1001)),
        _ => Start::Behind(events.saturating_sub(back), None),
    }
}

/// A life with so many events kept of a room, and so much memory. Answers what has become of replays.
fn live(seed: u64) -> Vec<String> {
    let mut rng = Rng(seed);
    let recent = RecentLimits { per_room_max: [100, 300, 300, 1000][rng.below(4)], ..RecentLimits::default() };
    let memory_max = [256 << 20, 3 << 20][rng.below(2)];
    let mut stage = Stage::new(Config { recent, memory_max, ..Config::default() });
    stage.connect(TALKER, "127.0.0.1");
    let mut readers: Vec<_> = (2..).take(READERS).map(|client| Reader::new(&mut stage, client)).collect();
    let (mut next_client, mut texts) = (2 + READERS as u64, 0);
    let length = [20, 2000, 3000][rng.below(3)];
    for _ in 0..STEPS {
        if stage.has_credit(TALKER) {
            let lines = [0, 3, 100, 100][rng.below(4)];
            let text = |n| format!("n={n};{}", "x".repeat(length));
            let say = (0..lines).map(|n| Step::Command(Command::In { room: ROOM.to_owned(), text: text(texts + n) }));
            stage.send(TALKER, lines as usize, say.collect());
            texts += lines;
        }
        let reader = &mut readers[rng.below(READERS)];
        match rng.below(8) {
            0 | 1 if rng.one_in(if stage.has_credit(reader.client) { 9 } else { 1 }) => {
                match rng.below(2) {
                    0 => stage.send(reader.client, 0, vec![Step::Eof]),
                    _ => stage.break_off(reader.client, vec![Step::Broken, Step::Close(Departure::Lost)]),
                }
                *reader = Reader::new(&mut stage, next_client);
                next_client += 1;
            }
            0..=4 if stage.has_credit(reader.client) => reader.ask(&mut stage, &mut rng, texts),
            _ => {}
        }
        for (client, _) in stage.turn().departures() {
            // It was too slow, and is heard of no more.
            if let Some(reader) = readers.iter_mut().find(|reader| reader.client == client) {
                *reader = Reader::new(&mut stage, next_client);
                next_client += 1;
            }
        }
        stage.read_text(TALKER, usize::MAX);
        for reader in &mut readers {
            reader.read(&mut stage, [0, 1000, 30_000, usize::MAX][rng.below(4)]);
        }
    }
    stage.rest();
    readers.iter_mut().for_each(|reader| reader.read(&mut stage, usize::MAX));
    mem::take(&mut stage.notes)
}

#[test]
fn a_replay_has_no_gap_however_long_it_is_and_whatever_happens_meanwhile() {
    let notes: Vec<_> = (1..=6).flat_map(live).collect();
    for what in ["goes on", "then it comes in", "is overtaken", "where it was before", "pauses", "ends with it"] {
        assert!(notes.iter().any(|note| note.ends_with(what)), "never met: {what}");
    }
}

#[test]
fn more_than_a_thousand_are_asked_for_again() {
    let recent = RecentLimits { per_room_max: 3000, ..RecentLimits::default() };
    let mut stage = Stage::new(Config { recent, ..Config::default() });
    stage.connect(TALKER, "127.0.0.1");
    stage.rest();
    let say = |n| Step::Command(Command::In { room: ROOM.to_owned(), text: format!("n={n};") });
    for part in 0..10 {
        stage.send(TALKER, 120, (0..120).map(|n| say(120 * part + n)).collect());
        stage.rest();
        stage.received(TALKER);
    }
    let ask = |stage: &mut Stage, start| {
        stage.send(TALKER, 1, step(Command::History(Stretch::of(ROOM.to_owned(), start))));
        stage.rest();
        let received = stage.received(TALKER);
        (received.lines().count(), received.lines().last().expect("an answer").to_owned())
    };
    let all = Start::Behind(0, None);
    assert_eq!(ask(&mut stage, all), (1001, "history|more|ops|1000|1000.aaaaa".to_owned()));
    let rest = Start::Behind(1000, Some("aaaaa".parse().expect("an epoch")));
    assert_eq!(ask(&mut stage, rest), (201, "history|ok|ops|200|1200.aaaaa".to_owned()));
    let just = Start::Behind(200, None);
    assert_eq!(ask(&mut stage, just), (1001, "history|ok|ops|1000|1200.aaaaa".to_owned()));
    // One that comes in is told all of it.
    stage.send(TALKER, 1, step(Command::Join { room: ROOM.to_owned(), start: Some(all) }));
    stage.rest();
    let received = stage.received(TALKER);
    let lines: Vec<_> = received.lines().collect();
    assert_eq!(lines.len(), 1200 + 3);
    assert_eq!([lines[1200], lines[1202]], ["history|ok|ops|1200|1200.aaaaa", "join|ok|ops|1|1201.aaaaa|"]);
}
