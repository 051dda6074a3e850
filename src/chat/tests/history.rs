//! What has happened in rooms, as transcripts. `7| ann@1: hi` is the event of number 7, told again.

use super::{
    super::*,
    origin,
    stage::{check, check_by},
};

fn few() -> Rules {
    Rules { recent: RecentLimits { per_room_max: 2, ..RecentLimits::default() }, ..Rules::default() }
}

#[test]
fn what_has_happened_is_told_to_those_who_ask() {
    check("2 in|a|x; 2 in|b|y; 1 history|#A", "1< 1| #a @2: x; 1< 1 of a until 2");
    check("1 hi; 2 ho; 2 history|lobby", "2< 1| @1: hi; 2< 2| @2: ho; 2< 2 of lobby until 2");
    check("1 hi; 2 ho; 2 history|lobby|1", "2< 2| @2: ho; 2< 1 of lobby until 2");
    check("1 hi; 1 history|lobby|0", "1< 0 of lobby until 1");
    check("1 hi; 2 ho; 3 ha; 2 history|lobby|since|2", "2< 3| @3: ha; 2< 1 of lobby until 3");
    check("1 hi; 2 history|lobby|since|99", "2< 0 of lobby until 1");
    check("1 hi; 2 history|lobby|since|0.aaaaa", "2< 1| @1: hi; 2< 1 of lobby until 1");
    check("2 arrives to visit; 1 hi; 2 history|lobby", "2< 1| @1: hi; 2< 1 of lobby until 1");
    check("1 history|nowhere", "1< no: no-such-room");
    check("1 hi; 2 history|lobby; 2 ho", "1,2< @2: ho");
}

#[test]
fn in_rooms_all_is_kept_and_of_the_lobby_what_is_said() {
    check(
        "1 join|a; 1 rename|ann; 1 topic|a|red; 1 leave|a; 2 history|a",
        "2< 1| #a >@1; 2< 2| #a @1 is now ann@1; 2< 3| #a ann@1 topic: red; 2< 4| #a <ann@1; 2< 4 of a until 4",
    );
    check("1 join|a; 1 leaves; 2 history|a", "2< 1| #a >@1; 2< 2| #a -@1 left; 2< 2 of a until 2");
    check("1 rename|ann; 1 hi; 1 leaves; 2 history|lobby", "2< 1| ann@1: hi; 2< 1 of lobby until 1");
    let presence = Rules { keeps_presence: true, ..Rules::default() };
    check_by(presence, "1 leaves; 2 history|lobby", "2< 1| +@1; 2< 2| +@2; 2< 3| -@1 left; 2< 3 of lobby until 3");
}

#[test]
fn one_who_joins_is_told_before_what_it_has_missed() {
    check("2 join|a; 2 x; 1 join|a|since|1", "1< 2| #a @2: x; 1< 1 of a until 2; 2,1< #a >@1; 1< in a 2");
    check("2 join|a; 2 x; 1 join|a|last|1; 2 y", "2,1< #a @2: y");
    check("1 join|a|last|5", "1< 0 of a until 0; 1< #a >@1; 1< in a 1");
    check("1 join|a|since|0.aaaaa", "1< 0 of a until 0; 1< #a >@1; 1< in a 1");
    check("2 hi; 1 join|lobby|since|0", "1< 1| @2: hi; 1< 1 of lobby until 1; 1< in lobby 2");
    check("2 hi; 1 join|lobby|since|0; 2 ho", "2,1< @2: ho");
    check("2 hi; 1 join|b; 1 join|lobby|last|0; 1 ho", "2,1< @1: ho");
}

#[test]
fn a_broken_connection_speaks_in_the_room_that_it_has_joined() {
    check("2 join|a; 1 breaks; 1 join|a|since|0; 1 hi", "2,1< #a @1: hi");
    check("2 join|a; 1 breaks; 1 history|a; 1 hi", "1,2< @1: hi");
}

#[test]
fn what_is_not_kept_any_more_cannot_be_told() {
    let four = "2 1; 2 2; 2 3; 2 4; ";
    check_by(few(), &format!("{four}1 history|lobby|since|1"), "1< no: history-gone, oldest 2");
    check_by(few(), &format!("{four}1 history|lobby|since|2"), "1< 3| @2: 3; 1< 4| @2: 4; 1< 2 of lobby until 4");
    check_by(few(), &format!("{four}1 history|lobby|9"), "1< 3| @2: 3; 1< 4| @2: 4; 1< 2 of lobby until 4");
    check_by(few(), &format!("{four}1 join|lobby|since|1; 2 5"), "2,1< @2: 5");
    check_by(few(), &format!("{four}1 history|lobby|since|5m"), "1< no: history-gone, oldest 2");
    check("2 in|a|x; 1 join|a|since|0.bbbbb", "1< no: history-gone, oldest 0");
    check("1 join|a|since|0.bbbbb; 1 rooms", "1< lobby 1; 1< 1 rooms");
    check("1 history|lobby|since|0.unknown", "1< no: history-gone, oldest 0");
}

