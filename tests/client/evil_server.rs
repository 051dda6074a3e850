//! Malicious and broken servers. Whatever one sends, a subcommand prints nothing raw, keeps within its limits, does not
//! panic, and ends by its deadline.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use common::{DEADLINE, Rng};
use pipechat::protocol::escape::must_escape;
use serde_json::Value;

use crate::{DONE, LOST, REFUSED, TIMED_OUT, process::Cli};

/// The answers to the `help` and the `sync` that a client begins with.
pub(crate) const READY: &str = "{\"event\":\"help\",\"text\":\"history|\"}\n{\"event\":\"sync\",\"text\":\"ready\"}\n";
/// The timeout that is given to the subcommands, in seconds.
const TIMEOUT: &str = "0.3";
/// What a loaded machine may need beyond that.
const SLACK: Duration = Duration::from_secs(10);
/// The limits of the client, see `src/client`.
const EARLY_COUNT_MAX: usize = 10_000;
const LINE_BYTES_MAX: usize = 8 << 20;
const SENTENCE_CHARS_MAX: usize = 1000;

/// A server on loopback that runs `script` for each connection once the client has sent its first lines, and then
/// closes it.
pub(crate) fn serve(script: impl Fn(&mut TcpStream) -> io::Result<()> + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, script) = (stream.expect("a connection"), script.clone());
            thread::spawn(move || {
                stream.set_read_timeout(Some(DEADLINE)).expect("not zero");
                stream.set_write_timeout(Some(DEADLINE)).expect("not zero");
                let mut lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
                while lines.next().is_some_and(|line| line.is_ok_and(|line| line != "sync|ready")) {}
                script(&mut stream).ok(); // fails when the client has ended
            });
        }
    });
    port
}

/// A server that sends this to each client, and closes when the client does.
pub(crate) fn serve_text(text: impl Into<Vec<u8>>) -> u16 {
    let text = text.into();
    serve(move |stream| {
        stream.write_all(&text)?;
        read_to_end(stream)
    })
}

/// A server that sends this, and then its end.
pub(crate) fn serve_text_and_close(text: impl Into<Vec<u8>>) -> u16 {
    let text = text.into();
    serve(move |stream| {
        stream.write_all(&text)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        read_to_end(stream)
    })
}

/// A server that sends this, and its end when the client quits, which `chat` does when its stdin ends.
fn serve_text_until_quit(text: impl Into<Vec<u8>>) -> u16 {
    let text = text.into();
    serve(move |stream| {
        stream.write_all(&text)?;
        let mut lines = BufReader::new(stream).lines();
        while lines.next().transpose()?.is_some_and(|line| line != "quit") {}
        Ok(())
    })
}

/// A server that sends this again and again, until the client has ended.
fn serve_without_end(first: &'static str, text: &str, times: usize) -> u16 {
    let text = text.repeat(times);
    serve(move |stream| {
        stream.write_all(first.as_bytes())?;
        loop {
            stream.write_all(text.as_bytes())?;
        }
    })
}

pub(crate) fn read_to_end(stream: &mut TcpStream) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(|_| ())
}

/// Starts a subcommand: `send -` with a line on stdin, any other with an empty one.
#[track_caller]
fn start_at(port: u16, flags: &[&str]) -> Cli {
    let mut cli = Cli::spawn_at(port, flags);
    if flags.last() == Some(&"-") {
        cli.type_in("hi\n");
    }
    cli.close_stdin();
    cli
}

#[track_caller]
pub(crate) fn run_at(port: u16, flags: &[&str]) -> (i32, Vec<String>, String) {
    start_at(port, flags).exit()
}

pub(crate) fn message(name: &str, text: &str) -> String {
    format!("{{\"event\":\"message\",\"from\":{{\"name\":\"{name}\",\"addr\":\"a\"}},\"text\":\"{text}\"}}\n")
}

