//! The store, against the real binary: what clients have seen is in the file, whatever ends the server; what they have
//! missed is told to them once; and a file that fails, or cannot be opened, is told of in a sentence.
//!
//! `PIPECHAT_KILLS` sets how often the test of crashes kills the server (10). `PIPECHAT_SEED` repeats what clients do.

mod failing;
mod file;
mod kill;
mod locked;
mod many_rooms;
mod migration;
mod opening;
mod restart;
mod resume;
mod retention;
mod rows;
mod shutdown;

use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

use common::{Client, Rng, Server, note};
use rusqlite::{Connection, OpenFlags};

use rows::Row;

/// A file for a store, in a folder of its own that is removed with it.
#[derive(Debug)]
struct StoreFile {
    folder: PathBuf,
}

impl StoreFile {
    /// There is no file yet.
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{}-{number}", process::id()));
        fs::create_dir_all(&folder).expect("a folder of ours");
        Self { folder }
    }

    fn path(&self) -> String {
        self.beside("chat.db")
    }

    /// The path of something else in the folder.
    fn beside(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Starts a server with this store.
    #[track_caller]
    fn serve(&self, flags: &[&str]) -> Server {
        Server::start(&[&["--store", &self.path()], flags].concat())
    }

    /// The same, while no other server of this test program runs.
    #[track_caller]
    fn serve_alone(&self, flags: &[&str]) -> Server {
        Server::start_alone(&[&["--store", &self.path()], flags].concat())
    }

    /// Opens the file as a reader does that leaves no trace, even after a crash.
    #[track_caller]
    fn open(&self) -> Connection {
        Connection::open_with_flags(self.path(), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
    }

    /// Changes the file while no server has it.
    #[track_caller]
    fn edit(&self, sql: &str) {
        Connection::open(self.path()).and_then(|file| file.execute_batch(sql)).expect("SQL that fits the tables");
    }

    /// What is kept, in its order.
    #[track_caller]
    fn rows(&self) -> Vec<Row> {
        Row::all(&self.open())
    }

    /// What is kept of a room.
    #[track_caller]
    fn rows_of(&self, room: &str) -> Vec<Row> {
        self.rows().into_iter().filter(|row| row.room == room).collect()
    }

    /// The first column of the first row.
    #[track_caller]
    fn value<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.open().query_row(sql, [], |row| row.get(0)).expect("SQL that fits the tables")
    }

    /// The epoch of its positions.
    #[track_caller]
    fn epoch(&self) -> String {
        self.value("select value from settings where name = 'epoch'")
    }
}

impl Drop for StoreFile {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Has the client leave, so that a shutdown need not wait for it. Others are told of that.
#[track_caller]
fn quit(mut client: Client) {
    client.say("quit");
    client.rest();
}

/// Ends the server in order.
#[track_caller]
fn shut_down(server: Server) {
    server.signal(rustix::process::Signal::TERM);
    let (status, _, log) = server.exit(common::DEADLINE);
    assert_eq!(status.code(), Some(0), "{log:#?}");
}

/// Ends the server as nothing else does.
#[track_caller]
fn kill(server: Server) {
    server.signal(rustix::process::Signal::KILL);
    server.exit(common::DEADLINE);
}

/// Has a client ask for history, or join with it. Returns the lines before the one that begins with `end`, and that one.
#[track_caller]
fn ask(client: &mut Client, question: &str, end: &str) -> (Vec<String>, String) {
    client.say(question);
    let mut before = Vec::new();
    loop {
        let line = client.line();
        if line.starts_with(end) {
            return (before, line);
        }
        before.push(line);
    }
}

/// The texts of what is told again in these lines: what comes behind the address in `history|POS|TIME|LINE`.
fn texts(lines: &[String]) -> Vec<String> {
    let told = lines.iter().filter_map(|line| line.strip_prefix("history|")?.splitn(3, '|').nth(2));
    told.map(|line| line.split_once(']').map_or(line, |(_, said)| said).to_owned()).collect()
}

/// Random numbers, and how to have the same ones again.
fn random(test: &str) -> Rng {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seed = env::var("PIPECHAT_SEED").ok().map(|seed| seed.parse().expect("a number in the environment"));
    let seed = seed.unwrap_or(u64::from(now.subsec_nanos()));
    note(&format!("{test} of PIPECHAT_SEED={seed}"));
    Rng(seed)
}
