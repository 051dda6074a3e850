//! What the READMEs and the manual list is looked up in the source and in `--help`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::run;
use pipechat::manual::{PAGES, Page};

use crate::{
    ROOT,
    markdown::{anchors, between, blocks, code, codes, documents, page, prose, rows, table},
};

#[test]
fn the_codes_are_those_of_the_source() {
    let source = |file: &str, enumeration: &str| {
        let text = fs::read_to_string(format!("{ROOT}/src/{file}")).expect("the source");
        let (_, text) = text.split_once(&format!("impl {enumeration} {{")).expect("the enum's functions");
        let (_, text) = text.split_once("fn code(").expect("the function");
        between(text.split_once("\n    }\n").map_or(text, |(text, _)| text), "=> \"", "\"")
    };
    // Each is explained once, so a list is compared, not a set.
    let listed = |heading| {
        let rows = table(page("errors"), heading);
        let mut codes: Vec<String> = rows.iter().filter_map(|row| code(&row[0])).collect();
        codes.sort();
        codes
    };
    let refusals = [source("chat/refusal.rs", "Refusal"), source("protocol/reply.rs", "FormError")];
    let refusals: BTreeSet<String> = refusals.into_iter().flatten().collect();
    assert_eq!(listed("## Errors"), Vec::from_iter(refusals));
    let of_accounts: Vec<_> =
        table(page("accounts"), "## Errors of accounts").iter().filter_map(|row| code(&row[0])).collect();
    let of_accounts = BTreeSet::from_iter(of_accounts);
    assert_eq!(of_accounts, source("chat/accounts/request.rs", "AccountRefusal"));
    let of_order: Vec<_> = table(page("order"), "## Errors of order").iter().filter_map(|row| code(&row[0])).collect();
    let of_order = BTreeSet::from_iter(of_order);
    assert_eq!(of_order, source("chat/order/told.rs", "OrderRefusal"));
    assert_eq!(listed("## Disconnect reasons"), Vec::from_iter(source("chat/departure.rs", "Departure")));
}

/// The pages that have a row about this.
fn explained(word: &str) -> Vec<&'static str> {
    let pages = |page: &Page| rows(page.text).iter().filter(|row| code(&row[0]).as_deref() == Some(word)).count();
    PAGES.iter().flat_map(|page| vec![page.topic; pages(page)]).collect()
}

#[test]
fn the_texts_are_those_of_the_source() {
    let source = ["messages.rs", "text.rs"]
        .map(|file| fs::read_to_string(format!("{ROOT}/src/protocol/line/{file}")).expect("the source"));
    let tables = [("protocol", "## Chat commands"), ("errors", "## Disconnect reasons")];
    for text in tables.iter().flat_map(|(topic, heading)| table(page(topic), heading)).flat_map(|row| row[2..].to_vec())
    {
        let mut text = code(&text).unwrap_or_default();
        for variable in ["[ADDR]", "SENDER", "NAME", "TEXT", "[OLD]", "OLD", "[NEW]", ":"] {
            text = text.replace(variable, "\n");
        }
        for word in text.lines().map(|word| word.trim_matches(['[', ']', '-', '>', ' '])).filter(|word| word.len() > 2)
        {
            assert!(source.iter().any(|source| source.contains(word)), "nobody says {word:?}");
        }
    }
}

#[test]
fn the_commands_are_those_of_help() {
    let words = |text: &str| text.split(['|', ' ']).next().expect("a word").to_owned();
    let source = |file| {
        let source = fs::read_to_string(format!("{ROOT}/src/{file}")).expect("the source");
        let (_, source) = source.split_once("fn word(").expect("the function");
        let (source, _) = source.split_once("\n    }\n").expect("its end");
        source.to_owned()
    };
    let source = source("protocol/verb.rs") + &source("chat/order/request.rs");
    let tables = [
        ("protocol", "Chat commands"),
        ("scripts", "Commands for scripts"),
        ("rooms", "Commands for rooms"),
        ("history", "Commands for history"),
        ("accounts", "Commands for accounts"),
        ("order", "Commands for order"),
    ]
    .map(|(topic, heading)| table(page(topic), &format!("## {heading}")))
    .concat();
    let lines = tables.iter().filter_map(|row| code(&row[0])).filter(|line| line != "TEXT");
    assert_eq!(lines.map(|line| words(&line)).collect::<BTreeSet<_>>(), between(&source, "=> \"", "\""));
}

/// Flags that are on or off, and off by default.
const SWITCHES: [&str; 4] = ["--strict-idle", "--history-presence", "--insecure-login", "--require-login"];

#[test]
fn the_flags_are_those_of_help() {
    let listed: BTreeMap<String, String> = table(page("options"), "# Options")
        .into_iter()
        .map(|row| (code(&row[0]).expect("a flag"), row[1].replace('`', "")))
        .collect();
    let helped = options(&[]);
    assert_eq!(listed.keys().collect::<Vec<_>>(), helped.keys().collect::<Vec<_>>());
    for (flag, default) in &helped {
        let default = default.as_deref().unwrap_or(if SWITCHES.contains(&flag.as_str()) { "off" } else { "" });
        assert_eq!(listed[flag], default, "{flag}");
        assert_eq!(explained(flag), ["options"], "{flag} is explained in one place");
    }
}

