//! Whose turn it is: floods, and what is heard of broken connections, beside a client that asks for little.

use pipechat::{
    Config,
    chat::{Command, Departure, Event, Input},
    protocol::Step,
};

use super::stage::{Stage, Turn};

const FLOODERS: u64 = 50;
const BATCH: usize = 256;
const INNOCENT: u64 = 1;
const TURNS: usize = 30;
/// Lines of broken connections that may wait, all together.
const BROKEN_LINES_MAX: usize = 10_000;

fn flood(client: u64) -> Vec<Step> {
    vec![Step::Command(Command::Say(format!("this is what {client} has to say"))); BATCH]
}

fn ask(stage: &mut Stage, token: usize) {
    stage.send(INNOCENT, 1, vec![Step::Command(Command::Sync(token.to_string()))]);
}

fn is_answered(turn: &Turn, token: usize) -> bool {
    turn.told(INNOCENT).contains(&&Event::Synced(token.to_string()))
}

/// So many flood from this address. Each question of the innocent is answered in the turn it comes in, or in the next.
fn check_flood(ip: &str) {
    let mut stage = Stage::without_model(Config::default());
    (1..=1 + FLOODERS).for_each(|client| stage.connect(client, if client == INNOCENT { "127.0.0.1" } else { ip }));
    stage.rest();
    let (mut waiting, mut lines) = (Vec::new(), 0);
    for token in 0..TURNS {
        for client in 2..=1 + FLOODERS {
            if stage.has_credit(client) {
                stage.send(client, BATCH, flood(client));
            }
        }
        ask(&mut stage, token);
        waiting.push(token);
        let turn = stage.turn();
        lines += turn.0.len();
        waiting.retain(|&token| !is_answered(&turn, token));
        assert!(waiting.iter().all(|&asked| asked == token), "in turn {token}, {waiting:?} wait");
        (1..=1 + FLOODERS).for_each(|client| stage.read(client, usize::MAX));
    }
    assert!(lines > 200 * TURNS, "{lines} entries are no flood");
}

#[test]
fn one_who_asks_for_little_is_answered_at_once_among_floods() {
    check_flood("127.0.0.1");
}

#[test]
fn one_who_asks_for_little_is_answered_at_once_beside_an_address_that_floods() {
    check_flood("10.9.9.9");
}

const TRUSTED: &str = "127.0.0.1";
const UNTRUSTED: &str = "10.9.9.9";

