//! The connection, as the client sees it: opened by a deadline, spoken to in JSON, closed with a goodbye.

use std::{
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use pipechat::{chat::Event, protocol::Lang};

use super::{
    Deadline, Failure, Outcome,
    args::field,
    message::{ServerMessage, lang_of_set},
};

/// The longest line of a server: a text of as many bytes as any server takes by default, many times over, and escaped.
const LINE_BYTES_MAX: usize = 16 << 20;
/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;
/// How long a goodbye may take. Nothing depends on it but when the name is free again.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// What fences the beginning of a conversation.
const READY: &str = "ready";

/// How to begin.
#[derive(Debug)]
pub(super) struct ConnectOptions<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) name: Option<&'a str>,
    pub(super) lang: Option<Lang>,
    /// Whether there may be long silences.
    pub(super) idle_exempt: bool,
}

/// A connection with a server that speaks JSON on it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    reader: Reader,
    /// The language of the server's texts on this connection.
    pub(super) lang: Lang,
    /// News that came while the beginning was made, with their lines.
    pub(super) early: Vec<(String, ServerMessage)>,
}

/// The half that reads.
#[derive(Debug)]
pub(super) struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Up to here there is no LF in `buffer`.
    searched: usize,
}

/// What there was to read.
#[derive(Debug)]
pub(super) enum Heard {
    Line(String),
    TimedOut,
    End(String),
}

impl Connection {
    /// Connects, has the server speak JSON, and takes the name if there is to be one. All of that has taken effect when
    /// this returns.
    pub(super) fn open(options: &ConnectOptions<'_>, deadline: Deadline) -> Result<Self, Failure> {
        let mut lines = "format|json\n".to_owned();
        if let Some(lang) = options.lang {
            lines.push_str(match lang {
                Lang::Zh => "lang|zh\n",
                Lang::En => "lang|en\n",
            });
        }
        if options.idle_exempt {
            lines.push_str("stay\n");
        }
        if let Some(name) = options.name {
            lines.push_str(&format!("rename|{}\n", field("--name", name)?));
        }
        lines.push_str(&format!("sync|{READY}\n"));
        let deadline = deadline.sooner(Deadline::after(super::ANSWER_MAX));
        let stream = connect(options.host, options.port, deadline)?;
        let lost = |error: io::Error| Failure::Lost(format!("connection lost: {error}"));
        stream.set_nodelay(true).map_err(lost)?;
        let reader = Reader { stream: stream.try_clone().map_err(lost)?, buffer: Vec::new(), searched: 0 };
        let mut connection = Self { stream, reader, lang: options.lang.unwrap_or(Lang::En), early: Vec::new() };
        connection.say(&lines).ok(); // where that fails, there is a reason to read
        connection.get_ready(deadline)?;
        Ok(connection)
    }

    fn get_ready(&mut self, deadline: Deadline) -> Outcome {
        // What comes before the server speaks JSON are lines for people: news, or the reason why it closes.
        let mut last_words = None;
        loop {
            match self.reader.hear(deadline) {
                Heard::Line(line) if line.starts_with('{') => match ServerMessage::parse(&line) {
                    Some(ServerMessage::Answer(Event::Synced(token))) if token == READY => return Ok(()),
                    Some(ServerMessage::Words(words)) => self.lang = lang_of_set(&words).unwrap_or(self.lang),
                    Some(ServerMessage::Refused { code, .. }) if code == "stay-forbidden" => {}
                    Some(ServerMessage::Refused { text, .. }) => return Err(Failure::Refused(Some(text))),
                    Some(ServerMessage::Farewell { text, .. }) => return Err(Failure::Lost(text)),
                    Some(news @ ServerMessage::News(_)) => self.early.push((line, news)),
                    Some(ServerMessage::Answer(_)) | None => {}
                },
                Heard::Line(line) => last_words = Some(line).filter(|line| !line.starts_with('[')),
                Heard::End(reason) => return Err(Failure::Lost(last_words.unwrap_or(reason))),
                Heard::TimedOut => return Err(Failure::TimedOut("timed out: the server does not answer".to_owned())),
            }
        }
    }

