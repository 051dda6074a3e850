//! The rows at the bottom of the terminal where a line is typed, below what has been printed. Turns layouts into escape
//! sequences; keeps of the terminal only what stands in those rows.

use std::fmt::Write;

use super::layout::Layout;

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Screen {
    drawn: Option<Layout>,
}

impl Screen {
    /// The bytes that print `above`, whole lines, over the rows that are drawn, and then draw `next`. The terminal is
    /// `columns` wide now. Empty if nothing changes.
    pub(super) fn update(&mut self, above: &str, next: Layout, columns: usize) -> String {
        if above.is_empty() && self.drawn.as_ref() == Some(&next) {
            return String::new();
        }
        let mut out = self.erase(columns);
        out.push_str(above);
        let rows: Vec<_> = next.rows.iter().map(|row| &*row.text).collect();
        out.push_str(&rows.join("\r\n"));
        let (row, column) = next.cursor;
        move_by(&mut out, rows.len() - 1 - row, 'A');
        out.push('\r');
        move_by(&mut out, column, 'C');
        self.drawn = Some(next);
        out
    }

    /// The bytes that remove what is drawn.
    pub(super) fn erase(&mut self, columns: usize) -> String {
        let Some(drawn) = self.drawn.take() else { return String::new() };
        let mut out = String::new();
        move_by(&mut out, drawn.rows_above(columns), 'A');
        out.push_str("\r\x1b[J");
        out
    }

    /// Something else has written to the terminal: what is drawn stays where it is.
    pub(super) fn forget(&mut self) {
        self.drawn = None;
    }
}

fn move_by(out: &mut String, count: usize, direction: char) {
    if count > 0 {
        write!(out, "\x1b[{count}{direction}").expect("a String takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str, cursor: usize) -> Layout {
        Layout::new("> ", text, cursor, 5, 99)
    }

    #[test]
    fn messages_stand_above_the_line() {
        let mut screen = Screen::default();
        assert_eq!(screen.update("", layout("a", 1), 5), "> a\r\x1b[3C");
        assert_eq!(screen.update("", layout("a", 1), 5), "");
        assert_eq!(screen.update("news\r\n", layout("a", 1), 5), "\r\x1b[Jnews\r\n> a\r\x1b[3C");
    }

    #[test]
    fn all_rows_are_erased() {
        let mut screen = Screen::default();
        assert_eq!(screen.update("", layout("abcdefg", 7), 5), "> abc\r\ndefg\r\x1b[4C");
        assert_eq!(screen.update("", layout("abcdefg", 0), 5), "\x1b[1A\r\x1b[J> abc\r\ndefg\x1b[1A\r\x1b[2C");
        assert_eq!(screen.erase(5), "\r\x1b[J");
        assert_eq!(screen.erase(5), "");
    }

    #[test]
    fn rows_that_a_narrower_terminal_has_broken_are_erased() {
        let mut screen = Screen::default();
        screen.update("", layout("abcdefg", 7), 5);
        assert_eq!(screen.erase(3), "\x1b[3A\r\x1b[J");
    }
}
