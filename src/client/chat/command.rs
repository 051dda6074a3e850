//! What a line that was typed means: a message, a command of this client, or a command of the server. Knows no sockets and
//! no terminal.

use pipechat::chat::HISTORY_MAX;

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Nothing: the line is blank.
    Nothing,
    /// To send this line as it is: a message, or a command of the server.
    Send(String),
    /// To say `text` to `to` alone, with `line`.
    Private {
        to: String,
        text: String,
        line: String,
    },
    /// To be in this room, and to see what was said there last.
    Join(String),
    /// To see so many lines of what was said in the room that is shown.
    History(usize),
    /// To leave this room, or the one that is shown.
    Leave(Option<String>),
    /// To be told the topic of the room that is shown, or to give it this one.
    Topic(Option<String>),
    Help,
    Quit,
    /// The line makes no sense, for this reason. Nothing is sent.
    Mistake(String),
}

/// How many lines `/history` shows without a number.
const HISTORY: usize = 50;

/// The commands of this client, with their arguments and what they do, in words that fit into 40 columns.
pub(super) const COMMANDS: &[(&str, &str, &str)] = &[
    ("/help", "", "these commands"),
    ("/history", " [N]", "the last N lines of this room"),
    ("/join", " ROOM", "join ROOM, and talk there"),
    ("/leave", " [ROOM]", "leave ROOM, or this one"),
    ("/login", " NAME PASSWORD", "log in to an account"),
    ("/msg", " NAME TEXT", "to NAME alone"),
    ("/nick", " NAME", "take this name"),
    ("/quit", "", "leave, as Ctrl-D does"),
    ("/register", " PASSWORD", "make your name an account"),
    ("/rooms", "", "which rooms there are"),
    ("/topic", " [TEXT]", "show or set this room's topic"),
    ("/who", "", "who is here"),
];

