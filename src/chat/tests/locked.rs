//! Locked rooms, and who loses its account there. 1 is an operator, logged in as op; 2 is ann, who has made the room ops and
//! locked it; 3 is bob, whom she has invited, and is there. 5 is a guest who was there before the room was locked.

use super::{super::*, stage::check_by, stage::token};

fn rules() -> Rules {
    let accounts = AccountRules { allows_insecure: true, ..AccountRules::default() };
    Rules { has_store: true, accounts, ..Rules::default() }
}

const BEFORE: &str = "1 rename|op; 1 register|hunter22; 1 is verified; 1 is made operator; 1 login|op|hunter22; \
                      1 is verified; 2 rename|ann; 2 register|hunter22; 2 is verified; 2 join|ops; 5 join|ops; \
                      2 lock|ops; 3 rename|bob; 3 register|hunter22; 3 is verified; 2 invite|ops|bob; 3 join|ops; ";

fn check(script: &str, told: &str) {
    check_by(rules(), &format!("{BEFORE}{script}"), told);
}

#[test]
fn who_loses_its_account_leaves_the_locked_rooms_where_that_was_let_in() {
    // Somebody else, or oneself elsewhere, takes the name over.
    check(
        "4 arrives; 4 login|bob|hunter22; 4 is verified",
        "3< bob!@3 is @3; 1,2,(3),5,4< bob!@3 is now @3; 2,5,(3)< #ops bob!@3 is now @3; 2,5,3< #ops <@3; \
         4< @4 is bob!@4; 1,2,3,5,(4)< @4 is now bob!@4; 4< logged in as bob; 4 ready",
    );
    check("4 login|bob|hunter22; 4 is verified; 3 in|ops|hi", "3< no: room-locked");
    check("4 login|bob|hunter22; 4 is verified; 2 hi", "2,5< #ops ann!@2: hi");
    // It has another password, set by one who knows it.
    check(
        "4 visits; 4 login|bob|hunter22; 4 is verified; 4 password|hunter22|hunter23; 4 is verified; 2 hi",
        "2,5< #ops ann!@2: hi",
    );
    // It is no more, or another name is taken.
    for line in ["unregister|hunter22; 3 is verified", "rename|eve", "is made operator"] {
        check(&format!("3 {line}; 2 hi"), "2,5< #ops ann!@2: hi");
    }
    // The token is revoked by which one has come.
    let by_token = format!(
        "3 token|ci; 3 is verified; 3 leaves; 4 login|{}; 4 join|ops; 6 visits; 6 login|bob|hunter22; 6 is verified; ",
        token(1)
    );
    check(&format!("{by_token}2 hi"), "2,5,4< #ops ann!@2: hi");
    check(&format!("{by_token}6 revoke|ci; 2 hi"), "2,5< #ops ann!@2: hi");
    check(&format!("{by_token}6 revoke|ci; 4 hi"), "1,2,4,5< @4: hi");
}

#[test]
fn who_was_there_without_an_account_stays() {
    let logs_in = "4 rename|cid; 4 register|hunter22; 4 is verified; 4 rename|x; 5 login|cid|hunter22; 5 is verified; ";
    check(&format!("{logs_in}5 rename|y; 2 hi"), "2,5,3< #ops ann!@2: hi");
    // A guest is invited for its connection, whatever it becomes.
    let guest = "4 rename|cid; 2 invite|ops|cid; 4 register|hunter22; 4 is verified; 4 join|ops; ";
    check(&format!("{guest}4 rename|x; 2 hi"), "2,5,3,4< #ops ann!@2: hi");
    check("2 unlock|ops; 3 rename|x; 2 hi", "2,5,3< #ops ann!@2: hi");
}

#[test]
fn all_who_are_an_account_are_sent_out_with_it() {
    let visits = "4 visits; 4 login|bob|hunter22; 4 is verified; 4 join|ops; ";
    check(&format!("{visits}2 hi"), "2,5,3,4< #ops ann!@2: hi");
    check(&format!("{visits}2 kick|#ops|bob|x; 2 hi"), "2,5< #ops ann!@2: hi");
    check(&format!("{visits}2 kick|#ops|bob|x; 4 in|ops|hi"), "4< no: room-locked");
}

