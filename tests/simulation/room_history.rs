//! Histories of rooms that are made, left and forgotten, for clients that can be told nothing, or not now.

use std::time::Duration;

use pipechat::{
    Config,
    chat::{Command, Departure, Event, RecentLimits, RoomLimits, Start, Stretch},
    protocol::{Lang, Step},
};

use super::stage::Stage;

/// Bytes for one client alone that are too many.
const BEHIND: usize = 300 << 10;

fn join(room: &str, start: Option<Start>) -> Step {
    Step::Command(Command::Join { room: room.to_owned(), start })
}

fn say_in(room: &str, text: &str) -> Step {
    Step::Command(Command::In { room: room.to_owned(), text: text.to_owned() })
}

/// Three clients, and so many rooms beside the lobby.
fn stage(rooms: usize) -> Stage {
    let rooms = RoomLimits { rooms_max: 1 + rooms, ..RoomLimits::default() };
    let mut stage = Stage::new(Config { rooms, lang: Lang::En, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    ask(&mut stage, 1, vec![]);
    stage
}

/// What the client is told behind these.
fn ask(stage: &mut Stage, client: u64, steps: Vec<Step>) -> String {
    stage.send(client, steps.len(), steps);
    stage.rest();
    (1..=3).filter(|&other| other != client).for_each(|other| drop(stage.received(other)));
    stage.received(client)
}

#[test]
fn a_room_that_is_new_has_all_its_history_though_another_is_forgotten() {
    let last = Some(Start::Last(5));
    let ago = Some(Start::Ago(Duration::from_secs(9)));
    for start in [last, ago] {
        let mut stage = stage(1);
        ask(&mut stage, 1, vec![say_in("old", "x")]);
        let told = ask(&mut stage, 1, vec![join("new", start)]);
        assert!(told.starts_with("history|ok|new|0|1.aaaaa\n"), "{told}");
        assert!(told.ends_with("join|ok|new|1|2.aaaaa|\n"), "{told}");
    }
    // The lobby has none before somebody says something.
    let mut stage = stage(1);
    ask(&mut stage, 1, vec![say_in("old", "x"), join("new", None), Step::Command(Command::Leave("new".to_owned()))]);
    let told =
        ask(&mut stage, 1, vec![Step::Command(Command::History(Stretch::of("lobby".to_owned(), Start::Last(5))))]);
    assert_eq!(told, "history|ok|lobby|0|3.aaaaa\n");
}

#[test]
fn one_that_breaks_off_says_where_it_has_meant_to_what_it_has_sent_behind_a_replay() {
    for room in ["ops", "new"] {
        let mut stage = stage(5);
        ask(&mut stage, 2, vec![join("ops", None)]);
        let say = Step::Command(Command::Say("not for the lobby".to_owned()));
        let steps = vec![Step::Broken, join(room, Some(Start::Last(5))), say, Step::Close(Departure::Lost)];
        stage.break_off(1, steps);
        stage.rest();
        let lobby = stage.received(3);
        assert!(!lobby.contains("not for the lobby"), "{room}: {lobby}");
        assert_eq!(stage.received(2).contains(":not for the lobby\n"), room == "ops");
    }
}

#[test]
fn a_join_that_is_refused_forgets_nothing() {
    let mut stage = stage(1);
    ask(&mut stage, 1, vec![say_in("old", "x")]);
    let told = ask(&mut stage, 1, vec![join("new", Some(Start::Unknown))]);
    assert_eq!(told, "join|history-gone|new|-|older history is gone\n");
    let rooms = ask(&mut stage, 1, vec![Step::Command(Command::Rooms)]);
    assert_eq!(rooms, "rooms|3|lobby|\nrooms|0|old|\nrooms|ok|2\n");
}

#[test]
fn a_room_is_not_left_over_that_was_made_for_one_who_is_told_nothing_now() {
    let mut stage = stage(5);
    let long = Step::Command(Command::Sync("x".repeat(BEHIND)));
    stage.send(1, 1, vec![long]);
    stage.rest();
    stage.send(1, 1, vec![join("new", Some(Start::Last(5)))]);
    stage.rest();
    stage.break_off(1, vec![Step::Broken, Step::Close(Departure::Lost)]);
    stage.rest();
    stage.send(2, 1, vec![Step::Command(Command::WhoIn("new".to_owned()))]);
    let turns = stage.rest();
    let has_members = |event: &&Event| matches!(event, Event::Done(_));
    assert!(!turns.told(2).iter().any(has_members) || stage.chat.recent_bytes() > 0, "nothing holds the room");
}

#[test]
fn what_is_asked_for_since_ages_ago_is_all_there_is() {
    let mut stage = stage(5);
    ask(&mut stage, 1, vec![say_in("ops", "x")]);
    let start = Start::Ago(Duration::from_secs(u64::MAX));
    let told = ask(&mut stage, 1, vec![Step::Command(Command::History(Stretch::of("ops".to_owned(), start)))]);
    assert!(told.ends_with(":x\nhistory|ok|ops|1|1.aaaaa\n"), "{told}");
}

#[test]
fn of_hundreds_of_rooms_that_come_and_go_the_last_ones_are_kept_as_far_as_there_is_memory() {
    const BYTES_MAX: usize = 6 << 10;
    let rooms = RoomLimits { rooms_max: 20, ..RoomLimits::default() };
    let recent = RecentLimits { bytes_max: BYTES_MAX, ..RecentLimits::default() };
    let mut stage = Stage::new(Config { rooms, recent, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    // The lobby has been silent longest, and gives first.
    ask(&mut stage, 1, vec![Step::Command(Command::Say("x".repeat(100)))]);
    for n in 1..400_u32 {
        // No two of them look alike.
        let name: String = format!("{n:o}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        // All of the last twenty are kept; then one takes the place of some.
        let text = if n.is_multiple_of(150) { "x".repeat(BYTES_MAX / 2) } else { "x".to_owned() };
        ask(&mut stage, 1 + u64::from(n % 3), vec![say_in(&name, &text)]);
    }
    assert!(stage.chat.recent_bytes() > BYTES_MAX / 3, "{} bytes", stage.chat.recent_bytes());
}

#[test]
fn one_that_is_overtaken_by_what_happens_hears_again_what_happens() {
    let recent = RecentLimits { per_room_max: 10, ..RecentLimits::default() };
    let mut stage = Stage::new(Config { recent, lang: Lang::En, ..Config::default() });
    (1..=3).for_each(|client| stage.connect(client, "127.0.0.1"));
    ask(&mut stage, 1, vec![join("ops", None), say_in("ops", "x")]);
    stage.send(1, 1, vec![Step::Command(Command::Sync("x".repeat(BEHIND)))]);
    stage.rest();
    stage.send(1, 1, vec![join("ops", Some(Start::Last(5)))]);
    stage.rest();
    for n in 0..20 {
        stage.send(2, 1, vec![say_in("ops", &n.to_string())]);
        stage.rest();
    }
    stage.received(1);
    stage.rest();
    assert_eq!(stage.received(1), "join|history-gone|ops|12.aaaaa|older history is gone\n");
    stage.send(2, 1, vec![say_in("ops", "now")]);
    stage.rest();
    assert_eq!(stage.received(1), "#ops [127.0.0.1:1002]127.0.0.1:1002:now\n");
}
