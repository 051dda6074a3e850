//! Which signals end the server. Knows nothing of what it does until then.

use std::{fs, io, process, thread};

use async_signal::{Signal, Signals};
use futures::{StreamExt, channel::oneshot::Sender, executor::block_on};
use nix::sys::signal::SigSet;

/// The exit code after a second signal: the one that a shell gives to a process killed by SIGINT.
const EXIT_SECOND_SIGNAL: i32 = 130;

/// Unblocks all signals: a parent that blocks some leaves them blocked in its children, and then nothing but SIGKILL would end
/// this process. Comes before there are threads, which inherit it.
pub(crate) fn unblock() -> io::Result<()> {
    Ok(SigSet::all().thread_unblock()?)
}

/// What SIGHUP means.
pub(crate) enum Hangup {
    /// The end, as SIGTERM does.
    Stop,
    /// This, and nothing else.
    Reload(Box<dyn FnMut() + Send>),
}

/// Tells `stop` at the first SIGINT or SIGTERM, and ends the process at the next one. A SIGHUP that is ignored stays so, as
/// nohup(1) wants it, unless it has a meaning of its own.
///
/// # Errors
/// When signals can't be caught, or there can be no more threads.
pub(crate) fn watch(stop: Sender<()>, mut hangup: Hangup) -> io::Result<()> {
    let is_caught = !ignores_hangup() || matches!(hangup, Hangup::Reload(_));
    let caught = is_caught.then_some(Signal::Hup);
    let mut signals = Signals::new([Signal::Int, Signal::Term].into_iter().chain(caught))?;
    // On a thread of its own: the second signal ends the server even if it does not respond any more.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut stop = Some(stop);
        while let Some(signal) = block_on(signals.next()) {
            match (signal, &mut hangup, stop.take()) {
                (Ok(Signal::Hup), Hangup::Reload(reload), left) => {
                    reload();
                    stop = left;
                }
                (_, _, Some(stop)) => drop(stop.send(())), // fails when the server has ended
                // A second SIGHUP is no sign of impatience: when a terminal is closed, the kernel sends one and the shell
                // another.
                (Ok(Signal::Hup), Hangup::Stop, None) => {}
                (_, _, None) => process::exit(EXIT_SECOND_SIGNAL),
            }
        }
    })?;
    Ok(())
}

/// Whether the parent has this process ignore SIGHUP. Where /proc does not tell, it does not.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored & 1 << (Signal::Hup as u32 - 1) != 0
}
