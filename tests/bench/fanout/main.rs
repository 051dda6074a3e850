//! How fast pipechat is, beside the least that a server must do, or beside servers that one might pick instead.
//!
//! `cargo bench` runs every workload with the release binary and with the floor, in turn, several rounds, and prints
//! medians and ratios; `cargo bench --bench fanout -- --help` tells what else it can do. All traffic stays on loopback.
//!
//! - [`workloads`], [`metric`]: what is run, how big, and which metrics come of it
//! - [`stage`]: plays one workload with one server
//! - [`load`]: when to say something, and what to measure meanwhile
//! - [`crowd`], [`watchdog`]: the clients, on one thread; counts what they hear, and gives up after a time
//! - [`wire`]: what is said to which kind of server
//! - [`servers`], [`child`], [`machine`]: how each is started, watched and killed, and on what
//! - [`keeping`], [`archives`], [`disk`]: pipechats with a store, stores that are full already, and what they are on
//! - [`floor`]: the yardstick, a server of its own in this executable; another one for rooms
//! - [`attacks`]: what hostile clients do, and how it feels for the others
//! - [`accounts`]: what accounts cost beside guests, and logins
//! - [`tls`]: what TLS costs beside plain connections and a bare loop of rustls
//! - [`web`]: what the web's door costs beside lines and nginx
//! - [`goals`], [`results`], [`table`], [`json`]: what must be reached, what has been, and the reports

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the one who runs it")]

mod accounts;
mod archives;
mod args;
mod attacks;
mod child;
mod crowd;
mod disk;
mod floor;
mod goals;
mod json;
mod keeping;
mod load;
mod machine;
mod metric;
mod results;
mod servers;
mod stage;
mod table;
mod tls;
mod watchdog;
mod web;
mod wire;
mod workloads;

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use archives::Archives;
use argh::{EarlyExit, FromArgs};
use args::{Args, Part};
use attacks::Settings;
use results::Results;
use servers::Program;
use stage::Outcome;
use workloads::{Scale, Workload};

/// The binary that cargo has built with the same profile.
const PIPECHAT: &str = env!("CARGO_BIN_EXE_pipechat");
const ROUNDS: usize = 5;
/// With several peers a round takes minutes.
const PEER_ROUNDS: usize = 3;

fn main() -> ExitCode {
    let args = match parse(env::args().collect()) {
        Ok(args) => args,
        Err(EarlyExit { output, status: Ok(()) }) => {
            println!("{}", output.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(EarlyExit { output, status: Err(()) }) => {
            eprintln!("{}", output.trim_end());
            return ExitCode::FAILURE;
        }
    };
    let done = match &args {
        Args { floor: true, .. } => floor::serve().map(|()| true),
        Args { floor_of_rooms: true, .. } => floor::serve_rooms().map(|()| true),
        _ => run(args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: Vec<String>) -> Result<Args, EarlyExit> {
    // Cargo says it at the end, where `--help` takes nothing more.
    words.retain(|word| word != "--bench");
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    Args::from_args(&["cargo bench --bench fanout --"], &words[1..])
}

/// Returns whether everything could be measured; goals that are not reached are no failure.
fn run(args: Args) -> io::Result<bool> {
    raise_file_limit()?;
    let subjects = if args.server.is_empty() { vec![PathBuf::from(PIPECHAT)] } else { args.server.clone() };
    // Their names are looked at first: workloads take minutes.
    let attacks = attacks::choose(&args.attack)?;
    let parts = [(Part::Tls, tls::run as fn(&_, _, _) -> _), (Part::Accounts, accounts::run), (Part::Web, web::run)];
    for (part, run) in parts {
        if args.only.as_ref().is_some_and(|only| only.0.contains(&part)) {
            for subject in &subjects {
                run(subject, args.rounds.unwrap_or(if args.quick { 1 } else { ROUNDS }), args.quick)?;
            }
        }
    }
    let results = run_workloads(&args, subjects.clone());
    let attacked = wants_attacks(&args).then(|| {
        let rounds = args.rounds.unwrap_or(if args.quick { 1 } else { attacks::ROUNDS });
        let settings = Settings { quick: args.quick, innocents_apart: args.innocents_apart };
        let attacked = attacks::run(&attacks, subjects, rounds, settings);
        print!("{}", attacked.table());
        attacked
    });
    if let Some(path) = args.json {
        fs::write(path, json::render(&results, attacked.as_ref()))?;
    }
    Ok(results.failures.is_empty() && attacked.is_none_or(|attacked| attacked.failures.is_empty()))
}

fn wants_attacks(args: &Args) -> bool {
    !args.attack.is_empty() || args.only.as_ref().is_some_and(|only| only.0.contains(&Part::Attacks))
}

/// Runs the workloads that are asked for, and prints their table if there are any.
fn run_workloads(args: &Args, subjects: Vec<PathBuf>) -> Results {
    let mut scale = if args.quick { Scale::QUICK } else { Scale::WHOLE };
    let mut rounds = if args.quick { 1 } else { ROUNDS };
    let mut workloads = Workload::ALL.to_vec();
    if args.peers.is_some() {
        rounds = rounds.min(PEER_ROUNDS);
        workloads.retain(|workload| workload.is_for_peers());
    }
    if let Some(connections) = args.connections {
        scale.full = connections;
        rounds = 1;
        workloads = vec![Workload::Full];
    }
    match &args.only {
        Some(only) => workloads.retain(|workload| only.0.contains(&Part::Workloads(workload.number()))),
        // Attacks that are chosen by name are all that is wanted.
        None if !args.attack.is_empty() => workloads.clear(),
        None => {}
    }
    let references = match &args.peers {
        Some(peers) => peers.0.iter().copied().map(Program::Peer).collect(),
        None => vec![Program::Floor],
    };
    let mut results = Results::new(references, subjects, scale, !args.quick);
    let rounds = args.rounds.unwrap_or(rounds);
    let mut archives = Archives::default();
    for round in 0..rounds {
        for &workload in &workloads {
            play_in_turn(&mut results, &mut archives, workload, (round, rounds));
        }
    }
    if !workloads.is_empty() {
        print!("{}", table::render(&results));
    }
    results
}

/// One workload with each server that it is for. The order turns from round to round, so that what drifts hits all of them.
fn play_in_turn(results: &mut Results, archives: &mut Archives, workload: Workload, (round, rounds): (usize, usize)) {
    let programs: Vec<_> = (0..results.programs.len()).filter(|&i| results.programs[i].plays(workload)).collect();
    for turn in 0..programs.len() {
        let program = programs[(turn + round) % programs.len()];
        let label = results.label(program);
        eprint!("round {}/{rounds}  {:28}  {label:18} ", round + 1, workload.title(&results.scale));
        match stage::play(workload, &results.programs[program], &results.scale, archives) {
            Ok(Outcome::Metrics(metrics)) => {
                let shown = metrics.iter().map(|(metric, value)| metric.show(*value));
                eprintln!(" {}", shown.collect::<Vec<_>>().join("  "));
                results.add(workload, program, round, metrics);
            }
            Ok(Outcome::Without(what)) => eprintln!(" — ({what})"),
            Err(error) => {
                eprintln!(" FAILED: {error}");
                results.failures.push(format!("{}, {label}: {error}", workload.title(&results.scale)));
            }
        }
    }
}

/// Ten thousand clients are ten thousand files here and as many in the server, which inherits the limit.
fn raise_file_limit() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}
