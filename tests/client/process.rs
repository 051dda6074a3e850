//! A subcommand as a child process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    thread,
    time::Instant,
};

use common::{Client, DEADLINE, EN, Server, TimeLimit, binary, until};
use rustix::process::{Pid, Signal, kill_process};

/// A running subcommand, killed on drop.
pub(crate) struct Cli {
    child: Child,
    stdout: Receiver<String>,
    /// When this is dropped, stdout is closed after the next line.
    hold: Option<Sender<()>>,
    stderr: Option<thread::JoinHandle<String>>,
    _limit: TimeLimit,
}

impl Cli {
    pub(crate) fn spawn(server: &Server, flags: &[&str]) -> Self {
        Self::spawn_at(server.addr.port(), flags)
    }

    /// Connects to a server that is not ours.
    pub(crate) fn spawn_at(port: u16, flags: &[&str]) -> Self {
        let (subcommand, rest) = flags.split_first().expect("a subcommand");
        let mut command = binary();
        command.args([subcommand, "--port", &port.to_string()]).args(rest);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let limit = TimeLimit::of(&child);
        let (sender, stdout) = channel();
        let (hold, held) = channel::<()>();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                if sender.send(line).is_err() || held.try_recv() == Err(TryRecvError::Disconnected) {
                    break;
                }
            }
            drop(lines); // before the channel: its end says that stdout is closed
            drop(sender);
        });
        let mut errors = child.stderr.take().expect("piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).expect("text");
            text
        });
        Self { child, stdout, hold: Some(hold), stderr: Some(stderr), _limit: limit }
    }

    /// Waits until a listener has taken this name, and so is listening.
    #[track_caller]
    pub(crate) fn is_listening(&mut self, server: &Server, name: &str) {
        let mut client = server.connect();
        client.say(&format!("wait|20|user|{name}\nquit"));
        client.expect_among(&format!("wait|ok|{name}"));
        client.expect_among(EN.goodbye);
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the child is there");
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.type_bytes(text.as_bytes());
    }

    #[track_caller]
    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("read");
    }

    pub(crate) fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    pub(crate) fn stdin_is_closed(&self) -> bool {
        self.child.stdin.is_none()
    }

    /// Closes the reading end of stdout, which takes a line, and sends another one that nobody reads.
    #[track_caller]
    pub(crate) fn close_stdout(&mut self, sender: &mut Client) {
        self.close_stdout_after(|| sender.say("read"));
        sender.say("not read");
    }

    /// Closes the reading end of stdout after the line that comes of this.
    #[track_caller]
    pub(crate) fn close_stdout_after(&mut self, print_a_line: impl FnOnce()) {
        self.hold = None;
        print_a_line();
        let end = Instant::now() + DEADLINE;
        loop {
            match self.stdout.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it prints nothing"),
            }
        }
    }

    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        self.stdout.recv_timeout(DEADLINE).expect("a line in time")
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("ours").is_none()
    }

    /// Kills it, whatever it does. Returns the lines that it has printed and that were not read yet.
    #[track_caller]
    pub(crate) fn kill(&mut self) -> Vec<String> {
        self.signal(Signal::KILL);
        let lines = self.stdout.iter().collect();
        self.child.wait().expect("ours");
        lines
    }

    /// Waits until it exits. Returns the exit code, the lines of stdout that were not read yet, and stderr.
    #[track_caller]
    pub(crate) fn exit(&mut self) -> (i32, Vec<String>, String) {
        let mut lines = Vec::new();
        let end = Instant::now() + DEADLINE;
        loop {
            match self.stdout.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => lines.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on running, and printed {lines:?}"),
            }
        }
        let code = exit(&mut self.child);
        (code, lines, self.stderr.take().expect("once").join().expect("text"))
    }
}

impl Drop for Cli {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until it has exited.
#[track_caller]
pub(crate) fn exit(child: &mut Child) -> i32 {
    until("it exits", || child.try_wait().expect("ours").is_some());
    child.wait().expect("ours").code().expect("by itself")
}
