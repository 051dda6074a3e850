//! Attacks on the server, and what an innocent client notices of them.
//!
//! `cargo bench -- --only attacks` plays each attack against a server of its own and prints how long the innocents were
//! frozen, how much memory the server took and gave back, and how many innocents it disconnected. An attack is a function
//! in one of the family files and a line in that file's `ATTACKS`; it has the [`Arena`] for everything else.
//!
//! - [`arena`]: the server, the innocents and the clock of one attack
//! - [`innocents`]: the client whose round trips are measured
//! - [`sockets`], [`readers`]: connections, and threads that read them at a given rate
//! - [`time_limit`]: no attack takes longer than a minute
//! - [`figure`], [`report`]: what is measured, and the table
//! - all others: a family of attacks each

mod arena;
mod arrivals;
mod crowds;
mod escapes;
mod figure;
mod floods;
mod held;
mod history;
mod innocents;
mod last_words;
mod log;
mod names;
mod passwords;
mod private;
mod readers;
mod reconnect;
pub(crate) mod report;
mod slow;
mod sockets;
mod stopped;
mod time_limit;
mod waits;

use std::io;
use std::path::{Path, PathBuf};

use arena::Arena;
pub(crate) use arena::Settings;
pub(crate) use figure::Figure;
use report::AttackResults;
use time_limit::TimeLimit;

/// Rounds, unless the command line says otherwise: the goal for freezes is about the median of three.
pub(crate) const ROUNDS: usize = 3;

const FAMILIES: &[&[Attack]] = &[
    reconnect::ATTACKS,
    floods::ATTACKS,
    names::ATTACKS,
    waits::ATTACKS,
    slow::ATTACKS,
    private::ATTACKS,
    stopped::ATTACKS,
    held::ATTACKS,
    history::ATTACKS,
    passwords::ATTACKS,
    arrivals::ATTACKS,
    log::ATTACKS,
    last_words::ATTACKS,
    escapes::ATTACKS,
    crowds::ATTACKS,
];

/// What is done to a server, and how that server is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Of the server, beside its port.
    flags: &'static [&'static str],
    /// The server's limit, if it is not this process's.
    open_files: Option<u32>,
    play: fn(&mut Arena) -> io::Result<()>,
}

impl Attack {
    const fn new(name: &'static str, play: fn(&mut Arena) -> io::Result<()>) -> Self {
        Self { name, flags: &[], open_files: None, play }
    }

    const fn flags(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }

    const fn open_files(self, open_files: u32) -> Self {
        Self { open_files: Some(open_files), ..self }
    }
}

/// The attacks whose names begin with one of `wanted`, or all if none is wanted.
///
/// # Errors
/// When nothing begins like that.
pub(crate) fn choose(wanted: &[String]) -> io::Result<Vec<Attack>> {
    let all = || FAMILIES.iter().copied().flatten().copied();
    for prefix in wanted {
        if !all().any(|attack| attack.name.starts_with(prefix)) {
            let names: Vec<_> = all().map(|attack| attack.name).collect();
            return Err(io::Error::other(format!("no attack {prefix:?}; there are {}", names.join(", "))));
        }
    }
    let is_wanted = |attack: &Attack| wanted.is_empty() || wanted.iter().any(|prefix| attack.name.starts_with(prefix));
    Ok(all().filter(is_wanted).collect())
}

/// Plays the attacks against each server in turn.
pub(crate) fn run(attacks: &[Attack], servers: Vec<PathBuf>, rounds: usize, settings: Settings) -> AttackResults {
    let mut results = AttackResults::new(servers, settings);
    for round in 1..=rounds {
        for attack in attacks {
            for server in 0..results.servers.len() {
                let label = results.label(server);
                eprint!("round {round}/{rounds}  {:28}  {label:10} ", attack.name);
                let (figures, failure) = play(attack, &results.servers[server], settings);
                let shown = figures.iter().map(|(figure, value)| format!("{} {}", figure.name(), figure.show(*value)));
                eprintln!(" {}", shown.collect::<Vec<_>>().join(", "));
                results.add(attack.name, server, figures);
                if let Some(failure) = failure {
                    eprintln!("  FAILED: {failure}");
                    results.failures.push(format!("{}, {label}: {failure}", attack.name));
                }
            }
        }
    }
    results
}

/// One attack on a server of its own. What was measured counts even if the attack could not be played to its end.
fn play(attack: &Attack, server: &Path, settings: Settings) -> (Vec<(Figure, f64)>, Option<String>) {
    let mut arena = match Arena::open(server, attack.flags, attack.open_files, settings) {
        Ok(arena) => arena,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let time_limit = TimeLimit::new(arena.server.pid());
    let played = (attack.play)(&mut arena);
    let (figures, early_exit) = arena.close();
    let failure = match (time_limit.has_killed(), played) {
        (true, _) => Some(format!("not over after {} s", time_limit::PATIENCE.as_secs())),
        (false, Err(error)) => {
            Some([Some(error.to_string()), early_exit].into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
        (false, Ok(())) => early_exit,
    };
    (figures, failure)
}
