//! What clients type: bytes, and what is to be understood of them.

use std::time::Duration;

use common::Rng;
use pipechat::chat::{Command, Format, Lang, Line, Refusal, Verb, WaitFor};

use super::model::{NAMES, NO_NAMES};

/// The longest line, in bytes.
pub(crate) const LINE_MAX: usize = 120;
/// The longest wait.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(8);

/// Pieces of texts: plain ones, and what might be taken for something else or obeyed by a terminal.
const PIECES: [&str; 16] = [
    "hi",
    " ",
    "你好",
    "🦀",
    "|",
    "]",
    ":",
    "[127.0.0.1:1]ann:",
    "已上线",
    "\t",
    "\r.",
    "\x1b[2J",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\"\\",
];

/// What comes before a line over telnet, and means nothing: a negotiation, a subnegotiation with a LF in it, a NOP.
const TELNET: [&[u8]; 3] = [b"\xff\xfb\x18", b"\xff\xfa\x18\xff\xffx\n\xff\xf0", b"\xff\xf1"];

/// One who types. The number of its public texts so far is the token of its syncs.
#[derive(Default)]
pub(crate) struct Speaker {
    said: usize,
}

impl Speaker {
    /// A line without its ending, and its meaning. `n` is a number that no other text has. `others` are names and
    /// addresses of users.
    pub(crate) fn line(&mut self, rng: &mut Rng, n: usize, others: &[String], is_patient: bool) -> (Vec<u8>, Line) {
        let text = text(rng, n);
        let to = match rng.below(4) {
            0 => name(rng).to_owned(),
            1 => "nobody".to_owned(),
            _ => others[rng.below(others.len())].clone(),
        };
        let words = 60 + if is_patient { 0 } else { 40 };
        let (line, meaning) = match rng.below(words) {
            0..=4 => (String::new(), Ok(Command::Blank)),
            5..=9 => ("who".to_owned(), Ok(Command::Who)),
            10..=19 => (format!("to|{to}|{text}"), Ok(Command::Private { to, text })),
            20 => (format!("to|{to}|"), Ok(Command::Private { to, text: String::new() })),
            21 => (format!("to|{to}"), Err(Refusal::PrivateForm)),
            22..=27 => (format!("sync|{}", self.said), Ok(Command::Sync(self.said.to_string()))),
            28 => (format!("lang|{n}"), Err(Refusal::Form(Verb::Lang))),
            29 => (format!("\0#{n}"), Err(Refusal::Nul)),
            30 => {
                return (
                    format!("#{n} \u{e9}").into_bytes()[..].split_last().expect("long").1.to_vec(),
                    Err(Refusal::NotUtf8),
                );
            }
            31 => return (vec![b'x'; LINE_MAX + 1], Err(Refusal::LineTooLong(LINE_MAX))),
            32 => return (vec![b'x'; LINE_MAX * 3], Err(Refusal::LineTooLong(LINE_MAX))),
            33 => {
                let line = format!("#{n} {}", "x".repeat(LINE_MAX - n.to_string().len() - 2));
                (line.clone(), self.says(Command::Say(line)))
            }
            34 => (format!("say|to|{text}"), self.says(Command::Say(format!("to|{text}")))),
            35 => ("help".to_owned(), Ok(Command::Help)),
            36 | 37 => ("lang|en".to_owned(), Ok(Command::Lang(Lang::En))),
            38 => ("lang|zh".to_owned(), Ok(Command::Lang(Lang::Zh))),
            39 => ("format|json".to_owned(), Ok(Command::Format(Format::Json))),
            40 => ("format|text".to_owned(), Ok(Command::Format(Format::Text))),
            41..=59 => (text.clone(), self.says(Command::Say(text))),
            60..=77 => {
                let name = name(rng);
                (format!("rename|{name}"), Ok(Command::Rename(name.to_owned())))
            }
            78..=80 => {
                let (no_name, _) = NO_NAMES[rng.below(NO_NAMES.len())];
                (format!("rename|{no_name}"), Ok(Command::Rename(no_name.to_owned())))
            }
            81..=92 => wait(rng, to, n),
            93 | 94 => ("stay".to_owned(), Ok(Command::Stay)),
            95 => ("quit".to_owned(), Ok(Command::Quit)),
            96 | 97 => {
                let line = format!("GET /{n} HTTP/1.1");
                (line.clone(), self.says(Command::Http(line)))
            }
            _ => return ([rng.pick(&TELNET), text.as_bytes()].concat(), self.says(Command::Say(text))),
        };
        (line.into_bytes(), meaning)
    }

    fn says(&mut self, command: Command) -> Line {
        self.said += 1;
        Ok(command)
    }
}

/// A text that begins like no verb, fits into a line behind any verb and name, and could be all of a line.
fn text(rng: &mut Rng, n: usize) -> String {
    let mut text = format!("#{n} ");
    for _ in 0..rng.below(4) {
        text.push_str(rng.pick(&PIECES));
    }
    text
}

fn name(rng: &mut Rng) -> &'static str {
    let spellings = NAMES[rng.below(NAMES.len())];
    spellings[rng.below(spellings.len())]
}

/// A wait for something that may happen.
pub(crate) fn wait(rng: &mut Rng, to: String, n: usize) -> (String, Line) {
    let seconds = [0, 1, 3, WAIT_MAX.as_secs(), WAIT_MAX.as_secs() + 1][rng.below(5)];
    let (line, wait_for) = match rng.below(4) {
        0 => (format!("user|{to}"), WaitFor::User(to)),
        1 => (format!("gone|{to}"), WaitFor::Gone(to)),
        2 => {
            let users = rng.below(20);
            (format!("users|{users}"), WaitFor::Users(users))
        }
        _ => {
            let part = format!("{} ", n % 10);
            (format!("text|{part}"), WaitFor::Text(part))
        }
    };
    (format!("wait|{seconds}|{line}"), Ok(Command::Wait(Duration::from_secs(seconds), wait_for)))
}

/// What no client of ours types: anything, with what a parser may stumble over.
pub(crate) fn garbage(rng: &mut Rng) -> Vec<u8> {
    const SCRAPS: [&[u8]; 14] = [
        b"\n",
        b"\n",
        b"\r\n",
        b"\r\0",
        b"\r",
        b"\0",
        b"to|",
        b"|",
        b"who\n",
        b"wait|1|user|",
        b"sync|",
        b"GET / HTTP/1.1\n",
        b"\xff\xf0",
        b"\xff\xfa",
    ];
    let mut bytes = Vec::new();
    for _ in 0..rng.below(12) {
        match rng.below(3) {
            0 => bytes.extend((0..rng.below(20)).map(|_| rng.below(256).to_le_bytes()[0])),
            _ => bytes.extend_from_slice(rng.pick(&SCRAPS)),
        }
    }
    bytes
}
