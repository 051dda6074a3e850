//! Each server's protocol: what a client sends on arrival, a public line, a private message. Knows nothing of sockets.

use crate::crowd::Ping;

/// In each line of the load once, and in no server's framing: deliveries are counted by it.
pub(crate) const MARKER: u8 = b'^';
/// Longest line of RFC 2812, with its CRLF.
const IRC_LINE_BYTES_MAX: usize = 512;

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// pipechat's, and the floor's as far as it goes.
    Pipe,
    Nats,
    Redis,
    Irc,
    /// `ncat --chat`: plain lines, to all others.
    Ncat,
}

impl Wire {
    /// What client `number` says when it has connected, so that it hears public lines, and messages to it.
    pub(crate) fn greeting(self, number: usize) -> String {
        match self {
            Self::Pipe => "\n".to_owned(), // a client that says nothing is announced only after a while
            Self::Ncat => String::new(),
            Self::Nats => format!(
                "CONNECT {{\"verbose\":false,\"pedantic\":false,\"echo\":true}}\r\n\
                 SUB bench 1\r\nSUB u{number} 2\r\nPING\r\n"
            ),
            Self::Redis => resp(&["SUBSCRIBE", "bench", &format!("u{number}")]),
            Self::Irc => format!("NICK u{number}\r\nUSER u{number} 0 * :u{number}\r\nJOIN #bench\r\n"),
        }
    }

    /// The same for one that is only in rooms, where the server has such without a lobby.
    pub(crate) fn arrival(self, number: usize) -> String {
        match self {
            Self::Pipe | Self::Redis | Self::Ncat => self.greeting(number),
            Self::Nats => "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true}\r\nPING\r\n".to_owned(),
            Self::Irc => format!("NICK u{number}\r\nUSER u{number} 0 * :u{number}\r\n"),
        }
    }

    /// What one says to be in room `room`. None where there are no rooms, or not for those who speak.
    pub(crate) fn join(self, room: usize) -> Option<String> {
        match self {
            Self::Pipe => Some(format!("join|r{room}\n")),
            Self::Nats => Some(format!("SUB r{room} {room}\r\n")),
            Self::Irc => Some(format!("JOIN #r{room}\r\n")),
            Self::Redis | Self::Ncat => None,
        }
    }

    /// A line with `text` to those who are in room `room`, which the one who says it has joined last.
    pub(crate) fn in_room(self, room: usize, text: &str) -> String {
        match self {
            Self::Pipe | Self::Redis | Self::Ncat => self.public(text),
            Self::Nats => format!("PUB r{room} {}\r\n{text}\r\n", text.len()),
            Self::Irc => format!("PRIVMSG #r{room} :{text}\r\n"),
        }
    }

    /// What a connection that only publishes says first, where there is a need for such: in RESP2 a subscriber
    /// cannot publish. The answer shows that it is served.
    pub(crate) fn publisher_greeting(self) -> Option<String> {
        (self == Self::Redis).then(|| resp(&["PING"]))
    }

    /// What client `number` says to get its name, where the greeting has not given it one.
    pub(crate) fn naming(self, number: usize) -> Option<String> {
        (self == Self::Pipe).then(|| format!("rename|u{number}\n"))
    }

    /// A line to everyone, with `text`.
    pub(crate) fn public(self, text: &str) -> String {
        match self {
            Self::Pipe | Self::Ncat => format!("{text}\n"),
            Self::Nats => format!("PUB bench {}\r\n{text}\r\n", text.len()),
            Self::Redis => resp(&["PUBLISH", "bench", text]),
            Self::Irc => format!("PRIVMSG #bench :{text}\r\n"),
        }
    }

    /// A message to client `to` alone. None where there is no such thing.
    pub(crate) fn private(self, to: usize, text: &str) -> Option<String> {
        match self {
            Self::Pipe => Some(format!("to|u{to}|{text}\n")),
            Self::Nats => Some(format!("PUB u{to} {}\r\n{text}\r\n", text.len())),
            Self::Redis => Some(resp(&["PUBLISH", &format!("u{to}"), text])),
            Self::Irc => Some(format!("PRIVMSG u{to} :{text}\r\n")),
            Self::Ncat => None,
        }
    }

    /// How many hear a public line that one of `listeners` says.
    pub(crate) fn hearers(self, listeners: usize) -> usize {
        match self {
            Self::Pipe | Self::Nats | Self::Redis => listeners,
            // No echo to the one who says it.
            Self::Irc | Self::Ncat => listeners - 1,
        }
    }

    /// Whether a line with `text_bytes` fits, as it goes in and as it comes out.
    pub(crate) fn carries(self, text_bytes: usize) -> bool {
        match self {
            Self::Pipe | Self::Nats | Self::Redis | Self::Ncat => true,
            // `:u999!~u999@127.0.0.1 PRIVMSG #bench :` comes before it.
            Self::Irc => text_bytes + 60 <= IRC_LINE_BYTES_MAX,
        }
    }

    /// How many arrivals may be on their way, when connecting is not what is measured: what fits into the
    /// listener's backlog.
    pub(crate) fn arrivals_at_once(self) -> usize {
        match self {
            Self::Pipe | Self::Nats | Self::Redis => 256,
            // ngIRCd calls listen() with 10, Ncat as well.
            Self::Irc | Self::Ncat => 8,
        }
    }

    pub(crate) fn ping(self) -> Option<Ping> {
        match self {
            Self::Pipe | Self::Redis | Self::Ncat => None,
            Self::Nats => Some(Ping { ask: b"PING", answer: b"PONG\r\n", rare: b'I' }),
            Self::Irc => Some(Ping { ask: b"PING", answer: b"PONG :bench\r\n", rare: b'N' }),
        }
    }
}

/// A text that makes a plain line of `line_bytes`, ending included.
pub(crate) fn text(line_bytes: usize) -> String {
    let mut text = String::from(char::from(MARKER));
    text.extend("the quick brown fox jumps over the lazy dog ".chars().cycle().take(line_bytes - 3));
    // Not a blank, which a server could trim; with the LF that makes the last two bytes.
    text.push('.');
    text
}

/// A command in Redis's protocol.
fn resp(words: &[&str]) -> String {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command += &format!("${}\r\n{word}\r\n", word.len());
    }
    command
}
