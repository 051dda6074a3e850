//! Order. 1 is an operator, logged in as op; 2 has an account, ann. Others are guests: those from 10 on have another address.

use super::{super::*, stage::check_by};

fn rules() -> Rules {
    let accounts = AccountRules { allows_insecure: true, ..AccountRules::default() };
    Rules { has_store: true, accounts, ..Rules::default() }
}

/// What comes before each script.
const BEFORE: &str = "1 rename|op; 1 register|hunter22; 1 is verified; 1 is made operator; 1 login|op|hunter22; \
                      1 is verified; 2 rename|ann; 2 register|hunter22; 2 is verified; ";

fn check(script: &str, told: &str) {
    check_by(rules(), &format!("{BEFORE}{script}"), told);
}

#[test]
fn who_has_no_role_can_do_nothing() {
    for line in [
        "kick|op|x",
        "ban|op|0|x",
        "ban|10.0.0.1|1h|x",
        "unban|op",
        "mute|op|0|x",
        "unmute|op",
        "bans",
        "announce|x",
        "shutdown|0|x",
        "shutdown|cancel",
    ] {
        check(&format!("2 {line}"), "2< no: not-operator");
        check(&format!("3 {line}"), "3< no: not-operator");
    }
    for line in ["lock|ops", "unlock|ops", "invite|ops|ann", "owner|ops|ann", "kick|#ops|op|x", "mute|#ops|op|0|x"] {
        check(&format!("1 join|ops; 2 {line}"), "2< no: not-owner");
        check(&format!("1 join|ops; 3 {line}"), "3< no: not-owner");
        check(&format!("2 {line}"), "2< no: no-such-room");
    }
}

#[test]
fn the_role_is_that_of_the_account_one_is_logged_in_to() {
    check("1 rename|x; 1 bans", "1< no: not-operator");
    check("1 is made user; 1 login|op|hunter22; 1 is verified; 1 bans", "1< no: not-operator");
    check("3 visits; 3 login|op|hunter22; 3 is verified; 3 bans", "3< 0 bans");
    check_by(rules(), "1 rename|op; 1 bans", "1< no: not-operator");
    check_by(Rules::default(), "1 kick|op|x", "1< no: no-store");
}

#[test]
fn one_is_kicked_and_told_why() {
    check(
        "3 rename|bob; 1 kick|bob|flood",
        "1< kick ok bob; 3< notice op kicked flood; 3< bye kicked; 3 hung up: kicked; 1,2< -bob@3 kicked",
    );
    check("1 kick|ANN|x", "1< kick ok ann; 2< notice op kicked x; 2< bye kicked; 2 hung up: kicked; 1< -ann!@2 kicked");
    check("1 kick|nobody|x", "1< no: no-such-user");
    check("2 leaves; 1 kick|ann|x", "1< no: no-such-user");
    check("1 kick|op", "1< kick ok op; 1< notice op kicked; 1< bye kicked; 1 hung up: kicked; 2< -op!@1 kicked");
}

#[test]
fn a_guest_is_banned_by_its_address_and_an_account_everywhere() {
    check(
        "12 rename|bob; 1 ban|bob|1h|flood",
        "1< ban ok 10.0.0.1 until 3600; 12< notice ? banned until 3600 flood; 12< bye banned; 12 hung up: banned; \
         1,2< -bob@12 banned",
    );
    check("1 ban|10.0.0.1|1h|x; 12 arrives", "12< notice ? banned until 3600 x; 12< bye banned; 12 hung up: banned");
    check(
        "1 ban|10.0.0.1|1h|x; 12 arrives to visit",
        "12< notice ? banned until 3600 x; 12< bye banned; 12 hung up: banned",
    );
    check("1 ban|10.0.0.1|1h|x; 22 arrives", "1,2,22< +@22");
    check("1 ban|10.0.0.1|1h|x; 1 waits 3600; 12 arrives", "1,2,12< +@12");
    check("1 ban|@12|0", "1< ban ok 10.0.0.1 until -");
    check("1 ban|10.0.1.7/16|1m|x", "1< no: not-bannable"); // the operator's own
    check("1 ban|10.0.1.7/24|1m|x", "1< ban ok 10.0.1.0/24 until 60");
    check(
        "1 ban|ann|0|x",
        "1< ban ok ann until -; 2< notice ? banned x; 2< bye banned; 2 hung up: banned; 1< -ann!@2 banned",
    );
    check("1 ban|ann|1h|x; 12 login|ann|hunter22; 12 is verified", "12< no: banned until 3600; 12 ready");
    check("1 ban|ann|1h|x; 1 waits 3600; 12 login|ann|hunter22; 12 is verified; 12 bans", "12< no: not-operator");
    check(
        "2 leaves; 1 ban|ann|1h|x; 1 unban|ann; 12 login|ann|hunter22; 12 is verified; 12 bans",
        "12< no: not-operator",
    );
}

