//! The real curl.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Command, Stdio},
};

use common::{TimeLimit, note, output};

use crate::{Web, events::short_all};

/// Whether curl is installed; if not, it is said that what needs it is skipped.
pub(crate) fn is_there() -> bool {
    let is_there = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !is_there {
        note("SKIPPED: what needs curl, which is not installed");
    }
    is_there
}

/// Runs curl with these words. Answers its exit code and what it prints.
#[track_caller]
fn curl(words: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new("curl")
        .args(["-sS", "--max-time", "20"])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let _limit = TimeLimit::of(&child);
    child.stdin.take().expect("piped").write_all(input.as_bytes()).ok(); // it may have ended before
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("UTF-8");
    (child.wait().expect("ours").code().expect("an exit code"), out)
}

#[test]
fn a_line_is_said_and_a_file_too() {
    if !is_there() {
        return;
    }
    let web = Web::start(&[]);
    let mut ann = web.server.join("ann");
    let url = web.url("/rooms/lobby");
    let (code, out) = curl(&["-d", "build green", &url], "");
    assert_eq!((code, short_all(&out)), (0, vec!["ok in #lobby".to_owned()]));
    assert!(ann.line().ends_with(":build green"));
    assert_eq!(curl(&["--data-binary", "@-", &url], "one\ntwo\n").0, 0);
    assert!(ann.line().ends_with(":one") && ann.line().ends_with(":two"));
    assert_eq!(curl(&["-d", "@-", &url], "one\ntwo\n").0, 0);
    assert!(ann.line().ends_with(":onetwo"), "as the README warns");
    assert_eq!(curl(&["-F", "file=@-", &url], "one").1.lines().count(), 1);
    assert_eq!(curl(&["-f", "-F", "file=@-", &url], "one").0, 22);
    ann.nothing();
    assert_eq!(curl(&["-f", "-d", "hi", &web.url("/users/nobody")], "").0, 22);
    assert_eq!(curl(&["-f", "-0", "-d", "by 1.0", &url], "").0, 0);
    assert!(ann.line().ends_with(":by 1.0"));
    assert_eq!(curl(&["-f", "-T", "-", &url], "streamed\nand more").0, 0);
    assert!(ann.line().ends_with(":streamed") && ann.line().ends_with(":and more"));
    let (code, out) = curl(&["-g", "-d", "hi", &web.url("/rooms/构建")], "");
    assert_eq!((code, short_all(&out)), (0, vec!["ok in #构建".to_owned()]), "raw UTF-8");
    let long = "x".repeat(2000);
    assert_eq!(curl(&["-f", "-H", "Expect: 100-continue", "-d", &long, &url], "").0, 0);
    assert!(ann.line().ends_with(&long));
}

#[test]
fn a_stream_is_said_line_by_line_and_a_refusal_makes_curl_fail() {
    if !is_there() {
        return;
    }
    // With `-`, curl looks at answers when it has read a line; with `.`, whenever they come.
    for (input, sees_answers) in [("-", false), (".", true)] {
        stream(input, sees_answers);
    }
}

fn stream(input: &str, sees_answers: bool) {
    let web = Web::start(&["--max-line", "100"]);
    let mut ann = web.server.join("ann");
    let mut child = Command::new("curl")
        .args(["-sSN", "-T", input, &web.url("/rooms/lobby?name=ci")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let _limit = TimeLimit::of(&child);
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    for n in 0..5 {
        writeln!(stdin, "line {n}").expect("it reads");
        // Only then is the next one written.
        let line = ann.line();
        assert!(line.ends_with(&format!("]ci:line {n}")), "{line}");
        if sees_answers {
            assert_eq!(short_all(&stdout.next().expect("an answer")), ["ok in #lobby"]);
        }
    }
    writeln!(stdin, "{}", "x".repeat(200)).expect("it reads");
    if sees_answers {
        assert_eq!(short_all(&stdout.next().expect("an answer")), ["refused line-too-long"]);
    }
    drop(stdin);
    let left: Vec<_> = stdout.map(|line| short_all(&line).remove(0)).collect();
    let ok = ["ok in #lobby"; 5];
    assert_eq!(left, if sees_answers { vec![] } else { [&ok[..], &["refused line-too-long"]].concat() });
    let code = child.wait().expect("ours").code();
    assert_eq!(code, Some(18), "a part of the answer is missing");
}

#[test]
fn a_wait_has_an_exit_code_and_a_follower_sees_lines_at_once() {
    if !is_there() {
        return;
    }
    let web = Web::start(&[]);
    assert_eq!(curl(&["-f", &web.url("/wait?user=joe&timeout=0.1")], "").0, 22);
    let _joe = web.server.join("joe");
    assert_eq!(curl(&["-f", &web.url("/wait?user=joe&timeout=10")], "").0, 0);
    let mut child = Command::new("curl")
        .args(["-sN", &web.url("/rooms/x?follow&event=message")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let _limit = TimeLimit::of(&child);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    while short_all(&lines.next().expect("a line")) != ["ok join #x 1"] {}
    for n in 0..3 {
        web.post("/rooms/x", &n.to_string());
        assert_eq!(short_all(&lines.next().expect("a line")), [format!("message #x 127.0.0.1: {n}")]);
    }
    child.kill().expect("ours");
    child.wait().expect("ours");
    let out = output(Command::new("curl").args(["-sI", &web.url("/rooms/x")])).expect("it runs");
    assert!(out.stdout.starts_with(b"HTTP/1.1 200 OK\r\n"));
}
