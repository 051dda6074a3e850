//! A connection from open to close: opened by a deadline, switched to JSON, closed with `quit`.

use std::{
    collections::VecDeque,
    io::{self, Write},
    mem,
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use pipechat::{
    chat::{Done, Event, Identity, LOBBY, PublicEvent},
    protocol::Lang,
};

use super::{
    Deadline, Failure, Outcome, complain,
    dial::connect,
    early::EarlyNews,
    message::{News, NewsEvent, ServerMessage, farewell},
    options::ConnectOptions,
    reader::{Reader, Received},
    words::{is_ban, is_notice, is_refusal_to_let_in, lang_of_set},
};

/// How long the server may take to answer `quit`. Nothing depends on it but when the name is free again.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// What the refusal of a room begins with, before its name.
pub(super) const NOT_JOINED: &str = "can't join ";
/// How the line on the command for history begins in `help`.
const HISTORY: &str = "history|";
/// The codes of refusals that would be no others at another attempt. Those of `login`: the account is banned, or the token is no
/// longer one; and each attempt counts among those that fail.
const FINAL: [&str; 2] = ["banned", "login-failed"];
/// The token of the `sync` that ends the set-up of a connection.
const READY: &str = "ready";

/// A connection on which the server sends JSON.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    reader: Reader,
    /// The language of the server's texts on this connection.
    pub(super) lang: Lang,
    /// This client as the others see it, if it has taken a name.
    pub(super) me: Option<Arc<Identity>>,
    /// The rooms that it has joined, as the server calls them.
    pub(super) joined: Vec<Arc<str>>,
    /// The server is older than history; known only where `asks_for_history`.
    pub(super) lacks_history: bool,
    /// The first news that came before the connection was ready, with their lines; empty unless `keeps_news`.
    pub(super) early: VecDeque<(String, ServerMessage)>,
}

impl Connection {
    /// Connects, switches the server to JSON, takes the name if there is one, and joins the rooms. All of that has taken
    /// effect when this returns.
    ///
    /// # Errors
    /// The server refuses the name or a room, ends the connection, or has not confirmed all of that by the deadline.
    pub(super) fn open(options: &ConnectOptions<'_>, deadline: Deadline) -> Result<Self, Failure> {
        options.check()?;
        let deadline = deadline.or_after(super::ANSWER_MAX);
        Self::set_up(connect(options.endpoint, deadline)?, options, deadline)
    }

    /// As [`Self::open`], from the point where there is a connection.
    ///
    /// # Errors
    /// As those of [`Self::open`].
    pub(super) fn set_up(stream: TcpStream, options: &ConnectOptions<'_>, deadline: Deadline) -> Result<Self, Failure> {
        let deadline = deadline.or_after(super::ANSWER_MAX);
        let mut lines = "format|json\n".to_owned();
        if options.visits {
            lines.push_str("visit\n");
        }
        if options.asks_for_history {
            lines.push_str("help\n"); // it has all commands
        }
        if let Some(lang) = options.lang {
            lines.push_str(match lang {
                Lang::Zh => "lang|zh\n",
                Lang::En => "lang|en\n",
            });
        }
        if options.idle_exempt {
            lines.push_str("stay\n");
        }
        if let Some(token) = options.token {
            lines.push_str(&token.login());
        }
        if let Some(name) = options.name {
            lines.push_str(&format!("rename|{name}\n"));
        }
        options.rooms.iter().for_each(|room| lines.push_str(&format!("join|{room}\n")));
        if options.leaves_lobby {
            lines.push_str(&format!("leave|{LOBBY}\n"));
        }
        lines.push_str(&format!("sync|{READY}\n"));
        let lost = |error: io::Error| Failure::Lost(format!("connection lost: {error}"));
        let reader = Reader::new(stream.try_clone().map_err(lost)?);
        let lang = options.lang.unwrap_or(Lang::En);
        let lacks_history = options.asks_for_history; // until it tells otherwise
        let (joined, early) = (Vec::new(), VecDeque::new());
        let mut connection = Self { stream, reader, lang, me: None, joined, lacks_history, early };
        connection.send(&lines).ok(); // if that fails, reading tells why
        let mut early = options.keeps_news.then(EarlyNews::default);
        connection.wait_until_ready(options, early.as_mut(), deadline)?;
        let (kept, dropped) = early.unwrap_or_default().into_parts();
        if dropped > 0 {
            complain(&format!("too much came while connecting: {dropped} messages are not shown"));
        }
        connection.early = kept.into();
        Ok(connection)
    }

