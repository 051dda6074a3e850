//! Where options come from: the command line, the environment, a configuration file.

use std::{collections::BTreeMap, fs, net::TcpListener, path::PathBuf};

use common::{Server, ZH, binary, note, run, run_with};

use crate::{DONE, REFUSED, TIMED_OUT, USAGE};

/// A file in cargo's own directory.
fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("ours");
    path.display().to_string()
}

/// Runs `serve --check`. Returns each option with its value and where that comes from.
#[track_caller]
fn check(flags: &[&str], variables: &[(&str, &str)]) -> BTreeMap<String, (String, String)> {
    let mut command = binary();
    command.envs(variables.iter().copied());
    let (code, report, stderr) = run_with(command, &[&["serve", "--check"], flags].concat());
    assert_eq!((code, &*stderr), (DONE, ""));
    let lines = report.lines().map(|line| {
        let (key, rest) = line.split_once(" = ").expect("TOML");
        let (value, source) = rest.split_once(" # ").expect("a source");
        (key.to_owned(), (value.trim().to_owned(), source.to_owned()))
    });
    lines.collect()
}

/// The sentence on stderr.
#[track_caller]
fn usage_error(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = binary();
    command.envs(variables.iter().copied());
    let (code, stdout, stderr) = run_with(command, flags);
    assert_eq!((code, &*stdout, stderr.lines().count()), (USAGE, "", 1), "{stderr}");
    stderr
}

#[test]
fn a_flag_comes_before_the_environment_before_the_file() {
    let path = file("order.toml", "port = 1111\nburst = 11\nmax-line = \"8K\"\n\nstrict-idle = true\n");
    let options = check(
        &["--port=3333", "--strict-idle=false"],
        &[("PIPECHAT_CONFIG", &path), ("PIPECHAT_PORT", "2222"), ("PIPECHAT_BURST", "22"), ("PIPECHAT_RATE", "")],
    );
    let expect = |key: &str, value: &str, source: &str| {
        assert_eq!(options[key], (value.to_owned(), source.to_owned()), "{key}");
    };
    expect("port", "3333", "--port");
    expect("burst", "22", "PIPECHAT_BURST");
    expect("max-line", "\"8K\"", &format!("{path}:3"));
    expect("strict-idle", "false", "--strict-idle");
    expect("rate", "1000", "default"); // an empty variable is none
}

#[test]
fn every_option_can_be_set_everywhere() {
    let values = [
        ("host", "\"127.0.0.2\""),
        ("port", "7"),
        ("lang", "\"en\""),
        ("max-clients", "8"),
        ("max-clients-per-ip", "9"),
        ("arrivals-per-ip", "0"),
        ("trusted", "[\"10.0.0.1\", \"::/0\"]"),
        ("idle-timeout", "\"2d\""),
        ("strict-idle", "true"),
        ("max-wait", "\"0\""),
        ("rate", "0"),
        ("burst", "10"),
        ("rate-per-ip", "11"),
        ("max-rooms", "12"),
        ("max-rooms-per-client", "13"),
        ("recent", "14"),
        ("recent-memory", "\"15K\""),
        ("history-presence", "true"),
        ("max-line", "\"1M\""),
        ("max-queue", "\"0\""),
        ("soft-queue", "\"12K\""),
        ("max-memory", "\"2G\""),
        ("write-timeout", "\"250ms\""),
        ("drain-timeout", "\"90s\""),
    ];
    let text: String = values.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let path = file("every.toml", &text);
    let in_file = check(&["--config", &path], &[]);
    let word = |value: &str| value.trim_matches(['[', ']']).replace(['"', ' '], "");
    let variables =
        values.map(|(key, value)| (format!("PIPECHAT_{}", key.to_uppercase().replace('-', "_")), word(value)));
    let in_environment = check(&[], &variables.each_ref().map(|(name, value)| (&**name, &**value)));
    let flags = values.map(|(key, value)| format!("--{key}={}", word(value)));
    let in_flags = check(&flags.each_ref().map(|flag| &**flag), &[]);
    assert_eq!(in_file.len(), values.len(), "{in_file:?}");
    for (line, ((key, value), (variable, _))) in (1..).zip(values.iter().zip(&variables)) {
        assert_eq!(in_file[*key], ((*value).to_owned(), format!("{path}:{line}")));
        assert_eq!(in_environment[*key], ((*value).to_owned(), variable.clone()));
        assert_eq!(in_flags[*key], ((*value).to_owned(), format!("--{key}")));
    }
    // What `--check` prints is a configuration file.
    let printed = run(&["--check", "--config", &path]).1;
    let again = check(&["--config", &file("again.toml", &printed)], &[]);
    assert!(again.iter().all(|(key, (value, _))| *value == in_file[key].0), "{again:?}");
}

#[test]
fn the_defaults_are_those_in_help() {
    let help = run(&["--help"]).1.split_whitespace().collect::<Vec<_>>().join(" ");
    let defaults = check(&[], &[]);
    assert_eq!(defaults.len(), 24);
    for (key, (value, source)) in defaults {
        assert_eq!(source, "default");
        let value = value.trim_matches(['[', ']']).replace(['"', ' '], "");
        let described = help.split_once(&format!(" --{key} ")).expect("in help").1;
        let described = described.split(" --").next().expect("a description");
        let is_told = described.contains(&format!("({value})"))
            || ["max-clients", "max-clients-per-ip", "rate-per-ip", "strict-idle", "history-presence"].contains(&&*key);
        assert!(is_told, "{key} = {value}: {described}");
    }
}