/// Three rooms with a history, of which one was forgotten.
fn forgotten(then: &str, told: &str) {
    let rules = Rules { rooms: RoomLimits { rooms_max: 3, per_client_max: 9 }, ..Rules::default() };
    check_by(rules, &format!("1 in|one|1; 1 in|two|2; 1 in|three|3; {then}"), told);
}

#[test]
fn a_room_that_was_forgotten_takes_nothing_from_others() {
    forgotten("1 history|lobby", "1< 0 of lobby until 3");
    forgotten("1 history|lobby|since|0", "1< 0 of lobby until 3");
    forgotten("1 hi; 1 history|lobby|since|0", "1< 4| @1: hi; 1< 1 of lobby until 4");
    forgotten("1 join|fresh|last|9", "1< 0 of fresh until 3; 1< #fresh >@1; 1< in fresh 1");
    forgotten("1 join|fresh|since|3", "1< 0 of fresh until 3; 1< #fresh >@1; 1< in fresh 1");
    forgotten("1 join|fresh|since|1d", "1< 0 of fresh until 3; 1< #fresh >@1; 1< in fresh 1");
    forgotten("1 join|one|since|0", "1< no: history-gone, oldest 0");
}

#[test]
fn a_join_that_is_refused_makes_no_room_and_forgets_none() {
    for start in ["since|1.zzzzz", "since|0", "since|1.unknown"] {
        forgotten(&format!("1 join|fresh|{start}; 1 rooms"), "1< lobby 1; 1< three 0; 1< two 0; 1< 3 rooms");
    }
}

#[test]
fn where_nothing_is_kept_there_is_no_position() {
    let nothing = || Rules { recent: RecentLimits { per_room_max: 0, ..RecentLimits::default() }, ..Rules::default() };
    check_by(nothing(), "1 hi; 1 history|lobby", "1< 0 of lobby until 0");
    let mut chat = Chat::new(nothing(), Epoch::from_random(0));
    assert_eq!(chat.position(), None);
    let mut out = Vec::new();
    let mut input = |input| {
        out.clear();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        out.clone()
    };
    input(Input::Arrive(ClientId(1), origin([10, 0, 0, 1], 1)));
    let room = "a".to_owned();
    let told = input(Input::Command(ClientId(1), Load::Light, Command::Join { room, start: None }));
    let is_told = |output: &Output| matches!(output, Output::Tell(_, Event::Done(Done::Join { position: None, .. })));
    assert!(told.iter().any(is_told), "{told:?}");
}

/// A chat in which client 2 has said so many words in the lobby, and client 1 is there.
struct Lobby {
    chat: Chat,
    out: Vec<Output>,
}

impl Lobby {
    fn new(rules: Rules, said: usize) -> Self {
        let mut lobby = Self { chat: Chat::new(rules, Epoch::from_random(0)), out: Vec::new() };
        for client in [1, 2] {
            let addr = origin([10, 0, 0, 1], client);
            lobby.input(Input::Arrive(ClientId(client.into()), addr));
        }
        (0..said).for_each(|_| lobby.line(2, "x"));
        lobby.out.clear();
        lobby
    }

    fn input(&mut self, input: Input) {
        self.chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut self.out);
    }

    fn line(&mut self, client: u64, line: &str) {
        match crate::protocol::parse(line.as_bytes()) {
            Ok(crate::protocol::Line::Command(command)) => {
                self.input(Input::Command(ClientId(client), Load::Light, command));
            }
            other => panic!("{line:?} is no command: {other:?}"),
        }
    }

    /// Numbers of the events that client 1 was told since the last call, again or as they happened; 0 for any other output.
    fn numbers(&mut self) -> Vec<u64> {
        let number = |output| match output {
            Output::Tell(ClientId(1), Event::Past(record, _)) => record.n,
            Output::Publish(public) => public.position.map_or(0, |position| position.n),
            Output::Tell(..)
            | Output::Join(..)
            | Output::Part(..)
            | Output::Ask(..)
            | Output::Remember { .. }
            | Output::Keep(_)
            | Output::Forget(_)
            | Output::Account(_)
            | Output::Verify(..)
            | Output::Ready(_)
            | Output::HangUp(..)
            | Output::Order(_)
            | Output::ShutDown => 0,
        };
        self.out.drain(..).map(number).filter(|&n| n > 0).collect()
    }
}

