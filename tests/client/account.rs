//! `pipechat account`, with and without a server that has the file.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use common::{Client, Server, TimeLimit, binary, run, run_with};
use rustix::process::Signal;

use crate::{DONE, REFUSED, USAGE, terminal::Terminal};

/// A path for a store, in a folder of its own.
fn store(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("account-{name}-{}", std::process::id()));
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).expect("ours");
    folder.join("chat.db").display().to_string()
}

#[track_caller]
fn account(store: &str, words: &[&str]) -> (i32, String, String) {
    run(&[&["account", "--store", store], words].concat())
}

/// The same, with this on stdin.
#[track_caller]
fn account_with(store: &str, words: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command: Command = binary();
    command.args(["account", "--store", store]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let _limit = TimeLimit::of(&child);
    child.stdin.take().expect("piped").write_all(stdin.as_bytes()).ok(); // it need not read all
    let output = child.wait_with_output().expect("ours");
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
    (output.status.code().expect("no signal"), stdout, stderr)
}

#[track_caller]
fn done(store: &str, words: &[&str], stdin: &str) -> String {
    let (code, stdout, stderr) = account_with(store, words, stdin);
    assert_eq!((code, &*stderr), (DONE, ""), "{words:?}");
    stdout
}

/// What `list` prints, without the times.
#[track_caller]
fn list(store: &str, words: &[&str]) -> Vec<String> {
    let (code, stdout, stderr) = account(store, &[&["list"], words].concat());
    assert_eq!((code, &*stderr), (DONE, ""));
    let is_time = |word: &&str| word.len() == 20 && word.ends_with('Z');
    stdout
        .lines()
        .map(|line| {
            assert!(line.split(' ').any(|word| is_time(&word)), "{line}");
            line.split(' ').filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Waits for a line with this in it.
#[track_caller]
fn until_line(client: &mut Client, part: &str) {
    while !client.line().contains(part) {}
}

#[test]
fn accounts_are_made_changed_and_removed() {
    let store = store("life");
    assert_eq!(done(&store, &["add", "Ann"], "hunter22\n"), "");
    assert_eq!(done(&store, &["add", "ci", "--no-password"], ""), "");
    assert_eq!(list(&store, &[]), ["Ann user password 0", "ci user - 0"]);
    done(&store, &["role", "ann", "operator"], "");
    let token = done(&store, &["token", "ci", "builds"], "");
    assert!(token.starts_with("pc_") && token.len() == 30 && token.ends_with('\n'), "{token}");
    assert_ne!(done(&store, &["token", "ci", "deploys"], ""), token);
    assert_eq!(list(&store, &[]), ["Ann operator password 0", "ci user - 2"]);
    assert_eq!(list(&store, &["CI"]), ["builds - -", "deploys - -"]);
    let file = fs::read(&store).expect("a file");
    for secret in ["hunter22", token.trim_end()] {
        assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret} is in the file");
    }
    done(&store, &["passwd", "ci"], "correct horse battery staple\n");
    done(&store, &["role", "ann", "user"], "");
    done(&store, &["remove", "ann"], "");
    assert_eq!(list(&store, &[]), ["ci user password 2"]);
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let store = store("refused");
    let refused = |words: &[&str], stdin: &str, part: &str| {
        let (code, stdout, stderr) = account_with(&store, words, stdin);
        assert_eq!((code, &*stdout), (REFUSED, ""), "{words:?} {stderr}");
        assert!(stderr.starts_with("pipechat: ") && stderr.contains(part), "{words:?} {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    };
    refused(&["list"], "", "there is no such file");
    refused(&["add", "ann"], "short\n", "a password must have 8 to 128 bytes, and no |");
    refused(&["add", "ann"], "", "there is no password on stdin");
    assert!(!fs::exists(&store).expect("ours"), "nothing was made");
    done(&store, &["add", "ann"], "hunter22\n");
    refused(&["add", "ANN"], "hunter22\n", "there is an account \"ann\" already");
    refused(&["add", "аnn"], "hunter22\n", "looks like \"ann\", which is an account"); // Cyrillic
    for words in
        [&["passwd", "bob"][..], &["role", "bob", "user"], &["remove", "bob"], &["token", "bob", "x"], &["list", "bob"]]
    {
        refused(words, "hunter22\n", "there is no account \"bob\"");
    }
    refused(&["passwd", "ann"], &format!("{}\n", "x".repeat(129)), "8 to 128 bytes");
    refused(&["passwd", "ann"], "12345|78\n", "no |");
    for n in 0..20 {
        done(&store, &["token", "ann", &format!("t{n}")], "");
    }
    refused(&["revoke", "ann", "t20"], "", "there is no token \"t20\"");
    refused(&["token", "ann", "t3"], "", "there is a token \"t3\" already");
    refused(&["token", "ann", "more"], "", "has 20 tokens already");
    let usage = |words: &[&str], part: &str| {
        let (code, _, stderr) = run(&[&["account"], words].concat());
        assert_eq!(code, USAGE, "{words:?} {stderr}");
        assert!(stderr.contains(part) && stderr.ends_with("; see pipechat account --help\n"), "{words:?} {stderr}");
    };
    usage(&["list"], "--store FILE is missing");
    usage(
        &["shout", "--store", "x"],
        "unknown act \"shout\"; expected add, passwd, token, revoke, role, remove or list",
    );
    usage(&["add", "--store", "x"], "missing NAME");
    usage(&["add", "a b", "--store", "x"], "no account can be called \"a b\": ");
    usage(&["token", "ann", "--store", "x"], "missing LABEL");
    usage(&["revoke", "ann", "--store", "x"], "missing LABEL");
    usage(&["token", "ann", "a b", "--store", "x"], "no token can be called \"a b\": ");
    usage(&["role", "ann", "king", "--store", "x"], "unknown role \"king\"; expected user or operator");
    usage(&["remove", "ann", "bob", "--store", "x"], "unexpected argument \"bob\"");
    usage(&["remove", "ann", "--no-password", "--store", "x"], "remove takes no --no-password");
}

#[test]
fn a_server_may_have_the_file_meanwhile() {
    let store = store("server");
    let server = Server::start(&["--store", &store]);
    let mut bob = server.join("bob");
    bob.fence();
    done(&store, &["add", "ann"], "hunter22\n");
    bob.say("in|builds|green");
    bob.fence();
    done(&store, &["role", "ann", "operator"], "");
    done(&store, &["token", "ann", "ci"], "");
    bob.say("in|builds|red");
    bob.fence();
    assert_eq!(list(&store, &[]), ["ann operator password 1"]);
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(common::DEADLINE);
    assert!(status.code() == Some(0) && log.iter().all(|line| !line.contains("store:")), "{log:?}");
    let server = Server::start(&["--store", &store]);
    let mut bob = server.join("bob");
    bob.say("history|builds");
    until_line(&mut bob, "history|ok|builds|2|");
    assert_eq!(list(&store, &[]), ["ann operator password 1"]);
}

#[test]
fn what_was_changed_is_in_force_when_the_command_ends() {
    let path = store("at-once");
    let server = Server::start_with(binary(), &["--port", "0", "--store", &path, "--lang", "en"]);
    let send = |token: &str| crate::cli(&server, &["send", "--token", token, "hello"]);
    for n in 0..3 {
        let name = format!("ci{n}");
        done(&path, &["add", &name, "--no-password"], "");
        let tokens = ["one", "two"].map(|label| done(&path, &["token", &name, label], ""));
        for token in &tokens {
            assert_eq!(send(token.trim_end()), (DONE, String::new(), String::new()));
        }
        done(&path, &["revoke", &name, "one"], "");
        assert_eq!([&tokens[0], &tokens[1]].map(|token| send(token.trim_end()).0), [REFUSED, DONE]);
        done(&path, &["remove", &name], "");
        assert_eq!(send(tokens[1].trim_end()).0, REFUSED);
    }
}

#[test]
fn chat_logs_in_again_when_the_connection_was_lost() {
    let path = store("again");
    let server = Server::start_with(binary(), &["--port", "0", "--store", &path]);
    let port = server.addr.port().to_string();
    let mut bob = Terminal::spawn(&server, &["chat", "--name", "bob", "--lang", "en"]);
    bob.expect("as bob, 1 online");
    bob.type_in("/register correct horse\r");
    bob.expect("bob is registered");
    drop(server); // kills it
    bob.expect("connecting again in 1 s");
    let _server = Server::start_with(binary(), &["--port", &port, "--store", &path]);
    bob.expect("as bob, 1 online");
    bob.type_in("tokens\r");
    bob.expect("0 tokens"); // as one who is not logged in is not told
}

#[test]
fn a_file_that_is_none_is_left_alone() {
    let store = store("none");
    fs::write(&store, "my diary, which is no database, and longer than its header").expect("ours");
    let (code, _, stderr) = account(&store, &["add", "ann", "--no-password"]);
    assert_eq!(code, REFUSED);
    assert!(stderr.contains("it is not an SQLite database"), "{stderr}");
    let mut command = binary();
    command.env("PIPECHAT_STORE", "/nowhere/chat.db");
    let (code, _, stderr) = run_with(command, &["account", "list"]);
    assert_eq!(code, REFUSED);
    assert!(stderr.contains("there is no folder \"/nowhere\""), "{stderr}");
}

#[test]
fn a_store_of_version_1_gets_accounts() {
    let store = store("version-1");
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/store-v1.db"), &store).expect("the fixture");
    assert_eq!(list(&store, &[]), [] as [&str; 0]);
    done(&store, &["add", "ann"], "hunter22\n");
    let server = Server::start(&["--store", &store, "--history-days", "0"]);
    let mut bob = server.join("zoe");
    bob.say("history|builds");
    until_line(&mut bob, "build 1 is green");
    assert_eq!(list(&store, &[]), ["ann user password 0"]);
}

#[test]
fn a_terminal_does_not_show_a_password() {
    let store = store("terminal");
    let mut terminal = Terminal::spawn_alone(&["account", "--store", &store, "--lang", "en", "add", "ann"]);
    terminal.expect("New password: ");
    terminal.type_in("hunter2x\u{7f}2\r");
    terminal.expect("Again: ");
    terminal.type_in("hunter22\r");
    terminal.expect("\r\n");
    assert_eq!(terminal.exit(), DONE);
    assert!(!terminal.has_shown("hunter"));
    assert_eq!(list(&store, &[]), ["ann user password 0"]);
    let mut terminal = Terminal::spawn_alone(&["account", "--store", &store, "passwd", "ann"]);
    terminal.expect("新密码:");
    terminal.type_in("hunter23\r");
    terminal.expect("再输入一次:");
    terminal.type_in("hunter24\r");
    terminal.expect("the passwords differ");
    assert_eq!(terminal.exit(), REFUSED);
    let mut terminal = Terminal::spawn_alone(&["account", "--store", &store, "passwd", "ann"]);
    terminal.expect("新密码:");
    terminal.type_in("hunter\u{3}");
    assert_eq!(terminal.exit(), REFUSED, "Ctrl-C");
    assert!(terminal.is_cooked());
}
