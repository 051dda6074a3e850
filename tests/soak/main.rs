//! Clients connect and vanish at random while others talk. Witnesses compare what they have read: all have the same
//! public lines in the same order, every arrival and every departure is announced exactly once, and no message is lost,
//! doubled or out of order.
//!
//! Two short rounds run with the other tests. `scripts/soak SECONDS` runs rounds of 5,000 clients for that long; the
//! server's memory must then be what it was in the first rounds.
//!
//! `PIPECHAT_SEED` repeats what the clients do, though not how the kernel schedules them.

use std::{
    collections::HashMap,
    env,
    io::Write,
    net::Shutdown,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use common::{Client, DEADLINE, EN, Received, Rng, Server, note, until};
use rustix::process::Signal;

const WITNESSES: usize = 10;
const TALKERS: usize = 50;
/// The most lines that a talker sends in a round.
const TALK_LINES: usize = 200;
/// Threads with clients that come and go.
const CROWDS: usize = 4;
/// The most clients of one crowd that are connected at a time.
const CROWD: usize = 100;
/// Clients that come and go in a round.
const SHORT_ROUND: usize = 500;
const LONG_ROUND: usize = 5000;

fn median(bytes: &[u64]) -> u64 {
    let mut bytes = bytes.to_vec();
    bytes.sort_unstable();
    bytes[bytes.len() / 2]
}

#[test]
fn witnesses_of_a_crowd_hear_the_same() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect("a number in the environment"));
    let duration = number("PIPECHAT_SOAK_SECONDS").map(Duration::from_secs);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seed = number("PIPECHAT_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    note(&format!("soak of PIPECHAT_SEED={seed}"));

    let server = Server::start_alone(&[]);
    let mut witnesses: [Client; WITNESSES] = std::array::from_fn(|number| server.join(&format!("witness{number}")));
    for witness in &mut witnesses {
        witness.say("stay"); // the soak takes longer than the idle timeout
        witness.fence();
    }
    let (start, files) = (Instant::now(), server.open_files());
    let (mut round, mut rss) = (0, Vec::new());
    let goes_on = |round: usize| match duration {
        Some(duration) => start.elapsed() < duration || round < 3,
        None => round < 2,
    };
    while goes_on(round) {
        let begun = Instant::now();
        let clients = if duration.is_some() { LONG_ROUND } else { SHORT_ROUND };
        let lines = play(&server, &mut witnesses, clients, seed.wrapping_add(round as u64));
        until("the files of clients that have left are closed", || server.open_files() == files);
        rss.push(server.rss());
        round += 1;
        let (kb, took) = (rss[round - 1] >> 10, begun.elapsed());
        note(&format!("round {round}: {clients} clients came and went, {lines} public lines, RSS {kb} kB, {took:.1?}"));
    }
    for witness in &mut witnesses {
        witness.nothing();
    }
    if duration.is_some() {
        // Medians, because what is queued at the end of one round may be a tenth of all memory.
        let (first, last) = (median(&rss[1..round.min(10)]), median(&rss[round.saturating_sub(9).max(1)..]));
        assert!(last as f64 <= first as f64 * 1.1, "{first} bytes in the first rounds, {last} in the last");
    }
    server.signal(Signal::TERM);
    for witness in &mut witnesses {
        assert_eq!(witness.rest().last().map(String::as_str), Some(EN.shutting_down));
    }
    drop(witnesses);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!(status.code(), Some(0));
    let trouble: Vec<_> = log.iter().filter(|line| !line.contains("INFO")).collect();
    assert!(trouble.is_empty(), "{trouble:#?}");
}

