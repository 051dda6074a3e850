//! Names: what may be one, when two are the same, and when two look alike. Knows text and Unicode's tables; not who bears a
//! name. The parts: which invisible characters a word or an emoji needs (`invisible`), what a character can be taken for
//! (`confusables`), and which texts run from right to left (`direction`).

mod confusables;
mod direction;
mod invisible;
#[cfg(test)]
mod tests;

use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_script::UnicodeScript;

pub use direction::needs_isolate;

/// The longest name, in characters. Long enough for any nick, short enough to stand before every line.
pub const NAME_CHARS_MAX: usize = 32;

/// The longest name in bytes: a character has at most 4 in UTF-8. Checked first, so that a long line costs nothing.
const NAME_BYTES_MAX: usize = 4 * NAME_CHARS_MAX;

/// The longest text that a name is looked up by, in bytes. Longer than any name and any address; no lookup does more work
/// than this many bytes are worth.
const NAME_LOOKUP_BYTES_MAX: usize = 256;

/// The longest name after NFKC, in characters. One character may become up to 18 (U+FDFA, a phrase in Arabic), and what is
/// compared has to stay about as short as a name. Enough for ligatures of three letters.
const NAME_EXPANDED_CHARS_MAX: usize = 3 * NAME_CHARS_MAX;

/// The most nonspacing marks on one character: UTS 39, section 5.4. Words have up to 4, in Burmese; more reach into the
/// lines above and below.
pub const NAME_MARKS_MAX: usize = 4;

/// A name that a user may bear: it shows itself honestly and cannot be mistaken for the server's own punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// It is empty.
    Empty,
    /// It has more than [`NAME_CHARS_MAX`] characters, or stands for more than three times as many.
    TooLong,
    /// It has white space in it, or a character that looks like some.
    Space,
    /// It has a control, format, bidi, private-use or unassigned character in it, or an invisible one where no word and no
    /// emoji needs it.
    Invisible,
    /// It begins with a combining mark, or has more than [`NAME_MARKS_MAX`] on one character.
    Marks,
    /// It has one of `| [ ] :` in it, which the wire uses, or a character that reads as one.
    Punctuation,
    /// It begins with `#`, as the names of rooms do, or with a character that reads as one.
    RoomSign,
    /// It reads as an IP address: those are what users without a name are called by.
    Address,
    /// It is `.`, `..` or `@`, which no room is called.
    Reserved,
    /// It has `/` or `,` in it, or what reads as one of them, which no room's name has.
    Separator,
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
        if text.len() > NAME_BYTES_MAX || text.chars().count() > NAME_CHARS_MAX {
            return Err(NameRule::TooLong);
        }
        if !invisible::all_needed(text) {
            return Err(NameRule::Invisible);
        }
        let expanded = expand(text).ok_or(NameRule::TooLong)?;
        // A compatible character must not smuggle in what the plain one may not: `：` is `:` after NFKC.
        text.chars().filter(|&c| !invisible::is_ignorable(c)).chain(expanded.chars()).try_for_each(check)?;
        check_marks(&expanded)?;
        if expanded.starts_with(confusables::reads_as_room_sign) {
            return Err(NameRule::RoomSign);
        }
        if confusables::reads_as_address(&expanded) {
            return Err(NameRule::Address);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as its bearer wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which name this is: names with equal keys are one name. Equal up to case, width, compatibility and invisible characters,
/// which is Unicode's `NFKC_Casefold` (UAX 31, section 5.1.3), and to nothing else: `bot1` is not `botl`. For the names and
/// addresses of members; what a client has written goes to [`lookup_key`].
#[must_use]
pub(super) fn key(name: &str) -> String {
    if name.is_ascii() { name.to_ascii_lowercase() } else { any_key(name) }
}

/// The key of a name that a client asks for. `None` if nobody can have it: it is longer than [`NAME_LOOKUP_BYTES_MAX`], or
/// stands for a text longer than that of any name. The first is checked before any work, and the second ends it.
#[must_use]
pub(super) fn lookup_key(text: &str) -> Option<String> {
    if text.len() > NAME_LOOKUP_BYTES_MAX {
        return None;
    }
    if text.is_ascii() { Some(text.to_ascii_lowercase()) } else { expand(text).map(fold) }
}

/// Whether there is something in a key that reads as `/` or `,`.
pub(super) fn has_separator(key: &str) -> bool {
    key.contains(confusables::reads_as_separator)
}

/// What names have in common that look alike: a rename to a name of somebody else's skeleton is refused, though
/// [`lookup_key`] tells the two apart. It is the skeleton of UTS 39, section 4, with two differences:
///
/// - An ASCII character is itself, as in the IRC server Ergo: `Ian` and `Lan`, `kern` and `kem` are names of different people.
/// - A character counts as its look-alike only if that is ASCII or in another script: `а` (Cyrillic) is `a`, `ı` is `i`, but
///   `ى` is not `ي`. Those who write a script can read it, and tell its letters apart.
///
/// Letters of one script still meet where both look like the same one elsewhere (Hebrew `ו` and `ן` are both `l`). Case is
/// folded last, since it is as written that names look alike: `В` (Cyrillic) is `B`, and `в` is not `b`.
#[must_use]
pub(super) fn confusable_skeleton(name: &str) -> String {
    if name.is_ascii() { name.to_ascii_lowercase() } else { any_skeleton(name) }
}

fn any_key(name: &str) -> String {
    fold(visible(name).nfkc().collect())
}

fn any_skeleton(name: &str) -> String {
    fold(confusables::resolve(&visible(name).nfkc().collect::<String>()))
}

/// Full case folding. That may undo the normal form, and what is compared is the normal form of the folded text.
fn fold(text: String) -> String {
    UniCase::unicode(text).to_folded_case().nfkc().collect()
}

/// The text that is seen, in NFKC; `None` as soon as that is longer than [`NAME_EXPANDED_CHARS_MAX`].
fn expand(text: &str) -> Option<String> {
    let mut chars = visible(text).nfkc();
    let expanded = chars.by_ref().take(NAME_EXPANDED_CHARS_MAX).collect();
    chars.next().is_none().then_some(expanded)
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|&c| !invisible::is_ignorable(c))
}

