//! Conversations with the real binary over sockets, as the tutorial describes them: every text of the wire in both
//! languages, what makes a line, how a connection ends, and the program around it.

use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use common::{Client, DEADLINE, EN, Heard, LONG_NAME, PUNCTUATION, Server, Texts, ZH, binary, note, run};
use futures::channel::oneshot;
use rustix::process::Signal;

/// Runs the test in each language, with the server's other flags.
fn in_both(flags: &[&str], test: impl Fn(Server, &Texts)) {
    for texts in [&ZH, &EN] {
        test(Server::start_with(binary(), &[&["--port", "0", "--lang", texts.lang], flags].concat()), texts);
    }
}

// ------------------------------------------------------------------------------------------------------- the wire

#[test]
fn everyone_is_told_of_an_arrival_the_newcomer_first_of_all() {
    in_both(&[], |server, texts| {
        let mut ann = server.dial();
        ann.expect(&format!("[{0}]{0}:{1}", ann.addr, texts.online));
        let mut bob = server.dial();
        let arrival = format!("[{0}]{0}:{1}", bob.addr, texts.online);
        bob.expect(&arrival);
        ann.expect(&arrival);
        ann.nothing();
        bob.nothing();
    });
}

#[test]
fn everyone_is_told_a_text_the_sender_too() {
    in_both(&[], |server, _| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        let mut cat = server.connect();
        ann.fence();
        bob.fence();
        for text in ["大家好, all of you", " ", "a|b|c", "who ", "rename", "to", "Who", "tab\there", "[x]y:z"] {
            bob.say(text);
            let line = format!("[{}]bob:{text}", bob.addr);
            ann.expect(&line);
            bob.expect(&line);
            cat.expect(&line);
        }
        cat.say("nameless");
        ann.expect(&format!("[{0}]{0}:nameless", cat.addr));
    });
}

#[test]
fn who_lists_everyone_in_order_of_arrival_to_the_asker() {
    in_both(&[], |server, _| {
        let [mut zoe, mut ann] = server.join_all(["zoe", "ann"]);
        let mut cat = server.connect();
        zoe.fence();
        ann.fence();
        ann.say("who");
        ann.expect("[zoe] is online");
        ann.expect("[ann] is online");
        ann.expect(&format!("[{}] is online", cat.addr));
        ann.nothing();
        zoe.nothing();
        cat.nothing();
    });
}

#[test]
fn a_rename_is_told_to_the_asker_and_holds_from_the_next_line() {
    in_both(&[], |server, texts| {
        let mut ann = server.connect();
        let mut bob = server.join("bob");
        ann.fence();
        ann.say("rename|张三");
        ann.expect(&texts.renamed(&ann.addr, "张三"));
        ann.say("rename|李四");
        ann.expect(&texts.renamed("张三", "李四"));
        ann.say("hi");
        ann.expect(&format!("[{}]李四:hi", ann.addr));
        bob.expect(&format!("[{}]李四:hi", ann.addr));
        bob.say("who");
        bob.expect("[李四] is online");
        bob.expect("[bob] is online");
        bob.nothing();
    });
}

#[test]
fn a_taken_name_is_refused_and_a_given_up_one_is_free() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for taken in ["ann", "ANN", "ａｎｎ", "аnn"] {
            bob.say(&format!("rename|{taken}"));
            bob.expect(texts.name_taken);
        }
        bob.say("who");
        bob.expect("[ann] is online");
        bob.expect("[bob] is online");
        ann.say("rename|Ann");
        ann.expect(&texts.renamed("ann", "Ann"));
        ann.say("rename|zoe");
        ann.expect(&texts.renamed("Ann", "zoe"));
        bob.say("rename|ann");
        bob.expect(&texts.renamed("bob", "ann"));
        let gone = format!("[{}]zoe:{}", ann.addr, texts.offline);
        drop(ann);
        bob.expect(&gone);
        bob.say("rename|zoe");
        bob.expect(&texts.renamed("ann", "zoe"));
    });
}

