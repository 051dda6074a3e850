//! The commands for scripts, over real sockets: a whole session is one write, and its last line tells how it went.

use common::{Client, EN, Server, ZH, binary};

/// Sends all lines and half-closes; returns everything that the server sends until it closes.
fn dialogue(server: &Server, lines: &[&str]) -> Vec<String> {
    let mut client = server.connect();
    client.send((lines.join("\n") + "\n").as_bytes());
    client.half_close();
    client.rest()
}

#[test]
fn sync_is_answered_after_everything_that_the_lines_before_it_caused() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    let mut ann = server.join("ann");
    bob.fence();
    ann.send(b"one\nto|bob|two\nto|nobody|x\nsync|a|b\nthree\nsync|\n");
    ann.expect(&ann.says("one"));
    ann.expect(EN.no_such_user);
    ann.expect("sync|a|b");
    ann.expect(&ann.says("three"));
    ann.expect("sync|");
    // Bob has received them too: the answer to his own line comes later.
    bob.send(b"sync|bob\n");
    bob.expect(&ann.says("one"));
    bob.expect(&EN.private("ann", "two"));
    bob.expect(&ann.says("three"));
    bob.expect("sync|bob");
}

#[test]
fn a_wait_holds_back_later_lines_until_it_is_met() {
    let server = Server::start(&[]);
    let mut ci = server.join("ci");
    ci.send(b"wait|60|user|deployer\nto|deployer|go\nwait|60|text|done\nsync|end\n");
    ci.half_close();
    let mut deployer = server.join("deployer");
    deployer.expect(&EN.private("ci", "go"));
    deployer.say("not yet");
    deployer.say("all done now");
    let heard = ci.rest();
    let at = |line: &str| heard.iter().position(|heard| heard == line).unwrap_or_else(|| panic!("{line}: {heard:?}"));
    let order = [
        at("wait|ok|deployer"),
        at(&deployer.says("not yet")),
        at(&deployer.says("all done now")),
        at("wait|ok|done"),
        at("sync|end"),
    ];
    assert!(order.is_sorted(), "{heard:?}");
    assert_eq!(order[4], heard.len() - 1, "the last line tells how it went: {heard:?}");
}

#[test]
fn a_wait_as_last_line_is_answered_before_the_connection_closes() {
    let server = Server::start(&[]);
    let mut bob = server.join("bob");
    for round in 0..20 {
        let mut ci = server.connect();
        ci.send(b"rename|ci\nwait|60|text|done\n");
        ci.half_close();
        bob.expect_among(&ci.online());
        // The half-close reaches the server before anything that Bob sends after these round trips.
        bob.fence();
        bob.fence();
        bob.send(format!("all done\nand more in round {round}\n").as_bytes());
        assert_eq!(ci.rest().last().map(String::as_str), Some("wait|ok|done"));
    }
}

#[test]
fn every_kind_of_wait_is_met() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    assert_eq!(dialogue(&server, &["wait|60|user|ANN"]), ["wait|ok|ANN"]);
    assert_eq!(dialogue(&server, &["wait|60|gone|nobody"]), ["wait|ok|nobody"]);
    assert_eq!(dialogue(&server, &["wait|60|users|2"]), ["wait|ok|2"]);
    ann.send(b"wait|60|users|2\nwait|60|gone|bob\n");
    let bob = server.join("bob");
    ann.expect_among("wait|ok|2");
    bob.half_close();
    ann.expect_among("wait|ok|bob");
    ann.send(b"wait|60|text|secret\n");
    let mut eve = server.join("eve");
    eve.say("to|ann|a secret for you");
    ann.expect_among(&EN.private("eve", "a secret for you"));
    ann.expect("wait|ok|secret");
}

