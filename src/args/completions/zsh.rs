//! Completions for zsh.

use std::fmt::Write;

use super::{Completed, Values, subcommands};

pub(super) fn script() -> String {
    let subcommands = subcommands();
    let mut out = HEAD.to_owned();
    for Completed { name, summary, .. } in &subcommands {
        writeln!(out, "        {}", quoted(&format!("{name}:{summary}"))).expect("a String takes all");
    }
    out.push_str(MIDDLE);
    subcommands.iter().for_each(|subcommand| push_case(&mut out, subcommand));
    out.push_str(TAIL);
    out
}

fn push_case(out: &mut String, Completed { name, options, first_positional, .. }: &Completed) {
    let mut line = |text: &str| writeln!(out, "        {text}").expect("a String takes all");
    line(&format!("{name})"));
    line("    _arguments \\");
    for (flag, description, values) in options {
        // In a specification, brackets and colons have a meaning.
        let description = description.replace('[', "\\[").replace(']', "\\]");
        let (equals, value) = match values {
            Values::None => ("", String::new()),
            Values::Words(_) | Values::List(_) | Values::Files | Values::Hosts | Values::Free(_) => {
                ("=", action(values))
            }
        };
        line(&format!("        {} \\", quoted(&format!("{flag}{equals}[{description}]{value}"))));
    }
    if let Some(words) = first_positional {
        line(&format!("        {} \\", quoted(&format!("1:what:({})", words.join(" ")))));
    }
    line("        '*: :' \\");
    line("        && return");
    line("    ;;");
}

/// The part of a specification that says what a value can be.
fn action(values: &Values) -> String {
    match values {
        Values::None => String::new(),
        Values::Words(words) => format!(":value:({})", words.join(" ")),
        Values::List(words) => format!(":value:_values -s , value {}", words.join(" ")),
        Values::Files => ":file:_files".to_owned(),
        Values::Hosts => ":host:_hosts".to_owned(),
        Values::Free(name) => format!(":{}:", name.to_lowercase()),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

const HEAD: &str = r#"#compdef pipechat
# Completion of pipechat's command line in zsh, made by `pipechat completions zsh`.
# Put it as _pipechat into a directory of $fpath.

_pipechat() {
    local -a subcommands=(
"#;

const MIDDLE: &str = r#"    )
    if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
        _describe subcommand subcommands
        return
    fi
    local subcommand=serve
    if [[ $words[2] != -* ]]; then
        subcommand=$words[2]
        words=("${(@)words[2,-1]}")
        ((CURRENT--))
    fi
    case $subcommand in
"#;

const TAIL: &str = r#"    esac
}

if [[ $funcstack[1] == _pipechat ]]; then
    _pipechat "$@"
else
    compdef _pipechat pipechat
fi
"#;
