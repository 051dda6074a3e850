//! Commands out of lines.

use crate::chat::{Command, Line, Refusal};

/// Understands one line, without its ending. A line whose first word is no verb is chat.
///
/// # Errors
/// A [`Refusal`] where the line is no text, or its form is not the one of its verb.
pub fn parse(line: &[u8]) -> Line {
    let line = std::str::from_utf8(line).map_err(|_| Refusal::NotUtf8)?;
    if line.contains('\0') {
        return Err(Refusal::Nul);
    }
    if line.is_empty() {
        return Ok(Command::Blank);
    }
    match line.split_once('|') {
        Some(("rename", name)) => Ok(Command::Rename(name.to_owned())),
        Some(("to", rest)) => match rest.split_once('|') {
            None | Some(("", _)) => Err(Refusal::PrivateForm),
            Some((to, text)) => Ok(Command::Private { to: to.to_owned(), text: text.to_owned() }),
        },
        Some(_) => Ok(Command::Say(line.to_owned())),
        None if line == "who" => Ok(Command::Who),
        None if is_http(line) => Ok(Command::Http(line.to_owned())),
        None => Ok(Command::Say(line.to_owned())),
    }
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
