//! Work in pieces: how much is done at once, and what comes between.

use super::{super::*, origin};

/// A chat with this many clients, numbered from 1.
fn chat_of(clients: u64) -> (Chat, Vec<Output>) {
    let (mut chat, mut out) = (Chat::new(Rules::default(), Epoch::from_random(0)), Vec::new());
    for client in 1..=clients {
        let [high, low] = u16::try_from(client).unwrap().to_be_bytes();
        let addr = origin([10, 0, high, low], 9);
        handle(&mut chat, Input::Arrive(ClientId(client), addr), &mut out);
    }
    out.clear();
    (chat, out)
}

fn handle(chat: &mut Chat, input: Input, out: &mut Vec<Output>) {
    chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, out);
}

fn command(chat: &mut Chat, client: u64, command: Command) -> Vec<Output> {
    let mut out = Vec::new();
    handle(chat, Input::Command(ClientId(client), Load::Light, command), &mut out);
    out
}

fn go_on(chat: &mut Chat) -> Vec<Output> {
    let mut out = Vec::new();
    handle(chat, Input::Continue, &mut out);
    out
}

/// Goes on until nothing is left to do, and answers how many pieces that were and all that came of them.
fn finish(chat: &mut Chat) -> (usize, Vec<Output>) {
    let (mut pieces, mut out) = (0, Vec::new());
    while chat.deadline() == Some(Duration::ZERO) {
        let piece = go_on(chat);
        assert!(piece.len() <= 1000, "{} outputs of one piece", piece.len());
        out.extend(piece);
        pieces += 1;
    }
    (pieces, out)
}

fn say(text: &str) -> Command {
    Command::Say(text.to_owned())
}

fn wait(wait_for: WaitFor) -> Command {
    Command::Wait(Duration::from_secs(9), wait_for)
}

fn is_ready(out: &[Output], client: u64) -> bool {
    out.contains(&Output::Ready(ClientId(client)))
}

fn count(out: &[Output], is_it: impl Fn(&Event) -> bool) -> usize {
    out.iter().filter(|output| matches!(output, Output::Tell(_, event) if is_it(event))).count()
}

#[test]
fn a_long_list_comes_in_pieces_and_others_are_served_between() {
    let (mut chat, _) = chat_of(1000);
    let mut listed = command(&mut chat, 1, Command::Who);
    assert_eq!(listed, [], "many may ask at once");
    handle(&mut chat, Input::Continue, &mut listed);
    assert!((1..100).contains(&listed.len()) && !is_ready(&listed, 1), "a piece");
    let between = command(&mut chat, 2, say("between"));
    assert!(is_ready(&between, 2), "others need not wait");
    handle(&mut chat, Input::End(ClientId(3), Departure::Quit), &mut Vec::new()); // listed already
    handle(&mut chat, Input::End(ClientId(999), Departure::Quit), &mut Vec::new()); // not yet
    let (pieces, rest) = finish(&mut chat);
    assert!(pieces > 10, "{pieces}");
    listed.extend(rest);
    let users = count(&listed, |event| matches!(event, Event::User(_)));
    assert_eq!((users, count(&listed, |event| *event == Event::UsersEnd(999))), (999, 1));
    assert!(is_ready(&listed, 1));
}

#[test]
fn a_list_ends_with_the_client_that_asked_for_it() {
    let (mut chat, _) = chat_of(1000);
    command(&mut chat, 1, Command::Who);
    handle(&mut chat, Input::End(ClientId(1), Departure::Lost), &mut Vec::new());
    let (_, rest) = finish(&mut chat);
    assert_eq!(rest, []);
}

#[test]
fn a_client_that_has_sent_its_last_command_gets_the_whole_list_first() {
    let (mut chat, mut out) = chat_of(200);
    command(&mut chat, 1, Command::Who);
    handle(&mut chat, Input::Eof(ClientId(1)), &mut out);
    assert_eq!(out, []);
    let (_, rest) = finish(&mut chat);
    let end = rest.iter().position(|output| *output == Output::HangUp(ClientId(1), Departure::Left)).unwrap();
    assert_eq!(count(&rest[..end], |event| matches!(event, Event::UsersEnd(_))), 1);
}

