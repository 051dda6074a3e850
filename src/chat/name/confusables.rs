//! What a character can be taken for, by the confusables of UTS 39.

use unicode_normalization::char::is_combining_mark;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_security::skeleton;

/// `text` with each character replaced by the one that it can be taken for; case stays. The rules are at
/// [`super::confusable_skeleton`].
pub(super) fn resolve(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut resolved, c| {
        push_resolved(&mut resolved, c);
        resolved
    })
}

fn push_resolved(resolved: &mut String, c: char) {
    if c.is_ascii() {
        return resolved.push(c);
    }
    let prototype = prototype(c);
    let own = c.script();
    let is_shared = matches!(own, Script::Common | Script::Inherited);
    if !is_shared && prototype.chars().any(|p| !p.is_ascii() && p.script() == own) {
        return resolved.push(c);
    }
    // UTS 39 has one prototype for ASCII characters that look alike. Here those differ, so one of them has to be chosen.
    resolved.push_str(match (&*prototype, c.general_category()) {
        ("l", GeneralCategory::UppercaseLetter) => "I",
        ("l", GeneralCategory::DecimalNumber) => "1",
        ("o" | "O", GeneralCategory::DecimalNumber) => "0",
        ("rn", _) => "m",
        ("''", _) => "\"",
        (prototype, _) => prototype,
    });
}

fn prototype(c: char) -> String {
    skeleton(c.encode_utf8(&mut [0; 4])).collect()
}

/// Whether `c` reads as one of `| [ ] :`. Marks may, after a letter of their own script; see there.
pub(super) fn reads_as_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, '|' | '[' | ']' | ':');
    }
    match c.general_category_group() {
        _ if is_bar_or_bracket(c) => true,
        GeneralCategoryGroup::Mark => false,
        GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Symbol => is_colon_or_bracket(c) || is_bar(c),
        // Counting rods are bars; digits and Roman numerals are none.
        GeneralCategoryGroup::Number => {
            is_colon_or_bracket(c) || c.general_category() == GeneralCategory::OtherNumber && is_bar(c)
        }
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Separator | GeneralCategoryGroup::Other => {
            is_colon_or_bracket(c)
        }
    }
}

/// Whether there is `:`, `[` or `]` in what `c` looks like.
pub(super) fn is_colon_or_bracket(c: char) -> bool {
    prototype(c).contains([':', '[', ']'])
}

/// `|` has the prototype `l`.
fn is_bar(c: char) -> bool {
    let prototype = prototype(c);
    prototype.starts_with('l') && prototype.chars().all(|p| p == 'l' || is_combining_mark(p))
}

/// What the confusables don't have, or have as `l`: clicks that are written as bars, broken and double bars, white brackets,
/// and punctuation for vertical text.
fn is_bar_or_bracket(c: char) -> bool {
    matches!(c,
        '¦' | 'ǀ' | 'ǁ'
        | '⎪' | '⏐' | '┆' | '┇' | '┊' | '┋' | '║' | '╎' | '╏' | '▏' | '▕' | '❘'..='❚' | '⦀' | '⫼'
        | '⁅' | '⁆' | '⟦' | '⟧' | '⦋'..='⦐' | '〚' | '〛'
        | '\u{fe10}'..='\u{fe19}' | '\u{fe30}'..='\u{fe48}')
}

/// Whether `c` reads as `#`. The confusables have nothing for it.
pub(super) fn reads_as_room_sign(c: char) -> bool {
    matches!(c, '#' | '♯' | '⌗' | '⋕')
}

/// Whether `c` reads as `/` or `,`. Letters that are but a stroke, as the Japanese `ノ`, do not.
pub(super) fn reads_as_separator(c: char) -> bool {
    match c.general_category_group() {
        _ if c.is_ascii() => matches!(c, '/' | ','),
        GeneralCategoryGroup::Punctuation | GeneralCategoryGroup::Symbol => {
            prototype(c).contains(['/', ',']) || is_comma(c)
        }
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Separator
        | GeneralCategoryGroup::Other => false,
    }
}

/// The commas of other scripts, and those that are turned or raised; few of them are in the confusables. The Chinese `、` looks like
/// none, and stands in names.
fn is_comma(c: char) -> bool {
    matches!(c, '՝' | '،' | '߸' | '፣' | '᠂' | '᠈' | '꓾' | '꘍' | '꛵' | '\u{2e32}' | '\u{2e34}' | '\u{2e41}' | '\u{2e4c}')
}

/// Whether `text` reads as an IPv4 address: by its digits, whatever their script, and by what they look like. An IPv6
/// address has colons, and so has a port.
pub(super) fn reads_as_address(text: &str) -> bool {
    // The Arabic zero is a digit to some and a dot to others.
    [false, true].into_iter().any(|zeros_are_dots| {
        let chars = text.chars().filter(|&c| !is_combining_mark(c));
        let Some(reading) = chars.map(|c| in_address(c, zeros_are_dots)).collect::<Option<String>>() else {
            return false;
        };
        reading.split('.').count() == 4 && reading.split('.').all(|group| (1..=3).contains(&group.len()))
    })
}

/// The digit or dot that `c` reads as where an address may be.
fn in_address(c: char, zeros_are_dots: bool) -> Option<char> {
    if zeros_are_dots && matches!(c, '٠' | '۰') {
        return Some('.');
    }
    if c.general_category() == GeneralCategory::DecimalNumber {
        return char::from_digit(digit(c), 10);
    }
    match &*resolve(c.encode_utf8(&mut [0; 4])) {
        "l" | "I" => Some('1'),
        "o" | "O" => Some('0'),
        // Full stops of Chinese and Urdu, and dots at half the height.
        "." | "·" => Some('.'),
        _ if matches!(c, '。' | '۔') => Some('.'),
        other => other.parse().ok().filter(char::is_ascii_digit),
    }
}

/// The value of a decimal digit. They stand in rows of ten, from 0 to 9, in every script: the Unicode Standard, section 4.6.
fn digit(c: char) -> u32 {
    let is_digit = |&c: &u32| char::from_u32(c).is_some_and(|c| c.general_category() == GeneralCategory::DecimalNumber);
    let zeros_row = (0..u32::from(c)).rev().take_while(is_digit).last().unwrap_or(c.into());
    (u32::from(c) - zeros_row) % 10
}
