//! The terminal's modes: each key is passed on as it is pressed, and they are as before when the program ends, by a signal
//! too. Knows no keys.

use std::{
    io::{self, IsTerminal},
    process, thread,
};

use async_signal::{Signal, Signals};
use futures::{StreamExt, executor::block_on};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::kill_current_process_group,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};

use crate::client::stdio::write_all;

/// Pastes are bracketed from here on, or not any more.
const BRACKETS_ON: &[u8] = b"\x1b[?2004h";
const BRACKETS_OFF: &[u8] = b"\x1b[?2004l";
/// The size of a terminal that does not tell it.
const SIZE: (usize, usize) = (80, 24);

/// Raw modes, until this is dropped.
pub(super) struct RawMode {
    before: Termios,
}

impl RawMode {
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        restore_on_signals(before.clone())?;
        let modes = Self { before };
        modes.resume()?;
        Ok(modes)
    }

    /// Makes the terminal raw, again.
    pub(super) fn resume(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        raw.input_modes -= InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON;
        raw.input_modes -= InputModes::ISTRIP;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Not `Flush`: what was typed ahead stays.
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        write_all(io::stdout(), BRACKETS_ON)
    }

    /// Restores the modes and stops the process, as Ctrl-Z does elsewhere, until it is continued.
    pub(super) fn suspend(&self) -> io::Result<()> {
        restore(&self.before, b"");
        kill_current_process_group(rustix::process::Signal::TSTP)?;
        self.resume()
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore(&self.before, b"");
    }
}

/// Whether there is a terminal on both sides.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// How many columns and rows the terminal has; at least one of each.
pub(super) fn size() -> (usize, usize) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        Ok(_) | Err(_) => SIZE,
    }
}

/// Restores the modes, and writes this.
fn restore(before: &Termios, last: &[u8]) {
    tcsetattr(io::stdin(), OptionalActions::Now, before).ok(); // the terminal may have gone
    // A terminal that takes nothing more must not keep the program.
    let stdout = io::stdout();
    let ready = poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    if ready.is_ok_and(|count| count > 0) {
        write_all(&stdout, &[BRACKETS_OFF, last].concat()).ok();
    }
}

/// Restores the modes when a signal ends the program. In a thread of its own: the program may be waiting for a terminal
/// that takes nothing more.
fn restore_on_signals(before: Termios) -> io::Result<()> {
    let mut signals = Signals::new([Signal::Hup, Signal::Int, Signal::Quit, Signal::Term])?;
    let wait = move || {
        let signal = block_on(signals.next());
        restore(&before, b"\r\n");
        let number = signal.and_then(Result::ok).map_or(0, |signal| signal as i32);
        process::exit(128 + number); // as a shell tells it
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}
