//! The line that is being typed: what each key does to it. The editing itself is rustyline's line buffer, which knows
//! Unicode. Knows no bytes, no terminal and no chat.

use rustyline::{At, Movement, Word, line_buffer::LineBuffer};

use super::{cut::Cut, history::History, keys::Key};
use crate::client::lines::LINE_BYTES_MAX;

/// What stands before the line, unless told otherwise.
const PROMPT: &str = "> ";

/// What a key asks of the program, beside a change of the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Nothing.
    Nothing,
    /// This line is complete.
    Line(String),
    /// A line was complete, and longer than [`LINE_BYTES_MAX`]. It is gone.
    TooLong,
    /// To complete the word before the cursor.
    Complete,
    /// To clear the screen.
    Clear,
    /// To stop the process, as Ctrl-Z does.
    Suspend,
    /// To end.
    Leave,
}

/// A line with a cursor, and the lines before it.
pub(super) struct Editor {
    line: LineBuffer,
    cut: Cut,
    pub(super) history: History,
    mode: Mode,
    /// What stands before the line.
    pub(super) prompt: String,
    /// A character did not fit: the line is not what was typed.
    is_too_long: bool,
}

enum Mode {
    Edit,
    Search {
        part: String,
        /// The line that is shown, by its number in the history.
        found: Option<usize>,
        /// What was being typed before.
        before: String,
    },
}

impl Editor {
    pub(super) fn new(history: History) -> Self {
        let line = LineBuffer::with_capacity(LINE_BYTES_MAX); // it never grows
        Self { line, cut: Cut::default(), history, mode: Mode::Edit, prompt: PROMPT.to_owned(), is_too_long: false }
    }

    pub(super) fn prompt(&self) -> String {
        match &self.mode {
            Mode::Edit => self.prompt.clone(),
            Mode::Search { part, found: Some(_), .. } => format!("(search: {part}) "),
            Mode::Search { part, found: None, .. } if part.is_empty() => "(search) ".to_owned(),
            Mode::Search { part, found: None, .. } => format!("(not found: {part}) "),
        }
    }

    pub(super) fn text(&self) -> &str {
        self.line.as_str()
    }

    /// Before which byte of the text the cursor stands.
    pub(super) fn cursor(&self) -> usize {
        self.line.pos()
    }

    /// Replaces what is between `start` and the cursor.
    pub(super) fn replace_before_cursor(&mut self, start: usize, text: &str) {
        self.line.replace(start..self.line.pos(), text, &mut self.cut);
    }

    pub(super) fn press(&mut self, key: Key) -> Edit {
        match self.mode {
            Mode::Edit => self.edit(key),
            Mode::Search { .. } => self.search(key),
        }
    }

    fn edit(&mut self, key: Key) -> Edit {
        let (line, cut) = (&mut self.line, &mut self.cut);
        match key {
            Key::Char(c) => self.is_too_long |= line.insert(c, 1, cut).is_none(),
            Key::Enter => return self.enter(),
            Key::Tab => return Edit::Complete,
            Key::Ctrl('c') if line.is_empty() => return Edit::Leave,
            Key::Ctrl('c') => self.set(""),
            Key::Ctrl('d') if line.is_empty() => return Edit::Leave,
            Key::Ctrl('l') => return Edit::Clear,
            Key::Ctrl('z') => return Edit::Suspend,
            Key::Ctrl('r') => {
                self.mode = Mode::Search { part: String::new(), found: None, before: line.as_str().to_owned() };
            }
            Key::Up | Key::Ctrl('p') => {
                if let Some(older) = self.history.older(line.as_str()).map(str::to_owned) {
                    self.set(&older);
                }
            }
            Key::Down | Key::Ctrl('n') => {
                if let Some(newer) = self.history.newer().map(str::to_owned) {
                    self.set(&newer);
                }
            }
            Key::Backspace => _ = line.backspace(1, cut),
            Key::Delete | Key::Ctrl('d') => drop(line.delete(1, cut)),
            Key::Left | Key::Ctrl('b') => _ = line.move_backward(1),
            Key::Right | Key::Ctrl('f') => _ = line.move_forward(1),
            Key::Home | Key::Ctrl('a') => _ = line.move_buffer_start(),
            Key::End | Key::Ctrl('e') => _ = line.move_buffer_end(),
            Key::WordLeft | Key::Alt('b') => _ = line.move_to_prev_word(Word::Emacs, 1),
            Key::WordRight | Key::Alt('f') => _ = line.move_to_next_word(At::AfterEnd, Word::Emacs, 1),
            Key::Alt('d') => _ = line.kill(&Movement::ForwardWord(1, At::AfterEnd, Word::Emacs), cut),
            Key::Ctrl('w') => _ = line.kill(&Movement::BackwardWord(1, Word::Big), cut),
            Key::Ctrl('k') => _ = line.kill(&Movement::EndOfBuffer, cut),
            Key::Ctrl('u') => _ = line.kill(&Movement::BeginningOfBuffer, cut),
            Key::Ctrl('t') => _ = line.transpose_chars(cut),
            Key::Ctrl('y') => {
                let text = std::mem::take(&mut cut.text);
                line.yank(&text, 1, cut);
                cut.text = text;
            }
            Key::Ctrl(_) | Key::Alt(_) => {}
        }
        Edit::Nothing
    }

