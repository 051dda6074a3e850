//! Runs scripts in bash, with `pipechat` and `nc` in their PATH, and kills what they leave running.

use std::{
    env, fs,
    io::{Read, Write},
    ops::Deref,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{OnceLock, mpsc::channel},
    thread,
};

use common::{DEADLINE, Server, binary, note};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

#[derive(Debug)]
#[expect(dead_code, reason = "shown when a test fails")]
pub(crate) struct Ran {
    script: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The ports of the examples.
const PORT: &str = "9999";
const HTTP_PORT: &str = "9980";

/// A server for examples.
pub(crate) struct Served {
    server: Server,
    /// Where it speaks HTTP, if it does.
    http_port: Option<String>,
}

impl Deref for Served {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// Starts a server with these flags on free ports.
pub(crate) fn serve(flags: &[&str]) -> Served {
    let free: Vec<&str> = flags.iter().map(|flag| if *flag == HTTP_PORT { "0" } else { flag }).collect();
    let mut server = Server::start_with(binary(), &[&["--port", "0"], &free[..]].concat());
    let http_port = flags.contains(&HTTP_PORT).then(|| {
        let place = server.next_place();
        place.trim_end_matches('/').rsplit(':').next().expect("a port").to_owned()
    });
    Served { server, http_port }
}

/// The text with this server's ports.
pub(crate) fn on_port(server: &Served, text: &str) -> String {
    let port = server.addr.port().to_string();
    // One of the ports may have the digits of the other's in it.
    let parts: Vec<_> = text.split(HTTP_PORT).map(|part| part.replace(PORT, &port)).collect();
    parts.join(server.http_port.as_deref().unwrap_or(HTTP_PORT))
}

/// Runs a script, with this server's ports in place of the examples', and kills what it leaves running.
pub(crate) fn bash(server: &Served, script: &str, dir: &Path, input: &str) -> Ran {
    let mut command = shell(&on_port(server, script));
    command.current_dir(dir).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("bash");
    let group = Pid::from_child(&child);
    let read = |mut from: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut text = Vec::new();
            from.read_to_end(&mut text).ok();
            String::from_utf8_lossy(&text).into_owned()
        })
    };
    let out = read(Box::new(child.stdout.take().expect("piped")));
    let err = read(Box::new(child.stderr.take().expect("piped")));
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_owned());
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()).ok());
    let (sender, ended) = channel();
    // Waits without reaping, so that the process group still exists when it is killed.
    thread::spawn(move || {
        waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok();
        sender.send(()).ok();
    });
    let in_time = ended.recv_timeout(DEADLINE);
    kill_process_group(group, Signal::KILL).ok();
    let status = child.wait().expect("ours");
    writer.join().expect("a write to a pipe");
    let (out, err) = (out.join().expect("a read"), err.join().expect("a read"));
    let ran = Ran { script: script.to_owned(), code: status.code().unwrap_or(-1), out, err };
    assert!(in_time.is_ok(), "not within {DEADLINE:?}: {ran:#?}");
    ran
}

/// A bash that has `pipechat` and `nc`.
pub(crate) fn shell(script: &str) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_pipechat"));
    let mut dirs = vec![nc_dir().to_owned(), binary.parent().expect("a file").to_owned()];
    dirs.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = Command::new("bash");
    command.args(["-c", script]).env("PATH", env::join_paths(dirs).expect("from a PATH")).env("PIPECHAT", binary);
    for name in ["RUST_LOG", "NC"] {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PIPECHAT_")) {
        command.env_remove(name);
    }
    command
}

pub(crate) fn is_installed(program: &str) -> bool {
    let found = Command::new("bash").args(["-c", "command -v -- \"$0\"", program]).stdout(Stdio::null()).status();
    found.expect("bash").success()
}

/// The directory of the examples' `nc`: OpenBSD's if it is installed, or else the system's, or else bash.
fn nc_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = tmp("bin");
        let script = if is_installed("nc.openbsd") {
            "exec nc.openbsd \"$@\""
        } else if is_installed("nc") {
            return dir;
        } else {
            note("there is no nc: the examples are run with bash's /dev/tcp");
            "exec 3<>\"/dev/tcp/$1/$2\"; cat <&3 & cat >&3; wait"
        };
        let nc = dir.join("nc");
        fs::write(&nc, format!("#!/usr/bin/env bash\n{script}\n")).expect("ours");
        fs::set_permissions(&nc, fs::Permissions::from_mode(0o755)).expect("ours");
        dir
    })
}

pub(crate) fn nc_can_half_close() -> bool {
    let help = shell("nc -h 2>&1").output().expect("bash");
    String::from_utf8_lossy(&help.stdout).contains("-N")
}

/// A directory for this test's files.
pub(crate) fn tmp(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{name}"));
    fs::create_dir_all(&dir).expect("cargo's own directory");
    dir
}
