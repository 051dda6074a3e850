//! Places to listen on.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::Command,
};

use common::{DEADLINE, Server, binary, output, run};
use rustix::process::Signal;

use super::Directory;

fn first_line(stream: impl Into<OwnedFd>) -> (String, TcpStream) {
    let mut stream = TcpStream::from(stream.into());
    stream.set_read_timeout(Some(DEADLINE)).expect("a time");
    stream.write_all(b"\n").expect("it is connected");
    let mut line = String::new();
    BufReader::new(stream.try_clone().expect("a copy")).read_line(&mut line).expect("a line");
    (line, stream)
}

#[test]
fn a_user_of_this_machine_connects_through_the_file_system() {
    let directory = Directory::new("unix");
    let path = directory.path("socket");
    let mut server = Server::start(&["--listen", &format!("unix:{path}")]);
    assert_eq!(server.next_place(), format!("unix:{path}"));
    let uid = rustix::process::getuid().as_raw();
    let mut ann = server.join("ann");
    let (line, bob) = first_line(UnixStream::connect(&path).expect("it listens"));
    assert_eq!(line, format!("[unix:{uid}:1]unix:{uid}:1:is online\n"));
    ann.expect(line.trim());
    (&bob).write_all(b"hello\nto|ann|psst\n").expect("it is connected");
    ann.expect(&format!("[unix:{uid}:1]unix:{uid}:1:hello"));
    ann.expect(&format!("from:[unix:{uid}:1] says:psst"));
    server.expect_log(1, &format!("#2 unix:{uid}:1 arrived"));
    drop(bob);
    ann.expect(&format!("[unix:{uid}:1]unix:{uid}:1:is offline"));
    server.signal(Signal::TERM);
    server.exit(DEADLINE);
    assert!(!Path::new(&path).exists(), "the file is gone with the server");
}

#[test]
fn a_stale_socket_is_replaced_a_live_one_is_not_and_nothing_else_is() {
    let directory = Directory::new("live");
    let (path, text) = (directory.path("socket"), directory.path("text"));
    let url = format!("unix:{path}");
    let killed = Server::start(&["--listen", &url]);
    killed.signal(Signal::KILL);
    killed.exit(DEADLINE);
    assert!(Path::new(&path).exists(), "it was killed");
    let mut server = Server::start(&["--listen", &url]);
    server.next_place();
    let (code, out, err) = run(&["--listen", &url]);
    assert_eq!((code, out), (1, String::new()));
    assert_eq!(err, format!("pipechat: can't listen on {url}: another server listens there\n"));
    first_line(UnixStream::connect(&path).expect("it goes on"));
    fs::write(&text, "mine").expect("a file");
    let (code, _, err) = run(&["--listen", &format!("unix:{text}")]);
    assert_eq!(
        (code, err),
        (1, format!("pipechat: can't listen on unix:{text}: there is something else than a socket\n"))
    );
    assert_eq!(fs::read_to_string(text).expect("a file"), "mine");
}

#[test]
fn several_places_make_one_chat() {
    let mut server = Server::start(&["--listen", "tcp://127.0.0.1:0,tcp://127.0.0.1:0", "--listen", "tcp://[::1]:0"]);
    let mut ann = server.join("ann");
    for _ in 0..3 {
        let place = server.next_place();
        let addr = place.strip_prefix("tcp://").expect("a URL");
        let (line, stream) = first_line(TcpStream::connect(addr).expect("it listens"));
        ann.expect(line.trim());
        drop(stream);
        ann.expect(&line.trim().replace("is online", "is offline"));
    }
}

#[test]
fn places_for_browsers_are_told_as_urls() {
    let mut server = Server::start(&["--http", "0", "--listen", "http://127.0.0.1:0"]);
    for _ in 0..2 {
        let place = server.next_place();
        let addr = place.strip_prefix("http://").expect("a URL");
        TcpStream::connect(addr).expect("it listens");
    }
}

