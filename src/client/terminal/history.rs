//! The lines that were typed, over sessions: a cursor on rustyline's history, which keeps the file. Knows no keys.

use std::{env, fs, os::unix::fs::DirBuilderExt, path::PathBuf};

use pipechat::{
    chat::{AccountCommand, Command},
    protocol::{FormError, Line, Verb, parse},
};
use rustyline::history::{FileHistory, History as _, SearchDirection};

/// How many lines are kept, in memory and in the file.
const LINES_MAX: usize = 1000;
/// Longer lines are not kept, so all of them together take 4 MiB at most. It is the longest line that a server takes
/// unless it is told otherwise.
const LINE_BYTES_MAX: usize = 4096;

/// What was typed before, oldest first, and where the user is in it.
pub(super) struct History {
    lines: FileHistory,
    /// `None` if nothing is kept beyond this session.
    path: Option<PathBuf>,
    /// The line that is shown; the number of lines while it is the draft.
    at: usize,
    /// What was being typed when the user went back.
    draft: String,
}

impl History {
    /// What earlier sessions have left in `path`, if there is one.
    pub(super) fn open(path: Option<PathBuf>) -> Self {
        let mut lines = FileHistory::new();
        lines.set_max_len(LINES_MAX).ok(); // fails for histories in databases only
        lines.ignore_space(true);
        if let Some(path) = &path {
            lines.load(path).ok(); // there is none yet
        }
        let at = lines.len();
        Self { lines, path, at, draft: String::new() }
    }

    /// Where the history is: `pipechat/history` in the user's state folder (XDG Base Directory Specification).
    pub(super) fn default_path() -> Option<PathBuf> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        Some(state?.join("pipechat/history"))
    }

    /// Adds a line, unless it is the last one again, or begins with white space, as in bash, or may carry a secret.
    pub(super) fn add(&mut self, line: &str) {
        if line.len() <= LINE_BYTES_MAX && !may_carry_secret(line) {
            self.lines.add(line).ok(); // only in memory
        }
        self.at = self.lines.len();
        self.draft.clear();
    }

    /// Writes to the file what is new. Other sessions may do the same.
    pub(super) fn save(&mut self) {
        if let Some(path) = &self.path {
            if let Some(folder) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).ok(); // the next line fails, then
            }
            if self.lines.append(path).is_err() {
                self.path = None; // where nothing can be written, the history ends with this session
            }
        }
    }

    /// The line before the one that is shown, which is `current`.
    pub(super) fn older(&mut self, current: &str) -> Option<&str> {
        let at = self.at.checked_sub(1)?;
        if self.at == self.lines.len() {
            current.clone_into(&mut self.draft);
        }
        self.at = at;
        Some(&self.lines[at])
    }

    /// The line after the one that is shown; the draft comes last.
    pub(super) fn newer(&mut self) -> Option<&str> {
        if self.at >= self.lines.len() {
            return None;
        }
        self.at += 1;
        if self.at == self.lines.len() { Some(&self.draft) } else { Some(&self.lines[self.at]) }
    }

    /// The number of the newest line before line `end` that contains `part`, which is not empty. `None` for `end` means
    /// all.
    pub(super) fn find(&self, part: &str, end: Option<usize>) -> Option<usize> {
        let start = end.unwrap_or(self.lines.len()).checked_sub(1)?;
        Some(self.lines.search(part, start, SearchDirection::Reverse).ok()??.idx)
    }

    /// The line with this number, as [`Self::find`] returns it.
    pub(super) fn line(&self, number: usize) -> &str {
        &self.lines[number]
    }
}

/// Whether a line logs in, or changes a password, or would with another letter.
fn may_carry_secret(line: &str) -> bool {
    match parse(line.as_bytes()) {
        Ok(Line::Command(Command::Account(command))) => match command {
            AccountCommand::Register(_)
            | AccountCommand::Login { .. }
            | AccountCommand::Password { .. }
            | AccountCommand::Unregister(_) => true,
            AccountCommand::Token(_) | AccountCommand::Tokens | AccountCommand::Revoke(_) => false,
        },
        Err(FormError::UnknownVerb) => true,
        Err(FormError::Usage(verb)) => {
            matches!(verb, Verb::Register | Verb::Login | Verb::Password | Verb::Unregister)
        }
        Ok(_) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn back_and_forth() {
        let mut history = History::open(None);
        [
            "one",
            "two",
            "two",
            " secret",
            "login|ann|secret",
            "/register secret",
            "Logn ann secret",
            "pc_0123456789abcdefghjkmnpqrs",
        ]
        .iter()
        .for_each(|line| history.add(line));
        assert_eq!(history.newer(), None);
        assert_eq!(history.older("draft"), Some("two"));
        assert_eq!(history.older("two"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), Some("draft"));
        assert_eq!(history.newer(), None);
    }

    #[test]
    fn the_newest_match_is_found_first() {
        let mut history = History::open(None);
        assert_eq!(history.find("o", None), None);
        ["one", "two", "three"].iter().for_each(|line| history.add(line));
        assert_eq!(history.find("o", None), Some(1));
        assert_eq!(history.find("o", Some(1)), Some(0));
        assert_eq!(history.find("o", Some(0)), None);
    }

    #[test]
    fn sessions_share_a_file_within_bounds() {
        let folder = env::temp_dir().join(format!("pipechat-history-{}", std::process::id()));
        let path = folder.join("state/history");
        let [mut one, mut two] = [(), ()].map(|()| History::open(Some(path.clone())));
        one.add("one");
        one.save();
        two.add("two");
        two.add(&"x".repeat(LINE_BYTES_MAX + 1));
        two.save();
        let mut three = History::open(Some(path.clone()));
        assert_eq!(three.older(""), Some("two"));
        assert_eq!(three.older(""), Some("one"));
        (0..2 * LINES_MAX).for_each(|n| three.add(&n.to_string()));
        three.save();
        assert_eq!(History::open(Some(path.clone())).lines.len(), LINES_MAX);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "for its user alone");
        fs::remove_dir_all(folder).unwrap();
    }
}
