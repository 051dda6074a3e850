//! `pipechat chat` at a terminal, with malicious and broken servers. The screen panics at any escape sequence that is not
//! the client's own.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    LOST, REFUSED,
    evil_server::{READY, hostile_events, message, read_to_end, serve, serve_text},
    terminal::Terminal,
};

/// What answers the `who` of the greeting.
const ALONE: &str = "{\"event\":\"users_end\",\"count\":1}\n";

#[test]
fn nothing_raw_reaches_the_terminal() {
    let answers = "{\"event\":\"help\",\"text\":\"one\\ntwo\\u001b]52;c;cHduZWQ=\\u0007\"}\n\
                   {\"event\":\"refused\",\"code\":\"x\",\"text\":\"no\\u001b[2J\\n\u{9b}\"}\n\
                   {\"event\":\"renamed\",\"from\":{\"name\":\"\\u001b]0;me\\u0007\",\"addr\":\"b\"},\"old\":\"x\"}\n\
                   {\"event\":\"user\",\"from\":{\"name\":\"\\u001b[31m\",\"addr\":\"c\"}}\n\
                   \x1b]0;raw\x07\n";
    let port = serve_text(format!("{READY}{}{answers}{ALONE}{}", hostile_events(), message("n", "end")));
    let mut bob = Terminal::spawn_at(port, &["chat"], &[("NO_COLOR", "1")]);
    bob.expect_rows(&["HH:MM n: end", ">"]);
    for line in [
        r"\u{1b}]0;owned\u{7}: hi\u{1b}[31m",
        r"a\u{a}b is online",
        r"\u{7f}: \u{9b}31m \u{202e}\u{2068}",
        r"\u{2066}n -> you: \u{85}",
        r"two\u{1b}]52;c;cHduZWQ=\u{7}",
        r"-- no\u{1b}[2J\u{a}\u{9b}",
        r"-- you are now \u{1b}]0;me\u{7}",
        r"\u{1b}]0;raw\u{7}",
        &format!(r"-- connected to 127.0.0.1:{port} as \u{{1b}}]0;me\u{{7}}, 1 online; /help for commands"),
    ] {
        assert!(bob.has_shown(line), "{line}");
    }
}

#[test]
fn nothing_of_rooms_reaches_the_terminal_raw() {
    let room = r"\u001b[2J\nquit\u202e";
    let from = r#""from":{"name":"ann","addr":"a"}"#;
    let events = [
        format!(r#"{{"event":"ok","verb":"join","room":"{room}","count":2,"text":"\u001b]0;x\u0007"}}"#),
        format!(r#"{{"event":"message",{from},"text":"hi","room":"{room}"}}"#),
        format!(r#"{{"event":"joined",{from},"room":"{room}"}}"#),
        format!(r#"{{"event":"topic",{from},"text":"\u009b","room":"{room}"}}"#),
        format!(r#"{{"event":"room","room":"{room}","count":7,"text":"\u009b"}}"#),
        r#"{"event":"ok","verb":"rooms","count":1}"#.to_owned(),
        format!(r#"{{"event":"refused","verb":"join","code":"\u009b","text":"{room}"}}"#),
        format!(r#"{{"event":"ok","verb":"leave","room":"{room}"}}"#),
        format!(r#"{{"event":"ok","verb":"join","room":"{}","count":2}}"#, "x".repeat(100_000)),
    ];
    let port = serve_text(format!("{READY}{ALONE}{}\n", events.join("\n")));
    let mut bob = Terminal::spawn_at(port, &["chat"], &[("NO_COLOR", "1")]);
    bob.expect_rows(&[&format!("#{}>", "x".repeat(32))]);
    let room = r"\u{1b}[2J\u{a}quit\u{202e}";
    for line in [
        format!(r"-- you are in #{room}, 2 there, topic: \u{{1b}}]0;x\u{{7}}"),
        format!("#{room} ann: hi"),
        format!("#{room} ann has joined"),
        format!(r"#{room} ann topic: \u{{9b}}"),
        format!(r"-- #{room} (7): \u{{9b}}"),
        format!("-- {room}"),
        format!("-- you have left #{room}"),
    ] {
        assert!(bob.has_shown(&line), "{line}");
    }
}

#[test]
fn the_first_connection_has_to_succeed() {
    let refused = "{\"event\":\"refused\",\"code\":\"name-taken\",\"text\":\"taken\"}\n";
    let farewell = "{\"event\":\"farewell\",\"code\":\"full\",\"text\":\"the server is full\"}\n";
    for (text, code, shown) in
        [(refused, REFUSED, "pipechat: taken\r"), (farewell, LOST, "pipechat: the server is full\r")]
    {
        let mut bob = Terminal::spawn_at(serve_text(text), &["chat", "--name", "bob"], &[]);
        bob.expect(shown);
        assert_eq!(bob.exit(), code);
        assert!(bob.is_cooked());
    }
}

#[test]
fn an_attempt_that_fails_is_followed_by_another() {
    let renamed = "{\"event\":\"renamed\",\"from\":{\"name\":\"bob\",\"addr\":\"b\"},\"old\":\"x\"}\n";
    let farewell = "{\"event\":\"farewell\",\"code\":\"idle\",\"text\":\"idle timeout\"}\n";
    let count = Arc::new(AtomicUsize::new(0));
    let port = serve(move |stream| match count.fetch_add(1, Ordering::SeqCst) {
        0 => stream.write_all(format!("{renamed}{READY}{ALONE}{farewell}").as_bytes()),
        1 => stream.write_all(b"{\"event\":\"refused\",\"code\":\"name-taken\",\"text\":\"name taken\"}\n"),
        2 => stream.write_all(b"no\x1b]0;raw\x07\n"),
        _ => {
            stream.write_all(format!("{renamed}{READY}{ALONE}").as_bytes())?;
            read_to_end(stream)
        }
    });
    let mut bob = Terminal::spawn_at(port, &["chat", "--name", "bob"], &[]);
    bob.expect("as bob");
    bob.expect("idle timeout; connecting again in 1 s");
    bob.expect("name taken; connecting again in 2 s");
    bob.expect(r"no\u{1b}]0;raw\u{7}; connecting again in 4 s");
    bob.expect("as bob");
}
