//! The client subcommands, the real binary at both ends: every exit code, and what has happened when one returns.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Instant,
};

use common::{Client, DEADLINE, EN, SPACE, Server, binary, run};
use rustix::{
    fs::{Mode, OFlags},
    process::Signal,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

const DONE: i32 = 0;
const REFUSED: i32 = 1;
const USAGE: i32 = 2;
const LOST: i32 = 3;
const TIMED_OUT: i32 = 124;

#[test]
fn serve_and_no_subcommand_serve() {
    let mut command = binary();
    command.arg("serve");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    assert_eq!(cli(&server, &["send", "hi"]), (DONE, String::new(), String::new()));
    let (code, help, _) = run(&["serve", "--help"]);
    assert!(code == DONE && help.contains("Usage: pipechat serve "), "{help}");
}

#[test]
fn send_has_taken_effect_when_it_returns() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for text in ["one", "two"] {
        assert_eq!(cli(&server, &["send", "--name", "ci", text]), (DONE, String::new(), String::new()));
        // What she is told before the answer to something that she asks for now, she was told before.
        let heard = ann.fence();
        assert!(heard.iter().any(|line| line.ends_with(&format!("]ci:{text}"))), "{heard:?}");
        assert!(heard.iter().any(|line| line.ends_with("]ci:is offline")), "the name is free again: {heard:?}");
    }
}

#[test]
fn send_says_text_verbatim_and_each_line_by_itself() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for (words, said) in [
        (&["hello", "world"][..], &["hello world"][..]),
        (&["who"], &["who"]),
        (&["help"], &["help"]),
        (&["rename|bob"], &["rename|bob"]),
        (&["a\nquit\n\nb"], &["a", "quit", "", "b"]),
        (&[""], &[""]),
        (&["--", "--name", "x"], &["--name x"]),
    ] {
        assert_eq!(cli(&server, &[&["send"], words].concat()).0, DONE);
        assert_eq!(said_by_others(&ann.fence()), said, "{words:?}");
    }
}

#[test]
fn send_takes_lines_from_stdin_as_they_come() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send", "--name", "log"]);
    cli.type_in("one\n");
    while !ann.line().ends_with("]log:one") {}
    cli.type_in("who\r\ntwo\nthree without end");
    cli.close_stdin();
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
    assert_eq!(said_by_others(&ann.fence()), ["who", "two", "three without end"]);
}

#[test]
fn send_confirms_many_lines() {
    let server = Server::start(&["--rate", "0"]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send"]);
    let lines: Vec<String> = (0..3000).map(|i| i.to_string()).collect();
    cli.type_in(&(lines.join("\n") + "\n"));
    cli.close_stdin();
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
    assert_eq!(said_by_others(&ann.fence()), lines);
}

#[test]
fn send_to_one_user() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    assert_eq!(cli(&server, &["send", "--name", "ci", "--to", "ann", "who|x"]).0, DONE);
    assert!(ann.fence().contains(&EN.private("ci", "who|x")));
    assert!(!bob.fence().iter().any(|line| line.contains("who|x")));
}

