//! Commands and subcommands while a hundred clients talk: 260 lines are in flight all the time.

use std::{
    io,
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
};

use common::{Client, EN, Server, ZH, run, until};

const LISTENERS: usize = 90;
const SPEAKERS: usize = 10;
/// The most lines of one speaker that have not come back to it.
const WINDOW: usize = 26;

/// Does something under steady load.
fn under_load(server: &Server, act: impl FnOnce()) {
    let (is_over, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let _end = server.ends_with_failure();
        let listeners: Vec<TcpStream> = (0..LISTENERS).map(|_| server.connect().writer()).collect();
        for mut listener in listeners.iter().map(|listener| listener.try_clone().expect("a descriptor")) {
            scope.spawn(move || io::copy(&mut listener, &mut io::sink()));
        }
        for _ in 0..SPEAKERS {
            let mut speaker = server.connect();
            let (is_over, rounds) = (&is_over, &rounds);
            scope.spawn(move || {
                let (said, heard) = ("load\n".repeat(WINDOW), speaker.says("load"));
                while !is_over.load(Relaxed) {
                    speaker.send(said.as_bytes());
                    for _ in 0..WINDOW {
                        speaker.expect_among(&heard);
                    }
                    rounds.fetch_add(1, Relaxed);
                }
            });
        }
        let load_goes_on = || {
            let before = rounds.load(Relaxed);
            until("the load goes on", || rounds.load(Relaxed) > before);
        };
        load_goes_on();
        act();
        load_goes_on();
        is_over.store(true, Relaxed);
        for listener in &listeners {
            listener.shutdown(Shutdown::Both).ok(); // fails when the server has closed it already
        }
    });
}

/// Sends a `sync`, and returns what comes before its answer, without the load.
fn synced(client: &mut Client, answer: &str) -> Vec<String> {
    client.say("sync|load");
    let mut heard = client.expect_among(answer);
    heard.retain(|line| !line.contains("load"));
    heard
}

#[test]
fn every_command_works_under_load() {
    let server = Server::start(&["--rate", "0"]);
    under_load(&server, || {
        let [mut ann, mut bob] = ["ann", "bob"].map(|name| server.join(name));
        ann.say("who");
        assert!(synced(&mut ann, "sync|load").contains(&"[bob] is online".to_owned()));
        ann.send(b"help\nstay\nto|bob|psst\nto|nobody|psst\nrename|bob\nsay|who\n");
        let heard = synced(&mut ann, "sync|load");
        let at = |part: &str| {
            heard.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {heard:?}"))
        };
        let order =
            [at("wait|SECONDS|text"), at(EN.set_stay), at(EN.no_such_user), at(EN.name_taken), at(&ann.says("who"))];
        assert!(order.is_sorted(), "{heard:?}");
        bob.expect_among(&EN.private("ann", "psst"));

        for (wait, met) in [
            ("wait|60|user|bob", "wait|ok|bob"),
            ("wait|60|gone|nobody", "wait|ok|nobody"),
            ("wait|60|users|102", "wait|ok|102"),
            ("wait|60|text|loa", "wait|ok|loa"),
        ] {
            ann.say(wait);
            ann.expect_among(met);
        }
        ann.say("wait|60|gone|bob");
        bob.say("quit");
        assert!(bob.rest().last().is_some_and(|line| line == EN.goodbye));
        ann.expect_among("wait|ok|bob");

        ann.say("format|json");
        while !ann.line().contains("\"event\":\"set\"") {}
        assert!((0..100).all(|_| ann.line().starts_with('{')));
        ann.send(b"format|text\nlang|zh\n");
        ann.expect_among(ZH.set_lang);
        ann.say("wait|0.1|user|godot");
        assert_eq!(ann.rest().last().map(String::as_str), Some("wait|timeout"));
    });
}

#[test]
fn every_subcommand_works_under_load() {
    let server = Server::start(&["--rate", "0"]);
    let cli = |flags: &[&str]| {
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        run(&[&[*subcommand, "--port", &server.addr.port().to_string()], rest].concat())
    };
    under_load(&server, || {
        let mut bob = server.join("bob");
        let (code, out, _) = cli(&["wait", "user", "bob"]);
        assert_eq!((code, out.as_str()), (0, ""));
        assert_eq!(cli(&["wait", "--timeout", "0.2", "user", "godot"]).0, 124);
        assert_eq!(cli(&["send", "--name", "ci", "all", "done"]).0, 0);
        while !bob.line().ends_with("]ci:all done") {}
        assert_eq!(cli(&["send", "--name", "ci", "--to", "bob", "psst"]).0, 0);
        bob.expect_among(&EN.private("ci", "psst"));
        assert_eq!(cli(&["send", "--to", "nobody", "psst"]).0, 1);
        let (code, out, _) = cli(&["listen", "--count", "500"]);
        assert_eq!((code, out.lines().count()), (0, 500));
        let (code, out, _) = cli(&["chat", "--name", "eve"]); // its stdin is empty
        assert_eq!((code, out.lines().last()), (0, Some(EN.goodbye)));
        while !bob.line().ends_with("]eve:is offline") {}
    });
}
