//! What the manual says about the protocol is what the server does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::{Client, EN, Server, mask_epochs, run};

use crate::{
    ROOT, hear_object,
    markdown::{between, code, codes, page, table},
    shell::{bash, serve},
};

#[test]
fn refusals_read_as_in_the_table() {
    let server = Server::start(&["--strict-idle", "--write-timeout", "100", "--max-rooms", "1"]);
    let (mut ann, mut bob) = (server.connect_narrow(), server.connect());
    ann.rename("ann");
    bob.expect(&ann.known_as());
    let mut code_of_rows = String::new();
    for row in table(page("errors"), "## Errors") {
        let example = match (code(&row[1]), &*row[1]) {
            (Some(line), cell) if cell.ends_with("zero-width space") => format!("{line}\u{200b}").into_bytes(),
            (Some(line), cell) if cell.ends_with("combining accent") => format!("{line}\u{301}").into_bytes(),
            (Some(line), cell) if cell.ends_with("257 letters") => (line + &"x".repeat(257)).into_bytes(),
            (Some(line), cell) if cell.ends_with("more than 512 KiB wait for Ann alone") => {
                fill_queue(&mut bob, "ann", 512 << 10);
                line.into_bytes()
            }
            (Some(line), cell) if cell.ends_with("by a client that has left it") => {
                bob.say(&line);
                bob.expect_among("leave|ok|lobby");
                line.into_bytes()
            }
            (Some(line), _) => line.into_bytes(),
            (None, "a line of 4,097 bytes") => vec![b'x'; 4097],
            (None, "a byte 0xFF") => b"\xff\xff".to_vec(), // telnet's way to write it
            (None, "a NUL") => b"\0".to_vec(),
            (None, other) => panic!("how to send {other:?} is not known"),
        };
        if row[1].ends_with("when the store fails") {
            // tests/store makes one fail.
            let source = fs::read_to_string(format!("{ROOT}/src/protocol/line/messages.rs")).expect("the source");
            for text in row[2..].iter().filter_map(|cell| code(cell)) {
                let sentence = text.rsplit('|').next().expect("a sentence");
                assert!(source.contains(&format!("\"{sentence}\"")), "nobody says {sentence:?}");
            }
            continue;
        }
        let mut ask = |setting: &str| {
            bob.say(setting);
            bob.line();
            bob.send(&[&example[..], b"\n"].concat());
            bob.line()
        };
        let written = |cell: &str| code(cell).map(|text| mask_epochs(&text));
        assert_eq!(Some(mask_epochs(&ask("lang|zh"))), written(&row[2]));
        assert_eq!(Some(mask_epochs(&ask("lang|en"))), written(&row[3]));
        code_of_rows = code(&row[0]).unwrap_or(code_of_rows);
        let object = fields(&ask("format|json"));
        assert_eq!((&*object["event"], &*object["code"]), ("\"refused\"", &*format!("{code_of_rows:?}")));
        bob.say("format|text");
        bob.line();
    }
}

/// Sends private messages to a client that reads nothing, up to the first that is refused. Most of them wait in its queue.
fn fill_queue(sender: &mut Client, to: &str, bytes: usize) {
    const SIZE: usize = 4000;
    let line = format!("to|{to}|{}\nsync|sent", "x".repeat(SIZE));
    for sent in 0.. {
        sender.say(&line);
        if sender.expect_among("sync|sent").last().is_some_and(|answer| *answer == EN.recipient_behind) {
            assert!(sent * SIZE > bytes, "refused after {} bytes", sent * SIZE);
            return;
        }
        assert!(sent * SIZE < 2 * bytes, "{} bytes wait", sent * SIZE);
    }
}

