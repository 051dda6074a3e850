//! `pipechat listen`.

use std::time::Instant;

use common::{DEADLINE, EN, Server, binary};

use crate::{DONE, TIMED_OUT, cli, process::Cli};

#[test]
fn listen_prints_what_happens_and_stops_at_count() {
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
fn listen_prints_and_counts_only_lines_that_match() {
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
fn listen_uses_the_servers_language_unless_told_otherwise() {
    let chinese = Server::start_with(binary(), &["--port", "0"]);
    let mut ann = chinese.join("ann");
    for (flags, ending) in [(&[][..], ":已上线"), (&["--lang", "en"], ":is online")] {
        let mut listener = Cli::spawn(&chinese, &[&["listen", "--count", "1", "--match", ending], flags].concat());
        while !ann.line().ends_with(":已上线") {}
        // No line announces that the subcommand listens, so clients connect until it has printed one of them.
        let start = Instant::now();
        while listener.is_running() {
            chinese.connect();
            assert!(start.elapsed() < DEADLINE, "received in time");
        }
        let (code, lines, stderr) = listener.exit();
        assert_eq!((code, lines.len()), (DONE, 1), "{stderr}");
        ann.fence();
    }
}

#[test]
fn listen_works_where_stay_is_forbidden() {
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
fn listen_exits_quietly_when_its_output_is_closed() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    listener.close_stdout(&mut ann);
    let (code, _, stderr) = listener.exit();
    assert_eq!((code, &*stderr), (DONE, ""));
}
