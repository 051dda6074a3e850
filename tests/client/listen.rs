//! `pipechat listen`.

use std::time::Instant;

use common::{DEADLINE, EN, Server, binary};

use crate::{DONE, TIMED_OUT, cli, free_port, process::Cli};

#[test]
fn listen_prints_what_happens_and_stops_at_count() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--count", "5"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.say("to|ear|psst");
    let (code, lines, stderr) = listener.exit();
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.contains("is offline")).collect();
    assert_eq!((code, &*stderr), (DONE, ""));
    let nameless = format!("[{0}]{0}:is online", ann.addr);
    let all = [nameless, ann.known_as(), ann.says("hi"), EN.private("ann", "psst")];
    assert!(lines.len() >= 4 && lines.iter().zip(&all).all(|(line, one)| line == one), "{lines:?}");
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
fn what_looks_the_same_matches() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--match", "cafe\u{301}", "--count", "2"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    for text in ["cafe", "café 1", "cafe\u{301} 2"] {
        ann.say(text);
    }
    assert_eq!(listener.exit(), (DONE, vec![ann.says("café 1"), ann.says("cafe\u{301} 2")], String::new()));
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

#[test]
fn listen_exits_at_once_when_nobody_reads_its_output_any_more() {
    let server = Server::start(&[]);
    let mut listener = Cli::spawn(&server, &["listen", "--name", "ear", "--match", "only this"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    listener.close_stdout_after(|| ann.say("only this"));
    let (code, _, stderr) = listener.exit(); // although nothing more is said
    assert_eq!((code, &*stderr), (DONE, ""));
}

#[test]
fn listen_filters_by_kind_and_by_user() {
    let server = Server::start(&[]);
    let listen = |name: &str, flags: &[&str]| {
        let mut listener = Cli::spawn(&server, &[&["listen", "--name", name], flags].concat());
        listener.is_listening(&server, name);
        listener
    };
    let mut listeners = [
        ("everything", listen("a", &["--match", "ann", "--no-presence", "--count", "2"])),
        ("public", listen("b", &["--event", "message", "--count", "2"])),
        ("of one", listen("c", &["--from", "ＡＮＮ", "--count", "4"])),
        ("names", listen("f", &["--event", "known_as", "--match", "ann", "--count", "2"])),
        ("departures", listen("d", &["--event", "offline,private", "--from", "ann", "--count", "1"])),
        ("json", listen("e", &["--json", "--from", "ann", "--event", "message", "--count", "2"])),
    ];
    let mut bob = server.join("bob");
    let mut ann = server.join("ann");
    ann.say("one");
    ann.fence();
    bob.say("hi, ann");
    bob.fence();
    ann.say("two");
    ann.fence();
    let (named, one, hi, two) = (ann.known_as(), ann.says("one"), bob.says("hi, ann"), ann.says("two"));
    ann.rename("zoe");
    let renamed = EN.known_as(&ann.addr, "ann", "zoe");
    ann.rename("ann");
    let gone = ann.offline();
    drop(ann);
    for (what, listener) in &mut listeners {
        let (code, lines, stderr) = listener.exit();
        assert_eq!((code, &*stderr), (DONE, ""), "{what}");
        let expected: &[&String] = match *what {
            "everything" | "public" => &[&one, &hi],
            "of one" => &[&named, &one, &two, &renamed],
            "names" => &[&named, &renamed],
            "departures" => &[&gone],
            _ => {
                assert!(lines[0].contains("\"text\":\"one\"") && lines[1].contains("\"text\":\"two\""), "{lines:?}");
                continue;
            }
        };
        assert_eq!(lines.iter().collect::<Vec<_>>(), expected, "{what}");
    }
}

#[test]
fn listen_connects_as_soon_as_there_is_a_server() {
    let port = free_port();
    let mut listener = Cli::spawn_at(port, &["listen", "--name", "ear", "--match", ":hi", "--count", "1"]);
    let mut waiter = Cli::spawn_at(port, &["wait", "user", "ear"]);
    let mut sender = Cli::spawn_at(port, &["send", "--name", "early", "first"]);
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port.to_string()]);
    assert_eq!(sender.exit(), (DONE, vec![], String::new()));
    assert_eq!(waiter.exit(), (DONE, vec![], String::new()));
    let mut ann = server.join("ann");
    ann.say("hi");
    assert_eq!(listener.exit(), (DONE, vec![ann.says("hi")], String::new()));
}

#[test]
fn listen_reconnects() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let mut listener =
        Cli::spawn(&server, &["listen", "--reconnect", "--name", "ear", "--event", "message", "--count", "2"]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("one");
    assert_eq!(listener.line(), ann.says("one"));
    drop(server); // kills it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    listener.is_listening(&server, "ear");
    let mut ann = server.join("ann");
    ann.say("two");
    let (code, lines, stderr) = listener.exit();
    assert_eq!((code, lines), (DONE, vec![ann.says("two")]));
    assert!(stderr.contains("connection lost") && stderr.contains("; reconnecting\n"), "{stderr}");
    assert!(stderr.ends_with("pipechat: connected again\n"), "{stderr}");
}
