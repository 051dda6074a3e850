//! Visitors as transcripts, and those that are too many for one piece of work.

use super::{super::*, origin, stage::check};

#[test]
fn nobody_is_told_of_a_visitor() {
    check("1 hi; 2 arrives to visit; 2 rename|ann", "2< @2 is ann@2");
    check("1 rename|ann; 2 hi; 1 visits; 1 rename|zoe", "1< ann@1 is zoe@1");
    check("3 arrives to visit; 2 hi; 1 rename|ann", "1< @1 is ann@1; (1),2< @1 is now ann@1");
    check("1 hi; 2 arrives to visit", "");
    check("2 arrives to visit; 2 leaves", "2 hung up: left");
    check("2 arrives to visit; 2 is silent", "2< bye idle; 2 hung up: idle");
    check("1 hi; 2 arrives to visit; 2 rename|ann; 1 who", "1< =@1; 1< =1");
    check("2 arrives to visit; 2 who", "2< =0");
}

#[test]
fn a_visitor_speaks_and_is_told_only_what_is_for_it() {
    check("2 arrives to visit; 1 hi; 2 hi", "1< @2: hi");
    check("2 arrives to visit; 1 hi; 2 rename|ci; 2 hi", "1< ci@2: hi");
    check("2 arrives to visit; 1 hi", "1< @1: hi");
    check("2 arrives to visit; 2 sync|1", "2< sync 1");
    check("2 arrives to visit; 2 to|@1|hi; 1 to|@2|hi", "2< @1> hi");
    check("2 arrives to visit; 2 rename|a b", "2< name-invalid(space)");
}

#[test]
fn one_who_visits_from_now_on_leaves_the_others() {
    check("1 hi; 2 rename|ann; 2 visits", "1< -ann@2 visit");
    check("1 hi; 2 rename|ann; 2 visits; 2 hi", "1< ann@2: hi");
    check("1 hi; 2 visits; 2 visits", "");
    check("1 hi; 2 visits; 2 leaves", "2 hung up: left");
    check("1 rename|ann; 2 wait|9|gone|ann; 1 visits", "2< -ann@1 visit; 2< met ann; 2 ready");
}

#[test]
fn a_visitor_counts_in_no_wait_and_can_wait() {
    check("2 arrives to visit; 1 wait|9|users|2", "");
    check("2 arrives to visit; 2 rename|ann; 1 wait|9|user|ann", "");
    check("2 arrives to visit; 2 rename|ann; 1 wait|9|gone|ann", "1< met ann");
    check("2 arrives to visit; 1 wait|9|user|ann; 2 rename|ann", "2< @2 is ann@2");
    check("2 arrives to visit; 2 wait|9|text|go; 1 go", "1< @1: go; 2< met go; 2 ready");
    check(
        "2 arrives to visit; 2 wait|9|user|ann; 1 rename|ann",
        "1< @1 is ann@1; (1)< @1 is now ann@1; 2< met ann; 2 ready",
    );
}

#[test]
fn visitors_may_share_a_name_but_with_nobody_who_is_here() {
    let two = "2 arrives to visit; 3 arrives to visit; 2 rename|ci";
    check(&format!("{two}; 3 rename|CI"), "3< @3 is CI@3");
    check(&format!("{two}; 3 rename|сі"), "3< name-confusable(ci)");
    check(&format!("{two}; 1 rename|ci"), "1< name-taken");
    check(&format!("{two}; 1 rename|сі"), "1< name-confusable(ci)");
    let three = "1 rename|bob; 2 arrives to visit; 3 arrives to visit; 2 rename|вов";
    check(&format!("{three}; 3 rename|ВОВ"), "3< name-confusable(bob)");
    check(&format!("{three}; 3 rename|Вов"), "3< @3 is Вов@3");
    check("2 arrives to visit; 1 rename|ci; 2 rename|ci", "2< name-taken");
    check("2 arrives to visit; 1 rename|ci; 2 rename|сі", "2< name-confusable(ci)");
    check(&format!("{two}; 3 rename|ci; 2 leaves; 1 rename|ci"), "1< name-taken");
    check(&format!("{two}; 3 rename|ci; 2 leaves; 3 rename|cd; 1 rename|ci"), "1< @1 is ci@1; (1)< @1 is now ci@1");
    check(&format!("{two}; 2 rename|ann; 1 rename|ci"), "1< @1 is ci@1; (1)< @1 is now ci@1");
    check("1 rename|ci; 1 visits; 2 rename|ci", "2< name-taken");
    check("1 rename|ci; 1 visits; 1 rename|cd; 2 rename|ci", "2< @2 is ci@2; (2)< @2 is now ci@2");
}

