//! The program around the chat: flags, stdout, exit codes, signals, the log, and the server as a library.

use std::{
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Server, binary, note, program, run};
use futures::channel::oneshot;
use rustix::process::Signal;

use crate::in_both;

#[test]
fn stdout_has_one_line_once_the_server_listens() {
    let server = Server::start(&[]);
    let addr = server.addr;
    // The line is printed when connections are accepted, not before.
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.expect(&ann.says("hi"));
    server.signal(Signal::TERM);
    let (status, stdout, _) = server.exit(DEADLINE);
    assert_eq!((status.code(), stdout), (Some(0), vec![format!("pipechat listening on {addr}")]));
}

#[test]
fn the_server_can_listen_on_an_ipv6_address() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        note(&format!("SKIPPED: an IPv6 address, because this machine has none: {error}"));
        return;
    }
    let server = Server::start(&["--host", "::1"]);
    assert!(server.addr.is_ipv6());
    let bracketed = server.start_another(&["--host", "[::1]"]);
    assert!(bracketed.addr.is_ipv6());
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.expect(&format!("[{}]ann:hi", ann.addr));
    assert!(ann.addr.starts_with("[::1]:"), "{}", ann.addr);
}

#[test]
fn the_server_can_listen_on_a_host_by_its_name() {
    let server = Server::start_with(binary(), &["--host", "localhost:0", "--lang", "en"]);
    assert!(server.addr.ip().is_loopback() && server.addr.port() != 0, "{}", server.addr);
    server.join("ann").fence();
}

#[test]
fn ipv4_peers_of_a_listener_on_every_address_are_shown_as_ipv4() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        note(&format!("SKIPPED: a listener on ::, because this machine has no IPv6: {error}"));
        return;
    }
    let server = Server::start(&["--host", "::", "--max-clients-per-ip", "1", "--trusted", ""]);
    let mut ann = Client::dial_at(([127, 0, 0, 1], server.addr.port()).into(), &EN);
    ann.expect(&format!("[{0}]{0}:is online", ann.addr));
    assert!(ann.addr.starts_with("127.0.0.1:"), "{}", ann.addr);
    let mut refused = Client::dial_at(([127, 0, 0, 1], server.addr.port()).into(), &EN);
    refused.expect(EN.full_for_address);
    ann.say("who");
    ann.expect(&format!("[{}] is online", ann.addr));
    drop(ann);
    let log = server.expect_log(1, "departed");
    assert!(log.iter().all(|line| line.contains(" 127.0.0.1:")), "{log:?}");
    assert!(!server.log().iter().any(|line| line.contains("ffff")), "{:?}", server.log());
}

#[test]
fn version_and_help() {
    let version = format!("pipechat {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]), (0, version, String::new()));
    let (code, help, stderr) = run(&["--help"]);
    assert_eq!((code, &*stderr), (0, ""));
    for flag in ["--host", "--port", "--idle-timeout", "--lang", "--max-queue", "--drain-timeout", "--version"] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
}

#[test]
fn a_bad_flag_fails_with_one_sentence() {
    let bad: [&[&str]; 17] = [
        &["--nonsense"],
        &["stray"],
        &["--port"],
        &["--port", "65536"],
        &["--port", "-1"],
        &["--port", "http"],
        &["--host", "nowhere"],
        &["--lang", "fr"],
        &["--idle-timeout", "-1"],
        &["--idle-timeout", "soon"],
        &["--idle-timeout", "NaN"],
        &["--max-line", "0"],
        &["--burst", "0"],
        &["--max-line", "2M"],
        &["--max-queue", "1T"],
        &["--trusted", "localhost"],
        &["--drain-timeout", "inf"],
    ];
    for flags in bad {
        let (code, stdout, stderr) = run(flags);
        assert_eq!((code, &*stdout), (2, ""), "{flags:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{flags:?}: {stderr}");
        assert!(stderr.starts_with("pipechat: ") && stderr.len() > 20 && stderr.ends_with('\n'), "{flags:?}: {stderr}");
        let bad_word = flags[0].trim_start_matches('-');
        assert!(stderr.contains(bad_word) || stderr.contains(flags[flags.len() - 1]), "{flags:?}: {stderr}");
    }
}

#[test]
fn a_port_in_use_fails_with_one_sentence() {
    let server = Server::start(&[]);
    let (code, stdout, stderr) = run(&["--port", &server.addr.port().to_string()]);
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("pipechat: ") && stderr.contains(&server.addr.to_string()), "{stderr}");
    // The server that has the port is not affected.
    server.connect().nothing();
}

#[test]
fn a_restarted_server_gets_the_same_port_at_once() {
    let server = Server::start(&[]);
    let addr = server.addr;
    let mut ann = server.connect();
    server.signal(Signal::TERM);
    let told = ann.line();
    assert_eq!(told, EN.shutting_down);
    ann.eof(); // the server closes first, so its end of the connection stays in TIME_WAIT
    drop(ann);
    assert!(server.exit(DEADLINE).0.success());
    let again = Server::start_with(binary(), &["--lang", "en", "--port", &addr.port().to_string()]);
    assert_eq!(again.addr, addr);
    again.connect().nothing();
}

