//! Conversations in several terminals, as the READMEs and the manual write them down; ports and times may differ from run to run.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use common::DEADLINE;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    markdown::Block,
    shell::{on_port, serve, shell},
};

pub(crate) fn converse(block: &Block) {
    let (server, path) = (serve(&block.flags()), &block.path);
    let (mut terminals, mut names) = (BTreeMap::<char, Terminal>::new(), Names::default());
    for (line, at) in block.text.lines().zip(block.at + 1..) {
        let mut chars = line.chars();
        let (Some(who), rest) = (chars.next(), chars.as_str()) else { continue };
        if let Some(command) = rest.strip_prefix("$ ") {
            terminals.insert(who, Terminal::open(&on_port(&server, command)));
        } else if let Some(text) = rest.strip_prefix("> ") {
            let stdin = terminals.get_mut(&who).and_then(|terminal| terminal.stdin.as_mut());
            stdin.expect("open").write_all(format!("{text}\n").as_bytes()).expect("nc reads");
        } else if let Some(expected) = rest.strip_prefix("< ") {
            let heard = terminals[&who].lines.recv_timeout(DEADLINE);
            let heard = heard.unwrap_or_else(|error| panic!("{path}:{at}: {error}: {expected}"));
            assert_eq!(names.translate(expected, &heard), expected, "{path}:{at}");
        } else if rest == "^C" {
            terminals.remove(&who);
        } else if rest == "^D" {
            let mut terminal = terminals.remove(&who).expect("open");
            drop(terminal.stdin.take());
            let end = terminal.lines.recv_timeout(DEADLINE);
            assert_eq!(end, Err(RecvTimeoutError::Disconnected), "{path}:{at}");
        } else {
            panic!("{path}:{at}: {line:?}?");
        }
    }
    // Nothing else was sent: the next line is the answer to this.
    for (who, terminal) in &mut terminals {
        terminal.stdin.as_mut().expect("open").write_all(b"sync|end\n").expect("nc reads");
        let heard = terminal.lines.recv_timeout(DEADLINE);
        assert_eq!(heard.as_deref(), Ok("sync|end"), "{}: terminal {who}", block.place());
    }
}

/// A terminal with a netcat in it, killed on drop.
struct Terminal {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Terminal {
    fn open(command: &str) -> Self {
        let mut child = shell(&format!("exec {command}"));
        let mut child = child.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { stdin: child.stdin.take(), child, lines }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The child has not been reaped, so its process group still exists.
        kill_process_group(Pid::from_child(&self.child), Signal::KILL).ok();
        self.child.wait().ok();
    }
}

#[track_caller]
pub(crate) fn compare(expected: &str, heard: &str, what: &str) {
    let timeless = |line: &str| match line.split_once("\"at\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').map_or("", |(_, after)| after)),
        None => line.to_owned(),
    };
    let mut names = Names::default();
    let heard: Vec<_> = heard
        .lines()
        .zip(expected.lines().chain(std::iter::repeat("")))
        .map(|(heard, expected)| timeless(&names.translate(expected, heard)))
        .collect();
    assert_eq!(heard, expected.lines().map(timeless).collect::<Vec<_>>(), "{what}");
}

/// The written address for each address of a run.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// `heard` with the written addresses, as far as it resembles `expected`.
    fn translate(&mut self, expected: &str, heard: &str) -> String {
        let mut wanted = addresses(expected).into_iter();
        let mut out = heard.to_owned();
        for address in addresses(heard) {
            if let Some(wanted) = wanted.next()
                && !self.0.contains_key(&address)
                && !self.0.values().any(|known| *known == wanted)
            {
                self.0.insert(address.clone(), wanted);
            }
            if let Some(known) = self.0.get(&address) {
                out = out.replace(&address, known);
            }
        }
        out
    }
}

fn addresses(text: &str) -> Vec<String> {
    const IP: &str = "127.0.0.1:";
    let ports = text.split(IP).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    ports.filter(|port| !port.is_empty()).map(|port| format!("{IP}{port}")).collect()
}
