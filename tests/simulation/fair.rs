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
    assert_eq!(stage.memory.used(), 0);
    // There is room again.
    stage.connect(200, "127.0.0.1");
    stage.send(200, 300, [vec![Step::Broken], flood(200), vec![Step::Close(Departure::Lost)]].concat());
    assert!(stage.rest().0.len() > BATCH);
}