#[test]
fn a_name_that_is_none_is_refused_with_the_rule_and_changes_nothing() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for (name, rule) in texts.name_rules {
            ann.say(&format!("rename|{name}"));
            ann.expect(&texts.name_invalid(rule));
        }
        for name in ["a[b", "a]b", "a:b", "|", "："] {
            ann.say(&format!("rename|{name}"));
            ann.expect(&texts.name_invalid(texts.name_rules[PUNCTUATION].1));
        }
        ann.say(&format!("rename|{}", &LONG_NAME[1..]));
        ann.expect(&texts.renamed("ann", &LONG_NAME[1..]));
        ann.nothing();
        bob.nothing();
    });
}

#[test]
fn a_private_message_is_told_to_its_recipient_alone() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        let mut cat = server.connect();
        ann.fence();
        bob.fence();
        ann.say("to|bob|a|b|");
        ann.say("to|BOB|again");
        ann.say(&format!("to|{}|nameless", cat.addr));
        ann.say("to|ann|to myself");
        cat.say("to|ann|re");
        ann.expect(&texts.private("ann", "to myself"));
        ann.expect(&texts.private(&cat.addr, "re"));
        bob.expect(&texts.private("ann", "a|b|"));
        bob.expect(&texts.private("ann", "again"));
        cat.expect(&texts.private("ann", "nameless"));
        for client in [&mut ann, &mut bob, &mut cat] {
            client.nothing();
        }
    });
}

#[test]
fn a_private_message_that_is_none_is_refused() {
    in_both(&[], |server, texts| {
        let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
        for (line, refusal) in [
            ("to|", texts.private_form),
            ("to||", texts.private_form),
            ("to||hi", texts.private_form),
            ("to|bob", texts.private_form),
            ("to|bob|", texts.empty_text),
            ("to|zoe|hi", texts.no_such_user),
            ("to| bob|hi", texts.no_such_user),
        ] {
            ann.say(line);
            ann.expect(refusal);
        }
        ann.nothing();
        bob.nothing();
    });
}

#[test]
fn silence_is_warned_of_and_ended_and_the_others_are_told() {
    in_both(&["--idle-timeout", "0.5"], |server, texts| {
        let start = Instant::now();
        let mut ann = server.join("ann");
        let mut bob = server.join("bob");
        ann.expect(&format!("[{0}]{0}:{1}", bob.addr, texts.online));
        // Blank lines are a sign of life, and nobody's business.
        let kicked = loop {
            bob.send(b"\n");
            match bob.hear(Duration::from_millis(100)) {
                Heard::Silence => assert!(start.elapsed() < DEADLINE, "ann is silent and still here"),
                heard => break heard,
            }
        };
        assert!(start.elapsed() > Duration::from_millis(500), "after {:?}", start.elapsed());
        assert_eq!(kicked, Heard::Line(format!("[{}]ann:{}", ann.addr, texts.offline)));
        bob.say("who");
        bob.expect("[bob] is online");
        bob.say("rename|ann");
        bob.expect(&texts.renamed("bob", "ann"));
        ann.expect(texts.idle);
        ann.eof();
        bob.expect(texts.idle);
        bob.eof();
    });
}

