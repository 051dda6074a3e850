//! Rooms: who hears what is said in one, and the answer to each command about them.

use common::{Client, Server};

use crate::in_both;

/// What a `join` may look like.
pub(crate) const FORM: &str = "join|ROOM, join|ROOM|since|START, join|ROOM|last|N";

/// Ann and Bob in the room `builds`, and Cid in the lobby alone. All have read of that.
pub(crate) fn two_in_a_room(server: &Server) -> [Client; 3] {
    let mut clients = server.join_all(["ann", "bob", "cid"]);
    let [ann, bob, _] = &mut clients;
    ann.join("builds");
    bob.join("builds");
    clients.iter_mut().for_each(|client| drop(client.fence()));
    clients
}

#[test]
fn all_in_a_room_are_told_who_joins_the_newcomer_first() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = server.join_all(["ann", "bob", "cid"]);
        ann.say("join|#builds");
        ann.expect(&texts.joined("builds", &ann.addr, "ann"));
        ann.expect("join|ok|builds|1|1.EPOCH|");
        ann.say("topic|builds|nightly | weekly");
        ann.expect(&texts.topic("builds", &ann.addr, "ann", "nightly | weekly"));
        ann.expect("topic|ok|builds|nightly | weekly");
        bob.say("Join ｜＃Builds");
        let joined = texts.joined("builds", &bob.addr, "bob");
        bob.expect(&joined);
        bob.expect("join|ok|builds|2|3.EPOCH|nightly | weekly");
        ann.expect(&joined);
        bob.say("join|builds"); // nobody is told of that again
        bob.expect("join|ok|builds|2|3.EPOCH|nightly | weekly");
        for client in [&mut ann, &mut bob, &mut cid] {
            client.nothing();
        }
    });
}

#[test]
fn plain_lines_go_to_the_room_that_was_joined_last() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        for text in ["build 1 is green", "#builds x", "say|who"] {
            ann.say(text);
            let said = ann.says_in("builds", text.trim_start_matches("say|"));
            ann.expect(&said);
            bob.expect(&said);
        }
        cid.nothing();
        cid.say("hello"); // those who join a room stay in the lobby
        ann.expect(&cid.says("hello"));
        ann.say("join|deploys\nto deploy\njoin|builds\nto build\njoin|lobby\nto all");
        ann.expect_among("join|ok|deploys|1|7.EPOCH|");
        ann.expect(&ann.says_in("deploys", "to deploy"));
        ann.expect("join|ok|builds|2|8.EPOCH|");
        ann.expect(&ann.says_in("builds", "to build"));
        ann.expect("join|ok|lobby|3|9.EPOCH|");
        ann.expect(&ann.says("to all"));
        bob.expect(&cid.says("hello"));
        bob.expect(&ann.says_in("builds", "to build"));
        bob.expect(&ann.says("to all"));
        cid.expect(&cid.says("hello"));
        cid.expect(&ann.says("to all"));
        for client in [&mut ann, &mut bob, &mut cid] {
            client.nothing();
        }
    });
}

#[test]
fn one_can_speak_in_a_room_without_being_there() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        cid.say("in|builds|a | b");
        cid.expect("in|ok|builds|3.EPOCH");
        let said = cid.says_in("builds", "a | b");
        ann.expect(&said);
        bob.expect(&said);
        ann.say("in|#BUILDS|here");
        ann.expect(&ann.says_in("builds", "here"));
        ann.expect("in|ok|builds|4.EPOCH");
        bob.expect(&ann.says_in("builds", "here"));
        ann.say("in|lobby|all");
        let said = ann.says("all");
        for client in [&mut ann, &mut bob, &mut cid] {
            client.expect(&said);
        }
        ann.expect("in|ok|lobby|5.EPOCH");
        cid.say("in|empty|for those who come later");
        cid.expect("in|ok|empty|6.EPOCH");
        let mut ci = server.dial();
        ci.say("visit\nin|builds|from a visitor");
        ci.expect(texts.set_visit);
        ci.expect("in|ok|builds|7.EPOCH");
        ann.expect(&ci.says_in("builds", "from a visitor"));
        cid.nothing();
        for (line, answer) in [
            ("in|builds|", format!("in|empty-text|{}", texts.empty_text)),
            ("in|a b|x", format!("in|room-invalid|{}", texts.room_invalid(texts.name_rules[common::SPACE].1))),
            ("in|buіlds|x", format!("in|room-confusable|{}", texts.room_confusable("builds"))),
            ("in|builds", format!("in|malformed|{}", texts.malformed("in|ROOM|TEXT"))),
        ] {
            ann.say(line);
            ann.expect(&answer);
        }
        ann.nothing();
    });
}