fn check(c: char) -> Result<(), NameRule> {
    if c.is_whitespace() || BLANKS.contains(&c) {
        return Err(NameRule::Space);
    }
    if confusables::reads_as_punctuation(c) {
        return Err(NameRule::Punctuation);
    }
    match c.general_category() {
        GeneralCategory::Control
        | GeneralCategory::Format
        | GeneralCategory::Surrogate
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned => Err(NameRule::Invisible),
        _ if c == KHITAN_FILLER => Err(NameRule::Invisible),
        _ => Ok(()),
    }
}

/// Symbols (So) by category, and spaces to the eye: the empty Braille pattern, the null notehead.
const BLANKS: [char; 2] = ['\u{2800}', '\u{1d159}'];
/// A mark (Mn) by category, and never seen.
const KHITAN_FILLER: char = '\u{16fe4}';

fn check_marks(expanded: &str) -> Result<(), NameRule> {
    let mut base = None;
    let mut nonspacing = 0;
    for c in expanded.nfd() {
        if !is_combining_mark(c) {
            (base, nonspacing) = (Some(c), 0);
            continue;
        }
        let base = base.ok_or(NameRule::Marks)?;
        nonspacing += usize::from(c.general_category() != GeneralCategory::SpacingMark);
        if nonspacing > NAME_MARKS_MAX {
            return Err(NameRule::Marks);
        }
        // A visarga is a word's own after a letter (दुःख), and a colon after anything else.
        if confusables::is_colon_or_bracket(c) && !(base.is_alphabetic() && base.script() == c.script()) {
            return Err(NameRule::Punctuation);
        }
    }
    Ok(())
}
