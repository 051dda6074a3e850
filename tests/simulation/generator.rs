//! What clients type: bytes, and what is to be understood of them.

mod history;
mod wrong;

use std::time::Duration;

use common::Rng;
use jiff::Timestamp;
use pipechat::{
    chat::{Command, Position, WaitFor},
    protocol::{Format, Lang, Line, Setting},
};

pub(crate) use wrong::garbage;

use super::{
    meaning::Meaning,
    names::{LOOK_ALIKES, NAMES, NO_NAMES, NO_ROOMS, ROOMS, room_key},
};

/// The longest line, in bytes.
pub(crate) const LINE_MAX: usize = 400;
/// About as long as a name may be that is looked for, in bytes.
const ARGUMENT_MAX: usize = 256;
/// What a text begins with that is said by `in`.
pub(crate) const IN: &str = "> ";
/// The longest wait.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(8);

/// Pieces of texts: plain ones, and what might be taken for something else or obeyed by a terminal.
const PIECES: [&str; 19] = [
    "hi",
    "שלום",
    " ",
    "你好",
    "é",
    "e\u{301}",
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

/// What comes before a line over telnet, and means nothing: a subnegotiation with a LF in it, a NOP.
const TELNET: [&[u8]; 2] = [b"\xff\xfa\x18\xff\xffx\n\xff\xf0", b"\xff\xf1"];
/// Negotiations: from the first one on, the keys of a terminal count.
const NEGOTIATIONS: [&[u8]; 4] = [b"\xff\xfb\x18", b"\xff\xfc\x01", b"\xff\xfd\x03", b"\xff\xfe\r"];
/// What is typed by mistake, and the keys that take it back.
const SLIPS: [&str; 6] = ["x\x7f", "ab\x08\x08", "é\x7f", "张三\x08\x7f", "e\u{301}\x7f", "\t🦀\x7f\x08"];
/// How lines end; and at a terminal also so.
const ENDINGS: [&[u8]; 3] = [b"\n", b"\r\n", b"\r\0"];
const CR: &[u8] = b"\r";

/// What those know who type.
pub(crate) struct Known {
    /// Names and addresses of users.
    pub(crate) others: Vec<String>,
    /// Positions that some were told.
    pub(crate) positions: Vec<Position>,
    /// The time.
    pub(crate) at: Timestamp,
}

/// One who types. The number of its public texts so far is the token of its syncs.
#[derive(Default)]
pub(crate) struct Speaker {
    said: usize,
    /// It has negotiated.
    pub(crate) is_telnet: bool,
    /// Its last line has ended with a lone CR.
    is_after_cr: bool,
    /// The room that it last wanted to be in.
    room: Option<String>,
}

impl Speaker {
    /// The ending of a line that it types.
    pub(crate) fn ending(&mut self, rng: &mut Rng, line: &[u8]) -> &'static [u8] {
        // A LF or NUL behind a CR belongs to it.
        let endings = if self.is_after_cr && line.is_empty() { &ENDINGS[1..] } else { &ENDINGS[..] };
        self.is_after_cr = self.is_telnet && rng.one_in(3);
        if self.is_after_cr { CR } else { rng.pick(endings) }
    }

    /// Before a line, backspaces have nothing to take away; behind it, they take back what was typed by mistake.
    fn mistype(&self, rng: &mut Rng, line: Vec<u8>) -> Vec<u8> {
        // It could have become too long, or belongs to the CR before.
        if !self.is_telnet || line.len() > LINE_MAX - 9 || line.is_empty() || !rng.one_in(3) {
            return line;
        }
        [b"\x7f\x08", &line[..], rng.pick(&SLIPS).as_bytes()].concat()
    }

    /// A line without its ending, and its meaning. `n` is a number that no other text has.
    pub(crate) fn line(&mut self, rng: &mut Rng, n: usize, known: &Known, is_patient: bool) -> (Vec<u8>, Meaning) {
        let others = &known.others;
        let to = match rng.below(16) {
            0..=3 => name(rng).to_owned(),
            4..=6 => "nobody".to_owned(),
            7 => "x".repeat(ARGUMENT_MAX + rng.below(2)),
            _ => others[rng.below(others.len())].clone(),
        };
        if !is_patient && rng.one_in(16) {
            self.is_telnet = true;
            let command = rng.pick(&NEGOTIATIONS);
            return self.say_behind(rng, command, n);
        }
        if rng.one_in(3) {
            let (line, meaning) = self.use_rooms(rng, n, known, is_patient);
            return (self.mistype(rng, line.into_bytes()), meaning);
        }
        let (line, meaning) = match rng.below(if is_patient { 60 } else { 100 }) {
            0..=5 => {
                let (line, meaning) = wrong::line(rng, n);
                return (self.mistype(rng, line), meaning);
            }
            6..=40 => self.talk(rng, n, to),
            41..=59 => ask(rng, self.said),
            60..=77 => {
                let name = name(rng);
                (format!("rename|{name}"), Ok(Line::Command(Command::Rename(name.to_owned()))))
            }
            78..=80 => {
                let (no_name, _) = NO_NAMES[rng.below(NO_NAMES.len())];
                (format!("rename|{no_name}"), Ok(Line::Command(Command::Rename(no_name.to_owned()))))
            }
            81..=92 => wait(rng, to, n),
            93 => (format!("check|{n}"), Ok(Line::Check(n.to_string()))),
            94 => ("stay".to_owned(), Ok(Line::Set(Setting::Stay))),
            95 if n.is_multiple_of(2) => ("quit".to_owned(), Ok(Line::Quit)),
            95 => ("visit".to_owned(), Ok(Line::Set(Setting::Visit))),
            96 | 97 => {
                self.said += 1;
                let line = if n.is_multiple_of(2) { format!("GET /{n} HTTP/1.1") } else { format!("SSH-2.0-{n}") };
                (line.clone(), Ok(Line::Command(Command::Say(line))))
            }
            _ => {
                let command = rng.pick(&TELNET);
                return self.say_behind(rng, command, n);
            }
        };
        (self.mistype(rng, line.into_bytes()), meaning)
    }

    /// A text behind a command of telnet.
    fn say_behind(&mut self, rng: &mut Rng, command: &[u8], n: usize) -> (Vec<u8>, Meaning) {
        let text = self.text(rng, n);
        let line = self.mistype(rng, text.clone().into_bytes());
        ([command, &line].concat(), self.says(text))
    }

    /// A text that begins like no verb, fits into a line behind any verb and name, and could be all of a line.
    fn text(&self, rng: &mut Rng, n: usize) -> String {
        let mut text = format!("#{n} ");
        for _ in 0..rng.below(4) {
            let piece = rng.pick(&PIECES);
            text.push_str(if self.is_telnet { piece.trim_start_matches('\r') } else { piece });
        }
        text
    }

    /// Something for others.
    fn talk(&mut self, rng: &mut Rng, n: usize, to: String) -> (String, Meaning) {
        let text = self.text(rng, n);
        match rng.below(32) {
            0..=9 => (
                format!("{}{to}{}{text}", rng.pick(&["to|", "To |", " ｔo｜"]), rng.pick(&["|", "｜"])),
                Ok(Line::Command(Command::Private { to, text })),
            ),
            10 => (format!("to|{to}|"), Ok(Line::Command(Command::Private { to, text: String::new() }))),
            11 => {
                let line = format!("#{n} {}", "x".repeat(LINE_MAX - n.to_string().len() - 2));
                (line.clone(), self.says(line))
            }
            12 => (format!("say|to|{text}"), self.says(format!("to|{text}"))),
            _ => (text.clone(), self.says(text)),
        }
    }

    /// Something in a room, or about one. One that is patient never leaves the lobby.
    fn use_rooms(&mut self, rng: &mut Rng, n: usize, known: &Known, is_patient: bool) -> (String, Meaning) {
        let other = room(rng);
        let name = self.room.clone().filter(|_| rng.one_in(2)).unwrap_or_else(|| other.clone());
        let (line, command) = match rng.below(22) {
            0..=4 => {
                self.room = Some(other.clone());
                let line = format!("{}{other}", rng.pick(&["join|", "Join ｜"]));
                (line, Command::Join { room: other, start: None })
            }
            16..=18 => history::ask(rng, name, known),
            // In the lobby, it would be told later what all others are told at once.
            19..=21 if is_patient && room_key(&name) == "lobby" => history::ask(rng, name, known),
            19..=21 => {
                self.room = Some(name.clone());
                history::join(rng, name, known)
            }
            5..=7 => {
                let text = if rng.one_in(8) { String::new() } else { format!("{IN}{}", self.text(rng, n)) };
                (format!("in|{name}|{text}"), Command::In { room: name, text })
            }
            8 | 9 if is_patient && room_key(&name) == "lobby" => ("rooms".to_owned(), Command::Rooms),
            8 | 9 => (format!("leave|{name}"), Command::Leave(name)),
            10 => (rng.pick(&["rooms", " ROOMS"]).to_owned(), Command::Rooms),
            11 => (format!("who|{name}"), Command::WhoIn(name)),
            12 => (format!("topic|{name}"), Command::Topic { room: name, text: None }),
            13.. => {
                let text = match rng.below(8) {
                    0 => String::new(),
                    1 if name.len() < ARGUMENT_MAX / 2 => "x".repeat(ARGUMENT_MAX + rng.below(2)),
                    _ => self.text(rng, n),
                };
                let text = if name.len() > ARGUMENT_MAX / 2 { String::new() } else { text };
                (format!("topic|{name}|{text}"), Command::Topic { room: name, text: Some(text) })
            }
        };
        (line, Ok(Line::Command(command)))
    }

    fn says(&mut self, text: String) -> Meaning {
        self.said += 1;
        Ok(Line::Command(Command::Say(text)))
    }
}

