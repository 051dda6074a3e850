//! The READMEs and the manual are true: their examples are run, their tables are looked up in the source, and the scripts do what
//! they say.
//!
//! What follows the language of a fenced block says how it is run: `sh test` against a server of its own, with the
//! output in the `text output` block below it, if there is one; `text conversation` line by line in several netcats.
//! Flags after that are the server's, which speaks HTTP with `--http 9980`. Ports, times and the epochs of positions may differ, but the same address must stay the same.

mod examples;
mod http;
mod markdown;
mod pictures;
mod protocol;
mod scripts;
mod shell;
mod tables;
mod transcript;

use common::Client;

const README: &str = include_str!("../../README.md");
const README_ZH: &str = include_str!("../../README.zh.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Reads up to and including the first line for which `is_last` is true.
#[track_caller]
fn hear(client: &mut Client, is_last: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        lines.push(client.line());
        if is_last(&lines[lines.len() - 1]) {
            return lines;
        }
    }
}

#[track_caller]
fn hear_object(client: &mut Client, event: &str, text: &str) -> Vec<String> {
    let parts = [format!("\"event\":\"{event}\","), format!("\"text\":\"{text}\",")];
    hear(client, |line| parts.iter().all(|part| line.contains(part)))
}
