//! No test waits for ever. Whatever a test waits for comes from a process in the end, so each is killed after a time; and where
//! threads go on until a server ends, a failure ends it at once.

use std::{
    io,
    os::fd::OwnedFd,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use super::{Server, note};

/// The longest life of a process that a test has started: several times what the slowest test takes on a busy machine.
const LIFE_MAX: Duration = Duration::from_secs(120);

/// Kills a process that lives too long, unless this is dropped before.
#[derive(Debug)]
pub struct TimeLimit {
    _in_time: Sender<()>,
}

impl TimeLimit {
    #[must_use]
    pub fn of(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        // Means this process even when it was reaped and another one has its number.
        let process: OwnedFd = pidfd_open(pid, PidfdFlags::empty()).expect("Linux 5.3, and it was not reaped");
        let (in_time, is_over) = channel();
        thread::spawn(move || {
            if is_over.recv_timeout(LIFE_MAX) == Err(RecvTimeoutError::Timeout) {
                note(&format!("process {pid} is killed: it has lived for {LIFE_MAX:?}"));
                pidfd_send_signal(&process, Signal::KILL).ok();
            }
        });
        Self { _in_time: in_time }
    }
}

/// Runs a command, with an empty stdin, to its end or to the limit.
///
/// # Errors
/// It can't be run.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let _limit = TimeLimit::of(&child);
    child.wait_with_output()
}

/// See [`Server::ends_with_failure`].
#[derive(Debug)]
pub struct EndsWithFailure<'a>(&'a Server);

impl Server {
    /// Kills the server when the test fails before this is dropped. To be held by a scope with threads that go on until the
    /// server ends, or until the test has got further: the scope waits for them, and the server outlives the scope.
    #[must_use]
    pub fn ends_with_failure(&self) -> EndsWithFailure<'_> {
        EndsWithFailure(self)
    }
}

impl Drop for EndsWithFailure<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            kill_process(self.0.pid(), Signal::KILL).ok(); // it may have ended already
        }
    }
}
