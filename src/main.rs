//! The program: finds the subcommand, parses its arguments, runs it, and exits with its code.

mod account;
mod args;
mod client;
mod logging;
mod signals;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use account::AccountArgs;
use argh::FromArgs;
use args::{CertArgs, CompletionsArgs, Parsed, ServeArgs, Subcommand};
use client::{ChatArgs, Failure, HistoryArgs, ListenArgs, Outcome, SendArgs, WaitArgs, WhoArgs, complain, conclude};
use futures::channel::{mpsc, oneshot};
use pipechat::Server;
use rustix::process::{Resource, getrlimit, setrlimit};
use signals::Hangup;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The command line, the environment or the configuration file makes no sense.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Err(error) = signals::unblock() {
        return fail(1, &format!("can't unblock signals: {error}"));
    }
    let words: Result<Vec<String>, _> = env::args_os().skip(1).map(OsString::into_string).collect();
    let words = match &words {
        Ok(words) => words.iter().map(String::as_str).collect::<Vec<_>>(),
        Err(word) => return fail_usage("pipechat", &format!("{} is not UTF-8", word.display())),
    };
    match words.split_first() {
        Some((&"help", rest)) => match args::help(rest) {
            Ok(text) => say(&text),
            Err(sentence) => fail_usage("pipechat", &sentence),
        },
        Some((word, rest)) if !word.starts_with('-') => match Subcommand::named(word) {
            Some(subcommand) => run(subcommand, &format!("pipechat {word}"), rest),
            None => fail_usage("pipechat", &args::unknown_subcommand(word)),
        },
        Some(_) | None => run(Subcommand::Serve, "pipechat", &words),
    }
}

/// Runs a subcommand that was called by this command, with these words after it.
fn run(subcommand: Subcommand, command: &str, words: &[&str]) -> ExitCode {
    match subcommand {
        Subcommand::Serve => server(command, words),
        Subcommand::Send => client(subcommand, command, words, SendArgs::run),
        Subcommand::Listen => client(subcommand, command, words, |args: ListenArgs| args.run()),
        Subcommand::History => client(subcommand, command, words, |args: HistoryArgs| args.run()),
        Subcommand::Wait => client(subcommand, command, words, |args: WaitArgs| args.run()),
        Subcommand::Who => client(subcommand, command, words, |args: WhoArgs| args.run()),
        Subcommand::Chat => client(subcommand, command, words, |args: ChatArgs| args.run()),
        Subcommand::Account => client(subcommand, command, words, AccountArgs::run),
        Subcommand::Cert => match args::parse(subcommand, command, words) {
            Ok(Parsed::Run(args, _)) => match CertArgs::make(&args) {
                Ok(text) => say(&text),
                Err(sentence) => fail(1, &sentence),
            },
            Ok(Parsed::Print(text)) => say(&text),
            Err(sentence) => fail_usage(command, &sentence),
        },
        Subcommand::Completions => match args::parse(subcommand, command, words) {
            Ok(Parsed::Run(args, _)) => say(&CompletionsArgs::script(&args)),
            Ok(Parsed::Print(text)) => say(&text),
            Err(sentence) => fail_usage(command, &sentence),
        },
    }
}

fn client<Args: FromArgs>(
    subcommand: Subcommand,
    command: &str,
    words: &[&str],
    run: impl FnOnce(Args) -> Outcome,
) -> ExitCode {
    match args::parse(subcommand, command, words) {
        Ok(Parsed::Run(args, _)) => match run(args) {
            Err(Failure::Usage(sentence)) => fail_usage(command, &sentence),
            outcome => ExitCode::from(conclude(outcome)),
        },
        Ok(Parsed::Print(text)) => say(&text),
        Err(sentence) => fail_usage(command, &sentence),
    }
}

fn server(command: &str, words: &[&str]) -> ExitCode {
    let (args, settings) = match args::parse::<ServeArgs>(Subcommand::Serve, command, words) {
        Ok(Parsed::Run(args, settings)) => (args, settings),
        Ok(Parsed::Print(text)) => return say(&text),
        Err(sentence) => return fail_usage(command, &sentence),
    };
    let _until_the_end = match logging::begin() {
        Ok(logging) => logging,
        Err(error) => return fail(1, &format!("can't log: {error}")),
    };
    match args.config(raise_open_files()) {
        Ok(config) if args.check => say(&args::report(&config, &settings)),
        Ok(config) => {
            let reloads = settings.source("--config").is_some() || settings.source("--tls-cert").is_some();
            let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
            let command = command.to_owned();
            serve(config, reloads.then_some(move || read_again(&command, &words)))
        }
        Err(sentence) => fail_usage(command, &sentence),
    }
}

/// Reads the options again, with the environment and the configuration file.
///
/// # Errors
/// One sentence, where they make no sense.
fn read_again(command: &str, words: &[String]) -> Result<pipechat::Config, String> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match args::parse::<ServeArgs>(Subcommand::Serve, command, &words)? {
        Parsed::Run(args, _) => args.config(raise_open_files()),
        Parsed::Print(_) => Err("these options do not run a server".to_owned()),
    }
}

type Reread = Result<pipechat::Config, String>;

fn serve(config: pipechat::Config, read_again: Option<impl Fn() -> Reread + Send + 'static>) -> ExitCode {
    match try_to_serve(config, read_again) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(1, &sentence),
    }
}

/// # Errors
/// One sentence, when the server can't begin.
fn try_to_serve(
    config: pipechat::Config,
    read_again: Option<impl Fn() -> Reread + Send + 'static>,
) -> Result<(), String> {
    let server = Server::bind(config).map_err(|error| error.to_string())?;
    let (stop, stopped) = oneshot::channel();
    let (reload, reloads) = mpsc::unbounded();
    let hangup = match read_again {
        Some(read_again) => Hangup::Reload(Box::new(move || match read_again() {
            Ok(config) => drop(reload.unbounded_send(config)), // fails when the server has ended
            Err(sentence) => log::error!("not reloaded: {sentence}"),
        })),
        None => Hangup::Stop,
    };
    signals::watch(stop, hangup).map_err(|error| format!("can't wait for signals: {error}"))?;
    for place in server.places() {
        say(&format!("pipechat listening on {place}\n"));
    }
    let stop = async {
        stopped.await.ok();
    };
    server.run_and_reload(stop, reloads)
}

/// Raises the limit on open files as far as allowed, and returns it.
fn raise_open_files() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        log::warn!("can't raise the limit on open files: {error}");
        limit = getrlimit(Resource::Nofile);
    }
    limit.current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

fn say(text: &str) -> ExitCode {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // stdout is closed
    }
}

/// A usage error: the sentence, and the command to ask for help.
fn fail_usage(command: &str, sentence: &str) -> ExitCode {
    fail(EXIT_USAGE, &format!("{sentence}; see {command} --help"))
}

fn fail(code: u8, sentence: &str) -> ExitCode {
    complain(sentence);
    ExitCode::from(code)
}
