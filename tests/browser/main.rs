//! The page in a real browser: Chromium without a window, driven by chromedriver. Where these are not installed, the tests
//! say so in a line and pass.

mod access;
mod example;
mod many;
mod pictures;
mod proxy;
mod reconnect;
mod tabs;
mod talk;
mod webdriver;

use std::{fs, path::PathBuf, process};

use common::{Client, Server, binary};
use serde_json::json;

use webdriver::Browser;

/// A server with its page.
struct Place {
    server: Server,
    /// Where the page is, without a slash at its end.
    url: String,
}

impl Place {
    #[track_caller]
    fn new(flags: &[&str]) -> Self {
        Self::of(Server::start(&[&["--http", "0"], flags].concat()))
    }

    #[track_caller]
    fn of(mut server: Server) -> Self {
        let url = server.next_place().trim_end_matches('/').to_owned();
        Self { server, url }
    }

    /// Kills the server, and starts one with these flags on the same ports.
    #[track_caller]
    fn start_again(self, flags: &[&str], meanwhile: impl FnOnce()) -> Self {
        let ports = [self.server.addr.port().to_string(), self.url.rsplit(':').next().expect("a port").to_owned()];
        drop(self);
        meanwhile();
        let [port, http] = &ports;
        Self::of(Server::start_with(binary(), &[&["--lang", "en", "--port", port, "--http", http], flags].concat()))
    }

    /// The page of a user, in a room.
    fn page(&self, name: &str, room: &str) -> String {
        format!("{}/?name={name}#{room}", self.url)
    }
}

/// What the tests look for in a page.
impl Browser<'_> {
    /// Opens the page, and waits until its user is in the room.
    #[track_caller]
    fn enter(&self, place: &Place, name: &str, room: &str) {
        self.open(&place.page(name, room));
        self.until(&format!(
            "[...document.querySelectorAll('aside bdi')].some((it) => it.textContent === {})",
            json!(name)
        ));
    }

    /// Shows another room, or a private conversation.
    #[track_caller]
    fn go(&self, hash: &str) {
        self.script(&format!("location.hash = {}", json!(hash)));
        self.until(&format!("document.querySelector('h1').textContent === {}", json!(hash)));
    }

    /// Types a line and sends it.
    #[track_caller]
    fn say(&self, text: &str) {
        self.keys("textarea", &format!("{text}{}", webdriver::ENTER));
    }

    /// Waits until the page shows that this was said.
    #[track_caller]
    fn expect(&self, text: &str) {
        self.until(&format!(
            "[...document.querySelectorAll('#log .text')].some((it) => it.textContent === {})",
            json!(text)
        ));
    }

    /// What the page shows that was said, oldest first.
    #[track_caller]
    fn texts(&self) -> Vec<String> {
        let texts = self.script("return [...document.querySelectorAll('#log .text')].map((it) => it.textContent)");
        texts.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    }
}

/// Reads on until a line ends so, whatever comes before.
#[track_caller]
fn hear(nc: &mut Client, end: &str) {
    while !nc.line().ends_with(end) {}
}

/// A path for a file of the tests, by which it is found after them.
fn kept_file(folder: &str, name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).expect("a directory");
    folder.join(name)
}

/// A file that is removed on drop, with what SQLite has beside it.
struct StoreFile(PathBuf);

impl StoreFile {
    fn new(name: &str) -> Self {
        Self(kept_file("browser", &format!("{name}-{}.db", process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for StoreFile {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            fs::remove_file(format!("{}{end}", self.path())).ok();
        }
    }
}
