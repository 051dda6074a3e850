//! Private messages to accounts, which are kept.

use super::{super::*, origin, stage::check_by};
use crate::{Cidr, Origin};

/// Ann has an account, and was 1, who has left. The password is `hunter22`.
fn check(script: &str, told: &str) {
    check_with(1000, script, told);
}

fn check_with(offline_max: usize, script: &str, told: &str) {
    let accounts = AccountRules { allows_insecure: true, offline_max, ..AccountRules::default() };
    let ann = "1 rename|ann; 1 register|hunter22; 1 is verified; 1 leaves";
    check_by(Rules { has_store: true, accounts, ..Rules::default() }, &format!("{ann}; {script}"), told);
}

const LOGIN: &str = "2 login|ann|hunter22; 2 is verified";

#[test]
fn messages_for_one_who_is_away_are_kept_and_told_when_it_logs_in() {
    check("3 to|ANN|hi", "3< kept for ann");
    check(&format!("3 to|ann|hi; {LOGIN}; 2 is answered"), "2< 1| @3> hi; 2< logged in as ann, 1 kept; 2 ready");
    check(
        &format!("3 to|ann|hi; {LOGIN}; 2 is answered; 2 login|ann|hunter22; 2 is verified"),
        "2< logged in as ann; 2 ready",
    );
    let five = "3 to|ann|hi; ".repeat(5);
    let told = "2< 5| @3> hi; 2< logged in as ann, 5 kept; 2 ready";
    check(&format!("{five}{LOGIN}; 2 is answered; 2 is answered; 2 is answered"), told);
    // It is told all of it, though it has sent all that it will.
    check(
        "3 to|ann|hi; 2 login|ann|hunter22; 2 leaves; 2 is verified; 2 is answered",
        "2< 1| @3> hi; 2< logged in as ann, 1 kept; 2 hung up: left; 3< -ann!@2 left",
    );
    check("3 to|ann|", "3< empty-text");
    check("3 to|bob|hi", "3< no-such-user");
}

#[test]
fn what_comes_while_it_is_told_comes_behind_it() {
    let both = format!("3 to|ann|one; {LOGIN}; 3 to|ann|two; 2 is answered");
    check(&both, "2< 1| @3> one");
    check(&format!("{both}; 2 is answered"), "2< 2| @3> two; 2< logged in as ann, 2 kept; 2 ready");
    check(&format!("{both}; 2 is answered; 3 to|ann|three"), "2< @3> three");
}

#[test]
fn what_was_told_is_not_told_again() {
    let here = format!("{LOGIN}; 3 to|ann|one; 2 leaves");
    let again = "4 login|ann|hunter22; 4 is verified";
    check(&format!("{here}; {again}"), "4< @4 is ann!@4; 3,(4)< @4 is now ann!@4; 4< logged in as ann; 4 ready");
    check(
        &format!("{here}; 3 to|ann|two; {again}; 4 is answered"),
        "4< 2| @3> two; 4< logged in as ann, 1 kept; 4 ready",
    );
    // Who breaks off while it is told is told all again.
    let broken = format!("3 to|ann|one; {LOGIN}; 2 is lost; {again}; 4 is answered");
    check(&broken, "4< 1| @3> one; 4< logged in as ann, 1 kept; 4 ready");
    let broken = format!("3 to|ann|one; {LOGIN}; 2 breaks; 2 is answered; {again}; 4 is answered");
    check(&broken, "4< 1| @3> one; 4< logged in as ann, 1 kept; 4 ready");
    // And so is one that has taken the name over meanwhile, and nobody else.
    let taken = format!("3 to|ann|one; {LOGIN}; {again}; 2 is answered");
    check(&taken, "2< no: login-required; 2 ready");
    check(&format!("{taken}; 4 is answered"), "4< 1| @3> one; 4< logged in as ann, 1 kept; 4 ready");
}

#[test]
fn a_visitor_leaves_what_is_kept_for_the_person() {
    let visitor = "4 arrives to visit; 4 login|ann|hunter22; 4 is verified";
    check(&format!("3 to|ann|one; {visitor}"), "4< @4 is ann!@4; 4< logged in as ann; 4 ready");
    check(&format!("{visitor}; 3 to|ann|one"), "3< kept for ann; 4< @3> one");
    let told = "2< 1| @3> one; 2< logged in as ann, 1 kept; 2 ready";
    check(&format!("{visitor}; 3 to|ann|one; {LOGIN}; 2 is answered"), told);
}

#[test]
fn a_mailbox_has_room_for_so_many_and_for_fewer_of_one_sender() {
    let fifty = "3 to|ann|hi; ".repeat(50);
    check(&format!("{fifty}3 to|ann|hi"), "3< mailbox-full");
    check(&format!("{fifty}4 to|ann|hi"), "4< mailbox-full"); // from the same network
    check(&format!("{fifty}11 to|ann|hi"), "11< kept for ann");
    check_with(2, "3 to|ann|hi; 11 to|ann|hi; 20 to|ann|hi", "20< mailbox-full");
    let read = format!("{LOGIN}; {}2 leaves; 3 to|ann|hi", "2 is answered; ".repeat(25));
    check(&format!("{fifty}{read}"), "3< kept for ann");
}

