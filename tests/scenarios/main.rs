//! Runs the shell scenarios against the real program: each in `scripts/scenarios/`, and the demo, under every netcat
//! that is installed, and under bash's own `/dev/tcp`, which always is. What is skipped is told on stderr, also when
//! all pass.
//!
//! `PIPECHAT` names another program to run them against, such as the release build.
#![cfg(unix)]

use std::{
    env,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

const NETCATS: [&str; 5] = ["openbsd", "traditional", "ncat", "busybox", "devtcp"];
/// A scenario has deadlines of its own; this one is for what they miss.
const DEADLINE: Duration = Duration::from_secs(60);
/// The exit code of a scenario whose netcat is not installed.
const EXIT_SKIPPED: i32 = 77;

#[test]
fn presence() {
    under_every_netcat("scenarios/1-presence");
}

#[test]
fn broadcast() {
    under_every_netcat("scenarios/2-broadcast");
}

#[test]
fn who() {
    under_every_netcat("scenarios/3-who");
}

#[test]
fn rename() {
    under_every_netcat("scenarios/4-rename");
}

#[test]
fn idle_kick() {
    under_every_netcat("scenarios/5-idle-kick");
}

#[test]
fn private() {
    under_every_netcat("scenarios/6-private");
}

#[test]
fn half_close() {
    under_every_netcat("scenarios/7-half-close");
}

#[test]
fn shutdown() {
    under_every_netcat("scenarios/8-shutdown");
}

#[test]
fn english() {
    under_every_netcat("scenarios/9-english");
}

/// This scenario runs every netcat by itself.
#[test]
fn every_netcat() {
    under(&["devtcp"], "scenarios/10-every-netcat");
}

/// And this one every netcat that speaks TLS.
#[test]
fn every_netcat_with_tls() {
    under(&["devtcp"], "scenarios/16-every-netcat-with-tls");
}

#[test]
fn ipv6() {
    under_every_netcat("scenarios/11-ipv6");
}

#[test]
fn rooms() {
    under_every_netcat("scenarios/12-rooms");
}

#[test]
fn room_answers() {
    under_every_netcat("scenarios/13-room-answers");
}

#[test]
fn history() {
    under_every_netcat("scenarios/14-history");
}

#[test]
fn history_of() {
    under_every_netcat("scenarios/15-history-of");
}

#[test]
fn accounts() {
    under_every_netcat("scenarios/16-accounts");
}

#[test]
fn http() {
    under_every_netcat("scenarios/17-http");
}

#[test]
fn demo() {
    under_every_netcat("demo");
}

/// The demo speaks the server's language throughout, and shows a refusal and the last line of the one who is kicked.
#[test]
fn demo_in_each_language() {
    let demo = |flags: &[&str]| {
        let output = run(&scripts().join("demo"), flags, "devtcp");
        let transcript = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{transcript}{}", String::from_utf8_lossy(&output.stderr));
        transcript
    };
    let (zh, en) = (demo(&[]), demo(&["--lang", "en"]));
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let notes = |text: &str| text.lines().filter(|line| line.starts_with("# ")).count();
    assert!(!en.contains(is_chinese), "{en}");
    let in_chinese = zh.lines().filter(|line| line.starts_with("# ") && line.contains(is_chinese)).count();
    assert!(en.contains("(the server has closed)") && zh.contains("（服务器已断开）"), "{zh}");
    assert_eq!((in_chinese, notes(&zh)), (notes(&en), notes(&en)), "{zh}");
    for (transcript, lines) in [
        (&zh, ["李四< 用户名已存在,修改失败\n", "王五< 你已超时,将被踢出下线\n"]),
        (&en, ["bob< name already taken\n", "cid< disconnected: idle timeout\n"]),
    ] {
        assert!(lines.iter().all(|line| transcript.contains(line)), "{transcript}");
    }
}

/// Every scenario is run by a test of this file.
#[test]
fn every_scenario_has_a_test() {
    let this = include_str!("main.rs");
    for entry in scripts().join("scenarios").read_dir().expect("the scenarios are in the repository") {
        let name = entry.expect("a directory can be read").file_name();
        let call = format!("\"scenarios/{}\");", name.to_string_lossy());
        assert!(this.contains(&call), "tests/scenarios/main.rs lacks under_every_netcat({call}");
    }
}

fn under_every_netcat(script: &str) {
    under(&NETCATS, script);
}

/// Runs a script under these netcats at once, and panics with the transcripts of those that failed.
fn under(netcats: &[&'static str], script: &str) {
    let start = |&netcat: &&'static str| {
        let script = scripts().join(script);
        (netcat, thread::spawn(move || run(&script, &[], netcat)))
    };
    let runs: Vec<_> = netcats.iter().map(start).collect();
    let mut failures = String::new();
    for (netcat, run) in runs {
        let output = run.join().expect("a run does not panic");
        let transcript = String::from_utf8_lossy(&output.stdout);
        for line in transcript.lines().filter(|line| line.contains("SKIPPED: ")) {
            // Not `eprintln!`, which the test harness would keep to itself.
            writeln!(io::stderr(), "{script} with NC={netcat}: {}", line.trim_start_matches("# ")).ok();
        }
        if !output.status.success() && output.status.code() != Some(EXIT_SKIPPED) {
            let errors = String::from_utf8_lossy(&output.stderr);
            failures += &format!("\nNC={netcat} scripts/{script}: {}\n{transcript}{errors}", output.status);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Runs a script to its end, or to the deadline.
fn run(script: &Path, flags: &[&str], netcat: &str) -> Output {
    let server = env::var("PIPECHAT").unwrap_or_else(|_| env!("CARGO_BIN_EXE_pipechat").to_owned());
    let child = Command::new("bash")
        .arg(script)
        .args(flags)
        .env("NC", netcat)
        .env("PIPECHAT", server)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0) // so that its server and netcats can be ended with it
        .spawn()
        .expect("bash can be run");
    let group = Pid::from_child(&child);
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    let outcome = outcome.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        kill_process_group(group, Signal::KILL).expect("a script that runs has a process group");
        outcome.recv().expect("the one that waits sends before it ends")
    });
    outcome.expect("a child can be waited for")
}

fn scripts() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts"))
}