/// Something for the server, from one who has said so many public texts.
fn ask(rng: &mut Rng, said: usize) -> (String, Meaning) {
    let (line, meaning) = match rng.below(19) {
        0..=4 => ("", Line::Blank),
        5..=8 => (rng.pick(&["who", "WHO", "who ", "\u{3000}ｗｈo"]), Line::Command(Command::Who)),
        9 => ("help", Line::Help),
        10 => ("lang|en", Line::Set(Setting::Lang(Lang::En))),
        11 => ("lang|zh", Line::Set(Setting::Lang(Lang::Zh))),
        12 => ("format|json", Line::Set(Setting::Format(Format::Json))),
        13 => ("format|text", Line::Set(Setting::Format(Format::Text))),
        _ => return (format!("sync|{said}"), Ok(Line::Command(Command::Sync(said.to_string())))),
    };
    (line.to_owned(), Ok(meaning))
}

fn name(rng: &mut Rng) -> &'static str {
    let place = rng.below(NAMES.len() + LOOK_ALIKES.len());
    let spellings = NAMES.get(place).copied().unwrap_or_else(|| LOOK_ALIKES[place - NAMES.len()].1);
    spellings[rng.below(spellings.len())]
}

/// The name of a room, in any of its spellings; or of none.
fn room(rng: &mut Rng) -> String {
    match rng.below(24) {
        0..=2 => NO_ROOMS[rng.below(NO_ROOMS.len())].0.to_owned(),
        3 => "x".repeat(ARGUMENT_MAX + rng.below(2)),
        // The one that is always there, and one that is for most of the time.
        4..=7 => "lobby".to_owned(),
        8..=12 => "ops".to_owned(),
        _ => {
            let spellings = ROOMS[rng.below(ROOMS.len())];
            spellings[rng.below(spellings.len())].to_owned()
        }
    }
}

