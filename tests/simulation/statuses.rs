//! The statuses of refusals over HTTP, as the manual lists them.

use std::collections::BTreeMap;

use pipechat::{
    manual::Page,
    protocol::{Refused, http::status_of},
};

use crate::kinds::{form_errors, refusals};

/// The status that the manual gives each code.
fn listed() -> BTreeMap<String, u16> {
    let text = Page::on("http").expect("the page").text;
    let (_, table) = text.split_once("## Statuses").expect("the section");
    let (table, _) = table.split_once("\n## ").expect("the next one");
    let mut listed = BTreeMap::new();
    for row in table.lines().filter_map(|line| line.strip_prefix("| ")) {
        let Some((status, codes)) = row.split_once(" | ") else { continue };
        let Ok(status) = status.parse() else { continue };
        for code in codes.split('`').skip(1).step_by(2) {
            listed.insert(code.to_owned(), status);
        }
    }
    listed
}

#[test]
fn the_manual_lists_the_status_of_each_refusal() {
    let listed = listed();
    let refusals = refusals().into_iter().map(|refusal| (refusal.code(), Refused::Chat(refusal)));
    let errors = form_errors().into_iter().map(|error| (error.code(), Refused::Form(error)));
    for (code, refused) in refusals.chain(errors) {
        let expected = listed.get(code).copied();
        let expected = expected.or_else(|| code.starts_with("no-such-").then_some(404)).unwrap_or(400);
        assert_eq!(status_of(&refused), expected, "{code}");
    }
}
