//! The rules as transcripts; `stage` tells how to read them.

mod stage;

use super::*;
use crate::protocol::parse;
use stage::{check, check_by, long};

fn places(total: usize, per_ip: usize) -> Rules {
    Rules { capacity: Capacity { total, per_ip }, ..Rules::default() }
}

#[test]
fn an_arrival_is_told_to_all_and_first_to_the_newcomer() {
    check("1 arrives", "1< +@1");
    check("1 arrives; 2 arrives; 3 arrives", "1,2,3< +@3");
    check("1 rename|ann; 2 arrives; 1 hi", "1,2< ann@1: hi");
}

#[test]
fn what_is_said_is_told_to_all_and_the_speaker() {
    check("1 hi", "1< @1: hi");
    check("2 hi; 3 rename|bob; 1 hello", "1,2,3< @1: hello");
    check("2 rename|bob; 1 rename|ann; 1 a|b", "1,2< ann@1: a|b");
    check("1 one\ntwo; 2 three\nfour", "1,2< @2: three; 1,2< @2: four");
    check("1 rename|ann; 1 hi\nrename|eve\nhi", "1< ann@1: hi; 1< ann@1 is eve@1; 1< eve@1: hi");
}

#[test]
fn who_lists_all_in_order_of_arrival() {
    check("1 who", "1< =@1; 1< =1");
    check("3 rename|ann; 1 rename|zoe; 2 who", "2< =zoe@1; 2< =@2; 2< =ann@3; 2< =3");
    check("2 arrives; 1 arrives; 2 leaves; 3 who", "3< =@1; 3< =@3; 3< =2");
}

#[test]
fn a_name_is_told_to_its_bearer_and_the_old_one_is_free() {
    check("2 hi; 1 rename|ann", "1< @1 is ann@1");
    check("1 rename|ann; 1 rename|张三", "1< ann@1 is 张三@1");
    check("1 rename|ann; 1 rename|eve; 2 rename|ann", "2< @2 is ann@2");
    check("1 rename|ann; 1 leaves; 2 rename|ann", "2< @2 is ann@2");
    check("1 rename|ann; 1 is silent; 2 rename|ann", "2< @2 is ann@2");
    check("1 rename|ann; 1 rename|eve; 2 to|ann|hi", "2< no-such-user");
    check("1 rename|ann; 2 to|@1|hi", "2< no-such-user");
}

#[test]
fn a_name_is_of_one_user_only() {
    check("1 rename|ann; 2 rename|ann", "2< name-taken");
    for look_alike in ["ANN", "Ann", "ａｎｎ", "аnn", "аNN"] {
        check(&format!("1 rename|ann; 2 rename|{look_alike}"), "2< name-taken");
        check(&format!("1 rename|{look_alike}; 2 rename|ann"), "2< name-taken");
    }
    check("1 rename|ann; 2 rename|bob; 2 rename|ann; 1 to|bob|hi", "2< ann@1> hi");
    check("1 rename|ann\nrename|bob; 2 rename|ann\nrename|bob", "2< @2 is ann@2; 2< name-taken");
}

#[test]
fn a_bearer_may_spell_the_name_anew() {
    check("1 rename|ann; 1 rename|ann", "1< ann@1 is ann@1");
    check("1 rename|ann; 1 rename|ANN", "1< ann@1 is ANN@1");
    check("1 rename|ann; 1 rename|ANN; 2 rename|ann", "2< name-taken");
    check("1 rename|ann; 1 rename|ANN; 1 rename|eve; 2 rename|ann", "2< @2 is ann@2");
}

#[test]
fn what_is_no_name_is_refused() {
    check("1 rename|", "1< name-invalid(empty)");
    check("1 rename|a b", "1< name-invalid(space)");
    check("1 rename|a|b", "1< name-invalid(punctuation)");
    check("1 rename|@1", "1< name-invalid(punctuation)");
    check("1 rename|@2", "1< name-invalid(punctuation)");
    check("1 rename|10.0.0.0", "1< name-invalid(address)");
    check("1 rename|a\u{200b}b", "1< name-invalid(invisible)");
    check(&format!("1 rename|{}", "长".repeat(33)), "1< name-invalid(too-long)");
    check("1 rename|ann; 1 rename|[eve]; 2 to|ann|hi", "1< @2> hi");
}

