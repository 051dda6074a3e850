//! The README is true: what it shows is run, what it lists is looked up. And the scripts that it offers do their work.
//!
//! Fenced blocks are run by what stands after their language: `sh test` against a server of its own, with the output in the
//! `text output` block below it, if there is one; `text conversation` line by line in several netcats. Flags after that
//! are the server's. Ports and times may differ, but one address stays one address.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
};

use common::{Client, DEADLINE, EN, Server, binary, note, run};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

const README: &str = include_str!("../../README.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

// -- What is run --------------------------------------------------------------------------------------------------------

#[test]
fn conversations_go_as_written() {
    thread::scope(|scope| {
        for block in blocks("text", "conversation") {
            scope.spawn(move || converse(&block));
        }
    });
}

#[test]
fn commands_print_what_stands_below_them() {
    for block in blocks("sh", "test") {
        if block.text.contains("jq") && !is_installed("jq") {
            note(&format!("SKIPPED: README.md:{}: jq is not installed", block.at));
            continue;
        }
        if block.info.iter().any(|word| word == "half-close") && !nc_can_half_close() {
            note(&format!("SKIPPED: README.md:{}: this nc has no -N", block.at));
            continue;
        }
        let server = serve(&block.flags());
        let ran = bash(&server, &block.text, Path::new(ROOT), "");
        assert!(ran.code == 0, "README.md:{}: {ran:#?}", block.at);
        if let Some(expected) = &block.output {
            compare(expected, &ran.out, &format!("README.md:{}: {ran:#?}", block.at));
        }
    }
}

#[test]
fn every_netcat_gets_every_line() {
    let dir = tmp("netcats");
    let server = serve(&[]);
    for row in table("## Every netcat") {
        for (cell, last) in row[1..].iter().zip(["", "quit\n"]) {
            let Some(command) = code(cell) else { continue };
            let program = command.split(' ').next().expect("a word");
            if !is_installed(program) {
                note(&format!("SKIPPED: {program} is not installed"));
                continue;
            }
            fs::write(dir.join("lines"), format!("rename|x\nwho\nwait|5|users|1\nsync|done\n{last}")).expect("ours");
            let ran = bash(&server, &command, &dir, "");
            for line in ["[x] is online", "wait|ok|1", "sync|done"] {
                assert!(ran.out.lines().any(|heard| heard.trim_end() == line), "{command}: {ran:#?}");
            }
        }
    }
}

#[test]
fn a_refusal_reads_as_in_the_table() {
    let server = Server::start(&["--strict-idle"]);
    let (_ann, mut bob) = (server.join("ann"), server.connect());
    let mut code_of_rows = String::new();
    for row in table("### Refusals") {
        let example = match (code(&row[1]), &*row[1]) {
            (Some(line), cell) if cell.ends_with("zero-width space") => format!("{line}\u{200b}").into_bytes(),
            (Some(line), _) => line.into_bytes(),
            (None, "a line of 4,097 bytes") => vec![b'x'; 4097],
            (None, "a byte 0xFF") => b"\xff\xff".to_vec(), // telnet's way to write it
            (None, "a NUL") => b"\0".to_vec(),
            (None, other) => panic!("how does one type {other:?}?"),
        };
        let mut ask = |setting: &str| {
            bob.say(setting);
            bob.line();
            bob.send(&[&example[..], b"\n"].concat());
            bob.line()
        };
        assert_eq!(Some(ask("lang|zh")), code(&row[2]));
        assert_eq!(Some(ask("lang|en")), code(&row[3]));
        code_of_rows = code(&row[0]).unwrap_or(code_of_rows);
        let object = fields(&ask("format|json"));
        assert_eq!((&*object["event"], &*object["code"]), ("\"refused\"", &*format!("{code_of_rows:?}")));
        bob.say("format|text");
        bob.line();
    }
}

#[test]
fn json_has_what_the_table_says() {
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (server.join("ann"), server.connect());
    ann.fence();
    bob.say("format|json");
    let mut objects = vec![bob.line()];
    let cid = server.join("cid");
    let asked = "rename|bob; who; help; sync|1; wait|5|user|bob; wait|5|user|cid; to|nobody|x; sync|2";
    bob.send(format!("{}\n", asked.replace("; ", "\n")).as_bytes());
    objects.extend(hear_object(&mut bob, "sync", "2"));
    ann.send(b"to|bob|psst\nhello\n");
    objects.extend(hear_object(&mut bob, "message", "hello"));
    cid.reset();
    bob.say("wait|5|gone|cid");
    objects.extend(hear_object(&mut bob, "wait", "cid"));
    bob.say("quit");
    objects.extend(bob.rest());

    let mut seen = BTreeMap::new();
    for object in &objects {
        let object = fields(object);
        seen.entry(object["event"].trim_matches('"').to_owned()).or_insert(object);
    }
    let rows = table_with("## JSON", "`event` | `seq`");
    for row in &rows {
        let event = code(&row[0]).expect("an event");
        let object = seen.get(&event).unwrap_or_else(|| panic!("no {event:?} in {objects:#?}"));
        for (key, cell) in ["seq", "from", "text", "code", "old", "count"].iter().zip(&row[1..]) {
            assert_eq!(object[*key] == "null", cell.is_empty(), "{event} {key}: {object:?}");
        }
    }
    let listed: BTreeSet<String> = rows.iter().filter_map(|row| code(&row[0])).collect();
    let source = fs::read_to_string(format!("{ROOT}/src/protocol/line/json.rs")).expect("the source");
    assert_eq!(listed, between(&source, "event: \"", "\""), "the events of src/protocol/line/json.rs");
}

#[test]
fn an_arrival_that_is_only_said_is_a_message_in_json() {
    let server = serve(&[]);
    let said = "printf 'format|json\n已上线\nquit\n' | nc 127.0.0.1 9999";
    let ran = bash(&server, said, Path::new(ROOT), "");
    let [text, _, json] = ran.out.lines().take(3).collect::<Vec<_>>()[..] else { panic!("{ran:#?}") };
    assert!(text.ends_with(":已上线"), "{ran:#?}");
    assert_eq!((&*fields(json)["event"], &*fields(json)["text"]), ("\"message\"", "\"已上线\""));
}

#[test]
fn names_that_look_alike_are_one_name() {
    let server = Server::start(&[]);
    let sentence = README.lines().skip_while(|line| !line.contains("are one name:")).take(2).collect::<String>();
    let names = codes(sentence.split_once("one name:").expect("found by this").1);
    assert!(names.len() == 6, "{names:?}");
    for pair in names.chunks(2) {
        let (_one, mut other) = (server.join(&pair[0]), server.connect());
        other.say(&format!("rename|{}", pair[1]));
        other.expect_among(EN.name_taken); // after what is left of the pair before
    }
}

// -- What is looked up --------------------------------------------------------------------------------------------------

#[test]
fn the_codes_are_those_of_the_source() {
    let source = |file: &str, function: &str| {
        let text = fs::read_to_string(format!("{ROOT}/src/{file}")).expect("the source");
        let (_, text) = text.split_once(&format!("fn {function}(")).expect("the function");
        between(text.split_once("\n    }\n").map_or(text, |(text, _)| text), "=> \"", "\"")
    };
    let listed = |heading| table(heading).iter().filter_map(|row| code(&row[0])).collect::<BTreeSet<_>>();
    assert_eq!(listed("### Refusals"), source("protocol/line/messages.rs", "refusal_code"));
    assert_eq!(listed("### Farewells"), source("chat/event.rs", "code"));
}

#[test]
fn the_words_are_those_of_the_source() {
    let source = ["messages.rs", "text.rs"]
        .map(|file| fs::read_to_string(format!("{ROOT}/src/protocol/line/{file}")).expect("the source"));
    for text in ["## The wire", "### Farewells"].iter().flat_map(|h| table(h)).flat_map(|row| row[2..].to_vec()) {
        let mut text = code(&text).unwrap_or_default();
        for variable in ["[ADDR]", "SENDER", "NAME", "TEXT", "[OLD]", "[NEW]", ":"] {
            text = text.replace(variable, "\n");
        }
        for word in text.lines().map(|word| word.trim_matches(['[', ']', '-', '>'])).filter(|word| word.len() > 2) {
            assert!(source.iter().any(|source| source.contains(word)), "nobody says {word:?}");
        }
    }
}

#[test]
fn the_flags_are_those_of_help() {
    let listed: BTreeMap<String, String> =
        table("## Flags").into_iter().map(|row| (code(&row[0]).expect("a flag"), row[1].replace('`', ""))).collect();
    let helped = options(&[]);
    assert_eq!(listed.keys().collect::<Vec<_>>(), helped.keys().collect::<Vec<_>>());
    for (flag, default) in &helped {
        let default = default.as_deref().unwrap_or(if flag == "--strict-idle" { "off" } else { "" });
        assert_eq!(listed[flag], default, "{flag}");
    }
}

#[test]
fn the_flags_of_the_client_are_those_of_its_help() {
    for row in table("## A client") {
        let Some(usage) = code(&row[0]).filter(|usage| usage.starts_with("pipechat ")) else { continue };
        let helped = options(&[usage.split(' ').nth(1).expect("a subcommand")]);
        let mut listed: BTreeSet<&str> = usage.split(['[', ' ', ']']).filter(|word| word.starts_with("--")).collect();
        listed.extend(["--host", "--port", "--lang", "--help"]);
        assert_eq!(listed, helped.keys().map(String::as_str).collect(), "{usage}");
    }
}

#[test]
fn the_limits_have_these_names() {
    let source = source_of(&Path::new(ROOT).join("src"));
    for row in table("## Limits") {
        let field = code(&row[0]).filter(|name| name.contains(char::is_lowercase));
        assert!(field.is_none_or(|name| source.contains(&format!("pub {name}: "))), "no such field: {row:?}");
        for name in
            row.iter().flat_map(|cell| codes(cell)).filter(|name| name.contains("_") && *name == name.to_uppercase())
        {
            assert!(source.contains(&format!("const {name}: ")), "no const {name}");
        }
    }
}

#[test]
fn links_and_the_map_lead_somewhere() {
    let exists = |path: &str| assert!(Path::new(ROOT).join(path).exists(), "there is no {path}");
    let anchors: BTreeSet<String> = headings().map(anchor).collect();
    for link in between(README, "](", ")") {
        match link.strip_prefix('#') {
            Some(place) => assert!(anchors.contains(place), "no heading for #{place}"),
            None => exists(&link),
        }
    }
    table("## Map of the source").iter().flat_map(|row| codes(&row[0])).for_each(|file| exists(&file));
    between(README, "`scripts/", "`").iter().for_each(|script| exists(&format!("scripts/{script}")));
}

// -- The examples -------------------------------------------------------------------------------------------------------

#[test]
fn the_bot_answers() {
    let server = Server::start(&[]);
    let mut ann = server.connect();
    let script = "scripts/examples/time-bot 127.0.0.1 9999 || echo \"ends with $?\"";
    thread::scope(|scope| {
        let bots = [0, 1].map(|_| scope.spawn(|| bash(&server, script, Path::new(ROOT), "")));
        // Whichever comes second finds the name taken, and goes.
        ann.send(b"wait|10|users|3\n");
        ann.expect_among("wait|ok|3");
        hear(&mut ann, |line| line.ends_with(":is offline"));
        ann.send(b"what !time is it?\nsay|!time\nsync|asked\n");
        ann.expect_among("sync|asked");
        let heard = hear(&mut ann, |line| line.contains("It is ")).pop().expect("the last is this");
        let (_, time) = heard.rsplit_once("]timebot:It is ").unwrap_or_else(|| panic!("{heard}"));
        assert!(time.len() == 9 && time.ends_with('.'), "{time}");
        server.signal(Signal::TERM);
        assert!(ann.rest().iter().all(|line| !line.contains("It is ")), "answers the bare word only");
        let [one, other] = bots.map(|bot| bot.join().expect("bounded"));
        let (kept, refused) = if one.out.is_empty() { (one, other) } else { (other, one) };
        assert_eq!((kept.out.as_str(), refused.out.as_str()), ("", "ends with 1\n"), "{kept:#?} {refused:#?}");
    });
}

#[test]
fn two_meet_at_the_barrier_or_are_told_why_not() {
    let server = serve(&[]);
    let barrier = |rest: &str| {
        let ran = bash(&server, &format!("scripts/examples/barrier {rest}"), Path::new(ROOT), "");
        (ran.code, ran.out)
    };
    // Neither leaves before the other knows: however often, whoever comes first, and whatever is left of the last time.
    for _ in 0..10 {
        thread::scope(|scope| {
            let one = scope.spawn(|| barrier("one two 127.0.0.1 9999 15"));
            assert_eq!(barrier("two one 127.0.0.1 9999 15"), (0, "two and one have met\n".to_owned()));
            assert_eq!(one.join().expect("bounded"), (0, "one and two have met\n".to_owned()));
        });
    }
    assert_eq!(barrier("one nobody 127.0.0.1 9999 1").0, 124);
    assert_eq!(barrier("a:b two 127.0.0.1 9999").0, 1);
    let addr = server.addr;
    drop(server);
    let alone =
        shell(&format!("exec scripts/examples/barrier a b 127.0.0.1 {}", addr.port())).current_dir(ROOT).output();
    assert_eq!(alone.expect("bash").status.code(), Some(3), "nobody listens there");
}

#[test]
fn the_announcer_says_what_comes_in_and_nothing_else() {
    let server = Server::start(&[]);
    let mut ann = server.connect();
    let long = "龙".repeat(1500);
    let said = ["plain", "quit", "to|bob|psst", "format|json", "no line ending"];
    let script = "scripts/examples/announce deploy-log 127.0.0.1 9999";
    let ran = bash(&server, script, Path::new(ROOT), &format!("{long}\n\n{}", said.join("\n")));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let heard = hear(&mut ann, |line| line.contains("]deploy-log:is offline"));
    let texts: Vec<_> =
        heard[..heard.len() - 1].iter().filter_map(|line| Some(line.split_once("]deploy-log:")?.1)).collect();
    assert_eq!(texts, [&[&*"龙".repeat(1000)], &said[..]].concat());

    ann.rename("deploy-log");
    let ran = bash(&server, script, Path::new(ROOT), "x\n");
    assert!(ran.err.contains("\"code\":\"name-taken\""), "{ran:#?}");
}

#[test]
fn the_chat_log_shows_who_said_what_and_what_is_missing() {
    if !is_installed("jq") {
        note("SKIPPED: the example chat-log: jq is not installed");
        return;
    }
    let server = Server::start(&[]);
    let (mut ann, mut bob) = (server.join("ann"), server.connect());
    bob.say("format|json");
    bob.line();
    ann.send(b"hello\n\x1b[2J\n");
    let mut log = hear_object(&mut bob, "message", "\\u001b[2J").join("\n");
    bob.send(b"format|text\nsync|deaf\n");
    bob.expect_among("sync|deaf");
    ann.send(b"one\ntwo\nthree\n");
    bob.expect(&ann.says("one"));
    bob.expect(&ann.says("two"));
    bob.expect(&ann.says("three"));
    bob.send("format|json\nrename|bob\nciao|张三\n".as_bytes());
    log = format!("[1.2.3.4:5]text:x\n{log}\n{}", hear_object(&mut bob, "message", "ciao|张三").join("\n"));
    for (script, expected) in [
        ("chat-log", &["ann: hello", "ann: \u{fffd}[2J", "-- 3 missed --", "bob: ciao|张三"][..]),
        ("chat-log bob", &["-- 3 missed --", "bob: ciao|张三"][..]),
    ] {
        let ran = bash(&server, &format!("scripts/examples/{script}"), Path::new(ROOT), &log);
        let dateless = |line: &str| line.splitn(3, ' ').last().map(str::to_owned).expect("a word");
        let heard: Vec<_> =
            ran.out.lines().map(|l| if l.starts_with('-') { l.to_owned() } else { dateless(l) }).collect();
        assert_eq!(
            (ran.code, heard.iter().map(String::as_str).collect::<Vec<_>>()),
            (0, expected.to_vec()),
            "{ran:#?}"
        );
    }
}

/// Reads up to a line like this, and with it.
#[track_caller]
fn hear(client: &mut Client, is_last: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        lines.push(client.line());
        if is_last(&lines[lines.len() - 1]) {
            return lines;
        }
    }
}

