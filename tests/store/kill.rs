//! A server that is killed again and again while people talk.

use std::{
    collections::HashSet,
    env,
    io::Write,
    thread::{self, ScopedJoinHandle},
};

use common::{Client, DEADLINE, Received, Rng, Server};
use rustix::process::Signal;

use crate::{
    StoreFile, random,
    rows::{Row, ask_json, assert_grow, assert_same},
};

const ROOMS: [&str; 4] = ["builds", "deploys", "日本", "lobby"];
/// The rooms of each witness, who are in the lobby too.
const WITNESSES: [&[&str]; 3] = [&["builds", "deploys", "日本"], &["builds"], &["deploys", "日本"]];
const TALKERS: usize = 4;
/// Lines that a talker sends before it waits for the answers.
const LINES: usize = 10;
/// What stands in each line that is refused.
const REFUSED: &str = "refused";

/// Lines that are refused, each for another reason. The server takes lines of up to 200 bytes.
fn refused(rng: &mut Rng) -> Vec<u8> {
    let long = format!("in|builds|{REFUSED}{}", "x".repeat(300));
    let lines: [&[u8]; 8] = [
        long.as_bytes(),
        b"in|a b|refused",
        b"in|\xe5|refused",
        b"in|builds|refused\0",
        b"login|bob|refused",
        b"leave|refused",
        b"topic|refused|refused",
        b"to|nobody|refused",
    ];
    [lines[rng.below(lines.len())], b"\n"].concat()
}

/// Talks until the server ends. Returns what was confirmed.
fn talk(mut client: Client, mut rng: Rng) -> Confirmed {
    let (mut sent, mut confirmed) = (Vec::new(), Vec::new());
    for batch in 0.. {
        let mut lines = refused(&mut rng);
        for _ in 0..LINES {
            let text = format!("{} {}", client.name, sent.len());
            lines.extend(format!("in|{}|{text}\n", rng.pick(&ROOMS)).as_bytes());
            sent.push(text);
        }
        lines.extend(format!("sync|{batch}\n").as_bytes());
        if client.stream.write_all(&lines).is_err() {
            break;
        }
        let end = format!("sync|{batch}");
        loop {
            match client.receive(DEADLINE) {
                Received::Line(line) if line == end => break,
                Received::Line(line) => {
                    let position =
                        line.strip_prefix("in|ok|").and_then(|rest| rest.rsplit_once('|')?.1.split_once('.'));
                    if let Some((n, _)) = position {
                        confirmed.push((n.parse().expect("a number"), sent[confirmed.len()].clone()));
                    }
                }
                Received::Nothing => panic!("{} is not answered", client.name),
                Received::Eof | Received::Reset | Received::Unfinished(_) => return confirmed,
            }
        }
    }
    confirmed
}

/// Listens in the format JSON to these rooms.
#[track_caller]
fn listen(server: &Server, name: &str, rooms: &[&str]) -> Client {
    let mut client = server.join(name);
    for room in rooms {
        client.join(room);
    }
    client.say("format|json");
    client.fence_anywhere();
    client
}

/// What a talker was told of its lines: the number and the text of each, in their order.
type Confirmed = Vec<(u64, String)>;

/// One life of the server: it is killed when the first witness has been told so much. Returns what each witness and each
/// talker was told.
fn live(server: &Server, round: usize, rng: &mut Rng) -> (Vec<Vec<Row>>, Vec<Confirmed>) {
    let mut witnesses = Vec::new();
    for (number, rooms) in WITNESSES.iter().enumerate() {
        witnesses.push(listen(server, &format!("witness{number}"), rooms));
    }
    for witness in &mut witnesses {
        witness.fence_anywhere(); // from here on they are told the same
    }
    let life = 20 + rng.below(300);
    thread::scope(|scope| {
        let _end = server.ends_with_failure();
        let talkers: Vec<ScopedJoinHandle<'_, _>> = (0..TALKERS)
            .map(|number| {
                let (client, rng) = (server.join(&format!("talker{round}-{number}")), Rng(rng.number()));
                scope.spawn(move || talk(client, rng))
            })
            .collect();
        let mut first = witnesses.remove(0);
        let others: Vec<_> =
            witnesses.into_iter().map(|mut witness| scope.spawn(move || Row::told_to_the_end(&mut witness))).collect();
        let mut told = Vec::new();
        while told.len() < life {
            told.extend(Row::told(&first.line()));
        }
        server.signal(Signal::KILL);
        told.extend(Row::told_to_the_end(&mut first));
        let seen = [told].into_iter().chain(others.into_iter().map(|other| other.join().expect("no panic")));
        (seen.collect(), talkers.into_iter().map(|talker| talker.join().expect("no panic")).collect())
    })
}

