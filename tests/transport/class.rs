//! A day of a class: thirty over TLS whose names are theirs, an operator, a job that speaks with a token, one who abuses it all,
//! and a student who has nothing but a netcat on this machine. A proxy tells where they come from, since this machine's own
//! addresses can't be banned.

use std::{env, fs, io::BufRead, process};

use common::{EN, run};
use jiff::{Timestamp, ToSpan};
use rustls::version::TLS13;

use super::{
    client::client,
    proxy::v1,
    tls::{Stream, TlsServer, expect, rest, send},
};

const STUDENTS: usize = 30;
/// The port that each connection comes from, as the proxy says.
const PORT: u16 = 7000;

struct Class {
    server: TlsServer,
    /// Where the proxy connects to.
    proxied: String,
    store: String,
    /// Those of the operator and of the job.
    tokens: [String; 2],
}

/// What the operator does at the machine.
#[track_caller]
fn account(store: &str, words: &[&str]) -> String {
    let (code, out, err) = run(&[&["account", "--store", store], words].concat());
    assert_eq!((code, &*err), (0, ""), "{words:?}");
    out.trim_end().to_owned()
}

impl Class {
    #[track_caller]
    fn begin() -> Self {
        let store = env::temp_dir().join(format!("pipechat-class-{}.db", process::id())).display().to_string();
        let flags = ["--listen", "tls+proxy://127.0.0.1:0", "--proxy-from", "127.0.0.1", "--store", &store];
        let tokens = [("op", "operator"), ("ci", "user")].map(|(name, role)| {
            account(&store, &["add", name, "--no-password"]);
            account(&store, &["role", name, role]);
            account(&store, &["token", name, "class"])
        });
        let mut server = TlsServer::start("class", &flags);
        let proxied = server.server.next_place().strip_prefix("tls+proxy://").expect("a URL").to_owned();
        Self { server, proxied, store, tokens }
    }

    /// Connects over TLS from there.
    #[track_caller]
    fn connect_from(&self, ip: &str) -> Stream {
        self.server.connect_behind_at(&self.proxied, &v1(ip, PORT)).expect("a handshake")
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            fs::remove_file(format!("{}{end}", self.store)).ok(); // some are not there
        }
    }
}

fn name(n: usize) -> String {
    format!("student{n}")
}

fn password(n: usize) -> String {
    format!("only {n} knows it")
}

fn desk(n: usize) -> String {
    format!("198.51.100.{n}")
}

/// Says this, and is answered.
#[track_caller]
fn ask(stream: &mut Stream, line: &str, answer: &str) {
    send(stream, &format!("{line}\n"));
    expect(stream, answer);
}

/// The next line that begins so.
#[track_caller]
fn expect_beginning(stream: &mut Stream, start: &str) -> String {
    let mut line = String::new();
    while !line.starts_with(start) {
        line.clear();
        assert_ne!(stream.read_line(&mut line).expect("lines come"), 0, "no line begins with {start:?}");
    }
    line.trim_end().to_owned()
}

/// The operator bans somebody for an hour. Answers until when, as it is told.
#[track_caller]
fn ban(op: &mut Stream, whom: &str, banned: &str) -> String {
    send(op, &format!("ban|{whom}|1h|flood\n"));
    let answer = expect_beginning(op, "ban|");
    let until = answer.strip_prefix(&format!("ban|ok|{banned}|")).unwrap_or_else(|| panic!("{answer}")).to_owned();
    let (end, now) = (until.parse::<Timestamp>().expect("a time"), Timestamp::now());
    assert!(now + 59.minutes() < end && end <= now + 60.minutes(), "{until}");
    until
}

/// One who is banned is told so, until when where that is known, and is gone.
#[track_caller]
fn is_gone(mut stream: Stream, told: &str) {
    let lines = rest(&mut stream);
    assert!(lines.ends_with(&format!("{told}disconnected: banned\n")), "{lines}");
}

