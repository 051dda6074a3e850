//! The text of `--help`, from argh's description of a subcommand. No line is wider than 80 columns.

use std::fmt::Write;

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

use pipechat::manual::PAGES;

use super::{Subcommand, options, sources::variable};

pub(super) const COLUMNS: usize = 80;
/// Where descriptions begin. An option that is longer has its description below it.
const DESCRIPTION_COLUMN: usize = 26;
const HELP_AND_VERSION: [(&str, &str); 2] = [("-h, --help", "print this help"), ("-V, --version", "print the version")];

/// The help of a subcommand that is called by this command.
pub(super) fn render(subcommand: Subcommand, command: &str) -> String {
    let info = subcommand.info();
    let mut out = format!("Usage: {command} [OPTIONS]{}\n", positionals(&info));
    if command == "pipechat" {
        out.push_str("       pipechat COMMAND [OPTIONS] …\n");
    }
    out.push('\n');
    push_paragraph(&mut out, "", info.description);
    if command == "pipechat" {
        out.push_str("\nCommands:\n");
        for subcommand in Subcommand::ALL {
            push_row(&mut out, subcommand.name(), subcommand.summary());
        }
        push_row(&mut out, "help [COMMAND|TOPIC]", "print this help, that of a command, or a page of the manual");
        out.push_str("\nManual (pipechat help TOPIC):\n");
        PAGES.iter().for_each(|page| push_row(&mut out, page.topic, page.summary));
    }
    if info.positionals.iter().any(|positional| !positional.description.is_empty()) {
        out.push_str("\nArguments:\n");
        info.positionals.iter().for_each(|positional| push_row(&mut out, positional.name, positional.description));
    }
    for option in options(&info) {
        if let Some((title, _)) = subcommand.groups().iter().find(|(_, first)| *first == option.long) {
            writeln!(out, "\n{title}:").expect("a String takes all");
        }
        push_row(&mut out, &synopsis(option), option.description);
    }
    out.push_str("\nOther options:\n");
    HELP_AND_VERSION.iter().for_each(|(option, description)| push_row(&mut out, option, description));
    let variables: Vec<_> =
        options(&info).iter().filter(|o| subcommand.takes_variable(o.long)).map(|o| variable(o.long)).collect();
    if subcommand != Subcommand::Serve && !variables.is_empty() {
        out.push_str("\nEnvironment:\n");
        push_paragraph(&mut out, "  ", &variables.join(", "));
    }
    for note in info.notes {
        out.push('\n');
        push_paragraph(&mut out, "", note);
    }
    out.push_str("\nExamples:\n");
    for example in info.examples {
        writeln!(out, "  {}", example.replace("{command_name}", command)).expect("a String takes all");
    }
    if !info.error_codes.is_empty() {
        out.push_str("\nExit status:\n");
        info.error_codes.iter().for_each(|error| push_row(&mut out, &error.code.to_string(), error.description));
    }
    out
}

fn positionals(info: &CommandInfoWithArgs) -> String {
    let positional = info.positionals.iter().map(|positional| match positional.optionality {
        Optionality::Required => format!(" {}", positional.name),
        Optionality::Optional => format!(" [{}]", positional.name),
        Optionality::Repeating | Optionality::Greedy => format!(" {}…", positional.name),
    });
    positional.collect()
}

/// An option as it is written: `--port PORT`.
fn synopsis(option: &FlagInfo<'_>) -> String {
    match option.kind {
        FlagInfoKind::Switch => option.long.to_owned(),
        FlagInfoKind::Option { arg_name } => format!("{} {arg_name}", option.long),
    }
}

/// Two columns; the second is wrapped.
fn push_row(out: &mut String, name: &str, description: &str) {
    let indent = " ".repeat(DESCRIPTION_COLUMN);
    let mut lines = wrapped(description, COLUMNS - DESCRIPTION_COLUMN).into_iter();
    let first = format!("  {name}");
    if first.len() + 2 > DESCRIPTION_COLUMN {
        writeln!(out, "{first}").expect("a String takes all");
    } else {
        let description = lines.next().unwrap_or_default();
        writeln!(out, "{first:DESCRIPTION_COLUMN$}{description}").expect("a String takes all");
    }
    lines.for_each(|line| writeln!(out, "{indent}{line}").expect("a String takes all"));
}

fn push_paragraph(out: &mut String, indent: &str, text: &str) {
    wrapped(text, COLUMNS - indent.len())
        .iter()
        .for_each(|line| writeln!(out, "{indent}{line}").expect("a String takes all"));
}

/// The text in lines of at most so many characters, unless a word is longer.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}
