//! What clients say, to everyone and to one user.

use common::{EN, Server};

use crate::in_both;

#[test]
fn a_message_reaches_everyone_including_its_sender() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        let mut cat = server.connect();
        ann.fence();
        bob.fence();
        for text in ["大家好, all of you", " ", "a|b|c", "who is it", "rename", "to", "Say", "tab\there", "[x]y:z"] {
            bob.say(text);
            let line = format!("[{}]bob:{text}", bob.addr);
            ann.expect(&line);
            bob.expect(&line);
            cat.expect(&line);
        }
        cat.say("nameless");
        ann.expect(&format!("[{0}]{0}:nameless", cat.addr));
    });
}

#[test]
fn a_private_message_reaches_only_its_recipient() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        let mut cat = server.connect();
        ann.fence();
        bob.fence();
        ann.say("to|bob|a|b|");
        ann.say("to|BOB|again");
        ann.say(&format!("to|{}|nameless", cat.addr));
        ann.say("to|ann|to myself");
        ann.expect(&texts.private("ann", "to myself"));
        cat.say("to|ann|re");
        ann.expect(&texts.private(&cat.addr, "re"));
        bob.expect(&texts.private("ann", "a|b|"));
        bob.expect(&texts.private("ann", "again"));
        cat.expect(&texts.private("ann", "nameless"));
        for client in [&mut ann, &mut bob, &mut cat] {
            client.nothing();
        }
    });
}

#[test]
fn a_malformed_private_message_is_refused() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for (line, refusal) in [
            ("to|", texts.private_form),
            ("to||", texts.private_form),
            ("to||hi", texts.private_form),
            ("to|bob", texts.private_form),
            ("to|bob|", texts.empty_text),
            ("to|zoe|hi", texts.no_such_user),
            ("TO ｜bob", texts.private_form),
            ("to| bob|hi", texts.no_such_user),
        ] {
            ann.say(line);
            ann.expect(refusal);
        }
        ann.nothing();
        bob.nothing();
    });
}

#[test]
fn answers_and_messages_come_in_the_order_of_the_lines() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.send("one\nto|ann|two\nto|bob|three\nfour\nto|nobody|five\nsix\n".repeat(50).as_bytes());
    for _ in 0..50 {
        ann.expect(&ann.says("one"));
        ann.expect(&EN.private("ann", "two"));
        ann.expect(&ann.says("four"));
        ann.expect(EN.no_such_user);
        ann.expect(&ann.says("six"));
        bob.expect(&ann.says("one"));
        bob.expect(&EN.private("ann", "three"));
        bob.expect(&ann.says("four"));
        bob.expect(&ann.says("six"));
    }
    ann.nothing();
    bob.nothing();
}

#[test]
fn a_slip_of_the_hand_does_not_make_a_private_line_public() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for line in ["To|bob|x", " to|bob|x", "to |bob|x", "to｜bob｜x", "ＴＯ｜bob|x", "tO\u{3000}｜bob|x"] {
            ann.say(line);
            bob.expect(&texts.private("ann", "x"));
        }
        ann.say("to｜bob|a｜b|c");
        bob.expect(&texts.private("ann", "a｜b|c"));
        for line in ["who ", "WHO", "ｗｈｏ"] {
            ann.say(line);
            ann.expect("[ann] is online");
            ann.expect("[bob] is online");
        }
        for line in ["logn|ann|pw", "regsiter|pw", "passwords|pw", "/ogin ann pw"] {
            ann.say(line);
            ann.expect(texts.unknown_verb);
        }
        for (line, code) in [
            ("login|ann|pw", "login|no-store"),
            ("Login ann pw", "login|malformed"),
            ("ＬＯＧＩＮ｜ann", "login|no-store"),
            ("token", "token|malformed"),
        ] {
            ann.say(line);
            let answer = ann.line();
            assert!(answer.starts_with(code), "{line}: {answer}");
        }
        ann.nothing();
        bob.nothing();
        ann.say("say|Login|ann|pw ");
        bob.expect(&ann.says("Login|ann|pw "));
    });
}

#[test]
fn a_check_tells_whether_anything_was_refused_since_the_last_one() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        ann.send("to|ann|hi\ncheck|1|a\n".as_bytes());
        ann.expect(&texts.private("ann", "hi"));
        ann.expect("check|ok|1|a");
        for (refused, told, code) in [
            ("to|nobody|x", texts.no_such_user, "no-such-user"),
            ("to|bob|", texts.no_such_user, "no-such-user"),
            ("to|bob", texts.private_form, "malformed"),
            ("logn|pw", texts.unknown_verb, "unknown-verb"),
            ("rename|ann", texts.name_taken, "name-taken"),
            ("wait|9999|user|x", &texts.wait_too_long(3600), "wait-too-long"),
        ] {
            let mut bob = server.connect();
            ann.expect(&format!("[{0}]{0}:{1}", bob.addr, texts.online));
            bob.send(format!("check|0\n{refused}\nto|\nto|zoe|x\nhi\nCheck｜1\nnever said\ncheck|2\n").as_bytes());
            bob.expect("check|ok|0");
            for line in [told, texts.private_form, texts.no_such_user, &bob.says("hi")] {
                bob.expect(line);
            }
            bob.expect(&format!("check|{code}|1"));
            bob.eof();
            ann.expect(&bob.says("hi"));
            ann.expect(&format!("[{0}]{0}:{1}", bob.addr, texts.offline));
        }
        ann.nothing();
    });
}
