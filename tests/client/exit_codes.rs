//! What every subcommand has in common: its exit codes and what it prints on stderr.

use std::net::{Ipv4Addr, TcpListener};

use common::{EN, SPACE, Server, binary, run};
use rustix::process::Signal;

use crate::{DONE, LOST, REFUSED, TIMED_OUT, USAGE, cli, process::Cli, said_by_others};

#[test]
fn serve_starts_the_server() {
    let mut command = binary();
    command.arg("serve");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    assert_eq!(cli(&server, &["send", "hi"]), (DONE, String::new(), String::new()));
    let (code, help, _) = run(&["serve", "--help"]);
    assert!(code == DONE && help.contains("Usage: pipechat serve "), "{help}");
}

#[test]
fn a_refusal_is_printed_and_exits_1() {
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
    let received = ann.fence();
    let said = said_by_others(&received);
    assert!(said.is_empty(), "a client that does not get the name sends nothing: {said:?}");
}

#[test]
fn a_usage_error_exits_2() {
    for (flags, part) in [
        (&["shout"][..], "unknown subcommand \"shout\"; expected serve, send, "),
        (&["shout"], " or help; see pipechat --help"),
        (&["help", "shout"], "unknown topic \"shout\"; expected serve, send, "),
        (&["stray", "--port", "0"], "unknown subcommand \"stray\"; "),
        (&["--port", "1", "send", "hi"], "unexpected argument \"send\"; the subcommand \"send\" must come first"),
        (&["serve", "--store", ""], "--store: must not be empty"),
        (&["serve", "--store", ":memory:"], "--store: \":memory:\" is no file; without --store, history is in memory"),
        (&["serve", "stray"], "unexpected argument \"stray\""),
        (&["send", "--bogus"], "unknown option \"--bogus\""),
        (&["send", "-x"], "unknown option \"-x\""),
        (&["send", "--port"], "--port needs a value"),
        (&["send", "--port=0", "hi"], "--port: expected a port from 1 to 65535, not \"0\""),
        (&["send", "--port", "1", "--port", "2", "hi"], "--port: duplicate values"),
        (&["send", "--host", "a:1", "--port", "2", "hi"], "--host says port 1, --port says 2"),
        (&["send", "--host", "[a", "hi"], "--host: expected HOST, HOST:PORT or [IPV6]:PORT, not \"[a\""),
        (&["send", "--name", "a|b", "hi"], "--name must not contain | or control characters"),
        (&["send", "--name", "a\nquit", "hi"], "--name must not contain | or control characters"),
        (&["send", "--to", "a|b", "hi"], "--to must not contain |"),
        (&["send", "--to", "", "hi"], "--to must not be empty"),
        (&["send", "--timeout", "-1", "hi"], "--timeout: expected a duration"),
        (&["send", "--lang", "fr", "hi"], "--lang: unknown language \"fr\"; expected zh or en"),
        (&["send"], "use - to send each line of stdin"),
        (&["send", ""], "TEXT must not be empty"),
        (&["listen", "--count", "x"], "--count: expected a number"),
        (&["listen", "--name", "a\rb"], "--name must not contain |"),
        (
            &["listen", "--event", "message,moon"],
            "unknown event \"moon\"; expected online, offline, known_as, joined, left, topic, message, private or notice",
        ),
        (&["listen", "--json=maybe"], "--json: expected true or false, not \"maybe\""),
        (&["listen", "--from", ""], "--from must not be empty"),
        (&["listen", "--match", ""], "--match must not be empty"),
        (&["listen", "x"], "unexpected argument \"x\""),
        (&["who", "x"], "unexpected argument \"x\""),
        (&["wait"], "missing user|gone|users|text|members|in|by ARG"),
        (&["wait", "user"], "missing ARG"),
        (&["wait", "moon", "full"], "unknown condition \"moon\"; expected user, gone, users, text, members, in or by"),
        (&["wait", "users", "x"], "wait users needs a number"),
        (&["wait", "user", "a", "b"], "unexpected argument \"b\""),
        (&["wait", "text", "a", "b"], "unexpected argument \"b\""),
        (&["wait", "members", "builds"], "missing N"),
        (&["wait", "members", "builds", "x"], "wait members needs a number"),
        (&["wait", "members", "a b", "1"], "no room can be called \"a b\": must not contain white space"),
        (&["wait", "in", "builds"], "missing PART"),
        (&["wait", "in", "builds", ""], "wait in needs a non-empty argument"),
        (&["wait", "in", "builds", "a\nb"], "wait in needs a single line"),
        (&["wait", "in", "a|b", "x"], "ROOM must not contain |"),
        (&["wait", "in", "", "x"], "ROOM must not be empty"),
        (&["wait", "in", "a/b", "x"], "no room can be called \"a/b\": must not contain any of / ,"),
        (&["wait", "in", "builds", "a", "b"], "unexpected argument \"b\""),
        (&["wait", "by", "ann"], "missing ROOM"),
        (&["wait", "by", "ann", "ops"], "missing PART"),
        (&["wait", "by", "a|b", "ops", "go"], "NAME must not contain |"),
        (&["wait", "by", "ann", "a b", "go"], "no room can be called \"a b\": must not contain white space"),
        (&["wait", "by", "ann", "@", ""], "wait by needs a non-empty argument"),
        (&["wait", "by", "ann", "ops", "a", "b"], "unexpected argument \"b\""),
        (&["send", "--room", "builds", "--to", "ann", "hi"], "--to and --room exclude each other"),
        (&["send", "--room", "a b", "hi"], "no room can be called \"a b\": "),
        (&["send", "--room", "a\nb", "hi"], "--room must not contain | or control characters"),
        (&["listen", "--room", "builds", "--room", ".."], "no room can be called \"..\": must not be . or .. or @"),
        (&["listen", "--room", "##builds"], "no room can be called \"##builds\": must not begin with #"),
        (&["chat", "--room", "10.0.0.1"], "no room can be called \"10.0.0.1\": must not be an IP address"),
        (&["send", "--verbose", "--to", "ann", "hi"], "--to and --verbose exclude each other"),
        (
            &["listen", "--since", "yesterday"],
            "--since: expected a position such as 42.abcde, a duration such as 10m or",
        ),
        (&["listen", "--since", "1|x"], "--since: expected a position"),
        (&["listen", "--resume", "/nowhere/pos"], "can't use /nowhere/pos: "),
        (&["listen", "--resume", "/dev/null"], "can't use /dev/null: it is no file"),
        (&["history"], "missing ROOM"),
        (&["history", "a b"], "no room can be called \"a b\": "),
        (&["history", "lobby", "x"], "unexpected argument \"x\""),
        (&["history", "lobby", "--last", "0"], "--last: expected a number from 1 to 1000, not \"0\""),
        (&["history", "lobby", "--last", "1001"], "--last: expected a number from 1 to 1000"),
        (&["history", "lobby", "--since", "10m", "--last", "5"], "--last and --since exclude each other"),
        (&["wait", "text", ""], "wait text needs a non-empty argument"),
        (&["wait", "text", "a\nb"], "wait text needs a single line"),
        (&["wait", "user", ""], "NAME must not be empty"),
        (&["wait", "user", "a b"], "no user can be called \"a b\": "),
        (&["wait", "gone", "#room"], "no user can be called \"#room\": "),
        (&["chat", "--bogus"], "unknown option \"--bogus\""),
        (&["completions", "tcsh"], "pipechat: unknown shell \"tcsh\"; expected bash, zsh or fish"),
    ] {
        let (code, stdout, stderr) = run(flags);
        assert_eq!((code, &*stdout), (USAGE, ""), "{flags:?} {stderr}");
        assert!(stderr.starts_with("pipechat: ") && stderr.contains(part), "{flags:?} {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let is_named = ["serve", "send", "listen", "history", "wait", "who", "chat", "completions"].contains(&flags[0]);
        let help =
            if is_named { format!("; see pipechat {} --help\n", flags[0]) } else { "; see pipechat --help\n".into() };
        assert!(stderr.ends_with(&help), "{flags:?} {stderr}");
    }
}

#[test]
fn an_unreachable_server_exits_3() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("bound");
    let port = free.port().to_string();
    let short: &[&str] = &["--timeout", "0.2"];
    for (flags, timeout) in [
        (&["send", "hi"][..], short),
        (&["send", "-"], short),
        (&["listen"], short),
        (&["wait", "user", "ann"], short),
        (&["who"], &[]),
        (&["history", "lobby"], &[]),
        (&["chat"], &[]),
    ] {
        let (code, stdout, stderr) = run(&[flags, timeout, &["--port", &port]].concat());
        assert_eq!((code, &*stdout), (LOST, ""), "{flags:?}");
        assert!(stderr.contains("can't connect to 127.0.0.1 port"), "{flags:?} {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_lost_connection_exits_3() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut clis = [
        Cli::spawn(&server, &["send", "--name", "sender", "-"]),
        Cli::spawn(&server, &["listen", "--name", "listener"]),
        Cli::spawn(&server, &["chat", "--name", "chatter"]),
        Cli::spawn(&server, &["wait", "user", "godot"]),
    ];
    server.expect_log(1, "is now sender"); // it visits
    for name in ["listener", "chatter"] {
        ann.say(&format!("wait|20|user|{name}"));
        ann.expect_among(&format!("wait|ok|{name}"));
    }
    assert!(clis[..3].iter().all(|cli| !cli.stdin_is_closed()), "the connection ends, not the input");
    ann.say("wait|20|users|4");
    ann.expect_among("wait|ok|4");
    drop(server); // kills it
    for cli in &mut clis {
        let (code, _, stderr) = cli.exit();
        assert_eq!(code, LOST, "{stderr}");
        assert!(stderr.contains("connection lost"), "{stderr}");
    }
}

#[test]
fn a_full_server_exits_1_and_a_disconnect_3() {
    let server = Server::start(&["--max-clients", "1"]);
    let mut listener = Cli::spawn(&server, &["listen"]);
    listener.close_stdin();
    server.expect_log(1, "arrived");
    for flags in [&["send", "hi"][..], &["listen"], &["history", "lobby"], &["wait", "users", "1"], &["who"], &["chat"]]
    {
        let (code, _, stderr) = cli(&server, flags);
        assert_eq!((code, stderr), (REFUSED, format!("pipechat: {}\n", EN.full)), "a refusal: {flags:?}");
    }
    server.signal(Signal::TERM);
    let (code, _, stderr) = listener.exit();
    assert_eq!((code, stderr), (LOST, format!("pipechat: {}\n", EN.shutting_down)));
}

#[test]
fn a_silent_server_exits_124() {
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = mute.local_addr().expect("bound").port().to_string();
    let all =
        [&["send", "hi"][..], &["send", "-"], &["listen"], &["history", "lobby"], &["wait", "user", "ann"], &["who"]];
    for flags in all {
        let (code, _, stderr) = run(&[flags, &["--port", &port, "--timeout", "100ms"]].concat());
        assert_eq!((code, stderr.contains("timed out")), (TIMED_OUT, true), "{flags:?} {stderr}");
    }
}
