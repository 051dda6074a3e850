//! How a line begins: with a verb as people type it, in any case and width and between spaces; with a verb that carries a secret,
//! perhaps with a letter wrong; or as chat. Knows how verbs are spelled, and nothing of their arguments.

use crate::{
    chat::{Act, is_token},
    protocol::Verb,
};

/// What separates a verb's arguments: `|`, and what an input method for Chinese makes of it.
pub(super) const SEPARATORS: [char; 2] = ['|', '\u{ff5c}'];

/// Verbs that carry a secret.
const SECRET_VERBS: [&[u8]; 5] = [b"login", b"register", b"password", b"unregister", b"token"];
/// Words that begin a sentence more often than they are one of those with a letter wrong.
const WORDS: [&[u8]; 8] =
    [b"logic", b"logins", b"passwords", b"registers", b"unregisters", b"taken", b"tokens", b"woken"];
/// What the operator's command is called.
const PASSWD: &[u8] = b"passwd";
/// The longest word that is looked at, in letters: `unregister`, with one too many.
const LETTERS_MAX: usize = 11;
/// Backspace and DEL, from a terminal that sends each key as it is typed.
const BS: char = '\u{8}';
const DEL: char = '\u{7f}';
/// Stands for a Latin, Greek or Cyrillic letter that no verb has.
const OTHER_LETTER: u8 = 0xff;

/// How a line begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opening<'a> {
    /// With a verb, and what follows its separator, if it has one.
    Verb(Verb, Option<&'a str>),
    /// With a word that may carry a secret: whatever follows must not be said. It is this verb, if no letter is wrong.
    Secret(Option<Verb>),
    /// It is chat.
    Chat,
}

impl<'a> Opening<'a> {
    /// Looks at the first word of `line`, and no further than that.
    pub(super) fn of(line: &'a str) -> Self {
        let text = without_unseen(line);
        if is_lone_token(text) {
            return Self::Secret(Some(Verb::Login)); // it was pasted without what logs in with it
        }
        let Some((word, rest)) = Word::split(text) else { return Self::Chat };
        if let Some(verb) = word.verb() {
            let rest = without_unseen(rest);
            if rest.is_empty() {
                return Self::Verb(verb, None);
            }
            if let Some(arguments) = rest.strip_prefix(SEPARATORS) {
                return Self::Verb(verb, Some(arguments));
            }
        }
        let (word, rest) = if word.len > 0 {
            (word, rest)
        } else {
            // Other programs want a sign before their commands, as in `/login`.
            let Some(found) = Word::split(text.trim_start_matches(|c: char| !c.is_alphanumeric())) else {
                return Self::Chat;
            };
            found
        };
        if word.may_carry_secret(rest) { Self::Secret(word.verb()) } else { Self::Chat }
    }
}

/// Letters and digits, folded to lower case and common width.
#[derive(Debug, Clone, Copy)]
struct Word {
    letters: [u8; LETTERS_MAX],
    len: usize,
}

impl Word {
    /// Takes the letters and digits off the front of `text`, and what is not seen between them. `None` where these can be no
    /// verb, nor a slip of one.
    fn split(text: &str) -> Option<(Self, &str)> {
        let mut word = Self { letters: [0; LETTERS_MAX], len: 0 };
        for (at, c) in text.char_indices() {
            let letter = match c {
                'a'..='z' | '0'..='9' => c as u8,
                'A'..='Z' => (c as u8).to_ascii_lowercase(),
                BS | DEL => {
                    word.len = word.len.saturating_sub(1);
                    continue;
                }
                '\0'..='\x7f' => return Some((word, &text[at..])),
                c if is_invisible(c) => continue,
                'ａ'..='ｚ' => b'a' + (c as u32 - 'ａ' as u32) as u8,
                'Ａ'..='Ｚ' => b'a' + (c as u32 - 'Ａ' as u32) as u8,
                '\u{c0}'..='\u{52f}' => OTHER_LETTER,
                c if c.is_alphanumeric() => return None,
                _ => return Some((word, &text[at..])),
            };
            *word.letters.get_mut(word.len)? = letter;
            word.len += 1;
        }
        Some((word, ""))
    }

    fn letters(&self) -> &[u8] {
        &self.letters[..self.len]
    }

    fn verb(&self) -> Option<Verb> {
        Some(match self.letters() {
            b"who" => Verb::Who,
            b"rename" => Verb::Rename,
            b"to" => Verb::To,
            b"say" => Verb::Say,
            b"sync" => Verb::Sync,
            b"wait" => Verb::Wait,
            b"check" => Verb::Check,
            b"join" => Verb::Join,
            b"in" => Verb::In,
            b"leave" => Verb::Leave,
            b"rooms" => Verb::Rooms,
            b"topic" => Verb::Topic,
            b"history" => Verb::History,
            b"register" => Verb::Register,
            b"login" => Verb::Login,
            b"password" => Verb::Password,
            b"unregister" => Verb::Unregister,
            b"token" => Verb::Token,
            b"tokens" => Verb::Tokens,
            b"revoke" => Verb::Revoke,
            b"visit" => Verb::Visit,
            b"stay" => Verb::Stay,
            b"format" => Verb::Format,
            b"lang" => Verb::Lang,
            b"help" => Verb::Help,
            b"quit" => Verb::Quit,
            letters => return Act::ALL.into_iter().find(|act| act.word().as_bytes() == letters).map(Verb::Order),
        })
    }

    /// Whether it is a verb that carries a secret, with at most one letter wrong. A separator in `rest`, which stands behind it,
    /// leaves no doubt that a verb was meant.
    fn may_carry_secret(&self, rest: &str) -> bool {
        let letters = self.letters();
        let is_verb_meant = || without_unseen(rest).starts_with(SEPARATORS);
        let is_slip = SECRET_VERBS.iter().any(|verb| differ_by_a_slip(letters, verb));
        (is_slip && (!WORDS.contains(&letters) || is_verb_meant())) || (letters == PASSWD && is_verb_meant())
    }
}

/// Whether all there is is a token, perhaps in quotes.
fn is_lone_token(text: &str) -> bool {
    is_token(text.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
}

/// What follows the spaces at the front of `text`, and what else stands there unseen: invisible characters that were pasted
/// along, and what the arrow keys send in a terminal where nothing edits the line, as under netcat, or what stands before a paste.
fn without_unseen(mut text: &str) -> &str {
    const ESC: char = '\u{1b}';
    let is_unseen = |c: char| c != ESC && (c.is_whitespace() || c.is_control() || is_invisible(c));
    loop {
        text = text.trim_start_matches(is_unseen);
        let Some(sequence) = text.strip_prefix(ESC) else { return text };
        text = match sequence.strip_prefix(['[', 'O']) {
            Some(key) => {
                let end = key.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
                end.strip_prefix(|c: char| c.is_ascii_alphabetic() || c == '~').unwrap_or(end)
            }
            None => sequence,
        };
    }
}

/// What comes along from other programs when a line is copied there, and is not seen: soft hyphens, joiners, spaces without
/// a width, byte order marks, marks of direction.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether the words are equal but for one letter that is wrong, missing or too many, or two that have changed places.
fn differ_by_a_slip(one: &[u8], other: &[u8]) -> bool {
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let before = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[before..], &other[before..]);
    let behind = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&one[..one.len() - behind], &other[..other.len() - behind]) {
        ([] | [_], [] | [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
