//! Rooms in the JSON format.

use common::{Client, mask_epochs};

use crate::{in_both, rooms::two_in_a_room};

#[test]
fn in_json_each_public_event_has_its_room() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        bob.say("topic|builds|green");
        bob.fence();
        ann.fence();
        ann.say("format|json");
        ann.line();
        let mut heard = |client: &mut Client, line: &str, expected: &[(&str, &str)]| {
            client.say(line);
            for (event, rest) in expected {
                let object = ann.line();
                let is_expected = object.contains(&format!("\"event\":\"{event}\","));
                let fields = rest.split(' ').filter(|field| !field.is_empty());
                assert!(is_expected && fields.clone().all(|field| object.contains(field)), "{line}: {object}");
            }
        };
        heard(&mut cid, "join|builds", &[("joined", r#""name":"cid" "room":"builds" "verb":null"#)]);
        heard(&mut cid, "hi", &[("message", r#""text":"hi" "room":"builds""#)]);
        heard(&mut cid, "in|lobby|hi", &[("message", r#""text":"hi" "room":"lobby""#)]);
        heard(&mut cid, "topic|builds|", &[("topic", r#""name":"cid" "text":"" "room":"builds""#)]);
        heard(&mut cid, "leave|builds", &[("left", r#""name":"cid" "room":"builds""#)]);
        let renamed = [("known_as", r#""old":"bob" "room":"lobby""#), ("known_as", r#""old":"bob" "room":"builds""#)];
        heard(&mut bob, "rename|rob", &renamed);
        let gone = [("offline", r#""name":"rob" "room":"lobby""#), ("offline", r#""code":"quit" "room":"builds""#)];
        heard(&mut bob, "quit", &gone);
    });
}

#[test]
fn in_json_an_answer_has_its_verb() {
    in_both(&[], |server, texts| {
        let [mut ann, _bob, _cid] = two_in_a_room(&server);
        ann.say("format|json");
        ann.line();
        let mut answered = |line: &str, expected: &[(&str, &str)]| {
            ann.say(line);
            for (event, rest) in expected {
                let object = mask_epochs(&ann.line());
                let is_expected = object.contains(&format!("\"event\":\"{event}\","));
                let (rest, pos) = rest.split_once(" at ").unwrap_or((rest, "null"));
                let end = format!("{rest},\"account\":null,\"pos\":{pos},\"replay\":null}}");
                assert!(is_expected && object.ends_with(&end), "{line}: {object}");
            }
        };
        let ok = |count: &str, room: &str, verb: &str| {
            format!(r#""text":null,"code":null,"old":null,"count":{count},"room":{room},"verb":"{verb}""#)
        };
        let refused = |sentence: &str, code: &str, verb: &str| {
            format!(r#""text":"{sentence}","code":"{code}","old":null,"count":null,"room":null,"verb":"{verb}""#)
        };
        let (lobby, builds) = (r#""lobby""#, r#""builds""#);
        let at = |fields: &str, n: u64| format!("{fields} at \"{n}.EPOCH\"");
        answered("join|lobby", &[("ok", &at(&ok("3", lobby, "join"), 2))]);
        let in_builds = r#""room":"builds","verb":null"#;
        answered("in|builds|hi", &[("message", &at(in_builds, 3)), ("ok", &at(&ok("null", builds, "in"), 3))]);
        answered("topic|builds", &[("ok", &ok("null", builds, "topic"))]);
        let room =
            |room, count| format!(r#""text":null,"code":null,"old":null,"count":{count},"room":"{room}","verb":null"#);
        answered(
            "rooms",
            &[("room", &room("builds", 2)), ("room", &room("lobby", 3)), ("ok", &ok("2", "null", "rooms"))],
        );
        answered("who|builds", &[("user", ""), ("user", ""), ("ok", &ok("2", builds, "who"))]);
        answered("leave|builds", &[("left", &at(in_builds, 4)), ("ok", &ok("null", builds, "leave"))]);
        for (line, sentence, code, verb) in [
            ("leave|builds", texts.not_in_room, "not-in-room", "leave"),
            ("who|nowhere", texts.no_such_room, "no-such-room", "who"),
            ("topic|nowhere|x", texts.no_such_room, "no-such-room", "topic"),
            ("in|builds|", texts.empty_text, "empty-text", "in"),
            ("join|buіlds", &texts.room_confusable("builds"), "room-confusable", "join"),
            ("join|..", &texts.room_invalid(texts.room_rules[1].1), "room-invalid", "join"),
        ] {
            answered(line, &[("refused", &refused(sentence, code, verb))]);
        }
        answered(
            "topic|builds|x",
            &[("ok", r#""text":"x","code":null,"old":null,"count":null,"room":"builds","verb":"topic""#)],
        );
        answered(
            "wait|9|members|builds|1",
            &[("wait", r#""text":"1","code":"ok","old":null,"count":null,"room":null,"verb":null"#)],
        );
    });
}
