//! Lines that are too long, too many or too fast.

use std::{
    thread,
    time::{Duration, Instant},
};

use common::{EN, Server};
use rustix::process::Signal;

use crate::{LINE_MAX, MB, flood, read_flood};

#[test]
fn a_line_over_the_limit_is_refused_and_the_next_one_works() {
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
            ann.expect(&EN.line_too_long(LINE_MAX));
        }
        ann.expect(&ann.says("next"));
        bob.expect(&ann.says("next"));
    }
    // Also without a line ending.
    ann.send("x".repeat(4097).as_bytes());
    ann.half_close();
    ann.expect(&EN.line_too_long(LINE_MAX));
    ann.eof();
    bob.expect(&ann.offline());
}

#[test]
fn max_line_sets_the_limit_of_a_line() {
    let server = Server::start(&["--max-line", "10"]);
    let mut ann = server.join("ann"); // 10 bytes
    ann.say("1234567890");
    ann.expect(&ann.says("1234567890"));
    ann.say("12345678901");
    ann.expect(&EN.line_too_long(10));
}

#[test]
fn a_hundred_megabytes_without_a_line_ending_are_refused_once() {
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
    ann.expect(&EN.line_too_long(LINE_MAX));
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
    let (says, mut writer) = (ann.says(""), ann.writer());
    thread::scope(|scope| {
        scope.spawn(move || flood(&mut writer, 0..LINES, SIZE));
        let says = &says;
        scope.spawn(move || assert!(read_flood(&mut ann, says, 0..LINES, SIZE).is_empty()));
        let (mut read, mut asked, mut answers) = (0, None, Vec::new());
        while read < LINES {
            let line = bob.line();
            if let Some(text) = line.strip_prefix(says) {
                assert_eq!(text.get(..7), Some(&*format!("{read:07}")), "in order");
                read += 1;
                // Asks once the paste has begun, and again after each answer.
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
fn a_neighbour_is_answered_long_before_a_paste_ends() {
    const LINES: usize = 7000;
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    // Everything is in the sockets before the server reads any of it.
    server.signal(Signal::STOP);
    ann.send("x\n".repeat(LINES).as_bytes());
    bob.say("to|bob|?");
    server.signal(Signal::CONT);
    let before = bob.expect_among(&EN.private("bob", "?")).len();
    assert!(before <= 1024, "{before} lines of the paste came before the answer to its neighbour");
    for _ in before..LINES {
        bob.expect(&ann.says("x"));
    }
}

#[test]
fn a_flood_is_slowed_to_the_rate_limit_and_loses_nothing() {
    const LINES: usize = 700;
    let (rate, burst, batch) = (200.0, 100, 256);
    let server = Server::start(&["--rate", "200", "--burst", "100"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let (says, start) = (ann.says(""), Instant::now());
    flood(&mut ann.writer(), 0..LINES, 10);
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

#[test]
fn a_flood_of_renames_leaves_no_departure_out_of_the_log() {
    const RENAMES: usize = 2000;
    let server = Server::start(&["--rate", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    let lines: String = (0..RENAMES).map(|n| format!("rename|ann{n}\n")).collect();
    ann.send(lines.as_bytes());
    ann.fence();
    assert_eq!(bob.fence().len(), RENAMES, "all are told");
    drop(bob);
    ann.half_close();
    ann.rest();
    server.expect_log(1, " bob departed: left");
    server.expect_log(1, &format!(" ann{} departed: left", RENAMES - 1));
    let renames = server.expect_log(100, " is now ").len();
    assert!(renames < RENAMES / 2, "{renames} lines");
}
