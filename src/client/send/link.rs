//! A connection that lines are sent on, with a thread that writes and one that reads. Knows nothing of the input.

use std::{
    io::{self, Write},
    net::{Shutdown, TcpStream},
    sync::mpsc::{Receiver, Sender, SyncSender, channel},
    thread,
    time::Duration,
};

use bytes::Bytes;
use pipechat::chat::{Done, Event};

use super::{Answer, Report, input::Line};
use crate::client::{
    Deadline, Failure, SENTENCE_CHARS_MAX, connection::Connection, message::ServerMessage, reader::Reader,
};

/// Bytes of lines that are written at once.
const WRITE_BYTES: usize = 64 << 10;

/// A connection; its reports have its number. Dropping it ends the connection and the threads.
pub(super) struct Link {
    pub(super) number: u64,
    stream: TcpStream,
    lines: Sender<Bytes>,
}

impl Link {
    /// Begins to read and to write. Writing may take no longer than `timeout` without progress.
    pub(super) fn start(
        number: u64,
        connection: Connection,
        timeout: Option<Duration>,
        reports: &SyncSender<Report>,
    ) -> Result<Self, Failure> {
        let (reader, stream) = connection.split();
        let lost = |error: io::Error| Failure::Lost(format!("connection lost: {error}"));
        let writer = stream.try_clone().map_err(lost)?;
        writer.set_write_timeout(timeout).map_err(lost)?;
        let (lines, to_write) = channel();
        let report = |reports: SyncSender<Report>| move |answer| reports.send(Report::Answer(number, answer)).is_ok();
        let (by_writer, by_reader) = (report(reports.clone()), report(reports.clone()));
        thread::spawn(move || write_lines(writer, &to_write, by_writer));
        thread::spawn(move || read_answers(reader, by_reader));
        Ok(Self { number, stream, lines })
    }

    /// Sends a line. If the connection has ended, that is or will be reported.
    pub(super) fn send(&self, line: &Line) {
        self.lines.send(line.bytes.clone()).ok();
    }

    /// Asks the server to close the connection, when all lines have been confirmed.
    pub(super) fn quit(&mut self) -> io::Result<()> {
        self.stream.write_all(b"quit\n")
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.stream.shutdown(Shutdown::Both).ok(); // fails if it has ended
    }
}

fn write_lines(mut stream: TcpStream, lines: &Receiver<Bytes>, report: impl Fn(Answer) -> bool) {
    while let Ok(line) = lines.recv() {
        let mut out = line.to_vec();
        while out.len() < WRITE_BYTES
            && let Ok(line) = lines.try_recv()
        {
            out.extend_from_slice(&line);
        }
        match stream.write_all(&out) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                report(Answer::Ended(Failure::TimedOut("timed out: the server takes no more".to_owned())));
                return;
            }
            Err(_) => return, // the connection is lost, and the reader learns why
        }
    }
}

/// Reads what the server sends, without a pause, since the server disconnects a client that does not read.
fn read_answers(mut reader: Reader, report: impl Fn(Answer) -> bool) {
    loop {
        let (answer, is_last) = match reader.next_answer(Deadline::NEVER) {
            Ok(ServerMessage::Answer(Event::Synced(token))) => match token.parse() {
                Ok(number) => (Answer::Synced(number), false),
                Err(_) => continue, // the answer to nothing
            },
            Ok(ServerMessage::Answer(Event::Done(Done::In(_, position)))) => (Answer::Said(position), false),
            Ok(ServerMessage::Refused { text, .. }) => {
                (Answer::Refused(text.chars().take(SENTENCE_CHARS_MAX).collect()), false)
            }
            Ok(
                ServerMessage::News(_)
                | ServerMessage::Past(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Farewell { .. },
            ) => continue,
            Err(failure) => (Answer::Ended(failure), true),
        };
        if !report(answer) || is_last {
            return;
        }
    }
}
