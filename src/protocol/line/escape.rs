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
    // Only these bytes begin a character that may have to be shown: two passes, but the second is rare.
    let is_plain = |&b: &u8| b >= b' ' && b != 0x7f && b != 0xc2 && b != 0xd8 && b != 0xe2 || b == b'\t';
    // Without a way out on the first of them, so that the compiler may look at many at once.
    if text.as_bytes().iter().fold(true, |all, byte| all & is_plain(byte)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        if must_escape(c) {
            out.extend(c.escape_unicode().map(|c| c as u8)); // ASCII, all of it
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
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
}