    fn wait_until_ready(
        &mut self,
        options: &ConnectOptions<'_>,
        mut early: Option<&mut EarlyNews>,
        deadline: Deadline,
    ) -> Outcome {
        // Until the server has switched to JSON it sends text: news, or the reason why it ends the connection.
        let (mut last_text, mut notice, mut is_silent) = (None, None, true);
        let mut is_announced = false;
        loop {
            let received = self.reader.receive(deadline);
            is_silent &= !matches!(received, Received::Line(_));
            match received {
                Received::Line(line) if line.starts_with('{') => match ServerMessage::parse(&line) {
                    Some(ServerMessage::Answer(Event::Synced(token))) if token == READY => return Ok(()),
                    Some(ServerMessage::Answer(Event::Renamed { new, .. })) => self.me = Some(new),
                    Some(ServerMessage::Set(text)) => self.lang = lang_of_set(&text).unwrap_or(self.lang),
                    Some(ServerMessage::Refused { code, .. }) if code == "stay-forbidden" => {}
                    Some(ServerMessage::Refused { code, text, .. }) if FINAL.contains(&&*code) => {
                        return Err(Failure::SentAway(text));
                    }
                    Some(ServerMessage::Refused { verb, text, .. }) => {
                        let room = options.rooms.get(self.joined.len()).filter(|_| verb == "join");
                        let text = room.map_or(text.clone(), |room| format!("{NOT_JOINED}{room}: {text}"));
                        return Err(Failure::Refused(Some(text)));
                    }
                    Some(ServerMessage::Answer(Event::Done(Done::Join { room, .. })))
                        if self.joined.len() < options.rooms.len() =>
                    {
                        self.joined.push(room);
                    }
                    Some(ServerMessage::Farewell { text, .. }) if is_refusal_to_let_in(&text) => {
                        return Err(Failure::Refused(Some(text)));
                    }
                    Some(ServerMessage::Farewell { code, text }) => return Err(farewell(&code, text)),
                    // Nothing public is heard before one's own arrival, here or in a room. That and one's own name are no news.
                    Some(ServerMessage::News(News { event: NewsEvent::Public(PublicEvent::Online(_)), .. }))
                        if !mem::replace(&mut is_announced, true) => {}
                    Some(ServerMessage::News(News {
                        event: NewsEvent::Public(PublicEvent::Joined(_)),
                        room: Some(room),
                        ..
                    })) if !self.joined.contains(&room) => {}
                    Some(ServerMessage::News(News {
                        event: NewsEvent::Public(PublicEvent::KnownAs { new, .. }),
                        ..
                    })) if self.me.as_ref() == Some(&new) => {}
                    // This includes one's own leaving.
                    Some(ServerMessage::News(News { event: NewsEvent::Public(_), room: None, .. }))
                        if options.leaves_lobby => {}
                    Some(news @ ServerMessage::News(..)) => {
                        if let Some(early) = &mut early {
                            early.push(line, news);
                        }
                    }
                    Some(ServerMessage::Help(text)) if text.lines().any(|line| line.starts_with(HISTORY)) => {
                        self.lacks_history = false;
                    }
                    Some(ServerMessage::Answer(_) | ServerMessage::Help(_) | ServerMessage::Past(_)) | None => {}
                },
                // One who is banned is told until when, and then goodbye.
                Received::Line(line) if is_notice(&line) => notice = Some(line),
                Received::Line(line) => last_text = Some(line).filter(|line| !line.starts_with('[')),
                Received::Ended(reason) => {
                    return Err(match last_text {
                        Some(text) if is_refusal_to_let_in(&text) => Failure::Refused(Some(text)),
                        Some(text) if is_ban(&text) => Failure::SentAway(notice.unwrap_or(text)),
                        None if is_silent && options.endpoint.tls.is_none() => {
                            Failure::Lost(format!("{reason}, and nothing was heard: the server may want --tls"))
                        }
                        text => Failure::Lost(text.unwrap_or(reason)),
                    });
                }
                Received::TooLong => return Err(Received::too_long()),
                Received::TimedOut => {
                    return Err(Failure::TimedOut("timed out: the server does not answer".to_owned()));
                }
            }
        }
    }

    /// Sends these lines, which have their endings.
    pub(super) fn send(&mut self, lines: &str) -> io::Result<()> {
        self.stream.write_all(lines.as_bytes())
    }

    /// As [`Reader::next`], after the news that were kept.
    pub(super) fn next(&mut self, deadline: Deadline) -> Result<(String, ServerMessage), Failure> {
        match self.early.pop_front() {
            Some(news) => Ok(news),
            None => self.reader.next(deadline),
        }
    }

    /// Whether the next message is here, so that [`Self::next`] does not wait for it.
    pub(super) fn has_next(&self) -> bool {
        !self.early.is_empty() || self.reader.has_line()
    }

    /// As [`Reader::next_answer`].
    pub(super) fn next_answer(&mut self, deadline: Deadline) -> Result<ServerMessage, Failure> {
        self.reader.next_answer(deadline)
    }

    /// The half that reads, and the one that writes.
    pub(super) fn split(self) -> (Reader, TcpStream) {
        (self.reader, self.stream)
    }

    /// Sends `quit` and waits until the server closes the connection: then the name is free.
    pub(super) fn close(mut self) {
        if self.send("quit\n").is_ok() {
            let deadline = Deadline::after(GOODBYE_MAX);
            while self.next_answer(deadline).is_ok() {}
        }
    }
}
