//! How connections with TLS end that the server gives up: as others do, and with a `close_notify`.

use common::{Client, DEADLINE, EN, Received};
use rustix::process::Signal;
use rustls::version::{TLS12, TLS13};

use super::tls::{Stream, TlsServer, expect, rest, send};

const LINE_BYTES: usize = 4000;
/// More lines than a server keeps for one who does not read.
const LINES_MAX: usize = 25_000;

/// Connects one that will read nothing more. Answers its address, too.
fn stuck(server: &TlsServer) -> (Stream, String) {
    let mut stuck = server.connect_narrow(&TLS13);
    let addr = stuck.get_ref().sock.local_addr().expect("connected").to_string();
    send(&mut stuck, "sync|here\n");
    expect(&mut stuck, "sync|here");
    (stuck, addr)
}

/// Says lines and reads them until somebody has left, which must be this one. Answers how many lines those were.
#[track_caller]
fn flood(ann: &mut Client, gone: &str) -> usize {
    let offline = format!("[{gone}]{gone}:{}", EN.offline);
    let mut said = 0;
    loop {
        assert!(said < LINES_MAX, "it is still there");
        ann.say(&format!("{said:07}{}", "x".repeat(LINE_BYTES - 7)));
        said += 1;
        if ann.fence().contains(&offline) {
            return said;
        }
    }
}

/// The lines that it was told come in order and without gaps, and then this one.
#[track_caller]
fn check_rest(stuck: &mut Stream, ann: &Client, last: &str) {
    let text = rest(stuck);
    let mut lines: Vec<_> = text.lines().filter(|line| !line.contains("is now known as")).collect();
    assert_eq!(lines.pop(), Some(last));
    assert!(!lines.is_empty());
    for (n, line) in lines.iter().enumerate() {
        let says = format!("{}{n:07}", ann.says(""));
        assert!(line.starts_with(&says) && line.len() == says.len() + LINE_BYTES - 7, "{n}: {line:.40}");
    }
}

#[test]
fn a_slow_consumer_is_disconnected_and_told_why() {
    let flags = ["--rate", "0", "--max-queue", "200000", "--write-timeout", "100"];
    let server = TlsServer::start_alone("slow", &flags);
    let mut ann = server.server.join("ann");
    let (mut stuck, addr) = stuck(&server);
    let before = server.server.rss();
    let said = flood(&mut ann, &addr);
    let grown = server.server.peak_rss().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more for {said} lines");
    check_rest(&mut stuck, &ann, EN.slow_consumer);
    assert_eq!(server.server.expect_log(1, "slow-consumer").len(), 1);
}

#[test]
fn a_client_without_write_progress_is_told_why_it_is_disconnected() {
    let server = TlsServer::start("no-progress", &["--rate", "0", "--write-timeout", "0.5"]);
    let mut ann = server.server.join("ann");
    let (mut stuck, addr) = stuck(&server);
    flood(&mut ann, &addr);
    check_rest(&mut stuck, &ann, EN.write_timeout);
    assert_eq!(server.server.expect_log(1, "write-timeout").len(), 1);
}

#[test]
fn a_shutdown_is_told_to_all_and_one_who_is_behind_gets_all_first() {
    let server = TlsServer::start("shutdown", &["--rate", "0"]);
    let mut ann = server.server.join("ann");
    let (mut behind, addr) = stuck(&server);
    let mut others = [&TLS12, &TLS13].map(|version| server.connect(version));
    for other in &mut others {
        send(other, "sync|here\n");
        expect(other, "sync|here");
    }
    ann.fence();
    let lines = 200;
    for n in 0..lines {
        ann.say(&format!("{n:07}{}", "x".repeat(LINE_BYTES - 7)));
    }
    let among = ann.fence();
    assert!(among.iter().all(|line| !line.contains(&addr)), "it is still there");
    server.server.signal(Signal::TERM);
    assert_eq!(ann.receive(DEADLINE), Received::Line(EN.shutting_down.to_owned()));
    for other in &mut others {
        assert!(rest(other).ends_with(&format!("{}\n", EN.shutting_down)));
    }
    let text = rest(&mut behind);
    assert_eq!(text.lines().filter(|line| line.starts_with(&ann.says("0"))).count(), lines);
    assert!(text.ends_with(&format!("{}\n", EN.shutting_down)));
    drop((ann, others, behind));
    let (status, _, log) = server.server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
}
