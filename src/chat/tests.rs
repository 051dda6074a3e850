//! The rules as transcripts; `stage` tells how to read them.

mod accounts;
mod answers;
mod door;
mod history;
mod locked;
mod mailbox;
mod order;
mod owned_names;
mod roles;
mod rooms;
mod stage;
mod stored;
mod visitors;
mod waits;
mod work;

use std::net::SocketAddr;

use super::*;
use crate::Origin;
use stage::{check, long};

pub(super) fn origin(ip: [u8; 4], port: u16) -> Origin {
    SocketAddr::from((ip, port)).into()
}

#[test]
fn an_arrival_is_told_to_all_and_first_to_the_newcomer() {
    check("1 arrives", "1< +@1");
    check("1 arrives; 2 arrives; 3 arrives", "1,2,3< +@3");
    check("1 rename|ann; 2 arrives; 1 hi", "1,2< ann@1: hi");
}

#[test]
fn a_message_is_told_to_all_the_sender_too() {
    check("1 hi", "1< @1: hi");
    check("2 hi; 3 rename|bob; 1 hello", "1,2,3< @1: hello");
    check("2 rename|bob; 1 rename|ann; 1 a|b", "1,2< ann@1: a|b");
    check("1 one\ntwo; 2 three\nfour", "1,2< @2: three; 1,2< @2: four");
    check(
        "1 rename|ann; 1 hi\nrename|eve\nhi",
        "1< ann@1: hi; 1< ann@1 is eve@1; (1)< ann@1 is now eve@1; 1< eve@1: hi",
    );
}

#[test]
fn who_lists_all_in_order_of_arrival() {
    check("1 who", "1< =@1; 1< =1");
    check("3 rename|ann; 1 rename|zoe; 2 who", "2< =zoe@1; 2< =@2; 2< =ann@3; 2< =3");
    check("2 arrives; 1 arrives; 2 leaves; 3 who", "3< =@1; 3< =@3; 3< =2");
}

#[test]
fn a_name_is_confirmed_to_its_bearer_then_told_to_all_and_the_old_one_is_free() {
    check("2 hi; 1 rename|ann", "1< @1 is ann@1; (1),2< @1 is now ann@1");
    check("1 rename|ann; 1 rename|张三", "1< ann@1 is 张三@1; (1)< ann@1 is now 张三@1");
    check("3 hi; 1 rename|ann; 1 rename|eve; 2 rename|ann", "2< @2 is ann@2; 1,(2),3< @2 is now ann@2");
    check("1 rename|ann; 1 leaves; 2 rename|ann", "2< @2 is ann@2; (2)< @2 is now ann@2");
    check("1 rename|ann; 1 is silent; 2 rename|ann", "2< @2 is ann@2; (2)< @2 is now ann@2");
    check("1 rename|ann; 1 rename|eve; 2 to|ann|hi", "2< no-such-user");
    check("1 rename|ann; 2 to|@1|hi", "2< no-such-user");
}

#[test]
fn two_users_cannot_have_the_same_name() {
    check("1 rename|ann; 2 rename|ann", "2< name-taken");
    for same in ["ANN", "Ann", "ａｎｎ"] {
        check(&format!("1 rename|ann; 2 rename|{same}"), "2< name-taken");
        check(&format!("1 rename|{same}; 2 rename|ann"), "2< name-taken");
    }
    for look_alike in ["аnn", "аNN"] {
        check(&format!("1 rename|ann; 2 rename|{look_alike}"), "2< name-confusable(ann)");
        check(&format!("1 rename|{look_alike}; 2 rename|ann"), &format!("2< name-confusable({look_alike})"));
    }
    // Small, these look like nothing else.
    check("1 rename|bob; 2 rename|вов\nrename|ВОВ; 2 who", "2< =bob@1; 2< =вов@2; 2< =2");
    for other in ["anna", "änn", "a-n-n"] {
        check(&format!("1 rename|ann; 2 rename|{other}"), &format!("2< @2 is {other}@2; 1,(2)< @2 is now {other}@2"));
    }
    check("1 rename|node1; 2 rename|nodel; 3 to|nodel|hi", "2< @3> hi");
    check("1 rename|node1; 2 rename|Ian\nrename|Lan; 3 to|nodel|hi", "3< no-such-user");
    check("1 rename|ann; 2 rename|bob; 2 rename|ann; 1 to|bob|hi", "2< ann@1> hi");
    check(
        "1 rename|ann\nrename|bob; 2 rename|ann\nrename|bob",
        "2< @2 is ann@2; 1,(2)< @2 is now ann@2; 2< name-taken",
    );
}

#[test]
fn a_user_may_respell_its_own_name() {
    check("1 rename|ann; 1 rename|ANN", "1< ann@1 is ANN@1; (1)< ann@1 is now ANN@1");
    check("1 rename|ann; 1 rename|ANN; 2 rename|ann", "2< name-taken");
    check("1 rename|ann; 1 rename|ANN; 1 rename|eve; 2 rename|ann", "2< @2 is ann@2; 1,(2)< @2 is now ann@2");
}

#[test]
fn a_rename_that_changes_nothing_is_confirmed_and_told_to_nobody_else() {
    check("2 hi; 1 rename|ann; 1 rename|ann", "1< ann@1 is ann@1");
    check("2 hi; 1 rename|ann\nrename|ann; 2 hi", "1,2< @2: hi"); // and takes no number
}

