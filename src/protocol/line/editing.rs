//! What a backspace erases of a line that is being typed.

use unicode_normalization::char::is_combining_mark;

/// The longest character of UTF-8, in bytes.
const CHAR_BYTES_MAX: usize = 4;

/// Removes the last character of `line`: a letter with its combining marks, or one byte that is not UTF-8. An empty line stays
/// empty. Takes time in proportion to what is removed.
pub(super) fn erase(line: &mut Vec<u8>) {
    while let Some((last, length)) = last_char(line) {
        line.truncate(line.len() - length);
        if !last.is_some_and(is_combining_mark) {
            return;
        }
    }
}

/// The last character and its length in bytes; `None` in its place for a byte that ends none.
fn last_char(line: &[u8]) -> Option<(Option<char>, usize)> {
    let tail = &line[line.len().saturating_sub(CHAR_BYTES_MAX)..];
    let is_continuation = |byte: &u8| matches!(byte, 0x80..=0xbf);
    let last = tail.iter().rposition(|byte| !is_continuation(byte)).and_then(|start| {
        let mut chars = str::from_utf8(&tail[start..]).ok()?.chars();
        chars.next().filter(|_| chars.next().is_none())
    });
    (!line.is_empty()).then_some((last, last.map_or(1, char::len_utf8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_character_goes() {
        for (before, after) in [
            (&b""[..], &b""[..]),
            (b"a", b""),
            (b"ab", b"a"),
            ("a\u{e9}".as_bytes(), b"a"),
            ("\u{5f20}\u{4e09}".as_bytes(), "\u{5f20}".as_bytes()),
            ("a\u{1f980}".as_bytes(), b"a"),
            ("ae\u{301}".as_bytes(), b"a"),
            ("ae\u{323}\u{302}".as_bytes(), b"a"),
            ("\u{301}".as_bytes(), b""),
            ("a\r".as_bytes(), b"a"),
            (b"a\xc3", b"a"),
            (b"a\x80", b"a"),
            (b"a\xff", b"a"),
            (b"\xe5\xbc", b"\xe5"),
            (b"a\x80\x80\x80\x80\x80", b"a\x80\x80\x80\x80"),
            (b"\xf0\x80\x80\x80", b"\xf0\x80\x80"),
        ] {
            let mut line = before.to_vec();
            erase(&mut line);
            assert_eq!(line, after, "{before:?}");
        }
    }
}
