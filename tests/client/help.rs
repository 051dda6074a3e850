//! What helps a user type: `--help`, and the completions of three shells.

use std::{fs, process::Command};

use common::run;

use crate::DONE;

#[test]
fn help_shows_examples_and_exit_codes() {
    for subcommand in ["serve", "send", "listen", "wait", "chat"] {
        let (code, help, _) = run(&[subcommand, "--help"]);
        assert_eq!(code, DONE);
        assert!(help.contains("Examples:\n  pipechat "), "{help}");
        assert!(subcommand == "serve" || help.contains("  124 "), "{help}");
    }
}

#[test]
fn completions_have_every_flag() {
    let scripts = ["bash", "zsh", "fish"].map(|shell| {
        let path = format!("{}/scripts/completions/pipechat.{shell}", env!("CARGO_MANIFEST_DIR"));
        (shell, fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    });
    for subcommand in ["serve", "send", "listen", "wait", "chat"] {
        let (_, help, _) = run(&[subcommand, "--help"]);
        let options = help.split_once("\nOptions:\n").expect("options").1.split("\n\n").next().expect("a part");
        let flags: Vec<_> = options.split_whitespace().filter_map(|word| word.strip_prefix("--")).collect();
        assert!(flags.len() >= 4, "{options}");
        for (shell, script) in &scripts {
            // Each script has a part for each subcommand, between marks.
            let part = script.split_once(&format!("# {subcommand}:")).map(|(_, rest)| rest);
            let part = part.and_then(|rest| rest.split_once("# end")).map(|(part, _)| part);
            let part = part.unwrap_or_else(|| panic!("no part {subcommand} for {shell}"));
            for flag in flags.iter().map(|flag| flag.trim_end_matches(',')) {
                let is_here = part
                    .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                    .any(|word| word == format!("--{flag}") || (*shell == "fish" && word == flag));
                assert!(is_here, "{shell} does not know {subcommand} --{flag}");
            }
        }
    }
}

#[test]
fn completions_complete_in_bash() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/completions/pipechat.bash");
    let complete = |words: &str| {
        let code = format!(
            "source {script}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pipechat; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &code]).output().expect("bash");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).expect("text").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("pipechat s"), ["serve", "send"]);
    assert_eq!(complete("pipechat --max-l"), ["--max-line"]);
    assert_eq!(complete("pipechat send --t"), ["--to", "--timeout"]);
    assert_eq!(complete("pipechat wait u"), ["user", "users"]);
    assert_eq!(complete("pipechat listen --lang ''"), ["zh", "en"]);
}
