//! History in the JSON format: the same objects as when it happened, with the position and the mark of a replay.

use common::{Client, Server, mask_epochs};

use crate::{in_both, rooms::two_in_a_room};

/// Sends the line, and reads these objects: what each has in it, separated by spaces, and its end.
#[track_caller]
fn answered(client: &mut Client, line: &str, expected: &[(&str, &str)]) {
    client.say(line);
    for (fields, end) in expected {
        let object = mask_epochs(&client.line());
        let has_fields = fields.split(' ').all(|field| object.contains(field));
        let end = format!("\"account\":null,{end}}}");
        assert!(has_fields && object.ends_with(&end), "{line}: {fields} {end} was expected: {object}");
    }
}

#[test]
fn in_json_each_kept_event_has_its_position() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob, mut cid] = two_in_a_room(&server);
        for client in [&mut ann, &mut cid] {
            client.say("format|json");
            client.line();
        }
        bob.say("hello\nrename|rob");
        let live = r#""replay":null"#;
        answered(
            &mut ann,
            "join|builds",
            &[
                (r#""seq":3 "event":"message" "text":"hello""#, &format!(r#""pos":"3.EPOCH",{live}"#)),
                (r#""event":"known_as" "room":"lobby""#, r#""pos":null,"replay":null"#),
                (r#""event":"known_as" "room":"builds""#, &format!(r#""pos":"4.EPOCH",{live}"#)),
                (r#""event":"ok" "count":2 "verb":"join""#, &format!(r#""pos":"4.EPOCH",{live}"#)),
            ],
        );
        let again = r#""replay":true"#;
        answered(
            &mut ann,
            "history|builds|3",
            &[
                (r#""seq":null "event":"joined" "name":"bob" "room":"builds""#, &format!(r#""pos":"2.EPOCH",{again}"#)),
                (r#""event":"message" "text":"hello" "verb":null"#, &format!(r#""pos":"3.EPOCH",{again}"#)),
                (r#""event":"known_as" "name":"rob" "old":"bob""#, &format!(r#""pos":"4.EPOCH",{again}"#)),
                (
                    r#""event":"ok" "text":null,"code":null "count":3 "room":"builds" "verb":"history""#,
                    &format!(r#""pos":"4.EPOCH",{live}"#),
                ),
            ],
        );
        bob.say("in|lobby|x\nin|builds|y\nsync|said");
        bob.expect_among("sync|said");
        answered(
            &mut cid,
            "join|builds|since|4",
            &[
                (r#""event":"known_as" "room":"lobby""#, r#""pos":null,"replay":null"#),
                (r#""event":"message" "text":"x" "room":"lobby""#, &format!(r#""pos":"5.EPOCH",{live}"#)),
                (r#""event":"message" "text":"y" "room":"builds""#, &format!(r#""pos":"6.EPOCH",{again}"#)),
                (r#""event":"ok" "count":1 "verb":"history""#, &format!(r#""pos":"6.EPOCH",{live}"#)),
                (r#""event":"joined" "name":"cid""#, &format!(r#""pos":"7.EPOCH",{live}"#)),
                (r#""event":"ok" "count":3 "verb":"join""#, &format!(r#""pos":"7.EPOCH",{live}"#)),
            ],
        );
    });
}

#[test]
fn in_json_a_replay_has_the_time_of_the_event() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.say("format|json\nhello\nhistory|lobby|1\nhistory|lobby|since|0");
    ann.line();
    let (live, replayed) = (ann.line(), ann.line());
    let from_time = |object: &str| object.split_once("\"at\":").map(|(_, rest)| rest.replace("true", "null"));
    assert_eq!(from_time(&live), from_time(&replayed));
}

#[test]
fn in_json_the_answer_tells_that_there_is_more_or_that_it_is_gone() {
    in_both(&["--recent", "1500"], |server, texts| {
        let mut ann = server.join("ann");
        ann.send("in|builds|x\n".repeat(1501).as_bytes());
        ann.expect_among("in|ok|builds|1501.EPOCH");
        ann.say("format|json\nhistory|builds|since|1");
        let before = (0..1001).map(|_| ann.line()).last();
        assert!(before.is_some_and(|object| mask_epochs(&object).contains(r#""pos":"1001.EPOCH","replay":true"#)));
        let live = r#""replay":null"#;
        let more = r#""event":"ok" "code":"more" "count":1000 "room":"builds" "verb":"history""#;
        answered(
            &mut ann,
            "sync|1",
            &[(more, &format!(r#""pos":"1001.EPOCH",{live}"#)), ("sync", r#""pos":null,"replay":null"#)],
        );
        for (verb, line) in [("history", "history|builds|since|0"), ("join", "join|builds|since|2.zzzzz")] {
            let refused = format!(
                r#""event":"refused" "code":"history-gone" "count":null "room":"builds" "verb":"{verb}" {}"#,
                texts.history_gone.split(' ').next().expect("a word")
            );
            answered(&mut ann, line, &[(&refused, &format!(r#""pos":"1.EPOCH",{live}"#))]);
        }
    });
}
