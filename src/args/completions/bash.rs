//! Completions for bash.

use std::fmt::Write;

use super::{Completed, Values, subcommands};

pub(super) fn script() -> String {
    let subcommands = subcommands();
    let names: Vec<_> = subcommands.iter().map(|subcommand| subcommand.name).collect();
    let mut out = HEAD.replace("NAMES_BY_BAR", &names.join(" | ")).replace("NAMES", &names.join(" "));
    subcommands.iter().for_each(|subcommand| push_case(&mut out, subcommand));
    out.push_str(TAIL);
    out
}

/// What can follow in this subcommand: `before` is the word before, `position` counts what is no option.
fn push_case(out: &mut String, Completed { name, options, first_positional, .. }: &Completed) {
    let mut line = |text: String| writeln!(out, "        {text}").expect("a String takes all");
    line(format!("{name})"));
    let flags: Vec<_> = options.iter().map(|(flag, ..)| *flag).collect();
    line(format!("    flags=\"{}\"", flags.join(" ")));
    line("    case $before in".to_owned());
    let mut free = Vec::new();
    for (flag, _, values) in options {
        let action = match values {
            Values::None => continue,
            Values::Free(_) => {
                free.push(*flag);
                continue;
            }
            Values::Words(words) => format!("words=\"{}\"", words.join(" ")),
            Values::List(words) => format!("words=\"{}\" list=${{word%\"${{word##*,}}\"}}", words.join(" ")),
            Values::Files => "mapfile -t COMPREPLY < <(compgen -f -- \"$word\") && return".to_owned(),
            Values::Hosts => "mapfile -t COMPREPLY < <(compgen -A hostname -- \"$word\") && return".to_owned(),
        };
        line(format!("        {flag}) {action} ;;"));
    }
    if !free.is_empty() {
        line(format!("        {}) return ;;", free.join(" | ")));
    }
    let first = first_positional.as_ref().map_or_else(String::new, |words| words.join(" "));
    line(format!(
        "        *) if [[ $word == -* ]]; then words=$flags; elif ((position == 0)); then words=\"{first}\"; fi ;;"
    ));
    line("    esac".to_owned());
    line("    ;;".to_owned());
}

const HEAD: &str = r#"# Completion of pipechat's command line in bash, made by `pipechat completions bash`.
# Source it, or put it into ~/.local/share/bash-completion/completions/pipechat

_pipechat() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' list='' flags i
    local subcommand=serve first=1 position=0
    COMPREPLY=()
    # `--flag=value` is three words to bash.
    if [[ $word == = ]]; then
        word=''
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "NAMES" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
        NAMES_BY_BAR) subcommand=${COMP_WORDS[1]} first=2 ;;
    esac
    for ((i = first; i < COMP_CWORD; i++)); do
        # What follows an option is taken for its value.
        [[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == -* ]] || ((++position))
    done
    case $subcommand in
"#;

const TAIL: &str = r#"    esac
    mapfile -t COMPREPLY < <(compgen -P "$list" -W "$words" -- "${word#"$list"}")
}

complete -F _pipechat pipechat
"#;
