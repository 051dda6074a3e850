//! `pipechat history`, and `send --verbose`.

use common::{Client, EN, Server, binary};
use serde_json::Value;

use crate::{DONE, REFUSED, cli, process::Cli, rooms::until_members};

/// Says these texts in a room, which the client need not be in.
#[track_caller]
pub(crate) fn say_in(client: &mut Client, room: &str, texts: impl IntoIterator<Item = String>) {
    let lines: String = texts.into_iter().map(|text| format!("in|{room}|{text}\n")).collect();
    client.send(lines.as_bytes());
    client.fence();
}

pub(crate) fn numbers(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| n.to_string())
}

/// The lines without the time before each.
#[track_caller]
fn timeless(out: &str) -> Vec<&str> {
    let is_time = |text: &str| text.len() == 20 && text.ends_with(' ') && text.as_bytes()[10] == b' ';
    let lines = out.lines().map(|line| line.split_at_checked(20).filter(|(time, _)| is_time(time)));
    lines.map(|line| line.unwrap_or_else(|| panic!("no time: {out}")).1).collect()
}

#[test]
fn history_prints_what_was_said_with_the_local_time() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.say("in|lobby|hello\nin|builds|42 \x1b[31m is red");
    ann.fence();
    let (code, out, stderr) = cli(&server, &["history", "lobby"]);
    assert_eq!((code, timeless(&out), &*stderr), (DONE, vec![&*ann.says("hello")], ""));
    let (_, out, _) = cli(&server, &["history", "#Builds", "--since", "1h"]);
    assert_eq!(timeless(&out), [ann.says_in("builds", r"42 \u{1b}[31m is red")]);
    let (_, out, _) = cli(&server, &["history", "builds", "--json"]);
    let object: Value = serde_json::from_str(out.trim_end()).expect("one object");
    assert_eq!((&object["text"], &object["replay"]), (&"42 \x1b[31m is red".into(), &true.into()));
    ann.nothing(); // it is told of none of that
}

#[test]
fn history_prints_page_after_page() {
    let server = Server::start(&["--rate", "0", "--recent", "5000"]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "builds", numbers(2500));
    let printed = |flags: &[&str]| {
        let (code, out, stderr) = cli(&server, &[&["history", "builds"], flags].concat());
        assert_eq!((code, &*stderr), (DONE, ""), "{flags:?}");
        let texts = timeless(&out).into_iter().map(|line| line.rsplit_once(':').expect("a text").1.to_owned());
        texts.collect::<Vec<_>>()
    };
    let all: Vec<String> = numbers(2500).collect();
    assert_eq!(printed(&["--since", "0"]), all);
    assert_eq!(printed(&["--since", "1d"]), all);
    assert_eq!(printed(&["--since", "2026-01-01T00:00:00Z"]), all);
    assert_eq!(printed(&["--since", "1ms"]).len(), 0);
    assert_eq!(printed(&[]), all[2480..]);
    assert_eq!(printed(&["--last", "1000"]), all[1500..]);
}

#[test]
fn history_that_is_gone_is_an_error_that_says_what_there_is() {
    let server = Server::start(&["--recent", "3"]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", numbers(5));
    for since in ["0", "1h", "0.zzzzz"] {
        let (code, out, stderr) = cli(&server, &["history", "lobby", "--since", since]);
        assert_eq!((code, &*out, stderr.lines().count()), (REFUSED, "", 1), "{stderr}");
        let (_, oldest) = stderr.split_once("older history is gone; the oldest is what follows 2.").expect("where");
        let (_, oldest) = oldest.split_once("(--since ").expect("how");
        let (_, out, _) = cli(&server, &["history", "lobby", "--since", oldest.trim_end().trim_end_matches(')')]);
        assert_eq!(timeless(&out), ["2", "3", "4"].map(|text| ann.says(text)));
    }
    for flags in [&["history", "nowhere"][..], &["history", "nowhere", "--since", "0"]] {
        let (code, _, stderr) = cli(&server, flags);
        assert_eq!((code, stderr), (REFUSED, format!("pipechat: nowhere: {}\n", EN.no_such_room)));
    }
    let nothing = server.start_another(&["--recent", "0"]);
    let told = "pipechat: lobby: the server keeps no history\n".to_owned();
    assert_eq!(cli(&nothing, &["history", "lobby"]), (REFUSED, String::new(), told));
}

#[test]
fn history_follows_without_a_gap() {
    let server = Server::start(&["--rate", "0"]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "builds", numbers(30));
    let mut history = Cli::spawn(&server, &["history", "builds", "--last", "3", "--follow"]);
    // It begins anywhere among these, and goes on with those that are said then.
    for n in 30..60 {
        say_in(&mut ann, "builds", [n.to_string()]);
    }
    until_members(&mut ann, "builds", 1);
    say_in(&mut ann, "builds", ["60".to_owned()]);
    let mut heard = Vec::new();
    while heard.last() != Some(&60) {
        let line = history.line();
        let (_, text) = timeless(&line)[0].rsplit_once(':').expect("a text");
        heard.push(text.parse::<u32>().expect("a number"));
    }
    assert!(heard.len() > 3 && heard.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{heard:?}");
    let mut gone = Cli::spawn(&server, &["history", "builds", "--since", "1.zzzzz", "--follow"]);
    let (code, _, stderr) = gone.exit();
    assert!(code == REFUSED && stderr.contains("older history is gone"), "{code} {stderr}");
}

#[test]
fn that_history_is_gone_is_told_in_the_language_of_the_client() {
    let server = Server::start_with(binary(), &["--port", "0", "--lang", "zh"]);
    for flag in ["--json", "--follow"] {
        let (code, _, stderr) = cli(&server, &["history", "lobby", "--since", "0.zzzzz", flag]);
        assert!(
            code == REFUSED && stderr.starts_with("pipechat: lobby: older history is gone; the oldest"),
            "{stderr}"
        );
    }
}

#[test]
fn send_prints_positions_if_asked_to() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let (code, out, _) = cli(&server, &["send", "--verbose", "--name", "ci", "one\ntwo"]);
    let positions: Vec<_> = out.lines().collect();
    assert_eq!((code, positions.len()), (DONE, 2), "{out}");
    let (_, history, _) = cli(&server, &["history", "lobby", "--json", "--since", positions[0]]);
    assert!(history.lines().count() == 1 && history.contains(r#""text":"two""#), "{history}");
    assert!(history.contains(&format!("\"pos\":\"{}\"", positions[1])), "{history}");
    let mut sender = Cli::spawn(&server, &["send", "--verbose", "--room", "builds", "-"]);
    sender.type_in("three\n");
    let third = sender.line();
    sender.type_in("\nfour\n"); // an empty text is refused
    sender.close_stdin();
    let (code, lines, stderr) = sender.exit();
    assert_eq!((code, lines.len(), stderr), (REFUSED, 1, format!("pipechat: line 2: {}\n", EN.empty_text)));
    let (_, history, _) = cli(&server, &["history", "builds", "--since", &third]);
    assert!(history.ends_with(":four\n") && history.lines().count() == 1, "{history}");
    ann.fence();
    let nothing = server.start_another(&["--recent", "0"]);
    assert_eq!(cli(&nothing, &["send", "--verbose", "hi"]), (DONE, "-\n".to_owned(), String::new()));
}
