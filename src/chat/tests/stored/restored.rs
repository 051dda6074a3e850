//! A start with what a store has kept, and a store that has failed for long.

use super::{super::origin, *};

fn past(name: &str, last: u64) -> PastRoom {
    PastRoom {
        name: name.to_owned(),
        topic: None,
        keeper: Some("10.0.0.7".parse().unwrap()),
        is_locked: false,
        last,
        gone: None,
    }
}

#[test]
fn a_chat_goes_on_where_its_store_has_left_off() {
    let rules = Rules { has_store: true, rooms: RoomLimits { rooms_max: 4, per_client_max: 2 }, ..Rules::default() };
    let mut stage = Stage::new(1);
    stage.chat = Chat::new(rules, Epoch::from_random(0));
    let mut out = Vec::new();
    let rooms = [
        past("eldest", 1),
        past("a", 3),
        past("empty", 0),
        past("x y", 4),
        past("lobby", 30),
        PastRoom { keeper: None, topic: Some("red".into()), ..past("B", 40) },
        past("c", 41),
    ];
    stage.chat.restore(100, 0, &rooms, &mut out);
    let forget = |name: &str| Output::Forget(name.into());
    assert_eq!(out, ["eldest", "a", "empty", "x y"].map(forget), "too many, the eldest first; and what is no name");
    stage.chat.rooms.assert_mirrors();
    stage.input(Input::Arrive(ANN, origin([10, 0, 0, 1], 1)));
    stage.told.clear();
    stage.line(ANN, "in|lobby|hi");
    assert_eq!(stage.finish(), ["live 100"], "numbers go on");
    stage.line(ANN, "history|B");
    assert!(matches!(stage.asked, Some(Query::SeekLast { .. })), "its events are in the store");
}

#[test]
fn a_room_that_nothing_keeps_is_not_there_again() {
    let mut stage = Stage::new(1);
    let mut out = Vec::new();
    let gone = Some(Gone { n: 8, at: Timestamp::UNIX_EPOCH });
    let rooms = [
        past("empty", 0),
        PastRoom { topic: Some("red".into()), ..past("named", 0) },
        past("full", 7),
        PastRoom { gone, ..past("emptied", 0) },
        PastRoom { is_locked: true, ..past("locked", 0) },
    ];
    stage.chat.restore(9, 0, &rooms, &mut out);
    assert_eq!(out, ["empty", "emptied"].map(|name| Output::Forget(name.into())));
    stage.chat.rooms.assert_mirrors();
    stage.line(ANN, "join|new|since|7");
    assert_eq!(stage.finish(), ["gone, oldest 0"], "what is gone may have been of a room of this name");
    stage.line(ANN, "join|new|since|8");
    assert_eq!(stage.finish(), ["0 until 8", "live 9", "in"]);
}

#[test]
fn what_was_forgotten_before_a_start_is_gone_in_a_new_room_too() {
    let mut stage = Stage::new(1);
    stage.chat.restore(100, 50, &[], &mut Vec::new());
    stage.line(ANN, "join|a|since|49");
    assert_eq!(stage.finish(), ["gone, oldest 0"]);
    stage.line(ANN, "join|a|since|50");
    assert_eq!(stage.finish(), ["0 until 99", "live 100", "in"]);
}

#[test]
fn so_much_is_kept_while_a_store_fails() {
    let mut stage = Stage::new(1);
    stage.line(ANN, "join|a");
    let before = stage.kept.len();
    stage.input(Input::StoreDown);
    for _ in 0..2500 {
        stage.line(BOB, "join|a");
        stage.line(BOB, "leave|a");
    }
    assert_eq!(stage.kept.len() - before, 4096);
    stage.input(Input::StoreUp);
    stage.line(BOB, "join|a");
    assert_eq!(stage.kept.len() - before, 4097);
}

#[test]
fn a_room_stays_locked_though_nothing_else_is_kept_of_it() {
    let mut stage = Stage::new(1);
    let locked = PastRoom { is_locked: true, ..past("ops", 0) };
    stage.chat.restore(9, 0, &[locked], &mut Vec::new());
    let ops = RoomOrder { room: "ops".into(), maker: Some("ann".into()), is_locked: true, roles: Vec::new() };
    stage.chat.restore_order(PastOrder { sanctions: Vec::new(), rooms: vec![ops] });
    stage.line(ANN, "join|ops");
    assert_eq!(stage.finish(), ["room-locked"]);
    stage.line(ANN, "join|other");
    assert_eq!(stage.finish(), ["live 9", "in"]);
}
