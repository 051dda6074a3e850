//! The command line: words in, a subcommand's arguments out. argh parses them and describes them. What argh lacks stands
//! around it: `words` takes `--flag=value`, `-h` and `-V` apart, `sources` puts in what the environment and the
//! configuration file say, and `help` and `completions` are written from argh's descriptions. Knows no socket.

mod cert;
mod check;
mod completions;
mod file;
mod help;
mod page;
mod serve;
mod sources;
mod values;
mod words;

use std::env;

use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FromArgs};
use pipechat::manual::{PAGES, Page};

pub(crate) use cert::CertArgs;
pub(crate) use check::report;
pub(crate) use completions::CompletionsArgs;
pub(crate) use serve::ServeArgs;
pub(crate) use sources::Settings;
pub(crate) use values::{Timeout, client_port, history_count, lang, one_of, unlimited_count};

use self::{sources::Setting, words::Words};
use crate::account::AccountArgs;
use crate::client::{ChatArgs, HistoryArgs, ListenArgs, SendArgs, WaitArgs, WhoArgs};

/// What the program can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subcommand {
    Serve,
    Send,
    Listen,
    History,
    Wait,
    Who,
    Chat,
    Account,
    Cert,
    Completions,
}

impl Subcommand {
    pub(crate) const ALL: [Self; 10] = [
        Self::Serve,
        Self::Send,
        Self::Listen,
        Self::History,
        Self::Wait,
        Self::Who,
        Self::Chat,
        Self::Account,
        Self::Cert,
        Self::Completions,
    ];

    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|subcommand| subcommand.name() == word)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Send => "send",
            Self::Listen => "listen",
            Self::History => "history",
            Self::Wait => "wait",
            Self::Who => "who",
            Self::Chat => "chat",
            Self::Account => "account",
            Self::Cert => "cert",
            Self::Completions => "completions",
        }
    }

    /// What it does, in a few words.
    fn summary(self) -> &'static str {
        match self {
            Self::Serve => "run the server, as without a command",
            Self::Send => "send messages, and confirm that they were delivered",
            Self::Listen => "print messages, arrivals and departures",
            Self::History => "print what was said in a room",
            Self::Wait => "wait until a user is here or gone, or a text is said",
            Self::Who => "print who is online",
            Self::Chat => "interactive client",
            Self::Account => "manage the accounts in a store",
            Self::Cert => "make a certificate to try TLS with",
            Self::Completions => "print completions for bash, zsh or fish",
        }
    }

    /// Its options and more, as argh knows them.
    fn info(self) -> CommandInfoWithArgs {
        match self {
            Self::Serve => ServeArgs::get_args_info(),
            Self::Send => SendArgs::get_args_info(),
            Self::Listen => ListenArgs::get_args_info(),
            Self::History => HistoryArgs::get_args_info(),
            Self::Wait => WaitArgs::get_args_info(),
            Self::Who => WhoArgs::get_args_info(),
            Self::Chat => ChatArgs::get_args_info(),
            Self::Account => AccountArgs::get_args_info(),
            Self::Cert => CertArgs::get_args_info(),
            Self::Completions => CompletionsArgs::get_args_info(),
        }
    }

    /// The groups of its options in help: the title of each, and the option that it begins with.
    fn groups(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Serve => &[
                ("Listening", "--host"),
                ("Clients", "--max-clients"),
                ("Rates", "--rate"),
                ("Memory", "--max-line"),
                ("Operation", "--drain-timeout"),
            ],
            Self::Send => &[("Connection", "--host"), ("Messages", "--to")],
            Self::Listen => &[("Connection", "--host"), ("Rooms and history", "--room"), ("Output", "--json")],
            Self::History => &[("Connection", "--host"), ("Output", "--last")],
            Self::Who => &[("Connection", "--host"), ("Output", "--json")],
            Self::Wait | Self::Chat => &[("Connection", "--host")],
            Self::Account => &[("Options", "--store")],
            Self::Cert | Self::Completions => &[],
        }
    }

    /// Whether an environment variable can stand for this option: for the server every one that sets something, for the
    /// client where to connect, as whom, and for how long.
    fn takes_variable(self, flag: &str) -> bool {
        match self {
            Self::Serve => flag != "--check",
            Self::Send | Self::Listen | Self::History | Self::Wait | Self::Who | Self::Chat => {
                ["--host", "--port", "--tls", "--ca", "--name", "--token", "--token-file", "--lang", "--timeout"]
                    .contains(&flag)
            }
            Self::Account => ["--store", "--lang"].contains(&flag),
            Self::Cert | Self::Completions => false,
        }
    }
}