#[test]
fn refusals_are_told_and_exit_1() {
    let server = Server::start(&["--max-line", "100"]);
    let [mut ann] = server.join_all(["ann"]);
    let long = "x".repeat(101);
    for (flags, refusal) in [
        (&["send", "--to", "nobody", "hi"][..], EN.no_such_user),
        (&["send", &long], &*EN.line_too_long(100)),
        (&["send", "--name", "a b", "hi"], &*EN.name_invalid(EN.name_rules[SPACE].1)),
        (&["listen", "--name", "ANN"], EN.name_taken),
        (&["chat", "--name", "ann"], EN.name_taken),
        (&["send", "--name", "ann", "hi"], EN.name_taken),
        (&["wait", "users", "1", "--timeout", "9999"], &*EN.wait_too_long(3600)),
    ] {
        let (code, stdout, stderr) = cli(&server, flags);
        assert_eq!((code, &*stdout), (REFUSED, ""), "{flags:?} {stderr}");
        assert!(stderr.starts_with("pipechat: ") && stderr.contains(refusal), "{flags:?} {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let heard = ann.fence();
    let said = said_by_others(&heard);
    assert!(said.is_empty(), "whoever does not get the name says nothing: {said:?}");
}

#[test]
fn a_refused_line_does_not_stop_the_next() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send"]);
    cli.type_bytes(b"one\n\xff\xfa\na\r\0quit\ntwo\n");
    cli.close_stdin();
    let (code, _, stderr) = cli.exit();
    assert_eq!((code, stderr.lines().count()), (REFUSED, 2), "{stderr}");
    assert!(stderr.contains("not valid UTF-8") && stderr.contains("NUL"), "{stderr}");
    assert_eq!(said_by_others(&ann.fence()), ["one", "two"]);
}

#[test]
fn usage_is_exit_2() {
    for (flags, part) in [
        (&["shout"][..], "\"shout\" is no subcommand"),
        (&["send", "--bogus"], "--bogus"),
        (&["send", "--name", "a|b", "hi"], "--name can have no |"),
        (&["send", "--name", "a\nquit", "hi"], "--name can have no |"),
        (&["send", "--to", "a|b", "hi"], "--to can have no |"),
        (&["send", "--to", "", "hi"], "--to is empty"),
        (&["send", "--timeout", "-1", "hi"], "--timeout takes seconds"),
        (&["send", "--port", "x", "hi"], "--port"),
        (&["send", "--lang", "fr", "hi"], "no language"),
        (&["listen", "--count", "x"], "--count"),
        (&["listen", "--name", "a\rb"], "--name can have no |"),
        (&["listen", "x"], "x"),
        (&["wait"], "user|gone|users|text"),
        (&["wait", "user"], "ARG"),
        (&["wait", "moon", "full"], "not for \"moon\""),
        (&["wait", "users", "x"], "users takes a number"),
        (&["wait", "text", "a\nb"], "one line"),
        (&["wait", "user", ""], "NAME is empty"),
        (&["chat", "--bogus"], "--bogus"),
    ] {
        let (code, stdout, stderr) = run(flags);
        assert_eq!((code, &*stdout), (USAGE, ""), "{flags:?} {stderr}");
        assert!(stderr.starts_with("pipechat: ") && stderr.contains(part), "{flags:?} {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn nobody_there_is_exit_3() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("bound");
    let port = free.port().to_string();
    for flags in [&["send", "hi"][..], &["listen"], &["wait", "user", "ann"], &["chat"]] {
        let (code, stdout, stderr) = run(&[flags, &["--port", &port]].concat());
        assert_eq!((code, &*stdout), (LOST, ""), "{flags:?}");
        assert!(stderr.contains("can't connect to 127.0.0.1 port"), "{flags:?} {stderr}");
    }
}

#[test]
fn a_server_that_is_killed_is_exit_3() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut clis = [
        Cli::spawn(&server, &["send", "--name", "sender"]),
        Cli::spawn(&server, &["listen", "--name", "listener"]),
        Cli::spawn(&server, &["chat", "--name", "chatter"]),
        Cli::spawn(&server, &["wait", "user", "godot"]),
    ];
    for (cli, name) in clis.iter().zip(["sender", "listener", "chatter"]) {
        ann.say(&format!("wait|20|user|{name}"));
        ann.expect_among(&format!("wait|ok|{name}"));
        assert!(!cli.stdin_is_closed(), "the connection ends, not the input");
    }
    ann.say("wait|20|users|5");
    ann.expect_among("wait|ok|5");
    drop(server); // kills it
    for cli in &mut clis {
        let (code, _, stderr) = cli.exit();
        assert_eq!(code, LOST, "{stderr}");
        assert!(stderr.contains("connection lost"), "{stderr}");
    }
}

#[test]
fn the_servers_farewell_is_told_and_exit_3() {
    let server = Server::start(&["--max-clients", "1"]);
    let mut listener = Cli::spawn(&server, &["listen"]);
    listener.close_stdin();
    server.expect_log(1, "arrived");
    let (code, _, stderr) = cli(&server, &["send", "hi"]);
    assert_eq!((code, stderr), (LOST, format!("pipechat: {}\n", EN.full)));
    server.signal(Signal::TERM);
    let (code, _, stderr) = listener.exit();
    assert_eq!((code, stderr), (LOST, format!("pipechat: {}\n", EN.shutting_down)));
}

#[test]
fn a_server_that_says_nothing_is_exit_124() {
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = mute.local_addr().expect("bound").port().to_string();
    for flags in [&["send", "hi"][..], &["send"], &["listen"]] {
        let (code, _, stderr) = run(&[flags, &["--port", &port, "--timeout", "0.1"]].concat());
        assert_eq!((code, stderr.contains("timed out")), (TIMED_OUT, true), "{flags:?} {stderr}");
    }
}

#[test]
fn wait_is_met() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    for met in [&["user", "ann"][..], &["user", "ANN"], &["gone", "bob"], &["users", "2"]] {
        assert_eq!(cli(&server, &[&["wait"], met].concat()), (DONE, String::new(), String::new()), "{met:?}");
    }
    let mut wait = |args: &[&str], then: &mut dyn FnMut(&mut Client)| {
        let mut cli = Cli::spawn(&server, &[&["wait"], args].concat());
        while !ann.line().ends_with(":is online") {}
        then(&mut ann);
        assert_eq!(cli.exit(), (DONE, vec![], String::new()), "{args:?}");
        ann.fence();
    };
    let mut bob = None;
    wait(&["user", "bob"], &mut |_| bob = Some(server.join("bob")));
    wait(&["gone", "bob"], &mut |_| drop(bob.take()));
    wait(&["users", "3"], &mut |_| bob = Some(server.connect()));
}

#[test]
fn wait_for_a_text() {
    let server = Server::start(&[]);
    let mut cli = Cli::spawn(&server, &["wait", "text", "is | do"]);
    let mut ann = server.join("ann");
    ann.say("wait|20|users|2");
    ann.expect_among("wait|ok|2");
    // No line announces that somebody waits for a text, so it is said until heard.
    let start = Instant::now();
    while cli.is_running() {
        ann.say("all is | done");
        ann.fence();
        assert!(start.elapsed() < DEADLINE, "heard");
    }
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
}

#[test]
fn wait_times_out() {
    let server = Server::start(&[]);
    for args in [&["user", "bob"][..], &["users", "9"], &["text", "x"]] {
        let (code, stdout, stderr) = cli(&server, &[&["wait", "--timeout", "0.05"], args].concat());
        assert_eq!((code, &*stdout, &*stderr), (TIMED_OUT, "", "pipechat: timed out\n"), "{args:?}");
    }
}

#[test]
fn listen_prints_the_news_and_counts() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--count", "4"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.say("to|ear|psst");
    let (code, lines, stderr) = listener.exit();
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("is offline")).collect();
    assert_eq!((code, &*stderr), (DONE, ""));
    let nameless = format!("[{0}]{0}:is online", ann.addr);
    let all = [nameless, ann.says("hi"), EN.private("ann", "psst")];
    assert!(lines.len() >= 3 && lines.iter().zip(&all).all(|(line, one)| line == one), "{lines:?}");
}

