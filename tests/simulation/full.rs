//! Queues and an account of memory that run full: which clients are disconnected, and which stay.

use std::{
    task::{Context, Waker},
    time::Duration,
};

use pipechat::{
    Config,
    broker::Level,
    chat::{ClientId, Command, Departure},
    protocol::{Dialect, Format, Limits, Step},
};

use super::stage::Stage;

const KIB: usize = 1 << 10;

fn sync(bytes: usize) -> Step {
    Step::Command(Command::Sync("x".repeat(bytes)))
}

fn say(bytes: usize) -> Step {
    Step::Command(Command::Say("x".repeat(bytes)))
}

/// Clients on these addresses ask for so many KiB for themselves, and read nothing. Then a client that reads all says
/// something until memory has run out, and for ten turns more. Answers which clients were disconnected.
fn gone(hoards: &[(&str, usize)], memory_max: usize) -> Vec<(u64, Departure)> {
    let mut stage = Stage::without_model(Config { memory_max, ..Config::default() });
    let talker = 1 + hoards.len() as u64;
    for (client, &(ip, hoard)) in (1..).zip(hoards) {
        stage.connect(client, ip);
        stage.send(client, hoard, vec![sync(KIB); hoard]);
    }
    stage.connect(talker, "127.0.0.1");
    stage.rest();
    let mut gone = Vec::new();
    for _ in 0..20 {
        if gone.is_empty() {
            stage.send(talker, 8, vec![sync(4 * KIB); 8]);
        }
        gone.extend(stage.turn().departures());
        // As the connections do between two turns.
        stage.reap();
        stage.read(talker, usize::MAX);
    }
    gone
}

#[test]
fn when_memory_runs_out_the_one_that_holds_most_goes_and_the_others_stay() {
    let hoards = [40, 100, 200, 60, 100].map(|hoard| ("127.0.0.1", hoard));
    assert_eq!(gone(&hoards, 515 * KIB), [(3, Departure::SlowConsumer)]);
}

#[test]
fn all_of_an_address_count_as_one_unless_it_is_trusted() {
    let hoards = [("127.0.0.1", 200), ("10.9.9.9", 100), ("10.9.9.9", 110), ("10.9.9.9", 90), ("10.9.9.8", 10)];
    assert_eq!(gone(&hoards, 530 * KIB), [(3, Departure::SlowConsumer)]);
}

#[test]
fn as_many_go_at_once_as_make_up_for_what_is_too_much() {
    const CLIENTS: u64 = 40;
    let mut stage = Stage::without_model(Config { memory_max: 500 * KIB, ..Config::default() });
    for client in 1..=CLIENTS {
        stage.connect(client, "127.0.0.1");
        stage.send(client, 10, vec![sync(KIB); 10]);
    }
    stage.rest();
    let mut gone = Vec::new();
    while gone.is_empty() {
        (1..=CLIENTS).for_each(|client| stage.send(client, 1, vec![sync(4 * KIB)]));
        (0..2).for_each(|_| gone.extend(stage.turn().departures()));
        stage.reap();
    }
    assert!((2..=8).contains(&gone.len()), "each holds about 14 KiB, and some 70 are too much: {gone:?}");
}

#[test]
fn an_address_of_which_one_has_gone_holds_less() {
    const OTHERS: std::ops::Range<u64> = 4..44;
    for (hoards, expected) in [([100, 60, 120], [1, 3]), ([100, 90, 80], [1, 2])] {
        let held = hoards.iter().sum::<usize>();
        let mut stage = Stage::without_model(Config { memory_max: (held + 120) * KIB, ..Config::default() });
        for ((client, ip), hoard) in (1..).zip(["10.9.9.9", "10.9.9.9", "10.9.9.8"]).zip(hoards) {
            stage.connect(client, ip);
            stage.send(client, hoard, vec![sync(KIB); hoard]);
        }
        OTHERS.for_each(|client| stage.connect(client, "127.0.0.1"));
        stage.rest();
        OTHERS.for_each(|client| stage.send(client, 1, vec![sync(6 * KIB)]));
        let mut gone = Vec::new();
        while gone.is_empty() {
            gone.extend(stage.turn().departures().into_iter().map(|(client, _)| client));
        }
        gone.extend(stage.turn().departures().into_iter().map(|(client, _)| client));
        gone.sort_unstable();
        assert_eq!(gone, expected, "{hoards:?}");
    }
}