#[track_caller]
fn hear_object(client: &mut Client, event: &str, text: &str) -> Vec<String> {
    let parts = [format!("\"event\":\"{event}\","), format!("\"text\":\"{text}\",")];
    hear(client, |line| parts.iter().all(|part| line.contains(part)))
}

// -- Blocks and tables of the README --------------------------------------------------------------------------------------

/// A fenced block.
struct Block {
    /// The line where it begins.
    at: usize,
    /// What stands behind the language and the mark.
    info: Vec<String>,
    text: String,
    /// The output block that follows.
    output: Option<String>,
}

impl Block {
    /// The flags of its server.
    fn flags(&self) -> Vec<&str> {
        let flags = self.info.iter().skip_while(|word| !word.starts_with("--"));
        flags.map(String::as_str).collect()
    }
}

/// All blocks in this language with this mark.
fn blocks(lang: &str, mark: &str) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut lines = README.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = text.map(|line| format!("{line}\n")).collect();
        let info: Vec<String> = info.split_whitespace().map(str::to_owned).collect();
        match (&info[..], all.last_mut()) {
            ([text_lang, output], Some(last)) if text_lang == "text" && output == "output" => last.output = Some(text),
            _ => all.push(Block { at: at + 1, info, text, output: None }),
        }
    }
    all.retain(|block| block.info.starts_with(&[lang.to_owned(), mark.to_owned()]));
    assert!(!all.is_empty(), "no ```{lang} {mark}");
    all
}