#[test]
fn listen_prints_and_counts_only_what_matches() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--match", "b|ild", "--count", "2"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    for text in ["hello", "b|ild 1", "build", "the b|ild"] {
        ann.say(text);
    }
    assert_eq!(listener.exit(), (DONE, vec![ann.says("b|ild 1"), ann.says("the b|ild")], String::new()));
}

#[test]
fn listen_json_prints_the_servers_objects() {
    let server = Server::start(&[]);
    let mut listener =
        Cli::spawn(&server, &["listen", "--name", "ear", "--json", "--match", "\"message\"", "--count", "1"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("tab\there \x1b[0m");
    let (code, lines, _) = listener.exit();
    assert_eq!((code, lines.len()), (DONE, 1));
    let object: serde_json::Value = serde_json::from_str(&lines[0]).expect("an object");
    assert_eq!((&object["event"], &object["from"]["name"]), (&"message".into(), &"ann".into()));
    assert_eq!(object["text"], "tab\there \x1b[0m");
    assert!(lines[0].starts_with("{\"seq\":"), "as the server wrote it: {lines:?}");
}

#[test]
fn listen_prints_each_line_at_once() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--match", "]ann:"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    for i in 0..3 {
        ann.say(&i.to_string());
        assert_eq!(listener.line(), ann.says(&i.to_string()));
    }
}

