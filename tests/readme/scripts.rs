//! The scripts in `scripts/examples` do what the manual says of them.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command},
    thread,
};

use common::{Client, Server, TimeLimit, binary, note, output, until};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    ROOT, hear, hear_object,
    shell::{bash, is_installed, serve, shell, tmp},
};

#[test]
fn the_time_bot_answers() {
    let server = serve(&["--lang", "en"]);
    let mut ann = server.connect();
    let script = "scripts/examples/time-bot 127.0.0.1 9999 || echo \"ends with $?\"";
    thread::scope(|scope| {
        let bots = [0, 1].map(|_| scope.spawn(|| bash(&server, script, Path::new(ROOT), "")));
        // The bot that comes second finds the name taken and exits.
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
        let (kept, refused) = if one.out == "ends with 3\n" { (one, other) } else { (other, one) };
        assert_eq!(
            (kept.out.as_str(), refused.out.as_str()),
            ("ends with 3\n", "ends with 1\n"),
            "{kept:#?} {refused:#?}"
        );
    });
}

#[test]
fn the_barrier_lets_two_meet_or_says_why_not() {
    let server = serve(&[]);
    let barrier = |rest: &str| {
        let ran = bash(&server, &format!("scripts/examples/barrier {rest}"), Path::new(ROOT), "");
        (ran.code, ran.out)
    };
    // Neither exits before the other knows, however often they meet and whichever comes first.
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
        output(shell(&format!("exec scripts/examples/barrier a b 127.0.0.1 {}", addr.port())).current_dir(ROOT));
    assert_eq!(alone.expect("bash").status.code(), Some(3), "nobody listens there");
}

#[test]
fn the_ci_room_reports_and_waits_for_an_approval() {
    let server = serve(&["--lang", "en"]);
    let mut ann = server.connect();
    ann.join("builds");
    let mut build = |command: &str, asks: bool, answers: &[&str]| {
        let script = format!("scripts/examples/ci-room api-42 {command} 127.0.0.1 9999 15");
        thread::scope(|scope| {
            let build = scope.spawn(|| bash(&server, &script, Path::new(ROOT), ""));
            let says =
                |line: &str, text: &str| line.starts_with("#builds [") && line.contains(&format!("]api-42:{text}"));
            hear(&mut ann, |line| says(line, "api-42 has begun: "));
            hear(&mut ann, |line| {
                says(line, if asks { "api-42 has passed: approve " } else { "api-42 has failed with " })
            });
            answers.iter().for_each(|answer| ann.say(answer));
            let ran = build.join().expect("bounded");
            (ran.code, ran.out)
        })
    };
    let (code, out) = build("'echo ok'", true, &["in|lobby|approve api-42", "approve api-421", "reject api-42"]);
    assert!(code == 1 && out.starts_with("ok\napi-42 is rejected by "), "{code} {out}");
    let (code, out) = build("'echo ok'", true, &["to|api-42|reject api-42", "approve api-42"]);
    assert!(code == 0 && out.starts_with("ok\napi-42 is approved by "), "{code} {out}");
    assert_eq!(build("'exit 7'", false, &[]), (7, String::new()));
    let ci_room = |rest: &str| bash(&server, &format!("scripts/examples/ci-room {rest}"), Path::new(ROOT), "");
    assert_eq!(ci_room("api-42 true 127.0.0.1 9999 1").code, 124);
    let refused = ci_room("a:b 'echo never' 127.0.0.1 9999");
    assert!(refused.code == 1 && refused.out.is_empty() && refused.err.contains("name-invalid"), "{refused:#?}");
    assert!(ann.fence_anywhere().iter().all(|line| !line.contains("echo never")), "announced, and never run");
    let gone = ci_room(
        "api-42 'kill $SERVER' 127.0.0.1 9999".replace("$SERVER", &server.pid().as_raw_nonzero().to_string()).as_str(),
    );
    assert_eq!(gone.code, 3, "{gone:#?}");
    assert_eq!(ci_room("api-42 true 127.0.0.1 9999").code, 3, "nobody listens there");
}

