//! `pipechat chat`, in a pipe and at a terminal.

use common::{EN, Server};

use crate::{DONE, LOST, TIMED_OUT, process::Cli, terminal::Terminal};

#[test]
fn chat_in_a_pipe_prints_every_answer_before_it_exits() {
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
fn chat_in_a_pipe_exits_when_the_conversation_ends() {
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
    // A message that arrives while a line is typed is printed, its sender in colour, and the line is restored.
    person.type_in("wor");
    person.expect("wor");
    ann.say("news");
    person.expect("mann\x1b[0m:news"); // the end of the colour
    person.type_in("ld\r");
    ann.expect_among(&format!("{bob}world"));
    // History: the line before the last.
    person.type_in("\x1b[A\x1b[A\r");
    ann.expect_among(&format!("{bob}hello"));
    // Ctrl-D goes to the editor only while there is a prompt; between two lines the terminal itself takes it.
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
fn chat_restores_the_terminal_when_the_connection_is_lost() {
    let server = Server::start(&[]);
    let mut person = Terminal::spawn(&server, &["chat"]);
    person.expect("> ");
    person.type_in("half a li");
    person.expect("half a li");
    drop(server); // kills it
    assert_eq!(person.exit(), LOST);
    assert!(person.is_cooked(), "the terminal is as it was");
}
