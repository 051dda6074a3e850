//! Whether anybody reads stdout. Knows nothing of what is printed.

use std::{io, process, thread};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

use super::{Failure, conclude};

/// From now on, ends the program, as [`Failure::Unread`] does, as soon as nobody can read its stdout any more, even while
/// there is nothing to print.
pub(super) fn exit_when_unread() {
    thread::spawn(|| {
        let stdout = io::stdout();
        loop {
            // Without asking for anything: that the other end is closed is reported all the same.
            let mut descriptors = [PollFd::new(&stdout, PollFlags::empty())];
            match poll(&mut descriptors, None) {
                Ok(_) if descriptors[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) => {
                    process::exit(conclude(Err(Failure::Unread)).into());
                }
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return, // it cannot be waited for, so a write will tell
            }
        }
    });
}
