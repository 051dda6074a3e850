//! `pipechat wait`.

use std::time::Instant;

use common::{Client, DEADLINE, Server};

use crate::{DONE, REFUSED, TIMED_OUT, cli, process::Cli};

#[test]
fn wait_exits_once_the_condition_holds() {
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
    // No line announces that a client waits for a text, so it is sent until the subcommand exits.
    let start = Instant::now();
    while cli.is_running() {
        ann.say("all is | done");
        ann.fence();
        assert!(start.elapsed() < DEADLINE, "received in time");
    }
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
}

#[test]
fn wait_for_what_an_account_says() {
    let folder = format!("{}/wait-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::create_dir(&folder).expect("a folder");
    let server = Server::start(&["--store", &format!("{folder}/chat.db")]);
    let mut ann = server.join("ann");
    ann.say("register|correct horse\nin|ops|starting");
    ann.expect_among("register|ok|ann");
    let complaint = "pipechat: no such account\n".to_owned();
    assert_eq!(cli(&server, &["wait", "by", "bob", "ops", "go"]), (REFUSED, String::new(), complaint));
    let mut cli = Cli::spawn(&server, &["wait", "by", "Ann", "ops", "go"]);
    while !ann.line().ends_with(":is online") {}
    let mut eve = server.join("eve");
    let start = Instant::now();
    for _ in 0..3 {
        eve.say("in|ops|go");
        eve.fence();
    }
    assert!(cli.is_running(), "others cannot say it");
    while cli.is_running() {
        ann.say("in|ops|go");
        ann.fence();
        assert!(start.elapsed() < DEADLINE, "received in time");
    }
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
    std::fs::remove_dir_all(folder).expect("a folder");
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
fn wait_without_a_limit_asks_again() {
    let server = Server::start(&["--max-wait", "1"]);
    let mut cli = Cli::spawn(&server, &["wait", "--timeout", "0", "user", "bob"]);
    server.expect_log(2, "arrived"); // the first connection has timed out
    let _bob = server.join("bob");
    assert_eq!(cli.exit(), (DONE, vec![], String::new()));
}
