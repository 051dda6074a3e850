//! Commands out of lines.

use std::time::Duration;

use memchr::memchr;

use super::Frame;
use crate::chat::{Command, Format, Lang, Line, Refusal, Verb, WaitFor};

/// Understands what a framer with this limit, in bytes, has found.
///
/// # Errors
/// As [`parse`], and where the line is over the limit.
pub fn parse_frame(frame: &Frame<'_>, line_max: usize) -> Line {
    match frame {
        Frame::Line(line) => parse(line),
        Frame::TooLong => Err(Refusal::LineTooLong(line_max)),
    }
}

/// Understands one line, without its ending. A line whose first word is no verb is chat.
///
/// # Errors
/// A [`Refusal`] where the line is no text, or its form is not the one of its verb.
pub fn parse(line: &[u8]) -> Line {
    let line = std::str::from_utf8(line).map_err(|_| Refusal::NotUtf8)?;
    if memchr(0, line.as_bytes()).is_some() {
        return Err(Refusal::Nul);
    }
    if line.is_empty() {
        return Ok(Command::Blank);
    }
    let Some((word, rest)) = memchr(b'|', line.as_bytes()).map(|bar| (&line[..bar], &line[bar + 1..])) else {
        return Ok(match line {
            "who" => Command::Who,
            "help" => Command::Help,
            "quit" => Command::Quit,
            "stay" => Command::Stay,
            _ if is_http(line) => Command::Http(line.to_owned()),
            _ => Command::Say(line.to_owned()),
        });
    };
    let rest_owned = || rest.to_owned();
    match word {
        "say" => Ok(Command::Say(rest_owned())),
        "rename" => Ok(Command::Rename(rest_owned())),
        "to" => match rest.split_once('|') {
            None | Some(("", _)) => Err(Refusal::PrivateForm),
            Some((to, text)) => Ok(Command::Private { to: to.to_owned(), text: text.to_owned() }),
        },
        "sync" => Ok(Command::Sync(rest_owned())),
        "wait" => wait(rest).ok_or(Refusal::Form(Verb::Wait)),
        "format" => match rest {
            "text" => Ok(Command::Format(Format::Text)),
            "json" => Ok(Command::Format(Format::Json)),
            _ => Err(Refusal::Form(Verb::Format)),
        },
        "lang" => match rest {
            "zh" => Ok(Command::Lang(Lang::Zh)),
            "en" => Ok(Command::Lang(Lang::En)),
            _ => Err(Refusal::Form(Verb::Lang)),
        },
        "who" => Err(Refusal::Form(Verb::Who)),
        "help" => Err(Refusal::Form(Verb::Help)),
        "quit" => Err(Refusal::Form(Verb::Quit)),
        "stay" => Err(Refusal::Form(Verb::Stay)),
        _ => Ok(Command::Say(line.to_owned())),
    }
}

/// `SECONDS|user|NAME` and its kin. Seconds may have a fraction.
fn wait(rest: &str) -> Option<Command> {
    let mut parts = rest.splitn(3, '|');
    let (seconds, kind, arg) = (parts.next()?, parts.next()?, parts.next()?);
    if !seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.') || arg.is_empty() {
        return None;
    }
    let timeout = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    let wait_for = match kind {
        "user" => WaitFor::User(arg.to_owned()),
        "gone" => WaitFor::Gone(arg.to_owned()),
        "users" => WaitFor::Users(arg.parse().ok()?),
        "text" => WaitFor::Text(arg.to_owned()),
        _ => return None,
    };
    Some(Command::Wait(timeout, wait_for))
}