/// The cells of the first table under a heading that begins so, without its head.
fn table(heading: &str) -> Vec<Vec<String>> {
    table_with(heading, "")
}

/// The first table under that heading whose head begins with this cell.
fn table_with(heading: &str, first: &str) -> Vec<Vec<String>> {
    let from = README.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let from = from.skip_while(|line| !line.starts_with(&format!("| {first}")));
    let rows: Vec<_> = from.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "no table under {heading:?}");
    rows
}

/// In a table, `\|` is a `|` that ends no cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\0");
    let row = row.trim_end().trim_matches('|');
    row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// What stands in backticks.
fn codes(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn code(cell: &str) -> Option<String> {
    codes(cell).into_iter().next()
}

fn headings() -> impl Iterator<Item = &'static str> {
    let mut is_fenced = false;
    README.lines().filter_map(move |line| {
        is_fenced ^= line.starts_with("```");
        let text = line.trim_start_matches('#').strip_prefix(' ')?;
        (line.starts_with('#') && !is_fenced).then_some(text)
    })
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', "")
}

/// Every text between these two, where it is short.
fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let texts = text.split(before).skip(1).filter_map(|text| Some(text.split_once(after)?.0));
    texts.filter(|text| text.len() < 80 && !text.contains('\n')).map(str::to_owned).collect()
}

