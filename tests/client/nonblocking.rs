//! Subcommands whose stdin and stdout do not block, as a parent such as node or ssh may leave them.

use std::{
    io::{BufRead, BufReader, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Child, Stdio},
};

use common::{DEADLINE, Server, binary};

use crate::{DONE, process::exit};

/// Runs a subcommand on non-blocking sockets. Returns our ends of its stdin and its stdout.
fn spawn(server: &Server, flags: &[&str]) -> (Child, UnixStream, UnixStream) {
    let [(stdin, keys), (stdout, shown)] = [(), ()].map(|()| {
        let (theirs, ours) = UnixStream::pair().expect("sockets");
        theirs.set_nonblocking(true).expect("a mode");
        ours.set_read_timeout(Some(DEADLINE)).expect("not zero");
        (Stdio::from(OwnedFd::from(theirs)), ours)
    });
    let mut command = binary();
    command.args(flags).args(["--port", &server.addr.port().to_string()]).stdin(stdin).stdout(stdout);
    (command.spawn().expect("the binary runs"), keys, shown)
}

#[test]
fn input_that_comes_late_is_waited_for() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for (subcommand, flags) in [("send", &["send", "-", "--name", "send"][..]), ("chat", &["chat", "--name", "chat"])] {
        let (mut child, mut keys, _shown) = spawn(&server, flags);
        server.expect_log(1, &format!("is now {subcommand}"));
        for text in ["one", "two"] {
            keys.write_all(format!("{text}\n").as_bytes()).expect("read");
            while !ann.line().ends_with(&format!("]{subcommand}:{text}")) {}
        }
        drop(keys);
        assert_eq!(exit(&mut child), DONE);
    }
}

#[test]
fn output_that_is_read_late_is_complete() {
    const LINES: usize = 300; // more than the buffers of a socket hold
    let server = Server::start(&["--rate", "0"]);
    let [mut ann] = server.join_all(["ann"]);
    for subcommand in ["listen", "chat"] {
        let (mut child, keys, shown) = spawn(&server, &[subcommand, "--name", subcommand]);
        ann.say(&format!("wait|20|user|{subcommand}"));
        ann.expect_among(&format!("wait|ok|{subcommand}"));
        let long = "x".repeat(4000);
        for n in 0..LINES {
            ann.say(&format!("{n} {long}"));
        }
        ann.fence();
        let mut texts = BufReader::new(shown).lines().map(|line| line.expect("in time"));
        for n in 0..LINES {
            let expected = format!("]ann:{n} {long}");
            assert!(texts.by_ref().any(|line| line.ends_with(&expected)), "{subcommand}: {n}");
        }
        drop(keys);
        if subcommand == "listen" {
            child.kill().expect("ours");
            child.wait().expect("ours");
        } else {
            assert_eq!(exit(&mut child), DONE);
        }
    }
}
