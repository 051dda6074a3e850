//! Names: what may be one, and when two of them are the same.

use std::{
    net::{IpAddr, SocketAddr},
    sync::LazyLock,
};

use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::skeleton;

/// The longest name, in characters. Long enough for any nick, short enough to stand before every line.
pub const NAME_CHARS_MAX: usize = 32;

/// A name that a user may bear: it shows itself honestly and cannot be mistaken for the server's own punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// It is empty.
    Empty,
    /// It has more than [`NAME_CHARS_MAX`] characters.
    TooLong,
    /// It has white space in it, or a character that looks like some.
    Space,
    /// It has a control, format, bidi, invisible or unassigned character in it, or begins with a combining mark.
    Invisible,
    /// It has one of `| [ ] :` in it, which the wire uses, or a character that is compatible with one or looks like one.
    Punctuation,
    /// It is an IP address: those are what users without a name are called by.
    Address,
}

impl Name {
    /// Takes `text` as a name.
    ///
    /// # Errors
    /// The first [`NameRule`] that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, NameRule> {
        if text.is_empty() {
            return Err(NameRule::Empty);
        }
        if text.chars().count() > NAME_CHARS_MAX {
            return Err(NameRule::TooLong);
        }
        if text.chars().next().is_some_and(is_combining_mark) {
            return Err(NameRule::Invisible);
        }
        // A compatible character must not smuggle in what the plain one may not: `：` is `:` after NFKC.
        for c in text.chars().chain(text.nfkc()) {
            check(c)?;
        }
        // As an address looks, so that none can be taken for one: a skeleton has `l` for 1 and `O` for 0.
        for look in [key(text), confusable_skeleton(text)] {
            let look = look.replace('l', "1").replace(['o', 'O'], "0");
            if look.parse::<IpAddr>().is_ok() || look.parse::<SocketAddr>().is_ok() {
                return Err(NameRule::Address);
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as its bearer wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(c: char) -> Result<(), NameRule> {
    if c.is_whitespace() || c == BRAILLE_BLANK {
        return Err(NameRule::Space);
    }
    if matches!(c, '|' | '[' | ']' | ':') {
        return Err(NameRule::Punctuation);
    }
    let hidden = matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::Surrogate
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    );
    let mut looks = [0; 4];
    let mut looks = skeleton(c.encode_utf8(&mut looks)).peekable();
    // A skeleton leaves out Unicode's Default_Ignorable_Code_Point: Hangul fillers, variation selectors and their like.
    if hidden || (!c.is_ascii() && looks.peek().is_none()) {
        return Err(NameRule::Invisible);
    }
    // Letters and marks that look like a colon are words' own: Hindi's visarga is one.
    let is_of_words = matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark);
    if !is_of_words && looks.any(|look| matches!(look, '[' | ']' | ':')) {
        return Err(NameRule::Punctuation);
    }
    Ok(())
}

/// A symbol (So) by category, a space to the eye.
const BRAILLE_BLANK: char = '\u{2800}';

/// What two names have in common when they are the same name: equal after NFKC and case folding, and to the eye
/// (the skeleton of Unicode TR39, so that Cyrillic `аdmin` is `admin`). Also finds users without a name by their address.
#[must_use]
pub(super) fn key(name: &str) -> String {
    static ASCII: LazyLock<AsciiTable> = LazyLock::new(|| ascii_table(any_key));
    ascii_or(name, &ASCII, any_key)
}

/// What two names also have in common when they look alike as they are written: [`key`] folds case first, and so can't see
/// that `paypaI` with a capital i is `paypal` to the eye, which this does.
#[must_use]
pub(super) fn confusable_skeleton(name: &str) -> String {
    static ASCII: LazyLock<AsciiTable> = LazyLock::new(|| ascii_table(any_skeleton));
    ascii_or(name, &ASCII, any_skeleton)
}

fn any_key(name: &str) -> String {
    let folded = UniCase::unicode(name.nfkc().collect::<String>()).to_folded_case();
    // Folding may undo the normal form; what is compared is the normal form of the folded text.
    skeleton(&folded.nfkc().collect::<String>()).collect()
}

fn any_skeleton(name: &str) -> String {
    let look: String = skeleton(&name.nfkc().collect::<String>()).collect();
    UniCase::unicode(look).to_folded_case()
}

/// What becomes of each ASCII character, alone or among others: Unicode's tables are too slow to ask for each message.
type AsciiTable = [String; 128];

fn ascii_table(map: fn(&str) -> String) -> AsciiTable {
    std::array::from_fn(|code| map(char::from(code as u8).encode_utf8(&mut [0; 4])))
}

fn ascii_or(name: &str, table: &AsciiTable, map: fn(&str) -> String) -> String {
    if name.is_ascii() { name.bytes().map(|byte| &*table[usize::from(byte)]).collect() } else { map(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_may_be_a_name() {
        for name in ["ann", "张三", "O'Brien", "a", "Ünal", "x_1-2.3", "🦀", "नमस्ते", "दुःख", &"长".repeat(32)]
        {
            assert_eq!(Name::parse(name).as_ref().map(Name::as_str), Ok(name));
        }
    }

    #[test]
    fn what_may_not() {
        let long = "x".repeat(33);
        for (name, rule) in [
            ("", NameRule::Empty),
            (&*long, NameRule::TooLong),
            ("a b", NameRule::Space),
            ("a\u{a0}b", NameRule::Space),
            ("a\u{3000}b", NameRule::Space),
            ("\u{2800}", NameRule::Space),
            ("a\u{2028}b", NameRule::Space),
            ("a|b", NameRule::Punctuation),
            ("[a", NameRule::Punctuation),
            ("a]", NameRule::Punctuation),
            ("a:b", NameRule::Punctuation),
            ("a：b", NameRule::Punctuation),
            ("［a", NameRule::Punctuation),
            ("a∶b", NameRule::Punctuation),
            ("10.0.0.1ː80", NameRule::Address),
            ("l0.O.0.1", NameRule::Address),
            ("127.0.0.I", NameRule::Address),
            ("127.0.0.Iː80", NameRule::Address),
            ("127.0.0.1:80", NameRule::Punctuation),
            ("127.0.0.1", NameRule::Address),
            ("１２７.0.0.1", NameRule::Address),
            ("a\x1bb", NameRule::Invisible),
            ("a\x7fb", NameRule::Invisible),
            ("a\u{9b}b", NameRule::Invisible),
            ("a\0b", NameRule::Invisible),
            ("a\u{202e}b", NameRule::Invisible),
            ("a\u{2066}b", NameRule::Invisible),
            ("a\u{200b}b", NameRule::Invisible),
            ("a\u{200d}b", NameRule::Invisible),
            ("a\u{feff}b", NameRule::Invisible),
            ("a\u{ad}b", NameRule::Invisible),
            ("a\u{fe0f}", NameRule::Invisible),
            ("a\u{3164}b", NameRule::Invisible),
            ("\u{301}a", NameRule::Invisible),
            ("a\u{e000}", NameRule::Invisible),
            ("a\u{378}", NameRule::Invisible),
        ] {
            assert_eq!(Name::parse(name), Err(rule), "{name:?}");
        }
    }

    #[test]
    fn which_names_look_the_same() {
        for (one, other) in [
            ("paypaI", "paypal"),
            ("ADMlN", "ADMIN"),
            ("R00T", "ROOT"),
            ("РЕТЕR", "PETER"),
            ("ВОВ", "BOB"),
            ("Нans", "hans"),
        ] {
            assert!(key(one) == key(other) || confusable_skeleton(one) == confusable_skeleton(other), "{one} {other}");
        }
    }

    #[test]
    fn which_names_are_the_same() {
        for (one, other) in [
            ("bob", "BOB"),
            ("bob", "ｂｏｂ"),
            ("straße", "STRASSE"),
            ("admin", "аdmin"),
            ("admin", "АDMIN"),
            ("e\u{301}", "é"),
            ("ﬁ", "fi"),
            ("paypal", "pаypаl"),
            ("bot1", "botl"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        for (one, other) in [("bob", "bobo"), ("张三", "张三三"), ("bot1", "bot11"), ("ann", "anna"), ("é", "e")]
        {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn the_short_way_through_ascii_ends_where_the_long_one_does(text in "[ -~]{1,40}|[\\x00-\\x7f]{1,8}") {
            prop_assert_eq!(key(&text), any_key(&text));
            prop_assert_eq!(confusable_skeleton(&text), any_skeleton(&text));
        }

        #[test]
        fn a_name_shows_itself(text in "\\PC{1,40}|.{1,40}") {
            if let Ok(name) = Name::parse(&text) {
                let name = name.as_str();
                prop_assert!(name.chars().count() <= NAME_CHARS_MAX);
                prop_assert!(!name.contains(['|', '[', ']', ':']));
                prop_assert!(!name.contains(|c: char| c.is_control() || c.is_whitespace()));
                prop_assert!(!key(name).is_empty());
            }
        }

        #[test]
        fn case_and_compatibility_make_no_other_name(text in "[a-zA-Zéß张ﬁΣς]{1,16}") {
            prop_assert_eq!(key(&text), key(&text.to_lowercase()));
            prop_assert_eq!(key(&text), key(&text.nfkc().collect::<String>()));
            prop_assert_eq!(key(&text), key(&text.nfd().collect::<String>()));
        }
    }
}