/// Runs each of these and expects it to time out, in time.
#[track_caller]
fn all_time_out(port: u16, subcommands: &[&[&str]]) {
    let start = Instant::now();
    let mut clis: Vec<_> = subcommands
        .iter()
        .map(|flags| start_at(port, &[&flags[..1], &["--timeout", TIMEOUT], &flags[1..]].concat()))
        .collect();
    for (cli, flags) in clis.iter_mut().zip(subcommands) {
        let (code, _, stderr) = cli.exit();
        assert_eq!(code, TIMED_OUT, "{flags:?} {stderr:.300}");
        assert!(stderr.lines().any(|line| line.starts_with("pipechat: timed out")), "{stderr:.300}");
    }
    assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
}

const ALL: &[&[&str]] = &[
    &["listen"],
    &["listen", "--json"],
    &["listen", "--room", "builds"],
    &["send", "hi"],
    &["send", "-"],
    &["send", "--room", "builds", "hi"],
    &["listen", "--since", "7.abcde"],
    &["listen", "--since", "7.abcde", "--room", "builds", "--room", "deploys"],
    &["history", "builds", "--since", "7.abcde"],
    &["wait", "user", "ann"],
    &["wait", "in", "builds", "hi"],
    &["who"],
];

fn assert_shown(what: &str, text: &str) {
    let raw = text.chars().find(|&c| c != '\n' && must_escape(c));
    assert!(raw.is_none(), "{raw:?} is raw in {what}: {text:?}");
}

