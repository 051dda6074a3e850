//! A wait whose time is nearly over, or is over, beside clients that have something to do.

use std::time::Duration;

use pipechat::{
    Config,
    chat::{Command, Event, WaitFor},
    protocol::Step,
};

use super::stage::Stage;

const WAITER: u64 = 1;
const OTHER: u64 = 2;
const TIMEOUT: Duration = Duration::from_secs(10);

/// One waits for a text until [`TIMEOUT`]; this much later the other says it. What is the answer?
fn answer(late: Duration) -> Vec<Event> {
    let mut stage = Stage::new(Config::default());
    [WAITER, OTHER].into_iter().for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    let wait = Command::Wait(TIMEOUT, WaitFor::Text("go".to_owned()));
    stage.send(WAITER, 1, vec![Step::Command(wait)]);
    assert!(stage.rest().told(WAITER).is_empty());
    stage.now = TIMEOUT + late;
    stage.send(OTHER, 1, vec![Step::Command(Command::Say("go".to_owned()))]);
    stage.rest().told(WAITER).into_iter().cloned().collect()
}

#[test]
fn what_was_sent_by_the_time_that_a_wait_is_looked_at_still_meets_it_within_a_second() {
    assert_eq!(answer(Duration::from_millis(900)), [Event::WaitMet("go".to_owned())]);
    assert_eq!(answer(Duration::from_millis(1100)), [Event::WaitTimedOut]);
}

#[test]
fn what_is_sent_just_before_a_wait_is_over_is_served_at_once() {
    let mut stage = Stage::new(Config::default());
    [WAITER, OTHER].into_iter().for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    stage.send(WAITER, 1, vec![Step::Command(Command::Wait(TIMEOUT, WaitFor::Users(3)))]);
    stage.rest();
    stage.now = TIMEOUT - Duration::from_millis(500);
    stage.send(OTHER, 1, vec![Step::Command(Command::Sync("a".to_owned()))]);
    assert_eq!(stage.turn().told(OTHER), [&Event::Synced("a".to_owned())]);
    assert!(!stage.broker.has_work());
    stage.now = TIMEOUT;
    assert_eq!(stage.turn().told(WAITER), [&Event::WaitTimedOut]);
}