#[test]
fn many_waits_met_by_one_line_are_answered_in_pieces() {
    let (mut chat, _) = chat_of(1000);
    for client in 2..=1000 {
        command(&mut chat, client, wait(WaitFor::Gone("10.0.0.1:9".to_owned())));
    }
    let mut out = Vec::new();
    handle(&mut chat, Input::End(ClientId(1), Departure::Quit), &mut out);
    assert!(out.len() < 200, "a piece: {}", out.len());
    let (pieces, rest) = finish(&mut chat);
    assert!(pieces > 10, "{pieces}");
    out.extend(rest);
    assert_eq!(count(&out, |event| matches!(event, Event::WaitMet(_))), 999);
    assert!((2..=1000).all(|client| is_ready(&out, client)));
}

#[test]
fn a_text_is_compared_with_many_waits_in_pieces() {
    let (mut chat, _) = chat_of(1000);
    for client in 2..=1000 {
        command(&mut chat, client, wait(WaitFor::Text(format!("-{client}-"))));
    }
    let text = format!("{}-2-1000-999-", "x".repeat(4000));
    let mut out = command(&mut chat, 1, say(&text));
    assert!(!is_ready(&out, 1), "the sender pays: its next command waits");
    // Whoever begins to wait now is not met by a text that was said before.
    let (late, rest) = (1000, go_on(&mut chat));
    assert!(is_ready(&[out.clone(), rest.clone()].concat(), late));
    out.extend(rest);
    out.extend(command(&mut chat, late, wait(WaitFor::Text("-999-".to_owned()))));
    let (pieces, rest) = finish(&mut chat);
    assert!(pieces > 10, "{pieces}");
    out.extend(rest);
    assert!(is_ready(&out, 1));
    let met: Vec<_> = (2..=1000).filter(|&client| is_ready(&out, client)).collect();
    assert_eq!(met, [2, 999, 1000]);
    assert_eq!(out.iter().filter(|&output| *output == Output::Ready(ClientId(late))).count(), 1);
    assert!(chat.waits.is_waiting(ClientId(late)));
}

#[test]
fn many_waits_that_time_out_do_so_in_pieces() {
    let (mut chat, mut out) = chat_of(1000);
    for client in 1..=1000 {
        command(&mut chat, client, wait(WaitFor::User("bob".to_owned())));
    }
    let now = chat.deadline().unwrap();
    let mut pieces = 0;
    while chat.deadline().is_some() {
        let before = out.len();
        chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input: Input::Continue }, &mut out);
        assert!(out.len() - before < 500, "a piece: {}", out.len() - before);
        pieces += 1;
    }
    assert!(pieces > 10, "{pieces}");
    assert_eq!(count(&out, |event| *event == Event::WaitTimedOut), 1000);
}

#[test]
fn a_shutdown_sends_all_away_in_pieces_and_tells_nobody_of_the_others() {
    let (mut chat, mut out) = chat_of(1000);
    handle(&mut chat, Input::ShutDown, &mut out);
    assert_eq!(out, []);
    let (pieces, rest) = finish(&mut chat);
    assert!(pieces > 10, "{pieces}");
    assert_eq!(count(&rest, |event| *event == Event::Farewell(Departure::ShuttingDown)), 1000);
    assert!(!rest.iter().any(|output| matches!(output, Output::Publish(_))));
    handle(&mut chat, Input::Arrive(ClientId(1001), origin([10, 0, 0, 1], 8)), &mut out);
    assert_eq!(out.last(), Some(&Output::HangUp(ClientId(1001), Departure::ShuttingDown)));
    assert_eq!(chat.deadline(), None);
}

