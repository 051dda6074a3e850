//! The program: flags to a `Config`, run, exit code.

mod args;

use std::{
    env,
    io::{self, Write},
    process::{self, ExitCode},
};

use argh::FromArgs;
use args::Args;
use async_signal::{Signal, Signals};
use async_std::task;
use futures::StreamExt;
use pipechat::Server;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Bad flags.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let args = match Args::from_args(&["pipechat"], words.get(1..).unwrap_or_default()) {
        Ok(args) => args,
        Err(exit) => return early_exit(&exit),
    };
    if args.version {
        return say(&format!("pipechat {}\n", env!("CARGO_PKG_VERSION")));
    }
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match args.config(raise_open_files()) {
        Ok(config) => serve(config),
        Err(sentence) => fail(EXIT_USAGE, &sentence),
    }
}

fn serve(config: pipechat::Config) -> ExitCode {
    // One thread, unless told otherwise: nearly all the work is the kernel's, and tasks that never move between cores cost
    // half as much. ASYNC_STD_THREAD_COUNT is async-std's own knob.
    async_global_executor::init_with_config(
        async_global_executor::GlobalExecutorConfig::default()
            .with_env_var("ASYNC_STD_THREAD_COUNT")
            .with_min_threads(1)
            .with_thread_name_fn(|| "pipechat".to_owned()),
    );
    let addr = config.addr;
    let serving = async move {
        let server = Server::bind(config).map_err(|error| format!("can't listen on {addr}: {error}"))?;
        let mut signals =
            Signals::new([Signal::Int, Signal::Term]).map_err(|error| format!("can't catch signals: {error}"))?;
        say(&format!("pipechat listening on {}\n", server.local_addr()));
        let stop = async move {
            signals.next().await;
            task::spawn(async move {
                signals.next().await;
                process::exit(EXIT_SECOND_SIGNAL);
            });
        };
        server.run(stop).await;
        Ok(())
    };
    // Not async-std's block_on: this thread would take the reactor from the one that does the work.
    match futures::executor::block_on(task::spawn(serving)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            let sentence: String = sentence;
            fail(1, &sentence)
        }
    }
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
    // Nothing is left to do where stderr is closed.
    writeln!(io::stderr(), "pipechat: {}", sentence.trim_end()).ok();
    ExitCode::from(code)
}