#[test]
fn a_private_message_is_told_to_one() {
    check("1 rename|ann; 2 rename|bob; 3 to|bob|hi", "2< @3> hi");
    check("1 rename|ann; 2 rename|bob; 1 to|bob|a|b", "2< ann@1> a|b");
    check("1 rename|ann; 2 to|ANN|hi", "1< @2> hi");
    check("1 hi; 3 hi; 2 to|@3|hi", "3< @2> hi");
    check("1 rename|ann; 2 to|ann| ", "1< @2>  ");
    check("1 rename|ann; 2 hi; 1 to|ann|note to self", "1< ann@1> note to self");
}

#[test]
fn a_private_message_that_cannot_be_told_is_refused() {
    check("2 hi; 1 to|bob|hi", "1< no-such-user");
    check("1 rename|ann; 2 to|ann|", "2< empty-text");
    check("1 to|bob|", "1< no-such-user");
    check("1 to|bob", "1< private-form");
    check("1 to|", "1< private-form");
    check("1 to||hi", "1< private-form");
    check("2 rename|bob; 2 leaves; 1 to|bob|hi", "1< no-such-user");
    check("2 leaves; 1 to|@2|hi", "1< no-such-user");
    check("12 hi; 1 to|@1|hi", "1< @1> hi");
}

#[test]
fn a_blank_line_is_told_to_nobody() {
    check("2 hi; 1 ", "");
    check("1 \nhi\n\n", "1< @1: hi");
}

#[test]
fn a_refused_line_does_not_take_the_next_ones_along() {
    check(
        "2 hi; 1 to|bob\nhi\nrename|\nwho|\nho",
        "1< private-form; 1,2< @1: hi; 1< name-invalid(empty); 1< form(who); 1,2< @1: ho",
    );
    check("1 a\0b\nhi", "1< nul; 1< @1: hi");
}

#[test]
fn a_departure_is_told_to_all_others_once() {
    check("1 leaves", "1 hung up: left; < -@1 left");
    check("2 rename|bob; 1 hi; 3 hi; 2 leaves", "2 hung up: left; 1,3< -bob@2 left");
    check("1 hi; 2 is lost", "2 hung up: lost; 1< -@2 lost");
    check("1 hi; 2 leaves; 2 leaves", "");
    check("1 hi; 2 is lost; 2 leaves", "");
    check("1 hi; 2 leaves; 2 is silent", "");
}

#[test]
fn who_is_kicked_is_told_why_and_is_gone_at_once() {
    check("1 hi; 2 is silent", "2< bye idle; 2 hung up: idle; 1< -@2 idle");
    check("1 hi; 2 is slow", "2< bye slow-consumer; 2 hung up: slow-consumer; 1< -@2 slow-consumer");
    check("1 hi; 2 is told to go", "2< bye shutting-down; 2 hung up: shutting-down; 1< -@2 shutting-down");
    check("1 hi; 2 rename|bob; 2 is silent; 1 who", "1< =@1; 1< =1");
    check("1 hi; 2 is silent; 2 still here", "");
    check("1 hi; 2 is silent; 2 leaves", "");
}

#[test]
fn who_has_left_has_no_effect() {
    for step in ["hi", "who", "rename|ann", "to|@1|hi", "quit", "leaves", "is silent", "is lost", "is slow"] {
        check(&format!("1 hi; 2 leaves; 2 {step}"), "");
    }
    check("1 hi; 2 leaves; 2 rename|ann; 1 rename|ann", "1< @1 is ann@1");
}