#[test]
fn json_objects_have_the_keys_in_the_table() {
    let folder = format!("{}/json-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    fs::create_dir(&folder).expect("a folder");
    let server = Server::start(&["--recent", "2000", "--store", &format!("{folder}/chat.db")]);
    let (mut ann, mut bob) = (server.join("ann"), server.connect());
    ann.say("topic|lobby|welcome\njoin|x\ntopic|x|y");
    ann.fence();
    ann.send("in|y|x\n".repeat(1001).as_bytes());
    ann.fence();
    bob.fence_anywhere();
    bob.say("format|json");
    let mut objects = vec![bob.line()];
    let cid = server.join("cid");
    let asked = "rename|bob; who; help; join|x; topic|x|y; rooms; leave|x; leave|lobby; join|lobby; history|y|since|0; sync|1; wait|5|user|bob; wait|5|user|cid; check|1; to|nobody|x; sync|2";
    bob.send(format!("{}\n", asked.replace("; ", "\n")).as_bytes());
    objects.extend(hear_object(&mut bob, "sync", "2"));
    ann.send(b"to|bob|psst\nin|lobby|hello\n");
    objects.extend(hear_object(&mut bob, "message", "hello"));
    cid.reset();
    bob.say("wait|5|gone|cid");
    objects.extend(hear_object(&mut bob, "wait", "cid"));
    bob.say("register|hunter22\ntoken|ci");
    objects.extend([bob.line(), bob.line()]);
    let token = fields(objects.last().expect("an answer"))["text"].replace('"', "");
    let (exit_code, _, error) = run(&["account", "role", "bob", "operator", "--store", &format!("{folder}/chat.db")]);
    assert_eq!(exit_code, 0, "{error}");
    bob.line(); // it is logged out, since its role is another one
    bob.say(&format!(
        "login|{token}\nmute|ann|1h|flood\nbans\nshutdown|1h|update\nshutdown|cancel\ntokens\nmute|bob|1h\nhello\nquit"
    ));
    objects.extend(bob.rest());
    fs::remove_dir_all(folder).expect("a folder");

    let mut seen = BTreeMap::new();
    for object in &objects {
        let object = fields(object);
        let all: &mut BTreeMap<_, _> = seen.entry(object["event"].trim_matches('"').to_owned()).or_default();
        // What one of them has.
        all.extend(object.into_iter().filter(|(_, value)| value != "null"));
    }
    let rows = table(page("json"), "## Events");
    for row in &rows {
        let event = code(&row[0]).expect("an event");
        let object = seen.get(&event).unwrap_or_else(|| panic!("no {event:?} in {objects:#?}"));
        for (key, cell) in ["seq", "from", "text", "code", "old", "count", "verb"].iter().zip(&row[1..]) {
            assert_eq!(object.contains_key(*key), !cell.is_empty(), "{event} {key}: {object:?}");
        }
    }
    let listed: BTreeSet<String> = rows.iter().filter_map(|row| code(&row[0])).collect();
    let source = ["json", "order"]
        .map(|file| fs::read_to_string(format!("{ROOT}/src/protocol/line/{file}.rs")).expect("the source"));
    assert_eq!(listed, between(&source.concat(), "event: \"", "\""), "the events of src/protocol/line");
}

#[test]
fn a_forged_arrival_is_a_message_in_json() {
    let server = serve(&[]);
    let said = "printf 'format|json\n已上线\nquit\n' | nc 127.0.0.1 9999";
    let ran = bash(&server, said, Path::new(ROOT), "");
    let [_, _, json] = ran.out.lines().take(3).collect::<Vec<_>>()[..] else { panic!("{ran:#?}") };
    assert_eq!((&*fields(json)["event"], &*fields(json)["text"]), ("\"message\"", "\"已上线\""));
}

#[test]
fn names_are_taken_or_too_much_alike_as_it_says() {
    let server = Server::start(&[]);
    let (_, text) = page("protocol").split_once("A name is taken if ").expect("it tells of names");
    let (text, _) = text.split_once("\nare different names.").expect("and which of them differ");
    let names = codes(text);
    let [wide, bob, cyrillic, admin, others @ ..] = &names[..] else { panic!("{names:?}") };
    let _here = [server.join(bob), server.join(admin)];
    let mut client = server.connect();
    client.say(&format!("rename|{wide}"));
    client.expect(EN.name_taken);
    client.say(&format!("rename|{cyrillic}"));
    client.expect(&EN.name_confusable(admin));
    assert!(others.len() == 4, "{names:?}");
    let _all: Vec<_> = others.iter().map(|name| server.join(name)).collect();
}

/// The values of a JSON line by their keys, which have to come in this order.
#[track_caller]
pub(crate) fn fields(object: &str) -> BTreeMap<&'static str, String> {
    let mut rest =
        object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_else(|| panic!("{object}"));
    let keys =
        ["replay", "pos", "account", "verb", "room", "count", "old", "code", "text", "from", "event", "at", "seq"];
    let fields = keys.map(|key| {
        // A quotation mark inside a value is escaped, so this is the key.
        let (before, value) = rest.split_once(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {object}"));
        rest = before.trim_end_matches(',');
        (key, value.to_owned())
    });
    assert_eq!(rest, "", "another key in {object}");
    fields.into()
}
