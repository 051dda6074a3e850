//! A subcommand on a terminal of its own.

use std::{
    env,
    fs::File,
    io::{Read, Write},
    process::{self, Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Instant,
};

use common::{DEADLINE, Server, TimeLimit, binary};
use rustix::{
    fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{process::exit, screen::Screen};

/// A subcommand on a terminal of its own, killed on drop.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    /// The terminal's other side, kept open to read its modes.
    side: File,
    output: Receiver<Vec<u8>>,
    /// What has come and was not expected yet.
    seen: String,
    screen: Screen,
    /// All that has come.
    all: Vec<u8>,
    _limit: TimeLimit,
}

/// Most terminals are that wide.
const COLUMNS: u16 = 80;

impl Terminal {
    pub(crate) fn spawn(server: &Server, flags: &[&str]) -> Self {
        Self::spawn_with(server, flags, &[])
    }

    pub(crate) fn spawn_with(server: &Server, flags: &[&str], env: &[(&str, &str)]) -> Self {
        Self::spawn_at(server.addr.port(), flags, env)
    }

    /// Connects to a server that need not be ours.
    pub(crate) fn spawn_at(port: u16, flags: &[&str], env: &[(&str, &str)]) -> Self {
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        Self::spawn_alone_with(&[&[*subcommand, "--port", &port.to_string()], rest].concat(), env)
    }

    /// A subcommand that needs no server.
    pub(crate) fn spawn_alone(flags: &[&str]) -> Self {
        Self::spawn_alone_with(flags, &[])
    }

    fn spawn_alone_with(flags: &[&str], env: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags_open = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = File::from(rustix::fs::open(name, flags_open, Mode::empty()).expect("the other side"));
        let mut command = binary();
        command.args(flags);
        command.env("TERM", "xterm").env("TZ", "UTC0").env("XDG_STATE_HOME", state_folder());
        command.env_remove("NO_COLOR").envs(env.iter().copied());
        let clone = || Stdio::from(side.try_clone().expect("a descriptor"));
        command.stdin(clone()).stdout(clone()).stderr(clone());
        let child = command.spawn().expect("the binary runs");
        let limit = TimeLimit::of(&child);
        let keys = File::from(master);
        let (mut bytes_out, (sender, output)) = (keys.try_clone().expect("a descriptor"), channel());
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read) = bytes_out.read(&mut bytes)
                && sender.send(bytes[..read].to_vec()).is_ok()
            {}
        });
        let screen = Screen::new(COLUMNS.into());
        let mut terminal =
            Self { child, keys, side, output, seen: String::new(), screen, all: Vec::new(), _limit: limit };
        terminal.resize(COLUMNS);
        terminal
    }

    /// Gives the terminal another width.
    pub(crate) fn resize(&mut self, columns: u16) {
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.side, size).expect("a terminal");
        self.screen.resize(columns.into());
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
            if !self.receive(end) {
                panic!("waited for {part:?}: {:?}", self.seen);
            }
        }
    }

    /// Waits until a line ends so. Returns what is before that on the row of the screen.
    #[track_caller]
    pub(crate) fn expect_line_end(&mut self, end: &str) -> String {
        self.expect(&format!("{end}\r"));
        let rows = self.screen.rows();
        rows.iter().find_map(|row| row.strip_suffix(end)).expect("one row").to_owned()
    }

    /// Waits until the last rows of the screen are these; `HH:MM ` may stand for any time.
    #[track_caller]
    pub(crate) fn expect_rows(&mut self, expected: &[&str]) {
        let end = Instant::now() + DEADLINE;
        loop {
            let rows: Vec<_> = self.screen.rows().iter().map(|row| timeless(row)).collect();
            if rows.ends_with(&expected.iter().map(|&row| row.to_owned()).collect::<Vec<_>>()) {
                return;
            }
            if !self.receive(end) {
                panic!("waited for {expected:#?}: {rows:#?}");
            }
        }
    }

    /// Takes what comes next. Returns whether anything did.
    fn receive(&mut self, end: Instant) -> bool {
        let Ok(bytes) = self.output.recv_timeout(end.saturating_duration_since(Instant::now())) else { return false };
        self.seen.push_str(&String::from_utf8_lossy(&bytes));
        self.screen.take(&bytes);
        self.all.extend(bytes);
        true
    }

    /// Makes reads and writes fail where they would wait.
    pub(crate) fn set_nonblocking(&self) {
        let flags = fcntl_getfl(&self.side).expect("open");
        fcntl_setfl(&self.side, flags | OFlags::NONBLOCK).expect("a mode");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("small")).expect("not zero");
        kill_process(pid, signal).expect("it runs");
    }

    /// Whether this has come so far, without line ends.
    pub(crate) fn has_shown(&self, part: &str) -> bool {
        String::from_utf8_lossy(&self.all).contains(part)
    }

    /// How often it has.
    pub(crate) fn times_shown(&self, part: &str) -> usize {
        String::from_utf8_lossy(&self.all).matches(part).count()
    }

    /// Whether any escape sequence has come so far.
    pub(crate) fn has_escapes(&mut self) -> bool {
        while let Ok(bytes) = self.output.try_recv() {
            self.all.extend(bytes);
        }
        self.all.contains(&0x1b)
    }

    /// Whether any sequence has come so far that changes how characters look.
    pub(crate) fn has_colours(&self) -> bool {
        String::from_utf8_lossy(&self.all)
            .split("\x1b[")
            .skip(1)
            .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
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

/// Where the history is, for those who want none of their own.
fn state_folder() -> std::path::PathBuf {
    env::temp_dir().join(format!("pipechat-state-{}", process::id()))
}

/// The row with `HH:MM` for the time at its beginning.
fn timeless(row: &str) -> String {
    match row.split_at_checked(5) {
        Some((time, rest)) if rest.starts_with(' ') && is_time(time) => format!("HH:MM{rest}"),
        Some(_) | None => row.to_owned(),
    }
}

fn is_time(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() })
}
