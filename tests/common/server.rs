//! The real binary as a child process.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process, pidfd_getfd, pidfd_open};

use super::{Client, DEADLINE, EN, Texts, TimeLimit, ZH, client};

/// The tests of one program run side by side, except that a test of time, CPU or memory runs alone.
static MEASURING: RwLock<()> = RwLock::new(());

/// Which tests may run while this server does.
#[derive(Debug)]
enum Company {
    Shared(#[expect(dead_code, reason = "a guard")] RwLockReadGuard<'static, ()>),
    Alone(#[expect(dead_code, reason = "a guard")] RwLockWriteGuard<'static, ()>),
    /// The first server of the same test holds the lock.
    OfFirst,
}

/// A running pipechat, killed on drop. A test that fails prints its log.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
    /// In the language that connections begin with.
    pub texts: &'static Texts,
    stdout: Mutex<Receiver<String>>,
    said: Vec<String>,
    log: Arc<Log>,
    _company: Company,
    limit: Option<TimeLimit>,
}

impl Company {
    fn shared() -> Self {
        Self::Shared(MEASURING.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn alone() -> Self {
        Self::Alone(MEASURING.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug, Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Server {
    /// Starts a server with these flags on a free port, in English, and waits until it listens.
    #[track_caller]
    pub fn start(flags: &[&str]) -> Self {
        Self::spawn(binary(), &[&["--port", "0", "--lang", "en"], flags].concat(), Company::shared())
    }

    /// Starts a second server, to be dropped before this one. (With `start` it could wait for a test that wants to run
    /// alone, and that test for this server to be dropped.)
    #[track_caller]
    pub fn start_another(&self, flags: &[&str]) -> Self {
        Self::spawn(binary(), &[&["--port", "0", "--lang", "en"], flags].concat(), Company::OfFirst)
    }

    /// Starts a server while no other server of this test program runs.
    #[track_caller]
    pub fn start_alone(flags: &[&str]) -> Self {
        Self::spawn(binary(), &[&["--port", "0", "--lang", "en"], flags].concat(), Company::alone())
    }

    /// Starts a server with these flags alone.
    #[track_caller]
    pub fn start_with(command: Command, flags: &[&str]) -> Self {
        Self::spawn(command, flags, Company::shared())
    }

    /// Starts a server, alone, with this limit on open files.
    #[track_caller]
    pub fn start_alone_with_open_files(files: usize, flags: &[&str]) -> Self {
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\"")).arg(program());
        Self::spawn(bash, &[&["--port", "0", "--lang", "en"], flags].concat(), Company::alone())
    }

    #[track_caller]
    fn spawn(mut command: Command, flags: &[&str], company: Company) -> Self {
        command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let (limit, log) = (Some(TimeLimit::of(&child)), Arc::new(Log::default()));
        let (stderr, copy) = (child.stderr.take().expect("piped"), Arc::clone(&log));
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                copy.lock().0.push(line.unwrap_or_else(|error| format!("({error})")));
                copy.changed.notify_all();
            }
            copy.lock().1 = true;
            copy.changed.notify_all();
        });
        let (sender, stdout) = channel();
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        thread::spawn(move || {
            while let Some(Ok(line)) = lines.next()
                && sender.send(line).is_ok()
            {}
        });
        let unspecified = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let texts = if flags.windows(2).any(|pair| pair == ["--lang", "en"]) { &EN } else { &ZH };
        let (stdout, said) = (stdout.into(), Vec::new());
        let mut server = Self { child, addr: unspecified, texts, stdout, said, log, _company: company, limit };
        let stdout = server.stdout.get_mut().unwrap_or_else(PoisonError::into_inner);
        let first = stdout.recv_timeout(DEADLINE);
        let first =
            first.unwrap_or_else(|_| panic!("pipechat {flags:?} printed no line; its log: {:#?}", server.log()));
        let addr = first.strip_prefix("pipechat listening on ").and_then(|addr| addr.parse().ok());
        server.addr = addr.unwrap_or_else(|| panic!("pipechat {flags:?} printed {first:?}"));
        server.said.push(first);
        server
    }

    /// It may live for as long as the test takes, which is not known.
    pub fn lift_limit(&mut self) {
        self.limit = None;
    }

    /// Connects, and reads the line that announces the client.
    #[track_caller]
    pub fn connect(&self) -> Client {
        Client::connect(self, &client::Socket::default())
    }

    /// Connects a client and gives it this name; the arrival is still to be read by the others.
    #[track_caller]
    pub fn join(&self, name: &str) -> Client {
        let mut client = self.connect();
        client.rename(name);
        client
    }

    /// Connects clients with these names, which have read each other's arrivals.
    #[track_caller]
    pub fn join_all<const N: usize>(&self, names: [&str; N]) -> [Client; N] {
        let mut clients = names.map(|name| self.join(name));
        for client in &mut clients {
            client.fence();
        }
        clients
    }

    /// Connects and reads nothing.
    #[track_caller]
    pub fn dial(&self) -> Client {
        Client::dial(self, &client::Socket::default())
    }

    /// Connects from this address of this machine.
    #[track_caller]
    pub fn dial_from(&self, ip: [u8; 4]) -> Client {
        Client::dial(self, &client::Socket { from: Some(ip.into()), ..client::Socket::default() })
    }