/// A wait for something that may happen.
pub(crate) fn wait(rng: &mut Rng, to: String, n: usize) -> (String, Meaning) {
    let seconds = [0, 1, 3, WAIT_MAX.as_secs(), WAIT_MAX.as_secs() + 1][rng.below(5)];
    let (line, wait_for) = match rng.below(6) {
        0 => (format!("user|{to}"), WaitFor::User(to)),
        1 => (format!("gone|{to}"), WaitFor::Gone(to)),
        2 => {
            let users = rng.below(20);
            (format!("users|{users}"), WaitFor::Users(users))
        }
        3 => {
            let members = rng.below(if n.is_multiple_of(2) { 5 } else { 20 });
            let room = room(rng);
            (format!("members|{room}|{members}"), WaitFor::Members(room, members))
        }
        kind => {
            let part = [&*format!("{} ", n % 10), "é", "e\u{301}"][rng.below(3)].to_owned();
            if kind == 4 {
                (format!("text|{part}"), WaitFor::Text(part))
            } else {
                let room = room(rng);
                (format!("in|{room}|{part}"), WaitFor::In { room, part })
            }
        }
    };
    (format!("wait|{seconds}|{line}"), Ok(Line::Command(Command::Wait(Duration::from_secs(seconds), wait_for))))
}