/// All that they have seen is in the file, and what is there between what they have seen they have seen too.
#[track_caller]
fn compare(kept: &[Row], witnesses: &[Vec<Row>], talkers: &[Confirmed]) {
    for (number, (seen, rooms)) in witnesses.iter().zip(WITNESSES).enumerate() {
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { continue };
        let hears = |room: &str| room == "lobby" || rooms.contains(&room);
        let kept = kept.iter().filter(|row| (first.n..=last.n).contains(&row.n) && hears(&row.room));
        assert_same(seen, &kept.cloned().collect::<Vec<_>>(), &format!("witness{number}"));
    }
    for (n, text) in talkers.iter().flatten() {
        let row = kept.binary_search_by_key(n, |row| row.n).map(|place| &kept[place]);
        assert!(row.is_ok_and(|row| row.text.as_ref() == Some(text)), "{text} was confirmed as {n}, not {row:?}");
    }
}

/// Nothing is in the file that was refused, or twice; of each talker it has the first lines, in their order.
#[track_caller]
fn check(kept: &[Row]) {
    assert_grow(kept);
    let mut spoken = std::collections::HashMap::new();
    let mut texts = HashSet::new();
    for row in kept.iter().filter(|row| row.kind == "message") {
        let text = row.text.as_deref().expect("a message has a text");
        assert!(texts.insert(text), "twice: {row:?}");
        let next = spoken.entry(&row.name).or_insert(0);
        assert_eq!(text, format!("{} {next}", row.name), "each line of {} in its place: {row:?}", row.name);
        *next += 1;
    }
    for row in kept {
        let is_refused = |text: &str| text.contains(REFUSED);
        assert!(!is_refused(&row.room) && !row.text.as_deref().is_some_and(is_refused), "{row:?}");
    }
}

#[test]
fn what_was_seen_before_a_kill_is_in_the_store() {
    let kills = env::var("PIPECHAT_KILLS").ok().map_or(10, |kills| kills.parse().expect("a number"));
    let mut rng = random("kills");
    let file = StoreFile::new();
    let flags = ["--recent", "20", "--max-line", "200", "--rate", "0", "--history-lines", "0"];
    let (mut before, mut epoch) = (0, None);
    for round in 0..kills {
        let server = file.serve(&flags);
        let (witnesses, talkers) = live(&server, round, &mut rng);
        server.exit(DEADLINE);
        if round % 2 == 0 {
            compare(&file.rows(), &witnesses, &talkers); // before another server has seen the file
        }
        let server = file.serve(&flags);
        let kept = file.rows();
        compare(&kept, &witnesses, &talkers);
        check(&kept);
        for row in witnesses.iter().flatten() {
            assert!(row.n > before, "used before {before}: {row:?}");
        }
        // What the file has is what is told again, from any place on.
        let mut late = server.dial();
        late.say("visit\nformat|json");
        late.fence_anywhere();
        let from = &kept[rng.below(kept.len())];
        let epoch = epoch.get_or_insert_with(|| file.epoch());
        for room in ROOMS {
            let mut after = from.n;
            let mut told = Vec::new();
            loop {
                let question = format!("history|{room}|since|{after}.{epoch}");
                let (rows, end) = ask_json(&mut late, &question, "history");
                assert_eq!(end["event"], "ok", "{question}: {end}");
                told.extend(rows);
                if end["code"] != "more" {
                    break;
                }
                after = told.last().expect("more than none").n;
            }
            let behind = kept.iter().filter(|row| row.n > from.n && row.room == room);
            assert_same(&told, &behind.cloned().collect::<Vec<_>>(), &format!("history of {room}"));
        }
        let seen = witnesses.iter().flatten().map(|row| row.n);
        before = seen.chain(kept.iter().map(|row| row.n)).chain([before]).max().unwrap_or(0);
        server.signal(Signal::KILL);
        server.exit(DEADLINE);
    }
}