#[test]
fn a_wait_that_times_out_drops_the_later_lines_and_closes() {
    let server = Server::start(&[]);
    assert_eq!(dialogue(&server, &["wait|0.2|user|godot", "never said", "sync|x"]), ["wait|timeout"]);
    let mut ann = server.connect();
    ann.send(b"wait|0|users|99\nnever said\n"); // without a half-close: the server closes all the same
    ann.expect("wait|timeout");
    ann.eof();
}

#[test]
fn a_client_that_waits_or_stays_is_exempt_from_the_idle_timeout() {
    let server = Server::start(&["--idle-timeout", "0.3"]);
    let mut waits = server.connect();
    waits.say("wait|1.2|user|godot");
    let mut stays = server.connect();
    stays.say("stay");
    stays.expect_among(EN.set_stay);
    let mut sits = server.dial();
    sits.expect_among(EN.idle);
    sits.eof();
    waits.expect_among("wait|timeout");
    waits.eof();
    stays.fence();

    let strict = server.start_another(&["--idle-timeout", "0.3", "--strict-idle"]);
    let mut sits = strict.connect();
    sits.say("stay");
    sits.expect(EN.stay_forbidden);
    sits.expect(EN.idle);
    sits.eof();
}

#[test]
fn quit_is_answered_and_closes_the_connection() {
    let server = Server::start(&[]);
    let mut ann = server.connect();
    ann.send(b"who\nquit\nnever said\n");
    ann.expect_among(EN.goodbye);
    ann.eof();
}

#[test]
fn say_is_verbatim_and_malformed_commands_are_refused() {
    let server = Server::start(&[]);
    let mut ann = server.dial();
    ann.fence();
    for text in ["who", "quit", "to|bob|hi", "say|x", ""] {
        ann.say(&format!("say|{text}"));
        ann.expect(&ann.says(text));
    }
    for (line, form) in [("quit|x", "quit"), ("lang|fr", "lang|zh, lang|en"), ("format|", "format|json, format|text")] {
        ann.say(line);
        ann.expect(&EN.malformed(form));
    }
    ann.say("wait|3601|user|bob");
    ann.expect(&EN.wait_too_long(3600));
}

#[test]
fn format_and_lang_apply_from_the_next_line() {
    let server = Server::start_with(binary(), &["--port", "0"]);
    let mut ann = server.join("ann");
    ann.send("lang|en\nto|ann|x\nformat|json\nto|ann|\u{1b}\"\\é\nformat|text\nlang|zh\nto|ann|y\n".as_bytes());
    ann.expect(EN.set_lang);
    ann.expect(&EN.private("ann", "x"));
    assert!(ann.line().contains(r#""event":"set""#));
    let json = ann.line();
    assert!(json.contains(r#""event":"private","from":{"name":"ann","addr":""#), "{json}");
    assert!(json.contains(r#""text":"\u001b\"\\é","code":null,"old":null,"count":null,"#), "{json}");
    ann.expect(EN.set_format_text);
    ann.expect(ZH.set_lang);
    ann.expect(&ZH.private("ann", "y"));
}

#[test]
fn public_events_are_numbered_without_gaps() {
    let server = Server::start(&[]);
    let mut ann = server.connect();
    ann.say("format|json");
    ann.line();
    let mut bob = server.join("bob");
    bob.say("hi");
    bob.half_close();
    let seqs: Vec<u64> = (0..3)
        .map(|_| {
            let line = ann.line();
            let (_, rest) = line.split_once("\"seq\":").expect("a seq");
            let digits = rest.split(',').next().expect("more keys");
            digits.parse().unwrap_or_else(|_| panic!("{line}"))
        })
        .collect();
    assert_eq!(seqs, [2, 3, 4]);
}

#[test]
fn help_lists_the_limits_in_force() {
    let server = Server::start(&["--max-line", "77", "--max-rooms-per-client", "7"]);
    let mut ann: Client = server.dial();
    ann.say("help");
    ann.expect_among("longest line, bytes: 77");
    ann.expect_among("rooms per client: 7");
}