#[test]
fn a_signal_shuts_the_server_down_gracefully() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        in_both(&[], |server, texts| {
            let addr = server.addr;
            let mut ann = server.connect();
            let mut bob = server.connect();
            ann.fence();
            ann.say("before");
            ann.expect(&ann.says("before"));
            server.signal(signal);
            ann.expect(texts.shutting_down);
            ann.eof();
            bob.expect(&ann.says("before"));
            bob.expect_among(texts.shutting_down);
            bob.eof();
            assert!(TcpStream::connect(addr).is_err(), "no new connections");
            drop((ann, bob));
            let start = Instant::now();
            let (status, _, log) = server.exit(DEADLINE);
            assert_eq!(status.code(), Some(0), "{log:#?}");
            assert!(start.elapsed() < Duration::from_secs(1), "{:?} after the last client", start.elapsed());
        });
    }
}

/// A server whose parent does something to its signals: as `env` from GNU coreutils takes it.
fn start_by_env(flags: &[&str]) -> Option<Server> {
    if !Command::new("env").args(flags).arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    {
        note(&format!("SKIPPED: a server under env {flags:?}, which this env does not know"));
        return None;
    }
    let mut command = Command::new("env");
    command.args(flags).arg(program()).env_remove("RUST_LOG");
    Some(Server::start_with(command, &["--port", "0", "--lang", "en"]))
}

#[test]
fn signals_that_the_parent_blocks_end_the_server() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let Some(server) = start_by_env(&["--block-signal"]) else { return };
        server.signal(signal);
        assert_eq!(server.exit(DEADLINE).0.code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_hangup_that_is_ignored_at_the_start_stays_ignored() {
    let Some(server) = start_by_env(&["--ignore-signal=HUP"]) else { return };
    let mut ann = server.join("ann");
    server.signal(Signal::HUP);
    ann.fence();
    server.signal(Signal::TERM);
    // If the first had counted, this one would have ended the server at once.
    ann.expect(EN.shutting_down);
    ann.eof();
    drop(ann);
    assert_eq!(server.exit(DEADLINE).0.code(), Some(0));
}

#[test]
fn more_hangups_are_no_impatience() {
    let server = Server::start(&["--drain-timeout", "1h"]);
    let mut ann = server.join("ann");
    server.signal(Signal::HUP);
    ann.expect(EN.shutting_down); // she does not close yet, so that the server waits for her
    server.signal(Signal::HUP);
    drop(ann);
    assert_eq!(server.exit(DEADLINE).0.code(), Some(0));
}

#[test]
fn an_abuser_can_be_found_in_the_log_from_a_line_of_chat() {
    let mut command = binary();
    command.env("TZ", "NPT-5:45"); // as POSIX has it: 5:45 ahead of UTC
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    let mut ann = server.join("ann");
    let addr = ann.addr.clone();
    ann.rename("李四");
    ann.half_close();
    ann.rest();
    let log = server.expect_log(4, &format!(" {addr} "));
    let told: Vec<_> = log.iter().map(|line| line.split_once("] #1 ").expect("a client").1).collect();
    let expected =
        ["arrived", "is now ann", "ann is now 李四", "李四 departed: left"].map(|what| format!("{addr} {what}"));
    assert_eq!(told, expected);
    assert!(log.iter().all(|line| line.split(' ').next().is_some_and(|time| time.ends_with("+05:45"))), "{log:#?}");
}

#[test]
fn the_log_has_each_arrival_and_each_departure_with_its_reason() {
    let server = Server::start(&["--idle-timeout", "0.5"]);
    let [ann, mut bob] = server.join_all(["ann", "bob"]);
    let (ann_addr, bob_addr) = (ann.addr.clone(), bob.addr.clone());
    drop(ann);
    bob.expect_among(EN.idle);
    bob.eof();
    server.expect_log(2, "departed");
    server.signal(Signal::TERM);
    let (_, _, log) = server.exit(DEADLINE);
    for (addr, reason) in [(ann_addr, "left"), (bob_addr, "idle")] {
        let lines: Vec<_> = log.iter().filter(|line| line.contains(&format!(" {addr} "))).collect();
        assert_eq!(lines.len(), 3, "{log:#?}"); // one is the rename
        assert!(lines[0].contains("arrived"), "{log:#?}");
        assert!(lines[2].contains("departed") && lines[2].ends_with(reason), "{log:#?}");
    }
}

#[test]
fn rust_log_sets_the_log_level() {
    let mut command = binary();
    command.env("RUST_LOG", "off");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    server.join("ann").fence();
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!((status.code(), log), (Some(0), vec![]));
}

#[test]
fn a_rust_program_can_run_the_server_in_process() {
    let config = pipechat::Config {
        addr: Some("127.0.0.1:0".parse().expect("an address")),
        lang: pipechat::protocol::Lang::En,
        ..pipechat::Config::default()
    };
    let server = pipechat::Server::bind(config).expect("a free port");
    let addr = server.local_addr().expect("it listens on TCP");
    assert_ne!(addr.port(), 0);
    let (stop, stopped) = oneshot::channel::<()>();
    let (ended, input_closed) = channel();
    let serving = thread::spawn(move || {
        let stop = async {
            stopped.await.ok();
        };
        server.run(stop).expect("there is no store");
        ended.send(()).ok();
    });
    let mut ann = Client::dial_at(addr, &EN);
    ann.expect(&ann.online());
    ann.rename("ann");
    let mut bob = Client::dial_at(addr, &EN);
    ann.expect(&bob.online());
    bob.expect(&bob.online());
    ann.say("hi");
    bob.expect(&ann.says("hi"));
    stop.send(()).expect("the server waits for it");
    bob.expect_among(EN.shutting_down);
    bob.eof();
    drop((ann, bob));
    input_closed.recv_timeout(DEADLINE).expect("run returns");
    serving.join().expect("run does not panic");
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}
