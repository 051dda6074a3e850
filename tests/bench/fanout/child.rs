//! A server as a child process: started, watched through `/proc`, always killed. Knows nothing of its protocol.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take until it accepts; a debug build of anything needs less.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Makes the kernel kill the server when this process dies without unwinding; part of util-linux.
const SETPRIV: &str = "/usr/bin/setpriv";

/// The file of a server's log, in a directory of its own.
const LOG: &str = "log";

/// A folder that cargo has made for the benchmark, beside the build.
pub(crate) const DISK: &str = env!("CARGO_TARGET_TMPDIR");

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddrV4,
    /// When it was told to start.
    pub(crate) began: Instant,
    /// Held open: a server whose stdout is closed may take that for an error.
    _stdout: Option<BufReader<ChildStdout>>,
    files: Option<Scratch>,
}

impl Server {
    /// Starts a server that prints `… listening on 127.0.0.1:PORT` once it accepts. `files` are removed with it.
    pub(crate) fn announced(program: &Path, arguments: &[&str], files: Option<Scratch>) -> io::Result<Self> {
        let mut command = tethered(program);
        command.args(arguments).env("RUST_LOG", "error");
        Self::listening(program, command, files)
    }

    /// The same, with its usual log in a file, and perhaps a limit on open files.
    pub(crate) fn logged(program: &Path, arguments: &[&str], open_files: Option<u32>) -> io::Result<Self> {
        let files = Scratch::new()?;
        let program = &std::path::absolute(program)?;
        let mut command = match open_files {
            Some(most) => {
                let mut shell = tethered(Path::new("sh"));
                shell.arg("-c").arg(format!("ulimit -n {most} && exec \"$0\" \"$@\"")).arg(program);
                shell
            }
            None => tethered(program),
        };
        command
            .args(arguments)
            .current_dir(&files.path)
            .env_remove("RUST_LOG")
            .stderr(fs::File::create(files.path.join(LOG))?);
        Self::listening(program, command, Some(files))
    }

