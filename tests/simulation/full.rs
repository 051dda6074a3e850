//! Queues and an account of memory that run full: who has to go, and who stays.

use std::time::Duration;

use pipechat::{
    Config,
    chat::{Command, Departure},
    protocol::{Limits, Step},
};

use super::stage::Stage;

const KIB: usize = 1 << 10;

fn sync(bytes: usize) -> Step {
    Step::Command(Command::Sync("x".repeat(bytes)))
}

fn say(bytes: usize) -> Step {
    Step::Command(Command::Say("x".repeat(bytes)))
}

/// Clients on these addresses ask for so many KiB for themselves, and read nothing. Then one that reads all says something
/// until memory has run out, and for ten turns more. Who has gone?
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
fn while_memory_is_tight_long_answers_pause() {
    let mut stage = Stage::new(Config { memory_max: 100 * KIB, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    stage.send(1, 78, vec![sync(KIB); 78]);
    stage.rest();
    stage.send(2, 1, vec![Step::Command(Command::Who)]);
    assert!(stage.rest().told(2).is_empty() && !stage.has_credit(2));
    stage.send(3, 1, vec![sync(1)]);
    assert_eq!(stage.rest().told(3).len(), 1, "others are served");
    stage.read(1, usize::MAX);
    assert_eq!(stage.rest().told(2).len(), 4);
    assert!(stage.has_credit(2));
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