#[test]
fn listen_in_the_servers_language_or_its_own() {
    let chinese = Server::start_with(binary(), &["--port", "0"]);
    let mut ann = chinese.join("ann");
    for (flags, ending) in [(&[][..], ":已上线"), (&["--lang", "en"], ":is online")] {
        let mut listener = Cli::spawn(&chinese, &[&["listen", "--count", "1", "--match", ending], flags].concat());
        while !ann.line().ends_with(":已上线") {}
        // Its beginning is no line; whoever comes until it listens is heard in the end.
        let start = Instant::now();
        while listener.is_running() {
            chinese.connect();
            assert!(start.elapsed() < DEADLINE, "heard");
        }
        let (code, lines, stderr) = listener.exit();
        assert_eq!((code, lines.len()), (DONE, 1), "{stderr}");
        ann.fence();
    }
}

#[test]
fn listen_stays_where_that_is_allowed_and_listens_where_not() {
    let server = Server::start(&["--strict-idle"]);
    let mut listener = Cli::spawn(&server, &["listen", "--match", ":hi", "--count", "1", "--name", "ear"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("hi");
    assert_eq!(listener.exit(), (DONE, vec![ann.says("hi")], String::new()));
}

#[test]
fn listen_times_out() {
    let server = Server::start(&[]);
    let (code, _, stderr) = cli(&server, &["listen", "--timeout", "0.2"]);
    assert_eq!((code, &*stderr), (TIMED_OUT, "pipechat: timed out\n"));
}

#[test]
fn listen_ends_quietly_when_nobody_reads() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    listener.close_stdout(&mut ann);
    let (code, _, stderr) = listener.exit();
    assert_eq!((code, &*stderr), (DONE, ""));
}

#[test]
fn chat_in_a_pipe_answers_everything_before_it_ends() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["chat", "--name", "bob"]);
    cli.type_in("who\nhi all\nto|nobody|x\nwait|20|user|eve\nsync|end");
    cli.close_stdin();
    while !ann.line().ends_with("]bob:hi all") {}
    let _eve = server.join("eve");
    let (code, lines, stderr) = cli.exit();
    let at =
        |part: &str| lines.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part} {lines:?}"));
    let order =
        ["[ann] is online", "[bob] is online", "]bob:hi all", EN.no_such_user, "wait|ok|eve", "sync|end", EN.goodbye];
    assert!(order.is_sorted_by_key(|part| at(part)), "{lines:?}");
    assert_eq!((code, &*stderr), (DONE, ""));
    assert!(!lines.iter().any(|line| line.contains('\x1b')), "no colours in a pipe: {lines:?}");
}

#[test]
fn chat_in_a_pipe_ends_where_the_dialogue_does() {
    let server = Server::start(&[]);
    for (typed, code, last) in [("quit\n", DONE, EN.goodbye), ("wait|0.05|user|bob\nhi\n", TIMED_OUT, "wait|timeout")] {
        let mut cli = Cli::spawn(&server, &["chat"]);
        cli.type_in(typed);
        let (got, lines, _) = cli.exit();
        assert_eq!((got, lines.last().map(String::as_str)), (code, Some(last)));
    }
}

#[test]
fn chat_at_a_terminal() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut person = Terminal::spawn(&server, &["chat", "--name", "bob"]);
    person.expect("> ");
    ann.fence();
    person.type_in("hello\r");
    let bob = loop {
        let line = ann.line();
        if let Some(says) = line.strip_suffix("hello") {
            break says.to_owned();
        }
    };
    assert!(bob.ends_with("]bob:"), "{bob}");
    // A message arrives in the middle of a line: it is shown, its sender in colour, and the line goes on.
    person.type_in("wor");
    person.expect("wor");
    ann.say("news");
    person.expect("mann\x1b[0m:news"); // the end of a colour
    person.type_in("ld\r");
    ann.expect_among(&format!("{bob}world"));
    // History: two lines back.
    person.type_in("\x1b[A\x1b[A\r");
    ann.expect_among(&format!("{bob}hello"));
    // Ctrl-D is the editor's again when the next prompt stands; between two lines it would be the terminal's own.
    person.expect(":hello");
    person.expect("> ");
    person.type_in("\x04");
    assert_eq!(person.exit(), DONE);
    assert!(person.is_cooked(), "the terminal is as it was");
}

