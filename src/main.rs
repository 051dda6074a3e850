//! The program: the first word to a subcommand; for the server, flags to a `Config`, run, exit code.

mod args;
mod client;
mod logging;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::{self, ExitCode},
    thread,
};

use argh::FromArgs;
use args::Args;
use async_signal::{Signal, Signals};
use client::{ChatArgs, ListenArgs, Outcome, SendArgs, WaitArgs, complain, conclude};
use futures::{StreamExt, channel::oneshot, executor::block_on};
use pipechat::Server;
use rustix::process::{Resource, getrlimit, setrlimit};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad flags.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Result<Vec<String>, _> = env::args_os().skip(1).map(OsString::into_string).collect();
    let words = match &words {
        Ok(words) => words.iter().map(String::as_str).collect::<Vec<_>>(),
        Err(word) => return fail(EXIT_USAGE, &format!("{} is not UTF-8", word.display())),
    };
    match words.split_first() {
        Some((&"send", rest)) => client("send", rest, SendArgs::run),
        Some((&"listen", rest)) => client("listen", rest, |args: ListenArgs| args.run()),
        Some((&"wait", rest)) => client("wait", rest, |args: WaitArgs| args.run()),
        Some((&"chat", rest)) => client("chat", rest, |args: ChatArgs| args.run()),
        Some((&"serve", rest)) => server(&["pipechat", "serve"], rest),
        Some((word, _)) if !word.starts_with('-') && *word != "help" => {
            fail(EXIT_USAGE, &format!("{word:?} is no subcommand; serve, send, listen, wait and chat are"))
        }
        Some(_) | None => server(&["pipechat"], &words),
    }
}

fn client<Args: FromArgs>(subcommand: &str, words: &[&str], run: impl FnOnce(Args) -> Outcome) -> ExitCode {
    match Args::from_args(&["pipechat", subcommand], words) {
        Ok(args) => ExitCode::from(conclude(run(args))),
        Err(exit) => early_exit(&exit),
    }
}

fn server(command: &[&str], words: &[&str]) -> ExitCode {
    let args = match Args::from_args(command, words) {
        Ok(args) => args,
        Err(exit) => return early_exit(&exit),
    };
    if args.version {
        return say(&format!("pipechat {}\n", env!("CARGO_PKG_VERSION")));
    }
    let _until_the_end = match logging::begin() {
        Ok(logging) => logging,
        Err(error) => return fail(1, &format!("can't log: {error}")),
    };
    match args.config(raise_open_files()) {
        Ok(config) => serve(config),
        Err(sentence) => fail(EXIT_USAGE, &sentence),
    }
}

fn serve(config: pipechat::Config) -> ExitCode {
    match try_to_serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(1, &sentence),
    }
}

/// # Errors
/// One sentence, when the server can't begin.
fn try_to_serve(config: pipechat::Config) -> Result<(), String> {
    let addr = config.addr;
    let server = Server::bind(config).map_err(|error| format!("can't listen on {addr}: {error}"))?;
    let mut signals =
        Signals::new([Signal::Int, Signal::Term]).map_err(|error| format!("can't catch signals: {error}"))?;
    let (stop, stopped) = oneshot::channel();
    // On a thread of its own: the second one ends the server even where it does not answer any more.
    let heard = thread::Builder::new().name("signals".to_owned()).spawn(move || {
        block_on(signals.next());
        stop.send(()).ok(); // fails when the server has ended
        block_on(signals.next());
        process::exit(EXIT_SECOND_SIGNAL);
    });
    heard.map_err(|error| format!("can't wait for signals: {error}"))?;
    say(&format!("pipechat listening on {}\n", server.local_addr()));
    server.run(async {
        stopped.await.ok();
    });
    Ok(())
}

/// Ended at once, by a second signal; as a shell says of SIGINT.
const EXIT_SECOND_SIGNAL: i32 = 130;

/// Raises the limit on open files as far as allowed, and tells it.
fn raise_open_files() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        log::warn!("can't raise the limit on open files: {error}");
        limit = getrlimit(Resource::Nofile);
    }
    limit.current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

fn early_exit(exit: &argh::EarlyExit) -> ExitCode {
    match exit.status {
        Ok(()) => say(&exit.output),
        Err(()) => fail(EXIT_USAGE, &exit.output.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

fn say(text: &str) -> ExitCode {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE, // nobody listens
    }
}

fn fail(code: u8, sentence: &str) -> ExitCode {
    complain(sentence);
    ExitCode::from(code)
}