    /// Connects with a small receive buffer and small packets, so that the kernel buffers hardly anything that the
    /// client does not read. Reads the line that announces it.
    #[track_caller]
    pub fn connect_narrow(&self) -> Client {
        Client::connect(self, &client::Socket { is_narrow: true, ..client::Socket::default() })
    }

    /// The lines of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().0.clone()
    }

    /// Waits until the log has `count` lines that contain `part`, and returns them.
    #[track_caller]
    pub fn expect_log(&self, count: usize, part: &str) -> Vec<String> {
        let is_short = |(lines, _): &mut (Vec<String>, bool)| lines.iter().filter(|l| l.contains(part)).count() < count;
        let waited = self.log.changed.wait_timeout_while(self.log.lock(), DEADLINE, is_short);
        let (lines, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        let found: Vec<_> = lines.0.iter().filter(|line| line.contains(part)).cloned().collect();
        assert!(!waited.timed_out(), "not {count} lines with {part:?} in the log: {:#?}", lines.0);
        found
    }

    /// The next place where it listens: what it has said after the first line.
    #[track_caller]
    pub fn next_place(&mut self) -> String {
        let stdout = self.stdout.get_mut().unwrap_or_else(PoisonError::into_inner);
        let line = stdout.recv_timeout(DEADLINE).expect("it listens in another place");
        self.said.push(line.clone());
        line.strip_prefix("pipechat listening on ").expect("a place").to_owned()
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the child is there");
    }

    /// Waits until it has exited. Returns the status, the lines of stdout, and the log.
    #[track_caller]
    pub fn exit(mut self, deadline: Duration) -> (ExitStatus, Vec<String>, Vec<String>) {
        let until = Instant::now() + deadline;
        loop {
            let stdout = self.stdout.get_mut().unwrap_or_else(PoisonError::into_inner);
            match stdout.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => self.said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("pipechat has not exited within {deadline:?}"),
            }
        }
        let status = self.child.wait().expect("ours");
        let lines = self.log.lock();
        let waited = self.log.changed.wait_timeout_while(lines, DEADLINE, |(_, is_over)| !*is_over);
        let log = waited.unwrap_or_else(PoisonError::into_inner).0.0.clone();
        (status, std::mem::take(&mut self.said), log)
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Resident memory in bytes.
    pub fn rss(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory ever, in bytes.
    pub fn peak_rss(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("a line of the kernel's");
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of the kernel's")
    }

    /// CPU time used so far, user and system.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux");
        // The name in parentheses may have anything in it.
        let (_, fields) = stat.rsplit_once(')').expect("proc(5)");
        let mut fields = fields.split_whitespace().skip(11).map(|field| field.parse::<u64>().expect("proc(5)"));
        let ticks = fields.next().expect("utime") + fields.next().expect("stime");
        Duration::from_millis(ticks * 10) // USER_HZ is 100 everywhere
    }

    /// How much of one CPU it uses over a while in which the test does nothing.
    pub fn cpu_share(&self, over: Duration) -> f64 {
        let (start, before) = (Instant::now(), self.cpu());
        thread::sleep(over); // the stretch that is measured
        (self.cpu() - before).as_secs_f64() / start.elapsed().as_secs_f64()
    }

    /// How many files it has open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("Linux").count()
    }

    /// The server's own end of a client's connection.
    #[track_caller]
    pub fn socket_of(&self, client: SocketAddr) -> OwnedFd {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).expect("Linux 5.3");
        for file in fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("Linux") {
            let number = file.expect("an entry").file_name().to_string_lossy().parse().expect("a number");
            let Ok(fd) = pidfd_getfd(&pidfd, number, PidfdGetfdFlags::empty()) else { continue };
            let peer = rustix::net::getpeername(&fd).ok().flatten();
            if peer.and_then(|peer| SocketAddr::try_from(peer).ok()) == Some(client) {
                return fd;
            }
        }
        panic!("the server has no connection with {client}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let tail = &log[log.len().saturating_sub(30)..];
            super::note(&format!("the end of the log of pipechat ({} lines): {tail:#?}", log.len()));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, (Vec<String>, bool)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The path of the program.
pub fn program() -> PathBuf {
    env::var_os("CARGO_BIN_EXE_pipechat").expect("cargo sets it for the tests that it runs").into()
}

/// The program, without the log level and the settings of the tests' environment.
pub fn binary() -> Command {
    let mut command = Command::new(program());
    command.env_remove("RUST_LOG");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIPECHAT_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program until it exits by itself. Returns the exit code, stdout and stderr.
#[track_caller]
pub fn run(flags: &[&str]) -> (i32, String, String) {
    run_with(binary(), flags)
}

/// The same, of this command.
#[track_caller]
pub fn run_with(mut command: Command, flags: &[&str]) -> (i32, String, String) {
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let _limit = TimeLimit::of(&child);
    let (mut stdout, mut stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (sender, ended) = channel();
    let reader = thread::spawn(move || {
        let (mut out, mut err) = (String::new(), String::new());
        stdout.read_to_string(&mut out).expect("text");
        stderr.read_to_string(&mut err).expect("text");
        sender.send(()).ok();
        (out, err)
    });
    if ended.recv_timeout(DEADLINE).is_err() {
        child.kill().ok();
        panic!("pipechat {flags:?} goes on running, {:?}", reader.join());
    }
    let status = child.wait().expect("ours");
    let (out, err) = reader.join().expect("has sent");
    (status.code().unwrap_or_else(|| panic!("killed by signal {:?}", status.signal())), out, err)
}