/// Names, addresses and texts that a terminal would obey.
pub(crate) fn hostile_events() -> String {
    let from = |name: &str, addr: &str| format!(r#""from":{{"name":"{name}","addr":"{addr}"}}"#);
    [
        format!(r#"{{"event":"message",{},"text":"hi\u001b[31m"}}"#, from(r"\u001b]0;owned\u0007", r"\u001b[31m")),
        format!(r#"{{"event":"online",{}}}"#, from(r"a\nb", r"\u2028")),
        format!(
            "{{\"x\":\"\u{9b}2J\",\r{},\"event\":\"message\",\"text\":\"\u{9b}31m \u{202e}\u{2068}\"}}",
            from("\u{7f}", "é")
        ),
        format!("{{\"event\":\"private\",{},\"text\":\"\u{85}\"}}", from("\u{2066}n", "a")),
    ]
    .join("\n")
        + "\n"
}

#[test]
fn listen_prints_nothing_raw() {
    let port = serve_text_and_close(format!("{READY}{}\x1b]0;raw\x07\n[1]\n\"event\"\n", hostile_events()));
    let (code, lines, stderr) = run_at(port, &["listen"]);
    let expected = [
        r"[\u{1b}[31m]\u{1b}]0;owned\u{7}:hi\u{1b}[31m",
        r"[\u{2028}]a\u{a}b:is online",
        r"[é]\u{7f}:\u{9b}31m \u{202e}\u{2068}",
        r"from:[\u{2066}n] says:\u{85}",
    ];
    assert_eq!((code, &*lines, &*stderr), (LOST, &expected.map(str::to_owned)[..], "pipechat: connection lost\n"));
}

#[test]
fn listen_json_prints_valid_json_and_nothing_raw() {
    let events = hostile_events();
    let port = serve_text_and_close(format!("{READY}{events}\x1b]0;raw\x07\n[1]\n\"event\"\n"));
    let (code, lines, _) = run_at(port, &["listen", "--json"]);
    assert_eq!((code, lines.len()), (LOST, 4), "objects only: {lines:?}");
    for (line, event) in lines.iter().zip(events.lines()) {
        assert_shown("stdout", line);
        let [printed, sent]: [Value; 2] = [line, event].map(|json| serde_json::from_str(json).expect("JSON"));
        assert_eq!(printed, sent);
    }
    assert!(lines[2].starts_with(r#"{"x":"\u009b2J", "from":{"name":"\u007f","addr":"é"},"event":"#), "{lines:?}");
}

#[test]
fn chat_prints_nothing_raw() {
    let answers = "{\"event\":\"help\",\"text\":\"one\\ntwo\\u001b]52;c;cHduZWQ=\\u0007\"}\n\
                   {\"event\":\"set\",\"text\":\"a\\nb\u{9b}\"}\n\
                   {\"event\":\"refused\",\"code\":\"\u{9b}\",\"text\":\"a\\nb\u{9b}\"}\n\
                   \x1b]0;raw\x07 \u{202e}\r\u{85}\n\
                   {\"event\":\"farewell\",\"code\":\"quit\",\"text\":\"\\u001bc\"}\n";
    let port = serve_text_until_quit(format!("{READY}{}{answers}", hostile_events()));
    let (code, lines, stderr) = run_at(port, &["chat"]);
    assert_eq!((code, &*stderr), (DONE, ""));
    assert_shown("stdout", &lines.join("\n"));
    let expected = [
        "one",
        r"two\u{1b}]52;c;cHduZWQ=\u{7}",
        r"a\u{a}b\u{9b}",
        r"a\u{a}b\u{9b}",
        r"\u{1b}]0;raw\u{7} \u{202e}\u{d}\u{85}",
        r"\u{1b}c",
    ];
    assert_eq!(&lines[4..], expected);
}

#[test]
fn nothing_raw_is_printed_on_stderr() {
    let refused = "{\"event\":\"refused\",\"code\":\"x\",\"text\":\"no\\u001b[2J\\n\u{9b}\u{202e}\"}\n";
    let farewell = "{\"event\":\"farewell\",\"code\":\"x\",\"text\":\"no\\u001b[2J\\n\u{9b}\u{202e}\"}\n";
    let shown = "pipechat: no\\u{1b}[2J\\u{a}\\u{9b}\\u{202e}\n";
    for (text, code, stderr) in [
        (refused.to_owned(), REFUSED, shown),
        (farewell.to_owned(), LOST, shown),
        (format!("{READY}{farewell}"), LOST, shown),
        ("no\x1b[2J\u{9b}\u{202e}\r\n".to_owned(), LOST, "pipechat: no\\u{1b}[2J\\u{9b}\\u{202e}\n"),
    ] {
        let port = serve_text_and_close(text.clone());
        for flags in [&["listen"][..], &["chat"], &["send", "hi"], &["wait", "user", "ann"]] {
            assert_eq!(run_at(port, flags), (code, vec![], stderr.to_owned()), "{flags:?} {text:?}");
        }
    }
    let port = serve_text_and_close(format!("{}\n", "\u{1f600}".repeat(SENTENCE_CHARS_MAX + 1)));
    let (code, _, stderr) = run_at(port, &["listen"]);
    let cut = format!("pipechat: {}…\n", "\u{1f600}".repeat(SENTENCE_CHARS_MAX));
    assert!(code == LOST && stderr == cut, "{stderr:.100}");
}

#[test]
fn early_news_are_dropped_beyond_a_limit() {
    for (early, kept, dropped) in [
        (message("n", "x").repeat(EARLY_COUNT_MAX + 5), EARLY_COUNT_MAX, 5),
        (message("n", &"x".repeat(3 << 20)).repeat(3), 1, 2),
        (message("n", "x").repeat(100), 100, 0),
    ] {
        let text = format!("{early}{READY}{}", message("n", "end"));
        let port = serve_text_until_quit(&*text);
        let note = format!("pipechat: too much came while connecting: {dropped} messages are not shown\n");
        for flags in [&["listen", "--count", &(kept + 1).to_string()][..], &["chat"]] {
            let (code, lines, stderr) = run_at(port, flags);
            assert_eq!((code, lines.len()), (DONE, kept + 1), "{stderr:.300}");
            assert_eq!(lines.last().expect("some"), "[a]n:end");
            assert_eq!(stderr, if dropped > 0 { &note } else { "" });
        }
        let (_, _, stderr) = run_at(serve_text_and_close(text), &["send", "hi"]);
        assert_eq!(stderr, "pipechat: connection lost\n", "what is not shown anyway is not missed");
    }
}

#[test]
fn a_server_that_sends_without_end_does_not_postpone_the_timeout() {
    all_time_out(serve_without_end("", &message("n", "x"), 400), ALL);
    all_time_out(serve_without_end(READY, &message("n", "x"), 400), ALL);
    let refused = "{\"event\":\"refused\",\"code\":\"stay-forbidden\",\"text\":\"no\"}\n";
    all_time_out(serve_without_end("", refused, 400), ALL);
    all_time_out(serve_without_end(READY, refused, 400), &[&["send", "hi"], &["send", "-"]]);
    all_time_out(serve_without_end(READY, "\n", 4000), ALL);
    all_time_out(serve_without_end(READY, "{\"event\":\"set\",\"text\":\"x\"}\n", 400), ALL);
    all_time_out(serve_without_end(READY, READY, 400), ALL);
    let joined = "{\"event\":\"ok\",\"verb\":\"join\",\"room\":\"builds\",\"count\":1}\n";
    all_time_out(serve_without_end("", joined, 400), ALL);
    all_time_out(serve_without_end(READY, joined, 400), ALL);
}

#[test]
fn a_server_that_answers_what_was_not_asked_does_not_keep_send() {
    let port = serve_without_end(READY, "{\"event\":\"sync\",\"text\":\"1\"}\n", 400);
    let start = Instant::now();
    for flags in [&["send", "hi"][..], &["send", "-"]] {
        let (code, _, stderr) = run_at(port, flags);
        assert_eq!((code, &*stderr), (DONE, ""), "{flags:?}");
    }
    assert!(start.elapsed() < SLACK, "{:?}", start.elapsed());
}

#[test]
fn a_silent_server_does_not_postpone_the_timeout() {
    all_time_out(serve(read_to_end), ALL);
    all_time_out(serve_text(READY), ALL);
}

#[test]
fn a_server_that_sends_byte_by_byte_does_not_postpone_the_timeout() {
    for first in ["", READY] {
        let port = serve(move |stream| {
            stream.write_all(first.as_bytes())?;
            stream.set_read_timeout(Some(Duration::from_millis(20)))?;
            let mut bytes = [0; 1024];
            loop {
                match stream.read(&mut bytes) {
                    Ok(0) => return Ok(()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.write_all(b"{")?,
                    Err(error) => return Err(error),
                }
            }
        });
        all_time_out(port, ALL);
    }
}

#[test]
fn a_line_without_end_ends_the_subcommand() {
    let expected = format!("pipechat: the server sent a line of more than {LINE_BYTES_MAX} bytes\n");
    for first in ["", READY] {
        let port = serve_without_end(first, "{xxxxxxxxxxxxxxx", 4096);
        for flags in ALL.iter().chain([&["chat"][..]].iter()) {
            assert_eq!(run_at(port, flags), (LOST, vec![], expected.clone()), "{flags:?}");
        }
    }
}

#[test]
fn what_is_no_event_is_skipped() {
    let text = [
        "[".repeat(LINE_BYTES_MAX / 2),
        "{\"a\":".repeat(100_000),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        format!("{{\"event\":\"message\",\"text\":[{}0]}}", "0,".repeat(LINE_BYTES_MAX / 4)),
        format!("{{\"event\":\"users_end\",\"count\":{}}}", "9".repeat(1_000_000)),
        r#"{"event":"users_end","count":-1e999999999}"#.to_owned(),
        r#"{"event":"message","from":{"name":7,"addr":null},"text":{}}"#.to_owned(),
        r#"{"event":"message","from":[],"text":"\ud800"}"#.to_owned(),
        r#"{"event":["message"]}"#.to_owned(),
        "{}".to_owned(),
        "{\"event\":\"message\0".to_owned(),
    ]
    .join("\n");
    for first in [format!("{text}\n{READY}"), format!("{READY}{text}\n")] {
        let text = format!("{first}{}", message("n", "end"));
        let port = serve_text_and_close(&*text);
        for flags in [&["listen", "--count", "1"][..], &["listen", "--count", "1", "--json"]] {
            let (code, lines, stderr) = run_at(port, flags);
            assert_eq!((code, lines.len(), &*stderr), (DONE, 1, ""), "{lines:.300?}");
            assert!(lines[0].contains("end"));
        }
        for flags in [&["send", "hi"][..], &["wait", "user", "ann"]] {
            assert_eq!(run_at(port, flags), (LOST, vec![], "pipechat: connection lost\n".to_owned()), "{flags:?}");
        }
        let (code, lines, stderr) = run_at(serve_text_until_quit(text), &["chat"]);
        assert_eq!((code, lines.last().map(String::as_str), &*stderr), (DONE, Some("[a]n:end"), ""));
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let mut rng = Rng(1);
    let garbage: Vec<u8> = (0..1 << 17).flat_map(|_| rng.number().to_le_bytes()).collect();
    let begun = [READY.as_bytes(), &garbage].concat();
    let chat: &[&str] = &["chat"];
    let closing = [garbage, begun.clone()].map(serve_text_and_close);
    let runs = closing.into_iter().flat_map(|port| ALL.iter().map(move |flags| (port, *flags, LOST)));
    for (port, flags, expected) in runs.chain([(closing[0], chat, LOST), (serve_text_until_quit(begun), chat, DONE)]) {
        let (code, lines, stderr) = run_at(port, flags);
        assert_eq!(code, expected, "{flags:?} {stderr:.300}");
        assert_shown("stderr", &stderr);
        assert_shown("stdout", &lines.join("\n"));
        assert!(stderr.lines().count() <= 1 && stderr.len() < 10 * SENTENCE_CHARS_MAX, "{flags:?}");
        assert!(lines.is_empty() || flags == chat, "{flags:?}");
    }
}

#[test]
fn with_reconnect_a_server_that_hangs_up_is_tried_again() {
    let (connections, count) =
        (Arc::new(AtomicUsize::new(0)), |count: &AtomicUsize| count.fetch_add(1, Ordering::SeqCst));
    let port = serve({
        let connections = Arc::clone(&connections);
        move |stream| match count(&connections) {
            0 => Ok(()), // as a proxy does whose server is not there yet
            _ => stream
                .write_all(format!("{READY}{}", message("n", "end")).as_bytes())
                .and_then(|()| read_to_end(stream)),
        }
    });
    let (code, lines, stderr) = run_at(port, &["listen", "--reconnect", "--count", "1"]);
    assert_eq!((code, &*lines), (DONE, &["[a]n:end".to_owned()][..]), "{stderr}");
    let lost = "connection lost, and nothing was heard: the server may want --tls";
    assert_eq!(stderr, format!("pipechat: {lost}; reconnecting\npipechat: connected again\n"));
}

#[test]
fn with_reconnect_a_server_that_always_hangs_up_is_not_called_without_a_pause() {
    let connections = Arc::new(AtomicUsize::new(0));
    let port = serve({
        let connections = Arc::clone(&connections);
        move |stream| {
            connections.fetch_add(1, Ordering::SeqCst);
            stream.write_all(READY.as_bytes())
        }
    });
    let (code, lines, stderr) = run_at(port, &["listen", "--reconnect", "--timeout", "1"]);
    assert_eq!((code, lines), (TIMED_OUT, vec![]), "{stderr}");
    let connections = connections.load(Ordering::SeqCst);
    assert!((2..=11).contains(&connections), "{connections}");
}

#[test]
fn a_server_that_does_not_wait_is_not_asked_all_the_time() {
    let connections = Arc::new(AtomicUsize::new(0));
    let port = serve(move |stream| {
        let answer = match connections.fetch_add(1, Ordering::SeqCst) {
            0 => r#"{"event":"wait","code":"timeout"}"#,
            _ => r#"{"event":"wait","code":"ok","text":"bob"}"#,
        };
        stream.write_all(format!("{READY}{answer}\n").as_bytes())
    });
    let start = Instant::now();
    assert_eq!(run_at(port, &["wait", "--timeout", "0", "user", "bob"]).0, DONE);
    assert!(start.elapsed() > Duration::from_millis(900), "asked again after {:?}", start.elapsed());
}