    /// Completes the line.
    fn enter(&mut self) -> Edit {
        let line = self.line.as_str().to_owned();
        if std::mem::take(&mut self.is_too_long) {
            self.set("");
            return Edit::TooLong;
        }
        if !line.trim().is_empty() {
            self.history.add(&line);
        }
        self.set("");
        Edit::Line(line)
    }

    fn search(&mut self, key: Key) -> Edit {
        let Mode::Search { part, found, before } = &mut self.mode else { return Edit::Nothing };
        match key {
            Key::Ctrl('r') => {
                if let Some(older) = self.history.find(part, *found) {
                    *found = Some(older);
                }
            }
            Key::Char(c) => {
                part.push(c);
                // The line that is shown may go on matching.
                *found = self.history.find(part, found.map(|at| at + 1));
            }
            Key::Backspace => {
                part.pop();
                *found = self.history.find(part, None);
            }
            Key::Ctrl('c' | 'g') => {
                let before = std::mem::take(before);
                self.mode = Mode::Edit;
                self.set(&before);
                return Edit::Nothing;
            }
            key => {
                self.mode = Mode::Edit;
                return self.edit(key);
            }
        }
        if let Some(found) = *found {
            let shown = self.history.line(found).to_owned();
            self.set(&shown);
        }
        Edit::Nothing
    }

    fn set(&mut self, text: &str) {
        self.line.update(text, text.len(), &mut self.cut);
        self.is_too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::terminal::keys::Decoder;

    /// An editor with these lines in its history.
    fn editor(history: &[&str]) -> Editor {
        let mut editor = Editor::new(History::open(None));
        history.iter().for_each(|line| editor.history.add(line));
        editor
    }

    /// Presses the keys that a terminal sends so. Returns what they ask for.
    fn press(editor: &mut Editor, bytes: &str) -> Vec<Edit> {
        let (mut decoder, mut keys) = (Decoder::default(), Vec::new());
        bytes.bytes().for_each(|byte| decoder.push(byte, &mut keys));
        keys.into_iter().map(|key| editor.press(key)).filter(|edit| *edit != Edit::Nothing).collect()
    }

    #[test]
    fn keys_edit_the_line() {
        for (keys, shown) in [
            ("abc\x7f", "ab|"),
            ("abc\x1b[D\x1b[Dx", "ax|bc"),
            ("ab\x01x\x05y", "xaby|"),
            ("one two\x17", "one |"),
            ("one two\x17\x01\x19", "two|one "),
            ("one two\x1bbx", "one x|two"),
            ("one\x01\x0b\x19\x19", "oneone|"),
            ("one two\x1bb\x15", "|two"),
            ("ab\x1b[D\x04", "a|"),
            ("ab\x14", "ba|"),
            ("张三\x7f", "张|"),
            ("e\u{301}\x7f", "|"),
            ("half\x03", "|"),
        ] {
            let mut editor = editor(&[]);
            assert_eq!(press(&mut editor, keys), []);
            let mut line = editor.text().to_owned();
            line.insert(editor.cursor(), '|');
            assert_eq!(line, shown, "{keys:?}");
        }
    }

    #[test]
    fn some_keys_ask_for_more() {
        for (keys, asked) in [
            ("hi\rho\n", vec![Edit::Line("hi".to_owned()), Edit::Line("ho".to_owned())]),
            ("\r", vec![Edit::Line(String::new())]),
            ("\x03", vec![Edit::Leave]),
            ("\x04", vec![Edit::Leave]),
            ("half\x03\x03", vec![Edit::Leave]),
            ("\t", vec![Edit::Complete]),
            ("\x0c", vec![Edit::Clear]),
            ("\x1a", vec![Edit::Suspend]),
        ] {
            assert_eq!(press(&mut editor(&[]), keys), asked, "{keys:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_not_cut() {
        let mut editor = editor(&[]);
        assert_eq!(
            press(&mut editor, &("x".repeat(LINE_BYTES_MAX + 1) + "\rnext\r")),
            [Edit::TooLong, Edit::Line("next".to_owned())]
        );
    }

    #[test]
    fn the_history_is_browsed_and_searched() {
        const HISTORY: &[&str] = &["make test", "git push", "make lint"];
        for (keys, prompt, text) in [
            ("\x1b[A", "> ", "make lint"),
            ("draft\x10\x10\x0e", "> ", "make lint"),
            ("draft\x10\x0e", "> ", "draft"),
            ("\x12", "(search) ", ""),
            ("\x12make", "(search: make) ", "make lint"),
            ("\x12make\x12", "(search: make) ", "make test"),
            ("\x12make\x12\x12", "(search: make) ", "make test"),
            ("\x12make t", "(search: make t) ", "make test"),
            ("\x12xyz", "(not found: xyz) ", ""),
            ("\x12make\x12\x01", "> ", "make test"),
            ("draft\x12make\x03", "> ", "draft"),
            ("\x12pusx\x7f", "(search: pus) ", "git push"),
        ] {
            let mut editor = editor(HISTORY);
            assert_eq!(press(&mut editor, keys), []);
            assert_eq!((&*editor.prompt(), editor.text()), (prompt, text), "{keys:?}");
        }
        assert_eq!(press(&mut editor(HISTORY), "\x12push\r"), [Edit::Line("git push".to_owned())]);
    }
}