#[test]
fn the_flags_of_the_client_are_those_of_its_help() {
    for row in table(page("client"), "# Command-line client") {
        let usage = code(&row[0]).expect("a command");
        let subcommand = usage.split(' ').nth(1).expect("a subcommand");
        if ["cert", "completions", "help"].contains(&subcommand) {
            continue; // they have no options, and no server
        }
        let helped = options(&[subcommand]);
        let mut listed: BTreeSet<&str> = usage.split(['[', ' ', ']']).filter(|word| word.starts_with("--")).collect();
        listed.extend(["--lang", "--help", "--version"]);
        let connection = ["--host", "--port", "--tls", "--ca", "--insecure"];
        listed.extend(connection.iter().filter(|_| subcommand != "account"));
        assert_eq!(listed, helped.keys().map(String::as_str).collect(), "{usage}");
    }
}

#[test]
fn the_limits_are_those_of_the_source() {
    let source = source_of(&Path::new(ROOT).join("src"));
    for row in rows(page("limits")) {
        let field = code(&row[0]).filter(|name| name.contains(char::is_lowercase));
        assert!(field.is_none_or(|name| source.contains(&format!("pub {name}: "))), "no such field: {row:?}");
    }
    let pages: Vec<String> = PAGES.iter().flat_map(|page| prose(page.text)).flat_map(codes).collect();
    let is_constant = |name: &str| name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    for name in pages.iter().filter(|name| is_constant(name) && !name.starts_with("PIPECHAT_")) {
        let is_variable = ["NO_COLOR", "RUST_LOG", "SSL_CERT_FILE"].contains(&&**name);
        assert!(is_variable || source.contains(&format!("const {name}: ")), "no const {name}");
    }
}

#[test]
fn links_paths_and_topics_exist() {
    for document in documents() {
        let exists = |path: &str| assert!(Path::new(ROOT).join(path).exists(), "{}: there is no {path}", document.path);
        let anchors = anchors(document.text);
        for link in between(document.text, "](", ")") {
            match link.strip_prefix('#') {
                Some(place) => assert!(anchors.contains(place), "{}: no heading for #{place}", document.path),
                None => exists(&link),
            }
        }
        for script in between(document.text, "`scripts/", "`") {
            exists(&format!("scripts/{}", script.split(' ').next().expect("a word")));
        }
        for topic in between(document.text, "`pipechat help ", "`") {
            let is_placeholder = topic.contains(char::is_uppercase);
            assert!(is_placeholder || Page::on(&topic).is_some(), "{}: no page on {topic}", document.path);
        }
    }
    table(page("internals"), "## Map of the source").iter().flat_map(|row| codes(&row[0])).for_each(|file| {
        assert!(Path::new(ROOT).join(&file).exists(), "there is no {file}");
    });
}

#[test]
fn prose_fits_a_terminal() {
    for page in PAGES {
        for line in prose(page.text).filter(|line| !line.starts_with('|')) {
            assert!(line.chars().count() <= 80, "{}: {line}", page.topic);
        }
    }
    // `pipechat help TOPIC` indents what is to be typed.
    for block in blocks("sh", "test").iter().filter(|block| block.path.starts_with("src/manual/")) {
        assert!(block.text.lines().all(|line| line.chars().count() <= 76), "{}", block.place());
    }
}

#[test]
fn chinese_prose_has_full_width_punctuation() {
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    for line in prose(crate::README_ZH) {
        // What is in backticks is as the server says it.
        let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let chars: Vec<char> = text.chars().collect();
        let is_half = |pair: &[char]| is_chinese(pair[0]) && ",;:!?(".contains(pair[1]);
        assert!(!chars.windows(2).any(is_half), "{line}");
    }
}

#[test]
fn the_readme_links_to_every_page() {
    let listed = table(crate::README, "## Links");
    let listed: Vec<_> = listed.iter().map(|row| (row[0].clone(), row[1].replace('`', ""))).collect();
    let link = |page: &Page| format!("[{0}](src/manual/{0}.md)", page.topic);
    assert_eq!(listed, Vec::from_iter(PAGES.iter().map(|page| (link(page), page.summary.to_owned()))));
}

#[test]
fn both_readmes_name_the_same_commands_and_flags() {
    let named = |text: &'static str, what: &str| {
        prose(text).flat_map(codes).any(|code| code.split([' ', '\\', '|']).any(|word| word == what))
    };
    let verbs = fs::read_to_string(format!("{ROOT}/src/protocol/verb.rs")).expect("the source");
    let verbs = between(verbs.split_once("fn word(").expect("the function").1, "=> \"", "\"");
    for what in options(&[]).into_keys().chain(verbs) {
        let [english, chinese] = [crate::README, crate::README_ZH].map(|text| named(text, &what));
        let is_told = english == chinese || chinese && !what.starts_with('-'); // the Chinese one has more commands
        assert!(is_told, "{what} is in one of them");
    }
}

#[test]
fn the_first_readme_stays_short() {
    assert!(crate::README.lines().count() <= 250, "what is no first step belongs in the manual");
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
