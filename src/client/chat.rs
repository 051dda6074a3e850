//! `pipechat chat`: a person at a terminal, who edits a line while messages arrive. In a pipe, a netcat that reads to the end.

use std::{
    env,
    io::{self, IsTerminal, Write},
    net::TcpStream,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

use pipechat::{chat::Event, protocol::Lang};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::{Config, Editor, ExternalPrinter, history::MemHistory};

use super::{
    ChatArgs, Deadline, Failure, Outcome, complain, conclude,
    connection::{ConnectOptions, Connection, Heard, Reader},
    lines::{Input, LINE_BYTES_MAX, Lines},
    message::{ServerMessage, lang_of_set},
    print,
};

const PROMPT: &str = "> ";
/// How long the goodbye may take when a person wants to leave.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

impl ChatArgs {
    /// Chats.
    pub(crate) fn run(&self) -> Outcome {
        let options = ConnectOptions {
            host: &self.host,
            port: self.port,
            name: self.name.as_deref(),
            lang: self.lang,
            idle_exempt: true,
        };
        let mut connection = Connection::open(&options, Deadline::NEVER)?;
        let (lang, early) = (connection.lang, std::mem::take(&mut connection.early));
        let (reader, writer) = connection.split();
        let has_colours = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let leaves = Arc::new(AtomicBool::new(false));
        let listener = Listener { reader, lang, has_colours, leaves: Arc::clone(&leaves) };
        let early = early.into_iter().map(|(_, told)| told).collect();
        if io::stdin().is_terminal()
            && io::stdout().is_terminal()
            && let Some(person) = Repl::new()
        {
            return person.run(listener, early, writer, &leaves);
        }
        thread::spawn(move || pass_on(writer, &leaves));
        listener.run(early, print)
    }
}

/// Sends what comes on stdin, and then a goodbye: the server answers everything before that.
fn pass_on(mut writer: TcpStream, leaves: &AtomicBool) {
    let (mut lines, mut out) = (Lines::of_stdin(), Vec::new());
    loop {
        match lines.next("", &mut out) {
            Ok(Input::Line) => {}
            Ok(Input::TooLong) => complain(&format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes")),
            Ok(Input::End) | Err(_) => break,
        }
        if !lines.has_more() {
            // Where that fails, the one who listens gets to know why.
            writer.write_all(&out).ok();
            out.clear();
        }
    }
    leaves.store(true, Ordering::SeqCst);
    out.extend_from_slice(b"quit\n");
    writer.write_all(&out).ok();
}

/// Prints what the server says, to the end.
struct Listener {
    reader: Reader,
    lang: Lang,
    has_colours: bool,
    /// The user has said goodbye: the end is no mishap.
    leaves: Arc<AtomicBool>,
}

impl Listener {
    fn run(mut self, early: Vec<ServerMessage>, mut print: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for told in early {
            print(&self.render(told))?;
        }
        let mut end = Ok(());
        loop {
            let line = match self.reader.hear(Deadline::NEVER) {
                Heard::Line(line) => line,
                Heard::End(_) if end.is_err() || self.leaves.load(Ordering::SeqCst) => return end,
                Heard::End(reason) => return Err(Failure::Lost(reason)),
                Heard::TimedOut => continue,
            };
            match ServerMessage::parse(&line) {
                Some(ServerMessage::Farewell { code, text }) if code != "quit" => return Err(Failure::Lost(text)),
                Some(told) => {
                    match &told {
                        ServerMessage::Farewell { .. } => self.leaves.store(true, Ordering::SeqCst),
                        // The server hangs up after that.
                        ServerMessage::Answer(Event::WaitTimedOut) => {
                            end = Err(Failure::TimedOut("timed out".to_owned()));
                        }
                        ServerMessage::Words(words) => self.lang = lang_of_set(words).unwrap_or(self.lang),
                        ServerMessage::News(_) | ServerMessage::Answer(_) | ServerMessage::Refused { .. } => {}
                    }
                    print(&self.render(told))?;
                }
                // The user may have asked for `format|text`.
                None if !line.starts_with('{') => print(format!("{line}\n").as_bytes())?,
                None => {}
            }
        }
    }

    fn render(&self, told: ServerMessage) -> Vec<u8> {
        if self.has_colours { told.with_names(coloured).in_text(self.lang) } else { told.in_text(self.lang) }
    }
}

/// A name in a colour that is always the same.
fn coloured(name: &str) -> String {
    // FNV-1a: a few bits of any hash will do, as long as it is the same everywhere.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let colours = [31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96]; // SGR: no black, no white
    let colour = colours[(hash >> 8) as usize % colours.len()];
    format!("\x1b[{colour}m{name}\x1b[0m")
}

/// A line editor on a terminal.
struct Repl {
    editor: Editor<(), MemHistory>,
    /// How the terminal was, and is to be again.
    terminal: Termios,
}

impl Repl {
    /// None where the terminal is too simple for a line editor.
    fn new() -> Option<Self> {
        // Pasted lines are lines: each is said by itself.
        let config = Config::builder().auto_add_history(true).bracketed_paste(false).build();
        let terminal = tcgetattr(io::stdin()).ok()?;
        let history = MemHistory::with_config(&config);
        Some(Self { editor: Editor::with_history(config, history).ok()?, terminal })
    }

    fn run(self, listener: Listener, early: Vec<ServerMessage>, mut writer: TcpStream, leaves: &AtomicBool) -> Outcome {
        let Self { mut editor, terminal } = self;
        let mut printer = editor.create_external_printer().ok();
        let (sender, ended) = channel();
        thread::spawn(move || {
            let leaves = Arc::clone(&listener.leaves);
            let outcome = listener.run(early, |lines| match &mut printer {
                Some(printer) => {
                    let lines = String::from_utf8_lossy(lines).into_owned();
                    printer.print(lines).map_err(|_| Failure::Unread)
                }
                None => print(lines),
            });
            if leaves.load(Ordering::SeqCst) {
                sender.send(outcome).ok();
            } else {
                // The editor waits for keys, and can't be told that there is nobody to talk to any more.
                tcsetattr(io::stdin(), OptionalActions::Now, &terminal).ok();
                print(b"\r\n").ok();
                process::exit(conclude(outcome).into());
            }
        });
        while let Ok(line) = editor.readline(PROMPT) {
            if line == "quit" {
                break;
            }
            // Where that fails, the one who listens gets to know why.
            writer.write_all(format!("{line}\n").as_bytes()).ok();
        }
        leaves.store(true, Ordering::SeqCst);
        writer.write_all(b"quit\n").ok();
        ended.recv_timeout(GOODBYE_MAX).unwrap_or(Ok(()))
    }
}
