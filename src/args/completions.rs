//! Completions for shells, written from argh's descriptions of the subcommands. Knows the shells' languages.

mod bash;
mod fish;
mod zsh;

use argh::{ArgsInfo, FlagInfo, FlagInfoKind, FromArgs};

use super::{Subcommand, options, topics, values::one_of};
use crate::client::EventKind;

/// Print completions for a shell.
#[derive(FromArgs, ArgsInfo, Debug)]
#[argh(
    help_triggers("-h", "--help"),
    example = "source <({command_name} bash)",
    example = "{command_name} zsh > ~/.zfunc/_pipechat",
    example = "{command_name} fish > ~/.config/fish/completions/pipechat.fish"
)]
pub(crate) struct CompletionsArgs {
    /// the shell
    #[argh(positional, arg_name = "bash|zsh|fish", from_str_fn(shell))]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

fn shell(text: &str) -> Result<Shell, String> {
    match text {
        "bash" => Ok(Shell::Bash),
        "zsh" => Ok(Shell::Zsh),
        "fish" => Ok(Shell::Fish),
        _ => Err(format!("unknown shell {text:?}; expected {}", one_of(&["bash", "zsh", "fish"]))),
    }
}

impl CompletionsArgs {
    pub(crate) fn script(&self) -> String {
        match self.shell {
            Shell::Bash => bash::script(),
            Shell::Zsh => zsh::script(),
            Shell::Fish => fish::script(),
        }
    }
}

/// What a shell can offer for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// The option is a switch.
    None,
    Words(Vec<&'static str>),
    /// Words separated by commas.
    List(Vec<&'static str>),
    Files,
    Hosts,
    /// Nobody can guess it.
    Free(&'static str),
}

impl Values {
    fn of(option: &FlagInfo<'static>) -> Self {
        match option.kind {
            FlagInfoKind::Switch => Self::None,
            FlagInfoKind::Option { arg_name } => Self::named(arg_name),
        }
    }

    /// By the name that help gives to the value.
    fn named(name: &'static str) -> Self {
        match name {
            "FILE" => Self::Files,
            "HOST" => Self::Hosts,
            "KIND[,KIND]" => Self::List(EventKind::ALL.map(EventKind::name).to_vec()),
            _ if name.contains('|') => Self::Words(name.split('|').collect()),
            _ => Self::Free(name),
        }
    }
}

/// A subcommand as a shell sees it.
struct Completed {
    name: &'static str,
    summary: &'static str,
    options: Vec<(&'static str, &'static str, Values)>,
    /// What its first argument that is no option can be, if that is one of a few words.
    first_positional: Option<Vec<&'static str>>,
}

/// The options that every subcommand has, and that argh does not know.
const EVERYWHERE: [(&str, &str, Values); 2] =
    [("--help", "print help", Values::None), ("--version", "print the version", Values::None)];

fn subcommands() -> Vec<Completed> {
    let mut all: Vec<Completed> = Subcommand::ALL
        .into_iter()
        .map(|subcommand| {
            let info = subcommand.info();
            let options =
                options(&info).into_iter().map(|option| (option.long, option.description, Values::of(option)));
            Completed {
                name: subcommand.name(),
                summary: subcommand.summary(),
                options: options.chain(EVERYWHERE).collect(),
                first_positional: match info.positionals.first().map(|positional| Values::named(positional.name)) {
                    Some(Values::Words(words)) => Some(words),
                    Some(Values::None | Values::List(_) | Values::Files | Values::Hosts | Values::Free(_)) | None => {
                        None
                    }
                },
            }
        })
        .collect();
    all.push(Completed {
        name: "help",
        summary: "print help on a command, or a page of the manual",
        options: Vec::new(),
        first_positional: Some(topics()),
    });
    all
}