#[test]
fn what_cannot_be_banned() {
    for who in ["127.0.0.1", "127.0.0.1:9", "127.0.0.0/8", "::1", "0.0.0.0/0", "unix:1000:1", "op", "@1"] {
        check(&format!("1 ban|{who}|1h|x"), "1< no: not-bannable");
    }
    check("1 ban|nobody|1h|x", "1< no: no-such-user");
    check("1 unban|10.0.0.1", "1< no: no-such-ban");
    check("1 ban|10.0.0.1|1h|x; 1 waits 3600; 1 unban|10.0.0.1", "1< no: no-such-ban");
}

#[test]
fn a_name_that_nobody_bears_any_more_is_remembered_for_a_day() {
    check("12 rename|bob; 12 leaves; 1 ban|bob|1h|x", "1< ban ok 10.0.0.1 until 3600");
    let told = "1< ban ok 10.0.0.1 until 3600; 12< notice ? banned until 3600 x; 12< bye banned; 12 hung up: banned; \
                1,2< -eve@12 banned";
    check("12 rename|bob; 12 rename|eve; 1 ban|bob|1h|x", told);
    check("12 rename|bob; 12 leaves; 1 waits 86400; 1 ban|bob|1h|x", "1< no: no-such-user");
    check("12 rename|bob; 12 rename|eve; 22 rename|bob; 1 ban|bob|1h|x; 1 unban|10.0.0.2", "1< unban ok 10.0.0.2");
}

#[test]
fn bans_are_listed_and_lifted() {
    check(
        "12 arrives; 1 ban|10.0.1.0/24|1h|flood; 1 ban|ann|0; 1 mute|@12|1m|spam; 1 bans",
        "1< ban ann until - by op; 1< ban 10.0.1.0/24 until 3600 by op flood; 1< mute 10.0.0.1 until 60 by op spam; \
         1< 3 bans",
    );
    check("1 ban|10.0.1.0/24|1h|x; 1 unban|10.0.1.9/24", "1< unban ok 10.0.1.0/24");
    check("1 ban|10.0.1.0/24|1h|x; 1 waits 3600; 1 bans", "1< 0 bans");
}

#[test]
fn one_who_is_muted_hears_and_does_not_speak() {
    check("1 mute|ann|1m|calm down", "2< notice op muted until 60 calm down; 1< mute ok ann until 60");
    for line in ["hi", "to|op|hi", "rename|x"] {
        check(&format!("1 mute|ann|1m|x; 2 {line}"), "2< muted until 60");
    }
    check("1 mute|ann|1m|x; 2 in|ops|hi", "2< no: muted until 60");
    check("1 mute|ann|1m|x; 1 hi", "1,2< op!@1: hi");
    // Owners of rooms may mute anybody there as often as they like.
    check("2 is behind; 1 mute|ann|1m|x", "1< mute ok ann until 60");
    check("1 mute|ann|1m|x; 1 waits 60; 2 hi", "1,2< ann!@2: hi");
    check("1 mute|ann|1m|x; 1 unmute|ann", "2< notice op unmuted; 1< unmute ok ann");
    check("1 mute|ann|1m|x; 1 unmute|ann; 2 hi", "1,2< ann!@2: hi");
    // A guest, by its address: other guests from there, and accounts made since, but not those that were there before.
    check("12 rename|bob; 1 mute|bob|1m|x; 13 hi", "13< muted until 60");
    check("12 rename|bob; 1 mute|bob|1m|x; 13 login|ann|hunter22; 13 is verified; 13 hi", "1,2,12,13< ann!@13: hi");
    let registers = "12 rename|bob; 1 mute|bob|1h|x; 1 waits 1; 13 arrives; 13 visits";
    check(&format!("{registers}; 13 hi"), "13< muted until 3600");
}