#[test]
fn places_replace_the_default_one_and_can_be_set_as_other_options_are() {
    let check = |command: &mut Command, words: &[&str]| {
        let out = output(command.args(words).arg("--check")).expect("it runs");
        let text = String::from_utf8(out.stdout).expect("text");
        let places: Vec<_> = text.lines().take_while(|line| !line.starts_with("lang ")).collect();
        places.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let url = "listen = [\"tcp://127.0.0.1:7000\", \"unix:/run/pipechat\"]";
    let words = ["--listen", "tcp://127.0.0.1:7000", "--listen", "unix:/run/pipechat"];
    assert_eq!(check(&mut binary(), &words), [format!("{url} # --listen")]);
    let variable = ("PIPECHAT_LISTEN", "tcp://127.0.0.1:7000,unix:/run/pipechat");
    assert_eq!(check(binary().env(variable.0, variable.1), &[]), [format!("{url} # PIPECHAT_LISTEN")]);
    let web = ["--http", "7002", "--public-host", "chat.example.org,chat", "--cors", "https://example.org"];
    let both = "listen = [\"tcp://127.0.0.1:7000\", \"unix:/run/pipechat\", \"http://127.0.0.1:7002\"]";
    let hosts = "public-host = [\"chat.example.org\", \"chat\"]";
    let cors = "cors = [\"https://example.org\"]";
    assert_eq!(
        check(&mut binary(), &[&words[..], &web].concat()),
        [format!("{both} # --listen, --http"), format!("{hosts} # --public-host"), format!("{cors} # --cors"),]
    );
    let directory = Directory::new("check");
    let file = directory.path("chat.toml");
    fs::write(&file, format!("{both}\nhttp = 7003\n{hosts}\n{cors}\n")).expect("a file");
    assert_eq!(
        check(binary().env("PIPECHAT_HTTP", "0").env("PIPECHAT_CORS", "http://a,http://b"), &["--config", &file]),
        [
            format!("{}, \"http://127.0.0.1:0\"] # {file}:1, PIPECHAT_HTTP", both.trim_end_matches(']')),
            format!("{hosts} # {file}:3"),
            "cors = [\"http://a\", \"http://b\"] # PIPECHAT_CORS".to_owned(),
        ]
    );
    fs::write(&file, format!("port = 7001\n{url}\n")).expect("a file");
    assert_eq!(
        check(&mut binary(), &["--config", &file]),
        ["host = \"127.0.0.1\" # default".to_owned(), format!("port = 7001 # {file}:1"), format!("{url} # {file}:2")]
    );
}

#[test]
fn connections_of_a_user_are_the_account_that_the_operator_says() {
    let directory = Directory::new("peer");
    let (path, store) = (directory.path("socket"), directory.path("chat.db"));
    let uid = rustix::process::getuid().as_raw();
    let peer = format!("{uid}=ci");
    let mut server = Server::start(&["--listen", &format!("unix:{path}"), "--store", &store, "--peer", &peer]);
    server.next_place();
    let mut ann = server.join("ann");
    let talk = |n: u64, lines: &str| {
        let mut stream = UnixStream::connect(&path).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a time");
        stream.write_all(format!("{lines}\nsync|{n}\n").as_bytes()).expect("it is connected");
        let mut lines = BufReader::new(stream).lines().map(|line| line.expect("lines come"));
        lines.by_ref().take_while(|line| *line != format!("sync|{n}")).collect::<Vec<_>>()
    };
    // There is no such account yet: it is said once.
    for n in 1..=2 {
        talk(n, "hello");
        ann.expect_among(&format!("[unix:{uid}:{n}]unix:{uid}:{n}:hello"));
    }
    assert_eq!(server.expect_log(1, "--peer: there is no account ci").len(), 1);
    let (code, _, err) = run(&["account", "add", "ci", "--no-password", "--store", &store]);
    assert_eq!((code, &*err), (0, ""));
    // The server reads it within a second.
    let mut n = 3;
    while !talk(n, "").contains(&"login|ok|ci|0".to_owned()) {
        n += 1;
    }
    n += 1;
    let told = talk(n, "hello");
    assert!(told.contains(&format!("[unix:{uid}:{n}]ci:hello")), "{told:?}");
    ann.expect_among(&format!("[unix:{uid}:{n}]ci:hello"));
    let told = talk(n + 1, "visit\nbuilt");
    assert!(told.contains(&"login|ok|ci|0".to_owned()), "{told:?}");
    ann.expect_among(&format!("[unix:{uid}:{}]ci:built", n + 1));
    assert_eq!(server.log().iter().filter(|line| line.contains("--peer")).count(), 1);
}
