//! A database that another process has locked, which is what a commit that takes long looks like.

use std::time::{Duration, Instant};

use common::{Client, EN, Server, until};
use rusqlite::Connection;
use serde_json::Value;

use crate::{StoreFile, ask, rows::Row, shut_down, texts};

/// How long anything may take that needs no store, while a commit is waited for.
const WAIT_MAX: Duration = Duration::from_millis(1500);

impl StoreFile {
    /// Locks the file, as a transaction in a `sqlite3` shell does, until the connection is dropped.
    #[track_caller]
    pub(crate) fn lock(&self) -> Connection {
        let file = Connection::open(self.path()).expect("a database");
        file.busy_timeout(common::DEADLINE).expect("an option");
        file.execute_batch("begin exclusive").expect("the server holds no lock for long");
        file
    }
}

/// The client is answered, and soon. Returns what comes before the answer.
#[track_caller]
pub(crate) fn is_answered_soon(client: &mut Client) -> Vec<String> {
    let asked = Instant::now();
    let before = client.fence_anywhere();
    assert!(asked.elapsed() < WAIT_MAX, "{} was answered after {:?}", client.name, asked.elapsed());
    before
}

/// Waits until the client can say something in the room again. Returns what it has said at last.
#[track_caller]
pub(crate) fn until_stored(client: &mut Client, room: &str) -> String {
    let mut said = 0;
    until("the store works again", || {
        said += 1;
        client.say(&format!("in|{room}|again {said}"));
        loop {
            let line = client.line();
            if line.starts_with("in|not-stored|") || line.starts_with("in|ok|") {
                break line.starts_with("in|ok|");
            }
        }
    });
    format!("again {said}")
}

/// Ann and Bob in the room `builds`, and Cid, who is told everything in JSON.
fn three(server: &Server) -> [Client; 3] {
    let mut clients = server.join_all(["ann", "bob", "cid"]);
    clients.iter_mut().for_each(|client| client.join("builds"));
    clients[2].say("format|json");
    clients.iter_mut().for_each(|client| drop(client.fence_anywhere()));
    clients
}

#[test]
fn while_the_database_is_locked_nothing_is_said_and_nobody_waits() {
    let file = StoreFile::new();
    let server = file.serve_alone(&["--idle-timeout", "60"]);
    let [mut ann, mut bob, mut cid] = three(&server);
    ann.say("before");
    ann.expect_among(&ann.says_in("builds", "before"));
    let lock = file.lock();
    let start = Instant::now();
    ann.say("held");
    let mut heard = is_answered_soon(&mut bob);
    heard.extend(is_answered_soon(&mut ann));
    heard.extend(ann.fence());
    assert!(heard.contains(&ann.says_in("builds", "held")), "shown, though it is not stored: {heard:?}");
    ann.say("refused");
    ann.expect(EN.not_stored);
    bob.say("in|builds|refused\nin|nowhere|refused\nin|lobby|refused\ntopic|builds|refused\nrooms");
    for verb in ["in", "in", "in", "topic"] {
        let answer = format!("{verb}|not-stored|{}", EN.not_stored);
        bob.expect_among(&answer);
    }
    bob.expect("rooms|3|builds|");
    bob.expect("rooms|3|lobby|");
    bob.expect("rooms|ok|2");
    bob.say("lang|zh\nlobby: refused");
    bob.expect(common::ZH.set_lang);
    bob.expect(common::ZH.not_stored);
    cid.fence_anywhere();
    cid.say("refused");
    let refusal: Value = serde_json::from_str(&cid.line()).expect("JSON");
    assert_eq!((&refusal["event"], &refusal["code"]), (&"refused".into(), &"not-stored".into()), "{refusal}");
    // What needs no store goes on: private messages, questions, people who come and go.
    let dan = server.join("dan");
    ann.say("to|bob|psst");
    bob.expect_among(&common::ZH.private("ann", "psst"));
    let (told, _) = ask(&mut ann, "history|builds|2", "history|ok|");
    assert_eq!(texts(&told).last().map(String::as_str), Some("ann:held"));
    drop(dan);
    while start.elapsed() < Duration::from_secs(5) {
        for client in [&mut ann, &mut bob, &mut cid] {
            is_answered_soon(client);
        }
        ann.say("refused");
        ann.expect_among(EN.not_stored);
    }
    drop(lock);
    let again = until_stored(&mut ann, "builds");
    server.expect_log(1, "the store works again");
    let said: Vec<_> =
        file.rows_of("builds").into_iter().filter(|row| row.kind == "message").filter_map(|row| row.text).collect();
    assert_eq!(said, ["before", "held", &again], "shown is stored, and refused is not");
    assert!(file.rows().iter().all(|row| row.room != "nowhere"));
    for mut client in [ann, bob, cid] {
        client.fence_anywhere(); // nobody was disconnected
    }
    shut_down(server);
}

#[test]
fn what_is_held_is_stored_as_soon_as_it_can_be() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let [mut ann, mut bob, mut cid] = three(&server);
    cid.fence_anywhere();
    let lock = file.lock();
    ann.say("held");
    ann.expect_among(&ann.says_in("builds", "held"));
    bob.say("leave|builds\njoin|builds\nrename|rob");
    bob.expect_among(&EN.renamed("bob", "rob"));
    drop(lock);
    server.expect_log(1, "the store works again"); // although nobody has said anything
    let mut seen: Vec<Row> = cid.fence_anywhere().iter().filter_map(|line| Row::told(line)).collect();
    seen.retain(|row| row.room == "builds");
    let kept = file.rows_of("builds");
    assert_eq!(kept[kept.len() - seen.len()..], seen[..], "all that was shown");
    assert_eq!(seen.len(), 4, "held, left, joined, renamed: {seen:#?}");
    ann.say("again");
    ann.expect_among(&ann.says_in("builds", "again"));
}

#[test]
fn while_the_database_is_locked_no_replay_has_a_gap() {
    let file = StoreFile::new();
    let server = file.serve(&["--recent", "2"]);
    let [mut ann, mut bob, mut cid] = three(&server);
    ann.say("before");
    ann.expect_among(&ann.says_in("builds", "before"));
    let position = file.rows().last().expect("it was said").n;
    cid.fence_anywhere();
    let lock = file.lock();
    ann.say("held");
    ann.expect_among(&ann.says_in("builds", "held"));
    // These events push out of memory what is not in the file yet.
    for _ in 0..3 {
        bob.say("leave|builds\njoin|builds");
        bob.expect_among("leave|ok|builds");
    }
    bob.fence();
    let seen: Vec<_> = cid.fence_anywhere().iter().filter_map(|line| Row::told(line)).collect();
    assert_eq!(seen.len(), 7, "{seen:#?}");
    let mut late = server.dial();
    late.say("visit\nformat|json");
    late.fence_anywhere();
    let mut ask = |question: String| {
        late.say(&question);
        let answer = late.fence_anywhere();
        let told: Vec<_> = answer.iter().filter_map(|line| Row::told(line)).collect();
        (told, answer.iter().any(|line| line.contains("\"event\":\"refused\"")))
    };
    // All of it or a refusal, but not a part as if it was all.
    for question in [format!("since|{position}"), "7".to_owned(), "since|5m".to_owned()] {
        let (told, is_refused) = ask(format!("history|builds|{question}"));
        assert!(is_refused || told.ends_with(&seen), "{question}: told {told:#?}, which leaves out some of {seen:#?}");
    }
    drop(lock);
    server.expect_log(1, "the store works again");
    let (told, _) = ask(format!("history|builds|since|{position}"));
    assert_eq!(told, seen, "afterwards all of it");
}
