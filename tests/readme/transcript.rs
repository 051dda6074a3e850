//! Conversations in several terminals, as the READMEs and the manual write them down; ports, times and the epochs of positions may
//! differ from run to run.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use common::{DEADLINE, positions};
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
            stdin.expect("open").write_all(format!("{}\n", names.as_heard(text)).as_bytes()).expect("nc reads");
        } else if let Some(expected) = rest.strip_prefix("< ") {
            let heard = terminals[&who].lines.recv_timeout(DEADLINE);
            let heard = heard.unwrap_or_else(|error| panic!("{path}:{at}: {error}: {expected}"));
            let heard = timeless(&names.translate(expected, &heard));
            assert_eq!(heard, timeless(expected), "{path}:{at}");
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
    let mut names = Names::default();
    let heard: Vec<_> = heard
        .lines()
        .zip(expected.lines().chain(std::iter::repeat("")))
        .map(|(heard, expected)| timeless(&names.translate(expected, heard)))
        .collect();
    assert_eq!(heard, expected.lines().map(timeless).collect::<Vec<_>>(), "{what}");
}

/// The line without the times in it.
fn timeless(line: &str) -> String {
    let is_time =
        |word: &str| word.len() == "2026-11-23T11:37:33.504Z".len() && word.ends_with('Z') && word.contains('T');
    let parts = line.split_inclusive(['|', '"']);
    parts.map(|part| if is_time(part.trim_end_matches(['|', '"'])) { "TIME|" } else { part }).collect()
}

/// What is written for each address and each epoch of a run, after a dot.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    /// `heard` with what is written for its addresses and epochs, as far as it resembles `expected`.
    fn translate(&mut self, expected: &str, heard: &str) -> String {
        let mut out = heard.to_owned();
        for names in [addresses, epochs] {
            let mut wanted = names(expected).into_iter();
            for name in names(heard) {
                if let Some(wanted) = wanted.next()
                    && !self.0.contains_key(&name)
                    && !self.0.values().any(|known| *known == wanted)
                {
                    self.0.insert(name.clone(), wanted);
                }
                if let Some(known) = self.0.get(&name) {
                    out = out.replace(&name, known);
                }
            }
        }
        out
    }

    /// What has to be sent for this text: the other way round.
    fn as_heard(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, written)| text.replace(written, name))
    }
}

fn addresses(text: &str) -> Vec<String> {
    const IP: &str = "127.0.0.1:";
    let ports = text.split(IP).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    ports.filter(|port| !port.is_empty()).map(|port| format!("{IP}{port}")).collect()
}

fn epochs(text: &str) -> Vec<String> {
    let epoch = |position: &str| position.split_once('.').map(|(_, epoch)| format!(".{epoch}"));
    positions(text).into_iter().filter_map(epoch).collect()
}
