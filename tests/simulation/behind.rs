//! Recipients that are behind with reading, and long answers that pause.

use pipechat::{
    Config,
    chat::{Command, Departure, Event, Refusal},
    protocol::Step,
};

use super::stage::{Stage, Turn};

/// Of what waits for one client alone: more is refused to those who ask for much, and to all. Each ends at half.
const BEHIND: usize = 256 << 10;
const FAR_BEHIND: usize = 512 << 10;
/// A message, with the words before it.
const MESSAGE: usize = 4000;

const RECIPIENT: u64 = 1;
const HEAVY: u64 = 2;
const HEAVY_NEIGHBOUR: u64 = 3;

fn stage() -> Stage {
    let mut stage = Stage::new(Config::default());
    (1..=12).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    stage
}

/// The client sends so many messages. How many of them were refused?
fn send(stage: &mut Stage, from: u64, to: u64, messages: usize) -> usize {
    let to = format!("127.0.0.1:{}", 1000 + to);
    let private = Step::Command(Command::Private { to, text: "x".repeat(MESSAGE) });
    stage.send(from, messages, vec![private; messages]);
    let turns = stage.rest();
    let refused = Event::Refused(Refusal::RecipientBehind);
    turns.told(from).into_iter().filter(|event| **event == refused).count()
}

fn who(stage: &mut Stage, client: u64) -> bool {
    stage.send(client, 1, vec![Step::Command(Command::Who)]);
    is_listed(&stage.rest(), client)
}

fn is_listed(turns: &Turn, client: u64) -> bool {
    turns.told(client).iter().any(|event| matches!(event, Event::UsersEnd(_)))
}

#[test]
fn a_recipient_that_is_behind_gets_no_more_from_heavy_senders_and_one_that_is_far_behind_from_nobody() {
    let mut stage = stage();
    let refused = send(&mut stage, HEAVY, RECIPIENT, 256);
    let behind = stage.private(RECIPIENT);
    assert!((BEHIND..BEHIND + 2 * MESSAGE).contains(&behind), "{behind}");
    assert!(refused > 150, "{refused}");
    // Others are as near as ever, and light senders are heard.
    assert_eq!(send(&mut stage, HEAVY_NEIGHBOUR, 4, 20), 0);
    for light in 5..=10 {
        (0..12).for_each(|_| _ = send(&mut stage, light, RECIPIENT, 1));
    }
    let far = stage.private(RECIPIENT);
    assert!((FAR_BEHIND..FAR_BEHIND + 2 * MESSAGE).contains(&far), "{far}");
    assert_eq!(send(&mut stage, 11, RECIPIENT, 1), 1);
    // A client that can be told nothing in private can still say something, and its own long answer waits.
    assert!(!who(&mut stage, RECIPIENT));
    stage.read_until(RECIPIENT, FAR_BEHIND / 2 + 1);
    stage.rest();
    assert_eq!(send(&mut stage, 11, RECIPIENT, 1), 1, "not at half");
    stage.read_until(RECIPIENT, FAR_BEHIND / 2);
    assert_eq!(send(&mut stage, 11, RECIPIENT, 1), 0);
    assert!(send(&mut stage, HEAVY, RECIPIENT, 200) > 130, "heavy senders wait for less");
    stage.read_until(RECIPIENT, BEHIND / 2 + 1);
    assert!(!is_listed(&stage.rest(), RECIPIENT), "not at half");
    stage.read_until(RECIPIENT, BEHIND / 2);
    let turns = stage.rest();
    assert!(is_listed(&turns, RECIPIENT), "the list goes on");
    assert!(stage.private(RECIPIENT) > BEHIND / 2);
    assert_eq!(send(&mut stage, HEAVY, RECIPIENT, 10), 0);
}

#[test]
fn one_who_leaves_behind_leaves_nothing() {
    let mut stage = stage();
    send(&mut stage, HEAVY, RECIPIENT, 256);
    assert!(!who(&mut stage, RECIPIENT));
    stage.send(RECIPIENT, 0, vec![Step::Eof]);
    assert!(stage.rest().departures().is_empty(), "it is owed an answer");
    stage.read_until(RECIPIENT, 0);
    let turns = stage.rest();
    assert!(is_listed(&turns, RECIPIENT) && turns.departures().len() == 1);
    stage.connect(RECIPIENT + 20, "127.0.0.1");
    stage.rest();
    assert_eq!(send(&mut stage, HEAVY, RECIPIENT + 20, 10), 0);
}

#[test]
fn one_that_breaks_off_behind_is_heard_to_the_end() {
    let mut stage = stage();
    send(&mut stage, HEAVY, RECIPIENT, 256);
    assert!(!who(&mut stage, RECIPIENT));
    let last = Step::Command(Command::Say("last words".to_owned()));
    stage.send(RECIPIENT, 1, vec![Step::Broken, last, Step::Close(Departure::Lost)]);
    stage.discard(RECIPIENT);
    let turns = stage.rest();
    assert_eq!(turns.departures(), [(RECIPIENT, Departure::Lost)]);
    assert!(turns.has_said("last words") && turns.told(RECIPIENT).is_empty());
    assert!(stage.is_forgotten(RECIPIENT));
}