/// The flags of a help text, and in parentheses at the end of what is said about it, their default.
fn options(subcommand: &[&str]) -> BTreeMap<String, Option<String>> {
    let (code, help, _) = run(&[subcommand, &["--help"]].concat());
    assert_eq!(code, 0, "{subcommand:?} --help");
    let (_, list) = help.split_once("\nOptions:\n").expect("argh's form");
    let list = list.split("\n\n").next().expect("one at least");
    let mut options: Vec<String> = Vec::new();
    for line in list.lines() {
        match options.last_mut() {
            Some(last) if line.starts_with("   ") => *last = format!("{last} {}", line.trim()),
            Some(_) | None => options.push(line.trim().to_owned()),
        }
    }
    let default = |text: &str| Some(text.strip_suffix(')')?.rsplit_once('(')?.1.to_owned());
    let name = |text: &str| text.split([' ', ',']).find(|word| word.starts_with("--")).expect("a flag").to_owned();
    options.iter().map(|option| (name(option), default(option))).collect()
}

/// All of the source in one text.
fn source_of(dir: &Path) -> String {
    let entries = fs::read_dir(dir).expect("the source").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { source_of(&path) } else { fs::read_to_string(path).expect("text") }).collect()
}

/// An object of the wire by its keys, which come in this order and no other.
#[track_caller]
fn fields(object: &str) -> BTreeMap<&'static str, String> {
    let mut rest =
        object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_else(|| panic!("{object}"));
    let keys = ["count", "old", "code", "text", "from", "event", "at", "seq"];
    let fields = keys.map(|key| {
        // A " inside a value is escaped, so that this can be nothing but the key.
        let (before, value) = rest.split_once(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {object}"));
        rest = before.trim_end_matches(',');
        (key, value.to_owned())
    });
    assert_eq!(rest, "", "another key in {object}");
    fields.into()
}

