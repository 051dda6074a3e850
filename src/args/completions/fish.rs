//! Completions for fish.

use std::fmt::Write;

use super::{Completed, Values, subcommands};

pub(super) fn script() -> String {
    let subcommands = subcommands();
    let names: Vec<_> = subcommands.iter().map(|subcommand| subcommand.name).collect();
    let mut out = HEAD.replace("NAMES", &names.join(" "));
    for Completed { name, summary, .. } in &subcommands {
        let line = format!("complete -c pipechat -n __pipechat_bare -a {name} -d {}", quoted(summary));
        writeln!(out, "{line}").expect("a String takes all");
    }
    for subcommand in &subcommands {
        out.push('\n');
        push_subcommand(&mut out, subcommand);
    }
    out
}

fn push_subcommand(out: &mut String, Completed { name, options, first_positional, .. }: &Completed) {
    let begin = format!("complete -c pipechat -n '__pipechat_in {name}'");
    let mut line = |text: String| writeln!(out, "{begin} {text}").expect("a String takes all");
    for (flag, description, values) in options {
        let values = match values {
            Values::None => String::new(),
            Values::Words(words) => format!(" -x -a {}", quoted(&words.join(" "))),
            Values::List(words) => format!(" -x -a '(__pipechat_list {})'", words.join(" ")),
            Values::Files => " -r -F".to_owned(),
            Values::Hosts => " -x -a '(__fish_print_hostnames)'".to_owned(),
            Values::Free(_) => " -x".to_owned(),
        };
        line(format!("-l {}{values} -d {}", flag.trim_start_matches('-'), quoted(description)));
    }
    if let Some(words) = first_positional {
        line(format!("-a {}", quoted(&words.join(" "))));
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

const HEAD: &str = "# Completion of pipechat's command line in fish, made by `pipechat completions fish`.
# Put it into ~/.config/fish/completions/

# Whether the words belong to this subcommand; those without one are the server's.
function __pipechat_in
    set -l words (commandline -opc)
    set -l subcommand serve
    if set -q words[2]; and contains -- $words[2] NAMES
        set subcommand $words[2]
    end
    test $subcommand = $argv[1]
end

# These words, each behind what stands before the last comma of the value that is being typed.
function __pipechat_list
    set -l value (commandline -ct | string replace -r '^--[^=]*=' '')
    string replace -r '[^,]*$' '' -- $value | read -l before
    printf '%s\\n' $before$argv
end

# Whether there is no word yet that a subcommand could follow.
function __pipechat_bare
    test (count (commandline -opc)) = 1
end

complete -c pipechat -f
";