    fn listening(program: &Path, mut command: Command, files: Option<Scratch>) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().map_err(|error| naming(program, &error))?;
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        match first_address(&mut stdout) {
            Ok(address) => Ok(Self { child, address, began, _stdout: Some(stdout), files }),
            Err(error) => {
                reap(&mut child);
                Err(naming(program, &error))
            }
        }
    }

    /// Starts a server that prints nothing on stdout, and waits until it listens. `files` has its configuration, and is
    /// removed with the server.
    pub(crate) fn silent(program: &str, arguments: &[String], port: u16, files: Scratch) -> io::Result<Self> {
        let mut command = tethered(Path::new(program));
        command.args(arguments).current_dir(&files.path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let child = command.spawn().map_err(|error| naming(Path::new(program), &error))?;
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let mut server = Self { child, address, began, _stdout: None, files: Some(files) };
        let deadline = Instant::now() + START_PATIENCE;
        while !listens(&server.proc("net/tcp"), port)? {
            if let Some(status) = server.child.try_wait()? {
                return Err(io::Error::other(format!("{program} ended at its start: {status}")));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{program} does not listen on {address}")));
            }
            sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// CPU time that all threads of the server have used, in the kernel and outside.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        self.cpu_of("")
    }

    /// The same of the threads whose names begin like this.
    pub(crate) fn cpu_of(&self, threads: &str) -> io::Result<Duration> {
        // `/proc/PID/stat` counts ticks of 10 ms, the scheduler's own sum nanoseconds. Threads that have exited are
        // missing from it; servers have hardly any.
        let mut nanoseconds = 0;
        for task in fs::read_dir(self.proc("task"))? {
            let task = task?.path();
            // A thread may end between the listing and the read.
            if !threads.is_empty() && !fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with(threads))
            {
                continue;
            }
            if let Ok(schedstat) = fs::read_to_string(task.join("schedstat")) {
                nanoseconds += schedstat.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> io::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that it has had of that.
    pub(crate) fn peak_memory(&self) -> io::Result<u64> {
        self.status("VmHWM:")
    }

    /// Lets that begin again with what it has now.
    pub(crate) fn restart_peak(&self) -> io::Result<()> {
        fs::write(self.proc("clear_refs"), "5")
    }

    fn status(&self, what: &str) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix(what)?.trim().strip_suffix(" kB"));
        match kilobytes.and_then(|n| n.parse::<u64>().ok()) {
            Some(kilobytes) => Ok(kilobytes * 1024),
            None => Err(io::Error::other(format!("no {what} in /proc/PID/status"))),
        }
    }

    /// Bytes of its log, if that is in a file.
    pub(crate) fn log_bytes(&self) -> io::Result<u64> {
        let files = self.files.as_ref().ok_or_else(|| io::Error::other("the log is not in a file"))?;
        Ok(fs::metadata(files.path.join(LOG))?.len())
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Takes the CPU away from it, and returns when it no longer runs.
    pub(crate) fn stop(&self) -> io::Result<()> {
        kill_process(self.pid(), Signal::STOP)?;
        let is_stopped = |stat: String| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'));
        while !is_stopped(fs::read_to_string(self.proc("stat"))?) {
            sleep(Duration::from_micros(100));
        }
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::CONT)?)
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::TERM)?)
    }

    /// Waits until the server has had nothing to do for a while.
    pub(crate) fn rest(&self, patience: Duration) -> io::Result<()> {
        const LOOK: Duration = Duration::from_millis(100);
        const IDLE: Duration = Duration::from_millis(1);
        let deadline = Instant::now() + patience;
        let mut before = self.cpu()?;
        while Instant::now() < deadline {
            sleep(LOOK);
            let now = self.cpu()?;
            if now.saturating_sub(before) < IDLE {
                return Ok(());
            }
            before = now;
        }
        Err(io::Error::other(format!("the server is still busy after {} s", patience.as_secs())))
    }

    /// What to report if the server has exited by itself.
    pub(crate) fn early_exit(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("the server itself has ended: {status}"))
    }

    pub(crate) fn proc(&self, what: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{what}", self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        reap(&mut self.child);
    }
}

/// A directory of our own, removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> io::Result<Self> {
        Self::below(&std::env::temp_dir())
    }

    /// The same on the disk that has the build: what is for temporary files may be in memory.
    pub(crate) fn on_disk() -> io::Result<Self> {
        Self::below(Path::new(DISK))
    }

    fn below(folder: &Path) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pipechat-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(name);
        fs::create_dir(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays where it is for what is temporary.
        fs::remove_dir_all(&self.path).ok();
    }
}

/// A port that is free now. Another process could take it before the server does; then the server ends
/// at its start and the workload is reported as failed.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether a server listens on `port`, by the kernel's list. A connection to find out would be a client, and ncat
/// crashes when one leaves before it has been greeted.
fn listens(list: &Path, port: u16) -> io::Result<bool> {
    let local = format!(":{port:04X}");
    let listening = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        words.next().is_some_and(|address| address.ends_with(&local)) && words.nth(1) == Some("0A")
    };
    Ok(fs::read_to_string(list)?.lines().any(listening))
}

fn tethered(program: &Path) -> Command {
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Reads the server's first line under a deadline, and takes the address from its end.
fn first_address(stdout: &mut BufReader<ChildStdout>) -> io::Result<SocketAddrV4> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = Timespec { tv_sec: START_PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
    if poll(&mut [PollFd::new(stdout.get_ref(), PollFlags::IN)], Some(&patience))? == 0 {
        return Err(io::Error::other("says nothing on its stdout"));
    }
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let address = line.trim_end().rsplit(' ').next().and_then(|word| word.parse().ok());
    address.ok_or_else(|| io::Error::other(format!("should say where it listens, says {line:?}")))
}

fn reap(child: &mut Child) {
    // Both fail only if the child has exited already.
    child.kill().ok();
    child.wait().ok();
}

fn naming(program: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", program.display()))
}
