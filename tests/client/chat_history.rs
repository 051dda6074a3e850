//! The history in `pipechat chat`.

use common::{Server, binary};

use crate::{
    DONE,
    chat_terminal::bob,
    history::{numbers, say_in},
    process::Cli,
    resume::cut,
    terminal::Terminal,
};

const PLAIN: [(&str, &str); 1] = [("NO_COLOR", "1")];

#[test]
fn a_room_begins_with_its_last_messages() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", numbers(25));
    say_in(&mut ann, "builds", ["hi bob".to_owned(), "\x1b[31mred".to_owned()]);
    let mut bob = bob(&server, &[], &PLAIN);
    bob.expect_rows(&[
        "HH:MM | ann: 24",
        &format!("HH:MM -- connected to {} as bob, 2 online; /help for commands", server.addr),
        ">",
    ]);
    assert!(bob.has_shown("| ann: 5\r") && !bob.has_shown("| ann: 4\r"));
    ann.fence();
    ann.say("live");
    bob.expect_rows(&["HH:MM ann: live", ">"]);
    bob.type_in("/join builds\r");
    bob.expect_rows(&[
        "HH:MM | #builds * ann: hi bob",
        r"HH:MM | #builds ann: \u{1b}[31mred",
        "HH:MM -- you are in #builds, 1 there",
        "#builds>",
    ]);
    bob.type_in("/join lobby\r");
    bob.expect_rows(&["HH:MM -- you are in lobby, 2 there", ">"]);
    bob.type_in("/history 2\r");
    bob.expect_rows(&["HH:MM -- you are in lobby, 2 there", "HH:MM | ann: 24", "HH:MM | ann: live", ">"]);
    bob.type_in("/join empty\r");
    bob.expect_rows(&["HH:MM -- you are in #empty, 1 there", "#empty>"]);
    bob.type_in("history|builds|since|7.zzzzz\r/leave\r/join builds\r");
    bob.expect("-- older history is gone\r");
    bob.expect_rows(&["HH:MM -- you are in #builds, 1 there", "#builds>"]);
    bob.type_in("/history 0\r");
    bob.expect_rows(&["HH:MM -- usage: /history [N], at most 1000", "#builds>"]);
}

#[test]
fn chat_in_a_pipe_prints_a_history_as_nc_does() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "builds", ["42 is green".to_owned()]);
    ann.say("history|builds");
    let expected = ann.line();
    let mut cli = Cli::spawn(&server, &["chat"]);
    cli.type_in("history|builds\nhistory|builds|since|7.zzzzz\n");
    cli.close_stdin();
    let (code, lines, _) = cli.exit();
    assert_eq!((code, &lines[0]), (DONE, &expected));
    assert!(expected.starts_with("history|1.") && lines[1].starts_with("history|ok|builds|1|1."), "{lines:?}");
    assert!(lines[2].starts_with("history|history-gone|builds|0.") && lines[2].ends_with("|older history is gone"));
}

#[test]
fn what_is_not_live_is_faint() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", ["before".to_owned()]);
    let mut bob = Terminal::spawn(&server, &["chat", "--name", "bob"]);
    bob.expect("\x1b[2m");
    bob.expect(" | ann: before\x1b[0m");
}

#[test]
fn what_was_missed_is_shown_once() {
    let server = Server::start(&["--rate", "0", "--recent", "3000"]);
    let mut ann = server.join("ann");
    let mut bob = bob(&server, &["--room", "builds"], &PLAIN);
    say_in(&mut ann, "builds", ["one".to_owned()]);
    bob.expect_rows(&["HH:MM #builds ann: one", "#builds>"]);
    cut(&server, &mut ann, "bob");
    say_in(&mut ann, "builds", numbers(2010));
    ann.say("two");
    bob.expect("connection lost; connecting again in 1 s");
    bob.expect("/help for commands");
    bob.expect("#builds ann: 2009\r");
    say_in(&mut ann, "builds", ["end".to_owned()]);
    bob.expect_rows(&["HH:MM #builds ann: end", "#builds>"]);
    for text in ["#builds ann: one", "| ann: two"]
        .map(str::to_owned)
        .into_iter()
        .chain(numbers(2010).map(|n| format!("| #builds ann: {n}")))
    {
        assert_eq!(bob.times_shown(&format!(" {text}\r")), 1, "{text}");
    }
}

#[test]
fn what_a_restarted_server_does_not_know_is_told() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let mut ann = server.join("ann");
    let mut bob = bob(&server, &[], &PLAIN);
    say_in(&mut ann, "lobby", ["one".to_owned()]);
    bob.expect_rows(&["HH:MM ann: one", ">"]);
    drop(server); // kills it
    let server = Server::start_with(binary(), &["--port", &port, "--lang", "en"]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", ["two".to_owned()]);
    bob.expect("-- some of what was said meanwhile is not kept any more");
    bob.expect("| ann: two");
}
