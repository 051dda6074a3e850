//! The ways to the server: places to listen on, sockets in the file system, TLS, proxies.

mod attacks;
mod class;
mod client;
mod ends;
mod places;
mod proxy;
mod reload;
mod tls;

use std::{env, fs, path::PathBuf, process};

/// A directory of the test's own, removed on drop.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("pipechat-{name}-{}", process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