#[test]
fn an_invalid_name_is_refused() {
    check("1 rename|", "1< name-invalid(empty)");
    check("1 rename|a b", "1< name-invalid(space)");
    check("1 rename|a|b", "1< name-invalid(punctuation)");
    check("1 rename|@1", "1< name-invalid(punctuation)");
    check("1 rename|@2", "1< name-invalid(punctuation)");
    check("1 rename|10.0.0.0", "1< name-invalid(address)");
    check("1 rename|a\u{200b}b", "1< name-invalid(invisible)");
    check("1 rename|#a", "1< name-invalid(room-sign)");
    check("1 rename|\u{301}a", "1< name-invalid(marks)");
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
    check("2 rename|bob; 2 leaves; 1 to|bob|hi", "1< no-such-user");
    check("1 rename|ann; 2 to|аnn|hi", "2< no-such-user"); // the а is Cyrillic
    check(&format!("1 to|{}|hi", "\u{fdfa}".repeat(1000)), "1< no-such-user");
    check("2 leaves; 1 to|@2|hi", "1< no-such-user");
    check("12 hi; 1 to|@1|hi", "1< @1> hi");
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
fn a_kicked_client_is_told_why_and_is_gone_at_once() {
    check("1 hi; 2 is silent", "2< bye idle; 2 hung up: idle; 1< -@2 idle");
    check("1 hi; 2 is slow", "2< bye slow-consumer; 2 hung up: slow-consumer; 1< -@2 slow-consumer");
    check("1 hi; 2 rename|bob; 2 is silent; 1 who", "1< =@1; 1< =1");
    check("1 hi; 2 is silent; 2 still here", "");
    check("1 hi; 2 is silent; 2 leaves", "");
}

#[test]
fn inputs_of_a_departed_client_have_no_effect() {
    for step in ["hi", "who", "rename|ann", "to|@1|hi", "quits", "breaks", "leaves", "is silent", "is lost", "is slow"]
    {
        check(&format!("1 hi; 2 leaves; 2 {step}"), "");
    }
    check("1 hi; 2 leaves; 2 rename|ann; 1 rename|ann", "1< @1 is ann@1; (1)< @1 is now ann@1");
}

#[test]
fn an_ipv4_address_in_ipv6_form_is_shown_as_ipv4() {
    let mut chat = Chat::new(Rules::default(), Epoch::from_random(0));
    let mut out = Vec::new();
    let mut arrive = |client, addr: &str| {
        let input = Input::Arrive(ClientId(client), addr.parse::<SocketAddr>().unwrap().into());
        chat.handle(Entry { now: Duration::ZERO, at: Timestamp::UNIX_EPOCH, input }, &mut out);
        out.iter().rfind(|output| matches!(output, Output::Publish(_))).cloned().unwrap()
    };
    arrive(1, "10.0.0.1:7");
    arrive(3, "[::ffff:10.0.0.2]:9");
    arrive(4, "[::1]:9");
    let addrs: Vec<_> = chat.members().map(|(_, who)| who.addr.as_str()).collect();
    assert_eq!(addrs, ["10.0.0.1:7", "10.0.0.2:9", "[::1]:9"]);
}

#[test]
fn an_address_used_again_leads_to_the_newcomer() {
    check("1 hi; 3 hi; 2 arrives at @1; 3 to|@1|hi", "2< @3> hi");
    check("1 hi; 3 hi; 2 arrives at @1; 1 leaves; 3 to|@1|hi", "2< @3> hi");
    check("1 hi; 3 hi; 2 arrives at @1; 1 rename|ann; 3 to|@1|hi", "2< @3> hi");
}

#[test]
fn a_name_that_looks_like_an_address_is_refused() {
    for colon in ['ː', '∶', '꞉', '׃', '։'] {
        let (of_1, of_9) = (long("@1").replace(':', &colon.to_string()), long("@9").replace(':', &colon.to_string()));
        check(&format!("1 hi; 2 rename|{of_1}"), "2< name-invalid(punctuation)");
        check(&format!("1 rename|{of_9}; 9 arrives; 9 to|{of_9}|hi"), "9< no-such-user");
    }
    check("1 rename|10。0。0。0", "1< name-invalid(address)");
}

#[test]
fn an_address_is_not_gone_while_another_has_it() {
    check("1 hi; 3 hi; 2 arrives at @1; 3 wait|9|gone|@1; 1 rename|ann", "1< @1 is ann@1; (1),3,2< @1 is now ann@1");
    check("1 hi; 3 hi; 2 arrives at @1; 3 wait|9|gone|@1; 1 leaves", "1 hung up: left; 3,2< -@1 left");
}

#[test]
fn a_wait_as_last_command_is_answered_before_the_client_leaves() {
    check("2 hi; 1 wait|9|text|x; 1 leaves", "");
    check("2 hi; 1 wait|9|text|x; 1 leaves; 2 x", "1,2< @2: x; 1< met x; 1 hung up: left; 2< -@1 left");
    check("2 hi; 1 wait|9|text|x; 1 leaves; 1 is lost", "1 hung up: lost; 2< -@1 lost");
    check(
        "1 rename|ann; 2 wait|9|gone|ann; 2 leaves; 1 leaves",
        "1 hung up: left; 2< -ann@1 left; 2< met ann; 2 hung up: left; < -@2 left",
    );
}

#[test]
fn sync_is_answered_to_the_one_who_asks() {
    check("2 hi; 1 sync|a|b", "1< sync a|b");
    check("2 rename|bob; 1 hi\nto|bob|hi\nsync|1", "1,2< @1: hi; 2< @1> hi; 1< sync 1");
    check("2 hi; 1 say|who", "1,2< @1: who");
}

#[test]
fn a_refused_command_does_not_take_the_next_ones_along() {
    check("2 hi; 1 to|bob|x\nhi\nrename|\nho", "1< no-such-user; 1,2< @1: hi; 1< name-invalid(empty); 1,2< @1: ho");
}
