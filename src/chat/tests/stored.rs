//! What the chat asks of a store, and what it does with the answers.

mod merged;
mod restored;
mod resumed;
mod stage;

use super::{super::*, origin};
use stage::{ANN, BOB, Stage};

/// `1`, `2` … as Ann is told of them again.
fn numbers(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn what_memory_has_given_up_is_asked_of_the_store() {
    for (start, first) in [("since|0", 1), ("since|595", 596), ("since|600", 601), ("since|590", 591), ("600", 1)] {
        let mut stage = Stage::new(5);
        stage.say(600);
        stage.told.clear();
        stage.line(ANN, &format!("history|lobby|{start}"));
        assert_eq!(stage.asked.is_some(), first <= 595, "{start}");
        let expected = [numbers(first..=600), vec![format!("{} until 600", 601 - first)]].concat();
        assert_eq!(stage.finish(), expected, "{start}");
    }
}

#[test]
fn a_time_is_looked_up_in_the_store_too() {
    let mut stage = Stage::new(2);
    stage.say(9);
    stage.told.clear();
    stage.line(ANN, "history|lobby|since|1970-01-01T00:00:07Z"); // the seventh was said then
    assert_eq!(stage.finish(), ["7", "8", "9", "3 until 9"]);
    stage.line(ANN, "history|lobby|since|4s"); // it is the tenth second
    assert_eq!(stage.finish(), ["6", "7", "8", "9", "4 until 9"]);
    stage.gone = 7;
    stage.line(ANN, "history|lobby|since|4s");
    assert_eq!(stage.finish(), ["gone, oldest 7"]);
    stage.line(ANN, "history|lobby|since|1970-01-01T00:00:08Z");
    assert_eq!(stage.finish(), ["8", "9", "2 until 9"]);
}

#[test]
fn so_long_ago_is_counted_from_the_question_and_not_from_the_answer() {
    let mut stage = Stage::new(2);
    stage.say(9);
    stage.told.clear();
    stage.gone = 6; // which happened in the sixth second
    stage.line(ANN, "history|lobby|since|4s"); // it is the tenth
    stage.say(3);
    stage.told.clear();
    assert_eq!(stage.finish(), ["gone, oldest 6"], "though by now nothing is gone of the last 4 seconds");
}

#[test]
fn what_the_store_has_given_up_is_gone() {
    let mut stage = Stage::new(2);
    stage.say(600);
    stage.gone = 300;
    for (line, told) in [
        ("history|lobby|since|299", vec!["gone, oldest 300"]),
        ("history|lobby|since|595.zzzzz", vec!["gone, oldest 300"]),
        ("history|lobby|since|1.unknown", vec!["gone, oldest 300"]),
        ("history|lobby|since|598", vec!["599", "600", "2 until 600"]),
        ("join|lobby|since|5", vec!["gone, oldest 300"]),
    ] {
        stage.told.clear();
        stage.line(ANN, line);
        assert_eq!(stage.finish(), told, "{line}");
    }
    stage.say(1);
    assert_eq!(stage.finish(), ["live 601"], "she hears what happens again");
    stage.line(ANN, "history|lobby|1000");
    assert_eq!(stage.finish().len(), 302);
}

#[test]
fn more_than_a_thousand_is_not_asked_of_the_store_at_once() {
    let mut stage = Stage::new(2);
    stage.say(1500);
    stage.told.clear();
    stage.line(ANN, "history|lobby|since|0");
    let expected = [numbers(1..=1000), vec!["1000 until 1000, more".to_owned()]].concat();
    assert_eq!(stage.finish(), expected);
    stage.line(ANN, "history|lobby|since|1000");
    assert_eq!(stage.finish().last().map(String::as_str), Some("500 until 1500"));
}

#[test]
fn what_happens_while_the_store_is_asked_is_told_once_and_in_order() {
    for per_room_max in [1, 3, 100, 1000] {
        let mut stage = Stage::new(per_room_max);
        stage.say(700);
        stage.told.clear();
        stage.line(ANN, "join|lobby|since|0");
        for _ in 0..9 {
            stage.say(7);
            if stage.asked.is_some() {
                stage.answer();
            }
            stage.say(3);
            stage.input(Input::Continue);
        }
        let told = stage.finish();
        let end = told.iter().position(|told| told == "in").expect("she has joined");
        let past = end - 1; // behind it is what it comes to
        assert!(past >= 707, "{per_room_max}");
        let live = (past + 1..=790).map(|n| format!("live {n}"));
        let expected: Vec<_> =
            numbers(1..=past as u64).into_iter().chain(told[past..=end].to_vec()).chain(live).collect();
        assert_eq!(told, expected, "{per_room_max}");
    }
}

#[test]
fn one_who_joins_again_is_not_overtaken_by_a_fast_room() {
    for per_room_max in [0, 1, 30] {
        let mut stage = Stage::new(per_room_max);
        stage.say(500);
        stage.told.clear();
        stage.line(ANN, "join|lobby|since|0");
        stage.say(200);
        stage.answer();
        while stage.chat.deadline().is_some() {
            stage.say(10);
            stage.input(Input::Continue);
        }
        assert!(stage.asked.is_none(), "the store is asked once");
        let told = stage.finish();
        let past = told.iter().position(|told| told.contains("until")).expect("the end of what is past");
        assert_eq!(told[..past], numbers(1..=past as u64), "{per_room_max}");
        assert_eq!(told[past + 1], "in");
        assert!(stage.in_memory() > 200, "{per_room_max}");
        stage.say(1);
        assert_eq!(stage.in_memory(), per_room_max.max(1));
    }
}

#[test]
fn who_reads_slowly_or_does_not_join_holds_no_more_in_memory_than_there_is() {
    for (line, congestion) in [
        ("history|lobby|since|0", Congestion::None),
        ("join|lobby|since|0", Congestion::Behind),
        ("join|lobby|since|0", Congestion::FarBehind),
    ] {
        let mut stage = Stage::new(2);
        stage.say(1500);
        stage.line(ANN, line);
        stage.say(7);
        stage.input(Input::Congested(ANN, congestion));
        if congestion != Congestion::None {
            stage.answer();
            assert!(stage.asked.is_none(), "a page is enough for now");
        }
        stage.say(1);
        assert_eq!(stage.in_memory(), 2, "{line}, {congestion:?}");
    }
}

#[test]
fn what_is_held_for_those_who_join_again_has_the_bound_of_all_that_is_recent() {
    let mut stage = Stage::new(2);
    stage.say(600);
    stage.line(ANN, "join|lobby|since|0");
    stage.say(20);
    assert_eq!(stage.in_memory(), 22);
    stage.input(Input::Shrink(usize::MAX));
    assert_eq!(stage.in_memory(), 0);
    assert_eq!(stage.finish().last().map(String::as_str), Some("in"), "it is asked of the store again");
}

#[test]
fn a_client_that_has_left_is_not_told_what_it_asked() {
    let mut stage = Stage::new(1);
    stage.say(9);
    stage.line(ANN, "history|lobby|9");
    stage.told.clear();
    stage.input(Input::End(ANN, Departure::Lost));
    stage.answer();
    assert!(stage.told.iter().all(|told| told.starts_with("live")), "{:?}", stage.told);
    assert!(stage.chat.questions.is_empty() && stage.chat.deadline().is_none());
}

#[test]
fn one_who_has_sent_all_waits_for_the_store() {
    let mut stage = Stage::new(1);
    stage.say(9);
    stage.told.clear();
    stage.line(ANN, "history|lobby|9");
    stage.input(Input::Eof(ANN));
    assert!(stage.chat.members.get(ANN).is_some());
    assert_eq!(stage.finish().len(), 10);
    assert!(stage.chat.members.get(ANN).is_none());
}

#[test]
fn a_store_that_cannot_be_read_is_no_reason_to_hang() {
    let mut stage = Stage::new(1);
    stage.say(9);
    for line in ["history|lobby|9", "join|lobby|since|0", "history|lobby|since|5m"] {
        stage.told.clear();
        stage.line(ANN, line);
        stage.asked.take().expect("a question");
        stage.input(Input::Answered(ANN, None));
        assert_eq!(stage.finish(), ["store-failed"], "{line}");
    }
    stage.say(1);
    assert_eq!(stage.finish(), ["live 10"]);
}

#[test]
fn nothing_is_said_that_cannot_be_kept() {
    let mut stage = Stage::new(9);
    stage.line(ANN, "join|a");
    stage.input(Input::StoreDown);
    let said = stage.kept.len();
    for line in ["hi", "in|lobby|hi", "in|new|hi", "topic|a|red"] {
        stage.told.clear();
        stage.line(ANN, line);
        assert_eq!(stage.finish(), ["not-stored"], "{line}");
    }
    assert_eq!(stage.kept.len(), said);
    stage.line(ANN, "topic|a");
    stage.line(BOB, "join|a");
    assert_eq!(stage.kept.len(), said + 1, "who comes and goes is told, and kept later");
    stage.input(Input::StoreUp);
    stage.line(ANN, "hi");
    assert_eq!(stage.kept.len(), said + 2);
}

#[test]
fn what_is_known_of_a_room_is_kept_and_forgotten() {
    let mut stage = Stage::new(9);
    for line in ["join|a", "topic|a|red", "in|b|x", "topic|b|", "join|a", "in|lobby|x"] {
        stage.line(ANN, line);
    }
    assert_eq!(stage.remembered, ["a  10.0.0.1", "a red 10.0.0.1", "b  10.0.0.1", "b  10.0.0.1"]);
    (0..90).for_each(|n| stage.line(BOB, &format!("join|room-{n}")));
    assert!(stage.forgotten.is_empty());
    let mut small = Stage::new(9);
    small.chat = Chat::new(
        Rules { has_store: true, rooms: RoomLimits { rooms_max: 3, per_client_max: 9 }, ..Rules::default() },
        Epoch::from_random(0),
    );
    small.input(Input::Arrive(ANN, origin([10, 0, 0, 1], 1)));
    for line in ["in|a|x", "in|b|x", "in|a|y", "in|c|x"] {
        small.line(ANN, line);
    }
    assert_eq!(small.forgotten, ["b".into()]);
}

#[test]
fn those_whom_a_shutdown_sends_away_are_kept_as_gone() {
    for (store, expected) in [(Input::StoreUp, 2), (Input::StoreDown, 0)] {
        let mut stage = Stage::new(10);
        stage.line(ANN, "join|builds");
        stage.line(BOB, "join|builds");
        let before = stage.kept.len();
        stage.input(store);
        stage.input(Input::ShutDown);
        stage.line(BOB, "in|builds|nobody is told this");
        stage.finish();
        let gone = |record: &Record| match &record.event {
            KeptEvent::Public(event) => matches!(**event, PublicEvent::Offline(_, Departure::ShuttingDown)),
            KeptEvent::Private { .. } => false,
        };
        assert!(stage.kept[before..].iter().all(gone), "{:?}", stage.kept);
        assert_eq!(stage.kept.len() - before, expected, "{:?}", stage.kept);
    }
}
