//! Order over sockets: an operator that is made at the machine, an owner of a room, and a store that keeps what they decide.

use common::{Client, DEADLINE, EN, Server, Texts, ZH, run};
use rustix::process::Signal;

use crate::accounts::{PASSWORD, StorePath, registered};

/// One who is logged in to the account op, which is an operator's.
fn operator(server: &Server, path: &StorePath, texts: &Texts) -> Client {
    let mut op = registered(server, "op");
    let (code, _, error) = run(&["account", "role", "op", "operator", "--store", path.as_str()]);
    assert_eq!(code, 0, "{error}");
    // It has another role, so it is logged out, as soon as the server knows.
    op.expect(&texts.renamed("op", &op.addr.to_string()));
    login(&mut op, "op", texts);
    op
}

fn login(client: &mut Client, name: &str, texts: &Texts) {
    client.say(&format!("login|{name}|{PASSWORD}"));
    client.expect(&texts.renamed(&client.addr.to_string(), name));
    client.expect(&format!("login|ok|{name}|0"));
}

fn in_both(test: impl Fn(Server, &StorePath, &Texts)) {
    for texts in [&ZH, &EN] {
        let path = StorePath::new();
        test(path.serve(texts, &[]), &path, texts);
    }
}

/// In the language of the texts.
fn said<'a>(texts: &Texts, zh: &'a str, en: &'a str) -> &'a str {
    if texts.lang == "en" { en } else { zh }
}

#[test]
fn an_operator_kicks_and_nobody_else_does() {
    in_both(|server, path, texts| {
        let mut op = operator(&server, path, texts);
        let mut bob = server.join("bob");
        op.expect_among(&bob.known_as());
        bob.say("kick|op|because\nKick｜op\nbans");
        let refused = said(texts, "没有权限:需要管理员", "not allowed: operator only");
        for verb in ["kick", "kick", "bans"] {
            bob.expect(&format!("{verb}|not-allowed|{refused}"));
        }
        op.say("kick|bob|flood");
        bob.expect(said(texts, "公告[op] 你已被踢出:flood", "notice[op] you were kicked: flood"));
        bob.expect(said(texts, "你已被踢出,连接将被断开", "disconnected: kicked"));
        bob.eof();
        op.expect("kick|ok|bob");
        op.expect(&bob.offline());
        server.expect_log(1, "kick by op whom bob reason flood");
    });
}

#[test]
fn an_announcement_reaches_everyone_and_cannot_be_faked() {
    in_both(|server, path, texts| {
        let mut op = operator(&server, path, texts);
        let mut bob = server.join("bob");
        let line = said(texts, "公告[op] lunch", "notice[op] lunch");
        bob.say(&format!("say|{line}\nformat|json"));
        bob.expect(&bob.says(line));
        bob.line();
        op.expect_among(&bob.says(line));
        op.say("announce|lunch");
        op.expect("announce|ok");
        op.expect(line);
        let told = bob.line();
        let name = format!(
            r#""event":"notice","from":{{"name":"op","addr":"{}"}},"text":"lunch","code":"announced""#,
            op.addr
        );
        assert!(told.contains(&name) && told.contains(r#""account":"op""#), "{told}");
    });
}

#[test]
fn one_who_is_muted_hears() {
    in_both(|server, path, texts| {
        let mut op = operator(&server, path, texts);
        let mut ann = registered(&server, "ann");
        op.expect_among(&ann.known_as());
        op.say("mute|ann|0|calm down");
        op.expect("mute|ok|ann|-");
        ann.expect(said(texts, "公告[op] 你已被禁言:calm down", "notice[op] you are muted: calm down"));
        let muted = said(texts, "你已被禁言", "you are muted");
        ann.say("hi\nin|ops|hi\ncheck|1");
        ann.expect(muted);
        ann.expect(&format!("in|muted|-|{muted}"));
        ann.expect("check|muted|1");
        op.say("unmute|ann");
        op.expect_among("unmute|ok|ann");
    });
}

#[test]
fn a_room_is_locked_and_one_is_invited() {
    in_both(|server, _, texts| {
        let mut ann = registered(&server, "ann");
        let mut bob = server.join("bob");
        ann.expect_among(&bob.known_as());
        ann.join("ops");
        ann.say("lock|ops\nsecret");
        ann.expect("lock|ok|ops");
        ann.expect(&ann.says_in("ops", "secret"));
        let locked = said(texts, "房间已锁定", "this room is locked");
        bob.say("join|ops\nin|ops|hi\nhistory|ops\nwho|ops\ntopic|ops\nwait|9|in|ops|x\nrooms");
        for verb in ["join", "in", "history", "who", "topic"] {
            bob.expect(&format!("{verb}|room-locked|{locked}"));
        }
        bob.expect(locked);
        bob.expect("rooms|2|lobby|");
        bob.expect("rooms|-|ops|");
        bob.expect("rooms|ok|2");
        ann.say("invite|ops|bob");
        ann.expect("invite|ok|ops|bob");
        bob.expect(said(texts, "公告[ann] 邀请你进入房间 #ops", "notice[ann] you are invited to room #ops"));
        bob.say("in|ops|hi");
        ann.expect(&bob.says_in("ops", "hi"));
    });
}

#[test]
fn bans_and_locks_outlive_the_server() {
    let path = StorePath::new();
    let server = path.serve(&EN, &[]);
    let mut op = operator(&server, &path, &EN);
    let mut ann = registered(&server, "ann");
    ann.join("ops");
    ann.say("lock|ops");
    ann.expect("lock|ok|ops");
    op.expect_among(&ann.known_as());
    op.say("ban|203.0.113.7:9|1h|spam\nban|ann|0|flood\nban|127.0.0.1|0|x");
    let line = op.line();
    assert!(line.starts_with("ban|ok|203.0.113.7|20"), "{line}");
    op.expect("ban|ok|ann|-");
    ann.expect("notice you are banned: flood");
    ann.expect("disconnected: banned");
    ann.eof();
    server.signal(Signal::TERM);
    assert!(server.exit(DEADLINE).0.success());
    let server = path.serve(&EN, &[]);
    let mut op = server.connect();
    login(&mut op, "op", &EN);
    op.say("bans");
    op.expect("bans|-|ban|ann|op|flood");
    let line = op.line();
    assert!(line.ends_with("|ban|203.0.113.7|op|spam"), "{line}");
    op.expect("bans|ok|2");
    let mut other = server.connect();
    other.say(&format!("login|ann|{PASSWORD}\njoin|ops"));
    other.expect("login|banned|-|this account is banned");
    other.expect("join|room-locked|this room is locked");
    op.expect(&other.online());
    op.say("unban|ann");
    op.expect("unban|ok|ann");
    other.say(&format!("login|ann|{PASSWORD}\njoin|ops\nunlock|ops"));
    other.expect_among("unlock|ok|ops");
}

#[test]
fn an_operator_ends_the_server() {
    let path = StorePath::new();
    let server = path.serve(&EN, &[]);
    let mut op = operator(&server, &path, &EN);
    let mut bob = server.join("bob");
    op.expect_among(&bob.known_as());
    op.say("shutdown|1h|later\nshutdown|cancel\nshutdown|0|update");
    bob.line();
    bob.expect("notice[op] the shutdown is cancelled");
    let line = bob.line();
    assert!(line.starts_with("notice[op] the server shuts down at 20") && line.ends_with(": update"), "{line}");
    bob.expect(EN.shutting_down);
    bob.eof();
    assert!(server.exit(DEADLINE).0.success());
}