#[test]
fn a_mailbox_is_as_full_after_a_restart() {
    let ann = Account::new(&Name::parse("Ann").unwrap(), None, Timestamp::UNIX_EPOCH);
    let bob = Account::new(&Name::parse("bob").unwrap(), None, Timestamp::UNIX_EPOCH);
    let guest = |addr: &str, count| (PastSender::Guest(addr.to_owned()), count);
    let told = |offline_max, unread: Vec<(PastSender, usize)>, from: Origin| {
        let accounts = AccountRules { offline_max, ..AccountRules::default() };
        let rules = Rules { has_store: true, accounts, trusted: Cidr::LOOPBACK.to_vec(), ..Rules::default() };
        let mut chat = Chat::new(rules, Epoch::from_random(0));
        chat.restore_mailboxes(&[PastMailbox { account: "Ann".into(), last: 9, unread }]);
        let client = ClientId(1);
        let command = Command::Private { to: "ann".to_owned(), text: "hi".to_owned() };
        let mut out = Vec::new();
        for input in [
            Input::Accounts(vec![ann.clone(), bob.clone()]),
            Input::Arrive(client, from),
            Input::Command(client, Load::Light, command),
        ] {
            out.clear();
            chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        }
        !out.contains(&Output::tell(client, Event::Declined(Asked::To, AccountRefusal::MailboxFull.into())))
    };
    let (here, local) = (origin([10, 0, 0, 1], 9), origin([127, 0, 0, 1], 9));
    let bob_here = || Origin { account: Some("bob".into()), ..origin([10, 0, 0, 1], 9) };
    let of_bob = |count| vec![(PastSender::Account("Bob".to_owned()), count)];
    assert!(told(1000, vec![guest("10.0.0.1:7", 25), guest("10.0.0.1:8", 24)], here.clone()));
    assert!(!told(1000, vec![guest("10.0.0.1:7", 25), guest("10.0.0.1:8", 25)], here.clone()), "of one address");
    assert!(told(1000, vec![guest("10.0.0.2:7", 50)], here.clone()), "of another");
    assert!(told(1000, vec![guest("127.0.0.1:7", 50), guest("unix:1000:7", 50)], local), "of other connections");
    assert!(told(1000, of_bob(50), here.clone()));
    assert!(told(1000, of_bob(49), bob_here()) && !told(1000, of_bob(50), bob_here()), "of an account");
    assert!(!told(60, vec![guest("10.0.0.2:7", 40), guest("unix:1000:7", 20)], here), "in all");
}

#[test]
fn a_user_of_the_machine_is_told_on_arrival_what_was_kept() {
    let mut chat = Chat::new(Rules { has_store: true, ..Rules::default() }, Epoch::from_random(0));
    let mut input = |input| {
        let mut out = Vec::new();
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        out
    };
    let [ann, bob, visitor] = [1, 2, 3].map(ClientId);
    let account = Account::new(&Name::parse("ann").unwrap(), None, Timestamp::UNIX_EPOCH);
    input(Input::Accounts(vec![account]));
    input(Input::Arrive(bob, origin([10, 0, 0, 1], 2)));
    let command = Command::Private { to: "ann".to_owned(), text: "hi".to_owned() };
    input(Input::Command(bob, Load::Light, command));
    let from = || Origin { account: Some("ann".into()), ..origin([10, 0, 0, 1], 1) };
    let asks = |out: &[Output]| out.iter().any(|output| matches!(output, Output::Ask(..)));
    assert!(!asks(&input(Input::Visit(visitor, from()))), "it is left for the person");
    let out = input(Input::Arrive(ann, from()));
    assert!(asks(&out) && !out.contains(&Output::Ready(ann)), "{out:?}");
    let answer = Answer::Page { records: Vec::new(), through: 99, gone: vec![None] };
    let login = Done::Account(AccountDone::Login { name: "ann".into(), kept: 0 });
    let out = input(Input::Answered(ann, Some(answer)));
    assert_eq!(out[out.len() - 2..], [Output::tell(ann, Event::Done(login)), Output::Ready(ann)]);
}

#[test]
fn an_account_can_ask_for_its_private_messages_again() {
    let three = format!("{LOGIN}; 3 to|ann|one; 3 to|ann|two; 3 to|ann|three");
    check(&format!("{three}; 2 history|@|2; 2 is answered"), "");
    check(
        &format!("{three}; 2 history|@|2; 2 is answered; 2 is answered"),
        "2< 2| @3> two; 2< 3| @3> three; 2< 2 of @ until 3; 2 ready",
    );
    check(
        &format!("{three}; 2 history|@|since|1; 2 is answered"),
        "2< 2| @3> two; 2< 3| @3> three; 2< 2 of @ until 3; 2 ready",
    );
    check("3 history|@", "3< no: login-required");
    check_by(Rules::default(), "3 history|@", "3< no: no-store");
}

#[test]
fn one_can_wait_for_what_an_account_says() {
    let wait = format!("{LOGIN}; 3 join|ops; 3 wait|9|by|ann|ops|ship");
    check(&format!("{wait}; 4 in|ops|ship it"), "3< #ops @4: ship it; 4< said in ops");
    check(&format!("{wait}; 2 in|ops|ship it"), "3< #ops ann!@2: ship it; 2< said in ops; 3< met ship; 3 ready");
    check(&format!("{LOGIN}; 3 wait|9|by|ann|lobby|ship; 2 ship it"), "2,3< ann!@2: ship it; 3< met ship; 3 ready");
    let wait = format!("{LOGIN}; 3 rename|bot; 3 wait|9|by|ann|@|ship");
    check(&format!("{wait}; 4 to|bot|ship it"), "3< @4> ship it");
    check(&format!("{wait}; 2 to|bot|ship it"), "3< ann!@2> ship it; 3< met ship; 3 ready");
    check(&format!("{wait}; 2 ship it"), "2,3< ann!@2: ship it");
    check("3 wait|9|by|bob|ops|ship", "3< no-such-account");
    check(
        &format!("{LOGIN}; 3 wait|9|by|ann|lobby|ship; 2 unregister|hunter22; 2 is verified"),
        "3< no-such-account; 3 ready; 2< unregistered ann; 2 ready",
    );
}
