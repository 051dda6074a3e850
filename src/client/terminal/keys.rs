//! Keys out of the bytes of a terminal, however these are cut into reads. Knows escape sequences; does not know what a key
//! does.

/// What was pressed or pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A character to insert. A pasted one may be a control character or a tab.
    Char(char),
    /// Ctrl and a lower-case letter.
    Ctrl(char),
    /// Alt and a character.
    Alt(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
}

/// The longest parameters of an escape sequence that are looked at, in bytes. All that mean something here are shorter.
const PARAMS_MAX: usize = 16;
/// What ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// A machine that takes bytes one at a time.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
    /// The beginning of a character of several bytes.
    partial: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC O.
    Ss3,
    /// After ESC [, with the parameters so far.
    Csi(Vec<u8>),
    /// Within a bracketed paste, with so many bytes of [`PASTE_END`].
    Paste(usize),
}

impl Decoder {
    /// Appends the keys that this byte completes.
    pub(super) fn push(&mut self, byte: u8, keys: &mut Vec<Key>) {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, keys),
            State::Escape => self.escape(byte, keys),
            State::Ss3 => keys.extend(special(byte, b"")),
            State::Csi(mut params) => match byte {
                b'\x40'..=b'\x7e' if byte == b'~' && params == b"200" => self.state = State::Paste(0),
                b'\x40'..=b'\x7e' => keys.extend(special(byte, &params)),
                _ => {
                    if params.len() < PARAMS_MAX {
                        params.push(byte);
                    }
                    self.state = State::Csi(params);
                }
            },
            State::Paste(matched) => self.paste(byte, matched, keys),
        }
    }

    fn ground(&mut self, byte: u8, keys: &mut Vec<Key>) {
        if byte >= 0x80 {
            self.character(byte, keys);
            return;
        }
        self.end_character(keys);
        match byte {
            b'\x1b' => self.state = State::Escape,
            b'\r' | b'\n' => keys.push(Key::Enter),
            b'\t' => keys.push(Key::Tab),
            b'\x08' | b'\x7f' => keys.push(Key::Backspace),
            b'\x01'..=b'\x1a' => keys.push(Key::Ctrl(char::from(byte - 1 + b'a'))),
            b'\x00'..=b'\x1f' => {} // Ctrl with something else: no key of this editor
            byte => keys.push(Key::Char(char::from(byte))),
        }
    }

    fn escape(&mut self, byte: u8, keys: &mut Vec<Key>) {
        match byte {
            b'\x1b' => self.state = State::Escape,
            b'[' => self.state = State::Csi(Vec::new()),
            b'O' => self.state = State::Ss3,
            b' '..b'\x7f' => keys.push(Key::Alt(char::from(byte))),
            b'\x08' | b'\x7f' => keys.push(Key::Ctrl('w')),
            byte => self.ground(byte, keys),
        }
    }

    /// Only the end of the paste, line ends and tabs mean something in it; the rest is text.
    fn paste(&mut self, byte: u8, matched: usize, keys: &mut Vec<Key>) {
        if byte == PASTE_END[matched] {
            self.end_character(keys);
            if matched + 1 < PASTE_END.len() {
                self.state = State::Paste(matched + 1);
            }
            return;
        }
        keys.extend(PASTE_END[..matched].iter().map(|&byte| Key::Char(char::from(byte))));
        self.state = State::Paste(0);
        match byte {
            b'\x1b' => self.state = State::Paste(1),
            b'\r' | b'\n' => {
                self.end_character(keys);
                keys.push(Key::Enter);
            }
            byte if byte < 0x80 => {
                self.end_character(keys);
                keys.push(Key::Char(char::from(byte)));
            }
            byte => self.character(byte, keys),
        }
    }

    /// Takes a byte of a character of several.
    fn character(&mut self, byte: u8, keys: &mut Vec<Key>) {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                keys.extend(text.chars().map(Key::Char));
                self.partial.clear();
            }
            Err(error) if error.error_len().is_none() => {} // more is to come
            Err(_) => {
                self.partial.pop();
                let was_first = self.partial.is_empty();
                self.end_character(keys);
                if was_first {
                    keys.push(Key::Char(char::REPLACEMENT_CHARACTER));
                } else {
                    self.character(byte, keys);
                }
            }
        }
    }

    /// What has begun a character and was not completed is no character.
    fn end_character(&mut self, keys: &mut Vec<Key>) {
        if !self.partial.is_empty() {
            self.partial.clear();
            keys.push(Key::Char(char::REPLACEMENT_CHARACTER));
        }
    }
}

