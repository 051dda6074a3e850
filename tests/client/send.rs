//! `pipechat send`.

use common::{EN, Server, binary};
use rustix::process::Signal;

use crate::{DONE, REFUSED, cli, process::Cli, said_by_others};

#[test]
fn send_has_taken_effect_when_it_returns() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    for text in ["one", "two"] {
        assert_eq!(cli(&server, &["send", "--name", "ci", text]), (DONE, String::new(), String::new()));
        // The fence comes after everything that had taken effect when `send` exited.
        let received = ann.fence();
        assert!(received[0].ends_with(&format!("]ci:{text}")), "{received:?}");
        assert_eq!(received.len(), 1, "nobody is told of its coming and going: {received:?}");
        ann.rename("ci"); // it is free again
        ann.rename("ann");
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
    let mut cli = Cli::spawn(&server, &["send", "--name", "log", "-"]);
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
    let mut cli = Cli::spawn(&server, &["send", "-"]);
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
    let mut cli = Cli::spawn(&server, &["send", "-"]);
    cli.type_bytes(b"one\n\xff\xfa\na\r\0quit\ntwo\n");
    cli.close_stdin();
    let (code, _, stderr) = cli.exit();
    let refused = [format!("pipechat: line 2: {}", EN.not_utf8), format!("pipechat: line 3: {}", EN.nul)];
    assert_eq!((code, stderr.lines().collect::<Vec<_>>()), (REFUSED, refused.iter().map(String::as_str).collect()));
    assert_eq!(said_by_others(&ann.fence()), ["one", "two"]);
}

#[test]
fn send_names_the_line_that_is_refused() {
    let server = Server::start(&["--max-line", "300"]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send", "-"]);
    let lines: Vec<String> =
        (1..=1500).map(|n| if n == 700 || n == 1500 { "x".repeat(400) } else { n.to_string() }).collect();
    cli.type_in(&lines.join("\n"));
    cli.close_stdin();
    let (code, _, stderr) = cli.exit();
    let refused = [700, 1500].map(|n| format!("pipechat: line {n}: {}", EN.line_too_long(300)));
    assert_eq!((code, stderr.lines().collect::<Vec<_>>()), (REFUSED, refused.iter().map(String::as_str).collect()));
    assert_eq!(said_by_others(&ann.fence()).len(), 1498);
    let (_, _, stderr) = crate::cli(&server, &["send", &format!("one\n{}\nthree", "x".repeat(400))]);
    assert_eq!(stderr, format!("pipechat: line 2: {}\n", EN.line_too_long(300)));
    // Lines that are hardly ever refused are confirmed together.
    let tiny = server.start_another(&["--max-line", "30"]);
    let mut cli = Cli::spawn(&tiny, &["send", "-"]);
    cli.type_in("1\n2\n3 is a line of more than thirty bytes\n4\n5\n");
    cli.close_stdin();
    assert_eq!(cli.exit().2, format!("pipechat: one of lines 1 to 5: {}\n", EN.line_too_long(30)));
    let (_, _, stderr) = crate::cli(&server, &["send", "--to", "nobody", "hi"]);
    assert_eq!(stderr, format!("pipechat: {}\n", EN.no_such_user), "there is but one line");
}

#[test]
fn send_reads_stdin_only_if_told_to() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send", "-", "x"]);
    cli.type_in("secret\n");
    cli.close_stdin();
    assert_eq!(cli.exit().0, DONE);
    assert_eq!(said_by_others(&ann.fence()), ["- x"]);
}

#[test]
fn send_reconnects_and_sends_again_what_was_not_confirmed() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let [mut ann] = server.join_all(["ann"]);
    let mut cli = Cli::spawn(&server, &["send", "--reconnect", "--name", "log", "-"]);
    cli.type_in("one\n");
    while !ann.line().ends_with("]log:one") {}
    server.signal(Signal::STOP); // what is sent from now on is not read
    cli.type_in("two\nthree\n");
    drop(server); // kills it
    cli.signal(Signal::STOP); // until somebody is there to hear it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    let [mut ann] = server.join_all(["ann"]);
    cli.signal(Signal::CONT);
    cli.type_in("four\n");
    let mut said = Vec::new();
    while said.last().is_none_or(|last| last != "four") {
        if let Some((_, text)) = ann.line().split_once("]log:") {
            said.push(text.to_owned());
        }
    }
    said.retain(|text| text != "one"); // it may come twice
    assert_eq!(said, ["two", "three", "four"]);
    cli.close_stdin();
    let (code, _, stderr) = cli.exit();
    assert!(code == DONE && stderr.ends_with("pipechat: connected again\n"), "{code} {stderr}");
}

#[test]
fn send_speaks_as_the_account_of_its_token() {
    let folder = format!("{}/token-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::create_dir(&folder).expect("a folder");
    let server = Server::start(&["--store", &format!("{folder}/chat.db")]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.say("register|correct horse\ntoken|ci");
    ann.expect("register|ok|ann");
    let answer = ann.line();
    let token = answer.strip_prefix("token|ok|ci|").expect("a token");
    bob.say("format|json");
    bob.line();
    assert_eq!(cli(&server, &["send", "--token", token, "hello"]).0, DONE);
    let heard = bob.line();
    assert!(heard.contains(r#""text":"hello""#) && heard.contains(r#""account":"ann""#), "{heard}");
    let file = format!("{folder}/token");
    std::fs::write(&file, format!("{token}\n")).expect("a file");
    assert_eq!(cli(&server, &["send", "--token-file", &file, "again"]).0, DONE);
    assert!(bob.line().contains(r#""account":"ann""#));
    let (code, _, complaint) = cli(&server, &["send", "--token", "hunter22", "x"]);
    assert!(code == 2 && !complaint.contains("hunter22"), "{code}: {complaint}");
    ann.say("revoke|ci");
    ann.expect_among("revoke|ok|ci");
    assert_eq!(cli(&server, &["send", "--token-file", &file, "x"]).0, REFUSED);
    std::fs::remove_dir_all(folder).expect("a folder");
}
