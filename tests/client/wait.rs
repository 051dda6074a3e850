//! `pipechat wait`.

use std::time::Instant;

use common::{Client, DEADLINE, Server};

use crate::{DONE, TIMED_OUT, cli, process::Cli};

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
