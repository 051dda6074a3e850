//! Waits as transcripts.

use super::{super::*, origin};
use crate::protocol::{Line, parse};

/// Plays steps apart by `;`: `2 arrives`, `2 LINE`, `2 leaves`, `2 breaks`, `@SECONDS`. Answers what waits
/// came to, as `CLIENT<ok ARG`, `CLIENT<timeout`, `CLIENT<ready` and `CLIENT<gone REASON`.
fn play(script: &str) -> String {
    let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    let mut now = Duration::ZERO;
    for step in script.split(';').map(str::trim) {
        let input = match step.strip_prefix('@') {
            Some(seconds) => {
                now = Duration::from_secs_f64(seconds.parse().unwrap());
                Input::Continue
            }
            None => input(step),
        };
        let comes = matches!(input, Input::Arrive(ClientId(1), _));
        chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        seen.extend(out.drain(..).filter_map(|output| match output {
            Output::Tell(ClientId(c), Event::WaitMet(arg)) => Some(format!("{c}<ok {arg}")),
            Output::Tell(ClientId(c), Event::WaitTimedOut) => Some(format!("{c}<timeout")),
            Output::Ready(ClientId(c)) if c == 1 && !comes => Some(format!("{c}<ready")),
            Output::HangUp(ClientId(c), departure) if c == 1 => Some(format!("{c}<gone {}", departure.code())),
            _ => None,
        }));
    }
    seen.join("; ")
}

fn input(step: &str) -> Input {
    let (client, what) = step.split_once(' ').unwrap();
    let client = ClientId(client.parse().unwrap());
    match what {
        "arrives" => Input::Arrive(client, origin([127, 0, 0, 1], u16::try_from(client.0).unwrap())),
        "leaves" => Input::Eof(client),
        "breaks" => Input::Broken(client),
        line => match parse(line.as_bytes()) {
            Ok(Line::Command(command)) => Input::Command(client, Load::Light, command),
            other => panic!("{line:?} is no command: {other:?}"),
        },
    }
}

fn check(script: &str, seen: &str) {
    assert_eq!(play(script), seen, "{script}");
}

#[test]
fn for_a_user() {
    check("1 arrives; 1 wait|9|user|bob; 2 arrives; 2 rename|bob", "1<ok bob; 1<ready");
    check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|user|BOB", "1<ok BOB; 1<ready");
    check("1 arrives; 1 wait|9|user|127.0.0.1:2; 2 arrives", "1<ok 127.0.0.1:2; 1<ready");
    check("1 arrives; 1 wait|9|user|bob; 2 arrives; 2 rename|bobo; 2 leaves", "");
}

#[test]
fn for_a_departure() {
    check("1 arrives; 1 wait|9|gone|bob", "1<ok bob; 1<ready");
    check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 leaves", "1<ok bob; 1<ready");
    check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 rename|rob", "1<ok bob; 1<ready");
    check("1 arrives; 2 arrives; 2 rename|bob; 1 wait|9|gone|bob; 2 rename|BOB", "");
}

#[test]
fn for_a_number_of_users() {
    check("1 arrives; 1 wait|9|users|1", "1<ok 1; 1<ready");
    check("1 arrives; 1 wait|9|users|3; 2 arrives; 3 arrives", "1<ok 3; 1<ready");
    check("1 arrives; 1 wait|9|users|3; 2 arrives; 2 leaves; 3 arrives", "");
    check("1 arrives; 2 arrives; 1 wait|9|users|4; 2 wait|9|users|3; 3 arrives", "2<ok 3");
}

#[test]
fn for_a_text_of_somebody_else() {
    check("1 arrives; 2 arrives; 1 wait|9|text|done; 2 all done", "1<ok done; 1<ready");
    check("1 arrives; 2 arrives; 1 wait|9|text|done; 2 to|127.0.0.1:1|done", "1<ok done; 1<ready");
    check("1 arrives; 2 arrives; 3 arrives; 1 wait|9|text|done; 2 to|127.0.0.1:3|done", "");
    check("1 arrives; 2 arrives; 2 done; 1 wait|9|text|done; 2 do; 2 ne", "");
    check("1 arrives; 1 done; 1 wait|9|text|done", "1<ready");
    check("1 arrives; 2 arrives; 1 wait|9|text|é; 2 cafe\u{301}", "1<ok é; 1<ready");
    check("1 arrives; 2 arrives; 1 wait|9|text|e\u{301}; 2 to|127.0.0.1:1|café", "1<ok e\u{301}; 1<ready");
    check("1 arrives; 2 arrives; 3 arrives; 1 wait|9|text|a; 2 wait|9|text|b; 3 ab", "1<ok a; 1<ready; 2<ok b");
}

#[test]
fn in_vain() {
    check("1 arrives; @5; 1 wait|9|user|bob; @13.9", "");
    check("1 arrives; @5; 1 wait|9|user|bob; @14; 2 arrives; 2 rename|bob", "1<timeout; 1<gone wait-timeout");
    check("1 arrives; 1 wait|0|text|x; @0", "1<timeout; 1<gone wait-timeout");
    check("1 arrives; 2 arrives; 1 wait|2|user|x; 2 wait|1|user|y; @9", "2<timeout; 1<timeout; 1<gone wait-timeout");
    check("1 arrives; 1 wait|9|user|bob; 1 leaves; @99", "1<timeout; 1<gone wait-timeout");
}

#[test]
fn a_wait_as_last_command_is_answered_before_the_client_leaves() {
    check("1 arrives; 2 arrives; 1 wait|9|text|x; 1 leaves; 2 x; 2 y", "1<ok x; 1<gone left");
    check("1 arrives; 2 arrives; 1 wait|9|gone|127.0.0.1:2; 1 leaves; 2 leaves", "1<ok 127.0.0.1:2; 1<gone left");
}

#[test]
fn a_broken_connection_ends_a_wait() {
    check("1 arrives; 1 wait|9|user|bob; 1 breaks", "1<gone lost");
    check("1 arrives; 1 breaks; 1 wait|9|user|bob", "1<gone lost");
    check("1 arrives; 1 breaks; 1 wait|9|users|1; 1 hi", "1<ok 1; 1<ready; 1<ready");
    check("1 arrives; 2 arrives; 2 wait|9|text|x; 1 breaks; 1 x", "1<ready; 2<ok x");
}

#[test]
fn too_long_is_refused_and_the_clock_never_goes_back() {
    check("1 arrives; 1 wait|3600.5|user|bob; @9999", "1<ready");
    check("1 arrives; @50; @10; 1 wait|9|user|bob; @20; @58; @59", "1<timeout; 1<gone wait-timeout");
}

#[test]
fn a_deadline_is_known_while_somebody_waits() {
    let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
    let mut out = Vec::new();
    let second = Duration::from_secs(1);
    let mut handle = |now, input| {
        chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        chat.deadline()
    };
    assert_eq!(handle(Duration::ZERO, input("1 arrives")), None);
    assert_eq!(handle(second, input("1 wait|9|user|bob")), Some(10 * second));
    assert_eq!(handle(second, Input::End(ClientId(1), Departure::Lost)), None);
}