impl Command {
    /// Parses a line that was typed. One that begins with a slash is never said, unless with two.
    pub(super) fn parse(line: &str) -> Self {
        if line.trim().is_empty() {
            return Self::Nothing;
        }
        let Some(rest) = line.strip_prefix('/') else { return Self::of_server(line) };
        if rest.starts_with('/') {
            return Self::Send(format!("say|{rest}"));
        }
        let (command, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let argument = argument.trim();
        match command {
            "help" => Self::Help,
            "quit" => Self::Quit,
            "who" => Self::Send("who".to_owned()),
            "rooms" => Self::Send("rooms".to_owned()),
            "join" => match name(argument) {
                Some(room) => Self::Join(room.to_owned()),
                None => Self::Mistake("usage: /join ROOM".to_owned()),
            },
            "history" if argument.is_empty() => Self::History(HISTORY),
            "history" => match argument.parse() {
                Ok(count) if (1..=HISTORY_MAX).contains(&count) => Self::History(count),
                Ok(_) | Err(_) => Self::Mistake(format!("usage: /history [N], at most {HISTORY_MAX}")),
            },
            "leave" if argument.is_empty() => Self::Leave(None),
            "leave" => match name(argument) {
                Some(room) => Self::Leave(Some(room.to_owned())),
                None => Self::Mistake("usage: /leave [ROOM]".to_owned()),
            },
            "topic" => Self::Topic(Some(argument.to_owned()).filter(|text| !text.is_empty())),
            "nick" => match name(argument) {
                Some(name) => Self::Send(format!("rename|{name}")),
                None => Self::Mistake("usage: /nick NAME".to_owned()),
            },
            "login" => match argument.split_once(char::is_whitespace) {
                Some((account, password)) if name(account).is_some() && name(password).is_some() => {
                    Self::Send(format!("login|{account}|{}", password.trim_start()))
                }
                Some(_) | None => Self::Mistake("usage: /login NAME PASSWORD".to_owned()),
            },
            "register" => match name(argument) {
                Some(password) => Self::Send(format!("register|{password}")),
                None => Self::Mistake("usage: /register PASSWORD".to_owned()),
            },
            "msg" => match argument.split_once(char::is_whitespace) {
                Some((to, text)) if name(to).is_some() => {
                    Self::private(to, text.trim_start(), format!("to|{to}|{}", text.trim_start()))
                }
                Some(_) | None => Self::Mistake("usage: /msg NAME TEXT".to_owned()),
            },
            _ => Self::Mistake(format!("unknown command /{command}, nothing was sent; /help, or // to say a slash")),
        }
    }

    fn of_server(line: &str) -> Self {
        if line == "quit" {
            return Self::Quit;
        }
        match line.strip_prefix("to|").and_then(|rest| rest.split_once('|')) {
            Some((to, text)) if !text.is_empty() => Self::private(to, text, line.to_owned()),
            Some(_) | None => Self::Send(line.to_owned()),
        }
    }

    fn private(to: &str, text: &str, line: String) -> Self {
        Self::Private { to: to.to_owned(), text: text.to_owned(), line }
    }
}

/// This, if it can be one field of a line of the server.
fn name(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty() && !text.contains('|') && !text.contains(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(line: &str) -> Command {
        Command::Send(line.to_owned())
    }

    fn mistake(text: &str) -> Command {
        Command::Mistake(text.to_owned())
    }

    fn private(line: &str) -> Command {
        Command::Private { to: "ann".to_owned(), text: "two  words".to_owned(), line: line.to_owned() }
    }

    #[test]
    fn lines_mean() {
        for (line, meaning) in [
            ("", Command::Nothing),
            (" \t", Command::Nothing),
            ("hello", send("hello")),
            ("a\tb", send("a\tb")),
            (" /help", send(" /help")),
            ("who", send("who")),
            ("say|/x", send("say|/x")),
            ("//", send("say|/")),
            ("//etc/passwd", send("say|/etc/passwd")),
            ("/who", send("who")),
            ("/nick bob", send("rename|bob")),
            ("/nick  bob ", send("rename|bob")),
            ("/join #builds", Command::Join("#builds".to_owned())),
            ("/history", Command::History(HISTORY)),
            ("/history  100 ", Command::History(100)),
            ("/leave", Command::Leave(None)),
            ("/leave builds", Command::Leave(Some("builds".to_owned()))),
            ("/rooms", send("rooms")),
            ("/topic", Command::Topic(None)),
            ("/topic  two  words ", Command::Topic(Some("two  words".to_owned()))),
            ("/login ann correct  horse", send("login|ann|correct  horse")),
            ("/register correct horse", send("register|correct horse")),
            ("/help", Command::Help),
            ("/help me", Command::Help),
            ("/quit", Command::Quit),
            ("quit", Command::Quit),
            ("/msg ann two  words", private("to|ann|two  words")),
            ("/msg  ann  two  words ", private("to|ann|two  words")),
            ("to|ann|two  words", private("to|ann|two  words")),
            ("to|ann|", send("to|ann|")),
            ("to|ann", send("to|ann")),
        ] {
            assert_eq!(Command::parse(line), meaning, "{line:?}");
        }
    }

    #[test]
    fn mistakes_are_never_sent() {
        for (line, text) in [
            ("/", "unknown command /, nothing was sent; /help, or // to say a slash"),
            ("/etc/passwd x", "unknown command /etc/passwd, nothing was sent; /help, or // to say a slash"),
            ("/QUIT", "unknown command /QUIT, nothing was sent; /help, or // to say a slash"),
            ("/nick", "usage: /nick NAME"),
            ("/nick a|b", "usage: /nick NAME"),
            ("/history 0", "usage: /history [N], at most 1000"),
            ("/history x", "usage: /history [N], at most 1000"),
            ("/history 1001", "usage: /history [N], at most 1000"),
            ("/join", "usage: /join ROOM"),
            ("/join a|b", "usage: /join ROOM"),
            ("/leave a|b", "usage: /leave [ROOM]"),
            ("/login ann", "usage: /login NAME PASSWORD"),
            ("/register", "usage: /register PASSWORD"),
            ("/msg", "usage: /msg NAME TEXT"),
            ("/msg ann", "usage: /msg NAME TEXT"),
            ("/msg ann ", "usage: /msg NAME TEXT"),
            ("/msg a|b secret", "usage: /msg NAME TEXT"),
        ] {
            assert_eq!(Command::parse(line), mistake(text), "{line:?}");
        }
    }
}
