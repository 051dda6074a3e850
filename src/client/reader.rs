//! The half of a connection that reads: lines out of bytes, each by a deadline. Trusts the server with nothing: a line
//! has a maximum length, and a server that never stops sending does not postpone a deadline.

use std::{
    io::{self, Read},
    net::TcpStream,
};

use super::{
    Deadline, Failure,
    message::{ServerMessage, farewell},
};

/// The longest line that a server may send, in bytes. The longest that pipechat sends is a text of 1 MiB, the maximum of
/// `--max-line`, in which each byte is escaped to six, and what stands around it.
const LINE_BYTES_MAX: usize = 8 << 20;
/// Bytes read at once. Deadlines are checked before each read.
const READ_BYTES: usize = 16 << 10;

/// The half that reads.
#[derive(Debug)]
pub(super) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// There is no LF in `buffer` before this position.
    searched: usize,
}

/// What there was to read.
#[derive(Debug)]
pub(super) enum Received {
    /// A line without its ending, exactly as the server sent it but for invalid UTF-8: escape it before it is printed.
    Line(String),
    /// The deadline has passed.
    TimedOut,
    /// The connection has ended, for this reason.
    Ended(String),
    /// The server has sent a line that is longer than any may be. There is no use in reading on.
    TooLong,
}

impl Received {
    /// What [`Received::TooLong`] means for a subcommand.
    pub(super) fn too_long() -> Failure {
        Failure::Lost(format!("the server sent a line of more than {LINE_BYTES_MAX} bytes"))
    }
}

impl Reader {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::new(), searched: 0 }
    }

    /// The next message that this client understands, and its line.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn next(&mut self, deadline: Deadline) -> Result<(String, ServerMessage), Failure> {
        self.next_unless(|_| false, deadline)
    }

    /// The next message that is not news. News are skipped without parsing them: they may come fast, and the server
    /// disconnects a client that does not keep up.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn next_answer(&mut self, deadline: Deadline) -> Result<ServerMessage, Failure> {
        self.next_unless(ServerMessage::is_news, deadline).map(|(_, message)| message)
    }

    fn next_unless(
        &mut self,
        is_skipped: impl Fn(&str) -> bool,
        deadline: Deadline,
    ) -> Result<(String, ServerMessage), Failure> {
        loop {
            match self.receive(deadline) {
                Received::Line(line) if is_skipped(&line) => {}
                Received::Line(line) => match ServerMessage::parse(&line) {
                    Some(ServerMessage::Farewell { code, text }) => return Err(farewell(&code, text)),
                    Some(message) => return Ok((line, message)),
                    None => {}
                },
                Received::Ended(reason) => return Err(Failure::Lost(reason)),
                Received::TooLong => return Err(Received::too_long()),
                Received::TimedOut => return Err(Failure::TimedOut("timed out".to_owned())),
            }
        }
    }

    /// Waits for the next line. After the deadline, lines that are in the buffer are still returned, and nothing more
    /// is read.
    pub(super) fn receive(&mut self, deadline: Deadline) -> Received {
        loop {
            if let Some(received) = self.buffered() {
                return received;
            }
            let left = deadline.left();
            if left.is_some_and(|left| left.is_zero()) {
                return Received::TimedOut;
            }
            if let Err(error) = self.stream.set_read_timeout(left) {
                return Received::Ended(format!("connection lost: {error}"));
            }
            if let Some(end) = self.read() {
                return end;
            }
        }
    }

    /// The next line of what has been read.
    pub(super) fn buffered(&mut self) -> Option<Received> {
        if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
            let line = self.buffer.drain(..=self.searched + length).collect();
            self.searched = 0;
            return Some(Received::Line(text_of(line)));
        }
        self.searched = self.buffer.len();
        (self.searched > LINE_BYTES_MAX).then_some(Received::TooLong)
    }

    /// Whether there is a line in what has been read.
    pub(super) fn has_line(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer[self.searched..]).is_some()
    }

    /// Reads once. Returns the end of the connection, if that is what there is to read.
    pub(super) fn read(&mut self) -> Option<Received> {
        let mut bytes = [0; READ_BYTES];
        match self.stream.read(&mut bytes) {
            Ok(0) => return Some(Received::Ended("connection lost".to_owned())),
            Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
            Err(error) if is_transient(&error) => {}
            Err(error) => return Some(Received::Ended(format!("connection lost: {error}"))),
        }
        None
    }
}

/// A line without its ending; what is not UTF-8 is replaced by U+FFFD.
fn text_of(line: Vec<u8>) -> String {
    let mut text =
        String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
