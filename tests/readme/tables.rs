//! What the README lists is looked up in the source and in `--help`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::run;

use crate::{
    README, ROOT,
    markdown::{anchor, between, code, codes, headings, table},
};

#[test]
fn the_codes_are_those_of_the_source() {
    let source = |file: &str, enumeration: &str| {
        let text = fs::read_to_string(format!("{ROOT}/src/{file}")).expect("the source");
        let (_, text) = text.split_once(&format!("impl {enumeration} {{")).expect("the enum's functions");
        let (_, text) = text.split_once("fn code(").expect("the function");
        between(text.split_once("\n    }\n").map_or(text, |(text, _)| text), "=> \"", "\"")
    };
    let listed = |heading| table(heading).iter().filter_map(|row| code(&row[0])).collect::<BTreeSet<_>>();
    let refusals = [source("chat/event.rs", "Refusal"), source("protocol/reply.rs", "FormError")];
    assert_eq!(listed("### Refusals"), refusals.into_iter().flatten().collect());
    assert_eq!(listed("### Farewells"), source("chat/event.rs", "Departure"));
}

#[test]
fn the_texts_are_those_of_the_source() {
    let source = ["messages.rs", "text.rs"]
        .map(|file| fs::read_to_string(format!("{ROOT}/src/protocol/line/{file}")).expect("the source"));
    for text in ["## The wire", "### Farewells"].iter().flat_map(|h| table(h)).flat_map(|row| row[2..].to_vec()) {
        let mut text = code(&text).unwrap_or_default();
        for variable in ["[ADDR]", "SENDER", "NAME", "TEXT", "[OLD]", "OLD", "[NEW]", ":"] {
            text = text.replace(variable, "\n");
        }
        for word in text.lines().map(|word| word.trim_matches(['[', ']', '-', '>'])).filter(|word| word.len() > 2) {
            assert!(source.iter().any(|source| source.contains(word)), "nobody says {word:?}");
        }
    }
}

#[test]
fn the_flags_are_those_of_help() {
    let listed: BTreeMap<String, String> =
        table("## Flags").into_iter().map(|row| (code(&row[0]).expect("a flag"), row[1].replace('`', ""))).collect();
    let helped = options(&[]);
    assert_eq!(listed.keys().collect::<Vec<_>>(), helped.keys().collect::<Vec<_>>());
    for (flag, default) in &helped {
        let default = default.as_deref().unwrap_or(if flag == "--strict-idle" { "off" } else { "" });
        assert_eq!(listed[flag], default, "{flag}");
    }
}

#[test]
fn the_flags_of_the_client_are_those_of_its_help() {
    for row in table("## A client") {
        let Some(usage) = code(&row[0]).filter(|usage| usage.starts_with("pipechat ")) else { continue };
        if usage.starts_with("pipechat completions ") {
            continue; // it has no options, and no server
        }
        let helped = options(&[usage.split(' ').nth(1).expect("a subcommand")]);
        let mut listed: BTreeSet<&str> = usage.split(['[', ' ', ']']).filter(|word| word.starts_with("--")).collect();
        listed.extend(["--host", "--port", "--lang", "--help", "--version"]);
        assert_eq!(listed, helped.keys().map(String::as_str).collect(), "{usage}");
    }
}

#[test]
fn the_limits_are_those_of_the_source() {
    let source = source_of(&Path::new(ROOT).join("src"));
    for row in table("## Limits") {
        let field = code(&row[0]).filter(|name| name.contains(char::is_lowercase));
        assert!(field.is_none_or(|name| source.contains(&format!("pub {name}: "))), "no such field: {row:?}");
        for name in
            row.iter().flat_map(|cell| codes(cell)).filter(|name| name.contains("_") && *name == name.to_uppercase())
        {
            assert!(source.contains(&format!("const {name}: ")), "no const {name}");
        }
    }
}

#[test]
fn links_and_paths_exist() {
    let exists = |path: &str| assert!(Path::new(ROOT).join(path).exists(), "there is no {path}");
    let anchors: BTreeSet<String> = headings().map(anchor).collect();
    for link in between(README, "](", ")") {
        match link.strip_prefix('#') {
            Some(place) => assert!(anchors.contains(place), "no heading for #{place}"),
            None => exists(&link),
        }
    }
    table("## Map of the source").iter().flat_map(|row| codes(&row[0])).for_each(|file| exists(&file));
    between(README, "`scripts/", "`").iter().for_each(|script| exists(&format!("scripts/{script}")));
}

/// The flags in a help text, each with its default, which is in parentheses at the end of its description.
fn options(subcommand: &[&str]) -> BTreeMap<String, Option<String>> {
    let (code, help, _) = run(&[subcommand, &["--help"]].concat());
    assert_eq!(code, 0, "{subcommand:?} --help");
    let mut options: Vec<String> = Vec::new();
    // Rows begin with two spaces, their later lines with more.
    for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
        match options.last_mut() {
            _ if line.starts_with('-') => options.push(line.to_owned()),
            Some(last) if line.starts_with("   ") => *last = format!("{last} {}", line.trim()),
            Some(_) | None => {}
        }
    }
    let default = |text: &str| Some(text.strip_suffix(')')?.rsplit_once('(')?.1.to_owned());
    let name = |text: &str| text.split([' ', ',']).find(|word| word.starts_with("--")).expect("a flag").to_owned();
    options.iter().map(|option| (name(option), default(option))).collect()
}

/// The whole source as one text.
fn source_of(dir: &Path) -> String {
    let entries = fs::read_dir(dir).expect("the source").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { source_of(&path) } else { fs::read_to_string(path).expect("text") }).collect()
}