    /// Sends these lines, which have their endings.
    pub(super) fn say(&mut self, lines: &str) -> io::Result<()> {
        self.stream.write_all(lines.as_bytes())
    }

    /// The next object that means something to this client, and its line. Says why where there will be none.
    pub(super) fn next(&mut self, deadline: Deadline) -> Result<(String, ServerMessage), Failure> {
        self.reader.next(deadline)
    }

    /// The same, where news are of no interest: they may come fast, and one who does not keep up is cut.
    pub(super) fn next_answer(&mut self, deadline: Deadline) -> Result<ServerMessage, Failure> {
        self.reader.next_answer(deadline)
    }

    /// The half that reads, and the one that writes.
    pub(super) fn split(self) -> (Reader, TcpStream) {
        (self.reader, self.stream)
    }

    /// Says goodbye, and waits until the server knows: whoever comes next can have the name.
    pub(super) fn close(mut self) {
        if self.say("quit\n").is_ok() {
            let deadline = Deadline::after(GOODBYE_MAX);
            while self.next_answer(deadline).is_ok() {}
        }
    }
}

impl Reader {
    /// As [`Connection::next`].
    fn next(&mut self, deadline: Deadline) -> Result<(String, ServerMessage), Failure> {
        self.next_but(|_| false, deadline)
    }

    /// As [`Connection::next_answer`].
    pub(super) fn next_answer(&mut self, deadline: Deadline) -> Result<ServerMessage, Failure> {
        self.next_but(ServerMessage::is_news, deadline).map(|(_, told)| told)
    }

    fn next_but(
        &mut self,
        skips: impl Fn(&str) -> bool,
        deadline: Deadline,
    ) -> Result<(String, ServerMessage), Failure> {
        loop {
            match self.hear(deadline) {
                Heard::Line(line) if skips(&line) => {}
                Heard::Line(line) => match ServerMessage::parse(&line) {
                    Some(ServerMessage::Farewell { text, .. }) => return Err(Failure::Lost(text)),
                    Some(told) => return Ok((line, told)),
                    None => {}
                },
                Heard::End(reason) => return Err(Failure::Lost(reason)),
                Heard::TimedOut => return Err(Failure::TimedOut("timed out".to_owned())),
            }
        }
    }

    /// The next line, or what there is instead by the deadline. What has come already counts.
    pub(super) fn hear(&mut self, deadline: Deadline) -> Heard {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
                let line: Vec<u8> = self.buffer.drain(..=self.searched + length).collect();
                self.searched = 0;
                return Heard::Line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            self.searched = self.buffer.len();
            if self.searched > LINE_BYTES_MAX {
                return Heard::End("connection lost: this is no pipechat".to_owned());
            }
            let left = deadline.left();
            if left.is_some_and(|left| left.is_zero()) {
                return Heard::TimedOut;
            }
            let mut bytes = [0; READ_BYTES];
            match self.stream.set_read_timeout(left).and_then(|()| self.stream.read(&mut bytes)) {
                Ok(0) => return Heard::End("connection lost".to_owned()),
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if is_transient(&error) => {}
                Err(error) => return Heard::End(format!("connection lost: {error}")),
            }
        }
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Connects in a thread of its own, because nothing bounds the time in which a host is looked up.
fn connect(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, Failure> {
    let (sender, connected) = channel();
    let target = (host.to_owned(), port);
    thread::spawn(move || {
        let attempt = target.to_socket_addrs().and_then(|addrs| {
            let mut refusal = io::Error::new(io::ErrorKind::NotFound, "it has no address");
            for addr in addrs {
                match TcpStream::connect(addr) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => refusal = error,
                }
            }
            Err(refusal)
        });
        sender.send(attempt).ok(); // too late, otherwise
    });
    let cannot = |why: String| Failure::Lost(format!("can't connect to {host} port {port}: {why}"));
    match connected.recv_timeout(deadline.left().unwrap_or(super::ANSWER_MAX)) {
        Ok(attempt) => attempt.map_err(|error| cannot(error.to_string())),
        Err(RecvTimeoutError::Timeout) => {
            Err(Failure::TimedOut(format!("timed out: can't connect to {host} port {port}")))
        }
        Err(RecvTimeoutError::Disconnected) => Err(cannot("the attempt failed".to_owned())),
    }
}
