//! What helps a user type: `--help`, and the completions of three shells.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
};

use common::{TimeLimit, note, output, program, run};
use pipechat::manual::PAGES;

use crate::{DONE, USAGE};

const SUBCOMMANDS: [&str; 9] = ["serve", "send", "listen", "history", "wait", "who", "chat", "account", "completions"];
const COMPLETIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/completions/pipechat");

/// The options in a help text.
fn options(help: &str) -> BTreeSet<String> {
    let rows = help.lines().filter_map(|line| line.strip_prefix("  ")).filter(|row| row.starts_with('-'));
    let options = rows.filter_map(|row| row.split([' ', ',']).find(|word| word.starts_with("--")));
    options.map(str::to_owned).collect()
}

#[test]
fn help_is_everywhere_and_fits_a_terminal() {
    for subcommand in SUBCOMMANDS {
        let (code, help, stderr) = run(&[subcommand, "--help"]);
        assert_eq!((code, &*stderr), (DONE, ""), "{subcommand}");
        assert!(help.starts_with(&format!("Usage: pipechat {subcommand} [OPTIONS]")), "{help}");
        assert!(help.contains("\nExamples:\n"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        assert!(options(&help).len() >= 2, "{help}");
        let is_client = !["serve", "account", "completions"].contains(&subcommand);
        assert!(!is_client || help.contains("  124 ") && help.contains("PIPECHAT_HOST, PIPECHAT_PORT"), "{help}");
        for same in [&[subcommand, "-h"][..], &["help", subcommand], &[subcommand, "--port", "7", "-h"]] {
            let is_known = is_client || subcommand == "serve" || same.len() == 2;
            let is_page = same[0] == "help" && PAGES.iter().any(|page| page.topic == subcommand);
            assert!(!is_known || is_page || run(same).1 == help, "{same:?}");
        }
    }
    let (code, help, _) = run(&["--help"]);
    assert!(code == DONE && help.starts_with("Usage: pipechat [OPTIONS]\n"), "{help}");
    assert!(SUBCOMMANDS.iter().all(|name| help.contains(&format!("\n  {name} "))), "{help}");
    assert!(help.contains("\nClients:\n  --max-clients N "), "in groups: {help}");
    assert!(run(&["-h"]).1 == help && run(&["help"]).1 == help && run(&["--port=1", "-h"]).1 == help);
    assert_eq!(run(&["send", "--bogus", "-h"]).0, USAGE, "the first mistake counts");
}

#[test]
fn every_page_of_the_manual_is_printed() {
    let (_, list, _) = run(&["help"]);
    for page in PAGES {
        assert!(list.contains(&format!("\n  {} ", page.topic)), "{list}");
        let (code, text, stderr) = run(&["help", page.topic]);
        assert_eq!((code, &*stderr), (DONE, ""), "{}", page.topic);
        assert!(text.starts_with("# ") && text.lines().next() == page.text.lines().next(), "{text}");
        assert!(text.lines().all(|line| !line.starts_with('|')), "a table is drawn: {text}");
        assert_eq!(run(&["help", page.topic, "--help"]).1, text);
    }
    let (code, stdout, stderr) = run(&["help", "bogus"]);
    assert_eq!((code, &*stdout), (USAGE, ""));
    assert!(
        PAGES.iter().all(|page| stderr.contains(page.topic)) && stderr.contains("unknown topic \"bogus\""),
        "{stderr}"
    );
    assert_eq!(stderr.matches(" history,").count(), 1, "a command and a page have this name: {stderr}");
    assert!(run(&["help", "history"]).1.ends_with("\nThe command: pipechat history --help\n"));
    assert!(!run(&["help", "json"]).1.contains("The command: "));
    assert_eq!(run(&["help", "json", "protocol"]).0, USAGE);
}

#[test]
fn help_into_a_closed_pipe_is_no_panic() {
    let mut command = Command::new(program());
    let command = command.args(["help", "limits"]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
    let _limit = TimeLimit::of(&child);
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ours");
    assert!(output.stderr.is_empty() && output.status.code().is_some_and(|code| code < 2), "{output:?}");
}

#[test]
fn every_subcommand_has_the_version() {
    for subcommand in SUBCOMMANDS {
        for flag in ["-V", "--version"] {
            let version = concat!("pipechat ", env!("CARGO_PKG_VERSION"), "\n").to_owned();
            assert_eq!(run(&[subcommand, flag]), (DONE, version, String::new()));
        }
    }
}

#[test]
fn completions_are_those_of_the_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert_eq!(code, DONE);
        let path = format!("{COMPLETIONS}.{shell}");
        let stored = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(script == stored, "out of date: pipechat completions {shell} > {path}");
    }
}

/// What a shell offers for these words, the last of which is being typed.
fn complete(shell: &str, words: &str) -> Option<BTreeSet<String>> {
    let code = match shell {
        "bash" => format!(
            "source {COMPLETIONS}.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pipechat; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        ),
        // Without a terminal there is no completion system: its functions print what they are given, and what of that
        // begins as the last word does is taken.
        "zsh" => format!(
            "compdef() {{ }}; _describe() {{ print -l -- ${{subcommands%%:*}} }}; \
             _arguments() {{ for spec; do case $spec in --*) print -- ${{spec%%[=\\[]*}};; \
             1:*) print -l -- ${{${{(s: :)spec}}//(1:what:\\(|\\))/}};; esac; done }}; \
             source {COMPLETIONS}.zsh; words=({words}); CURRENT=$#words; last=$words[-1]; \
             _pipechat | grep -e \"^$last\""
        ),
        "fish" => format!("source {COMPLETIONS}.fish; complete -C {words:?} | string split -f 1 \\t"),
        _ => panic!("no shell: {shell}"),
    };
    let mut command = Command::new(shell);
    let path =
        format!("{}:{}", program().parent().expect("a file").display(), std::env::var("PATH").unwrap_or_default());
    command.args(["-c", &code]).env("PATH", path);
    let Ok(output) = output(&mut command) else {
        note(&format!("SKIPPED: the completions of {shell}: it is not installed"));
        return None;
    };
    assert!(output.stderr.is_empty(), "{shell} {words}: {output:?}");
    Some(String::from_utf8(output.stdout).expect("text").split_whitespace().map(str::to_owned).collect())
}

#[test]
fn completions_complete() {
    let expect = |shell: &str, words: &str, expected: &[&str]| {
        if let Some(offered) = complete(shell, words) {
            assert_eq!(offered, expected.iter().map(|&word| word.to_owned()).collect(), "{shell}: {words}");
        }
    };
    for shell in ["bash", "zsh", "fish"] {
        expect(shell, "pipechat s", &["send", "serve"]);
        expect(shell, "pipechat --max-l", &["--max-line"]);
        expect(shell, "pipechat serve --max-l", &["--max-line"]);
        expect(shell, "pipechat send --t", &["--timeout", "--tls", "--to", "--token", "--token-file"]);
        expect(shell, "pipechat wait u", &["user", "users"]);
        expect(shell, "pipechat completions b", &["bash"]);
        expect(shell, "pipechat help li", &["limits", "listen"]);
        // Every option of every subcommand, and no other.
        for subcommand in SUBCOMMANDS {
            let expected = options(&run(&[subcommand, "--help"]).1);
            if let Some(offered) = complete(shell, &format!("pipechat {subcommand} --")) {
                assert_eq!(offered, expected, "{shell}: {subcommand}");
            }
        }
    }
    for shell in ["bash", "fish"] {
        expect(shell, "pipechat listen --lang z", &["zh"]);
        expect(shell, "pipechat listen --event pri", &["private"]);
        expect(shell, "pipechat listen --event online,pri", &["online,private"]);
        expect(shell, "pipechat listen --name z", &[]);
    }
    expect("bash", "pipechat listen --lang = z", &["zh"]); // `--lang=z` is three words to bash
    expect("bash", "pipechat --lang en --max-l", &["--max-line"]);
    expect("fish", "pipechat listen --lang=z", &["--lang=zh"]);
}
