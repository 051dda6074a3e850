//! Files that cannot be a store: one sentence on stderr, exit code 1, and nothing is broken by it.

use std::{fs, net::TcpListener};

use common::run;
use rusqlite::Connection;

use crate::{StoreFile, kill, quit, shut_down};

/// The server does not start with this file, and says why.
#[track_caller]
fn refuses(path: &str, reason: &str) {
    let (code, stdout, stderr) = run(&["--port", "0", "--store", path]);
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert_eq!(stderr, format!("pipechat: cannot open store {path:?}: {reason}\n"));
}

/// The same, and leaves the file as it is, and no other beside it but its lock.
#[track_caller]
fn refuses_unchanged(file: &StoreFile, reason: &str) {
    let before = fs::read(file.path()).expect("a file");
    refuses(&file.path(), reason);
    assert!(fs::read(file.path()).expect("a file") == before, "it was changed");
    let mut names: Vec<_> =
        fs::read_dir(&file.folder).expect("ours").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["chat.db", "chat.db.lock"]);
}

#[test]
fn a_folder_is_no_store() {
    let file = StoreFile::new();
    refuses(file.folder.to_str().expect("UTF-8"), "it is a folder");
    let folder = format!("{}/", file.folder.display());
    refuses(&folder, "it is a folder");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let file = StoreFile::new();
    let folder = file.beside("nowhere");
    refuses(&format!("{folder}/chat.db"), &format!("there is no folder {folder:?}"));
    assert!(!fs::exists(folder).expect("a folder of ours"), "it makes no folders");
}

#[test]
fn what_is_no_regular_file_is_no_store() {
    refuses("/dev/null", "it is not a regular file");
    assert!(!fs::exists("/dev/null.lock").expect("a folder"));
}

#[test]
fn garbage_is_no_store() {
    let file = StoreFile::new();
    fs::write(file.path(), "this is a diary, and no database; ".repeat(100)).expect("ours");
    refuses_unchanged(&file, "it is not an SQLite database");
    fs::write(file.path(), "short").expect("ours");
    refuses_unchanged(&file, "it is not an SQLite database");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let file = StoreFile::new();
    fs::write(file.path(), "").expect("ours");
    shut_down(file.serve(&[]));
    assert_eq!(file.rows(), []);
}

#[test]
fn the_database_of_another_program_is_no_store() {
    let file = StoreFile::new();
    file.edit("create table messages (x); insert into messages values (1)");
    refuses_unchanged(&file, "it is the database of another program");
    let ours: i64 = file.value("select x from messages");
    assert_eq!(ours, 1);
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let file = StoreFile::new();
    shut_down(file.serve(&[]));
    file.edit("pragma user_version = 99");
    refuses_unchanged(&file, "it is of version 99, and this pipechat knows versions up to 3");
    file.edit("pragma user_version = 3");
    shut_down(file.serve(&[]));
}

#[test]
fn a_store_without_its_tables_is_damaged() {
    let file = StoreFile::new();
    shut_down(file.serve(&[]));
    file.edit("drop view log; drop table messages");
    let (code, _, stderr) = run(&["--port", "0", "--store", &file.path()]);
    assert_eq!(code, 1, "{stderr}");
    let before = format!("pipechat: cannot open store {:?}: it is damaged (", file.path());
    assert!(stderr.starts_with(&before) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_store_that_was_cut_off_is_damaged() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    for number in 0..100 {
        ann.say(&format!("in|builds|{number} {}", "x".repeat(1000)));
    }
    ann.fence();
    quit(ann);
    shut_down(server);
    let bytes = fs::read(file.path()).expect("a file");
    fs::write(file.path(), &bytes[..bytes.len() / 2]).expect("ours");
    let (code, _, stderr) = run(&["--port", "0", "--store", &file.path()]);
    assert_eq!(code, 1, "{stderr}");
    let before = format!("pipechat: cannot open store {:?}: it is damaged (", file.path());
    assert!(stderr.starts_with(&before) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn a_store_is_one_servers_alone() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    refuses(&file.path(), "it is in use by another process");
    let link = file.beside("link.db");
    std::os::unix::fs::symlink(file.path(), &link).expect("ours");
    refuses(&link, "it is in use by another process");
    let name = file.beside("other.db");
    fs::hard_link(file.path(), &name).expect("ours");
    refuses(&name, "it is in use by another process");
    let lock = Connection::open(&name).expect("a database").execute_batch("begin immediate; commit");
    assert!(lock.is_ok(), "others may read and write: {lock:?}");
    ann.say("in|builds|still here\nsync|1"); // and the first one goes on
    ann.expect_among("sync|1");
    assert_eq!(file.rows().len(), 1);
    kill(server);
    shut_down(file.serve(&[])); // a lock does not outlive its server
}

#[test]
fn a_store_that_another_program_has_locked_is_no_place_to_start() {
    let file = StoreFile::new();
    shut_down(file.serve(&[]));
    let lock = file.lock();
    refuses(&file.path(), "another process has locked it");
    drop(lock);
    shut_down(file.serve(&[]));
}

#[test]
fn a_port_in_use_is_told_before_the_store_is_touched() {
    let file = StoreFile::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("bound");
    let (code, stdout, stderr) = run(&["--port", &addr.port().to_string(), "--store", &file.path()]);
    assert_eq!((code, &*stdout), (1, ""), "{stderr}");
    assert!(stderr.starts_with(&format!("pipechat: can't listen on {addr}: ")), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!fs::exists(file.path()).expect("a folder of ours"), "there is no file");
}

#[test]
fn people_may_read_and_edit_a_file_that_no_server_has() {
    let file = StoreFile::new();
    let server = file.serve(&[]);
    let mut ann = server.join("ann");
    ann.say("in|builds|one\nin|builds|two\nin|builds|three\nsync|1");
    ann.expect_among("sync|1");
    quit(ann);
    shut_down(server);
    let edit = Connection::open(file.path()).expect("a database");
    edit.execute_batch(
        "delete from messages where text = 'two'; update messages set text = 'ONE' where text = 'one';
        insert into messages select max(n) + 100, at, room, kind, 'zoe', addr, 'added', null from messages;
        insert into messages select max(n) + 1, 'tomorrow', room, kind, name, addr, text, null from messages;
        insert into messages select max(n) + 1, at, room, 'shout', name, addr, text, null from messages",
    )
    .expect("SQL that fits the tables");
    drop(edit);
    let server = file.serve(&[]);
    let (told, _) = crate::ask(&mut server.join("bob"), "history|builds", "history|ok|");
    assert_eq!(crate::texts(&told), ["ann:ONE", "ann:three", "zoe:added"], "rows that mean nothing are left out");
    server.expect_log(1, "were left out");
    let mut ann = server.join("ann");
    ann.say("in|builds|behind\nsync|1");
    ann.expect_among("sync|1");
    let last = file.rows().pop().expect("some");
    assert_eq!((last.n, last.text.as_deref()), (106, Some("behind")));
}
