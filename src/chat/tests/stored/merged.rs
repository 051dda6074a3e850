//! The history of several rooms as one, from memory alone and with a store.

use super::*;

const A: &str = "a";
const B: &str = "b";

fn history(rooms: &[&str], start: Start) -> Stretch {
    let rooms = rooms.iter().map(|&room| room.to_owned()).collect();
    Stretch { rooms, most: usize::MAX, ..Stretch::of(String::new(), start) }
}

fn follow(rooms: &[&str], start: Start) -> Command {
    let Stretch { rooms, start, kinds, .. } = history(rooms, start);
    Command::Follow { rooms, start, kinds }
}

/// Worlds with and without a store, with a long memory, a short one, and pages of two.
fn worlds(check: impl Fn(&mut Stage)) {
    for (has_store, per_room_max, page_max) in [(false, 5000, 0), (true, 5000, 1000), (true, 2, 1000), (true, 1, 2)] {
        let recent = RecentLimits { per_room_max, ..RecentLimits::default() };
        let mut stage = Stage::by(Rules { has_store, recent, ..Rules::default() });
        stage.page_max = page_max;
        check(&mut stage);
    }
}

/// What Ann is told when she asks for this.
fn told(stage: &mut Stage, command: Command) -> Vec<String> {
    stage.told.clear();
    stage.command(ANN, command);
    stage.finish()
}

/// Bob speaks in these rooms, in this order, and joins where an upper-case letter stands.
fn happen(stage: &mut Stage, rooms: &str) {
    for room in rooms.chars() {
        match room {
            'A' | 'B' => stage.line(BOB, &format!("join|{}", room.to_lowercase())),
            _ => stage.line(BOB, &format!("in|{room}|x")),
        }
    }
}

#[test]
fn several_rooms_have_one_order() {
    worlds(|stage| {
        happen(stage, "abbcaab");
        let all = |start| Command::History(history(&[B, A, B, "#A"], start));
        assert_eq!(told(stage, all(Start::Behind(0, None))), ["1", "2", "3", "5", "6", "7", "6 until 7"]);
        assert_eq!(told(stage, all(Start::Behind(3, None))), ["5", "6", "7", "3 until 7"]);
        assert_eq!(told(stage, all(Start::Last(4))), ["3", "5", "6", "7", "4 until 7"]);
        assert_eq!(told(stage, all(Start::Last(0))), ["0 until 7"]);
        assert_eq!(told(stage, all(Start::Last(99))), ["1", "2", "3", "5", "6", "7", "6 until 7"]);
        let third = Start::At("1970-01-01T00:00:03Z".parse().unwrap());
        assert_eq!(told(stage, all(third)), ["3", "5", "6", "7", "4 until 7"]);
    });
}

#[test]
fn what_is_not_wanted_does_not_count() {
    worlds(|stage| {
        happen(stage, "aBbAab"); // 2 and 4 are notices
        stage.line(BOB, "topic|a|red");
        let messages = |start| Command::History(Stretch { kinds: Kinds::Messages, ..history(&[A, B], start) });
        assert_eq!(told(stage, messages(Start::Last(3))), ["3", "5", "6", "3 until 7"]);
        assert_eq!(told(stage, messages(Start::Last(9))), ["1", "3", "5", "6", "4 until 7"]);
        assert_eq!(told(stage, messages(Start::Behind(1, None))), ["3", "5", "6", "3 until 7"]);
        let one = Stretch { most: 1, kinds: Kinds::Messages, ..history(&[A, B], Start::Behind(3, None)) };
        assert_eq!(told(stage, Command::History(one))[0], "5");
    });
}

#[test]
fn older_history_is_what_lies_before_a_position() {
    worlds(|stage| {
        happen(stage, "abbaBab"); // 5 is a notice
        let before = |n, epoch, start| {
            let before = Some((n, epoch));
            Command::History(Stretch { before, kinds: Kinds::Messages, ..history(&[A, B], start) })
        };
        let own = Some(Epoch::from_random(0));
        assert_eq!(told(stage, before(7, own, Start::Last(2))), ["4", "6", "2 until 6"]);
        assert_eq!(told(stage, before(6, None, Start::Last(2))), ["3", "4", "2 until 5"]);
        assert_eq!(told(stage, before(2, own, Start::Last(2))), ["1", "1 until 1"]);
        assert_eq!(told(stage, before(1, own, Start::Last(2))), ["0 until 0"]);
        assert_eq!(told(stage, before(0, own, Start::Last(2))), ["0 until 0"]);
        assert_eq!(told(stage, before(99, None, Start::Last(1))), ["7", "1 until 7"]);
        assert_eq!(told(stage, before(4, own, Start::Behind(1, None))), ["2", "3", "2 until 3"]);
        assert_eq!(told(stage, before(2, own, Start::Behind(5, None))), ["0 until 1"]);
        for (n, epoch) in [(99, own), (3, Some(Epoch::from_random(1)))] {
            assert_eq!(told(stage, before(n, epoch, Start::Last(1))), ["gone, oldest 0"]);
        }
    });
}

