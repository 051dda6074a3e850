//! Invisible characters: which there are, and where a word or an emoji needs one.
//!
//! A rule here may allow a joiner where it changes nothing: keys and skeletons leave all of them out, so that no two names
//! differ by one. What must not be is one that stands anywhere, as text that nobody sees.

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_properties::{GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';
/// Asks for a symbol as text.
const TEXT_SELECTOR: char = '\u{fe0e}';
/// Asks for a symbol as emoji.
const EMOJI_SELECTOR: char = '\u{fe0f}';
/// Makes a key of the digit before it.
const KEYCAP: char = '\u{20e3}';

/// The `Canonical_Combining_Class` of viramas, which take the vowel from a consonant.
const VIRAMA: u8 = 9;

/// Cursive scripts in modern use: those with joining letters among the recommended and the limited-use scripts of UAX 31,
/// tables 5 and 7.
const CURSIVE: [Script; 6] =
    [Script::Arabic, Script::Adlam, Script::Hanifi_Rohingya, Script::Mandaic, Script::Nko, Script::Syriac];

/// Unicode's `Default_Ignorable_Code_Point`: nothing is shown for these.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether each invisible character of `text` is one that the word or emoji around it needs.
pub(super) fn all_needed(text: &str) -> bool {
    text.char_indices().filter(|&(_, c)| is_ignorable(c)).all(|(at, c)| {
        let (before, after) = (&text[..at], text[at + c.len_utf8()..].chars().next());
        match c {
            ZERO_WIDTH_NON_JOINER => keeps_letters_apart(before, after),
            ZERO_WIDTH_JOINER => joins_emoji(before, after) || makes_half_letter(before, after),
            TEXT_SELECTOR | EMOJI_SELECTOR => selects_emoji(before, after),
            _ => false,
        }
    })
}

/// UAX 31, section 2.3, rules A1 and A2: between letters of one script, which is cursive (Persian `علی‌رضا`) or has a virama
/// there (Malayalam `ക്‌ഷ`). Simpler than there: the cursive letter before need not be one that joins, and people do write one
/// where it does not.
fn keeps_letters_apart(before: &str, after: Option<char>) -> bool {
    let Some(after) = after.filter(|&c| is_letter(c)) else { return false };
    let script = after.script();
    letter_before(before).is_some_and(|letter| letter.script() == script)
        && (CURSIVE.contains(&script) || ends_in_virama(before, script))
}

/// UAX 31, section 2.3, rule B: after a virama on a letter, as in Sinhala `ශ්‍රී`. Stricter than there: no mark comes after, a
/// vowel or not.
fn makes_half_letter(before: &str, after: Option<char>) -> bool {
    letter_before(before).is_some_and(|letter| ends_in_virama(before, letter.script()))
        && !after.is_some_and(is_combining_mark)
}

/// Stricter than UAX 31: no other mark between the virama and the joiner.
fn ends_in_virama(text: &str, script: Script) -> bool {
    text.chars().next_back().is_some_and(|c| canonical_combining_class(c) == VIRAMA && c.script() == script)
}

/// The letter at the end of `text`, or below the marks there.
fn letter_before(text: &str) -> Option<char> {
    text.chars().rev().find(|&c| !is_combining_mark(c)).filter(|&c| is_letter(c))
}

fn is_letter(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Letter
}

/// UTS 51, definition ED-16: between two emoji, as in 👩‍💻; the first may have a skin tone or a selector. Any two: what has a
/// picture of its own changes with every year, and without one both are seen.
fn joins_emoji(before: &str, after: Option<char>) -> bool {
    let mut before = before.chars().rev().peekable();
    before.next_if(|&c| c == EMOJI_SELECTOR || is_skin_tone(c));
    before.next().is_some_and(is_pictograph) && after.is_some_and(is_pictograph)
}

/// UTS 51, definitions ED-8a, ED-9a and ED-14c: after an emoji, as in ❤️, or in a keycap (1️⃣).
fn selects_emoji(before: &str, after: Option<char>) -> bool {
    before.chars().next_back().is_some_and(|c| is_pictograph(c) || (c.is_emoji_char() && after == Some(KEYCAP)))
}

/// An emoji by itself: no digit, no half of a flag, no skin tone.
fn is_pictograph(c: char) -> bool {
    c.is_emoji_char() && !c.is_emoji_component()
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}