#[test]
fn a_bad_value_names_its_source() {
    let path = file("bad.toml", "\nport = 'http'\n");
    assert!(usage_error(&["--config", &path], &[]).contains(&format!("{path}:2: expected a port from 0 to 65535")));
    let path = file("unknown.toml", "port = 1\n\n# typo\nmax-client = 1\n");
    let sentence = usage_error(&["serve", "--config", &path], &[]);
    assert!(sentence.contains(&format!("{path}:4: unknown key \"max-client\"; expected host, port,")), "{sentence}");
    assert!(usage_error(&["--config", "/nowhere/chat.toml"], &[]).contains("can't read /nowhere/chat.toml: "));
    let path = file("config.toml", "config = 'other.toml'\n");
    assert!(usage_error(&["--config", &path], &[]).contains(":1: unknown key \"config\""));
    for (flags, name, value, part) in [
        (&[][..], "PIPECHAT_IDLE_TIMEOUT", "soon", "expected a duration"),
        (&[], "PIPECHAT_STRICT_IDLE", "maybe", "expected true or false"),
        (&[], "PIPECHAT_MAX_LINE", "0", "expected a size"),
        (&["who"], "PIPECHAT_PORT", "tcp://10.0.0.1:9999", "expected a port from 1 to 65535"),
        (&["who"], "PIPECHAT_HOST", "[::1", "expected HOST, HOST:PORT or [IPV6]:PORT"),
        (&["listen"], "PIPECHAT_TIMEOUT", "-1", "expected a duration"),
        (&["listen"], "PIPECHAT_LANG", "fr", "unknown language"),
        (&["listen"], "PIPECHAT_NAME", "a|b", "must not contain |"),
    ] {
        let sentence = usage_error(flags, &[(name, value)]);
        let is_named = sentence.contains(&format!("{name}: ")) || name == "PIPECHAT_NAME";
        assert!(is_named && sentence.contains(part), "{sentence}");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_comes_out_of_a_check() {
    let path = file("\x1b[2J\nport = 1.toml", "port = 7\nstore = \"\\u001b[31m.db\"\n");
    let (code, report, stderr) = run(&["--check", "--config", &path]);
    assert_eq!((code, &*stderr), (DONE, ""));
    assert!(!report.contains('\x1b') && report.contains(r"\u{1b}[2J\u{a}port = 1.toml:1"), "{report}");
    let again = check(&["--config", &file("printed.toml", &report)], &[]);
    assert_eq!((&*again["port"].0, &*again["store"].0), ("7", r#""\u001B[31m.db""#));
}

#[test]
fn options_of_the_store_need_a_store() {
    let values = [("sync", "full"), ("history-lines", "5"), ("history-days", "30"), ("store-max", "1M")];
    for (key, value) in values {
        let flag = format!("--{key}");
        let variable = format!("PIPECHAT_{}", key.to_uppercase().replace('-', "_"));
        let path = file(&format!("no-store-{key}.toml"), &format!("port = 0\n{key} = '{value}'\n"));
        for (flags, variables, prefix) in [
            (&[&*flag, value][..], &[][..], String::new()),
            (&[], &[(&*variable, value)], format!("{variable}: ")),
            (&["--config", &*path], &[], format!("{path}:2: ")),
        ] {
            let sentence = usage_error(flags, variables);
            let expected = format!("pipechat: {prefix}{flag} needs --store FILE; see pipechat --help\n");
            assert_eq!(sentence, expected);
            let with_store = check(&[&["--store", "chat.db"], flags].concat(), variables);
            assert_eq!(with_store[key].0.trim_matches('"'), value);
        }
    }
    assert!(usage_error(&["serve", "--check", "--sync=normal"], &[]).contains("--sync needs --store FILE"));
}

#[test]
fn the_client_finds_the_server_in_the_environment() {
    let server = Server::start(&[]);
    let _ann = server.join("ann");
    let port = server.addr.port().to_string();
    let host = |host: &str| format!("{host}:{port}");
    for (variables, flags) in [
        (&[("PIPECHAT_PORT", &*port)][..], &[][..]),
        (&[("PIPECHAT_HOST", &*host("localhost"))], &[]),
        (&[("PIPECHAT_HOST", &*host("127.0.0.1")), ("PIPECHAT_PORT", &*port)], &[]),
        (&[("PIPECHAT_HOST", "127.0.0.1:1")], &["--port", &*port]),
        (&[("PIPECHAT_PORT", "1")], &["--host", &*host("localhost")]),
        (&[("PIPECHAT_PORT", "1")], &["--host=127.0.0.1", &*format!("--port={port}")]),
    ] {
        let mut command = binary();
        command.envs(variables.iter().copied());
        let outcome = run_with(command, &[&["who"], flags].concat());
        assert_eq!(outcome, (DONE, "ann\n".to_owned(), String::new()), "{variables:?} {flags:?}");
    }
    if let Ok(listener) = TcpListener::bind("[::1]:0") {
        drop(listener);
        let server = Server::start_another(&server, &["--host", "::1"]);
        let _bob = server.join("bob");
        let host = format!("[::1]:{}", server.addr.port());
        assert_eq!(run(&["who", "--host", &host]), (DONE, "bob\n".to_owned(), String::new()));
    } else {
        note("SKIPPED: a client of an IPv6 address, because this machine has none");
    }
    let mut command = binary();
    command.envs([("PIPECHAT_PORT", &*port), ("PIPECHAT_NAME", "ANN"), ("PIPECHAT_LANG", "zh")]);
    let (code, _, stderr) = run_with(command, &["send", "hi"]);
    assert_eq!((code, stderr), (REFUSED, format!("pipechat: {}\n", ZH.name_taken)));
    let mut command = binary();
    command.envs([("PIPECHAT_PORT", &*port), ("PIPECHAT_TIMEOUT", "50ms")]);
    assert_eq!(run_with(command, &["wait", "user", "bob"]).0, TIMED_OUT);
}
