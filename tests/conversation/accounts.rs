//! Accounts: names that belong to somebody, over sockets, with passwords that are hashed and a store that keeps them.

use std::{
    fs,
    path::PathBuf,
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
};

use common::{Client, DEADLINE, EN, Server, Texts, ZH, binary};
use rustix::process::Signal;

pub(crate) const PASSWORD: &str = "correct horse";

/// A file for a store, which is removed with what stands beside it.
pub(crate) struct StorePath(PathBuf);

impl StorePath {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub(crate) fn new() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let name = format!("accounts-{}-{}.db", process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(crate) fn serve(&self, texts: &Texts, flags: &[&str]) -> Server {
        self.serve_with(binary(), texts, flags)
    }

    fn serve_with(&self, command: Command, texts: &Texts, flags: &[&str]) -> Server {
        let path = self.0.to_str().expect("UTF-8");
        Server::start_with(command, &[&["--port", "0", "--lang", texts.lang, "--store", path], flags].concat())
    }
}

impl Drop for StorePath {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            fs::remove_file(path).ok(); // some are not there
        }
    }
}

fn in_both(flags: &[&str], test: impl Fn(Server, &Texts)) {
    for texts in [&ZH, &EN] {
        test(StorePath::new().serve(texts, flags), texts);
    }
}

/// One who has an account of this name.
pub(crate) fn registered(server: &Server, name: &str) -> Client {
    let mut client = server.join(name);
    client.say(&format!("register|{PASSWORD}"));
    client.expect(&format!("register|ok|{name}"));
    client
}

#[test]
fn a_name_is_registered_and_taken_over_by_a_login() {
    in_both(&[], |server, texts| {
        let mut ann = registered(&server, "ann");
        let mut bob = server.connect();
        ann.expect(&bob.online());
        bob.say("rename|ann\nlogin|ann|wrong password\nlogin|nobody|wrong password");
        let failed = match texts.lang {
            "en" => "wrong name, password or token",
            _ => "用户名、密码或令牌错误",
        };
        bob.expect(match texts.lang {
            "en" => "this name is registered: log in to use it",
            _ => "该用户名已注册,请先登录",
        });
        bob.expect(&format!("login|login-failed|{failed}"));
        bob.expect(&format!("login|login-failed|{failed}"));
        bob.say(&format!("Login｜ANN｜{PASSWORD}\nhi"));
        ann.expect(&texts.renamed("ann", &ann.addr.to_string()));
        bob.expect(&texts.known_as(&ann.addr, "ann", &ann.addr.to_string()));
        let notice = texts.known_as(&bob.addr, &bob.addr.to_string(), "ann");
        ann.expect(&notice);
        bob.expect(&texts.renamed(&bob.addr.to_string(), "ann"));
        bob.expect("login|ok|ann|0");
        bob.expect(&format!("[{}]ann:hi", bob.addr));
        ann.expect(&format!("[{}]ann:hi", bob.addr));
        for client in [&mut ann, &mut bob] {
            client.nothing();
        }
    });
}