/// One round: crowds and talkers come and go until only the witnesses are left. Returns the number of public lines.
fn play(server: &Server, witnesses: &mut [Client; WITNESSES], clients: usize, seed: u64) -> usize {
    // How often each address has connected: ports may be used again.
    let came = Mutex::new(HashMap::new());
    let enter =
        |client: &Client| *came.lock().expect("nobody panics with it").entry(client.addr.clone()).or_insert(0) += 1;
    let is_over = AtomicBool::new(false);
    let expected = clients + TALKERS;
    let mut said = HashMap::new();
    let transcripts: Vec<_> = thread::scope(|scope| {
        let watch = |(number, witness)| scope.spawn(move || watch(witness, number == 0, expected));
        let watching: Vec<_> = witnesses.iter_mut().enumerate().map(watch).collect();
        let (enter, is_over) = (&enter, &is_over);
        let talking: Vec<_> = (0..TALKERS)
            .map(|number| {
                let rng = Rng(seed ^ (number as u64) << 32);
                scope.spawn(move || talk(server, number, rng, enter, is_over))
            })
            .collect();
        let crowds: Vec<_> = (0..CROWDS)
            .map(|number| {
                let rng = Rng(seed ^ (number as u64) << 48);
                let share = (clients + number) / CROWDS;
                scope.spawn(move || come_and_go(server, share, rng, enter))
            })
            .collect();
        let crowds_end = crowds.into_iter().map(|crowd| crowd.join()).collect::<Result<Vec<_>, _>>();
        is_over.store(true, Relaxed);
        crowds_end.expect("the crowds are through");
        said.extend(talking.into_iter().map(|talker| talker.join().expect("the talkers are through")));
        watching.into_iter().map(|witness| witness.join().expect("the witnesses saw all")).collect()
    });
    let came = came.into_inner().expect("nobody panics with it");
    agree(&transcripts);
    examine(&transcripts[0], &came, &said);
    transcripts[0].len()
}

/// Collects all lines of a round. One witness, the speaker, ends the round when all `expected` clients have left.
fn watch(witness: &mut Client, is_speaker: bool, expected: usize) -> Vec<String> {
    const END: &str = "that was all";
    let (mut transcript, mut left, mut here) = (Vec::new(), 0, 0_i64);
    let end = format!(":{END}");
    loop {
        let line = match witness.receive(DEADLINE) {
            Received::Line(line) => line,
            heard => panic!("{left} of {expected} have left, {here} are here, and then: {heard:?}"),
        };
        if line.ends_with(&end) {
            return transcript;
        }
        here += i64::from(line.ends_with(":is online")) - i64::from(line.ends_with(":is offline"));
        left += usize::from(line.ends_with(":is offline"));
        if is_speaker && left == expected && line.ends_with(":is offline") {
            witness.say(END);
        }
        transcript.push(line);
    }
}

/// Sends numbered lines and waits for each to come back. Returns the client's address and how many lines it sent.
fn talk(
    server: &Server,
    number: usize,
    mut rng: Rng,
    enter: &impl Fn(&Client),
    is_over: &AtomicBool,
) -> (String, usize) {
    let mut client = server.dial();
    enter(&client);
    client.expect(&client.online());
    let mut said = 0;
    while !is_over.load(Relaxed) {
        match rng.below(20) {
            0 => client.rename(&format!("talker{number}.{}", rng.below(100))),
            1 => {
                client.say("who");
                client.expect_among(&format!("[{}] is online", client.name));
            }
            2 => {
                let to = client.name.clone();
                client.say(&format!("to|{to}|{said}"));
                client.expect_among(&EN.private(&to, said));
            }
            _ if said < TALK_LINES => {
                client.say(&format!("number {said}"));
                client.expect_among(&client.says(&format!("number {said}")));
                said += 1;
            }
            // It has sent its share and only reads.
            _ => drop(client.receive(Duration::from_millis(10))),
        }
    }
    (client.addr.clone(), said)
}

