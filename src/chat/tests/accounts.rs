//! Accounts. The password of each is its hash here.

use super::{
    super::*,
    stage::{check_by, token},
};
use crate::Origin;

fn rules() -> Rules {
    let accounts = AccountRules { allows_insecure: true, ..AccountRules::default() };
    Rules { has_store: true, accounts, ..Rules::default() }
}

fn check(script: &str, told: &str) {
    check_by(rules(), script, told);
}

/// 1 has registered as ann, with a password that is `hunter22`.
fn check_with_ann(script: &str, told: &str) {
    check(&format!("1 rename|ann; 1 register|hunter22; 1 is verified; {script}"), told);
}

#[test]
fn without_a_store_there_are_no_accounts() {
    for line in ["register|hunter22", "login|ann|hunter22", "login|pc_x", "password|a|b", "token|a", "tokens"] {
        check_by(Rules::default(), &format!("1 {line}"), "1< no: no-store");
    }
}

#[test]
fn a_name_becomes_an_account() {
    check_with_ann("1 hi", "1< ann!@1: hi");
    check("1 rename|ann; 1 register|hunter22; 1 is verified", "1< registered ann; 1 ready");
    check("1 register|hunter22", "1< no: name-required");
    check("1 rename|ann; 1 register|1234567", "1< no: password-invalid");
    check_with_ann("1 register|hunter23", "1< no: already-registered");
    check(
        "1 arrives to visit; 2 arrives to visit; 1 rename|bot; 2 rename|bot; 2 register|hunter22",
        "2< no: name-taken",
    );
    let accounts = AccountRules { registration: Registration::Closed, ..rules().accounts };
    check_by(Rules { accounts, ..rules() }, "1 rename|ann; 1 register|hunter22", "1< no: registration-closed");
}

#[test]
fn a_network_may_register_five_accounts_a_day() {
    let five: Vec<_> = (1..=5).map(|n| format!("{n} rename|user{n}; {n} register|hunter22; {n} is verified")).collect();
    let script = format!("{}; 6 rename|six; 6 register|hunter22", five.join("; "));
    check(&script, "6< no: try-later(17280)");
    check(
        &format!("{script}; 11 rename|eleven; 11 register|hunter22; 11 is verified"),
        "11< registered eleven; 11 ready",
    );
    let trusted = Rules { trusted: vec!["10.0.0.0/24".parse().unwrap()], ..rules() };
    check_by(trusted, &format!("{script}; 6 is verified"), "6< registered six; 6 ready");
}

#[test]
fn an_owned_name_is_nobody_elses_though_its_owner_is_away() {
    check_with_ann("1 leaves; 2 rename|ann", "2< name-owned");
    check_with_ann("1 leaves; 2 rename|ANN", "2< name-owned");
    check_with_ann("1 leaves; 2 rename|аnn", "2< name-confusable(ann)"); // the а is Cyrillic
    check_with_ann("1 rename|eve; 2 rename|ann", "2< name-owned");
    check_with_ann("1 rename|аnn", "1< name-confusable(ann)");
    check_with_ann("2 visits; 2 rename|ann", "2< name-owned");
}

#[test]
fn renaming_away_logs_out_and_respelling_changes_nothing() {
    check_with_ann("1 rename|eve", "1< ann!@1 is eve@1; (1)< ann!@1 is now eve@1");
    check_with_ann("1 rename|ANN", "1< ann!@1 is ann!@1");
    check_with_ann("1 rename|eve; 1 token|ci", "1< no: login-required");
}

#[test]
fn a_login_is_the_account_and_takes_its_name_over() {
    let login = "2 login|ANN|hunter22; 2 is verified";
    check_with_ann(
        &format!("1 leaves; {login}"),
        "2< @2 is ann!@2; (2)< @2 is now ann!@2; 2< logged in as ann; 2 ready",
    );
    check_with_ann(
        login,
        "1< ann!@1 is @1; (1),2< ann!@1 is now @1; 2< @2 is ann!@2; 1,(2)< @2 is now ann!@2; 2< logged in as ann; 2 ready",
    );
    check_with_ann(&format!("{login}; 3 who"), "3< =@1; 3< =ann!@2; 3< =@3; 3< =3");
    check_with_ann(&format!("{login}; 1 rename|ann"), "1< name-owned");
    check_with_ann(&format!("{login}; 3 to|ann|hi"), "2< @3> hi");
    check_with_ann("1 login|ann|hunter22; 1 is verified", "1< logged in as ann; 1 ready");
}

