//! Whether a text mentions a user.

/// Whether `text` has `name` in it as a word, in whatever case.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let glues = |a: Option<char>, b: Option<char>| a.is_some_and(is_of_word) && b.is_some_and(is_of_word);
    text.match_indices(&name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        !glues(before.chars().next_back(), name.chars().next())
            && !glues(name.chars().next_back(), after.chars().next())
    })
}

/// Whether a character next to this one can belong to the same word. Chinese, Japanese and Korean don't separate words.
fn is_of_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric() && c < '\u{2e80}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_mentioned_as_a_word() {
        for (text, name, is_mention) in [
            ("hi bob", "bob", true),
            ("BOB: hi", "bob", true),
            ("hi @bob!", "Bob", true),
            ("bobby", "bob", false),
            ("kabob", "bob", false),
            ("bobby and bob", "bob", true),
            ("bob_", "bob", false),
            ("你好张三你好", "张三", true),
            ("hi张三", "张三", true),
            ("", "bob", false),
        ] {
            assert_eq!(mentions(text, name), is_mention, "{text} {name}");
        }
    }
}
