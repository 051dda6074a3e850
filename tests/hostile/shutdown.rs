//! Shutdown: under load, with clients that stay connected, and with a log that nobody reads.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpStream},
    process::{Child, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Received, Server, TimeLimit, binary, until};
use rustix::process::{Pid, Signal, kill_process};

use crate::MB;

#[test]
fn a_shutdown_under_load_reaches_everyone_in_time() {
    let server = Server::start_alone(&["--rate", "0"]);
    let addr = server.addr;
    let clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    let (warm, is_warm) = channel();
    let start = thread::scope(|scope| {
        let _end = server.ends_with_failure();
        for mut client in clients {
            let mut writer = client.writer();
            scope.spawn(move || while writer.write_all(b"under load, all the time\n").is_ok() {});
            let warm = warm.clone();
            scope.spawn(move || {
                for _ in 0..1000 {
                    client.line();
                }
                warm.send(()).ok();
                let mut last = String::new();
                loop {
                    match client.receive(DEADLINE) {
                        Received::Line(line) => last = line,
                        heard => {
                            assert_eq!((heard, &*last), (Received::Eof, EN.shutting_down));
                            break;
                        }
                    }
                }
                client.stream.shutdown(Shutdown::Both).ok();
            });
        }
        for _ in 0..5 {
            is_warm.recv_timeout(DEADLINE).expect("all five are flooding");
        }
        server.signal(Signal::TERM);
        Instant::now()
    });
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
}

#[test]
fn a_shutdown_waits_no_longer_than_the_drain_timeout() {
    let server = Server::start(&["--drain-timeout", "0.3"]);
    let mut ann = server.connect();
    let _stuck = server.connect_narrow();
    let start = Instant::now();
    server.signal(Signal::TERM);
    ann.expect_among(EN.shutting_down);
    ann.eof(); // her own side stays open
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(1800), "{took:?}");
    assert!(log.iter().any(|line| line.contains("INFO") && line.contains("drain timeout")), "{log:#?}");
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let server = Server::start(&["--drain-timeout", "60"]);
    let _stays = server.connect();
    server.signal(Signal::TERM);
    server.expect_log(1, "shutting down");
    let start = Instant::now();
    server.signal(Signal::INT);
    let (status, _, _) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn the_shutdown_of_a_large_chat_takes_no_memory() {
    const CLIENTS: usize = 1000;
    let server = Server::start_alone(&[]);
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.dial()).collect();
    clients.iter_mut().for_each(|client| drop(client.fence()));
    let before = server.peak_rss();
    server.signal(Signal::TERM);
    clients[0].expect_among(EN.shutting_down); // her own side stays open, so the server is still running
    let grown = server.peak_rss().saturating_sub(before);
    assert!(grown < 4 * MB, "{grown} bytes more");
}

#[test]
fn an_unread_log_stalls_nobody() {
    let mut command = binary();
    command.args(["--port", "0", "--lang", "en"]).env("RUST_LOG", "debug");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let (_limit, mut child) = (TimeLimit::of(&child), Guarded(child));
    let mut first = String::new();
    BufReader::new(child.0.stdout.as_mut().expect("piped")).read_line(&mut first).expect("a line");
    let addr = first.trim_end().rsplit(' ').next().and_then(|addr| addr.parse().ok()).expect("an address");
    // Each client makes two log entries: in all, more than a pipe holds.
    for _ in 0..2_000 {
        let mut client = Client::dial_at(addr, &EN);
        client.send(b"\n");
        client.line();
    }
    kill_process(Pid::from_child(&child.0), Signal::TERM).expect("ours");
    until("the server has exited", || child.0.try_wait().expect("ours").is_some());
    assert_eq!(child.0.wait().expect("ours").code(), Some(0), "in order");
}

/// A process that is killed on drop.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