#[test]
fn it_may_have_more_than_a_thousand() {
    worlds(|stage| {
        happen(stage, &"ab".repeat(1100));
        for start in [Start::Behind(0, None), Start::Last(2200)] {
            let told = told(stage, Command::History(history(&[A, B], start)));
            assert_eq!(told[..2200], numbers(1..=2200));
            assert_eq!(told[2200..], ["2200 until 2200"]);
        }
        let some = Stretch { most: 1500, ..history(&[A, B], Start::Behind(0, None)) };
        assert_eq!(told(stage, Command::History(some)).last().unwrap(), "1500 until 1500, more");
    });
}

#[test]
fn the_last_events_are_those_behind_which_nothing_is_missing() {
    let recent = RecentLimits { per_room_max: 3, ..RecentLimits::default() };
    let mut stage = Stage::by(Rules { recent, ..Rules::default() });
    happen(&mut stage, "bbaaaab"); // 3 is not in memory any more
    let all = |start| Command::History(history(&[A, B], start));
    assert_eq!(told(&mut stage, all(Start::Last(9))), ["4", "5", "6", "7", "4 until 7"], "one can go on from each");
    assert_eq!(told(&mut stage, all(Start::Last(2))), ["6", "7", "2 until 7"]);
    for start in [Start::Behind(2, None), Start::At(Stage::at(3))] {
        assert_eq!(told(&mut stage, all(start)), ["gone, oldest 3"], "{start:?}");
    }
    assert_eq!(told(&mut stage, all(Start::Behind(3, None)))[0], "4");
    assert_eq!(told(&mut stage, all(Start::At(Stage::at(4))))[0], "4");
}

#[test]
fn rooms_that_are_new_have_missed_nothing_though_another_one_was_forgotten() {
    let rooms = RoomLimits { rooms_max: 4, per_client_max: 9 };
    let mut stage = Stage::by(Rules { rooms, ..Rules::default() });
    happen(&mut stage, "abcdec"); // for d, a is forgotten; for e, b is
    let all = |start| Command::History(history(&["c", "e"], start));
    for start in [Start::Last(9), Start::At(Stage::at(1))] {
        assert_eq!(told(&mut stage, all(start)), ["3", "5", "6", "3 until 6"], "{start:?}");
    }
    assert_eq!(told(&mut stage, all(Start::Behind(0, None))), ["gone, oldest 1"], "e may have been a");
}

#[test]
fn all_rooms_that_are_followed_are_joined_at_once() {
    worlds(|stage| {
        happen(stage, "abac");
        let all = told(stage, follow(&["a", "new", "lobby", "A"], Start::Last(1)));
        assert_eq!(all, ["3", "1 until 4", "live 5", "in", "live 6", "in", "in"], "the lobby tells of nobody");
        happen(stage, "abn");
        stage.line(BOB, "in|new|x");
        stage.say(1);
        assert_eq!(stage.finish(), ["live 7", "live 10", "live 11"]);
        assert_eq!(
            told(stage, follow(&["b", "a"], Start::Behind(6, None))),
            ["7", "8", "2 until 11", "live 12", "in", "in"]
        );
    });
}

#[test]
fn rooms_that_others_make_meanwhile_are_told_of_too() {
    worlds(|stage| {
        happen(stage, &"a".repeat(300));
        stage.told.clear();
        stage.command(ANN, follow(&["a", "b"], Start::Behind(0, None)));
        happen(stage, "bab");
        let told = stage.finish();
        assert_eq!(told[..304], [numbers(1..=303), vec!["303 until 303".to_owned()]].concat());
        assert_eq!(told[304..], ["live 304", "in", "live 305", "in"]);
    });
}

#[test]
fn if_one_room_cannot_be_joined_none_is() {
    let seventeen: Vec<_> = (0..17).map(|n| format!("r{n}")).collect();
    let seventeen: Vec<_> = seventeen.iter().map(String::as_str).collect();
    worlds(|stage| {
        happen(stage, "ab");
        let rooms = |stage: &Stage| stage.chat.rooms.len();
        let before = rooms(stage);
        for (names, refusal) in [
            (&["a", "x y"][..], "room-invalid"),
            (&["a", "@"], "room-invalid"),
            (&["a", "new", "l\u{43e}bby"], "room-confusable"),
            (&seventeen, "too-many-rooms"),
            (&[], "no-such-room"),
        ] {
            assert_eq!(told(stage, follow(names, Start::Last(9))), [refusal], "{names:?}");
        }
        assert_eq!(
            told(stage, follow(&["new", "n\u{435}w"], Start::Last(9))),
            ["room-confusable"],
            "one like the other"
        );
        assert_eq!(told(stage, follow(&["a", "ne", "nev", "neu"], Start::Unknown)), ["gone, oldest 0"]);
        for names in [&["a", "nowhere"][..], &seventeen, &["@", "a"]] {
            let all = Command::History(history(names, Start::Last(9)));
            let refusal = if names.len() > 2 { "too-many-rooms" } else { "no-such-room" };
            assert_eq!(told(stage, all), [refusal]);
        }
        assert_eq!((rooms(stage), stage.listening.len()), (before, 1), "she is in the lobby");
        stage.chat.rooms.assert_mirrors();
    });
}