#[test]
fn the_archive_survives_restarts_of_both_ends() {
    if !is_installed("jq") {
        note("SKIPPED: the example archive: jq is not installed");
        return;
    }
    let server = serve(&["--lang", "en"]);
    let port = server.addr.port().to_string();
    let folder = tmp("archive");
    fs::remove_dir_all(&folder).expect("ours");
    let archive = |rooms: &str| {
        let script = format!("exec scripts/examples/archive {} 127.0.0.1 {port} {rooms}", folder.display());
        let mut command = shell(&script);
        command.current_dir(ROOT).process_group(0);
        command
    };
    let texts = |room: &str| {
        let days = fs::read_dir(folder.join(room)).into_iter().flatten();
        let mut days: Vec<_> = days.map(|day| day.expect("an entry").path()).collect();
        days.sort();
        let lines: String = days.iter().map(|day| fs::read_to_string(day).expect("text")).collect();
        let said: Vec<String> = lines
            .lines()
            .filter_map(|line| Some(line.split_once(",\"text\":\"")?.1.split_once('"')?.0.to_owned()))
            .collect();
        said.join(" ")
    };
    let say = |ann: &mut Client, text: &str| {
        ann.say(&format!("in|builds|{text}\nin|lobby|{text}"));
        ann.fence();
    };
    let is_written = |expected: &str| {
        until(expected, || texts("builds") == expected && texts("lobby") == expected);
    };
    let mut ann = server.join("ann");
    say(&mut ann, "one");
    let mut running = Running::start(&mut archive(""));
    is_written("one");
    let second = output(&mut archive("")).expect("bash");
    assert_eq!(second.status.code(), Some(1), "one at a time: {second:?}");
    say(&mut ann, "two");
    is_written("one two");
    // Killed at any moment, even in the middle of a line.
    drop(running);
    let day =
        fs::read_dir(folder.join("builds")).expect("it is there").next().expect("a day").expect("an entry").path();
    OpenOptions::new().append(true).open(day).and_then(|mut file| file.write_all(b"{\"seq\":nu")).expect("ours");
    say(&mut ann, "three");
    running = Running::start(&mut archive(""));
    is_written("one two three");
    drop(server); // kills it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    let mut ann = server.join("ann");
    say(&mut ann, "four");
    is_written("one two three four");
    drop(running);
    assert_eq!(output(&mut archive("lobby 'a b'")).expect("bash").status.code(), Some(2));
}

/// A script with all that it has started, killed on drop.
struct Running(Child, #[expect(dead_code, reason = "a guard")] TimeLimit);

impl Running {
    fn start(command: &mut Command) -> Self {
        let child = command.spawn().expect("bash");
        let limit = TimeLimit::of(&child);
        Self(child, limit)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
        self.0.wait().ok();
    }
}

#[test]
fn announce_sends_its_input_verbatim() {
    let server = serve(&["--lang", "en"]);
    let mut ann = server.connect();
    // The longest text has 4,092 bytes. Whatever the locale, it ends at the end of a character.
    let long = |first: &str, count| format!("{first}{}", "龙".repeat(count));
    let said = ["plain", "quit", "to|bob|psst", "format|json", "no line ending"];
    let input = format!("{}\n{}\n\n{}", long("", 1500), long("x", 1500), said.join("\n"));
    let script = "scripts/examples/announce deploy-log 127.0.0.1 9999";
    for locale in ["C", "C.UTF-8"] {
        let ran = bash(&server, &format!("LC_ALL={locale} {script}"), Path::new(ROOT), &input);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{locale}");
        let heard = hear(&mut ann, |line| line.contains("]deploy-log:is offline"));
        let texts: Vec<_> =
            heard[..heard.len() - 1].iter().filter_map(|line| Some(line.split_once("]deploy-log:")?.1)).collect();
        assert_eq!(texts, [&[&*long("", 1364), &*long("x", 1363)], &said[..]].concat(), "{locale}");
    }
}

#[test]
fn announce_fails_when_a_line_was_refused_or_the_server_has_gone() {
    let server = serve(&["--lang", "en"]);
    let _ann = server.join("deploy-log");
    let announce = |name: &str, input: &str| {
        bash(&server, &format!("scripts/examples/announce {name} 127.0.0.1 9999"), Path::new(ROOT), input)
    };
    let ran = announce("deploy-log", "x\n");
    assert!(ran.code == 1 && ran.err.contains("\"code\":\"name-taken\""), "{ran:#?}");
    server.signal(Signal::TERM);
    server.expect_log(1, "departed: shutting-down");
    let ran = announce("other", "x\n");
    assert_eq!(ran.code, 3, "{ran:#?}");
}

#[test]
fn the_chat_log_shows_messages_and_gaps() {
    if !is_installed("jq") {
        note("SKIPPED: the example chat-log: jq is not installed");
        return;
    }
    let server = serve(&["--lang", "en"]);
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

#[test]
fn the_chat_log_shows_local_time() {
    if !is_installed("jq") {
        note("SKIPPED: the example chat-log: jq is not installed");
        return;
    }
    let server = serve(&[]);
    let said = r#"{"seq":7,"at":"2026-11-23T23:37:33.504Z","event":"message","from":{"name":"ann"},"text":"hi"}"#;
    // As POSIX has it: a time zone 5:45 ahead of UTC.
    let ran = bash(&server, "TZ=NPT-5:45 scripts/examples/chat-log", Path::new(ROOT), said);
    assert_eq!((ran.code, ran.out.as_str()), (0, "2026-11-24 05:22:33 ann: hi\n"), "{ran:#?}");
}