#[test]
fn where_most_is_held_for_many_the_one_that_has_read_nothing_for_longest_goes() {
    let mut stage = Stage::without_model(Config { memory_max: 400 * KIB, ..Config::default() });
    (1..=4).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    let mut gone = Vec::new();
    // The first has taken nothing from the beginning; the second reads now and then; for the third, more waits than for
    // any other, since its words are longer, and it has asked for something for itself too.
    stage.send(3, 8, vec![sync(KIB); 8]);
    stage.rest();
    stage.send(3, 1, vec![Step::Speak(Dialect { format: Format::Json, ..Dialect::default() })]);
    for second in 0..100 {
        stage.now = Duration::from_secs(second);
        if gone.is_empty() {
            stage.send(4, 8, vec![say(KIB); 8]);
        }
        gone.extend(stage.turn().departures());
        stage.reap();
        stage.read(4, usize::MAX);
        if second % 20 == 5 && gone.is_empty() {
            [2, 3].into_iter().for_each(|client| stage.read(client, KIB));
        }
    }
    assert_eq!(gone.first(), Some(&(1, Departure::SlowConsumer)), "{gone:?}");
}

#[test]
fn what_is_queued_for_one_that_has_left_is_thrown_away_where_it_is_most() {
    let mut stage = Stage::without_model(Config { memory_max: 270 * KIB, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    for (client, hoard) in [(1, 150), (2, 100)] {
        stage.send(client, hoard, vec![sync(KIB); hoard]);
        stage.rest();
    }
    stage.send(1, 0, vec![Step::Eof]);
    stage.rest();
    let cx = &Context::from_waker(Waker::noop());
    let mut departures = Vec::new();
    for _ in 0..10 {
        if stage.departed.poll_discard(ClientId(1), cx).is_pending() {
            stage.send(3, 8, vec![sync(4 * KIB); 8]);
            departures.extend(stage.turn().departures());
            stage.read(3, usize::MAX);
        }
    }
    assert!(stage.departed.poll_discard(ClientId(1), cx).is_ready());
    assert_eq!(departures, [], "those who are here stay");
}

#[test]
fn while_memory_is_tight_long_answers_pause_for_whom_something_waits_already() {
    let mut stage = Stage::new(Config { memory_max: 100 * KIB, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    stage.send(2, 5, vec![sync(KIB); 5]);
    stage.rest();
    stage.send(1, 78, vec![sync(KIB); 78]);
    assert!(stage.memory.level() == Level::Tight && !stage.broker.is_tight());
    let who = || vec![Step::Command(Command::Who)];
    stage.send(2, 1, who());
    assert!(stage.rest().told(2).is_empty() && !stage.has_credit(2));
    assert!(stage.broker.is_tight());
    stage.send(3, 1, who());
    assert_eq!(stage.rest().told(3).len(), 4, "others are served");
    stage.read(1, usize::MAX);
    assert_eq!(stage.rest().told(2).len(), 4);
    assert!(stage.has_credit(2) && !stage.broker.is_tight());
}

#[test]
fn more_than_the_hard_limit_is_too_much_at_once_and_more_than_the_soft_one_after_a_minute() {
    let limits = Limits { soft_queue_max: 20 * KIB, queue_max: 60 * KIB, ..Limits::default() };
    let mut stage = Stage::new(Config { limits, ..Config::default() });
    (1..=4).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    let talk = |stage: &mut Stage, kib| {
        stage.send(4, kib, vec![say(KIB); kib]);
        let mut departures = stage.rest().departures();
        stage.read(3, usize::MAX);
        stage.read(4, usize::MAX);
        // It is seen when the next turn has written.
        stage.send(4, 1, vec![say(1)]);
        departures.extend(stage.rest().departures());
        stage.reap();
        stage.read(3, usize::MAX);
        stage.read(4, usize::MAX);
        departures
    };
    assert_eq!(talk(&mut stage, 30), []);
    stage.now += Duration::from_secs(30);
    stage.read(2, 20 * KIB);
    assert_eq!(talk(&mut stage, 1), [], "the second has read");
    stage.now += Duration::from_secs(29);
    assert_eq!(talk(&mut stage, 1), []);
    assert_eq!(stage.broker.deadline(), Some(Duration::from_secs(60)));
    stage.now += Duration::from_secs(1);
    assert_eq!(talk(&mut stage, 1), [(1, Departure::SlowConsumer)]);
    assert_eq!(talk(&mut stage, 50), [(2, Departure::SlowConsumer)]);
    assert_eq!(stage.broker.deadline(), None);
}