#[test]
fn the_owner_of_a_room_keeps_order_there() {
    let room = "2 join|ops; 3 rename|bob; 3 join|ops; ";
    check(
        &format!("{room}2 kick|#ops|bob|off topic"),
        "3< notice ann kicked #ops off topic; 2,3< #ops <bob@3; 2< kick ok bob",
    );
    check(&format!("{room}2 kick|#ops|bob|x; 3 hi"), "1,2,3< bob@3: hi");
    check(&format!("{room}2 mute|#ops|bob|1m|x"), "3< notice ann muted #ops until 60 x; 2< mute ok 10.0.0.0 until 60");
    check(&format!("{room}2 mute|#ops|bob|1m|x; 3 hi"), "3< muted until 60");
    check(
        &format!("{room}2 mute|#ops|bob|1m|x; 3 say|x\nin|lobby|hi"),
        "3< muted until 60; 1,2,3< bob@3: hi; 3< said in lobby",
    );
    check(&format!("{room}2 mute|#ops|bob|1m|x; 2 unmute|#ops|bob; 3 hi"), "2,3< #ops bob@3: hi");
    check(&format!("{room}3 kick|#ops|ann|x"), "3< no: not-owner");
    check(&format!("{room}1 kick|#ops|ann|x"), "2< notice op kicked #ops x; 2,3< #ops <ann!@2; 1< kick ok ann");
    // Another owner, who does not turn against the one that has made the room.
    let owners = "2 join|ops; 3 rename|bob; 3 register|hunter22; 3 is verified; 2 owner|ops|bob; ";
    check(&format!("{owners}3 kick|#ops|ann|x"), "3< no: not-operator");
    check(&format!("{owners}3 lock|ops"), "3< lock ok #ops");
    check(&format!("{owners}2 kick|#ops|bob|x; 3 lock|ops"), "3< no: not-owner");
    check("2 join|ops; 2 owner|ops|nobody", "2< no: no-such-account");
    check("2 join|ops; 2 rename|x; 2 lock|ops", "2< no: not-owner");
    check("3 join|ops; 2 join|ops; 2 lock|ops", "2< no: not-owner");
    check("1 lock|lobby", "1< no: not-owner");
}

#[test]
fn a_locked_room_is_closed_to_all_who_are_not_in_it_or_invited() {
    let room = "2 join|ops; 2 topic|ops|secret; 2 lock|ops; ";
    for line in ["join|ops", "join|ops|since|1h", "in|ops|hi", "history|ops", "topic|ops", "topic|ops|x", "who|ops"] {
        check(&format!("{room}3 {line}"), "3< no: room-locked");
        check(&format!("{room}1 {line}"), "1< no: room-locked");
    }
    for line in ["wait|9|members|ops|1", "wait|9|in|ops|x", "wait|9|by|ann|ops|x"] {
        check(&format!("{room}3 {line}"), "3< room-locked");
    }
    check(&format!("{room}3 rooms"), "3< lobby 3; 3< ops -; 3< 2 rooms");
    check(&format!("{room}2 rooms"), "2< lobby 2; 2< ops 1 secret; 2< 2 rooms");
    check(&format!("{room}2 unlock|ops; 3 rooms"), "3< lobby 3; 3< ops 1 secret; 3< 2 rooms");
    check("2 join|ops; 3 join|ops; 2 lock|ops; 3 hi", "2,3< #ops @3: hi");
    check("2 join|ops; 3 join|ops; 2 lock|ops; 3 leave|ops; 3 join|ops", "3< no: room-locked");
    // A guest is invited for its connection.
    check(&format!("{room}3 rename|bob; 2 invite|ops|bob"), "3< notice ann invited #ops; 2< invite ok #ops bob");
    let invited = format!("{room}3 rename|bob; 2 invite|ops|bob; ");
    check(&format!("{invited}3 rename|eve; 3 in|ops|hi"), "2< #ops eve@3: hi; 3< said in ops");
    check(&format!("{invited}3 leaves; 4 rename|bob; 4 in|ops|hi"), "4< no: room-locked");
    check(&format!("{invited}2 kick|#ops|bob|x; 3 join|ops"), "3< no: room-locked");
    // An account for good, wherever it logs in.
    let invited = format!("{room}3 rename|bob; 3 register|hunter22; 3 is verified; 2 invite|ops|bob; ");
    check(&format!("{invited}3 in|ops|hi"), "2< #ops bob!@3: hi; 3< said in ops");
    check(&format!("{invited}3 rename|eve; 3 in|ops|hi"), "3< no: room-locked");
    check(&format!("{invited}2 kick|#ops|bob|x; 3 in|ops|hi"), "3< no: room-locked");
    let again = "3 leaves; 4 login|bob|hunter22; 4 is verified; 4 in|ops|hi";
    check(&format!("{invited}{again}"), "2< #ops bob!@4: hi; 4< said in ops");
    // It is the account that is invited, and not the name.
    let gone = "3 unregister|hunter22; 3 is verified; 3 in|ops|hi";
    check(&format!("{invited}{gone}"), "3< no: room-locked");
    let anew = "3 unregister|hunter22; 3 is verified; 3 register|hunter22; 3 is verified; 3 in|ops|hi";
    check(&format!("{invited}{anew}"), "3< no: room-locked");
}