#[test]
fn accounts_and_tokens_outlive_the_server() {
    let path = StorePath::new();
    let server = path.serve(&EN, &[]);
    let mut ann = registered(&server, "ann");
    ann.say("token|ci\ntokens");
    let answer = ann.line();
    let token = answer.strip_prefix("token|ok|ci|").expect("a token").to_owned();
    assert!(token.starts_with("pc_") && token.len() == 29, "{answer}");
    let line = ann.line();
    assert!(line.starts_with("tokens|20") && line.ends_with("|-|-|ci"), "{line}");
    ann.expect("tokens|ok|1");
    server.signal(Signal::TERM);
    assert!(server.exit(DEADLINE).0.success());
    let server = path.serve(&EN, &[]);
    let mut bot = server.dial();
    bot.say(&format!("visit\nformat|json\nlogin|{token}\nwho"));
    bot.expect(EN.set_visit);
    let told: Vec<_> = (0..4).map(|_| bot.line()).collect();
    assert!(told[2].contains(r#""event":"ok""#) && told[2].contains(r#""text":"ann""#), "{told:?}");
    let mut ann = server.connect();
    ann.say(&format!("login|ann|{PASSWORD}\nrevoke|ci\nlogin|{token}"));
    ann.expect(&EN.renamed(&ann.addr.to_string(), "ann"));
    ann.expect("login|ok|ann|0");
    ann.expect("revoke|ok|ci");
    ann.expect("login|login-failed|wrong name, password or token");
    let line = bot.line();
    assert!(line.contains(r#""event":"renamed""#) && line.contains(r#""account":null"#), "{line}");
}

#[test]
fn what_an_account_says_has_its_name_in_json_and_in_history() {
    let server = StorePath::new().serve(&EN, &[]);
    let mut ann = registered(&server, "ann");
    let mut bob = server.join("bob");
    ann.expect_among(&bob.known_as());
    bob.say("format|json");
    bob.line();
    ann.say("in|ops|approved");
    ann.expect_among("in|ok|ops|1.EPOCH");
    bob.say("in|ops|approved\nhistory|ops");
    let told: Vec<_> = (0..4).map(|_| bob.line()).collect();
    let account = |line: &str| line.contains(r#""account":"ann""#);
    let told: Vec<_> = told.iter().filter(|line| line.contains(r#""event":"message""#)).collect();
    assert_eq!(told.iter().map(|line| account(line)).collect::<Vec<_>>(), [true, false], "{told:?}");
}

#[test]
fn a_secret_is_neither_said_nor_logged() {
    let path = StorePath::new();
    let mut command = binary();
    command.env("RUST_LOG", "trace");
    let server = path.serve_with(command, &EN, &[]);
    let [mut ann, mut bob] = server.join_all(["ann", "bob"]);
    ann.say(&format!(
        "register|{PASSWORD}\nlogn|ann|{PASSWORD}\nlogin ann {PASSWORD}\npassword|{PASSWORD}|{PASSWORD} 2\n\
         login|ann|{PASSWORD} 3\nunregister|{PASSWORD} 2"
    ));
    ann.expect("register|ok|ann");
    ann.expect(EN.unknown_verb);
    ann.expect("login|malformed|usage: login|NAME|PASSWORD, login|TOKEN");
    ann.expect("password|ok|ann");
    ann.expect("login|login-failed|wrong name, password or token");
    ann.expect("unregister|ok|ann");
    bob.nothing();
    ann.say("quit");
    ann.rest();
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("horse")), "{log:#?}");
    let file = fs::read(&path.0).unwrap();
    let wal = fs::read(path.0.with_extension("db-wal")).unwrap_or_default();
    assert!(![file, wal].concat().windows(5).any(|part| part == b"horse"), "not in the file either");
}

#[test]
fn without_a_store_there_are_no_accounts() {
    let server = Server::start(&[]);
    let mut ann = server.join("ann");
    ann.say("register|hunter22\ncheck|1");
    ann.expect("register|no-store|this server keeps no accounts: it has no store");
    ann.expect("check|no-store|1");
    ann.eof();
}

#[test]
fn where_everyone_has_to_log_in_a_stranger_hears_nothing() {
    let server = StorePath::new().serve(&EN, &["--require-login"]);
    let mut ann = server.dial();
    ann.say(&format!("rename|ann\nregister|{PASSWORD}"));
    ann.expect(&EN.renamed(&ann.addr.to_string(), "ann"));
    ann.expect(&format!("[{}]ann:{}", ann.addr, EN.online));
    ann.expect("register|ok|ann");
    let mut stranger = server.dial();
    stranger.say("hi\nsync|1");
    stranger.expect("log in first");
    stranger.expect("sync|1");
    ann.say("hello");
    ann.expect(&format!("[{}]ann:hello", ann.addr));
    stranger.nothing();
}

#[test]
fn messages_for_one_who_is_away_are_kept() {
    for texts in [&ZH, &EN] {
        let path = StorePath::new();
        let server = path.serve(texts, &[]);
        registered(&server, "ann").say("quit");
        let mut bob = server.join("bob");
        bob.say("wait|20|gone|ann\nto|Ann|one | two\nto|ann|three");
        bob.expect_among("wait|ok|ann");
        let kept = match texts.lang {
            "en" => "to|kept|ann|[ann] is offline, kept",
            _ => "to|kept|ann|[ann]不在线,已留言",
        };
        bob.expect(kept);
        bob.expect(kept);
        server.signal(Signal::TERM);
        assert!(server.exit(DEADLINE).0.success());
        let server = path.serve(texts, &[]);
        let mut ann = server.connect();
        ann.say(&format!("login|ann|{PASSWORD}\nhistory|@|1"));
        ann.expect_among(&texts.renamed(&ann.addr.to_string(), "ann"));
        let told = |line: &str| line.splitn(4, '|').nth(3).map(str::to_owned);
        assert_eq!(told(&ann.line()), Some(texts.private("bob", "one | two")));
        assert_eq!(told(&ann.line()), Some(texts.private("bob", "three")));
        ann.expect("login|ok|ann|2");
        assert_eq!(told(&ann.line()), Some(texts.private("bob", "three")));
        let answer = ann.line();
        assert!(answer.starts_with("history|ok|@|1|"), "{answer}");
        let mut bob = server.join("bob");
        bob.say("to|ann|four\nformat|json");
        ann.expect_among(&texts.private("bob", "four"));
        ann.say("format|json\nhistory|@|1");
        ann.line();
        let line = ann.line();
        let has = |part: &str| line.contains(part);
        assert!(has(r#""event":"private""#) && has(r#""room":null"#) && has(r#""replay":true"#), "{line}");
    }
}

#[test]
fn an_approval_cannot_be_faked() {
    let server = StorePath::new().serve(&EN, &[]);
    let mut ann = registered(&server, "ann");
    let mut bot = server.join("bot");
    bot.say("wait|20|by|ann|ops|ship it\nwait|20|by|nobody|ops|x");
    let mut eve = server.join("eve");
    eve.say("in|ops|ship it\nto|bot|ship it");
    eve.expect_among("in|ok|ops|1.EPOCH");
    ann.say("in|ops|yes: ship it");
    bot.expect_among(&EN.private("eve", "ship it"));
    bot.expect_among("wait|ok|ship it");
    bot.expect("no such account");
}
