//! Which texts run from right to left.

/// Whether `text` could change the order in which the characters around it are shown. Such a text is to be written between
/// U+2068 (first strong isolate) and U+2069 (pop directional isolate), which keep that inside: UAX 9, section 2.4.
///
/// True for the blocks that Unicode sets aside for scripts that run from right to left (the defaults of `Bidi_Class` R and
/// AL in `DerivedBidiClass.txt`): every letter of these classes is in them, and those of future versions will be. Arabic
/// digits (AN) are too, and have to be: they pull the punctuation between them to the left. A neutral character or two that
/// are in these blocks are isolated for nothing, which does no harm. Bidi controls such as U+200F are none of them: they are
/// escaped wherever they are shown.
#[must_use]
pub fn needs_isolate(text: &str) -> bool {
    // Most text is ASCII, which is found out at once.
    !text.is_ascii()
        && text.chars().any(|c| {
            matches!(c,
            '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdcf}'
            | '\u{fdf0}'..='\u{fdff}'
            | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}')
        })
}