#[test]
fn who_is_sent_out_while_it_is_told_again_does_not_come_back_by_that() {
    let recent = RecentLimits { per_room_max: 1, ..RecentLimits::default() };
    let check = |script, told| check_by(Rules { recent, ..rules() }, &format!("{BEFORE}2 unlock|ops; {script}"), told);
    check("3 join|ops|since|0; 3 is answered", "3< 3| #ops >bob!@3; 3< 1 of ops until 3; 3< in ops 3; 3 ready");
    check("3 join|ops|since|0; 2 kick|#ops|bob|x; 3 is answered", "3< no: not-in-room; 3 ready");
    check("3 join|ops|since|0; 2 kick|#ops|bob|x; 3 is answered; 2 hi", "2,5< #ops ann!@2: hi");
    check("3 join|ops|since|0; 2 kick|#ops|bob|x; 3 breaks; 3 is answered; 2 hi", "2,5< #ops ann!@2: hi");
    check("3 join|ops|since|0; 2 kick|#ops|bob|x; 3 is answered; 3 join|ops", "2,5,3< #ops >bob!@3; 3< in ops 3");
}

#[test]
fn an_operator_is_let_in_when_somebody_has_invited_it() {
    check("1 join|ops", "1< no: room-locked");
    check("1 history|ops|3", "1< no: room-locked");
    check("1 invite|ops|op; 1 join|ops", "2,5,3,1< #ops >op!@1; 1< in ops 4");
}

#[test]
fn guests_of_one_name_are_invited_all_or_none() {
    let visitors: String = (10..29).map(|n| format!("{n} visits; {n} rename|x{}; ", n % 2)).collect();
    check(&format!("{visitors}2 invite|ops|x0; 10 in|ops|hi"), "2,5,3< #ops x0@10: hi; 10< said in ops");
    check(&format!("{visitors}2 invite|ops|x0; 11 in|ops|hi"), "11< no: room-locked");
}

#[test]
fn bans_that_are_read_again_hold_for_who_comes_next() {
    let mut chat = Chat::new(rules(), Epoch::from_random(0));
    let mut out = Vec::new();
    let at = Timestamp::UNIX_EPOCH;
    let sanction = |penalty, block: &str| {
        let (by, reason) = ("op".into(), "".into());
        (None, Sanction { penalty, whom: Whom::Block(block.parse().unwrap()), until: None, by, reason, created: at })
    };
    let mut input = |input| {
        chat.handle(Entry { now: Duration::ZERO, at, input }, &mut out);
        chat.handle(Entry { now: Duration::ZERO, at, input: Input::Continue }, &mut out);
        let gone = out.drain(..).filter_map(|output| match output {
            Output::HangUp(client, departure) => Some((client.0, departure.code())),
            _ => None,
        });
        gone.collect::<Vec<_>>()
    };
    let arrives = |n: u64, ip| Input::Arrive(ClientId(n), super::origin([10, 0, 0, ip], 1));
    assert_eq!(input(arrives(1, 1)), []);
    assert_eq!(input(Input::Bans(vec![sanction(Penalty::Ban, "10.0.0.1")])), [], "it ends nothing");
    assert_eq!(input(arrives(2, 1)), [(2, "banned")]);
    assert_eq!(input(arrives(3, 2)), []);
    assert_eq!(input(Input::Bans(vec![sanction(Penalty::Mute, "10.0.0.1")])), []);
    assert_eq!(input(arrives(4, 1)), []);
    let says = |n| Input::Command(ClientId(n), Load::Light, Command::Say("hi".to_owned()));
    let mut told = |n| {
        chat.handle(Entry { now: Duration::ZERO, at, input: says(n) }, &mut out);
        out.drain(..).any(|output| matches!(output, Output::Publish(_)))
    };
    assert!(!told(4) && told(3), "who is muted says nothing");
}

#[test]
fn a_locked_room_is_never_forgotten_and_an_account_has_not_too_many() {
    let rooms = |rooms_max, per_client_max| Rules { rooms: RoomLimits { rooms_max, per_client_max }, ..rules() };
    let check_in = |rules: Rules, script: &str, told: &str| check_by(rules, &format!("{BEFORE}{script}"), told);
    let nobody_is_there = "2 leave|ops; 3 leave|ops; 5 leave|ops; ";
    check_in(rooms(2, 9), &format!("{nobody_is_there}5 in|x|hi"), "5< no: too-many-rooms(2)");
    check_in(rooms(2, 9), &format!("{nobody_is_there}5 rooms"), "5< lobby 4; 5< ops -; 5< 2 rooms");
    check_in(
        rooms(2, 9),
        &format!("{nobody_is_there}2 unlock|ops; 5 in|x|hi; 5 in|ops|hi"),
        "< #ops @5: hi; 5< said in ops",
    );
    let elsewhere = "11 visits; 11 login|ann|hunter22; 11 is verified; 11 join|den; ";
    check_in(rooms(9, 1), &format!("{elsewhere}11 lock|den"), "11< no: too-many-rooms(1)");
    check_in(rooms(9, 1), &format!("{elsewhere}2 unlock|ops; 11 lock|den"), "11< lock ok #den");
    check_in(rooms(9, 1), "2 lock|ops", "2< lock ok #ops");
}