#[test]
fn one_who_leaves_a_room_hears_it_no_more() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        bob.say("leave|#builds\nback in the lobby");
        let left = texts.left("builds", &bob.addr, "bob");
        bob.expect(&left);
        bob.expect("leave|ok|builds");
        ann.expect(&left);
        let said = bob.says("back in the lobby");
        for client in [&mut ann, &mut bob, &mut cid] {
            client.expect(&said);
        }
        ann.say("alone");
        ann.expect(&ann.says_in("builds", "alone"));
        bob.nothing();
        for (line, code, sentence) in [
            ("leave|builds", "not-in-room", texts.not_in_room),
            ("leave|nowhere", "no-such-room", texts.no_such_room),
            ("leave|", "no-such-room", texts.no_such_room),
        ] {
            bob.say(line);
            bob.expect(&format!("leave|{code}|{sentence}"));
        }
        cid.say("leave|lobby\nhello?");
        let left = texts.left("lobby", &cid.addr, "cid").replacen("#lobby ", "", 1);
        cid.expect(&left);
        cid.expect("leave|ok|lobby");
        cid.expect(texts.not_in_room);
        bob.expect(&left);
        bob.nothing();
        cid.nothing();
    });
}

#[test]
fn rooms_are_listed_with_members_and_topics() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        cid.say("rooms");
        for line in ["rooms|2|builds|", "rooms|3|lobby|", "rooms|ok|2"] {
            cid.expect(line);
        }
        ann.say("topic|builds|a | b\njoin|Apples");
        ann.expect_among("join|ok|Apples|1|4.EPOCH|");
        cid.say("Rooms ");
        for line in ["rooms|1|Apples|", "rooms|2|builds|a | b", "rooms|3|lobby|", "rooms|ok|3"] {
            cid.expect(line);
        }
        cid.say("rooms|x");
        cid.expect(&format!("rooms|malformed|{}", texts.malformed("rooms")));
        // A room without members is kept for its topic and its history.
        ann.say("leave|Apples\nleave|builds");
        bob.say("leave|builds\nsync|left");
        ann.expect_among("leave|ok|builds");
        bob.expect_among("sync|left");
        cid.say("rooms");
        for line in ["rooms|0|Apples|", "rooms|0|builds|a | b", "rooms|3|lobby|", "rooms|ok|3"] {
            cid.expect(line);
        }
    });
}

#[test]
fn the_members_of_a_room_are_listed() {
    in_both(&[], |server, texts| {
        let [_ann, _bob, mut cid] = two_in_a_room(&server);
        for (line, count, room) in [("who|builds", 2, "builds"), ("who|#LOBBY", 3, "lobby")] {
            cid.say(line);
            for name in &["ann", "bob", "cid"][..count] {
                cid.expect(&format!("[{name}] is online"));
            }
            cid.expect(&format!("who|ok|{room}|{count}"));
        }
        for line in ["who|nowhere", "who|", "who|a b"] {
            cid.say(line);
            cid.expect(&format!("who|no-such-room|{}", texts.no_such_room));
        }
        cid.nothing();
    });
}

