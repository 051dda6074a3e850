//! Where a history is to begin, as a person says it and as the protocol writes it.

use std::{fmt, str::FromStr};

use pipechat::{
    chat::Position,
    protocol::{Line, parse},
};

/// What `--since` takes: a position, a duration with its unit, or a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Since(String);

/// Where what is told of a room begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// With what happens from now on.
    Now,
    /// With the last so many events.
    Last(usize),
    /// There.
    Since(Since),
}

impl FromStr for Since {
    type Err = String;

    /// Accepts what the server accepts.
    fn from_str(text: &str) -> Result<Self, String> {
        match parse(format!("history|lobby|since|{text}").as_bytes()) {
            Ok(Line::Command(_)) if !text.contains(char::is_control) => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(format!(
                "expected a position such as 42.abcde, a duration such as 10m or 2d, or a time such as \
                 2026-11-25T09:30:00Z, not {text:?}"
            )),
        }
    }
}

impl From<Position> for Since {
    fn from(position: Position) -> Self {
        Self(position.to_string())
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Start {
    /// What asks for the history of this room from there on, at most a page of it.
    pub(super) fn history(&self, room: &str) -> String {
        match self {
            Self::Now => format!("history|{room}|0\n"),
            Self::Last(count) => format!("history|{room}|{count}\n"),
            Self::Since(since) => format!("history|{room}|since|{since}\n"),
        }
    }

    /// What asks to be told that and to be in the room.
    pub(super) fn join(&self, room: &str) -> String {
        match self {
            Self::Now => format!("join|{room}\n"),
            Self::Last(count) => format!("join|{room}|last|{count}\n"),
            Self::Since(since) => format!("join|{room}|since|{since}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_one_word_that_the_server_understands() {
        for text in ["42.abcde", "42", "10m", "1.5h", "2026-11-25T09:30:00Z", "2026-11-25T09:30:00.5+08:00"] {
            assert_eq!(text.parse::<Since>().map(|since| since.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "x",
            "-1",
            ".abcde",
            "+1.abcde",
            "42|x",
            "42.abcde|x",
            "10m\n",
            "10m\nquit",
            "\u{ff5c}",
            "yesterday",
            "1.abcde ",
        ] {
            assert!(text.parse::<Since>().is_err(), "{text:?}");
        }
    }
}