#[test]
fn chat_at_a_terminal_without_colours() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut person = Terminal::spawn_with(&server, &["chat", "--name", "bob"], &[("NO_COLOR", "1")]);
    person.expect("> ");
    ann.say("news");
    person.expect("]ann:news");
    person.type_in("quit\r");
    assert_eq!(person.exit(), DONE);
}

#[test]
fn chat_at_a_terminal_loses_the_server() {
    let server = Server::start(&[]);
    let mut person = Terminal::spawn(&server, &["chat"]);
    person.expect("> ");
    person.type_in("half a li");
    person.expect("half a li");
    drop(server); // kills it
    assert_eq!(person.exit(), LOST);
    assert!(person.is_cooked(), "the terminal is as it was");
}

#[test]
fn help_shows_examples_and_exit_codes() {
    for subcommand in ["serve", "send", "listen", "wait", "chat"] {
        let (code, help, _) = run(&[subcommand, "--help"]);
        assert_eq!(code, DONE);
        assert!(help.contains("Examples:\n  pipechat "), "{help}");
        assert!(subcommand == "serve" || help.contains("  124 "), "{help}");
    }
}

#[test]
fn completions_know_every_flag() {
    let scripts = ["bash", "zsh", "fish"].map(|shell| {
        let path = format!("{}/scripts/completions/pipechat.{shell}", env!("CARGO_MANIFEST_DIR"));
        (shell, fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    });
    for subcommand in ["serve", "send", "listen", "wait", "chat"] {
        let (_, help, _) = run(&[subcommand, "--help"]);
        let options = help.split_once("\nOptions:\n").expect("options").1.split("\n\n").next().expect("a part");
        let flags: Vec<_> = options.split_whitespace().filter_map(|word| word.strip_prefix("--")).collect();
        assert!(flags.len() >= 4, "{options}");
        for (shell, script) in &scripts {
            // In each script a part per subcommand, between marks.
            let part = script.split_once(&format!("# {subcommand}:")).map(|(_, rest)| rest);
            let part = part.and_then(|rest| rest.split_once("# end")).map(|(part, _)| part);
            let part = part.unwrap_or_else(|| panic!("no part {subcommand} for {shell}"));
            for flag in flags.iter().map(|flag| flag.trim_end_matches(',')) {
                let is_here = part
                    .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                    .any(|word| word == format!("--{flag}") || (*shell == "fish" && word == flag));
                assert!(is_here, "{shell} does not know {subcommand} --{flag}");
            }
        }
    }
}

#[test]
fn completions_complete_in_bash() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/completions/pipechat.bash");
    let complete = |words: &str| {
        let code = format!(
            "source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pipechat; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &code]).output().expect("bash");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("pipechat s"), ["serve", "send"]);
    assert_eq!(complete("pipechat --max-l"), ["--max-line"]);
    assert_eq!(complete("pipechat send --t"), ["--to", "--timeout"]);
    assert_eq!(complete("pipechat wait u"), ["user", "users"]);
    assert_eq!(complete("pipechat listen --lang ''"), ["zh", "en"]);
}

/// What others than the one who reads these lines have said.
fn said_by_others(lines: &[String]) -> Vec<&str> {
    let texts = lines.iter().filter_map(|line| line.strip_prefix('[')?.split_once(']'));
    // A sender without a name is called by its address, which has one colon in it.
    let texts = texts.filter_map(|(addr, rest)| {
        rest.strip_prefix(addr).and_then(|rest| rest.strip_prefix(':')).or_else(|| Some(rest.split_once(':')?.1))
    });
    texts.filter(|text| !matches!(*text, "is online" | "is offline")).collect()
}

/// Runs a subcommand against `server`, with nothing on stdin, until it exits: the exit code, stdout and stderr.
#[track_caller]
fn cli(server: &Server, flags: &[&str]) -> (i32, String, String) {
    let (subcommand, rest) = flags.split_first().expect("a subcommand");
    run(&[&[*subcommand, "--port", &server.addr.port().to_string()], rest].concat())
}

/// A subcommand that runs, killed on drop.
struct Cli {
    child: Child,
    stdout: Receiver<String>,
    /// Closes stdout when it is dropped and the next line has come.
    hold: Option<std::sync::mpsc::Sender<()>>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Cli {
    fn spawn(server: &Server, flags: &[&str]) -> Self {
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        let mut command = binary();
        command.args([subcommand, "--port", &server.addr.port().to_string()]).args(rest);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let (sender, stdout) = channel();
        let (hold, held) = channel::<()>();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                if sender.send(line).is_err() || held.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected) {
                    break;
                }
            }
            drop(lines); // before whoever waits for that gets to know
            drop(sender);
        });
        let mut errors = child.stderr.take().expect("piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).expect("text");
            text
        });
        Self { child, stdout, hold: Some(hold), stderr: Some(stderr) }
    }

    /// Waits until a listener by this name has its name, and so is listening.
    #[track_caller]
    fn is_listening(&mut self, server: &Server, name: &str) {
        let mut client = server.connect();
        client.say(&format!("wait|20|user|{name}\nquit"));
        client.expect_among(&format!("wait|ok|{name}"));
        client.expect_among(EN.goodbye);
        // That one has come and gone: as far as it was heard, it was heard before this.
    }

    #[track_caller]
    fn type_in(&mut self, text: &str) {
        self.type_bytes(text.as_bytes());
    }

    #[track_caller]
    fn type_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("read");
    }

    fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    fn stdin_is_closed(&self) -> bool {
        self.child.stdin.is_none()
    }

    /// Closes the reading end of stdout, which takes a line; then says one that nobody reads.
    #[track_caller]
    fn close_stdout(&mut self, speaker: &mut Client) {
        self.hold = None;
        speaker.say("read");
        let end = Instant::now() + DEADLINE;
        loop {
            match self.stdout.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it prints nothing"),
            }
        }
        speaker.say("not read");
    }

    #[track_caller]
    fn line(&mut self) -> String {
        self.stdout.recv_timeout(DEADLINE).expect("a line in time")
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("ours").is_none()
    }

    /// Waits until it exits: the exit code, what it has printed since the last line that was read, and stderr.
    #[track_caller]
    fn exit(&mut self) -> (i32, Vec<String>, String) {
        let mut lines = Vec::new();
        let end = Instant::now() + DEADLINE;
        loop {
            match self.stdout.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on running, and printed {lines:?}"),
            }
        }
        let code = exit(&mut self.child);
        (code, lines, self.stderr.take().expect("once").join().expect("text"))
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until it has exited.
#[track_caller]
fn exit(child: &mut Child) -> i32 {
    common::until("it exits", || child.try_wait().expect("ours").is_some());
    child.wait().expect("ours").code().expect("by itself")
}