// -- Conversations --------------------------------------------------------------------------------------------------------

/// A terminal with a netcat in it, hung up on drop.
struct Terminal {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Terminal {
    fn open(command: &str) -> Self {
        let mut child = shell(&format!("exec {command}"));
        let mut child = child.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { stdin: child.stdin.take(), child, lines }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Not reaped yet, so that the group is still this one.
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().ok();
    }
}

fn converse(block: &Block) {
    let server = serve(&block.flags());
    let (mut terminals, mut names) = (BTreeMap::<char, Terminal>::new(), Names::default());
    for (line, at) in block.text.lines().zip(block.at + 1..) {
        let mut chars = line.chars();
        let (Some(who), rest) = (chars.next(), chars.as_str()) else { continue };
        if let Some(command) = rest.strip_prefix("$ ") {
            terminals.insert(who, Terminal::open(&on_port(&server, command)));
        } else if let Some(text) = rest.strip_prefix("> ") {
            let stdin = terminals.get_mut(&who).and_then(|terminal| terminal.stdin.as_mut());
            stdin.expect("open").write_all(format!("{text}\n").as_bytes()).expect("nc reads");
        } else if let Some(expected) = rest.strip_prefix("< ") {
            let heard = terminals[&who].lines.recv_timeout(DEADLINE);
            let heard = heard.unwrap_or_else(|error| panic!("README.md:{at}: {error}: {expected}"));
            assert_eq!(names.translate(expected, &heard), expected, "README.md:{at}");
        } else if rest == "^C" {
            terminals.remove(&who);
        } else if rest == "^D" {
            let mut terminal = terminals.remove(&who).expect("open");
            drop(terminal.stdin.take());
            let end = terminal.lines.recv_timeout(DEADLINE);
            assert_eq!(end, Err(RecvTimeoutError::Disconnected), "README.md:{at}");
        } else {
            panic!("README.md:{at}: {line:?}?");
        }
    }
    // That was all: the next that comes is the answer to what is not in the README.
    for (who, terminal) in &mut terminals {
        terminal.stdin.as_mut().expect("open").write_all(b"sync|end\n").expect("nc reads");
        let heard = terminal.lines.recv_timeout(DEADLINE);
        assert_eq!(heard.as_deref(), Ok("sync|end"), "README.md:{}: terminal {who}", block.at);
    }
}

/// Which address of a run stands for which of the README.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// `heard` with the addresses of the README, as far as it is like `expected`.
    fn translate(&mut self, expected: &str, heard: &str) -> String {
        let mut wanted = addresses(expected).into_iter();
        let mut out = heard.to_owned();
        for address in addresses(heard) {
            if let Some(wanted) = wanted.next()
                && !self.0.contains_key(&address)
                && !self.0.values().any(|known| *known == wanted)
            {
                self.0.insert(address.clone(), wanted);
            }
            if let Some(known) = self.0.get(&address) {
                out = out.replace(&address, known);
            }
        }
        out
    }
}

