//! Slow readers, floods, garbage and bad days, against the real binary over sockets: whoever is cut is told why, and
//! nobody else notices. The tests that measure CPU or memory run alone.

mod common;

use std::{
    collections::BTreeMap,
    io::Write,
    net::{Shutdown, TcpStream},
    ops::Range,
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, Heard, Random, Server, binary, note, until};
use rustix::{net::sockopt, process::Signal};

const MB: u64 = 1 << 20;
const SLOW_CONSUMER: &str = "you read too slowly: too much is waiting for you, disconnected";
const WRITE_TIMEOUT: &str = "you have not read anything for too long and are disconnected";
const IDLE: &str = "you have been idle for too long and are disconnected";
const FULL: &str = "the server is full, please try again later";
const FULL_FOR_ADDRESS: &str = "too many connections from your address, please try again later";
const HTTP: &str = "this is not an HTTP server, closed";
const SHUTTING_DOWN: &str = "the server is shutting down, goodbye";
const NOT_UTF8: &str = "line is not valid UTF-8, not sent";
const NUL: &str = "line has a NUL in it, not sent";
const TOO_LONG: &str = "line too long, not sent: at most 4096 bytes";

const PRIVATE_FORM: &str = "malformed private message, the right form is: to|bob|hello";

/// A numbered text of so many bytes.
fn numbered(number: usize, size: usize) -> String {
    let number = format!("{number:07}");
    let filling = size.saturating_sub(number.len());
    number + &"x".repeat(filling)
}

/// Says numbered texts, as fast as the server takes them.
fn flood(mouth: &mut TcpStream, numbers: Range<usize>, size: usize) {
    for number in numbers {
        mouth.write_all((numbered(number, size) + "\n").as_bytes()).expect("the server reads");
    }
}

/// Reads the texts that `flood` says, each once and in order. Returns what else came.
#[track_caller]
fn read_flood(reader: &mut Client, says: &str, numbers: Range<usize>, size: usize) -> Vec<String> {
    let mut others = Vec::new();
    for number in numbers {
        loop {
            let line = reader.line();
            let Some(text) = line.strip_prefix(says) else {
                others.push(line);
                continue;
            };
            assert_eq!(text.get(..7), Some(&*format!("{number:07}")), "{} reads in order", reader.name);
            assert_eq!(text.len(), size, "{} reads whole lines", reader.name);
            break;
        }
    }
    others
}

// ------------------------------------------------------------------------------------------------- slow consumers