/// The key of an escape sequence with this last byte, if it is one of this editor.
fn special(last: u8, params: &[u8]) -> Option<Key> {
    let (number, modifier) = match params.iter().position(|&byte| byte == b';') {
        Some(at) => (&params[..at], &params[at + 1..]),
        None => (params, &b""[..]),
    };
    let has_modifier = !matches!(modifier, b"" | b"1" | b"2"); // beside Shift
    match (last, number) {
        (b'A', _) => Some(Key::Up),
        (b'B', _) => Some(Key::Down),
        (b'C', _) if has_modifier => Some(Key::WordRight),
        (b'D', _) if has_modifier => Some(Key::WordLeft),
        (b'C', _) => Some(Key::Right),
        (b'D', _) => Some(Key::Left),
        (b'H', _) | (b'~', b"1" | b"7") => Some(Key::Home),
        (b'F', _) | (b'~', b"4" | b"8") => Some(Key::End),
        (b'~', b"3") => Some(Key::Delete),
        (b'M', b"") => Some(Key::Enter), // of the number pad
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let (mut decoder, mut keys) = (Decoder::default(), Vec::new());
        bytes.iter().for_each(|&byte| decoder.push(byte, &mut keys));
        keys
    }

    fn chars(text: &str) -> Vec<Key> {
        text.chars().map(Key::Char).collect()
    }

    #[test]
    fn each_sequence_is_one_key() {
        for (bytes, key) in [
            (&b"a"[..], Key::Char('a')),
            ("张".as_bytes(), Key::Char('张')),
            (b"\r", Key::Enter),
            (b"\n", Key::Enter),
            (b"\x1bOM", Key::Enter),
            (b"\t", Key::Tab),
            (b"\x7f", Key::Backspace),
            (b"\x08", Key::Backspace),
            (b"\x03", Key::Ctrl('c')),
            (b"\x1bb", Key::Alt('b')),
            (b"\x1b\x7f", Key::Ctrl('w')),
            (b"\x1b[A", Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[1;5D", Key::WordLeft),
            (b"\x1b[1;3C", Key::WordRight),
            (b"\x1b[1;2C", Key::Right),
            (b"\x1b[H", Key::Home),
            (b"\x1b[4~", Key::End),
            (b"\x1b[3~", Key::Delete),
            (b"\x1b\x1b[B", Key::Down),
        ] {
            assert_eq!(keys(bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn unknown_sequences_do_nothing() {
        for bytes in [&b"\x1b[200;1~"[..], b"\x1b[Z", b"\x1b[15~", b"\x1bOP", b"\0", b"\x1f", b"\x1b[?1;2c"] {
            assert_eq!(keys(bytes), [], "{bytes:?}");
        }
        let long = format!("\x1b[{}Ax", "1;".repeat(1000));
        assert_eq!(keys(long.as_bytes()), [Key::Up, Key::Char('x')]);
    }

    #[test]
    fn a_paste_is_text_and_line_ends() {
        let paste = b"\x1b[200~a\tb\rc\x03\x1b[Ad\x1b[201e\xe5\xbc\xa0\n\x1b[201~\t";
        let expected =
            [chars("a\tb"), vec![Key::Enter], chars("c\x03\x1b[Ad\x1b[201e张"), vec![Key::Enter, Key::Tab]].concat();
        assert_eq!(keys(paste), expected);
        assert_eq!(keys(b"\x1b[200~\x1b\x1b[201~\x01"), [Key::Char('\x1b'), Key::Ctrl('a')]);
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        for (bytes, shown) in [
            (&b"\xffa"[..], "\u{fffd}a"),
            (b"\xe5\xbca", "\u{fffd}a"),
            (b"\xe5\xe5\xbc\xa0", "\u{fffd}张"),
            (b"\x80\x80", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(keys(bytes), chars(shown), "{bytes:?}");
            let pasted = [b"\x1b[200~", bytes, b"\x1b[201~"].concat();
            assert_eq!(keys(&pasted), chars(shown), "{bytes:?}");
        }
    }
}