fn addresses(text: &str) -> Vec<String> {
    const IP: &str = "127.0.0.1:";
    let ports = text.split(IP).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    ports.filter(|port| !port.is_empty()).map(|port| format!("{IP}{port}")).collect()
}

#[track_caller]
fn compare(expected: &str, heard: &str, what: &str) {
    let timeless = |line: &str| match line.split_once("\"at\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').map_or("", |(_, after)| after)),
        None => line.to_owned(),
    };
    let mut names = Names::default();
    let heard: Vec<_> = heard
        .lines()
        .zip(expected.lines().chain(std::iter::repeat("")))
        .map(|(heard, expected)| timeless(&names.translate(expected, heard)))
        .collect();
    assert_eq!(heard, expected.lines().map(timeless).collect::<Vec<_>>(), "{what}");
}

// -- Commands -------------------------------------------------------------------------------------------------------------

#[derive(Debug)]
#[expect(dead_code, reason = "all of it is shown when something is wrong")]
struct Ran {
    script: String,
    code: i32,
    out: String,
    err: String,
}

/// Starts a server with these flags on a free port.
fn serve(flags: &[&str]) -> Server {
    Server::start_with(binary(), &[&["--port", "0"], flags].concat())
}

fn on_port(server: &Server, text: &str) -> String {
    text.replace("9999", &server.addr.port().to_string())
}

