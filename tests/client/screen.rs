//! What a terminal shows: the few escape sequences that the client uses, and rows that are broken anew when the terminal
//! gets another width, as tmux and most others do.

/// A screen without a height.
#[derive(Debug)]
pub(crate) struct Screen {
    columns: usize,
    rows: Vec<Row>,
    /// Row and column.
    cursor: (usize, usize),
    /// Of an escape sequence, or of a character.
    partial: Vec<u8>,
}

#[derive(Debug, Default, Clone)]
struct Row {
    cells: Vec<char>,
    /// The next row goes on with the same line.
    is_broken: bool,
}

impl Screen {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, rows: vec![Row::default()], cursor: (0, 0), partial: Vec::new() }
    }

    /// The rows as text, without spaces at their ends.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.cells.iter().collect::<String>().trim_end().to_owned()).collect()
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.partial.push(byte);
            match (self.partial[0], byte) {
                (b'\x1b', _) if self.partial.len() < 3 => {}
                (b'\x1b', b'\x40'..=b'\x7e') => {
                    let params = String::from_utf8_lossy(&self.partial[2..self.partial.len() - 1]).into_owned();
                    self.control(byte, &params);
                    self.partial.clear();
                }
                (b'\x1b', _) => {}
                _ => {
                    if let Ok(text) = std::str::from_utf8(&self.partial) {
                        let c = text.chars().next().expect("one");
                        self.partial.clear();
                        self.put(c);
                    }
                }
            }
        }
    }

    fn control(&mut self, last: u8, params: &str) {
        let count = params.parse().unwrap_or(1);
        let (row, column) = self.cursor;
        match (last, params) {
            (b'A', _) => self.cursor.0 = row.saturating_sub(count),
            (b'C', _) => self.cursor.1 = (column + count).min(self.columns - 1),
            (b'J', "") => {
                self.rows.truncate(row + 1);
                self.rows[row].cells.truncate(column);
                self.rows[row].is_broken = false;
            }
            (b'm', _) | (b'h' | b'l', "?2004") => {}
            other => panic!("a sequence that nobody uses: {other:?}"),
        }
    }

    fn put(&mut self, c: char) {
        match c {
            '\r' => self.cursor.1 = 0,
            '\n' => self.down(),
            '\t' => (0..8 - self.cursor.1 % 8).for_each(|_| self.put(' ')),
            c => {
                if self.cursor.1 == self.columns {
                    self.rows[self.cursor.0].is_broken = true;
                    self.cursor.1 = 0;
                    self.down();
                }
                let cells = &mut self.rows[self.cursor.0].cells;
                if cells.len() <= self.cursor.1 {
                    cells.resize(self.cursor.1 + 1, ' ');
                }
                cells[self.cursor.1] = c;
                self.cursor.1 += 1;
            }
        }
    }

    fn down(&mut self) {
        self.cursor.0 += 1;
        if self.rows.len() == self.cursor.0 {
            self.rows.push(Row::default());
        }
    }

    /// Breaks all lines anew.
    pub(crate) fn resize(&mut self, columns: usize) {
        let mut rows: Vec<Row> = Vec::new();
        let (mut line, mut cursor_at) = (Vec::new(), None);
        for (number, row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            if number == self.cursor.0 {
                cursor_at = Some(line.len() + self.cursor.1);
            }
            line.extend(row.cells);
            if row.is_broken {
                continue;
            }
            if let Some(at) = cursor_at.take() {
                let last = line.len().saturating_sub(1);
                let row = at.min(last) / columns;
                self.cursor = (rows.len() + row, at - row * columns);
            }
            let count = line.len().div_ceil(columns).max(1);
            for n in 0..count {
                let cells = line[n * columns..line.len().min((n + 1) * columns)].to_vec();
                rows.push(Row { cells, is_broken: n + 1 < count });
            }
            line.clear();
        }
        (self.rows, self.columns) = (rows, columns);
    }
}