/// A subcommand on a terminal of its own, killed on drop.
struct Terminal {
    child: Child,
    keys: File,
    /// The terminal's other side stays open, to be asked how it is set.
    side: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn spawn(server: &Server, flags: &[&str]) -> Self {
        Self::spawn_with(server, flags, &[])
    }

    fn spawn_with(server: &Server, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags_open = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = File::from(rustix::fs::open(name, flags_open, Mode::empty()).expect("the other side"));
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        let mut command = binary();
        command.args([subcommand, "--port", &server.addr.port().to_string()]).args(rest);
        command.env("TERM", "xterm").env_remove("NO_COLOR").envs(env.iter().copied());
        let clone = || Stdio::from(side.try_clone().expect("a descriptor"));
        command.stdin(clone()).stdout(clone()).stderr(clone());
        let child = command.spawn().expect("the binary runs");
        let keys = File::from(master);
        let (mut output, (sender, screen)) = (keys.try_clone().expect("a descriptor"), channel());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read) = output.read(&mut bytes)
                && sender.send(bytes[..read].to_vec()).is_ok()
            {}
        });
        Self { child, keys, side, screen, seen: String::new() }
    }

    #[track_caller]
    fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// Waits until this is shown, after what was shown before.
    #[track_caller]
    fn expect(&mut self, part: &str) {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.seen.find(part) {
                self.seen.drain(..at + part.len());
                return;
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("waited for {part:?}: {error}, {:?}", self.seen),
            }
        }
    }

    #[track_caller]
    fn exit(&mut self) -> i32 {
        exit(&mut self.child)
    }

    /// Whether it edits lines itself, as for a shell that waits.
    fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.side).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
