//! A password from a terminal, which does not show it, or from a pipe. Nothing of it stays in memory.

use std::io::{self, IsTerminal, Read};

use pipechat::{
    chat::{PASSWORD_BYTES, Secret},
    protocol::Lang,
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::client::{Failure, Stdin, write_stderr};

/// Bytes of a line that are kept: one more than a password may have, so that one that is too long is not taken for its beginning.
const LINE_BYTES_MAX: usize = *PASSWORD_BYTES.end() + 1;

const END_OF_TEXT: u8 = 3; // Ctrl-C
const END_OF_TRANSMISSION: u8 = 4; // Ctrl-D
const BACKSPACE: u8 = 8;
const KILL: u8 = 21; // Ctrl-U
const DELETE: u8 = 127;

/// Asks for a new password: twice at a terminal, where nobody sees what is typed.
pub(super) fn new_password(lang: Lang) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return read(&mut Stdin, false).map_err(|error| failed(&error))?.ok_or_else(ended);
    }
    let (first, again) = match lang {
        Lang::Zh => ("新密码:", "再输入一次:"),
        Lang::En => ("New password: ", "Again: "),
    };
    let hidden = Hidden::enter().map_err(|error| failed(&error))?;
    let (one, two) = (ask(first)?, ask(again)?);
    drop(hidden);
    if one == two { Ok(one) } else { Err(Failure::Refused(Some("the passwords differ".to_owned()))) }
}

fn ask(prompt: &str) -> Result<Secret, Failure> {
    write_stderr(prompt);
    let typed = read(&mut Stdin, true);
    write_stderr("\n");
    typed.map_err(|error| failed(&error))?.ok_or_else(ended)
}

fn failed(error: &io::Error) -> Failure {
    Failure::Output(format!("can't read a password: {error}"))
}

fn ended() -> Failure {
    Failure::Refused(Some("there is no password on stdin".to_owned()))
}

/// The terminal shows nothing and passes on each key, until this is dropped. Ctrl-C is a key, too: no signal ends the program while
/// the terminal is like this, unless it comes from elsewhere.
struct Hidden(Termios);

impl Hidden {
    fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?; // what was typed ahead stays
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).ok(); // the terminal may have gone
    }
}

/// Reads a line, without its end; `None` if there is none. With `are_keys`, keys that edit are obeyed.
fn read(from: &mut impl Read, are_keys: bool) -> io::Result<Option<Secret>> {
    // It never grows: a vector that moves would leave what it had behind.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES_MAX));
    let mut byte = Zeroizing::new([0]);
    loop {
        let is_end = from.read(&mut *byte)? == 0;
        match byte[0] {
            _ if is_end && line.is_empty() => return Ok(None),
            END_OF_TEXT if are_keys => return Ok(None),
            END_OF_TRANSMISSION if are_keys && line.is_empty() => return Ok(None),
            _ if is_end => break,
            b'\n' => break,
            b'\r' if are_keys => break,
            BACKSPACE | DELETE if are_keys => {
                while line.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {} // up to the first byte of a character
            }
            KILL if are_keys => line.clear(),
            other if line.len() < LINE_BYTES_MAX => line.push(other),
            _ => {}
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = String::from_utf8(std::mem::take(&mut *line)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::Error::other("it is not UTF-8")
    })?;
    Ok(Some(Secret::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(mut input: &[u8], are_keys: bool) -> Option<String> {
        read(&mut input, are_keys).unwrap().map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn a_line_of_a_pipe_is_taken_as_it_is() {
        assert_eq!(line(b"hunter22\nmore\n", false).as_deref(), Some("hunter22"));
        assert_eq!(line(b"hunter22\r\n", false).as_deref(), Some("hunter22"));
        assert_eq!(line(b" a\x7fb\x03 ", false).as_deref(), Some(" a\x7fb\x03 "));
        assert_eq!((line(b"", false), line(b"\n", false).as_deref()), (None, Some("")));
        assert_eq!(line(&[b'x'; 1000], false).map(|line| line.len()), Some(129));
        assert!(read(&mut &b"\xff\n"[..], false).is_err());
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(line("abé\x7f\x7fc\r".as_bytes(), true).as_deref(), Some("ac"));
        assert_eq!(line(b"wrong\x15right\r", true).as_deref(), Some("right"));
        assert_eq!((line(b"abc\x03\r", true), line(b"\x04", true)), (None, None));
    }
}