#[test]
fn a_long_history_comes_in_pieces_and_then_what_happens_without_a_gap() {
    let mut lobby = Lobby::new(Rules::default(), 300);
    lobby.line(1, "join|lobby|since|0");
    let mut told = Vec::new();
    for more in 301.. {
        if lobby.chat.deadline().is_none() {
            break;
        }
        lobby.input(Input::Continue);
        let replayed = lobby.numbers();
        assert!(replayed.len() <= 64, "{} at once", replayed.len());
        told.extend(replayed);
        lobby.line(2, "meanwhile");
        let live = lobby.numbers();
        assert_eq!(live, [more], "told to others");
    }
    let last = *told.last().unwrap();
    assert!(last > 300, "what has been said meanwhile is told again too");
    assert!(told.iter().copied().eq(1..=last), "{told:?}");
}

#[test]
fn more_than_a_thousand_is_asked_for_again() {
    let rules = || Rules { recent: RecentLimits { per_room_max: 3000, ..RecentLimits::default() }, ..Rules::default() };
    for (said, start, last, has_more) in [(1500, 0, 1000, true), (1000, 0, 1000, false), (1500, 1000, 1500, false)] {
        let mut lobby = Lobby::new(rules(), said);
        lobby.line(1, &format!("history|lobby|since|{start}"));
        while lobby.chat.deadline().is_some() {
            lobby.input(Input::Continue);
        }
        let end = lobby.out.iter().find_map(|output| match output {
            Output::Tell(_, Event::Done(Done::History { position, has_more, count, .. })) => {
                Some((position.unwrap().n, *has_more, *count as u64))
            }
            _ => None,
        });
        assert_eq!(end, Some((last, has_more, last - start)), "{said}");
    }
}

#[test]
fn a_replay_waits_for_its_client_and_ends_with_it() {
    let mut lobby = Lobby::new(Rules::default(), 300);
    lobby.line(1, "history|lobby|300");
    lobby.input(Input::Continue);
    lobby.input(Input::Congested(ClientId(1), Congestion::Behind));
    lobby.input(Input::Continue);
    lobby.out.clear();
    assert_eq!(lobby.chat.deadline(), None, "it waits");
    lobby.input(Input::Congested(ClientId(1), Congestion::None));
    lobby.input(Input::Continue);
    assert_eq!(lobby.numbers().len(), 64);
    lobby.input(Input::End(ClientId(1), Departure::Lost));
    lobby.input(Input::Continue);
    assert_eq!((lobby.numbers(), lobby.chat.deadline()), (vec![], None));
}

#[test]
fn one_who_has_sent_all_is_told_all_before_it_leaves() {
    let mut lobby = Lobby::new(Rules::default(), 300);
    lobby.line(1, "history|lobby|300");
    lobby.input(Input::Eof(ClientId(1)));
    while lobby.chat.deadline().is_some() {
        lobby.input(Input::Continue);
    }
    assert_eq!(lobby.out.iter().filter(|output| matches!(output, Output::HangUp(ClientId(1), _))).count(), 1);
    assert_eq!(lobby.numbers().len(), 300);
}

#[test]
fn one_for_whom_the_past_is_gone_meanwhile_is_told_so_and_hears_what_happens_again() {
    let mut lobby = Lobby::new(
        Rules { recent: RecentLimits { per_room_max: 100, ..RecentLimits::default() }, ..Rules::default() },
        100,
    );
    lobby.line(1, "join|lobby|since|0");
    lobby.input(Input::Continue);
    (0..80).for_each(|_| lobby.line(2, "y"));
    lobby.out.clear();
    lobby.input(Input::Continue);
    let [
        Output::Tell(_, Event::Declined(Asked::Join, refusal)),
        Output::Join(ClientId(1), RoomId::LOBBY),
        Output::Ready(_),
    ] = &lobby.out[..]
    else {
        panic!("{:?}", lobby.out)
    };
    assert_eq!(refusal.code(), "history-gone");
}

#[test]
fn memory_is_given_back_little_by_little() {
    let mut lobby = Lobby::new(Rules::default(), 1000);
    let before = lobby.chat.recent_bytes();
    lobby.input(Input::Shrink(1000));
    let after = lobby.chat.recent_bytes();
    assert!((before - 2000..=before - 1000).contains(&after), "{before} {after}");
    lobby.input(Input::Shrink(usize::MAX));
    assert_eq!(lobby.chat.recent_bytes(), 0);
}

#[test]
fn long_lines_are_told_again_a_few_at_a_time_and_at_least_one() {
    for (length, most) in [(2000, 20), (40_000, 1)] {
        let mut lobby = Lobby::new(Rules::default(), 0);
        (0..50).for_each(|_| lobby.line(2, &"x".repeat(length)));
        lobby.numbers();
        lobby.line(1, "history|lobby|50");
        assert!(lobby.numbers().is_empty(), "many may ask at once");
        let mut told: Vec<u64> = Vec::new();
        while lobby.chat.has_work() {
            lobby.input(Input::Continue);
            let piece = lobby.numbers();
            assert!((1..=most).contains(&piece.len()), "{piece:?}");
            told.extend(piece);
        }
        assert_eq!(told, (1..=50).collect::<Vec<_>>());
    }
}
