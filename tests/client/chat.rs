//! `pipechat chat` in a pipe.

use common::{EN, Server};

use crate::{DONE, TIMED_OUT, process::Cli};

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
fn chat_in_a_pipe_prints_a_new_name_once() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["chat", "--name", "bob"]);
    cli.type_in("rename|rob\nwait|20|user|zoe\n");
    cli.close_stdin();
    while !ann.line().ends_with("]bob is now [rob]") {}
    ann.rename("zoe");
    let (_, lines, _) = cli.exit();
    let named: Vec<_> = lines.iter().filter(|line| line.contains("rob") || line.contains(" is now ")).collect();
    assert_eq!(named, [&EN.renamed("bob", "rob"), &EN.known_as(&ann.addr, "ann", "zoe")]);
}