#[test]
fn there_are_so_many_places() {
    check_by(places(2, 9), "1 arrives; 2 arrives; 3 arrives", "3< bye full; 3 hung up: full");
    check_by(places(2, 9), "1 arrives; 2 arrives; 3 arrives; 3 hi", "");
    check_by(places(2, 9), "1 arrives; 2 arrives; 3 arrives; 2 who", "2< =@1; 2< =@2; 2< =2");
    check_by(places(2, 9), "1 arrives; 2 arrives; 3 arrives; 3 leaves; 4 arrives", "4< bye full; 4 hung up: full");
    check_by(places(2, 9), "1 arrives; 2 arrives; 2 leaves; 3 arrives", "1,3< +@3");
    check_by(places(2, 9), "1 arrives; 2 arrives; 1 is silent; 3 arrives", "2,3< +@3");
}

#[test]
fn there_are_so_many_places_for_an_address() {
    let full = "3< bye full-for-address; 3 hung up: full-for-address";
    check_by(places(9, 2), "1 arrives; 2 arrives; 3 arrives", full);
    check_by(places(9, 2), "1 arrives; 2 arrives; 3 arrives; 1 who", "1< =@1; 1< =@2; 1< =2");
    check_by(places(9, 2), "1 arrives; 2 arrives; 11 arrives", "1,2,11< +@11");
    check_by(places(9, 2), "1 arrives; 11 arrives; 11 leaves; 2 arrives; 3 arrives", full);
    check_by(places(9, 2), "1 arrives; 2 arrives; 2 is lost; 3 arrives", "1,3< +@3");
    check_by(places(2, 2), "1 arrives; 2 arrives; 3 arrives", "3< bye full; 3 hung up: full");
}

#[test]
fn an_address_is_one_in_either_family() {
    let mut chat = Chat::new(places(9, 1));
    let mut out = Vec::new();
    chat.handle(ClientId(1), Input::Arrive("10.0.0.1:7".parse().unwrap()), &mut out);
    chat.handle(ClientId(2), Input::Arrive("[::ffff:10.0.0.1]:8".parse().unwrap()), &mut out);
    assert_eq!(out.last(), Some(&Output::HangUp(ClientId(2), Departure::FullForAddress)));
    chat.handle(ClientId(3), Input::Arrive("[::ffff:10.0.0.2]:9".parse().unwrap()), &mut out);
    assert_eq!(chat.member(ClientId(3)).unwrap().0.addr, "10.0.0.2:9");
    chat.handle(ClientId(4), Input::Arrive("[::1]:9".parse().unwrap()), &mut out);
    assert_eq!(chat.member(ClientId(4)).unwrap().0.addr, "[::1]:9");
}

#[test]
fn an_address_used_again_leads_to_the_newcomer() {
    check("1 hi; 3 hi; 2 arrives at @1; 3 to|@1|hi", "2< @3> hi");
    check("1 hi; 3 hi; 2 arrives at @1; 1 leaves; 3 to|@1|hi", "2< @3> hi");
    check("1 hi; 3 hi; 2 arrives at @1; 1 rename|ann; 3 to|@1|hi", "2< @3> hi");
}

#[test]
fn http_is_cut_as_first_words_and_chat_later() {
    check("2 hi; 1 GET / HTTP/1.1\nHost: x\n", "1< bye http; 1 hung up: http; 2< -@1 http");
    check("1 hi; 1 GET / HTTP/1.1", "1< @1: GET / HTTP/1.1");
    check("1 hi\nGET / HTTP/1.1", "1< @1: hi; 1< @1: GET / HTTP/1.1");
    check("1 \nGET / HTTP/1.1", "1< @1: GET / HTTP/1.1");
    check("1 to|\nGET / HTTP/1.1", "1< private-form; 1< @1: GET / HTTP/1.1");
}