#[test]
fn a_slow_consumer_is_cut_and_told_why_and_the_others_get_every_line_and_memory_stays_flat() {
    const LINES: usize = 25_000;
    const SIZE: usize = 4000;
    let server = Server::start_alone(&["--rate", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let mut stuck = server.connect_narrow();
    ann.fence();
    bob.fence();
    let (says, stuck_offline, before) = (ann.says(""), stuck.offline(), server.rss());
    let (cut, is_cut) = channel();
    thread::scope(|scope| {
        let mut mouth = ann.mouth();
        scope.spawn(move || flood(&mut mouth, 0..LINES, SIZE));
        let (says, stuck_offline, ann, bob) = (&says, &stuck_offline, &mut ann, &mut bob);
        scope.spawn(move || {
            let mut others = read_flood(ann, says, 0..LINES, SIZE);
            others.extend(ann.fence());
            assert_eq!(others, std::slice::from_ref(stuck_offline));
        });
        scope.spawn(move || {
            for number in 0..LINES {
                if !read_flood(bob, says, number..number + 1, SIZE).is_empty() {
                    cut.send(()).ok();
                }
            }
            bob.nothing();
        });
        is_cut.recv_timeout(DEADLINE).expect("the others are told that the slow consumer is gone");
        let mut rest = stuck.rest();
        assert_eq!(rest.pop().as_deref(), Some(SLOW_CONSUMER), "the last line");
        assert!(!rest.is_empty());
        for (number, line) in rest.iter().enumerate() {
            assert_eq!(line[..says.len() + 7], format!("{says}{number:07}"), "what it got before has no gaps");
            assert_eq!(line.len(), says.len() + SIZE);
        }
    });
    let grown = server.peak_rss() - before;
    assert!(grown < 16 * MB, "{grown} bytes more while {} bytes went past a stuck reader", LINES * SIZE);
    let log = server.expect_log(1, "slow-consumer");
    assert!(log.len() == 1 && log[0].contains(&stuck.addr), "{log:#?}");
}

#[test]
fn no_write_progress_is_cut_and_told_why() {
    let server = Server::start(&["--rate", "0", "--write-timeout", "0.5"]);
    let [mut ann] = server.join_all(["ann"]);
    let mut stuck = server.connect_narrow();
    ann.expect(&stuck.online());
    let (says, start) = (ann.says(""), Instant::now());
    flood(&mut ann.mouth(), 0..120, 4000);
    assert!(read_flood(&mut ann, &says, 0..120, 4000).is_empty());
    ann.expect(&stuck.offline());
    assert!(start.elapsed() >= Duration::from_millis(500), "cut after {:?}", start.elapsed());
    let mut rest = stuck.rest();
    assert_eq!(rest.pop().as_deref(), Some(WRITE_TIMEOUT), "the last line");
    for (number, line) in rest.iter().enumerate() {
        assert_eq!(*line, format!("{says}{}", numbered(number, 4000)), "whole lines without gaps");
    }
    let log = server.expect_log(1, "write-timeout");
    assert!(log.len() == 1 && log[0].contains(&stuck.addr), "{log:#?}");
}

#[test]
fn a_stuck_reader_slows_nobody() {
    let server = Server::start_alone(&["--rate", "0", "--max-queue", "100000", "--write-timeout", "100"]);
    let mut ann = server.join("ann");
    let stuck = server.connect_narrow();
    ann.expect(&stuck.online());
    let offline = stuck.offline();
    // A turn each. As long as the reader may be merely slow it is waited for; it does not read, and is no longer waited
    // for by the time it is cut, though there is less and less room for each turn.
    let mut round_trips = Vec::new();
    loop {
        let start = Instant::now();
        let text = numbered(round_trips.len(), 1000);
        ann.say(&text);
        let before = ann.expect_among(&ann.says(&text));
        if before.contains(&offline) {
            break;
        }
        round_trips.push(start.elapsed());
        assert!(round_trips.len() < 5000, "the stuck reader is still here");
    }
    let mut last = round_trips.split_off(round_trips.len() - 15);
    last.sort();
    assert!(last[7] < Duration::from_millis(8), "the last round trips before the cut took {last:?}");
}

#[test]
fn a_slow_reader_that_is_alive_is_waited_for_and_gets_everything() {
    const LINES: usize = 5000;
    const SIZE: usize = 4000;
    let server = Server::start_alone(&["--rate", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let says = ann.says("");
    let flood_past = |ann: &mut Client, bob: &mut Client, rate: Option<f64>| {
        let start = Instant::now();
        let mut mouth = ann.mouth();
        thread::scope(|scope| {
            scope.spawn(move || flood(&mut mouth, 0..LINES, SIZE));
            scope.spawn(|| assert!(read_flood(ann, &says, 0..LINES, SIZE).is_empty()));
            for number in 0..LINES {
                assert!(read_flood(bob, &says, number..number + 1, SIZE).is_empty());
                if let Some(rate) = rate {
                    let due = Duration::from_secs_f64((number * SIZE) as f64 / rate);
                    thread::sleep(due.saturating_sub(start.elapsed())); // this is what makes it slow
                }
            }
        });
        start.elapsed()
    };
    let unhindered = flood_past(&mut ann, &mut bob, None);
    let rate = (LINES * SIZE) as f64 / unhindered.as_secs_f64() / 10.0;
    flood_past(&mut ann, &mut bob, Some(rate));
    bob.say("still here");
    bob.expect(&bob.says("still here"));
    ann.expect(&bob.says("still here"));
}

#[test]
fn many_who_do_not_read_are_bounded_together_and_the_largest_queue_goes_first() {
    const READERS: usize = 200;
    const LARGEST: usize = 17;
    let server = Server::start_alone(&["--rate", "0", "--max-queued-total", "4194304", "--write-timeout", "100"]);
    let mut ann = server.join("ann");
    let stuck: Vec<_> = (0..READERS).map(|_| server.connect_narrow()).collect();
    ann.fence();
    let before = server.rss();
    let text = "x".repeat(4000);
    let (mut mouth, mut end) = (ann.mouth(), ann.mouth());
    let mut privately = {
        let (stuck, text) = (&stuck, &text);
        move |to: usize| {
            let line = format!("to|{}|{text}\n", stuck[to].addr);
            mouth.write_all(line.as_bytes()).expect("the server reads");
        }
    };
    // What differs for each is shared by none: 200 MB, less what the kernel takes.
    let heard = thread::scope(|scope| {
        scope.spawn(move || {
            (0..100).for_each(|_| privately(LARGEST));
            for _ in 0..250 {
                (0..READERS).for_each(&mut privately);
            }
            end.write_all(b"to|\n").expect("the server reads");
        });
        ann.expect_among(PRIVATE_FORM)
    });
    let offline: Vec<_> = heard.iter().filter(|line| line.ends_with(":is offline")).collect();
    assert!(offline.len() > READERS / 2, "{} are cut", offline.len());
    assert_eq!(*offline[0], stuck[LARGEST].offline(), "the largest queue goes first");
    let grown = server.peak_rss() - before;
    assert!(grown < 20 * MB, "{grown} bytes more");
    assert_eq!(server.expect_log(offline.len(), "slow-consumer").len(), offline.len());
}

// ---------------------------------------------------------------------------------------------------- long and many

#[test]
fn a_line_has_a_limit_and_the_next_one_works() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let wide = "三".repeat(1365); // 4095 bytes
    for (text, ending, fits) in [
        ("x".repeat(4095), "\n", true),
        ("x".repeat(4096), "\n", true),
        ("x".repeat(4097), "\n", false),
        ("x".repeat(4096), "\r\n", true),
        ("x".repeat(4097), "\r\n", false),
        (wide.clone() + "x", "\n", true),
        (wide + "xx", "\n", false),
        ("x".repeat(50_000), "\n", false),
    ] {
        ann.send(format!("{text}{ending}next\n").as_bytes());
        if fits {
            ann.expect(&ann.says(&text));
            bob.expect(&ann.says(&text));
        } else {
            ann.expect(TOO_LONG);
        }
        ann.expect(&ann.says("next"));
        bob.expect(&ann.says("next"));
    }
    // Without an ending too.
    ann.send("x".repeat(4097).as_bytes());
    ann.half_close();
    ann.expect(TOO_LONG);
    ann.eof();
    bob.expect(&ann.offline());
}

#[test]
fn the_limit_of_a_line_is_a_flag() {
    let server = Server::start(&["--max-line", "10"]);
    let mut ann = server.join("ann"); // 10 bytes
    ann.say("1234567890");
    ann.expect(&ann.says("1234567890"));
    ann.say("12345678901");
    ann.expect("line too long, not sent: at most 10 bytes");
}

#[test]
fn a_hundred_megabytes_without_an_end_are_one_refusal() {
    let server = Server::start_alone(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let before = server.rss();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        ann.send(&piece);
        let start = Instant::now();
        bob.nothing();
        assert!(start.elapsed() < Duration::from_secs(1), "bob is served meanwhile");
    }
    ann.send(b"\nnext\n");
    ann.expect(TOO_LONG);
    ann.expect(&ann.says("next"));
    bob.expect(&ann.says("next"));
    let grown = server.peak_rss() - before;
    assert!(grown < 4 * MB, "{grown} bytes more");
}

#[test]
fn a_paste_of_ten_thousand_lines_arrives_whole_and_in_order_while_others_are_served() {
    const LINES: usize = 10_000;
    const SIZE: usize = 1000;
    let server = Server::start_alone(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let (says, mut mouth) = (ann.says(""), ann.mouth());
    thread::scope(|scope| {
        scope.spawn(move || flood(&mut mouth, 0..LINES, SIZE));
        let says = &says;
        scope.spawn(move || assert!(read_flood(&mut ann, says, 0..LINES, SIZE).is_empty()));
        let (mut read, mut asked, mut answers) = (0, None, Vec::new());
        while read < LINES {
            let line = bob.line();
            if let Some(text) = line.strip_prefix(says) {
                assert_eq!(text.get(..7), Some(&*format!("{read:07}")), "in order");
                read += 1;
                // As soon as the paste has begun, and as soon as there is an answer.
                if asked.is_none() {
                    bob.say("who");
                    asked = Some(Instant::now());
                }
            } else if line == "[bob] is online" {
                answers.push(asked.take().expect("an answer to a question").elapsed());
            } else {
                assert_eq!(line, "[ann] is online");
            }
        }
        let slowest = answers.iter().max();
        assert!(slowest.is_some_and(|slowest| *slowest < Duration::from_secs(1)), "`who` in the paste: {answers:?}");
        assert!(answers.len() >= 3, "`who` in the paste: {answers:?}");
    });
}

#[test]
fn a_question_asked_after_a_paste_is_answered_long_before_the_end_of_the_paste() {
    const LINES: usize = 7000;
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    // All of it waits in the sockets before the server sees any of it.
    server.signal(Signal::STOP);
    ann.send("x\n".repeat(LINES).as_bytes());
    bob.say("to|bob|?");
    server.signal(Signal::CONT);
    let before = bob.expect_among("from:[bob] says:?").len();
    assert!(before <= 1024, "{before} lines of the paste came before the answer to its neighbour");
    for _ in before..LINES {
        bob.expect(&ann.says("x"));
    }
}

#[test]
fn a_flood_is_paced_to_the_rate_and_nothing_is_lost() {
    const LINES: usize = 700;
    let (rate, burst, batch) = (200.0, 100, 256);
    let server = Server::start(&["--rate", "200", "--burst", "100"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let (says, start) = (ann.says(""), Instant::now());
    flood(&mut ann.mouth(), 0..LINES, 10);
    for number in 0..LINES {
        assert!(read_flood(&mut ann, &says, number..number + 1, 10).is_empty());
        let entitled = burst + batch + (rate * start.elapsed().as_secs_f64()) as usize;
        assert!(number <= entitled, "line {number} after {:?}", start.elapsed());
        if number == 300 {
            let asked = Instant::now();
            bob.say("who");
            while bob.line() != "[bob] is online" {}
            assert!(asked.elapsed() < Duration::from_millis(500), "bob is not paced: {:?}", asked.elapsed());
        }
    }
    let took = start.elapsed();
    let fair = Duration::from_secs_f64((LINES - burst - batch) as f64 / rate);
    assert!(took >= fair, "{LINES} lines took {took:?}");
    assert!(took < 2 * fair + Duration::from_secs(3), "{LINES} lines took {took:?}");
}

// ---------------------------------------------------------------------------------------------------------- silence

#[test]
fn bytes_that_make_no_line_are_silence() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let [mut dripper, mut bob] = server.join_all(["dripper", "bob"]);
    let start = Instant::now();
    let heard = loop {
        dripper.send(b"x\xff\xf1"); // a letter, and telnet's NOP
        bob.send(b"\n");
        match bob.hear(Duration::from_millis(50)) {
            Heard::Silence => assert!(start.elapsed() < Duration::from_secs(5), "it drips and is still here"),
            heard => break heard,
        }
    };
    assert_eq!(heard, Heard::Line(dripper.offline()), "after {:?}", start.elapsed());
    assert!(start.elapsed() > Duration::from_millis(900), "after {:?}", start.elapsed());
    dripper.expect(IDLE);
    dripper.eof();
    bob.nothing();
}

#[test]
fn noise_without_pause_keeps_nobody_waiting_and_no_timer_from_firing() {
    // Telnet's NOPs, and whatever comes after one's goodbye.
    for (greeting, noise, farewell) in [("", b"\xff\xf1", IDLE), ("quit\n", b"xx", "goodbye")] {
        let server = Server::start(&["--idle-timeout", "1"]);
        let [mut noisy, mut bob] = server.join_all(["noisy", "bob"]);
        bob.say("stay");
        noisy.send(greeting.as_bytes());
        let mut mouth = noisy.mouth();
        let noise = noise.repeat(1 << 19);
        let start = Instant::now();
        let flood = thread::spawn(move || {
            while start.elapsed() < DEADLINE {
                if mouth.write_all(&noise).is_err() {
                    return; // cut off
                }
            }
            panic!("it may go on for ever");
        });
        bob.expect_among(&noisy.offline());
        (0..20).for_each(|_| drop(bob.fence()));
        flood.join().expect("the server closes");
        noisy.expect_among(farewell);
    }
}

#[test]
fn whom_the_server_reads_slowly_is_not_silent() {
    let server = Server::start(&["--rate", "20", "--burst", "1", "--idle-timeout", "1"]);
    let [mut ann] = server.join_all(["ann"]);
    let says = ann.says("");
    // What the server has not read yet is no silence of the client's: the first batch alone costs three seconds.
    flood(&mut ann.mouth(), 0..60, 10);
    assert!(read_flood(&mut ann, &says, 0..60, 10).is_empty());
    ann.say("and one more");
    ann.expect(&ann.says("and one more"));
}

#[test]
fn the_kernel_looks_for_dead_peers() {
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
fn a_peer_that_vanished_without_a_word_is_cut() {
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
    // More than the kernel keeps for one connection.
    let (says, mut mouth) = (ann.says(""), ann.mouth());
    let flooding = thread::spawn(move || flood(&mut mouth, 0..2500, 4000));
    assert_eq!(read_flood_and(&mut ann, &says, 2500, &offline), 1, "it is gone, and the others are told so once");
    flooding.join().expect("all was said");
    until("its file is closed", || server.open_files() < files);
    peer.kill().expect("ours");
    peer.wait().expect("ours");
    ann.nothing();
}

/// Reads a flood and this line, in whichever order they come; tells how often the line came.
fn read_flood_and(reader: &mut Client, says: &str, numbers: usize, line: &str) -> usize {
    let others = read_flood(reader, says, 0..numbers, 4000);
    if others.is_empty() {
        reader.expect(line);
        return 1;
    }
    assert!(others.iter().all(|other| other == line), "{others:?}");
    others.len()
}

/// A network namespace behind a cable that can be cut.
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

    /// One that says nothing and reads.
    fn client(&self, port: u16) -> std::process::Child {
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

// ---------------------------------------------------------------------------------------------------- places and files

#[test]
fn one_client_too_many_is_told_so_and_a_free_place_is_usable_at_once() {
    let server = Server::start(&["--max-clients", "3"]);
    let [mut ann, mut bob, mut cat] = server.join_all(["ann", "bob", "cat"]);
    for _ in 0..3 {
        let mut dan = server.dial();
        dan.expect(FULL);
        dan.eof();
    }
    for client in [&mut ann, &mut bob, &mut cat] {
        client.nothing();
    }
    for _ in 0..3 {
        let offline = cat.offline();
        drop(cat);
        ann.expect(&offline);
        cat = server.connect();
        ann.expect(&cat.online());
        let mut dan = server.dial();
        dan.expect(FULL);
        dan.eof();
        cat.nothing();
    }
    let log = server.expect_log(6, "full");
    assert_eq!(log.len(), 6, "{log:#?}");
}

#[test]
fn one_address_takes_only_its_share_of_places() {
    let server = Server::start(&["--max-clients-per-ip", "2"]);
    let mut ann = server.connect();
    let bob = server.connect();
    ann.expect(&bob.online());
    let mut cat = server.dial();
    cat.expect(FULL_FOR_ADDRESS);
    cat.eof();
    let mut dan = server.dial_from([127, 0, 0, 2]);
    dan.expect(&dan.online());
    ann.expect(&dan.online());
    let offline = bob.offline();
    drop(bob);
    ann.expect(&offline);
    let mut eve = server.connect();
    eve.nothing();
    let mut fay = server.dial();
    fay.expect(FULL_FOR_ADDRESS);
    fay.eof();
}

#[test]
fn who_is_turned_away_and_stays_holds_no_file() {
    let server = Server::start(&["--max-clients", "1"]);
    let mut ann = server.connect();
    let files = server.open_files();
    let pushy: Vec<_> = (0..100).map(|_| server.dial()).collect();
    for mut client in pushy {
        client.expect(FULL);
        client.say("but I want to");
        std::mem::forget(client.stream); // stays to the end of the test program
    }
    until("those turned away are closed, as they don't close", || server.open_files() == files);
    ann.nothing();
}

#[test]
fn out_of_files_it_waits_without_a_spin_logs_once_and_recovers() {
    let server = Server::start_alone_with_open_files(64, &["--max-clients", "1000"]);
    let mut clients: Vec<_> = (0..100).map(|_| server.dial()).collect();
    server.expect_log(1, "accept:");
    let share = server.cpu_share(Duration::from_secs(2));
    assert!(share < 0.1, "{share} of a CPU while starved");
    let first = &mut clients[0];
    first.expect(&first.online());
    assert!(first.fence().len() > 20, "those who are in are served");
    assert_eq!(server.expect_log(1, "accept:").len(), 1, "one line in all this time");
    let mut waiting = clients.split_off(60);
    drop(clients);
    for client in &mut waiting {
        client.expect(&client.online());
    }
    waiting[0].fence();
    let episodes = server.expect_log(1, "accept:").len();
    let more: Vec<_> = (0..60).map(|_| server.dial()).collect();
    server.expect_log(episodes + 1, "accept:");
    drop((waiting, more));
    server.connect().fence();
}

// ---------------------------------------------------------------------------------------------------------- garbage

#[test]
fn every_byte_is_text_or_a_refusal_that_only_the_sender_hears() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for byte in 0..=255 {
        ann.send(&[b'<', byte, b'>', b'\n']);
        ann.send(b"next\n");
        let texts = match byte {
            0 => Err(NUL),
            0x80..=0xfe => Err(NOT_UTF8),
            b'\n' => Ok(vec!["<".to_owned(), ">".to_owned()]),
            b'\t' | b' '..=b'~' => Ok(vec![format!("<{}>", char::from(byte))]),
            0xff => Ok(vec!["<".to_owned()]), // telnet's IAC, and a command of it
            _ => Ok(vec![format!("<\\u{{{byte:x}}}>")]),
        };
        match &texts {
            Ok(texts) => texts.iter().for_each(|text| ann.expect(&ann.says(text))),
            Err(refusal) => ann.expect(refusal),
        }
        ann.expect(&ann.says("next"));
        for text in texts.iter().flatten() {
            bob.expect(&ann.says(text));
        }
        bob.expect(&ann.says("next"));
    }
}

#[test]
fn invalid_text_in_a_command_is_refused_and_does_nothing() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for line in
        [&b"rename|a\xc3\x28"[..], b"to|bob|\xf0\x9f\x92", b"to|b\x80b|hi", b"\xed\xa0\x80", b"\xc0\xaf", b"who\xfe"]
    {
        ann.send(&[line, b"\n"].concat());
        ann.expect(NOT_UTF8);
    }
    for line in [&b"rename|a\0b"[..], b"to|bob|\0", b"\0", b"who\0"] {
        ann.send(&[line, b"\n"].concat());
        ann.expect(NUL);
    }
    bob.nothing();
    ann.say("who");
    ann.expect("[ann] is online");
    ann.expect("[bob] is online");
}

#[test]
fn characters_split_over_packets_stay_whole() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let text = "é 三 🦀 e\u{301} 👩‍👩‍👧";
    for byte in format!("{text}\n").bytes() {
        ann.send(&[byte]);
    }
    ann.expect(&ann.says(text));
    bob.expect(&ann.says(text));
}

/// Control characters that can stand in a line, with their visible notation: all but NUL, tab and LF.
fn controls() -> impl Iterator<Item = (char, String)> {
    let all = ('\u{1}'..='\u{1f}').chain('\u{7f}'..='\u{9f}').filter(|c| !matches!(c, '\t' | '\n'));
    all.map(|c| (c, format!("\\u{{{:x}}}", c as u32)))
}

#[test]
fn no_control_character_reaches_a_terminal_raw() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let texts: Vec<_> = controls()
        .chain(
            ['\u{202e}', '\u{2066}', '\u{200f}', '\u{2028}', '\u{2029}'].map(|c| (c, format!("\\u{{{:x}}}", c as u32))),
        )
        .collect();
    for (c, visible) in &texts {
        ann.say(&format!("a{c}b"));
        ann.expect(&ann.says(&format!("a{visible}b")));
        bob.expect(&ann.says(&format!("a{visible}b")));
        ann.say(&format!("to|bob|a{c}b"));
        bob.expect(&format!("from:[ann] says:a{visible}b"));
        ann.say(&format!("rename|a{c}b"));
        let refusal = ann.line();
        assert!(refusal.starts_with("invalid name, not renamed: "), "{refusal}");
        ann.say(&format!("to|a{c}b|hi"));
        ann.expect("no such user, please check the name");
        ann.say(&format!("a{c}|b")); // next to a verb
        ann.expect(&ann.says(&format!("a{visible}|b")));
        bob.expect(&ann.says(&format!("a{visible}|b")));
    }
    ann.say("a\tb");
    ann.expect(&ann.says("a\tb"));
    bob.expect(&ann.says("a\tb"));
    // A line of the server's own can't be begun in a text.
    for forged in
        ["\r[1.2.3.4:5]root:hi", "\u{85}[1.2.3.4:5]root:hi", "\u{2028}[1.2.3.4:5]root:hi", "\x1b[2K\x1b[Groot:hi"]
    {
        ann.say(forged);
        let line = bob.line();
        assert!(line.starts_with(&ann.says("\\u{")), "{line}");
    }
    ann.fence();
}

#[test]
fn an_event_is_one_line_of_the_log_whatever_peers_send() {
    let mut command = binary();
    command.env("RUST_LOG", "trace");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    let mut bob = server.join("bob");
    let mut ann = server.connect();
    bob.expect(&ann.online());
    let forged = "[2030-01-01T00:00:00Z INFO  pipechat::net::broker] #99 forged";
    for line in [
        format!("hi\r{forged}"),
        format!("rename|x\r{forged}"),
        format!("rename|x\u{85}{forged}"),
        format!("to|bob|\u{2028}{forged}"),
        "\x1b[31mred\x1b[2J".to_owned(),
        format!("GET /\r{forged} HTTP/1.1"),
        "rename|\"}\\n\\x1b[31m".to_owned(),
    ] {
        ann.say(&line);
        ann.send(b"\xff\n\0\n");
    }
    ann.fence();
    ann.send(format!("half a line\r{forged}").as_bytes());
    let offline = ann.says("");
    drop(ann);
    while !bob.line().starts_with(&offline) {}
    server.signal(Signal::TERM);
    bob.expect_among(SHUTTING_DOWN);
    drop(bob);
    let (_, _, log) = server.exit(DEADLINE);
    assert!(log.iter().any(|line| line.contains("departed")), "{log:#?}");
    for line in &log {
        let is_entry = line.starts_with("[20") && !line.starts_with("[2030") && line.contains("Z ");
        assert!(is_entry, "not the beginning of an entry: {line:?}");
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
        // A plain text may be quoted; it must not look like an entry.
        assert_eq!(
            line.matches("INFO").count() + line.matches("DEBUG").count() + line.matches("TRACE").count(),
            1,
            "{line}"
        );
    }
}

#[test]
fn telnet_is_a_client_like_any_other() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    // Telnet's offers at the start, an answer, a window size with an IAC in it, NOP, and Ctrl-C's IP.
    ann.send(b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0one\r\n");
    ann.send(b"t\xff\xf1w\xff\xfe\x01o\r\0three\xff\xf4\r\nfo\xff");
    ann.send(b"\xfb\x01ur\r\n");
    for text in ["one", "two", "three", "four"] {
        ann.expect(&ann.says(text));
        bob.expect(&ann.says(text));
    }
    ann.send(b"a\xff\xffb\r\n"); // doubled: the byte itself, which is no UTF-8
    ann.expect(NOT_UTF8);
    ann.send("张三\r\n".as_bytes());
    ann.expect(&ann.says("张三"));
    bob.expect(&ann.says("张三"));
}

#[test]
fn urgent_data_hides_nothing_of_what_comes_after_it() {
    let server = Server::start(&[]);
    let [mut ann] = server.join_all(["ann"]);
    // All of it waits in the socket before the server sees any of it: reads stop at what is urgent.
    server.signal(Signal::STOP);
    ann.send(b"one\n\xff");
    ann.send_urgent(b"\xf2"); // telnet's Synch
    ann.send(b"two\nthree\n");
    server.signal(Signal::CONT);
    for text in ["one", "two", "three"] {
        ann.expect(&ann.says(text));
    }
}

#[test]
fn a_subnegotiation_without_an_end_takes_no_memory() {
    let server = Server::start_alone(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let before = server.rss();
    ann.send(b"\xff\xfa");
    (0..20).for_each(|_| ann.send(&vec![b'\n'; 1 << 20]));
    ann.send(b"\xff\xf0hi\n");
    ann.expect(&ann.says("hi"));
    bob.expect(&ann.says("hi"));
    let grown = server.peak_rss() - before;
    assert!(grown < 2 * MB, "{grown} bytes more");
}

#[test]
fn an_http_request_is_answered_with_a_reason_and_the_end() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    for request in ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /chat HTTP/1.1\r\nContent-Length: 3\r\n\r\nwho"]
    {
        let mut browser = server.connect();
        bob.expect(&browser.online());
        browser.send(request.as_bytes());
        assert_eq!(browser.rest(), [HTTP]);
        bob.expect(&browser.offline());
    }
    bob.nothing();
}

#[test]
fn tls_hellos_and_random_bytes_are_refused_without_a_spin_or_memory() {
    let server = Server::start_alone(&["--rate", "0"]);
    let mut bob = server.join("bob");
    bob.fence();
    let seed = std::env::var("PIPECHAT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    note(&format!("random bytes of PIPECHAT_SEED={seed}"));
    let mut random = Random(seed);
    let before = server.rss();
    let mut hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    hello.extend((0..502).map(|_| random.next() as u8 | 1)); // random, and neither LF nor NUL
    for _ in 0..20 {
        let mut browser = server.connect();
        bob.expect(&browser.online());
        browser.send(&hello.iter().map(|b| if *b == b'\n' || *b == 0xff { b'x' } else { *b }).collect::<Vec<_>>());
        browser.half_close();
        let heard = browser.rest();
        assert_eq!(heard, [NOT_UTF8]);
        bob.expect(&browser.offline());
    }
    // One reads what it is told; the other does not, and is soon no longer read from.
    let noise: Vec<u8> = (0..1 << 20).flat_map(|_| random.next().to_le_bytes()).collect();
    let (mut deaf, mut noisy) = (server.connect_narrow(), server.connect());
    thread::scope(|scope| {
        let (mut mouth, noise, bob, deaf) = (noisy.mouth(), &noise, &mut bob, &mut deaf);
        let offline = noisy.offline();
        scope.spawn(move || {
            mouth.write_all(noise).expect("the server reads");
            mouth.shutdown(Shutdown::Write).expect("connected");
        });
        scope.spawn(move || {
            deaf.stream.set_write_timeout(Some(Duration::from_millis(500))).expect("not zero");
            let taken: usize = (0..5).map_while(|_| deaf.stream.write(noise).ok()).sum();
            assert!(taken < 5 * noise.len(), "{taken} bytes were taken from one who does not read");
        });
        scope.spawn(move || while bob.line() != offline {});
        // Some of it is a text by chance.
        let refused = noisy.rest().iter().filter(|line| *line == NOT_UTF8).count();
        assert!(refused > 1000, "{refused} refusals");
    });
    let grown = server.peak_rss() - before;
    assert!(grown < 8 * MB, "{grown} bytes more");
    let share = server.cpu_share(Duration::from_secs(1));
    assert!(share < 0.1, "{share} of a CPU after the noise");
}

// ------------------------------------------------------------------------------------------------------------ bad days

#[test]
fn a_thousand_probes_cost_nothing_but_their_notices() {
    let server = Server::start_alone(&[]);
    let mut ann = server.join("ann");
    let mut counts = BTreeMap::new();
    let mut before = (0, 0);
    for round in 0..10 {
        for number in 0..100 {
            let probe = server.dial();
            *counts.entry(probe.online()).or_insert(0) += 1;
            *counts.entry(probe.offline()).or_insert(0) += 1;
            if number % 2 == 0 {
                probe.reset();
            }
        }
        let mut left = 200;
        while left > 0 {
            let line = ann.line();
            let count = counts.get_mut(&line).unwrap_or_else(|| panic!("{line} was announced and did not come"));
            *count -= 1;
            left -= 1;
        }
        assert!(counts.values().all(|left| *left == 0), "each once: {counts:?}");
        if round == 0 {
            before = (server.rss(), server.open_files());
        }
    }
    ann.nothing();
    until("the probes' files are closed", || server.open_files() <= before.1);
    let grown = server.rss().saturating_sub(before.0);
    assert!(grown < 2 * MB, "{grown} bytes more");
    server.signal(Signal::TERM);
    ann.expect_among(SHUTTING_DOWN);
    drop(ann);
    let (_, _, log) = server.exit(DEADLINE);
    assert!(log.len() < 10, "probes are not worth a line: {log:#?}");
}

#[test]
fn a_probe_is_in_the_debug_log() {
    let mut command = binary();
    command.env("RUST_LOG", "pipechat=debug");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    let mut ann = server.join("ann");
    let probe = server.dial();
    let addr = probe.addr.clone();
    drop(probe);
    ann.line();
    ann.line();
    let log = server.expect_log(2, &addr);
    assert!(log.iter().all(|line| line.contains("DEBUG")), "{log:#?}");
    assert!(log[1].contains("departed"), "{log:#?}");
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_line_is_announced_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    for _ in 0..20 {
        let mut bob = server.connect();
        ann.expect(&bob.online());
        bob.send(b"half a li");
        let offline = bob.offline();
        bob.reset();
        ann.expect(&offline);
    }
    ann.nothing();
    ann.say("who");
    ann.expect("[ann] is online");
    ann.nothing();
}

#[test]
fn a_connection_that_breaks_while_its_lines_wait_is_announced_at_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let mut bob = server.connect();
    ann.expect(&bob.online());
    bob.say("here");
    ann.expect(&bob.says("here"));
    bob.send(b"wait|60|user|nobody\nsync|later\n");
    ann.nothing();
    let offline = bob.offline();
    bob.reset();
    ann.expect(&offline);
    ann.nothing();
}

#[test]
fn a_client_that_is_killed_is_announced_once() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let script =
        format!("exec 3<>/dev/tcp/127.0.0.1/{}; echo hi >&3; printf half >&3; exec cat <&3", server.addr.port());
    let mut bob = Command::new("bash").args(["-c", &script]).stdout(Stdio::null()).spawn().expect("bash");
    let arrival = ann.line();
    let prefix = arrival.strip_suffix("is online").expect("an arrival");
    ann.expect(&format!("{prefix}hi"));
    bob.kill().expect("ours");
    bob.wait().expect("ours");
    // A dead client's kernel may still say FIN: then the half line is its last.
    let mut gone = ann.line();
    if gone == format!("{prefix}half") {
        gone = ann.line();
    }
    assert_eq!(gone, format!("{prefix}is offline"));
    ann.nothing();
}

#[test]
fn the_end_under_load_is_told_to_everyone_and_in_time() {
    let server = Server::start_alone(&["--rate", "0"]);
    let addr = server.addr;
    let clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    let (warm, is_warm) = channel();
    let start = thread::scope(|scope| {
        for mut client in clients {
            let mut mouth = client.mouth();
            scope.spawn(move || while mouth.write_all(b"under load, all the time\n").is_ok() {});
            let warm = warm.clone();
            scope.spawn(move || {
                for _ in 0..1000 {
                    client.line();
                }
                warm.send(()).ok();
                let mut last = String::new();
                loop {
                    match client.hear(DEADLINE) {
                        Heard::Line(line) => last = line,
                        heard => {
                            assert_eq!((heard, &*last), (Heard::Eof, SHUTTING_DOWN));
                            break;
                        }
                    }
                }
                client.stream.shutdown(Shutdown::Both).ok();
            });
        }
        for _ in 0..5 {
            is_warm.recv_timeout(DEADLINE).expect("five who flood");
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
fn the_end_does_not_wait_longer_than_its_deadline_for_those_who_stay() {
    let server = Server::start(&["--drain-timeout", "0.3"]);
    let mut ann = server.connect();
    let _stuck = server.connect_narrow();
    let start = Instant::now();
    server.signal(Signal::TERM);
    ann.expect_among(SHUTTING_DOWN);
    ann.eof(); // and does not close
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_millis(1800), "{took:?}");
    assert!(log.iter().any(|line| line.contains("WARN") && line.contains("drain timeout")), "{log:#?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
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