#[test]
fn a_topic_is_set_shown_and_taken_away() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        cid.say("topic|builds\ntopic|builds|green\ntopic|#Builds");
        for line in ["topic|ok|builds|", "topic|ok|builds|green", "topic|ok|builds|green"] {
            cid.expect(line);
        }
        ann.expect(&texts.topic("builds", &cid.addr, "cid", "green"));
        ann.say("topic|builds|");
        let taken_away = texts.topic("builds", &ann.addr, "ann", "");
        ann.expect(&taken_away);
        ann.expect("topic|ok|builds|");
        bob.expect(&texts.topic("builds", &cid.addr, "cid", "green"));
        bob.expect(&taken_away);
        bob.say("topic|lobby|welcome");
        let welcome = texts.topic("lobby", &bob.addr, "bob", "welcome").replacen("#lobby ", "", 1);
        for client in [&mut ann, &mut bob, &mut cid] {
            client.expect(&welcome);
        }
        bob.expect("topic|ok|lobby|welcome");
        let too_long = "x".repeat(257);
        for (line, code, sentence) in [
            ("topic|nowhere|x", "no-such-room", texts.no_such_room),
            ("topic|nowhere", "no-such-room", texts.no_such_room),
            (&format!("topic|builds|{too_long}"), "argument-too-long", &texts.argument_too_long(256)),
        ] {
            ann.say(line);
            ann.expect(&format!("topic|{code}|{sentence}"));
        }
        ann.nothing();
    });
}

#[test]
fn one_waits_for_members_and_for_texts_of_a_room() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        cid.say("wait|20|members|#Builds|2");
        cid.expect("wait|ok|2");
        cid.say("wait|20|members|builds|3\nsync|joined");
        ann.say("in|lobby|now\nwait|20|in|builds|is | green\nsync|green");
        bob.expect(&ann.says("now"));
        bob.say("in|lobby|is | green\nsay|is | red\njoin|lobby\nis | green");
        let said = bob.says("is | green");
        for client in [&mut bob, &mut cid] {
            client.expect_among(&said);
            client.expect_among(&said);
        }
        bob.say("in|builds|all is | green.");
        ann.expect_among("wait|ok|is | green");
        ann.expect("sync|green");
        bob.say("wait|20|members|lobby|4\nsync|four");
        let mut dan = server.join("dan");
        bob.expect_among("wait|ok|4");
        bob.expect("sync|four");
        dan.join("builds");
        cid.expect_among("wait|ok|3");
        cid.expect("sync|joined");
        cid.say("wait|0.05|members|nowhere|1");
        cid.expect("wait|timeout");
        cid.eof();
        let form = "wait|SECONDS|user|NAME, wait|SECONDS|gone|NAME, wait|SECONDS|users|N, wait|SECONDS|text|PART, \
                    wait|SECONDS|members|ROOM|N, wait|SECONDS|in|ROOM|PART, wait|SECONDS|by|NAME|ROOM|PART";
        for line in ["wait|9|members|builds", "wait|9|members|builds|x", "wait|9|in|builds|", "wait|9|in|builds"] {
            dan.say(line);
            dan.expect_among(&texts.malformed(form));
        }
    });
}

#[test]
fn a_name_that_no_room_can_have_is_refused() {
    in_both(&["--max-rooms-per-client", "2", "--max-rooms", "4"], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for (name, rule) in texts.name_rules.iter().chain(&texts.room_rules) {
            let answer = match *name {
                "a|b" => format!("join|malformed|{}", texts.malformed(FORM)), // what stands behind a room is another word
                _ => format!("join|room-invalid|{}", texts.room_invalid(rule)),
            };
            ann.say(&format!("join|{name}"));
            ann.expect(&answer);
        }
        ann.join("builds");
        bob.say("join|buіlds"); // that i is Cyrillic
        bob.expect(&format!("join|room-confusable|{}", texts.room_confusable("builds")));
        ann.join("deploys");
        ann.say("join|docs");
        ann.expect(&format!("join|too-many-rooms|{}", texts.too_many_rooms(2)));
        bob.join("docs");
        bob.say("join|tests");
        bob.expect(&format!("join|too-many-rooms|{}", texts.too_many_rooms(4)));
        ann.nothing();
        bob.nothing();
    });
}