/// Runs a script, which means this server where it says 9999, and ends all that it leaves running.
fn bash(server: &Server, script: &str, dir: &Path, input: &str) -> Ran {
    let mut command = shell(&on_port(server, script));
    command.current_dir(dir).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("bash");
    let group = Pid::from_child(&child);
    let read = |mut from: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut text = Vec::new();
            from.read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = read(Box::new(child.stdout.take().expect("piped")));
    let err = read(Box::new(child.stderr.take().expect("piped")));
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_owned());
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()).ok());
    let (sender, ended) = channel();
    // Not reaped yet, so that the group is still this one when it is ended.
    thread::spawn(move || {
        waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok();
        sender.send(()).ok();
    });
    let in_time = ended.recv_timeout(DEADLINE);
    kill_process_group(group, Signal::KILL).ok();
    let status = child.wait().expect("ours");
    writer.join().expect("a write to a pipe");
    let (out, err) = (out.join().expect("a read"), err.join().expect("a read"));
    let ran = Ran { script: script.to_owned(), code: status.code().unwrap_or(-1), out, err };
    assert!(in_time.is_ok(), "not within {DEADLINE:?}: {ran:#?}");
    ran
}

/// A bash that has `pipechat` and `nc`.
fn shell(script: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_pipechat"));
    let mut dirs = vec![nc_dir().to_owned(), binary.parent().expect("a file").to_owned()];
    dirs.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("PATH", env::join_paths(dirs).expect("from a PATH")).env("PIPECHAT", binary);
    for name in ["RUST_LOG", "NC"] {
        command.env_remove(name);
    }
    command
}

fn is_installed(program: &str) -> bool {
    let found = Command::new("bash").args(["-c", "command -v -- \"$0\"", program]).stdout(Stdio::null()).status();
    found.expect("bash").success()
}

/// The README's `nc` is OpenBSD's where there is one, the system's where there is another, and bash where there is none.
fn nc_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = tmp("bin");
        let script = if is_installed("nc.openbsd") {
            "exec nc.openbsd \"$@\""
        } else if is_installed("nc") {
            return dir;
        } else {
            note("there is no nc: the README's examples are run with bash's /dev/tcp");
            "exec 3<>\"/dev/tcp/$1/$2\"; cat <&3 & cat >&3; wait"
        };
        let nc = dir.join("nc");
        fs::write(&nc, format!("#!/usr/bin/env bash\n{script}\n")).expect("ours");
        fs::set_permissions(&nc, fs::Permissions::from_mode(0o755)).expect("ours");
        dir
    })
}

fn nc_can_half_close() -> bool {
    let help = shell("nc -h 2>&1").output().expect("bash");
    String::from_utf8_lossy(&help.stdout).contains("-N")
}

/// A directory of this run.
fn tmp(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{name}"));
    fs::create_dir_all(&dir).expect("cargo's own directory");
    dir
}