#[test]
fn words_for_scripts() {
    check("2 hi; 1 sync|a|b", "1< sync a|b");
    check("2 rename|bob; 1 hi\nto|bob|hi\nsync|1", "1,2< @1: hi; 2< @1> hi; 1< sync 1");
    check("2 hi; 1 say|who", "1,2< @1: who");
    check("2 hi; 1 help", "1< help");
    check("2 hi; 1 quit", "1< bye quit; 1 hung up: quit; 2< -@1 quit");
    check("2 hi; 1 quit\nhi", "1< bye quit; 1 hung up: quit; 2< -@1 quit");
    check("2 hi; 1 lang|en", "1 set: Lang(En); 1< set Lang(En)");
    check("2 hi; 1 format|json", "1 set: Format(Json); 1< set Format(Json)");
    check("2 hi; 1 format|xml", "1< form(format)");
}

#[test]
fn who_stays_is_not_silent_unless_that_is_forbidden() {
    check("1 stay", "1< set Stay");
    check("2 hi; 1 stay; 1 is silent", "");
    check("2 hi; 1 stay; 2 is silent", "2< bye idle; 2 hung up: idle; 1< -@2 idle");
    check("2 hi; 1 stay; 1 is slow", "1< bye slow-consumer; 1 hung up: slow-consumer; 2< -@1 slow-consumer");
    let strict = || Rules { strict_idle: true, ..Rules::default() };
    check_by(strict(), "1 stay", "1< stay-forbidden");
    check_by(strict(), "1 stay; 1 is silent", "1< bye idle; 1 hung up: idle; < -@1 idle");
}

#[test]
fn what_looks_like_an_address_is_no_name() {
    check("1 rename|10.0.0.0ː9", "1< name-invalid(address)"); // a letter, by category
    for colon in ['∶', '꞉', '׃', '։'] {
        let (of_1, of_9) = (long("@1").replace(':', &colon.to_string()), long("@9").replace(':', &colon.to_string()));
        check(&format!("1 hi; 2 rename|{of_1}"), "2< name-invalid(punctuation)");
        check(&format!("1 rename|{of_9}; 9 arrives; 9 to|{of_9}|hi"), "9< @9> hi");
    }
}

#[test]
fn an_address_is_not_gone_while_another_has_it() {
    check("1 hi; 3 hi; 2 arrives at @1; 3 wait|9|gone|@1; 1 rename|ann", "1< @1 is ann@1");
    check("1 hi; 3 hi; 2 arrives at @1; 3 wait|9|gone|@1; 1 leaves", "1 hung up: left; 3,2< -@1 left");
}

#[test]
fn who_waits_with_its_last_line_leaves_with_the_answer() {
    check("2 hi; 1 wait|9|text|x; 1 leaves", "");
    check("2 hi; 1 wait|9|text|x; 1 leaves; 2 x", "1,2< @2: x; 1< met x; 1 hung up: left; 2< -@1 left");
    check("2 hi; 1 wait|9|text|x; 1 leaves; 1 is lost", "1 hung up: lost; 2< -@1 lost");
    check("2 hi; 1 wait|9|text|x; 1 leaves; 1 is silent", "");
    check(
        "1 rename|ann; 2 wait|9|gone|ann; 2 leaves; 1 leaves",
        "1 hung up: left; 2< -ann@1 left; 2< met ann; 2 hung up: left; < -@2 left",
    );
}

#[test]
fn a_long_chain_of_departures_is_no_deep_one() {
    let mut chat = Chat::new(Rules::default());
    let mut out = Vec::new();
    for client in 0..20_000u64 {
        let (low, high) =
            (u16::try_from(client % 50_000).expect("a port"), u8::try_from(client / 50_000).expect("few"));
        let after = client.wrapping_sub(1);
        chat.handle(ClientId(client), Input::Arrive(SocketAddr::from(([10, 0, 0, high], low))), &mut out);
        let lines = [format!("rename|n-{client}"), format!("wait|99|gone|n-{after}")];
        let lines = lines[..if client == 0 { 1 } else { 2 }].iter().map(|line| parse(line.as_bytes())).collect();
        chat.handle(ClientId(client), Input::Lines(lines), &mut out);
        if client > 0 {
            chat.handle(ClientId(client), Input::Eof, &mut out);
        }
    }
    chat.handle(ClientId(0), Input::Eof, &mut out);
    assert_eq!(chat.members().count(), 0);
}