#[test]
fn without_an_idle_timeout_nobody_is_kicked() {
    let server = Server::start(&["--idle-timeout", "0"]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    assert_eq!(ann.hear(Duration::from_millis(300)), Heard::Silence);
    bob.nothing();
    ann.nothing();
}

#[test]
fn a_departure_is_told_to_the_others_once_however_it_comes() {
    in_both(&[], |server, texts| {
        let mut ann = server.join("ann");
        let leavers: [fn(Client); 4] = [
            drop,
            Client::reset,
            |client| {
                client.half_close();
                drop(client);
            },
            |mut client| {
                client.half_close();
                client.eof();
            },
        ];
        for leave in leavers {
            let bob = server.join("bob");
            let gone = format!("[{}]bob:{}", bob.addr, texts.offline);
            assert_eq!(ann.fence(), [format!("[{0}]{0}:{1}", bob.addr, texts.online)]);
            leave(bob);
            ann.expect(&gone);
            ann.say("who");
            ann.expect("[ann] is online");
            ann.nothing();
        }
    });
}

#[test]
fn one_who_leaves_before_a_rename_is_known_by_its_address() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let bob = server.connect();
    ann.expect(&bob.online());
    let gone = format!("[{0}]{0}:is offline", bob.addr);
    drop(bob);
    ann.expect(&gone);
}

// ------------------------------------------------------------------------------------------------- what is a line

#[test]
fn a_line_may_come_in_pieces_and_several_in_one() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    for byte in "one 二\ntwo\r\n".as_bytes() {
        ann.send(&[*byte]);
    }
    ann.expect(&ann.says("one 二"));
    ann.expect(&ann.says("two"));
    ann.send(b"three\nfour\nfi");
    ann.expect(&ann.says("three"));
    ann.expect(&ann.says("four"));
    // The half line is nobody's business until it is whole.
    assert_eq!(bob.fence(), ["one 二", "two", "three", "four"].map(|text| ann.says(text)));
    ann.send(b"ve\n\n\nsix\r\n\r\nseven\n");
    for text in ["five", "six", "seven"] {
        ann.expect(&ann.says(text));
    }
    ann.nothing();
    assert_eq!(bob.fence(), ["five", "six", "seven"].map(|text| ann.says(text)), "and no blank lines");
}

#[test]
fn the_last_line_needs_no_ending() {
    let server = Server::start(&[]);
    let [mut ann, bob] = server.join_all(["ann", "bob"]);
    let (said, gone) = (bob.says("last words"), bob.offline());
    (&bob.stream).write_all(b"last words").expect("connected");
    drop(bob);
    ann.expect(&said);
    ann.expect(&gone);
    ann.nothing();
}

#[test]
fn the_end_of_input_is_not_leave_now() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    // As `printf 'who' | nc -N` does.
    let mut bob = server.dial();
    bob.send(b"rename|bob\nto|bob|note to self\nwho");
    bob.half_close();
    bob.expect(&bob.online());
    bob.expect(&EN.renamed(&bob.addr, "bob"));
    bob.expect(&EN.private("bob", "note to self"));
    bob.expect("[ann] is online");
    bob.expect("[bob] is online");
    bob.eof();
    ann.expect(&bob.online());
    ann.expect(&format!("[{}]bob:is offline", bob.addr));
}

#[test]
fn everything_sent_before_the_end_of_input_is_handled_and_answered() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    let mut bob = server.join("bob");
    let texts: Vec<_> = (0..2000).map(|number| format!("line {number}")).collect();
    bob.send(texts.join("\n").as_bytes());
    bob.half_close();
    let mut said: Vec<_> = texts.iter().map(|text| bob.says(text)).collect();
    assert_eq!(bob.rest(), said);
    said.insert(0, format!("[{0}]{0}:is online", bob.addr));
    said.push(bob.offline());
    for line in said {
        ann.expect(&line);
    }
}

