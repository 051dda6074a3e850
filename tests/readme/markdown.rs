//! The READMEs and the manual as text: their fenced blocks, tables, headings and links. Knows nothing of what they mean.

use std::{borrow::Cow, collections::BTreeSet};

use pipechat::manual::{PAGES, Page};

use crate::{README, README_ZH};

/// A file in Markdown.
pub(crate) struct Document {
    pub(crate) path: Cow<'static, str>,
    pub(crate) text: &'static str,
}

pub(crate) fn documents() -> Vec<Document> {
    let readmes = [("README.md", README), ("README.zh.md", README_ZH)];
    let readmes = readmes.into_iter().map(|(path, text)| Document { path: path.into(), text });
    let pages =
        PAGES.iter().map(|page| Document { path: format!("src/manual/{}.md", page.topic).into(), text: page.text });
    readmes.chain(pages).collect()
}

/// The text of a page of the manual.
pub(crate) fn page(topic: &str) -> &'static str {
    Page::on(topic).unwrap_or_else(|| panic!("no page on {topic:?}")).text
}

/// A fenced block.
pub(crate) struct Block {
    /// The file that it is in.
    pub(crate) path: String,
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

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.path, self.at)
    }
}

/// All blocks in this language with this mark.
pub(crate) fn blocks(lang: &str, mark: &str) -> Vec<Block> {
    let mut all: Vec<Block> = documents().iter().flat_map(blocks_of).collect();
    all.retain(|block| block.info.starts_with(&[lang.to_owned(), mark.to_owned()]));
    assert!(!all.is_empty(), "no ```{lang} {mark}");
    all
}

pub(crate) fn blocks_of(document: &Document) -> Vec<Block> {
    let mut all: Vec<Block> = Vec::new();
    let mut lines = document.text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = text.map(|line| format!("{line}\n")).collect();
        let info: Vec<String> = info.split_whitespace().map(str::to_owned).collect();
        match (&info[..], all.last_mut()) {
            ([text_lang, output], Some(last)) if text_lang == "text" && output == "output" => last.output = Some(text),
            _ => all.push(Block { path: document.path.to_string(), at: at + 1, info, text, output: None }),
        }
    }
    all
}

/// The lines outside fenced blocks.
pub(crate) fn prose(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut is_fenced = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        !is_fenced && !is_fence
    })
}

/// The rows of all tables, without the tables' heads.
pub(crate) fn rows(text: &'static str) -> Vec<Vec<String>> {
    let lines: Vec<_> = prose(text).collect();
    let is_head = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("|-"));
    let is_row = |at: usize| lines[at].starts_with('|') && !lines[at].starts_with("|-") && !is_head(at);
    (0..lines.len()).filter(|at| is_row(*at)).map(|at| cells(lines[at])).collect()
}

/// The rows of the first table under the heading that begins so.
pub(crate) fn table(text: &'static str, heading: &str) -> Vec<Vec<String>> {
    let from = text.lines().skip_while(|line| !line.starts_with(heading)).skip_while(|line| !line.starts_with('|'));
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

/// The anchors that GitHub gives to the headings.
pub(crate) fn anchors(text: &'static str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings.filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')).map(anchor).collect()
}

fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-").replace(|c: char| !c.is_alphanumeric() && c != '-', "")
}

/// Every short text between these two.
pub(crate) fn between(text: &str, before: &str, after: &str) -> BTreeSet<String> {
    let texts = text.split(before).skip(1).filter_map(|text| Some(text.split_once(after)?.0));
    texts.filter(|text| text.len() < 80 && !text.contains('\n')).map(str::to_owned).collect()
}
