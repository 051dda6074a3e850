//! `pipechat send`.

use common::{EN, Server};

use crate::{DONE, REFUSED, cli, process::Cli, said_by_others};

#[test]
fn send_has_taken_effect_when_it_returns() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for text in ["one", "two"] {
        assert_eq!(cli(&server, &["send", "--name", "ci", text]), (DONE, String::new(), String::new()));
        // The fence comes after everything that had taken effect when `send` exited.
        let received = ann.fence();
        assert!(received.iter().any(|line| line.ends_with(&format!("]ci:{text}"))), "{received:?}");
        assert!(received.iter().any(|line| line.ends_with("]ci:is offline")), "the name is free again: {received:?}");
    }
}

#[test]
fn send_sends_text_verbatim_line_by_line() {
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
fn send_forwards_each_line_of_stdin_at_once() {
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
fn send_confirms_thousands_of_lines() {
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
fn send_to_a_user_is_private() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    assert_eq!(cli(&server, &["send", "--name", "ci", "--to", "ann", "who|x"]).0, DONE);
    assert!(ann.fence().contains(&EN.private("ci", "who|x")));
    assert!(!bob.fence().iter().any(|line| line.contains("who|x")));
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
