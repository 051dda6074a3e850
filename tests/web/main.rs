//! The web's door: HTTP as curl, programs and browsers speak it, against the real binary. The page itself is in `tests/browser`.

mod broken;
mod curl;
mod encrypted;
mod ends;
mod events;
mod follow;
mod foreign;
mod forms;
mod history;
mod http;
mod lists;
mod memory;
mod repeats;
mod say;
mod session_streams;
mod sessions;
mod users;
mod who;

use std::net::SocketAddr;

use common::Server;

use http::{Answer, Conn};

/// A server with a door for the web.
pub(crate) struct Web {
    pub(crate) server: Server,
    pub(crate) addr: SocketAddr,
}

impl Web {
    #[track_caller]
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::of(Server::start(&[&["--http", "0"], flags].concat()))
    }

    /// Starts one while no other server of this test program runs.
    #[track_caller]
    pub(crate) fn start_alone(flags: &[&str]) -> Self {
        Self::of(Server::start_alone(&[&["--http", "0"], flags].concat()))
    }

    #[track_caller]
    fn of(mut server: Server) -> Self {
        let place = server.next_place();
        let addr = place.strip_prefix("http://").and_then(|addr| addr.trim_end_matches('/').parse().ok());
        Self { server, addr: addr.unwrap_or_else(|| panic!("{place} is no place of the web")) }
    }

    #[track_caller]
    pub(crate) fn open(&self) -> Conn {
        Conn::open(self.addr)
    }

    /// Asks over a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, target: &str, fields: &[&str], body: &str) -> Answer {
        self.open().ask(method, target, fields, body)
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[], "")
    }

    #[track_caller]
    pub(crate) fn post(&self, target: &str, body: &str) -> Answer {
        self.ask("POST", target, &[], body)
    }

    /// Sends these bytes over a connection of its own, and reads the answer and the end.
    #[track_caller]
    pub(crate) fn ask_raw(&self, bytes: &[u8]) -> Answer {
        let mut conn = self.open();
        conn.send(bytes);
        let answer = conn.answer(true);
        conn.eof();
        answer
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}
