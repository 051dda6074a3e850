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

#[test]
fn one_that_breaks_off_is_hung_up_on_before_it_is_heard_to_the_end() {
    let mut stage = stage();
    stage.received(RECIPIENT);
    let last = Step::Command(Command::Say("last words".to_owned()));
    stage.break_off(RECIPIENT, vec![Step::Broken, last, Step::Close(Departure::Lost)]);
    assert!(stage.is_hung_up(RECIPIENT), "its socket can be closed");
    assert!(stage.rest().has_said("last words"));
}

/// Light senders send the client more than anybody may.
fn fill(stage: &mut Stage, client: u64) {
    for light in 5..=12 {
        (0..20).for_each(|_| _ = send(stage, light, client, 1));
    }
    assert!(stage.private(client) > FAR_BEHIND);
}

#[test]
fn a_connection_tells_once_that_so_little_waits() {
    let mut stage = stage();
    send(&mut stage, HEAVY, RECIPIENT, 256);
    assert!(stage.private(RECIPIENT) > BEHIND);
    stage.read_until(RECIPIENT, BEHIND / 2 + 1);
    assert_eq!(stage.reliefs, 0);
    stage.read_until(RECIPIENT, BEHIND / 2);
    assert!(stage.reliefs == 1 && stage.broker.has_work(), "the chat has to know");
    stage.rest();
    stage.read_until(RECIPIENT, 0);
    assert_eq!(stage.reliefs, 1);

    fill(&mut stage, RECIPIENT);
    stage.read_until(RECIPIENT, FAR_BEHIND / 2 + 1);
    assert_eq!(stage.reliefs, 1);
    stage.read_until(RECIPIENT, FAR_BEHIND / 2);
    assert!(stage.reliefs == 2 && stage.broker.has_work());
    stage.rest();
    stage.read_until(RECIPIENT, BEHIND / 2);
    assert!(stage.reliefs == 3 && stage.broker.has_work());
}

#[test]
fn one_that_has_read_nearly_all_is_not_behind_any_more() {
    let mut stage = stage();
    fill(&mut stage, RECIPIENT);
    let all_but_a_few = stage.private(RECIPIENT) - 1000;
    stage.read(RECIPIENT, all_but_a_few);
    assert_eq!(stage.reliefs, 1, "it has read them at once");
    assert_eq!(send(&mut stage, HEAVY, RECIPIENT, 20), 0);
}

#[test]
fn who_sends_much_at_once_is_a_heavy_sender_from_the_first_line_on() {
    let mut stage = stage();
    send(&mut stage, HEAVY, RECIPIENT, 256);
    assert_eq!(send(&mut stage, 5, RECIPIENT, 1), 0);
    assert_eq!(send(&mut stage, 6, RECIPIENT, 3), 3);
    stage.read_until(RECIPIENT, 0);
    assert_eq!(send(&mut stage, 6, RECIPIENT, 3), 0);
}
