//! Texts that look the same, made the same. Knows Unicode's tables, and nothing of the chat.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `text` in NFC (UAX 15): an accent that stands behind its letter becomes one character with it.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (text, same) in
            [("cafe\u{301}", "café"), ("\u{1100}\u{1161}", "가"), ("\u{212b}", "\u{c5}"), ("q\u{301}", "q\u{301}")]
        {
            assert_eq!(composed(text), same, "{text:?}");
            assert_eq!(composed(same), same, "{text:?}");
        }
        assert_eq!(composed("ａnn"), "ａnn", "not the same");
    }
}
