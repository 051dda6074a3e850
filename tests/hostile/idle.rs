//! Clients that send no lines: idle, rate-limited, stopped, or gone without a FIN.

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Received, Server, binary, note, until};
use rustix::{net::sockopt, process::Signal};

use crate::{flood, read_flood};

#[test]
fn bytes_that_complete_no_line_do_not_reset_the_idle_timeout() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let [mut dripper, mut bob] = server.join_all(["dripper", "bob"]);
    let start = Instant::now();
    let heard = loop {
        dripper.send(b"x\xff\xf1"); // a letter, and telnet's NOP: no line
        bob.send(b"\n");
        match bob.receive(Duration::from_millis(50)) {
            Received::Nothing => assert!(start.elapsed() < Duration::from_secs(5), "the client is still connected"),
            heard => break heard,
        }
    };
    assert_eq!(heard, Received::Line(dripper.offline()), "after {:?}", start.elapsed());
    assert!(start.elapsed() > Duration::from_millis(900), "after {:?}", start.elapsed());
    dripper.expect(EN.idle);
    dripper.eof();
    bob.nothing();
}

#[test]
fn incessant_noise_delays_neither_other_clients_nor_timers() {
    // Telnet's NOPs, and bytes after `quit`.
    for (greeting, noise, departure) in [("", b"\xff\xf1", EN.idle), ("quit\n", b"xx", EN.goodbye)] {
        let server = Server::start(&["--idle-timeout", "1"]);
        let [mut noisy, mut bob] = server.join_all(["noisy", "bob"]);
        bob.say("stay");
        noisy.send(greeting.as_bytes());
        let mut writer = noisy.writer();
        let noise = noise.repeat(1 << 19);
        let start = Instant::now();
        let flood = thread::spawn(move || {
            while start.elapsed() < DEADLINE {
                if writer.write_all(&noise).is_err() {
                    return; // disconnected
                }
            }
            panic!("the noise is still accepted");
        });
        bob.expect_among(&noisy.offline());
        (0..20).for_each(|_| drop(bob.fence()));
        flood.join().expect("the server closes");
        noisy.expect_among(departure);
    }
}

#[test]
fn a_rate_limited_client_is_not_idle() {
    let server = Server::start(&["--rate", "20", "--burst", "1", "--idle-timeout", "1"]);
    let [mut ann] = server.join_all(["ann"]);
    let says = ann.says("");
    // A client whose lines wait for its rate limit is not idle: the first batch alone takes three seconds.
    flood(&mut ann.writer(), 0..60, 10);
    assert!(read_flood(&mut ann, &says, 0..60, 10).is_empty());
    ann.say("and one more");
    ann.expect(&ann.says("and one more"));
}

#[test]
fn a_nanosecond_idle_timeout_disconnects_at_once() {
    let server = Server::start(&["--idle-timeout", "0.000000001"]);
    let mut bob = server.connect();
    bob.expect_among(EN.idle);
    bob.eof();
}

#[test]
fn lines_that_arrived_while_the_server_was_stopped_prove_activity() {
    let server = Server::start(&["--idle-timeout", "1"]);
    // Another server's idle timeout tells when the time is over.
    let clock = server.start_another(&["--idle-timeout", "1"]);
    let [mut bob, mut carl, dave] = server.join_all(["bob", "carl", "dave"]);
    server.signal(Signal::STOP);
    let mut timed = clock.join("timed");
    timed.expect(EN.idle);
    bob.say("still here");
    carl.send(b"last words");
    carl.half_close();
    dave.half_close();
    server.signal(Signal::CONT);
    let mut expected = vec![bob.says("still here"), carl.says("last words"), carl.offline(), dave.offline()];
    while !expected.is_empty() {
        let line = bob.line();
        let place = expected.iter().position(|expected| *expected == line);
        expected.remove(place.unwrap_or_else(|| panic!("{line:?} instead of {expected:?}")));
    }
    bob.expect(EN.idle);
}

