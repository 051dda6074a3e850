//! A subcommand on a terminal of its own.

use std::{
    fs::File,
    io::{Read, Write},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use common::{DEADLINE, Server, binary};
use rustix::{
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

use crate::process::exit;

/// A subcommand on a terminal of its own, killed on drop.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    /// The terminal's other side, kept open to read its modes.
    side: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    pub(crate) fn spawn(server: &Server, flags: &[&str]) -> Self {
        Self::spawn_with(server, flags, &[])
    }

    pub(crate) fn spawn_with(server: &Server, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags_open = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = File::from(rustix::fs::open(name, flags_open, Mode::empty()).expect("the other side"));
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        let mut command = binary();
        command.args([subcommand, "--port", &server.addr.port().to_string()]).args(rest);
        command.env("TERM", "xterm").env_remove("NO_COLOR").envs(env.iter().copied());
        let clone = || Stdio::from(side.try_clone().expect("a descriptor"));
        command.stdin(clone()).stdout(clone()).stderr(clone());
        let child = command.spawn().expect("the binary runs");
        let keys = File::from(master);
        let (mut output, (sender, screen)) = (keys.try_clone().expect("a descriptor"), channel());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read) = output.read(&mut bytes)
                && sender.send(bytes[..read].to_vec()).is_ok()
            {}
        });
        Self { child, keys, side, screen, seen: String::new() }
    }

    #[track_caller]
    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
    }

    /// Waits until this is shown, after what was expected before.
    #[track_caller]
    pub(crate) fn expect(&mut self, part: &str) {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(at) = self.seen.find(part) {
                self.seen.drain(..at + part.len());
                return;
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("waited for {part:?}: {error}, {:?}", self.seen),
            }
        }
    }

    #[track_caller]
    pub(crate) fn exit(&mut self) -> i32 {
        exit(&mut self.child)
    }

    /// Whether the terminal edits and echoes lines itself, as it does for a shell.
    pub(crate) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.side).expect("a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
