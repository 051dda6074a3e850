//! Texts that look the same, made the same. Knows Unicode's tables, and nothing of the chat.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `text` in NFC (UAX 15): an accent that stands behind its letter becomes one character with it.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if may_be_composed(text) { Cow::Owned(text.nfc().collect()) } else { Cow::Borrowed(text) }
}

/// Whether composing `text` means work: it may be another text then.
#[must_use]
pub fn may_be_composed(text: &str) -> bool {
    !text.is_ascii() && is_nfc_quick(text.chars()) != IsNormalized::Yes
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

    #[test]
    fn most_texts_are_composed_already() {
        for text in ["plain", "café", "你好，张三。", "がぎぐ", "가나다"] {
            assert!(!may_be_composed(text), "{text}");
        }
        assert!(may_be_composed("cafe\u{301}") && may_be_composed("か\u{3099}"));
    }
}