#[test]
fn who_waits_for_something_in_a_room_waits_no_longer_when_it_is_locked() {
    check("2 join|ops; 3 wait|9|in|ops|x; 2 lock|ops", "3< room-locked; 3 ready; 2< lock ok #ops");
    check("2 join|ops; 3 wait|9|members|ops|5; 2 lock|ops; 3 hi", "1,2,3< @3: hi");
    check("2 join|ops; 3 join|ops; 3 wait|9|in|ops|x; 2 lock|ops; 2 x", "2,3< #ops ann!@2: x; 3< met x; 3 ready");
    check(
        "2 join|ops; 3 rename|bob; 3 join|ops; 2 lock|ops; 3 wait|9|in|ops|x; 2 kick|#ops|bob|x",
        "3< notice ann kicked #ops x; 2,3< #ops <bob@3; 3< room-locked; 3 ready; 2< kick ok bob",
    );
    // Somebody else takes the name over that was invited.
    let invited = "2 join|ops; 2 lock|ops; 3 rename|bob; 3 register|hunter22; 3 is verified; 2 invite|ops|bob; \
                   3 wait|9|in|ops|x; 4 login|bob|hunter22; ";
    check(&format!("{invited}4 is verified; 2 x; 3 hi"), "1,2,3,4< @3: hi");
}

#[test]
fn everyone_is_told_what_an_operator_announces() {
    check(
        "3 arrives to visit; 1 announce|lunch",
        "1< announce ok; 1< notice op announced lunch; 2< notice op announced lunch; 3< notice op announced lunch",
    );
}

#[test]
fn the_server_ends_when_an_operator_has_asked_for_it() {
    check(
        "1 shutdown|1m|update",
        "1< shutdown ok 60; 1< notice op shutdown until 60 update; 2< notice op shutdown until 60 update",
    );
    check("1 shutdown|1m|x; 1 waits 59", "");
    check("1 shutdown|1m|x; 1 waits 60", "the server ends");
    check("1 shutdown|1m|x; 1 waits 60; 1 waits 60", "");
    check("1 shutdown|1m|x; 1 shutdown|cancel; 1 waits 60", "");
    check(
        "1 shutdown|1m|x; 1 shutdown|cancel",
        "1< shutdown ok -; 1< notice op shutdown-cancelled; 2< notice op shutdown-cancelled",
    );
    check("1 shutdown|cancel", "1< shutdown ok -");
    check("1 shutdown|3651d|x", "1< no: too-far-ahead");
    check("1 shutdown|99999999999999d|x", "1< no: too-far-ahead");
}

#[test]
fn nobody_else_who_bears_a_former_name_may_be_muted_for_it() {
    let trusted = || Rules { trusted: vec!["10.0.0.0/24".parse().unwrap()], ..rules() };
    let script = "12 rename|bob; 12 leaves; 1 mute|bob|1h|x";
    check_by(trusted(), &format!("{BEFORE}{script}"), "1< no: not-bannable");
    check(script, "1< mute ok 10.0.0.1 until 3600");
}

#[test]
fn connections_that_are_gone_take_no_places_among_the_mutes_of_a_room() {
    let rules = Rules { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..rules() };
    let mute = |client: u64| {
        format!("{client} arrives; {client} rename|n{client}; 1 mute|#ops|n{client}|0|x; {client} leaves; ")
    };
    let mutes: String = (100..=201).map(mute).collect();
    check_by(
        rules,
        &format!("{BEFORE}1 join|ops; {mutes}3 rename|zed; 1 mute|#ops|zed|0|x"),
        "3< notice op muted #ops x; 1< mute ok @3 until -",
    );
}

#[test]
fn one_who_is_muted_keeps_the_mute_and_sends_no_words_along_with_acts() {
    check("1 mute|ann|1m|x; 2 unregister|hunter22", "2< no: muted until 60");
    check("2 join|mine; 1 mute|ann|1m|x; 2 mute|#mine|op|0|buy", "2< no: muted until 60");
    check("2 join|mine; 1 mute|#mine|ann|1m|x; 2 unregister|hunter22", "2< no: muted until 60");
    // Muted while the password is verified.
    check("2 unregister|hunter22; 1 mute|ann|1m|x; 2 is verified", "2< no: muted until 60; 2 ready");
    // That was no attempt at a password.
    let attempts = "2 unregister|hunter22; ".repeat(20);
    check(
        &format!("1 mute|ann|1m|x; {attempts}1 unmute|ann; 2 unregister|hunter22; 2 is verified"),
        "2< unregistered ann; 2 ready",
    );
}

#[test]
fn what_cannot_be_kept_is_not_done() {
    for line in ["ban|ann|0", "mute|ann|0", "unmute|ann", "unban|ann", "lock|ops", "invite|ops|ann", "kick|#ops|ann"] {
        check(&format!("1 join|ops; 1 knows that the store fails; 1 {line}"), "1< no: not-stored");
    }
    check(
        "1 knows that the store fails; 1 announce|hi",
        "1< announce ok; 1< notice op announced hi; 2< notice op announced hi",
    );
}