#[test]
fn a_visitor_speaks_as_the_account_beside_others() {
    let login = "2 arrives to visit; 2 login|ann|hunter22; 2 is verified";
    check_with_ann(login, "2< @2 is ann!@2; 2< logged in as ann; 2 ready");
    check_with_ann(&format!("{login}; 2 hi"), "1< ann!@2: hi");
    check_with_ann(&format!("{login}; 1 who"), "1< =ann!@1; 1< =1");
    check_with_ann(&format!("{login}; 1 visits; 3 to|ann|hi"), "3< kept for ann; 1< @3> hi; 2< @3> hi");
}

#[test]
fn whose_origin_is_an_account_is_logged_in_at_once() {
    check_with_ann(
        "2 arrives as ANN",
        "1,2< +@2; 1< ann!@1 is @1; (1),2< ann!@1 is now @1; 2< @2 is ann!@2; 1,(2)< @2 is now ann!@2; \
         2< logged in as ann",
    );
    check_with_ann("1 leaves; 2 arrives as ann; 2 hi", "2< ann!@2: hi");
    check_with_ann("2 visits as ann", "2< @2 is ann!@2; 2< logged in as ann");
    check_with_ann("2 visits as ann; 2 hi", "1< ann!@2: hi");
    check_with_ann("2 arrives as bob", "1,2< +@2");
    check_with_ann("2 visits as bob", "");
    check_with_ann("2 visits as ann; 2 rename|eve; 2 visits as ann", "");
    check_with_ann(
        "1 leaves; 3 to|ann|hi; 2 arrives as ann; 2 is answered",
        "2< 1| @3> hi; 2< logged in as ann, 1 kept; 2 ready",
    );
    let accounts = AccountRules { requires_login: true, ..rules().accounts };
    check_by(Rules { accounts, ..rules() }, "1 arrives as ann", "");
    let door = "1 rename|ann; 1 register|hunter22; 1 is verified; 2 arrives as ann; 2 who";
    check_by(Rules { accounts, ..rules() }, door, "2< =ann!@2; 2< =1");
}

#[test]
fn a_wrong_password_is_as_an_unknown_account() {
    for line in ["login|ann|hunter23", "login|bob|hunter22", "login||hunter22"] {
        check_with_ann(&format!("2 {line}; 2 is verified"), "2< no: login-failed; 2 ready");
    }
    check_with_ann("2 login|pc_x", "2< no: login-failed");
    check_with_ann(&format!("2 login|{}", token(1)), "2< no: login-failed");
}

#[test]
fn attempts_that_fail_are_counted_for_the_account_and_the_network() {
    let fail = "2 login|ann|wrong; 2 is verified; ".repeat(10);
    check_with_ann(&format!("{fail}2 login|ann|hunter22"), "2< no: try-later(10)");
    check_with_ann(&format!("{fail}11 login|ann|hunter22"), "11< no: try-later(10)");
    check_with_ann(&format!("{fail}2 login|bob|wrong; 2 is verified"), "2< no: login-failed; 2 ready");
    let succeed = "2 login|ann|hunter22; 2 is verified; ".repeat(20);
    check_with_ann(&format!("{succeed}2 login|ann|wrong; 2 is verified"), "2< no: login-failed; 2 ready");
    let tokens = "2 login|pc_x; ".repeat(60);
    check_with_ann(&format!("{tokens}2 login|pc_x"), "2< no: try-later(6)");
    check_with_ann(&format!("{tokens}11 login|pc_x"), "11< no: login-failed");
    // A client that leaves before the verdict has made its attempt.
    let give_up = |n| format!("{n} login|ann|wrong; {n} is lost; ");
    let ten: String = (20..30).map(give_up).collect();
    check_with_ann(&format!("{ten}11 login|ann|hunter22"), "11< no: try-later(10)");
}

