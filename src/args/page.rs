//! Pages of the manual as a terminal shows them: Markdown as it is, but code is indented, and tables are drawn in columns
//! where they fit into 80 of them, and otherwise row below row. Knows nothing of what a page says.

use std::fmt::Write;

use pipechat::manual::Page;
use unicode_width::UnicodeWidthStr;

use super::help::{COLUMNS, wrapped};

const GAP: &str = "  ";
const INDENT: &str = "    ";

pub(super) fn render(page: &Page) -> String {
    let mut out = String::new();
    let mut lines = page.text.lines().peekable();
    let mut is_fenced = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        if is_fenced || !line.starts_with('|') {
            let indent = if is_fenced { INDENT } else { "" };
            writeln!(out, "{}", format!("{indent}{line}").trim_end()).expect("a String takes all");
            continue;
        }
        let head = cells(line);
        lines.next_if(|line| line.starts_with("|-"));
        let rows: Vec<_> = std::iter::from_fn(|| lines.next_if(|line| line.starts_with('|'))).map(cells).collect();
        push_table(&mut out, &head, &rows);
    }
    out
}

/// The cells of a row. `\|` is a `|` inside a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\0");
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

fn push_table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let all = || std::iter::once(head).chain(rows.iter().map(Vec::as_slice));
    let widths: Vec<usize> = (0..head.len())
        .map(|column| all().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    if widths.iter().map(|width| width + GAP.len()).sum::<usize>() <= COLUMNS + GAP.len() {
        for row in all().filter(|row| row.iter().any(|cell| !cell.is_empty())) {
            push_columns(out, row, &widths);
        }
    } else {
        rows.iter().for_each(|row| push_stacked(out, head, row));
    }
}

fn push_columns(out: &mut String, row: &[String], widths: &[usize]) {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths) {
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + GAP.len()));
    }
    writeln!(out, "{}", line.trim_end()).expect("a String takes all");
}

/// The first cell, and below it the others, each after the head of its column where there are several.
fn push_stacked(out: &mut String, head: &[String], row: &[String]) {
    for (column, (head, cell)) in head.iter().zip(row).enumerate().filter(|(_, (_, cell))| !cell.is_empty()) {
        let (indent, text) = match column {
            0 => ("", cell.clone()),
            _ if row.len() == 2 || head.is_empty() => (INDENT, cell.clone()),
            _ => (INDENT, format!("{head}: {cell}")),
        };
        for line in wrapped(&text, COLUMNS - indent.len()) {
            writeln!(out, "{indent}{line}").expect("a String takes all");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_columns_where_they_fit() {
        let text = "# T\n\n| a | b |\n|---|---|\n| `x\\|y` | 中文 |\n| z | 1 |\n\n```sh\n| no table |\n```\n";
        let page = Page { topic: "t", summary: "", text };
        let shown = "# T\n\na      b\n`x|y`  中文\nz      1\n\n    | no table |\n";
        assert_eq!(render(&page), shown);
        let text = "| a | b | c |\n|---|---|---|\n| x | 80 columns are not enough for all of the words that are in this very long cell \
                    | |\n| | y | z |\n\nend\n";
        let shown = "x\n    b: 80 columns are not enough for all of the words that are in this very long\n    cell\n    b: y\n    c: z\n\nend\n";
        assert_eq!(render(&Page { text, ..page }), shown);
    }
}