/// What a command line comes to.
#[derive(Debug)]
pub(crate) enum Parsed<Args> {
    /// To be run with these arguments; they come from these settings.
    Run(Args, Settings),
    /// Only to be printed: help, or the version.
    Print(String),
}

/// Parses the words after `command`, which is `pipechat` alone or with the name of this subcommand.
///
/// # Errors
/// One sentence about what is wrong with them, with the environment, or with the configuration file.
pub(crate) fn parse<Args: FromArgs>(
    subcommand: Subcommand,
    command: &str,
    words: &[&str],
) -> Result<Parsed<Args>, String> {
    let info = subcommand.info();
    let read = words::read(words, &info).map_err(|sentence| {
        let misplaced = words.iter().find(|word| command == "pipechat" && Subcommand::named(word).is_some());
        misplaced.map_or(sentence.clone(), |word| format!("{sentence}; the subcommand {word:?} must come first"))
    });
    let (given, positionals) = match read? {
        Words::Help => return Ok(Parsed::Print(help::render(subcommand, command))),
        Words::Version => return Ok(Parsed::Print(concat!("pipechat ", env!("CARGO_PKG_VERSION"), "\n").to_owned())),
        Words::Run { given, positionals } => (given, positionals),
    };
    let takes_variable = |flag: &str| subcommand.takes_variable(flag);
    // What is not UTF-8 stays wrong, so that it is refused rather than overlooked.
    let variables = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let settings = Settings::collect(given, &options(&info), takes_variable, variables)?;
    let mut words = settings.words();
    if !positionals.is_empty() {
        words.push("--"); // to argh, a `-` would be an option
        words.extend(positionals.iter().map(String::as_str));
    }
    match Args::from_args(&["pipechat"], &words) {
        Ok(args) => Ok(Parsed::Run(args, settings)),
        Err(exit) => Err(explain(&exit.output, settings.all())),
    }
}

/// The options of a subcommand, without `--help` and `--version`, which every one has.
fn options(info: &CommandInfoWithArgs) -> Vec<&FlagInfo<'static>> {
    info.flags.iter().filter(|flag| flag.long != "--help").collect()
}

/// What argh says about words that it refuses, as one sentence that names where they come from.
fn explain(output: &str, settings: &[Setting]) -> String {
    let about_value = settings.iter().find_map(|Setting { flag, value, source }| {
        let sentence = output.strip_prefix(&format!("Error parsing option '{flag}' with value '{value}': "))?;
        Some(format!("{source}: {}", sentence.trim_end()))
    });
    let about_argument = || {
        let (_, rest) = output.strip_prefix("Error parsing positional argument '")?.split_once("': ")?;
        Some(rest.trim_end().to_owned())
    };
    about_value.or_else(about_argument).unwrap_or_else(|| {
        let words = output.split_whitespace().collect::<Vec<_>>().join(" ");
        words.replacen("Required positional arguments not provided:", "missing", 1)
    })
}

/// What `pipechat help` prints, `pipechat help SUBCOMMAND`, or `pipechat help TOPIC`.
///
/// # Errors
/// One sentence, if there is no such subcommand or topic, or another word after it.
pub(crate) fn help(words: &[&str]) -> Result<String, String> {
    match words {
        [] | ["-h" | "--help"] => Ok(help::render(Subcommand::Serve, "pipechat")),
        // A page comes first: what the subcommand of the same name takes is in its own `--help`.
        [word] | [word, "-h" | "--help"] => match (Subcommand::named(word), Page::on(word)) {
            (Some(subcommand), None) => Ok(help::render(subcommand, &format!("pipechat {word}"))),
            (None, Some(page)) => Ok(page::render(page)),
            (Some(_), Some(page)) => Ok(format!("{}\nThe command: pipechat {word} --help\n", page::render(page))),
            (None, None) => Err(format!("unknown topic {word:?}; expected {}", one_of(&topics()))),
        },
        [_, word, ..] => Err(format!("unexpected argument {word:?}")),
    }
}

/// What `pipechat help` has a page on: the subcommands and the pages of the manual.
fn topics() -> Vec<&'static str> {
    let pages = PAGES.iter().map(|page| page.topic).filter(|topic| Subcommand::named(topic).is_none());
    Subcommand::ALL.into_iter().map(Subcommand::name).chain(pages).collect()
}

/// The sentence about a first word that is no subcommand.
pub(crate) fn unknown_subcommand(word: &str) -> String {
    let names: Vec<_> = Subcommand::ALL.into_iter().map(Subcommand::name).chain(["help"]).collect();
    format!("unknown subcommand {word:?}; expected {}", one_of(&names))
}
