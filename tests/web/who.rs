//! Who asks: nobody in particular, a name, or an account; and what one may not do.

use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};

use common::{Client, run};

use crate::{Web, http::Answer};

pub(crate) const PASSWORD: &str = "correct horse";

/// A file for a store, which is removed with what stands beside it.
pub(crate) struct StorePath(PathBuf);

impl StorePath {
    pub(crate) fn new() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let name = format!("web-{}-{}.db", process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("UTF-8")
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

/// Gives the client's name to an account.
pub(crate) fn register(client: &mut Client) {
    client.say(&format!("register|{PASSWORD}"));
    client.expect_among(&format!("register|ok|{}", client.name));
}

/// A token of the account that the client is.
fn token(client: &mut Client) -> String {
    client.say("token|ci");
    let answer = client.line();
    answer.strip_prefix("token|ok|ci|").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// `Authorization: Basic`, of text.
pub(crate) fn basic(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |group: &[u8]| {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        let digit = |n: usize| if n > group.len() { '=' } else { char::from(DIGITS[bits >> (18 - 6 * n) & 63]) };
        (0..4).map(digit).collect::<String>()
    };
    format!("Authorization: Basic {}", text.as_bytes().chunks(3).map(digits).collect::<String>())
}

/// Who has said the last line of a room.
fn last_speaker(web: &Web, room: &str) -> String {
    let events = web.get(&format!("/rooms/{room}?event=message&last=1")).events();
    events[0].split(' ').nth(2).expect("who").to_owned()
}

#[test]
fn a_name_is_the_askers_for_the_request_unless_somebody_has_it() {
    let web = Web::start(&[]);
    let _ann = web.server.join("ann");
    assert_eq!(web.post("/rooms/x?name=ci", "hi").said(), "200 ok in #x");
    assert_eq!(last_speaker(&web, "x"), "ci:");
    assert_eq!(web.ask("POST", "/rooms/x", &[&basic("bot:")], "hi").said(), "200 ok in #x");
    assert_eq!(last_speaker(&web, "x"), "bot:");
    assert_eq!(web.ask("POST", "/rooms/x", &[&basic(":")], "hi").said(), "200 ok in #x");
    assert_eq!(last_speaker(&web, "x"), "127.0.0.1:");
    for (name, said) in [
        ("ann", "409 refused rename name-taken"),
        ("a%20b", "400 refused rename name-invalid"),
        ("%61nn", "409 refused rename name-taken"),
    ] {
        assert_eq!(web.post(&format!("/rooms/x?name={name}"), "hi").said(), said);
    }
    assert_eq!(web.get("/rooms/x?event=message").events().len(), 4, "nothing else was said");
    // The name is free at once for the next request, also over the same connection.
    let mut conn = web.open();
    for _ in 0..3 {
        assert_eq!(conn.ask("POST", "/rooms/x?name=ci", &[], "hi").said(), "200 ok in #x");
        assert_eq!(conn.ask("POST", "/rooms/x", &[], "hi").said(), "200 ok in #x");
        assert_eq!(last_speaker(&web, "x"), "127.0.0.1:");
    }
}

#[test]
fn an_account_asks_with_a_token_or_a_password() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut ann = web.server.join("ann");
    register(&mut ann);
    let token = token(&mut ann);
    for field in [
        &format!("Authorization: Bearer {token}"),
        &format!("authorization: bearer {token}"),
        &basic(&format!(":{token}")),
        &basic(&format!("ann:{PASSWORD}")),
    ] {
        assert_eq!(web.ask("POST", "/rooms/x", &[field], "hi").said(), "200 ok in #x", "{field}");
        assert_eq!(last_speaker(&web, "x"), "ann:");
        assert_eq!(web.ask("GET", "/rooms", &[field], "").status, 200);
    }
    let is_401 = |answer: &Answer, said: &str| {
        assert_eq!((&*answer.said(), answer.get("WWW-Authenticate")), (said, Some("Bearer")));
    };
    is_401(&web.ask("POST", "/rooms/x", &["Authorization: Bearer pc_wrong"], "hi"), "401 refused login login-failed");
    is_401(&web.ask("POST", "/rooms/x", &[&basic("ann:wrong horse")], "hi"), "401 refused login login-failed");
    is_401(&web.ask("GET", "/rooms/x", &[&basic("bob:wrong horse")], "hi"), "401 refused login login-failed");
    is_401(&web.post("/rooms/x?name=ann", "hi"), "401 refused rename name-owned");
    is_401(&web.ask("POST", "/sessions?name=ann", &[], ""), "401 refused rename name-owned");
    is_401(&web.ask("GET", "/rooms/x?follow", &[&basic("ann:wrong horse")], ""), "401 refused login login-failed");
    for field in ["Authorization: Basic", "Authorization: Digest x", "Authorization: Basic !!!"] {
        assert_eq!(web.ask("POST", "/rooms/x", &[field], "hi").said(), "400 refused malformed", "{field}");
    }
    assert_eq!(web.get("/rooms/x?event=message").events().len(), 5, "nothing else was said");
}

#[test]
fn who_was_muted_banned_or_locked_out_is_forbidden_to_speak() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut op = web.server.join("op");
    register(&mut op);
    let (code, _, error) = run(&["account", "role", "op", "operator", "--store", store.as_str()]);
    assert_eq!(code, 0, "{error}");
    op.expect_among(&web.server.texts.renamed("op", &op.addr.clone()));
    op.say(&format!("login|op|{PASSWORD}"));
    op.expect_among("login|ok|op|0");
    let mut ann = web.server.join("ann");
    register(&mut ann);
    let as_ann = [&*basic(&format!("ann:{PASSWORD}"))];
    op.say("join|den\nlock|den\nmute|ann|1h|calm\nsync|1");
    op.expect_among("sync|1");
    assert_eq!(web.post("/rooms/den", "hi").said(), "403 refused in room-locked");
    assert_eq!(web.get("/rooms/den").said(), "403 refused history room-locked");
    assert_eq!(web.get("/rooms/den?follow").said(), "403 refused join room-locked");
    assert_eq!(web.get("/rooms/den/members").said(), "403 refused who room-locked");
    assert_eq!(web.ask("POST", "/rooms/lobby", &as_ann, "hi").said(), "403 refused in muted");
    op.say("unmute|ann\nban|ann|1h|enough\nsync|2");
    op.expect_among("sync|2");
    assert_eq!(web.ask("POST", "/rooms/lobby", &as_ann, "hi").said(), "403 refused login banned");
    assert_eq!(web.post("/rooms/lobby", "hi").said(), "200 ok in #lobby");
}

#[test]
fn who_has_tried_too_many_passwords_is_told_when_to_try_again() {
    let store = StorePath::new();
    let web = Web::start(&["--store", store.as_str()]);
    let mut ann = web.server.join("ann");
    register(&mut ann);
    let wrong = [&*basic("ann:wrong horse")];
    let mut conn = web.open();
    for n in 0.. {
        let answer = conn.ask("GET", "/rooms", &wrong, "");
        if answer.status == 429 {
            let seconds = answer.get("Retry-After").and_then(|seconds| seconds.parse::<u64>().ok());
            assert!(seconds.is_some_and(|seconds| (1..=10).contains(&seconds)), "{seconds:?}");
            return;
        }
        assert_eq!(answer.status, 401);
        assert!(n < 100, "none is too many");
    }
}
