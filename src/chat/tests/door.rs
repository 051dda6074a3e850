//! Where everyone has to log in.

use super::{super::*, stage::check_by, stage::token};
use crate::Origin;

fn rules() -> Rules {
    let accounts = AccountRules { allows_insecure: true, requires_login: true, ..AccountRules::default() };
    Rules { has_store: true, accounts, ..Rules::default() }
}

#[test]
fn where_everyone_has_to_log_in_others_say_and_hear_nothing() {
    let check = |script: &str, told: &str| {
        let ann = "1 rename|ann; 1 register|hunter22; 1 is verified";
        check_by(rules(), &format!("{ann}; {script}"), told);
    };
    check("1 hi", "1< ann!@1: hi");
    for line in ["hi", "who", "to|ann|hi", "wait|9|user|ann"] {
        check(&format!("2 {line}"), "2< login-required");
    }
    for line in
        ["join|ops", "rooms", "who|lobby", "topic|lobby", "history|lobby", "in|lobby|hi", "leave|lobby", "tokens"]
    {
        check(&format!("2 {line}"), "2< no: login-required");
    }
    check("2 sync|a", "2< sync a");
    check("2 rename|bob; 1 to|bob|hi", "1< no-such-user");
    check("2 arrives to visit; 2 rename|bob; 1 to|bob|hi", "1< no-such-user");
    let bob = "2 rename|bob; 2 register|hunter22; 2 is verified";
    check(bob, "1,2< +bob!@2; 2< registered bob; 2 ready");
    let login = "2 login|ann|hunter22; 2 is verified";
    check(
        login,
        "1< ann!@1 is @1; (1)< ann!@1 is now @1; 1< bye logged-out; 1 hung up: logged-out; < -@1 logged-out; 2< @2 is ann!@2; 2< +ann!@2; 2< logged in as ann; 2 ready",
    );
    check("2 visits; 2 login|ann|hunter22; 2 is verified", "2< @2 is ann!@2; 2< logged in as ann; 2 ready");
    check("1 rename|eve", "1< login-required");
    let by_token = format!("1 token|ci; 1 is verified; 1 leaves; 2 login|{}; 2 revoke|ci", token(1));
    check(
        &by_token,
        "2< revoked ci; 2< ann!@2 is @2; (2)< ann!@2 is now @2; 2< bye logged-out; 2 hung up: logged-out; < -@2 logged-out",
    );
    check(
        "1 unregister|hunter22; 1 is verified",
        "1< unregistered ann; 1< bye logged-out; 1 hung up: logged-out; < -ann@1 logged-out",
    );
}

#[test]
fn who_waits_at_the_door_is_told_what_was_refused() {
    let mut chat = Chat::new(rules(), Epoch::from_random(0));
    let mut input = |input| {
        let mut out = Vec::new();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        out
    };
    input(Input::Arrive(ClientId(1), super::origin([10, 0, 0, 1], 1)));
    let wait = Command::Wait(Duration::ZERO, WaitFor::Users(1));
    for (command, asked) in [(Command::Who, Asked::Users), (wait, Asked::Wait)] {
        let out = input(Input::Command(ClientId(1), Load::Light, command));
        let refused = Event::Declined(asked, AccountRefusal::LoginRequired.into());
        assert_eq!(out, [Output::Tell(ClientId(1), refused), Output::Ready(ClientId(1))]);
    }
}

#[test]
fn who_has_to_be_an_account_is_told_that_another_name_was_refused() {
    let mut chat = Chat::new(rules(), Epoch::from_random(0));
    let mut input = |input| {
        let mut out = Vec::new();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        out
    };
    let origin = Origin { account: Some("ann".into()), ..super::origin([10, 0, 0, 1], 1) };
    input(Input::Accounts(vec![Account::new(&Name::parse("ann").unwrap(), None, Timestamp::UNIX_EPOCH)]));
    input(Input::Arrive(ClientId(1), origin));
    let out = input(Input::Command(ClientId(1), Load::Light, Command::Rename("eve".to_owned())));
    let refused = Event::Declined(Asked::Rename, AccountRefusal::LoginRequired.into());
    assert_eq!(out, [Output::Tell(ClientId(1), refused), Output::Ready(ClientId(1))]);
}
