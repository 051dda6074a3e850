//! The README as text: its fenced blocks, tables, headings and links. Knows nothing of what they mean.

use std::collections::BTreeSet;

use crate::README;

/// A fenced block.
pub(crate) struct Block {
    /// The number of its first line.
    pub(crate) at: usize,
    /// The words after the three backticks: the language, a mark, and more.
    pub(crate) info: Vec<String>,
    pub(crate) text: String,
    /// The output block that follows.
    pub(crate) output: Option<String>,
}

impl Block {
    /// The flags of its server.
    pub(crate) fn flags(&self) -> Vec<&str> {
        let flags = self.info.iter().skip_while(|word| !word.starts_with("--"));
        flags.map(String::as_str).collect()
    }
}

/// All blocks in this language with this mark.
pub(crate) fn blocks(lang: &str, mark: &str) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut lines = README.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = text.map(|line| format!("{line}\n")).collect();
        let info: Vec<String> = info.split_whitespace().map(str::to_owned).collect();
        match (&info[..], all.last_mut()) {
            ([text_lang, output], Some(last)) if text_lang == "text" && output == "output" => last.output = Some(text),
            _ => all.push(Block { at: at + 1, info, text, output: None }),
        }
    }
    all.retain(|block| block.info.starts_with(&[lang.to_owned(), mark.to_owned()]));
    assert!(!all.is_empty(), "no ```{lang} {mark}");
    all
}

/// The cells of the first table under the heading that begins so, without the table's own head.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    table_with(heading, "")
}

/// The same of the first table whose head begins with this cell.
pub(crate) fn table_with(heading: &str, first: &str) -> Vec<Vec<String>> {
    let from = README.lines().skip_while(|line| !line.starts_with(heading)).skip(1);
    let from = from.skip_while(|line| !line.starts_with(&format!("| {first}")));
    let rows: Vec<_> = from.take_while(|line| line.starts_with('|')).skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "no table under {heading:?}");
    rows
}

/// The cells of a row. `\|` is a `|` inside a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace("\\|", "\0");
    let row = row.trim_end().trim_matches('|');
    row.split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// The texts in backticks.
pub(crate) fn codes(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

pub(crate) fn code(cell: &str) -> Option<String> {
    codes(cell).into_iter().next()
}

pub(crate) fn headings() -> impl Iterator<Item = &'static str> {
    let mut is_fenced = false;
    README.lines().filter_map(move |line| {
        is_fenced ^= line.starts_with("```");
        let text = line.trim_start_matches('#').strip_prefix(' ')?;
        (line.starts_with('#') && !is_fenced).then_some(text)
    })
}

/// The anchor that GitHub gives a heading.
pub(crate) fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', "")
}

/// Every short text between these two.
pub(crate) fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let texts = text.split(before).skip(1).filter_map(|text| Some(text.split_once(after)?.0));
    texts.filter(|text| text.len() < 80 && !text.contains('\n')).map(str::to_owned).collect()
}