#[test]
fn later_lines_wait_for_the_verdict_and_nothing_else_does() {
    check_with_ann("2 login|ann|hunter22; 2 leaves; 2 is verified; 1 who", "1< =@1; 1< =1");
    check_with_ann("2 login|ann|hunter22; 2 is lost; 1 who", "1< =ann!@1; 1< =1");
    check_with_ann("2 login|ann|hunter22; 1 hi", "1,2< ann!@1: hi");
}

#[test]
fn a_password_is_not_accepted_where_others_can_read_it() {
    let secure = || Rules { has_store: true, ..Rules::default() };
    check_by(secure(), "1 rename|ann; 1 register|hunter22", "1< no: insecure");
    check_by(secure(), "1 login|ann|hunter22", "1< no: insecure");
    check_by(secure(), &format!("1 login|{}", token(1)), "1< no: login-failed");
}

#[test]
fn a_password_can_be_changed_by_one_who_knows_it() {
    let change = "1 password|hunter22|hunter23; 1 is verified";
    check_with_ann(change, "1< new password of ann; 1 ready");
    check_with_ann(&format!("{change}; 2 login|ann|hunter22; 2 is verified"), "2< no: login-failed; 2 ready");
    check_with_ann("1 password|hunter2|hunter23; 1 is verified", "1< no: login-failed; 1 ready");
    check_with_ann("1 password|hunter22|short", "1< no: password-invalid");
    check_with_ann("2 password|hunter22|hunter23", "2< no: login-required");
    // Others who are logged in are not any more.
    let visitor = "2 arrives to visit; 2 login|ann|hunter22; 2 is verified";
    check_with_ann(&format!("{visitor}; {change}"), "2< ann!@2 is @2; 1< new password of ann; 1 ready");
    // A login that was begun before fails.
    let script = format!("2 login|ann|hunter22; {change}; 2 is verified");
    check_with_ann(&script, "2< no: login-failed; 2 ready");
}

#[test]
fn an_account_can_be_given_up() {
    let unregister = "1 unregister|hunter22; 1 is verified";
    check_with_ann(unregister, "1< unregistered ann; 1 ready");
    check_with_ann(&format!("{unregister}; 1 hi"), "1< ann@1: hi");
    check_with_ann(&format!("{unregister}; 1 leaves; 2 rename|ann"), "2< @2 is ann@2; (2)< @2 is now ann@2");
    check_with_ann("1 unregister|hunter23; 1 is verified", "1< no: login-failed; 1 ready");
    check_with_ann(&format!("2 login|ann|hunter22; {unregister}; 2 is verified"), "2< no: login-failed; 2 ready");
}

#[test]
fn scripts_log_in_by_tokens() {
    let made = "1 token|ci; 1 is verified";
    let (one, two) = (token(1), token(2));
    check_with_ann(made, &format!("1< token ci {one}; 1 ready"));
    check_with_ann(&format!("{made}; 2 arrives to visit; 2 login|{one}"), "2< @2 is ann!@2; 2< logged in as ann");
    check_with_ann(&format!("{made}; 2 login|{two}"), "2< no: login-failed");
    check_with_ann(&format!("{made}; 1 token|ci"), "1< no: label-taken");
    check_with_ann(&format!("1 token|{}", "x".repeat(65)), "1< no: label-too-long(64)");
    check_with_ann(&format!("{made}; 1 token|cd; 1 is verified; 1 tokens"), "1< token ci; 1< token cd; 1< 2 tokens");
    let twenty: String = (0..20).map(|n| format!("1 token|{n}; 1 is verified; ")).collect();
    check_with_ann(&format!("{twenty}1 token|one more"), "1< no: too-many-tokens(20)");
    check("1 token|ci", "1< no: login-required");
    check("1 tokens", "1< no: login-required");
}

