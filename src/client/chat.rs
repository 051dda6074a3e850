//! `pipechat chat`: on a terminal, a line editor and messages that arrive while one types. In a pipe it works like
//! `nc`: it sends stdin, and prints what comes until the server closes the connection.

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

use pipechat::{
    chat::Event,
    protocol::{Lang, escape::escaped},
};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::{Config, Editor, ExternalPrinter, history::MemHistory};

use super::{
    ChatArgs, Deadline, Failure, Outcome, complain, conclude,
    connection::{ConnectOptions, Connection},
    lines::{Input, LINE_BYTES_MAX, Lines},
    message::{ServerMessage, lang_of_set},
    print,
    reader::{Reader, Received},
};

const PROMPT: &str = "> ";
/// How long the server may take to answer `quit` when a person leaves.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

impl ChatArgs {
    /// Runs the subcommand.
    pub(crate) fn run(&self) -> Outcome {
        let options = ConnectOptions {
            host: &self.host,
            port: self.port,
            name: self.name.as_deref(),
            lang: self.lang,
            idle_exempt: true,
            keeps_news: true,
        };
        let mut connection = Connection::open(&options, Deadline::NEVER)?;
        let (lang, early) = (connection.lang, std::mem::take(&mut connection.early));
        let (reader, writer) = connection.split();
        let has_colours = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let is_leaving = Arc::new(AtomicBool::new(false));
        let listener = Listener { reader, lang, has_colours, is_leaving: Arc::clone(&is_leaving) };
        let early = early.into_iter().map(|(_, news)| news).collect();
        if io::stdin().is_terminal()
            && io::stdout().is_terminal()
            && let Some(repl) = Repl::new()
        {
            return repl.run(listener, early, writer, &is_leaving);
        }
        thread::spawn(move || forward_stdin(writer, &is_leaving));
        listener.run(early, print)
    }
}

/// Sends the lines of stdin, and `quit` at its end. The server answers everything before that.
fn forward_stdin(mut writer: TcpStream, is_leaving: &AtomicBool) {
    let (mut lines, mut out) = (Lines::of_stdin(), Vec::new());
    loop {
        match lines.next("", &mut out) {
            Ok(Input::Line) => {}
            Ok(Input::TooLong) => complain(&format!("line too long, not sent: more than {LINE_BYTES_MAX} bytes")),
            Ok(Input::End) | Err(_) => break,
        }
        if !lines.has_more() {
            // If that fails, the listener learns why.
            writer.write_all(&out).ok();
            out.clear();
        }
    }
    is_leaving.store(true, Ordering::SeqCst);
    out.extend_from_slice(b"quit\n");
    writer.write_all(&out).ok();
}

/// Prints what the server sends, until the connection ends.
struct Listener {
    reader: Reader,
    lang: Lang,
    has_colours: bool,
    /// The user has quit: that the connection ends is no failure.
    is_leaving: Arc<AtomicBool>,
}

impl Listener {
    fn run(mut self, early: Vec<ServerMessage>, mut print: impl FnMut(&[u8]) -> Outcome) -> Outcome {
        for news in early {
            print(&self.render(news))?;
        }
        let mut end = Ok(());
        loop {
            let line = match self.reader.receive(Deadline::NEVER) {
                Received::Line(line) => line,
                Received::Ended(_) if end.is_err() || self.is_leaving.load(Ordering::SeqCst) => return end,
                Received::Ended(reason) => return Err(Failure::Lost(reason)),
                Received::TooLong => return Err(Received::too_long()),
                Received::TimedOut => continue,
            };
            match ServerMessage::parse(&line) {
                Some(ServerMessage::Farewell { code, text }) if code != "quit" => return Err(Failure::Lost(text)),
                Some(message) => {
                    match &message {
                        ServerMessage::Farewell { .. } => self.is_leaving.store(true, Ordering::SeqCst),
                        // The server hangs up after that.
                        ServerMessage::Answer(Event::WaitTimedOut) => {
                            end = Err(Failure::TimedOut("timed out".to_owned()));
                        }
                        ServerMessage::Set(text) => self.lang = lang_of_set(text).unwrap_or(self.lang),
                        ServerMessage::News(_)
                        | ServerMessage::Answer(_)
                        | ServerMessage::Help(_)
                        | ServerMessage::Refused { .. } => {}
                    }
                    print(&self.render(message))?;
                }
                // The user may have asked for `format|text`.
                None if !line.starts_with('{') => print(format!("{}\n", escaped(&line)).as_bytes())?,
                None => {}
            }
        }
    }

    fn render(&self, message: ServerMessage) -> Vec<u8> {
        if self.has_colours { message.with_names(coloured).in_text(self.lang) } else { message.in_text(self.lang) }
    }
}

/// `name` in a colour that depends on the name alone.
fn coloured(name: &str) -> String {
    // FNV-1a: a few bits of any hash that is the same everywhere will do.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let colours = [31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96]; // SGR: no black, no white
    let colour = colours[(hash >> 8) as usize % colours.len()];
    format!("\x1b[{colour}m{name}\x1b[0m")
}

/// A line editor on a terminal.
struct Repl {
    editor: Editor<(), MemHistory>,
    /// The terminal's settings, to be restored.
    terminal: Termios,
}

impl Repl {
    /// `None` if the terminal is too simple for a line editor.
    fn new() -> Option<Self> {
        // Each pasted line is sent by itself.
        let config = Config::builder().auto_add_history(true).bracketed_paste(false).build();
        let terminal = tcgetattr(io::stdin()).ok()?;
        let history = MemHistory::with_config(&config);
        Some(Self { editor: Editor::with_history(config, history).ok()?, terminal })
    }

    fn run(
        self,
        listener: Listener,
        early: Vec<ServerMessage>,
        mut writer: TcpStream,
        is_leaving: &AtomicBool,
    ) -> Outcome {
        let Self { mut editor, terminal } = self;
        let mut printer = editor.create_external_printer().ok();
        let (sender, ended) = channel();
        thread::spawn(move || {
            let is_leaving = Arc::clone(&listener.is_leaving);
            let outcome = listener.run(early, |lines| match &mut printer {
                Some(printer) => {
                    let lines = String::from_utf8_lossy(lines).into_owned();
                    printer.print(lines).map_err(|_| Failure::Unread)
                }
                None => print(lines),
            });
            if is_leaving.load(Ordering::SeqCst) {
                sender.send(outcome).ok();
            } else {
                // The editor is blocked in a read of the terminal, and nothing can end that but the process.
                tcsetattr(io::stdin(), OptionalActions::Now, &terminal).ok();
                print(b"\r\n").ok();
                process::exit(conclude(outcome).into());
            }
        });
        while let Ok(line) = editor.readline(PROMPT) {
            if line == "quit" {
                break;
            }
            // If that fails, the listener learns why.
            writer.write_all(format!("{line}\n").as_bytes()).ok();
        }
        is_leaving.store(true, Ordering::SeqCst);
        writer.write_all(b"quit\n").ok();
        ended.recv_timeout(GOODBYE_MAX).unwrap_or(Ok(()))
    }
}