#[test]
fn answers_come_in_the_order_of_the_lines_among_what_everyone_is_told() {
    let server = Server::start(&[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.send("one\nto|ann|two\nto|bob|three\nfour\nto|nobody|five\nsix\n".repeat(50).as_bytes());
    for _ in 0..50 {
        ann.expect(&ann.says("one"));
        ann.expect(&EN.private("ann", "two"));
        ann.expect(&ann.says("four"));
        ann.expect(EN.no_such_user);
        ann.expect(&ann.says("six"));
        bob.expect(&ann.says("one"));
        bob.expect(&EN.private("ann", "three"));
        bob.expect(&ann.says("four"));
        bob.expect(&ann.says("six"));
    }
    ann.nothing();
    bob.nothing();
}

// ---------------------------------------------------------------------------------------------------- the program

#[test]
fn it_says_one_line_when_it_listens_and_nothing_else() {
    let server = Server::start(&[]);
    let addr = server.addr;
    // The line is printed only when this works.
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.expect(&ann.says("hi"));
    server.signal(Signal::TERM);
    let (status, stdout, _) = server.exit(DEADLINE);
    assert_eq!((status.code(), stdout), (Some(0), vec![format!("pipechat listening on {addr}")]));
}

#[test]
fn it_listens_on_other_addresses_too() {
    if let Err(error) = TcpListener::bind("[::1]:0") {
        note(&format!("SKIPPED: an IPv6 address, because this machine has none: {error}"));
        return;
    }
    let server = Server::start(&["--host", "::1"]);
    assert!(server.addr.is_ipv6());
    let mut ann = server.join("ann");
    ann.say("hi");
    ann.expect(&format!("[{}]ann:hi", ann.addr));
    assert!(ann.addr.starts_with("[::1]:"), "{}", ann.addr);
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
fn a_bad_flag_is_one_sentence_and_a_failure() {
    let bad: [&[&str]; 14] = [
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
        &["--max-clients", "0"],
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
fn a_port_in_use_is_one_sentence_and_a_failure() {
    let server = Server::start(&[]);
    let (code, stdout, stderr) = run(&["--port", &server.addr.port().to_string()]);
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("pipechat: ") && stderr.contains(&server.addr.to_string()), "{stderr}");
    // And who had it first has not noticed.
    server.connect().nothing();
}

#[test]
fn the_port_is_free_again_at_once() {
    let server = Server::start(&[]);
    let addr = server.addr;
    let mut ann = server.connect();
    server.signal(Signal::TERM);
    let told = ann.line();
    assert_eq!(told, EN.shutting_down);
    ann.eof(); // the server has closed first: its end of the connection stays behind in TIME_WAIT
    drop(ann);
    assert!(server.exit(DEADLINE).0.success());
    let again = Server::start_with(binary(), &["--lang", "en", "--port", &addr.port().to_string()]);
    assert_eq!(again.addr, addr);
    again.connect().nothing();
}

#[test]
fn a_signal_ends_it_in_order() {
    for signal in [Signal::INT, Signal::TERM] {
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

#[test]
fn the_log_has_a_line_for_an_arrival_and_one_for_a_departure_with_the_reason() {
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
        assert_eq!(lines.len(), 2, "{log:#?}");
        assert!(lines[0].contains("arrived"), "{log:#?}");
        assert!(lines[1].contains("departed") && lines[1].ends_with(reason), "{log:#?}");
    }
}

#[test]
fn the_log_is_as_loud_as_the_environment_says() {
    let mut command = binary();
    command.env("RUST_LOG", "off");
    let server = Server::start_with(command, &["--port", "0", "--lang", "en"]);
    server.join("ann").fence();
    server.signal(Signal::TERM);
    let (status, _, log) = server.exit(DEADLINE);
    assert_eq!((status.code(), log), (Some(0), vec![]));
}

#[test]
fn another_program_can_run_the_server() {
    let config = pipechat::Config {
        addr: "127.0.0.1:0".parse().expect("an address"),
        lang: pipechat::chat::Lang::En,
        ..pipechat::Config::default()
    };
    let server = pipechat::Server::bind(config).expect("a free port");
    let addr = server.local_addr();
    assert_ne!(addr.port(), 0);
    let (stop, stopped) = oneshot::channel::<()>();
    let (ended, input_closed) = channel();
    let serving = thread::spawn(move || {
        let stop = async {
            stopped.await.ok();
        };
        server.run(stop);
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