#[test]
fn what_is_said_during_a_shutdown_is_not_confirmed() {
    let in_builds = || Command::In { room: "builds".to_owned(), text: "x".to_owned() };
    for said in [say("x"), in_builds(), Command::Topic { room: "lobby".to_owned(), text: Some("x".to_owned()) }] {
        let (mut chat, mut out) = chat_of(2);
        handle(&mut chat, Input::ShutDown, &mut out);
        let out = command(&mut chat, 1, said);
        assert!(
            matches!(
                out[..],
                [
                    Output::Tell(ClientId(1), Event::Farewell(Departure::ShuttingDown)),
                    Output::HangUp(ClientId(1), Departure::ShuttingDown)
                ]
            ),
            "{out:?}"
        );
    }
}

#[test]
fn a_shutdown_sends_those_away_in_smaller_pieces_who_are_in_many_rooms() {
    const ROOMS: usize = 60;
    let (mut chat, _) = chat_of(100);
    for client in 1..=100 {
        for room in 0..ROOMS {
            command(&mut chat, client, Command::Join { room: format!("r{room}"), start: None });
        }
    }
    handle(&mut chat, Input::ShutDown, &mut Vec::new());
    let (pieces, _) = finish(&mut chat);
    assert_eq!(pieces, 50, "two clients each");
}

#[test]
fn those_leave_in_smaller_pieces_whose_waits_end_and_who_are_in_many_rooms() {
    const ROOMS: usize = 60;
    type End = fn(&mut Chat) -> Vec<Output>;
    let (times_out, is_met): (End, End) = (
        |chat| {
            let (now, mut out) = (chat.deadline().unwrap(), Vec::new());
            chat.handle(Entry { now, at: Timestamp::UNIX_EPOCH, input: Input::Continue }, &mut out);
            out
        },
        |chat| {
            (1..=100).for_each(|client| handle(chat, Input::Eof(ClientId(client)), &mut Vec::new()));
            command(chat, 101, say("go"))
        },
    );
    for end in [times_out, is_met] {
        let (mut chat, _) = chat_of(101);
        for client in 1..=100 {
            for room in 0..ROOMS {
                command(&mut chat, client, Command::Join { room: format!("r{room}"), start: None });
            }
            command(&mut chat, client, wait(WaitFor::Text("go".to_owned())));
        }
        let mut out = end(&mut chat);
        let left = |out: &[Output]| out.iter().filter(|output| matches!(output, Output::HangUp(..))).count();
        assert_eq!(left(&out), 2, "as many as are in 64 rooms");
        while left(&out) < 100 {
            out.extend(go_on(&mut chat));
        }
        assert_eq!(chat.members().count(), 1);
    }
}

#[test]
fn a_long_chain_of_departures_is_no_deep_one() {
    let (mut chat, mut out) = chat_of(20_000);
    for client in 1..=20_000 {
        command(&mut chat, client, Command::Rename(format!("n-{client}")));
        if client > 1 {
            command(&mut chat, client, wait(WaitFor::Gone(format!("n-{}", client - 1))));
            handle(&mut chat, Input::Eof(ClientId(client)), &mut out);
        }
    }
    handle(&mut chat, Input::Eof(ClientId(1)), &mut out);
    let (pieces, _) = finish(&mut chat);
    assert!(pieces > 100, "{pieces}");
    assert_eq!(chat.members().count(), 0);
}

#[test]
fn a_wait_that_is_met_twice_before_it_is_answered_is_answered_once() {
    let (mut chat, _) = chat_of(200);
    for client in 2..=200 {
        command(&mut chat, client, wait(WaitFor::Text("x".to_owned())));
    }
    let mut out = command(&mut chat, 1, say("x"));
    let private = Command::Private { to: "10.0.0.200:9".to_owned(), text: "x".to_owned() };
    out.extend(command(&mut chat, 1, private));
    let (_, rest) = finish(&mut chat);
    out.extend(rest);
    assert_eq!(out.iter().filter(|&output| *output == Output::Ready(ClientId(200))).count(), 1);
    out = command(&mut chat, 200, wait(WaitFor::Text("y".to_owned())));
    out.extend(finish(&mut chat).1);
    assert!(chat.waits.is_waiting(ClientId(200)) && !is_ready(&out, 200), "{out:?}");
    out.extend(command(&mut chat, 1, say("zy")));
    assert!(is_ready(&out, 200));
}
