//! Clients connect and vanish at random while others talk. Witnesses compare what they have read: all have the same
//! public lines in the same order, every arrival and every departure is announced exactly once, and no message is lost,
//! doubled or out of order. Only a client that ends without a word, before the server got to announce it, may come and go
//! unnoticed.
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
/// The last line of a round.
const END: &str = "that was all";

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

    let mut server = Server::start_alone(&[]);
    if duration.is_some() {
        server.lift_limit();
    }
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
        let lines = play(&server, files, &mut witnesses, clients, seed.wrapping_add(round as u64));
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

/// How often an address has connected, as ports may be used again, and how often it was not to be overlooked.
#[derive(Debug, Default)]
struct Came {
    times: i64,
    noticed: i64,
}

/// What all clients that come and go have done, by address.
#[derive(Debug, Default)]
struct Register(Mutex<HashMap<String, Came>>);

impl Register {
    fn enter(&self, client: &Client) {
        self.note(client, |came| came.times += 1);
    }

    /// The client was told that it is here, or has said something. Once for a connection.
    fn notice(&self, client: &Client) {
        self.note(client, |came| came.noticed += 1);
    }

    fn note(&self, client: &Client, note: impl FnOnce(&mut Came)) {
        note(self.0.lock().expect("nobody panics with it").entry(client.addr.clone()).or_default());
    }
}

/// One round: crowds and talkers come and go until only the witnesses and `files` are left. Returns the number of public
/// lines.
fn play(server: &Server, files: usize, witnesses: &mut [Client; WITNESSES], clients: usize, seed: u64) -> usize {
    let came = Register::default();
    let is_over = AtomicBool::new(false);
    let mut said = HashMap::new();
    let mut speaker = witnesses[0].writer();
    let transcripts: Vec<_> = thread::scope(|scope| {
        let _end = server.ends_with_failure();
        let watch = |witness| scope.spawn(move || watch(witness));
        let watching: Vec<_> = witnesses.iter_mut().map(watch).collect();
        let (came, is_over) = (&came, &is_over);
        let talking: Vec<_> = (0..TALKERS)
            .map(|number| {
                let rng = Rng(seed ^ (number as u64) << 32);
                scope.spawn(move || talk(server, number, rng, came, is_over))
            })
            .collect();
        let crowds: Vec<_> = (0..CROWDS)
            .map(|number| {
                let rng = Rng(seed ^ (number as u64) << 48);
                let share = (clients + number) / CROWDS;
                scope.spawn(move || come_and_go(server, share, rng, came))
            })
            .collect();
        let crowds_end = crowds.into_iter().map(|crowd| crowd.join()).collect::<Result<Vec<_>, _>>();
        is_over.store(true, Relaxed);
        crowds_end.expect("the crowds are through");
        said.extend(talking.into_iter().map(|talker| talker.join().expect("the talkers are through")));
        // Behind all others, so that none of them waits to be accepted any more.
        let last = server.connect();
        came.enter(&last);
        came.notice(&last);
        drop(last);
        until("the files of clients that have left are closed", || server.open_files() == files);
        speaker.write_all(format!("{END}\n").as_bytes()).expect("the server reads");
        watching.into_iter().map(|witness| witness.join().expect("the witnesses saw all")).collect()
    });
    let came = came.0.into_inner().expect("nobody panics with it");
    agree(&transcripts);
    examine(&transcripts[0], &came, &said);
    transcripts[0].len()
}

/// Collects all lines of a round.
fn watch(witness: &mut Client) -> Vec<String> {
    let (mut transcript, mut left, mut here) = (Vec::new(), 0, 0_i64);
    let end = format!(":{END}");
    loop {
        let line = match witness.receive(DEADLINE) {
            Received::Line(line) => line,
            heard => panic!("{left} have left, {here} are here, and then: {heard:?}"),
        };
        if line.ends_with(&end) {
            return transcript;
        }
        here += i64::from(line.ends_with(":is online")) - i64::from(line.ends_with(":is offline"));
        left += usize::from(line.ends_with(":is offline"));
        transcript.push(line);
    }
}

