//! Reads and writes of stdin, stdout and stderr that wait, whatever mode the descriptors are in. A parent such as node or
//! ssh may have made them non-blocking, and then a plain read or write fails where it should wait. Knows nothing of lines.

use std::{
    io::{self, Read},
    os::fd::AsFd,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};

/// The process's stdin, unbuffered.
#[derive(Debug)]
pub(crate) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        loop {
            match rustix::io::read(&stdin, &mut *bytes) {
                Ok(read) => return Ok(read),
                Err(errno) => wait(&stdin, PollFlags::IN, errno)?,
            }
        }
    }
}

/// Writes all of it, unbuffered.
///
/// # Errors
/// The descriptor takes no more, for a reason that does not pass.
pub(super) fn write_all(file: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(errno) => wait(&file, PollFlags::OUT, errno)?,
        }
    }
    Ok(())
}

/// Waits until another attempt makes sense after this error.
///
/// # Errors
/// The error, if it does not pass.
fn wait(file: impl AsFd, flags: PollFlags, errno: Errno) -> io::Result<()> {
    match errno {
        Errno::INTR => Ok(()),
        Errno::AGAIN => match poll(&mut [PollFd::new(&file, flags)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        },
        errno => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixStream, thread};

    use super::*;

    #[test]
    fn a_write_to_a_full_descriptor_waits_for_its_reader() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let sent = vec![b'x'; 4 << 20]; // more than a socket's buffers hold
        let reader = thread::spawn(move || {
            let mut received = Vec::new();
            theirs.read_to_end(&mut received).map(|_| received)
        });
        write_all(&ours, &sent).unwrap();
        drop(ours);
        assert!(reader.join().unwrap().unwrap() == sent);
    }

    #[test]
    fn an_error_that_does_not_pass_is_returned() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(write_all(&ours, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
