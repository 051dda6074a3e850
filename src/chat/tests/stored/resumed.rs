//! Whatever happens in several rooms, and wherever the connection of one that follows them breaks: one that goes on behind the
//! last that it was told misses nothing, and is told nothing twice.

use super::{stage::is_message, *};

const ROOMS: [&str; 3] = ["a", "b", "c"];

struct World {
    stage: Stage,
    random: u64,
    kinds: Kinds,
    /// The numbers that Ann was told, in this order.
    told: Vec<u64>,
    /// Rooms that she has joined since she came.
    joined: usize,
    refused: usize,
}

impl World {
    fn new(random: u64, rules: Rules) -> Self {
        let mut stage = Stage::by(rules);
        let kinds = if random.is_multiple_of(2) { Kinds::All } else { Kinds::Messages };
        stage.page_max = 1 + random as usize % 7;
        Self { stage, random, kinds, told: Vec::new(), joined: 0, refused: 0 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    /// Bob does something in one of the rooms, or in another one.
    fn happen(&mut self) {
        let room = if self.below(8) == 0 { "d" } else { ROOMS[self.below(3) as usize] };
        let line = match self.below(6) {
            0 => format!("join|{room}"),
            1 => format!("leave|{room}"),
            2 => format!("topic|{room}|x"),
            _ => format!("in|{room}|x"),
        };
        self.stage.line(BOB, &line);
        self.listen();
    }

    fn follow(&mut self, start: Start) {
        let mut rooms = ROOMS.map(str::to_owned);
        rooms.rotate_left(self.below(3) as usize);
        self.stage.command(ANN, Command::Follow { rooms: rooms.to_vec(), start, kinds: self.kinds });
        self.listen();
    }

    /// Takes note of what Ann was told.
    fn listen(&mut self) {
        for told in std::mem::take(&mut self.stage.told) {
            if let Ok(n) = told.strip_prefix("live ").unwrap_or(&told).parse() {
                self.told.push(n);
            }
            self.joined += usize::from(told == "in");
            self.refused += usize::from(told.starts_with("gone"));
        }
    }

    /// Something goes on.
    fn step(&mut self) {
        match self.below(3) {
            0 => self.happen(),
            1 if self.stage.asked.is_some() => self.stage.answer(),
            _ => self.stage.input(Input::Continue),
        }
        self.listen();
    }

    /// What has happened in the rooms behind this event, as far as Ann is to be told of it in any case.
    fn expected(&self, after: u64, oldest: [u64; 3]) -> Vec<u64> {
        let is_of = |record: &&Record| {
            let is_kind = self.kinds == Kinds::All || is_message(record);
            let is_there = |(room, oldest): (&str, u64)| *record.room == *room && record.n > oldest;
            record.n > after && ROOMS.into_iter().zip(oldest).any(is_there) && is_kind
        };
        self.stage.kept.iter().filter(is_of).map(|record| record.n).collect()
    }

    /// The same of what she was told.
    fn told(&self) -> Vec<u64> {
        let of_kind =
            |n: &&u64| self.kinds == Kinds::All || self.stage.kept.iter().any(|it| it.n == **n && is_message(it));
        self.told.iter().filter(of_kind).copied().collect()
    }
}

/// Runs one world, and answers whether she was refused because something is gone.
fn run(seed: u64, rules: Rules, is_all_kept: bool) -> bool {
    let mut world = World::new(seed, rules);
    let before = world.below(60);
    (0..before).for_each(|_| world.happen());
    let last = world.below(40) as usize;
    world.stage.line(BOB, "topic|d|x"); // the lobby is nobody's here
    world.stage.told.clear();
    let begin = world.expected(0, [0; 3]);
    let first = begin[begin.len().saturating_sub(last)..].first().copied();
    let mut start = Start::Last(last);
    let asked = world.stage.kept.last().map_or(0, |last| last.n);
    // Of a room that is forgotten, or was made since, nothing is known any more.
    let oldest = |room: &str| world.stage.chat.room(room).map_or(asked, |room| world.stage.chat.recent.oldest(room));
    let oldest = if world.stage.chat.has_store() { [0; 3] } else { ROOMS.map(oldest) };
    for _ in 0..4 {
        let before = world.told.len();
        world.follow(start);
        (0..world.below(30)).for_each(|_| world.step());
        // The connection breaks, at any point, and with it the last that was on the way is lost.
        let arrived = world.below((world.told.len() - before) as u64 + 1);
        world.told.truncate(before + arrived as usize);
        world.stage.input(Input::End(ANN, Departure::Lost));
        world.stage.asked = None;
        world.stage.told.clear();
        (0..world.below(9)).for_each(|_| world.happen());
        world.stage.arrive(ANN);
        world.stage.told.clear();
        world.joined = 0;
        let behind = world.told.last().copied().unwrap_or_else(|| first.map_or(asked, |first| first - 1));
        start = Start::Behind(behind, Some(Epoch::from_random(0)));
    }
    world.follow(start);
    let rest = world.stage.finish();
    world.stage.told = rest;
    world.listen();
    let is_refused = world.refused > 0;
    assert!(world.joined == 3 || is_refused, "{seed}");
    world.stage.chat.rooms.assert_mirrors();
    world.stage.chat.members.assert_mirrors();
    if !is_refused {
        // Where little is kept, she is told all from the first on that she was told.
        let begin = if is_all_kept { first } else { world.told.first().copied() };
        let after = begin.map_or(asked, |first| first - 1);
        assert_eq!(world.told(), world.expected(after, oldest), "{seed}");
    }
    is_refused
}

#[test]
fn one_that_goes_on_where_it_has_broken_off_misses_nothing_and_is_told_nothing_twice() {
    for seed in 0..400 {
        for (has_store, per_room_max) in [(false, 1000), (true, 1000), (true, 3), (true, 1)] {
            let recent = RecentLimits { per_room_max, ..RecentLimits::default() };
            assert!(!run(seed, Rules { has_store, recent, ..Rules::default() }, true), "{seed}: all is kept");
        }
    }
}

#[test]
fn where_little_is_kept_one_is_told_that_something_is_gone_and_not_less() {
    let few = |seed| {
        let recent = RecentLimits { per_room_max: 200, bytes_max: 3000 };
        run(seed, Rules { recent, ..Rules::default() }, false)
    };
    let refused = (0..400).filter(|&seed| few(seed)).count();
    assert!((1..400).contains(&refused), "{refused}");
}
