//! Lines of JSON as they come, without parsing them.

use std::fmt::Write;

use pipechat::protocol::escape::must_escape;

/// The number of values in `json`, a line of valid JSON: those in containers, of which each follows a bracket or a
/// comma.
pub(super) fn count_values(json: &str) -> usize {
    let (mut in_string, mut is_escaped, mut count) = (false, false, 0);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' | b',' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// `json`, a line of valid JSON, with what must not reach a terminal raw escaped as JSON escapes it.
pub(super) fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\r' => out.push(' '), // white space between values: a control character is not valid within a string
            c if must_escape(c) => write!(out, "\\u{:04x}", u32::from(c)).expect("a String takes all"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn json_stays_valid_when_it_is_escaped() {
        let json = "{\"b\":\r\"\u{9b}\u{7f}\u{202e}\u{2069} \\u001b é\",\t\"a\u{85}\":1}";
        let escaped = escaped_json(json);
        assert_eq!(escaped, "{\"b\": \"\\u009b\\u007f\\u202e\\u2069 \\u001b é\",\t\"a\\u0085\":1}");
        let [before, after]: [Value; 2] = [json, &escaped].map(|json| serde_json::from_str(json).unwrap());
        assert_eq!(before, after);
    }
}
