//! Escapes what must not reach a terminal raw: ESC becomes `\u{1b}`. Everything else, tabs too, passes.

/// `text`, escaped. Escaping it again changes nothing.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    push_escaped(&mut out, text);
    String::from_utf8(out).expect("UTF-8 in, UTF-8 out")
}

/// Appends `text` to `out`, escaped.
pub fn push_escaped(out: &mut Vec<u8>, text: &str) {
    // Two passes, but the second is rare.
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    push_replaced(out, text, must_escape, |out, c| {
        out.extend_from_slice(b"\\u{");
        push_hex(out, c, 1);
        out.push(b'}');
    });
}

/// Appends `text` to `out`, in which `replace` appends something else for each character of which `must_replace` is true.
/// Stretches between those are copied as a whole, since an attacker may send a text that consists of such characters alone.
pub(super) fn push_replaced(
    out: &mut Vec<u8>,
    text: &str,
    must_replace: impl Fn(char) -> bool,
    replace: impl Fn(&mut Vec<u8>, char),
) {
    let mut copied = 0;
    for (at, c) in text.char_indices() {
        if must_replace(c) {
            out.extend_from_slice(&text.as_bytes()[copied..at]);
            replace(out, c);
            copied = at + c.len_utf8();
        }
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

/// Appends the number of a character, in at least so many hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, c: char, digits_min: u32) {
    let number = u32::from(c);
    let digits = (u32::BITS - number.leading_zeros()).div_ceil(4).max(digits_min);
    out.extend((0..digits).rev().map(|digit| b"0123456789abcdef"[(number >> (4 * digit)) as usize & 0xf]));
}

/// How long a text may get when it is escaped, in bytes, in the dialect in which that is longest.
#[must_use]
pub fn escaped_len_max(text: &str) -> usize {
    // What a byte adds: a control character becomes `\u{1b}` or `\u001b`, the longer ones no more than 8 bytes. Sums of a few
    // bytes fit into one, so that the compiler may look at many at once.
    const CHUNK_BYTES: usize = 48;
    let added = |&b: &u8| {
        5 * u8::from(b < b' ' || b == 0x7f || b == 0xc2 || b == 0xd8 || b == 0xe2) + u8::from(b == b'"' || b == b'\\')
    };
    let of_chunk = |chunk: &[u8]| usize::from(chunk.iter().fold(0, |sum: u8, byte| sum.wrapping_add(added(byte))));
    text.len() + text.as_bytes().chunks(CHUNK_BYTES).map(of_chunk).sum::<usize>()
}

/// Whether no character of `text` can have to be escaped: none begins with a byte with which such ones begin.
fn is_plain(text: &str) -> bool {
    let is_plain = |&b: &u8| b >= b' ' && b != 0x7f && b != 0xc2 && b != 0xd8 && b != 0xe2 || b == b'\t';
    // Without a way out on the first of them, so that the compiler may look at many at once.
    text.as_bytes().iter().fold(true, |all, byte| all & is_plain(byte))
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and what overrides the direction of what follows.
/// All of them are below U+10000.
#[must_use]
pub fn must_escape(c: char) -> bool {
    c != '\t' && c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        assert_eq!(escaped("\x1b[2J"), r"\u{1b}[2J");
        assert_eq!(escaped("a\rb"), r"a\u{d}b");
        assert_eq!(escaped("\u{202e}abc\u{2069}"), r"\u{202e}abc\u{2069}");
        assert_eq!(escaped("a\u{2028}b\u{85}c"), r"a\u{2028}b\u{85}c");
        for c in (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control() && *c != '\t') {
            let shown = escaped(&format!("x{c}y"));
            assert_eq!(escaped(&shown), shown);
            assert!(!shown.contains(c) && shown.starts_with(r"x\u{"), "{c:?} {shown}");
        }
    }

    #[test]
    fn text_passes() {
        for text in ["plain", "tab\there", "张三 说", "é£ñ", "👩‍👩‍👧", "—…“”", "مرحبا", ""]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn numbers_have_as_many_digits_as_they_need() {
        for (c, digits, hex) in [('\0', 1, "0"), ('\x1b', 1, "1b"), ('\x1b', 4, "001b"), ('\u{2028}', 1, "2028")] {
            let mut out = Vec::new();
            push_hex(&mut out, c, digits);
            assert_eq!(out, hex.as_bytes());
        }
    }

    #[test]
    fn no_text_gets_longer_than_is_foreseen() {
        for c in (0..0x3000).filter_map(char::from_u32) {
            let text = format!("{c}x");
            assert!(escaped(&text).len() <= escaped_len_max(&text), "{c:?}");
        }
        assert_eq!(escaped_len_max("plain 张三"), "plain 张三".len());
        assert_eq!(escaped_len_max("\x1b\"x"), 6 + 2 + 1);
    }
}