#[test]
fn a_token_that_is_revoked_is_worth_nothing_and_logs_out_whom_it_has_logged_in() {
    let made = format!("1 token|ci; 1 is verified; 2 arrives to visit; 2 login|{}", token(1));
    check_with_ann(&format!("{made}; 1 revoke|ci"), "1< revoked ci; 2< ann!@2 is @2");
    check_with_ann(&format!("{made}; 1 revoke|ci; 2 login|{}", token(1)), "2< no: login-failed");
    check_with_ann(&format!("{made}; 1 revoke|cd"), "1< no: no-such-token");
    check_with_ann(&format!("{made}; 2 revoke|ci; 2 hi"), "1< @2: hi");
}

#[test]
fn what_another_process_changes_of_accounts_counts_at_once() {
    let account = |name: &str, generation| Account {
        generation,
        ..Account::new(&Name::parse(name).unwrap(), Some("hunter22".into()), Timestamp::UNIX_EPOCH)
    };
    let mut chat = Chat::new(rules(), Epoch::from_random(0));
    let mut input = |input| {
        let mut out = Vec::new();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        chat.members.assert_mirrors();
        chat.members().map(|(_, who)| (who.name.clone(), who.is_account)).next().unwrap_or_default()
    };
    let command = |command| Input::Command(ClientId(1), Load::Light, command);
    let origin = super::origin([10, 0, 0, 1], 1);
    let addr = origin.addr.to_string();
    input(Input::Arrive(ClientId(1), origin));
    input(command(Command::Rename("ann".to_owned())));
    assert_eq!(input(Input::Accounts(vec![account("bob", 1)])), ("ann".to_owned(), false));
    assert_eq!(input(Input::Accounts(vec![account("ANN", 1)])), (addr.clone(), false), "the name is somebody's now");
    let secret = || Secret::new("hunter22".to_owned());
    let login = || AccountCommand::Login { name: Some("ann".to_owned()), secret: secret() };
    input(command(Command::Account(login())));
    assert_eq!(input(Input::Verified(ClientId(1), Ticket(1), Verdict::Checked(true))), ("ANN".to_owned(), true));
    assert_eq!(input(Input::Accounts(vec![account("ANN", 1)])), ("ANN".to_owned(), true));
    assert_eq!(input(Input::Accounts(vec![account("ANN", 2)])), (addr.clone(), false), "it has changed");
    input(command(Command::Account(login())));
    input(Input::Accounts(vec![account("ANN", 3)]));
    let verdict = Input::Verified(ClientId(1), Ticket(2), Verdict::Checked(true));
    assert_eq!(input(verdict), (addr.clone(), false), "it has changed meanwhile");
    input(command(Command::Account(login())));
    input(Input::Verified(ClientId(1), Ticket(3), Verdict::Checked(true)));
    assert_eq!(input(Input::Accounts(Vec::new())), (addr, false), "it is no more");
}

#[test]
fn a_user_of_the_machine_is_the_account_that_the_operator_has_given_it() {
    let mut chat = Chat::new(rules(), Epoch::from_random(0));
    let mut input = |input| {
        let mut out = Vec::new();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        chat.members.assert_mirrors();
        chat.members().map(|(_, who)| (who.name.clone(), who.is_account)).collect::<Vec<_>>()
    };
    let account = Account::new(&Name::parse("ann").unwrap(), None, Timestamp::UNIX_EPOCH);
    input(Input::Accounts(vec![account]));
    let from = |account: &str| Origin { account: Some(account.into()), ..super::origin([10, 0, 0, 1], 1) };
    assert_eq!(input(Input::Arrive(ClientId(1), from("ann"))), [("ann".to_owned(), true)]);
    assert_eq!(input(Input::Visit(ClientId(2), from("ann"))), [("ann".to_owned(), true)]);
    assert_eq!(input(Input::Arrive(ClientId(3), from("bob")))[1], (from("bob").addr.to_string(), false));
}