/// Lets `clients` connect, send something or nothing, and vanish in every possible way.
fn come_and_go(server: &Server, clients: usize, mut rng: Rng, enter: &impl Fn(&Client)) {
    let (mut crowd, mut left): (Vec<Client>, _) = (Vec::new(), clients);
    while left > 0 || !crowd.is_empty() {
        if left > 0 && crowd.len() < CROWD && rng.below(3) == 0 {
            // From many addresses, because one may run out of ports.
            let client = server.dial_from([127, 0, 1, 1 + rng.below(250) as u8]);
            enter(&client);
            left -= 1;
            crowd.push(client);
            continue;
        }
        if crowd.is_empty() {
            continue;
        }
        let one = rng.below(crowd.len());
        let other = rng.below(crowd.len());
        // A write may fail: the client may have been disconnected.
        let line = match rng.below(12) {
            0 => "hello\n".to_owned(),
            1 => "in two ".to_owned(),
            2 => format!("rename|guest{}\n", rng.below(50)),
            3 => "who\n".to_owned(),
            4 => format!("to|{}|psst\n", crowd[other].addr),
            5 => "\n".to_owned(),
            6 => "\u{7f}\r\u{1b}\n".to_owned(),
            7 => "to|\nrename|\n".to_owned(),
            how => {
                vanish(crowd.swap_remove(one), how + rng.below(2));
                continue;
            }
        };
        (&crowd[one].stream).write_all(line.as_bytes()).ok();
    }
}

fn vanish(mut client: Client, how: usize) {
    match how {
        8 => client.reset(),
        9 => {
            client.stream.write_all(b"half a li").ok();
            client.reset();
        }
        10 => drop(client.stream.write_all(b"last words")),
        // Reads to the end, as nc -N does.
        11 => {
            client.stream.write_all(b"who\nlast words").ok();
            client.stream.shutdown(Shutdown::Write).ok();
            while let Received::Line(_) = client.receive(DEADLINE) {}
        }
        _ => drop(client),
    }
}

/// All witnesses have read the same.
fn agree(transcripts: &[Vec<String>]) {
    for (number, transcript) in transcripts.iter().enumerate() {
        if *transcript != transcripts[0] {
            let (a, b) = (&transcripts[0], transcript);
            let at = a.iter().zip(b).take_while(|(a, b)| a == b).count();
            panic!("witness 0 and {number} disagree at line {at}: {:?} and {:?}", a.get(at), b.get(at));
        }
    }
}

/// Every client was announced, and every message was delivered.
fn examine(transcript: &[String], came: &HashMap<String, i64>, said: &HashMap<String, usize>) {
    let (mut arrived, mut departed): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    let mut heard: HashMap<&str, usize> = HashMap::new();
    for line in transcript {
        let (addr, rest) = line.strip_prefix('[').and_then(|line| line.split_once(']')).expect("[ADDR]NAME:TEXT");
        assert!(came.contains_key(addr), "{line}: no client has this address");
        // A name has no colon, an address has one.
        let text = rest.strip_prefix(addr).unwrap_or(rest).split_once(':').expect("[ADDR]NAME:TEXT").1;
        match text {
            "is online" => *arrived.entry(addr).or_default() += 1,
            "is offline" => {
                let departed = departed.entry(addr).or_default();
                *departed += 1;
                assert!(*departed <= arrived.get(addr).copied().unwrap_or(0), "{line}: its arrival was not announced");
            }
            text => {
                assert!(arrived.contains_key(addr), "{line}: its arrival was not announced");
                if let Some(number) = text.strip_prefix("number ") {
                    let next = heard.entry(addr).or_default();
                    assert_eq!(number, next.to_string(), "the messages of {addr} come once and in order");
                    *next += 1;
                }
            }
        }
    }
    for (addr, &times) in came {
        let counts = [&arrived, &departed].map(|counts| counts.get(&**addr).copied().unwrap_or(0));
        assert_eq!(counts, [times; 2], "{addr} connected {times} times, and arrived and left this often");
    }
    for (addr, count) in said {
        assert_eq!(heard.get(&**addr).copied().unwrap_or(0), *count, "the messages of {addr} were delivered");
    }
}
