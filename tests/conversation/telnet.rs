//! Telnet: a real one where it is installed, and the bytes that one sends.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

use common::{Client, EN, Server, TimeLimit, note};

/// What telnet of GNU inetutils 2.4 sends as soon as it is connected by `telnet -- HOST -PORT`: all its options.
const OPENING: &[u8] = b"\xff\xfd\x26\xff\xfb\x26\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\
                         \xff\xfb\x21\xff\xfb\x22\xff\xfb\x27\xff\xfd\x05";
/// What it sends when it is told `mode character`: DO ECHO. From then on it sends each key, DEL as it is, Enter as CR NUL.
const MODE_CHARACTER: &[u8] = b"\xff\xfd\x01";

/// Sends each key on its own.
fn type_keys(client: &mut Client, keys: &str) {
    for key in keys.as_bytes() {
        client.send(&[*key]);
    }
}

#[test]
fn keys_edit_the_line_and_lines_end_in_cr_lf() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    let mut ann = server.dial();
    ann.send(OPENING);
    ann.send(MODE_CHARACTER);
    type_keys(&mut ann, "rename|anm\x7fn\r\0");
    ann.expect(&(ann.online() + "\r"));
    ann.expect(&format!("{}\r", EN.renamed(&ann.addr, "ann")));
    bob.expect(&ann.online());
    ann.name = "ann".to_owned();
    bob.expect(&ann.known_as());
    type_keys(&mut ann, "\x7f\x08张三\x7f四\x08五e\u{301}\x7f!\r\0hi\rho\r\n");
    for text in ["张五!", "hi", "ho"] {
        ann.expect(&(ann.says(text) + "\r"));
        bob.expect(&ann.says(text));
    }
    bob.say("a\x08\x7f\rb"); // for nc these are content
    bob.expect(&bob.says("a\\u{8}\\u{7f}\\u{d}b"));
    ann.expect(&(bob.says("a\\u{8}\\u{7f}\\u{d}b") + "\r"));
    bob.nothing();
}

#[test]
fn settings_keep_the_line_ending_and_others_have_their_own() {
    let server = Server::start(&[]);
    let [mut bob, mut carol] = server.join_all(["bob", "carol"]);
    let mut ann = server.connect();
    carol.say("format|json");
    carol.fence_anywhere();
    ann.send(MODE_CHARACTER);
    ann.send(b"format|json\rlang|zh\r");
    assert!((0..2).all(|_| ann.line().ends_with("}\r")));
    bob.fence();
    bob.say("hi");
    bob.expect(&bob.says("hi"));
    let (to_carol, to_ann) = (carol.line(), ann.line());
    assert!(to_carol.ends_with('}') && to_ann.ends_with("}\r"), "{to_carol:?} {to_ann:?}");
    assert_eq!(to_ann.trim_end(), to_carol, "but for its ending the same line");
    ann.send(b"format|text\rhelp\rquit\r");
    let rest = ann.rest();
    assert!(rest.len() > 10 && rest.iter().all(|line| line.ends_with('\r')), "{rest:?}");
}

#[test]
fn a_negotiation_alone_announces_nobody() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    let mut scanner = server.dial();
    scanner.send(OPENING);
    scanner.half_close();
    scanner.eof();
    bob.nothing();
}

#[test]
fn a_real_telnet_takes_part() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    let is_known = |version: Output| version.stdout.starts_with(b"telnet (GNU inetutils)");
    if !Command::new("telnet").arg("--version").output().is_ok_and(is_known) {
        return note("skipped: telnet of GNU inetutils is not installed");
    }
    let mut telnet = Command::new("telnet");
    telnet.args(["--", "127.0.0.1", &format!("-{}", server.addr.port())]); // with the sign it negotiates at once
    telnet.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut telnet = telnet.spawn().expect("it is installed");
    let _limit = TimeLimit::of(&telnet);
    let mut keys = telnet.stdin.take().expect("piped");
    let mut screen = BufReader::new(telnet.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    keys.write_all("heo\x7fllo 张三\x08\n".as_bytes()).expect("it reads");
    let online = bob.line();
    let says = online.strip_suffix("is online").expect("it is announced").to_owned();
    bob.expect(&format!("{says}hello 张"));
    bob.say("hi");
    let shown = screen.find(|line| line.trim_end() == bob.says("hi"));
    assert!(shown.is_some(), "telnet shows what others say");
    keys.write_all(b"quit\n").expect("it reads");
    bob.expect(&bob.says("hi"));
    bob.expect(&format!("{says}is offline"));
    assert!(screen.any(|line| line.trim_end() == EN.goodbye), "and why it is disconnected");
    telnet.wait().expect("it ends with the connection");
}