#[test]
fn the_kernel_probes_for_dead_peers() {
    let server = Server::start(&[]);
    let ann = server.connect();
    let socket = server.socket_of(ann.stream.local_addr().expect("connected"));
    assert!(sockopt::socket_keepalive(&socket).expect("TCP"));
    let dead_after = sockopt::tcp_keepidle(&socket).expect("TCP")
        + sockopt::tcp_keepintvl(&socket).expect("TCP") * sockopt::tcp_keepcnt(&socket).expect("TCP");
    assert_eq!(dead_after, Duration::from_secs(90), "of silence of the peer's kernel");
    assert_eq!(sockopt::tcp_user_timeout(&socket).expect("TCP"), 60_000, "milliseconds without an acknowledgement");
    assert!(sockopt::tcp_nodelay(&socket).expect("TCP"), "and lines don't wait for more");
}

#[test]
fn a_peer_that_vanishes_without_a_fin_is_disconnected() {
    let network = match Network::new() {
        Ok(network) => network,
        Err(why) => {
            note(&format!("SKIPPED: a peer that vanishes without FIN, because a network namespace takes root: {why}"));
            return;
        }
    };
    let flags = ["--host", &network.here, "--port", "0", "--lang", "en", "--rate", "0", "--write-timeout", "1"];
    let server = Server::start_with(binary(), &flags);
    let mut ann = server.join("ann");
    let mut peer = network.client(server.addr.port());
    let arrival = ann.line();
    assert!(arrival.ends_with(":is online"), "{arrival}");
    let offline = arrival.replace("is online", "is offline");
    let files = server.open_files();
    network.cut();
    // More than the kernel buffers for one connection.
    let (says, mut writer) = (ann.says(""), ann.writer());
    let flooding = thread::spawn(move || flood(&mut writer, 0..2500, 4000));
    assert_eq!(read_flood_and(&mut ann, &says, 2500, &offline), 1, "its departure is announced once");
    flooding.join().expect("everything was sent");
    until("its file is closed", || server.open_files() < files);
    peer.kill().expect("ours");
    peer.wait().expect("ours");
    ann.nothing();
}

/// Reads a flood and this line, in any order; returns how often the line came.
fn read_flood_and(reader: &mut Client, says: &str, numbers: usize, line: &str) -> usize {
    let others = read_flood(reader, says, 0..numbers, 4000);
    if others.is_empty() {
        reader.expect(line);
        return 1;
    }
    assert!(others.iter().all(|other| other == line), "{others:?}");
    others.len()
}

/// A network namespace behind a link that can be cut.
struct Network {
    name: String,
    here: String,
}

impl Network {
    fn new() -> Result<Self, String> {
        let id = std::process::id();
        let (name, subnet) = (format!("pipechat{id}"), format!("10.{}.{}", 100 + id % 100, id / 100 % 250));
        let here = format!("{subnet}.1");
        let network = Self { name, here };
        let name = &network.name;
        let (near, far) = (format!("pc{id}a"), format!("pc{id}b"));
        for command in [
            format!("netns add {name}"),
            format!("link add {near} type veth peer name {far} netns {name}"),
            format!("addr add {}/24 dev {near}", network.here),
            format!("link set {near} up"),
            format!("-n {name} addr add {subnet}.2/24 dev {far}"),
            format!("-n {name} link set {far} up"),
        ] {
            ip(&command)?;
        }
        Ok(network)
    }

    /// A client that sends nothing and reads everything.
    fn client(&self, port: u16) -> Child {
        let script = format!("exec 3<>/dev/tcp/{}/{port}; exec cat <&3 >/dev/null", self.here);
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "bash", "-c", &script]).stdin(Stdio::null());
        command.spawn().expect("ip has worked before")
    }

    fn cut(&self) {
        let id = std::process::id();
        ip(&format!("-n {} link set pc{id}b down", self.name)).expect("ip has worked before");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        ip(&format!("link del pc{}a", std::process::id())).ok();
        ip(&format!("netns del {}", self.name)).ok();
    }
}

fn ip(words: &str) -> Result<(), String> {
    let output = Command::new("ip").args(words.split(' ')).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {words}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