/// How a client comes: from where, and whether what it says first is its last, too.
#[derive(Debug, Clone, Copy)]
struct Coming(&'static str, bool);

impl Coming {
    fn send(self, stage: &mut Stage, client: u64) {
        let Self(ip, is_passing) = self;
        stage.connect_silently(client, ip);
        let say = Step::Command(Command::Say("hi".to_owned()));
        let steps = if is_passing { vec![Step::Arrive, say, Step::Eof] } else { vec![Step::Arrive] };
        stage.send(client, usize::from(is_passing), steps);
    }
}

/// A crowd comes, and then one more. How many of the crowd are announced before that one?
fn announced_before(crowd: Coming, one: Coming) -> usize {
    const CROWD: u64 = 300;
    let mut stage = Stage::without_model(Config::default());
    (1..=CROWD).for_each(|client| crowd.send(&mut stage, client));
    one.send(&mut stage, CROWD + 1);
    let mut announced = Vec::new();
    for (entry, _) in stage.rest().0 {
        if let Input::Arrive(client, _) = entry.input {
            announced.push(client.0);
        }
    }
    assert_eq!(announced.len() as u64, CROWD + 1);
    announced.iter().position(|&client| client == CROWD + 1).expect("it is announced")
}

#[test]
fn a_crowd_that_comes_holds_back_nobody_who_comes_alone() {
    for (crowd, one) in [
        (Coming(TRUSTED, false), Coming(UNTRUSTED, false)),
        (Coming(UNTRUSTED, false), Coming(TRUSTED, false)),
        // Those who stay come first.
        (Coming(TRUSTED, true), Coming(TRUSTED, false)),
        (Coming(UNTRUSTED, true), Coming(TRUSTED, true)),
    ] {
        let before = announced_before(crowd, one);
        assert!(before < 50, "{before} of {crowd:?} before {one:?}");
    }
}

#[test]
fn floods_get_their_shares() {
    let mut stage = Stage::without_model(Config::default());
    let (alone, together) = (2..=21, 22..=1 + FLOODERS);
    stage.connect(INNOCENT, "127.0.0.1");
    alone.for_each(|client| stage.connect(client, "127.0.0.1"));
    together.for_each(|client| stage.connect(client, "10.9.9.9"));
    stage.rest();
    let mut said = vec![0; 2 + FLOODERS as usize];
    for _ in 0..4 * TURNS {
        for client in 2..=1 + FLOODERS {
            if stage.has_credit(client) {
                stage.send(client, BATCH, flood(client));
            }
        }
        for (entry, _) in stage.turn().0 {
            if let Input::Command(client, ..) = entry.input {
                said[usize::try_from(client.0).expect("few")] += 1;
            }
        }
        (1..=1 + FLOODERS).for_each(|client| stage.read(client, usize::MAX));
    }
    // Connections that each are a flow, and one address with many of them.
    let mut shares: Vec<usize> = said[2..=21].to_vec();
    shares.push(said[22..].iter().sum());
    let total: usize = shares.iter().sum();
    assert!(shares.iter().all(|share| share * shares.len() > total * 3 / 4), "{shares:?}");
}

/// A crowd, of which one sends `costly` first, and then the innocent asks something. Whose step comes first?
fn first_served(costly: Command) -> u64 {
    const OTHER: u64 = 2;
    let mut stage = Stage::without_model(Config::default());
    (1..=100).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    stage.send(OTHER, 1, vec![Step::Command(costly)]);
    ask(&mut stage, 0);
    let mut served = Vec::new();
    for (entry, _) in stage.rest().0 {
        if let Input::Command(client, ..) = entry.input {
            served.push(client.0);
        }
    }
    assert!([[INNOCENT, OTHER], [OTHER, INNOCENT]].contains(&[served[0], served[1]]) && served.len() == 2);
    served[0]
}

#[test]
fn a_line_that_costs_much_waits_for_those_that_cost_little() {
    let escaped = "\x1b".repeat(2000);
    for costly in [
        Command::Say("x".repeat(2000)), // as often as it is told
        Command::Sync(escaped.clone()), // it has to be escaped
        Command::Private { to: "nobody".to_owned(), text: escaped },
        Command::Rename("x".repeat(30)), // all are told of it
        Command::Private { to: "张".repeat(100), text: "hi".to_owned() }, // the name has to be normalised
    ] {
        assert_eq!(first_served(costly.clone()), INNOCENT, "{costly:?}");
    }
    assert_ne!(first_served(Command::Sync("a".to_owned())), INNOCENT, "the first is served first");
}

#[test]
fn each_pays_for_its_own_lines() {
    const TALKER: u64 = 2;
    let questions = [Step::Command(Command::Sync("mine".to_owned())), Step::Check("mine".to_owned())];
    for question in questions {
        let mut stage = Stage::without_model(Config::default());
        (1..=50).for_each(|client| stage.connect(client, "127.0.0.1"));
        stage.rest();
        stage.received(INNOCENT);
        stage.send(TALKER, BATCH, vec![Step::Command(Command::Say("x".repeat(100))); BATCH]);
        stage.send(INNOCENT, BATCH, vec![question.clone(); BATCH]);
        stage.rest();
        let received = stage.received(INNOCENT);
        let lines: Vec<_> = received.lines().collect();
        let last = lines.iter().rposition(|line| line.contains("mine")).expect("it is answered");
        assert_eq!(lines.len(), 2 * BATCH);
        let said = last + 1 - BATCH;
        assert!(said < BATCH / 4, "{said} lines to all before so many answers to one: {question:?}");
    }
}

#[test]
fn what_broken_connections_have_said_holds_nobody_back_and_has_a_bound() {
    const LINES: usize = 400;
    let mut stage = Stage::without_model(Config::default());
    let all = 2..=1 + FLOODERS;
    stage.connect(INNOCENT, "127.0.0.1");
    all.clone().for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    // The last ones have not been announced.
    let late = 2 + FLOODERS..=4 + FLOODERS;
    late.clone().for_each(|client| stage.connect_silently(client, "127.0.0.1"));
    for client in all.clone().chain(late.clone()) {
        let mut steps = if late.contains(&client) { vec![Step::Arrive] } else { Vec::new() };
        steps.push(Step::Broken);
        steps.extend(flood(client).into_iter().cycle().take(LINES));
        steps.push(Step::Close(Departure::Lost));
        stage.break_off(client, steps);
    }
    ask(&mut stage, 0);
    let first = stage.turn();
    assert!(is_answered(&first, 0));
    let mut turns = vec![first];
    for token in 1..TURNS {
        ask(&mut stage, token);
        turns.push(stage.turn());
        assert!(is_answered(&turns[token], token));
        stage.read(INNOCENT, usize::MAX);
    }
    turns.push(stage.rest());
    stage.read(INNOCENT, usize::MAX);
    let entries = || turns.iter().flat_map(|turn| &turn.0).map(|(entry, _)| &entry.input);
    let heard = entries().filter(|input| matches!(input, Input::Command(_, _, Command::Say(_)))).count();
    assert!((BROKEN_LINES_MAX * 9 / 10..=BROKEN_LINES_MAX).contains(&heard), "{heard} lines");
    assert_eq!(stage.chat.members().count(), 1);
    for client in all.chain(late) {
        assert!(stage.is_forgotten(client), "{client} has gone, and the broker holds it");
    }
    stage.reap();
    assert_eq!(stage.memory.used(), stage.chat.recent_bytes());
    // There is room again.
    stage.connect(200, "127.0.0.1");
    stage.send(200, 300, [vec![Step::Broken], flood(200), vec![Step::Close(Departure::Lost)]].concat());
    assert!(stage.rest().0.len() > BATCH);
}
