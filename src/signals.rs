//! Which signals end the server. Knows nothing of what it does until then.

use std::{fs, io, process, thread};

use async_signal::{Signal, Signals};
use futures::{StreamExt, channel::oneshot::Sender, executor::block_on, future::ready};
use nix::sys::signal::SigSet;

/// The exit code after a second signal: the one that a shell gives to a process killed by SIGINT.
const EXIT_SECOND_SIGNAL: i32 = 130;

/// Unblocks all signals: a parent that blocks some leaves them blocked in its children, and then nothing but SIGKILL would end
/// this process. Comes before there are threads, which inherit it.
pub(crate) fn unblock() -> io::Result<()> {
    Ok(SigSet::all().thread_unblock()?)
}

/// Tells `stop` at the first SIGINT, SIGTERM or SIGHUP, and ends the process at the next SIGINT or SIGTERM. A SIGHUP that is
/// ignored stays so, as nohup(1) wants it.
///
/// # Errors
/// When signals can't be caught, or there can be no more threads.
pub(crate) fn watch(stop: Sender<()>) -> io::Result<()> {
    let hangup = (!ignores_hangup()).then_some(Signal::Hup);
    let mut signals = Signals::new([Signal::Int, Signal::Term].into_iter().chain(hangup))?;
    // On a thread of its own: the second signal ends the server even if it does not respond any more.
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        block_on(signals.next());
        stop.send(()).ok(); // fails when the server has ended
        // A second SIGHUP is no sign of impatience: when a terminal is closed, the kernel sends one and the shell another.
        let is_impatient = |signal: &io::Result<Signal>| !matches!(signal, Ok(Signal::Hup));
        block_on(signals.filter(|signal| ready(is_impatient(signal))).next());
        process::exit(EXIT_SECOND_SIGNAL);
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