/// Sends numbered lines and waits for each to come back. Returns the client's address and how many lines it sent.
fn talk(server: &Server, number: usize, mut rng: Rng, came: &Register, is_over: &AtomicBool) -> (String, usize) {
    let mut client = server.dial();
    came.enter(&client);
    client.expect(&client.online());
    came.notice(&client);
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
fn come_and_go(server: &Server, clients: usize, mut rng: Rng, came: &Register) {
    // Each with whether it has said something.
    let (mut crowd, mut left): (Vec<(Client, bool)>, _) = (Vec::new(), clients);
    while left > 0 || !crowd.is_empty() {
        if left > 0 && crowd.len() < CROWD && rng.below(3) == 0 {
            // From many addresses, because one may run out of ports.
            let client = server.dial_from([127, 0, 1, 1 + rng.below(250) as u8]);
            came.enter(&client);
            left -= 1;
            crowd.push((client, false));
            continue;
        }
        if crowd.is_empty() {
            continue;
        }
        let one = rng.below(crowd.len());
        let other = rng.below(crowd.len());
        // A write may fail: the client may have been disconnected.
        let what = rng.below(12);
        let line = match what {
            0 => "hello\n".to_owned(),
            1 => "in two ".to_owned(),
            2 => format!("rename|guest{}\n", rng.below(50)),
            3 => "who\n".to_owned(),
            4 => format!("to|{}|psst\n", crowd[other].0.addr),
            5 => "\n".to_owned(),
            6 => "\u{7f}\r\u{1b}\n".to_owned(),
            7 => "to|\nrename|\n".to_owned(),
            how => {
                vanish(crowd.swap_remove(one).0, how + rng.below(2));
                continue;
            }
        };
        let (client, has_spoken) = &mut crowd[one];
        if client.stream.write_all(line.as_bytes()).is_ok() && matches!(what, 0 | 3) && !*has_spoken {
            *has_spoken = true;
            came.notice(client);
        }
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
            let end = loop {
                match client.receive(DEADLINE) {
                    Received::Line(_) => {}
                    end => break end,
                }
            };
            assert!(matches!(end, Received::Eof | Received::Reset), "{end:?}");
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

/// Every client was announced, every message was delivered, and nobody has a name that was not told before.
fn examine(transcript: &[String], came: &HashMap<String, Came>, said: &HashMap<String, usize>) {
    let (mut arrived, mut departed): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    let (mut heard, mut names): (HashMap<&str, usize>, HashMap<&str, &str>) = Default::default();
    for line in transcript {
        let (addr, rest) = line.strip_prefix('[').and_then(|line| line.split_once(']')).expect("[ADDR]NAME:TEXT");
        assert!(came.contains_key(addr), "{line}: no client has this address");
        // A name has no colon, an address has one.
        let name_len = if rest.starts_with(addr) { Some(addr.len()) } else { rest.find([':', ' ']) };
        let (name, text) = rest.split_at(name_len.expect("[ADDR]NAME:TEXT"));
        assert_eq!(name, *names.get(addr).unwrap_or(&addr), "{line}: the name was not told");
        if let Some(new) = text.strip_prefix(" is now [").and_then(|new| new.strip_suffix(']')) {
            assert!(arrived.contains_key(addr), "{line}: its arrival was not announced");
            names.insert(addr, new);
            continue;
        }
        match text.strip_prefix(':').expect("[ADDR]NAME:TEXT") {
            "is online" => *arrived.entry(addr).or_default() += 1,
            "is offline" => {
                names.remove(addr);
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
    for (addr, came) in came {
        let [arrived, departed] = [&arrived, &departed].map(|counts| counts.get(&**addr).copied().unwrap_or(0));
        assert_eq!(arrived, departed, "{addr} arrived and left this often");
        assert!((came.noticed..=came.times).contains(&arrived), "{addr} arrived {arrived} times: {came:?}");
    }
    for (addr, count) in said {
        assert_eq!(heard.get(&**addr).copied().unwrap_or(0), *count, "the messages of {addr} were delivered");
    }
}