/// `METHOD TARGET HTTP/…` (RFC 9112, section 3).
fn is_http(line: &str) -> bool {
    let mut words = line.split(' ');
    matches!(
        (words.next(), words.next(), words.next(), words.next()),
        (Some(method), Some(_), Some(version), None)
            if version.starts_with("HTTP/") && method.bytes().all(|b| b.is_ascii_uppercase())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str) -> Line {
        Ok(Command::Say(text.to_owned()))
    }

    fn private(to: &str, text: &str) -> Line {
        Ok(Command::Private { to: to.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn verbs_and_chat() {
        for (line, command) in [
            ("", Ok(Command::Blank)),
            ("hi", say("hi")),
            (" ", say(" ")),
            ("who", Ok(Command::Who)),
            ("who ", say("who ")),
            ("Who", say("Who")),
            ("rename|张三", Ok(Command::Rename("张三".to_owned()))),
            ("rename|", Ok(Command::Rename(String::new()))),
            ("rename|a|b", Ok(Command::Rename("a|b".to_owned()))),
            ("rename", say("rename")),
            ("to|bob|hi", private("bob", "hi")),
            ("to|bob|a|b", private("bob", "a|b")),
            ("to|bob|", private("bob", "")),
            ("to|bob", Err(Refusal::PrivateForm)),
            ("to|", Err(Refusal::PrivateForm)),
            ("to||hi", Err(Refusal::PrivateForm)),
            ("to", say("to")),
            ("a|b", say("a|b")),
            ("say|who", say("who")),
            ("say|", say("")),
            ("help", Ok(Command::Help)),
            ("quit", Ok(Command::Quit)),
            ("stay", Ok(Command::Stay)),
            ("who|", Err(Refusal::Form(Verb::Who))),
            ("help|x", Err(Refusal::Form(Verb::Help))),
            ("quit|x", Err(Refusal::Form(Verb::Quit))),
            ("stay|x", Err(Refusal::Form(Verb::Stay))),
            ("sync|a|b", Ok(Command::Sync("a|b".to_owned()))),
            ("format|json", Ok(Command::Format(Format::Json))),
            ("format|xml", Err(Refusal::Form(Verb::Format))),
            ("lang|en", Ok(Command::Lang(Lang::En))),
            ("lang|", Err(Refusal::Form(Verb::Lang))),
            ("wait|1.5|user|bob", Ok(Command::Wait(Duration::from_millis(1500), WaitFor::User("bob".to_owned())))),
            ("wait|60|gone|bob", Ok(Command::Wait(Duration::from_secs(60), WaitFor::Gone("bob".to_owned())))),
            ("wait|0|users|3", Ok(Command::Wait(Duration::ZERO, WaitFor::Users(3)))),
            ("wait|9|text|a|b", Ok(Command::Wait(Duration::from_secs(9), WaitFor::Text("a|b".to_owned())))),
            ("wait|9|text|", Err(Refusal::Form(Verb::Wait))),
            ("wait|-1|user|bob", Err(Refusal::Form(Verb::Wait))),
            ("wait|nan|user|bob", Err(Refusal::Form(Verb::Wait))),
            ("wait|9999999999999999999999999|user|bob", Err(Refusal::Form(Verb::Wait))),
            ("wait|9|users|x", Err(Refusal::Form(Verb::Wait))),
            ("wait|9|moon|full", Err(Refusal::Form(Verb::Wait))),
            ("wait|", Err(Refusal::Form(Verb::Wait))),
            ("GET / HTTP/1.1", Ok(Command::Http("GET / HTTP/1.1".to_owned()))),
            ("GET me a drink", say("GET me a drink")),
            ("a\0b", Err(Refusal::Nul)),
        ] {
            assert_eq!(parse(line.as_bytes()), command, "{line:?}");
        }
    }

    #[test]
    fn every_byte_is_text_or_refused() {
        for byte in 0..=255u8 {
            let line = [b'x', byte, b'y'];
            match parse(&line) {
                Ok(Command::Say(text)) => assert_eq!((text.as_bytes(), byte < 0x80), (&line[..], true)),
                Err(Refusal::Nul) => assert_eq!(byte, 0),
                Err(Refusal::NotUtf8) => assert!(byte >= 0x80),
                other => panic!("{byte}: {other:?}"),
            }
        }
    }
}
