//! HTTP over TLS, and behind a proxy.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{self, Command, Stdio},
};

use common::{Server, TimeLimit, output, run};

use crate::{
    http::{Conn, request},
    who::{PASSWORD, StorePath, basic, register},
};

/// A directory with a certificate, removed on drop.
struct Certificate(PathBuf);

impl Certificate {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("pipechat-web-{name}-{}", process::id()));
        fs::create_dir_all(&path).expect("a directory");
        let this = Self(path);
        let (code, _, err) = run(&["cert", "--self-signed", &this.0.to_string_lossy()]);
        assert_eq!((code, &*err), (0, ""));
        this
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// What curl prints with these words.
#[track_caller]
fn curl(certificate: &Certificate, words: &[&str]) -> String {
    let out = output(
        Command::new("curl").args(["-sS", "--max-time", "20", "--cacert", &certificate.file("cert.pem")]).args(words),
    );
    let out = out.expect("it runs");
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("UTF-8")
}

#[test]
fn https_has_the_certificate_of_tls() {
    if !crate::curl::is_there() {
        return;
    }
    let certificate = Certificate::new("https");
    let (cert, key) = (certificate.file("cert.pem"), certificate.file("key.pem"));
    let store = StorePath::new();
    let mut server = Server::start(&[
        "--listen",
        "https://127.0.0.1:0",
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--store",
        store.as_str(),
    ]);
    let place = server.next_place();
    let url = place.trim_end_matches('/').replace("127.0.0.1", "localhost");
    let mut ann = server.join("ann");
    register(&mut ann);
    let said = curl(&certificate, &["-d", "build green", &format!("{url}/rooms/lobby")]);
    assert_eq!(crate::events::short_all(&said), ["ok in #lobby"]);
    let line = ann.line();
    assert!(line.ends_with(":build green"), "{line}");
    let said = curl(&certificate, &["-u", &format!("ann:{PASSWORD}"), "-d", "hi", &format!("{url}/rooms/lobby")]);
    assert_eq!(crate::events::short_all(&said), ["ok in #lobby"]);
    let line = ann.line();
    assert!(line.ends_with("]ann:hi"), "{line}");
    let mut follower = Command::new("curl")
        .args(["-sSN", "--cacert", &cert, &format!("{url}/rooms/x?follow&event=message")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let _limit = TimeLimit::of(&follower);
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines().map(|line| line.expect("UTF-8"));
    while crate::events::short(&lines.next().expect("a line")) != "ok join #x 1" {}
    for n in 0..3 {
        ann.say(&format!("in|x|{n}"));
        assert_eq!(crate::events::short(&lines.next().expect("a line")), format!("message #x ann: {n}"));
    }
    follower.kill().expect("ours");
    follower.wait().expect("ours");
    let body: String = (0..3000).map(|n| format!("{n} {}\n", "x".repeat(100))).collect();
    let file = certificate.file("body");
    fs::write(&file, &body).expect("a file");
    let said = curl(&certificate, &["-T", &file, &format!("{url}/rooms/many")]);
    assert!(said.lines().next().is_some_and(|line| crate::events::short(line) == "ok in #many"), "{said:.300}");
}

#[test]
fn behind_a_proxy_requests_come_from_the_address_that_it_tells() {
    let store = StorePath::new();
    let mut server = Server::start(&[
        "--listen",
        "http+proxy://127.0.0.1:0",
        "--proxy-from",
        "127.0.0.1",
        "--store",
        store.as_str(),
    ]);
    let place = server.next_place();
    let addr = place.strip_prefix("http+proxy://").expect("a URL").trim_end_matches('/').parse().expect("an address");
    let mut ann = server.join("ann");
    register(&mut ann);
    let ask = |fields: &[&str], target: &str| {
        let mut conn = Conn::open(addr);
        conn.send("PROXY TCP4 192.0.2.1 192.0.2.9 7000 443\r\n");
        conn.ask("POST", target, fields, "hi")
    };
    assert_eq!(ask(&[], "/rooms/lobby").said(), "200 ok in #lobby");
    ann.expect("[192.0.2.1:7000]192.0.2.1:7000:hi");
    assert_eq!(ask(&[], "/sessions").status, 201);
    ann.expect("[192.0.2.1:web1]192.0.2.1:web1:is online");
    let answer = ask(&[&basic(&format!("ann:{PASSWORD}"))], "/rooms/lobby");
    assert_eq!(answer.said(), "403 refused login insecure", "a password that others could read");
    let mut direct = Conn::open(addr);
    direct.send(request("GET", "/rooms", &[], ""));
    direct.eof();
}