#[test]
fn a_private_message_reaches_all_visitors_of_a_name() {
    let two = "2 arrives to visit; 3 arrives to visit; 2 rename|ci; 3 rename|ci";
    check(&format!("{two}; 1 to|ci|hi"), "2< @1> hi; 3< @1> hi");
    check(&format!("{two}; 2 to|CI|hi"), "2< ci@2> hi; 3< ci@2> hi");
    check(&format!("{two}; 1 to|ci|"), "1< empty-text");
    check(&format!("{two}; 2 leaves; 1 to|ci|hi"), "3< @1> hi");
    check(&format!("{two}; 2 leaves; 3 leaves; 1 to|ci|hi"), "1< no-such-user");
    check(&format!("{two}; 3 wait|9|text|hi; 1 to|ci|hi"), "2< @1> hi; 3< @1> hi; 3< met hi; 3 ready");
}

/// A chat with one who is here, 1, and so many visitors called `ci`.
fn chat(visitors: u64) -> Chat {
    let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
    let addr = origin([10, 0, 0, 1], 7);
    input(&mut chat, Input::Arrive(ClientId(1), addr.clone()));
    for client in (2..).map(ClientId).take(visitors as usize) {
        input(&mut chat, Input::Visit(client, addr.clone()));
        input(&mut chat, Input::Command(client, Load::Light, Command::Rename("ci".to_owned())));
    }
    chat
}

fn input(chat: &mut Chat, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
    out
}

fn to_visitors(load: Load, text: &str) -> Input {
    Input::Command(ClientId(1), load, Command::Private { to: "ci".to_owned(), text: text.to_owned() })
}

#[test]
fn many_visitors_are_told_in_pieces_each_once() {
    let mut chat = chat(1000);
    let mut out = input(&mut chat, to_visitors(Load::Light, "hi"));
    let first = out.len();
    assert!((2..100).contains(&first), "{first} were told at once");
    let text = "x".repeat(4000);
    let of_long = input(&mut self::chat(1000), to_visitors(Load::Light, &text)).len();
    assert!(of_long < first / 3, "a long text goes to fewer at once: {of_long}");
    while chat.deadline().is_some() {
        assert!(!out.contains(&Output::Ready(ClientId(1))), "the sender goes on when all are told");
        let piece = input(&mut chat, Input::Continue);
        assert!(piece.len() <= first + 1);
        out.extend(piece);
    }
    assert_eq!(out.pop(), Some(Output::Ready(ClientId(1))));
    let told = out.iter().map(|output| match output {
        Output::Tell(client, Event::Private { .. }) => client.0,
        other => panic!("{other:?}"),
    });
    assert!(told.eq(2..=1001), "each once, in order of arrival");
}

#[test]
fn all_are_told_though_the_sender_is_gone_meanwhile() {
    for (ends, departure) in [
        (Input::Eof(ClientId(1)), Departure::Left),
        (Input::End(ClientId(1), Departure::Quit), Departure::Quit),
        (Input::End(ClientId(1), Departure::Lost), Departure::Lost),
    ] {
        let mut chat = chat(1000);
        let mut out = input(&mut chat, to_visitors(Load::Light, "hi"));
        out.extend(input(&mut chat, ends));
        while chat.deadline().is_some() {
            out.extend(input(&mut chat, Input::Continue));
        }
        let told = |output: &&Output| matches!(output, Output::Tell(_, Event::Private { .. }));
        assert_eq!(out.iter().filter(told).count(), 1000, "{departure:?}");
        let ends_with = out.iter().position(|output| *output == Output::HangUp(ClientId(1), departure));
        assert!(ends_with.is_some_and(|end| end >= 1000), "behind its last words");
    }
    let mut chat = chat(1000);
    input(&mut chat, to_visitors(Load::Light, "hi"));
    let out = input(&mut chat, Input::End(ClientId(1), Departure::SlowConsumer));
    assert!(out.contains(&Output::HangUp(ClientId(1), Departure::SlowConsumer)), "it is not kept for that");
}

#[test]
fn visitors_that_are_behind_are_left_out_and_the_sender_is_told_if_all_are() {
    let mut chat = chat(2);
    let refused = Output::tell(ClientId(1), Event::Refused(Refusal::RecipientBehind));
    input(&mut chat, Input::Congested(ClientId(2), Congestion::Behind));
    assert!(matches!(
        &input(&mut chat, to_visitors(Load::Heavy, "hi"))[..],
        [Output::Tell(ClientId(3), Event::Private { .. }), Output::Ready(ClientId(1))]
    ));
    assert_eq!(input(&mut chat, to_visitors(Load::Light, "hi")).len(), 3, "light ones reach both");
    input(&mut chat, Input::Congested(ClientId(3), Congestion::FarBehind));
    assert_eq!(input(&mut chat, to_visitors(Load::Heavy, "hi")), [refused, Output::Ready(ClientId(1))]);
}

#[test]
fn at_the_end_visitors_are_sent_away_too() {
    let mut chat = chat(2);
    input(&mut chat, Input::ShutDown);
    let out = input(&mut chat, Input::Continue);
    let hung_up = out.iter().filter(|output| matches!(output, Output::HangUp(_, Departure::ShuttingDown))).count();
    assert_eq!((hung_up, chat.deadline()), (3, None));
    let late = input(&mut chat, Input::Visit(ClientId(9), origin([10, 0, 0, 1], 9)));
    assert_eq!(late.last(), Some(&Output::HangUp(ClientId(9), Departure::ShuttingDown)));
}
