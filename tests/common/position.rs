//! Positions in lines, `N.EPOCH`: a test knows the number, but not the word that each run of the server makes up.

use std::ops::Range;

/// What is written for the epoch of a line that is expected.
const EPOCH: &str = "EPOCH";
/// How long an epoch is: lowercase letters.
const EPOCH_LETTERS: usize = 5;

/// The epochs in a line, or what is written for them.
fn epochs(line: &str) -> Vec<Range<usize>> {
    let is_end = |c: Option<u8>| c.is_none_or(|c| matches!(c, b'|' | b'"' | b'\t'));
    let bytes = line.as_bytes();
    let dots = line.match_indices('.').map(|(at, _)| at + 1);
    let words = dots.filter_map(|from| {
        let digits = bytes[..from - 1].iter().rev().take_while(|c| c.is_ascii_digit()).count();
        let before = (from - 1).checked_sub(digits + 1).map(|at| bytes[at]);
        let range = from..from + EPOCH_LETTERS;
        let word = bytes.get(range.clone())?;
        let is_word = word == EPOCH.as_bytes() || word.iter().all(u8::is_ascii_lowercase);
        (digits > 0 && is_word && is_end(before) && is_end(bytes.get(range.end).copied())).then_some(range)
    });
    words.collect()
}

/// The positions in a line, in order.
pub fn positions(line: &str) -> Vec<&str> {
    let start = |dot: usize| line[..dot].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    epochs(line).into_iter().map(|epoch| &line[start(epoch.start - 1)..epoch.end]).collect()
}

/// The line with `EPOCH` for each epoch.
pub fn mask_epochs(line: &str) -> String {
    let mut masked = line.to_owned();
    epochs(line).into_iter().for_each(|epoch| masked.replace_range(epoch, EPOCH));
    masked
}

/// Whether this line is the one that is expected. It is looked at as it is unless an epoch is left open.
pub(crate) fn is_expected(expected: &str, heard: &str) -> bool {
    heard == expected || expected.contains(".EPOCH") && mask_epochs(heard) == mask_epochs(expected)
}