#[test]
fn nobody_follows_more_rooms_than_one_may_be_in() {
    let mut stage = Stage::by(Rules { rooms: RoomLimits { rooms_max: 9, per_client_max: 2 }, ..Rules::default() });
    happen(&mut stage, "ab");
    assert_eq!(told(&mut stage, follow(&["a", "b", "lobby"], Start::Last(0))).len(), 1 + 2 * 2 + 1);
    assert_eq!(told(&mut stage, follow(&["b", "a"], Start::Last(0))), ["0 until 4", "in", "in"], "she is there");
    assert_eq!(told(&mut stage, follow(&["a", "c"], Start::Last(0))), ["too-many-rooms"]);
    assert_eq!(told(&mut stage, follow(&["c"], Start::Last(0))), ["too-many-rooms"]);
}

#[test]
fn a_room_that_gives_way_for_a_new_one_is_not_joined() {
    let mut stage = Stage::by(Rules { rooms: RoomLimits { rooms_max: 2, per_client_max: 9 }, ..Rules::default() });
    happen(&mut stage, "a");
    assert_eq!(told(&mut stage, follow(&["a", "b"], Start::Last(0))), ["no-such-room"]);
    assert_eq!((stage.chat.rooms.len(), stage.listening.len()), (1, 1), "neither is there");
    stage.chat.rooms.assert_mirrors();
    stage.chat.members.assert_mirrors();
}

#[test]
fn one_that_is_sent_out_of_a_room_meanwhile_joins_none() {
    let mut stage = Stage::new(1);
    happen(&mut stage, "ab");
    told(&mut stage, follow(&["a", "b"], Start::Last(0)));
    stage.command(ANN, follow(&["a", "b"], Start::Behind(0, None)));
    assert!(stage.asked.is_some() && stage.listening.len() == 1);
    let b = stage.chat.room("b").unwrap();
    stage.chat.members.get_mut(ANN).unwrap().rooms.remove(b);
    stage.chat.rooms.leave(b, ANN);
    assert_eq!(stage.finish(), ["not-in-room"]);
    assert_eq!(stage.listening.len(), 2, "she is told again what happens in the other one");
}

#[test]
fn a_broken_connection_joins_all_that_it_has_asked_for() {
    worlds(|stage| {
        happen(stage, &"a".repeat(200));
        stage.command(ANN, follow(&["a", "new"], Start::Behind(0, None)));
        stage.input(Input::Broken(ANN));
        stage.finish();
        assert_eq!(stage.listening.len(), 3);
    });
}

#[test]
fn one_that_reads_slowly_pauses_and_holds_nothing() {
    let mut stage = Stage::new(2);
    happen(&mut stage, &"ab".repeat(1500));
    stage.told.clear();
    stage.command(ANN, follow(&["a", "b"], Start::Behind(0, None)));
    stage.input(Input::Congested(ANN, Congestion::Behind));
    stage.answer();
    assert!(stage.asked.is_none(), "a page is enough for now");
    assert_eq!(stage.told, numbers(1..=1000));
    stage.told.clear();
    happen(&mut stage, "ab");
    let rooms = ["a", "b"].map(|name| (stage.chat.room(name).unwrap(), 0));
    assert_eq!(stage.chat.recent.after(rooms.into_iter()).count(), 4);
    stage.input(Input::Congested(ANN, Congestion::None));
    assert_eq!(stage.finish()[..2002], numbers(1001..=3002));
}

#[test]
fn a_room_with_nothing_but_notices_is_looked_at_in_pieces() {
    let recent = RecentLimits { per_room_max: 20_000, ..RecentLimits::default() };
    let mut stage = Stage::by(Rules { recent, ..Rules::default() });
    happen(&mut stage, "a");
    for _ in 0..5000 {
        stage.line(BOB, "join|a");
        stage.line(BOB, "leave|a");
    }
    happen(&mut stage, "a");
    stage.told.clear();
    stage.command(ANN, Command::History(Stretch { kinds: Kinds::Messages, ..history(&[A], Start::Behind(0, None)) }));
    assert!(stage.told.is_empty() && stage.chat.has_work());
    let mut pieces = 0;
    while stage.chat.has_work() {
        stage.input(Input::Continue);
        pieces += 1;
    }
    assert_eq!((&stage.finish()[..], pieces), (&["1", "10002", "2 until 10002"].map(str::to_owned)[..], 20));
}
