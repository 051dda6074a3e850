//! What the broker does for a client without the chat: replies, checks, settings, and the end of a client that was never
//! announced.

use std::sync::Arc;

use jiff::Timestamp;
use pipechat::{
    Config,
    chat::{Command, Departure},
    protocol::{Dialect, FormError, Format, Lang, Reply, Setting, Step},
};

use super::stage::Stage;

fn stage(clients: u64) -> Stage {
    let mut stage = Stage::new(Config { lang: Lang::En, ..Config::default() });
    (1..=clients).for_each(|client| stage.connect(client, "127.0.0.1"));
    stage.rest();
    (1..=clients).for_each(|client| drop(stage.received(client)));
    stage
}

fn refused() -> Step {
    Step::Reply(Reply::Refused(FormError::Nul))
}

fn check(token: &str) -> Step {
    Step::Check(token.to_owned())
}

#[test]
fn a_reply_comes_in_its_turn_though_nobody_says_anything() {
    let mut stage = stage(2);
    for replies in 1..=2 {
        stage.send(1, replies, vec![refused(); replies]);
        stage.turn();
        assert_eq!(stage.received(1), "line contains a NUL, discarded\n".repeat(replies));
        assert!(stage.has_credit(1));
        assert_eq!(stage.received(2), "");
    }
    stage.send(2, 1, vec![Step::Reply(Reply::Help(Arc::default()))]);
    stage.turn();
    assert!(stage.received(2).contains("disconnect"));
}

#[test]
fn a_check_tells_whether_anything_was_refused_since_the_last_one() {
    let mut stage = stage(2);
    let private = Step::Command(Command::Private { to: "nobody".to_owned(), text: "hi".to_owned() });
    stage.send(1, 1, vec![check("a")]);
    assert_eq!(stage.rest().departures(), []);
    assert_eq!(stage.received(1), "check|ok|a\n");
    // The first of them is the reason, be it of the protocol or of the chat.
    for (client, steps, code) in [(1, [private.clone(), refused()], "no-such-user"), (2, [refused(), private], "nul")] {
        stage.received(client);
        stage.send(client, 3, [steps.as_slice(), &[check("b")]].concat());
        assert_eq!(stage.rest().departures(), [(client, Departure::CheckFailed)]);
        let received = stage.received(client);
        assert_eq!(received.lines().nth(2), Some(format!("check|{code}|b").as_str()), "{received}");
    }
}

#[test]
fn one_that_ends_before_it_is_announced_is_told_why_and_the_others_hear_nothing() {
    let mut stage = stage(1);
    for (client, ip) in [(2, "127.0.0.1"), (3, "10.9.9.9")] {
        stage.connect_silently(client, ip);
        stage.send(client, 1, vec![Step::Close(Departure::Http)]);
        assert!(stage.rest().0.is_empty(), "the chat does not hear of it");
        assert_eq!(stage.received(client), "disconnected: this port does not speak HTTP, see --http\n");
        assert_eq!(stage.received(1), "");
        stage.reap();
        assert!(stage.is_forgotten(client));
    }
    // Nothing can be sent on a lost connection.
    stage.connect_silently(4, "127.0.0.1");
    stage.break_off(4, vec![Step::Close(Departure::Lost)]);
    assert!(stage.rest().0.is_empty());
    assert_eq!(stage.received(4), "");
    stage.reap();
    assert!(stage.is_forgotten(4));
}

#[test]
fn an_object_says_when_its_turn_began() {
    let mut stage = stage(1);
    stage.send(1, 1, vec![Step::Speak(Dialect { format: Format::Json, lang: Lang::En, ..Dialect::default() })]);
    stage.at = Timestamp::new(1_700_000_000, 123_000_000).expect("a time");
    stage.send(1, 2, vec![Step::Reply(Reply::Set(Setting::Format(Format::Json))), Step::Command(Command::Who)]);
    stage.turn();
    let received = stage.received(1);
    assert_eq!(received.lines().count(), 3, "{received}");
    assert!(received.lines().all(|line| line.contains("\"at\":\"2023-11-14T22:13:20.123Z\"")), "{received}");
}

#[test]
fn a_turn_ends_though_the_chat_has_nothing_to_do_in_it() {
    const CLIENTS: u64 = 12;
    const LINES: usize = 256;
    let mut stage = stage(CLIENTS);
    (1..=CLIENTS).for_each(|client| stage.send(client, LINES, vec![refused(); LINES]));
    assert!(stage.turn().0.is_empty());
    assert!(stage.broker.has_work(), "what others send meanwhile is looked for");
    assert!(stage.rest().0.is_empty());
    for client in 1..=CLIENTS {
        assert_eq!(stage.received(client).lines().count(), LINES);
    }
}