#[test]
fn a_class_of_thirty_uses_it_for_a_day() {
    let class = Class::begin();
    let [operators, jobs] = &class.tokens;
    let [file, ca] = ["token", "cert.pem"].map(|name| class.server.directory.path(name));

    // Names are theirs.
    let mut students: Vec<_> = (1..=STUDENTS).map(|n| class.connect_from(&desk(n))).collect();
    for (n, student) in (1..).zip(&mut students) {
        send(student, &format!("rename|{}\nregister|{}\n", name(n), password(n)));
    }
    for (n, student) in (1..).zip(&mut students) {
        expect(student, &format!("register|ok|{}", name(n)));
    }
    let mut guest = class.connect_from("192.0.2.1");
    ask(&mut guest, "rename|student1", "this name is registered: log in to use it");
    ask(&mut guest, "rename|ѕtudent1", &EN.name_confusable("student1")); // Cyrillic
    ask(&mut guest, "login|student1|a good guess", "login|login-failed|wrong name, password or token");
    let login = format!("login|student1|{}", password(1));
    ask(&mut guest, &login, "login|ok|student1|0");
    expect(&mut students[0], &EN.renamed("student1", &format!("{}:{PORT}", desk(1))));
    ask(&mut students[0], &login, "login|ok|student1|0");
    ask(&mut guest, "quit", EN.goodbye);

    // Everybody hears everybody.
    send(&mut students[2], "good morning\n");
    for student in &mut students {
        expect(student, &format!("[{}:{PORT}]student3:good morning", desk(3)));
    }

    // A job speaks with a token, and a program can tell who it is.
    fs::write(&file, jobs).expect("a file");
    let mut program = students.pop().expect("thirty of them");
    send(&mut program, "format|json\n");
    let tls = ["--tls", "--ca", &ca];
    let sent = client(&class.server, &["send", "--token-file", &file, "build 42 is green"], &tls);
    assert_eq!(sent, (0, String::new(), String::new()));
    for student in &mut students {
        assert!(expect_beginning(student, "[127.0.0.1:").ends_with("]ci:build 42 is green"));
    }
    let said = loop {
        let line = expect_beginning(&mut program, "{");
        if line.contains("build 42") {
            break line;
        }
    };
    assert!(said.contains(r#""account":"ci""#), "{said}");

    // A student with a netcat on this machine needs nothing of all that.
    let mut bob = class.server.server.connect();
    bob.rename("bob");
    bob.say("hello\nto|student2|psst");
    bob.expect_among(&bob.says("hello"));
    expect(&mut students[1], &bob.says("hello"));
    expect(&mut students[1], &EN.private("bob", "psst"));
    send(&mut students[1], "to|bob|what?\n");
    bob.expect_among(&EN.private("student2", "what?"));
    bob.say("who");
    bob.expect_among("[bob] is online");
    bob.fence();

    // One does not behave, and has a token for worse days.
    let mut eve = students.pop().expect("the last but one");
    let (her_desk, her_login) = (desk(STUDENTS - 1), format!("login|student29|{}", password(STUDENTS - 1)));
    send(&mut eve, "token|spare\n");
    let token = expect_beginning(&mut eve, "token|ok|spare|").split_off("token|ok|spare|".len());
    let mut op = class.server.connect(&TLS13);
    ask(&mut op, &format!("login|{operators}"), "login|ok|op|0");
    let until = ban(&mut op, "student29", "student29");
    is_gone(eve, &format!("notice you are banned until {until}: flood\n"));

    // She comes back, from her address and others, under new names: the account is kept out everywhere.
    let refused = format!("login|banned|{until}|this account is banned until {until}");
    for ip in [&*her_desk, "203.0.113.30"] {
        let mut eve = class.connect_from(ip);
        ask(&mut eve, &her_login, &refused);
        ask(&mut eve, &format!("login|{token}"), &refused);
        ask(&mut eve, "rename|honey\nrename|sugar\nsync|1", "sync|1");
        let until = ban(&mut op, "honey", ip); // she has given that name up
        is_gone(eve, &format!("notice you are banned until {until}: flood\n"));
        is_gone(class.connect_from(ip), "");
    }
    let mut eve = class.connect_from("203.0.113.31");
    ask(&mut eve, "sync|1", "sync|1");
    let until = ban(&mut op, "203.0.113.0/24", "203.0.113.0/24");
    is_gone(eve, &format!("notice you are banned until {until}: flood\n"));
    is_gone(class.connect_from("203.0.113.99"), "");
    let mut borrowed = class.connect_from("192.0.2.30");
    ask(&mut borrowed, &her_login, &refused);
    ask(&mut op, "bans", "bans|ok|4");

    // All others go on.
    bob.say("she is gone");
    for student in &mut students {
        expect(student, &bob.says("she is gone"));
    }
    bob.say("quit");
    bob.expect_among(EN.goodbye);
    bob.eof();
}
