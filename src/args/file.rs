//! The configuration file: TOML, with the names of options as keys. Knows nothing of what their values mean; an option's value
//! may be a string, a number or a boolean, or a list of strings where it is a list separated by commas.

use std::fs;

use toml::de::{DeTable, DeValue};

use super::{
    sources::{Setting, Source},
    values::one_of,
};

/// The longest file that is read, in bytes: thousands of times what one needs.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the file at `path`, which may set these options.
///
/// # Errors
/// One sentence with the line at fault, where the file can't be read, is no TOML, or has another key.
pub(super) fn read(path: &str, flags: &[&'static str]) -> Result<Vec<Setting>, String> {
    let cannot = |why: String| format!("can't read {path}: {why}");
    let size = fs::metadata(path).map_err(|error| cannot(error.to_string()))?.len();
    if size > FILE_BYTES_MAX {
        return Err(cannot(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
    parse(path, &text, flags)
}

fn parse(path: &str, text: &str, flags: &[&'static str]) -> Result<Vec<Setting>, String> {
    let line_of = |at: usize| text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        format!("{path}:{line}: {}", error.message())
    })?;
    let mut settings: Vec<Setting> = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let error = |sentence: String| format!("{path}:{line}: {sentence}");
        let flag = flags.iter().find(|flag| flag.trim_start_matches('-') == *key.get_ref());
        let flag = flag.ok_or_else(|| {
            let names: Vec<_> = flags.iter().map(|flag| flag.trim_start_matches('-')).collect();
            error(format!("unknown key {:?}; expected {}", key.get_ref(), one_of(&names)))
        })?;
        let word = word(value.get_ref()).ok_or_else(|| error(format!("{} takes no such value", key.get_ref())))?;
        settings.push(Setting { flag, value: word, source: Source::File { path: path.to_owned(), line } });
    }
    Ok(settings)
}

/// The value as a word of a command line. `None` for what no option has.
fn word(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(is_on) => Some(is_on.to_string()),
        DeValue::Array(items) => {
            let words: Option<Vec<_>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            Some(words?.join(","))
        }
        DeValue::Integer(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [&str; 3] = ["--port", "--idle-timeout", "--trusted"];

    #[test]
    fn values_are_words() {
        let text = "# how we run it\nport = 7_000\n\nidle-timeout = '5m'\ntrusted = [\"10.0.0.1\", \"::1\"] # ours\n";
        let settings = parse("chat.toml", text, &FLAGS).unwrap();
        let mut lines: Vec<_> = settings.iter().map(|s| format!("{} {} {}", s.source, s.flag, s.value)).collect();
        lines.sort();
        assert_eq!(
            lines,
            ["chat.toml:2 --port 7000", "chat.toml:4 --idle-timeout 5m", "chat.toml:5 --trusted 10.0.0.1,::1",]
        );
        assert_eq!(parse("chat.toml", "idle-timeout = 1.5\n", &FLAGS).unwrap()[0].value, "1.5");
        assert_eq!(parse("chat.toml", "", &FLAGS), Ok(vec![]));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, sentence) in [
            ("port = 1\nports = 2\n", "c:2: unknown key \"ports\"; expected port, idle-timeout or trusted"),
            ("\n\n[server]\nport = 1\n", "c:3: unknown key \"server\"; expected port, idle-timeout or trusted"),
            ("port = 1\nport = 2\n", "c:2: duplicate key"),
            ("port = 2026-01-01\n", "c:1: port takes no such value"),
            ("trusted = [1]\n", "c:1: trusted takes no such value"),
        ] {
            assert_eq!(parse("c", text, &FLAGS).unwrap_err(), sentence);
        }
        assert!(parse("c", "\nport = ten\n", &FLAGS).unwrap_err().starts_with("c:2: "));
    }
}
