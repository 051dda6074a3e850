//! `pipechat listen` with `--since`, `--resume` and `--reconnect`: nothing is missed, and nothing is printed twice.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use common::{Client, Server, TimeLimit, binary, until};
use rustix::net::{Shutdown, shutdown};

use crate::{
    DONE, LOST, REFUSED, TIMED_OUT, cli,
    history::{numbers, say_in},
    process::Cli,
    rooms::until_members,
};

/// A file that is not there, in a folder of its own.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("listen-{name}"));
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).expect("a folder of ours");
    folder.join("pos")
}

/// Cuts the connection of the user who is called so, as the others see it.
pub(crate) fn cut(server: &Server, ann: &mut Client, name: &str) {
    ann.say("format|json\nwho\nformat|text");
    let lines = ann.fence_anywhere();
    let line = lines.iter().find(|line| line.contains(&format!(r#""event":"user","from":{{"name":"{name}""#)));
    let (_, rest) = line.expect("is here").split_once(r#""addr":""#).expect("an address");
    let addr = rest.split_once('"').expect("its end").0.parse().expect("an address");
    shutdown(server.socket_of(addr), Shutdown::Both).expect("a connection");
}

fn texts(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.rsplit_once(':').expect("a text").1.to_owned()).collect()
}

#[test]
fn since_prints_what_was_missed_as_if_it_were_live() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", numbers(3));
    let (_, position, _) = cli(&server, &["send", "--verbose", "--name", "ci", "here"]);
    say_in(&mut ann, "lobby", numbers(2));
    let since = ["--since", position.trim_end()];
    let mut live = Cli::spawn(&server, &[&["listen", "--name", "ear", "--event", "message"][..], &since].concat());
    live.is_listening(&server, "ear");
    assert_eq!([live.line(), live.line()], [ann.says("0"), ann.says("1")]);
    ann.say("live");
    assert_eq!(live.line(), ann.says("live"));
    let flags = ["listen", "--since", "1h", "--count", "2", "--match", "]ann:"];
    assert_eq!(cli(&server, &flags).1, format!("{}\n{}\n", ann.says("0"), ann.says("1")));
    let (_, out, _) = cli(&server, &["listen", "--since", "0", "--count", "1", "--json"]);
    assert!(out.contains(r#""text":"0""#) && out.contains(r#""replay":true"#), "{out}");
}

#[test]
fn one_position_goes_on_in_several_rooms_in_their_order() {
    let server = Server::start(&["--rate", "0", "--recent", "5000"]);
    let mut ann = server.join("ann");
    let rooms = ["builds", "deploys", "lobby"];
    let lines: String = (0..4000).map(|n| format!("in|{}|{n}\n", rooms[n * n % 7 % 3])).collect();
    ann.send(lines.as_bytes());
    ann.fence();
    let path = file("rooms");
    let path = path.to_str().expect("UTF-8");
    let flags = ["listen", "--event", "message", "--room", "builds", "--room", "lobby", "--room", "deploys"];
    let mut said = Vec::new();
    for count in [1, 1299, 2000, 700] {
        let more = ["--since", "0", "--resume", path, "--count", &count.to_string()];
        let (code, out, stderr) = cli(&server, &[&flags[..], &more].concat());
        assert_eq!((code, out.lines().count(), &*stderr), (DONE, count, ""));
        said.extend(texts(&out.lines().map(str::to_owned).collect::<Vec<_>>()));
    }
    assert_eq!(said, numbers(4000).collect::<Vec<_>>());
}

#[test]
fn a_file_is_made_and_holds_the_position_of_the_last_line() {
    let server = Server::start(&[]);
    let (mut ann, path) = (server.join("ann"), file("made"));
    let text = path.to_str().expect("UTF-8");
    say_in(&mut ann, "builds", ["before".to_owned()]);
    let flags = ["listen", "--room", "builds", "--event", "message", "--resume", text];
    let mut first = Cli::spawn(&server, &flags);
    until("it holds a position", || fs::read_to_string(&path).is_ok_and(|text| !text.is_empty()));
    say_in(&mut ann, "builds", ["one".to_owned()]);
    assert_eq!(first.line(), ann.says_in("builds", "one"), "it begins live");
    let (code, _, stderr) = cli(&server, &flags);
    assert_eq!((code, stderr), (REFUSED, format!("pipechat: {text} is in use by another process\n")));
    assert_eq!(first.kill(), [""; 0]);
    say_in(&mut ann, "builds", ["two".to_owned(), "three".to_owned()]);
    let (_, out, _) = cli(&server, &[&flags[..], &["--count", "2"]].concat());
    assert!(out.ends_with(&format!("{}\n{}\n", ann.says_in("builds", "two"), ann.says_in("builds", "three"))), "{out}");
    // What is not printed counts too.
    say_in(&mut ann, "builds", ["not this".to_owned(), "four".to_owned()]);
    let (_, out, _) = cli(&server, &[&flags[..], &["--match", "four", "--count", "1"]].concat());
    assert_eq!(out, format!("{}\n", ann.says_in("builds", "four")));
    let mut last = Cli::spawn(&server, &[&flags[..], &["--match", "never"]].concat());
    say_in(&mut ann, "builds", ["five".to_owned()]);
    let (_, history, _) = cli(&server, &["history", "builds", "--last", "1", "--json"]);
    let position =
        |text: &str| text.split_once(r#""pos":""#).and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()));
    let position = position(&history).expect("it is kept");
    until("it has moved on", || fs::read_to_string(&path).is_ok_and(|text| number(&text) >= number(&position)));
    last.kill();
    let flags = [&flags[..], &["--timeout", "0.1"]].concat();
    assert_eq!(cli(&server, &flags).0, TIMED_OUT);
    assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("ours").count(), 1, "nothing else is left there");
}

/// The number of a position.
fn number(position: &str) -> u64 {
    position.split_once('.').and_then(|(n, _)| n.parse().ok()).unwrap_or_else(|| panic!("{position:?}"))
}

#[test]
fn a_listener_that_is_killed_again_and_again_misses_nothing() {
    const KILLS: usize = 10;
    let server = Server::start(&["--rate", "0", "--recent", "1000000"]);
    let (mut ann, path, is_over) = (server.join("ann"), file("killed"), AtomicBool::new(false));
    let text = path.to_str().expect("UTF-8");
    let flags = ["listen", "--room", "builds", "--since", "0", "--event", "message", "--resume", text];
    say_in(&mut ann, "builds", ["0".to_owned()]);
    let (runs, last) = thread::scope(|scope| {
        let _end = server.ends_with_failure();
        let writer = scope.spawn(|| {
            for n in 1.. {
                say_in(&mut ann, "builds", [n.to_string()]);
                if is_over.load(Ordering::SeqCst) {
                    return n;
                }
            }
            unreachable!("it is over sooner")
        });
        let mut runs = Vec::new();
        for kill in 0..KILLS {
            let mut listener = Cli::spawn(&server, &flags);
            let mut lines: Vec<_> = (0..=kill * 7).map(|_| listener.line()).collect();
            lines.extend(listener.kill());
            runs.push(texts(&lines));
        }
        is_over.store(true, Ordering::SeqCst);
        (runs, writer.join().expect("it counts"))
    });
    let mut expected = 0;
    let mut check = |run: &[String]| {
        let numbers: Vec<u64> = run.iter().map(|text| text.parse().expect("a number")).collect();
        // One line may have been printed whose position was not written any more.
        assert!([expected, expected.max(1) - 1].contains(&numbers[0]), "{} after {expected}", numbers[0]);
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        expected = numbers[numbers.len() - 1] + 1;
    };
    runs.iter().for_each(|run| check(run));
    let mut listener = Cli::spawn(&server, &flags);
    let mut rest = vec![listener.line()];
    while !rest[rest.len() - 1].ends_with(&format!(":{last}")) {
        rest.push(listener.line());
    }
    check(&texts(&rest));
}

#[test]
fn a_listener_that_reconnects_misses_nothing() {
    let path = file("reconnects");
    let resume = ["--resume", path.to_str().expect("UTF-8")];
    for flags in [&[][..], &["--since", "1h"], &resume, &["--room", "builds", "--room", "lobby"]] {
        let server = Server::start(&[]);
        let mut ann = server.join("ann");
        let name = ["--reconnect", "--event", "message", "--name", "ear"];
        let mut listener = Cli::spawn(&server, &[&["listen"], &name[..], flags].concat());
        listener.is_listening(&server, "ear");
        if flags.contains(&"builds") {
            until_members(&mut ann, "builds", 1);
        }
        ann.say("one");
        assert_eq!(listener.line(), ann.says("one"), "{flags:?}");
        cut(&server, &mut ann, "ear");
        ann.say("two\nthree");
        assert_eq!([listener.line(), listener.line()], ["two", "three"].map(|text| ann.says(text)), "{flags:?}");
        listener.is_listening(&server, "ear");
        ann.say("four");
        assert_eq!(listener.line(), ann.says("four"), "{flags:?}");
        assert_eq!(listener.kill(), [""; 0]);
    }
}

#[test]
fn what_is_gone_is_told_and_the_oldest_comes_next() {
    let server = Server::start(&["--recent", "3"]);
    let mut ann = server.join("ann");
    say_in(&mut ann, "lobby", numbers(5));
    say_in(&mut ann, "builds", numbers(1));
    for (flags, count) in [(&[][..], 3), (&["--room", "lobby", "--room", "builds"], 4)] {
        let (code, out, stderr) = cli(
            &server,
            &[&["listen", "--since", "0", "--event", "message", "--count", &count.to_string()], flags].concat(),
        );
        assert_eq!((code, out.lines().count()), (DONE, count));
        assert!(out.starts_with(&format!("{}\n{}\n", ann.says("2"), ann.says("3"))), "{out}");
        let told = "pipechat: lobby: some of what was said since 0 is not kept any more; going on from 2.";
        assert!(stderr.starts_with(told) && stderr.lines().count() == 1, "{stderr}");
    }
    // Another server, as after a restart without a store: other numbers.
    let path = file("gone");
    let text = path.to_str().expect("UTF-8");
    fs::write(&path, "7.abcde\n").expect("ours");
    let (code, out, stderr) = cli(&server, &["listen", "--resume", text, "--event", "message", "--count", "1"]);
    assert_eq!((code, out), (DONE, format!("{}\n", ann.says("2"))));
    assert!(stderr.contains("since 7.abcde is not kept any more; going on from 2."), "{stderr}");
    assert!(number(&fs::read_to_string(&path).expect("it is there")) == 3);
    fs::write(&path, "not mine\n").expect("ours");
    let (code, _, stderr) = cli(&server, &["listen", "--resume", text]);
    assert!(code == 2 && stderr.contains("it holds something else than a position"), "{code} {stderr}");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "not mine\n");
}

#[test]
fn a_server_without_history_is_followed_live() {
    let server = Server::start(&["--recent", "0"]);
    let (mut ann, path) = (server.join("ann"), file("none"));
    let resume = ["--since", "1h", "--resume", path.to_str().expect("UTF-8")];
    let mut listener =
        Cli::spawn(&server, &[&["listen", "--room", "builds", "--event", "message"][..], &resume].concat());
    until_members(&mut ann, "builds", 1);
    say_in(&mut ann, "builds", ["one".to_owned()]);
    assert_eq!(listener.line(), ann.says_in("builds", "one"));
    listener.kill();
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "");
    let (code, _, stderr) = cli(&server, &["listen", "--since", "1h", "--timeout", "0.3"]);
    assert_eq!(code, TIMED_OUT);
    assert!(stderr.starts_with("pipechat: the server keeps no history: going on from now\n"), "{stderr}");
}

#[test]
fn what_can_not_be_written_ends_the_listener() {
    let server = Server::start(&[]);
    let (mut ann, path) = (server.join("ann"), file("unwritable"));
    let flags = ["listen", "--reconnect", "--event", "message", "--resume", path.to_str().expect("UTF-8")];
    let mut listener = Cli::spawn(&server, &flags);
    until("it holds a position", || fs::read_to_string(&path).is_ok_and(|text| !text.is_empty()));
    fs::remove_dir_all(path.parent().expect("a folder")).expect("ours");
    ann.say("one");
    let (code, lines, stderr) = listener.exit();
    assert_eq!((code, lines), (LOST, vec![ann.says("one")]), "{stderr}");
    assert!(stderr.starts_with(&format!("pipechat: can't write {}: ", path.display())), "{stderr}");
    let mut command = binary();
    command.args(["listen", "--reconnect", "--since", "1h", "--port", &server.addr.port().to_string()]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux");
    command.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
    let child = command.spawn().expect("the binary runs");
    let _limit = TimeLimit::of(&child);
    let output = child.wait_with_output().expect("ours");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(LOST) && stderr.starts_with("pipechat: can't write to stdout: "), "{stderr}");
}

#[test]
fn a_restarted_server_is_listened_to_from_its_beginning() {
    let server = Server::start(&[]);
    let port = server.addr.port().to_string();
    let mut ann = server.join("ann");
    let mut listener = Cli::spawn(&server, &["listen", "--reconnect", "--event", "message", "--name", "ear"]);
    listener.is_listening(&server, "ear");
    ann.say("one");
    assert_eq!(listener.line(), ann.says("one"));
    drop(server); // kills it
    let server = Server::start_with(binary(), &["--lang", "en", "--port", &port]);
    let mut ann = server.join("ann");
    ann.say("two");
    assert_eq!(listener.line(), ann.says("two"), "whether it was there or not");
}
