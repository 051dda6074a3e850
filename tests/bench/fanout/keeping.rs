//! Pipechats that keep more or less of what is said than they do by themselves, which is the last lines in memory.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use crate::child::{Scratch, Server};
use crate::servers::PIPECHAT_FLAGS;

/// A new store in a server's own folder.
const STORE: &str = "chat.db";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    Nothing,
    /// In a store, so that it survives the end of the process.
    Normal,
    /// So that it survives the end of the system too.
    Full,
}

impl Keeping {
    /// Those with a store.
    pub(crate) const STORES: [Self; 2] = [Self::Normal, Self::Full];

    /// What a pipechat is called that keeps so much.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "pipechat, recent 0",
            Self::Normal => "pipechat, normal",
            Self::Full => "pipechat, full",
        }
    }

    /// Starts the program at `path`, with a copy of a store if there is one.
    pub(crate) fn start(self, path: &Path, store: Option<&Path>, flags: &[&str]) -> io::Result<Server> {
        if self == Self::Nothing {
            return Server::announced(path, &[PIPECHAT_FLAGS, &["--recent", "0"], flags].concat(), None);
        }
        let files = Scratch::on_disk()?;
        let file = files.path.join(STORE);
        if let Some(store) = store {
            fs::copy(store, &file)?;
            // Or the kernel would write it while the server is measured.
            File::open(&file)?.sync_all()?;
        }
        let sync = if self == Self::Full { "full" } else { "normal" };
        let file = file.display().to_string();
        Server::announced(path, &[PIPECHAT_FLAGS, &["--store", &file, "--sync", sync], flags].concat(), Some(files))
    }
}

/// Whether the program at `path` keeps anything: one of an earlier version does not.
pub(crate) fn can_keep(path: &Path) -> io::Result<bool> {
    let help = Command::new(path).arg("--help").output()?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--store"))
}
