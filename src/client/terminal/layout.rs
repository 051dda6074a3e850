//! Where each character of a prompt and a line stands on a terminal of some width. Knows no escape sequences: the rows are
//! text that can be printed.

use pipechat::protocol::escape::{escaped, must_escape};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns between tab stops.
const TAB: usize = 8;

/// A prompt and a line, broken into rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    /// The row and the column of the cursor. There is such a row.
    pub(super) cursor: (usize, usize),
}

/// What stands in a row of the terminal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    /// In columns.
    pub(super) width: usize,
}

impl Layout {
    /// Lays out `prompt` and `text`, with the cursor before byte `cursor` of the text. Where there are more than `rows_max`
    /// rows, only those around the cursor are kept.
    pub(super) fn new(prompt: &str, text: &str, cursor: usize, columns: usize, rows_max: usize) -> Self {
        let mut layout = Self { rows: vec![Row::default()], cursor: (0, 0) };
        for grapheme in prompt.graphemes(true) {
            layout.put(grapheme, columns);
        }
        for (at, grapheme) in text.grapheme_indices(true) {
            let place = layout.put(grapheme, columns);
            if at <= cursor {
                layout.cursor = place;
            }
        }
        if cursor >= text.len() {
            layout.cursor = layout.place(1, columns);
        }
        let first = (layout.cursor.0 + 1).saturating_sub(rows_max.max(1));
        layout.rows.truncate(first + rows_max.max(1));
        layout.rows.drain(..first);
        layout.cursor.0 -= first;
        layout
    }

    /// Appends a grapheme as it is shown. Returns the place where it begins.
    fn put(&mut self, grapheme: &str, columns: usize) -> (usize, usize) {
        if grapheme == "\t" {
            let place = self.place(1, columns);
            let width = (TAB - place.1 % TAB).min(columns - place.1);
            self.append(&" ".repeat(width), width);
            place
        } else if grapheme.contains(must_escape) {
            let shown = escaped(grapheme);
            let places: Vec<_> = shown.graphemes(true).map(|part| self.put(part, columns)).collect();
            places[0]
        } else {
            let width = grapheme.width();
            let place = self.place(width, columns);
            self.append(grapheme, width);
            place
        }
    }

    /// Where something of this width goes. Begins a row if it has to.
    fn place(&mut self, width: usize, columns: usize) -> (usize, usize) {
        let column = self.rows.last().map_or(0, |row| row.width);
        if column > 0 && column + width > columns {
            self.rows.push(Row::default());
            return (self.rows.len() - 1, 0);
        }
        (self.rows.len() - 1, column)
    }

    fn append(&mut self, text: &str, width: usize) {
        if let Some(row) = self.rows.last_mut() {
            row.text.push_str(text);
            row.width += width;
        }
    }

    /// How many rows are above the cursor once the terminal is `columns` wide. Terminals break what has become too wide,
    /// and never join rows that ended in a line feed.
    pub(super) fn rows_above(&self, columns: usize) -> usize {
        let (row, column) = self.cursor;
        let above: usize = self.rows[..row].iter().map(|row| row.width.div_ceil(columns).max(1)).sum();
        // Behind the last character the cursor stays in its row, even if that is full.
        let column = if column == self.rows[row].width { column.saturating_sub(1) } else { column };
        above + column / columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of this, with `^` before the place of the cursor.
    fn rows(text: &str, cursor: usize, columns: usize) -> Vec<String> {
        let layout = Layout::new("> ", text, cursor, columns, 99);
        let mut rows: Vec<_> = layout.rows.into_iter().map(|row| row.text).collect();
        let (row, column) = layout.cursor;
        let at = rows[row].char_indices().scan(0, |width, (at, c)| {
            let place = (at, *width);
            *width += c.to_string().width();
            Some(place)
        });
        let at = at.filter(|&(_, width)| width == column).map(|(at, _)| at).last().unwrap_or(rows[row].len());
        rows[row].insert(at, '^');
        rows
    }

    #[test]
    fn lines_are_broken_at_the_width() {
        for (text, cursor, columns, expected) in [
            ("", 0, 5, &["> ^"][..]),
            ("abc", 3, 6, &["> abc^"]),
            ("abc", 3, 5, &["> abc", "^"]),
            ("abc", 1, 5, &["> a^bc"]),
            ("abcd", 3, 5, &["> abc", "^d"]),
            ("abcd", 4, 5, &["> abc", "d^"]),
            ("ab张", 5, 5, &["> ab", "张^"]),
            ("ab张", 2, 5, &["> ab", "^张"]),
            ("张三", 3, 9, &["> 张^三"]),
            ("e\u{301}x", 3, 9, &["> e\u{301}^x"]),
            ("a\tb", 2, 20, &["> a     ^b"]),
            ("ab", 0, 1, &[">", " ", "^a", "b"]),
        ] {
            assert_eq!(rows(text, cursor, columns), expected, "{text:?} {cursor} {columns}");
        }
    }

    #[test]
    fn nothing_raw_is_laid_out() {
        let layout = Layout::new("> ", "a\x1b[2J\u{202e}b\x07", 0, 4, 99);
        let shown: String = layout.rows.iter().map(|row| &*row.text).collect();
        assert_eq!(shown, r"> a\u{1b}[2J\u{202e}b\u{7}");
        assert!(layout.rows.iter().all(|row| row.width <= 4 && row.text.len() == row.width));
    }

    #[test]
    fn a_line_higher_than_the_terminal_shows_the_rows_around_the_cursor() {
        for (cursor, expected, place) in
            [(10, ["ij", ""], (1, 0)), (5, ["cd", "ef"], (1, 1)), (0, ["> ", "ab"], (1, 0))]
        {
            let layout = Layout::new("> ", "abcdefghij", cursor, 2, 2);
            let rows: Vec<_> = layout.rows.iter().map(|row| &*row.text).collect();
            assert_eq!((&*rows, layout.cursor), (&expected[..], place), "{cursor}");
        }
    }

    #[test]
    fn a_narrower_terminal_breaks_the_rows_further() {
        let text = "x".repeat(100);
        let layout = Layout::new("> ", &text, 100, 80, 99);
        assert_eq!((layout.rows.len(), layout.cursor), (2, (1, 22)));
        assert_eq!(layout.rows_above(80), 1);
        assert_eq!(layout.rows_above(120), 1);
        assert_eq!(layout.rows_above(40), 2);
        assert_eq!(layout.rows_above(20), 5);
        assert_eq!(layout.rows_above(22), 4, "the last row is full");
        let layout = Layout::new("> ", &text[..42], 20, 80, 99);
        assert_eq!((layout.cursor, layout.rows_above(22)), ((0, 22), 1));
    }
}
