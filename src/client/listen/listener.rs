//! A listener: joins its rooms, behind what it has printed of them, and prints what it is told. Each line moves its position
//! forward, and no line is left out or printed twice, over as many connections as it takes.

use std::sync::Arc;

use pipechat::{
    chat::{Done, Event, LOBBY, Position, PublicEvent, RoomName},
    protocol::{Lang, Verb},
};

use super::{
    super::{
        ANSWER_MAX, Deadline, Failure, Outcome, complain,
        connection::{Connection, NOT_JOINED},
        message::{HISTORY_GONE, News, NewsEvent, ServerMessage},
        printer::Printer,
        start::{Since, Start},
    },
    Progress, is_lobby,
};

/// How often the server may say on one connection that a room's history is gone. It goes on to lose some meanwhile, but a
/// server that says so again and again keeps nothing.
const GONE_MAX: usize = 5;
/// That the server is older than history, or keeps none.
pub(in crate::client) const LACKS_HISTORY: &str = "the server is older than this client and has no history";
pub(in crate::client) const KEEPS_NOTHING: &str = "the server keeps no history";
/// News that are held back while rooms are joined, and bytes of their lines: much more than can happen meanwhile.
const HELD_COUNT_MAX: usize = 10_000;
const HELD_BYTES_MAX: usize = 4 << 20;

/// What it means that the history from the first position on is not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::client) enum Gone {
    /// It is told, and the oldest that is kept comes next.
    Told,
    /// It is an error.
    Refused,
}

#[derive(Debug)]
pub(in crate::client) struct Listener<'a> {
    pub(in crate::client) printer: Printer<'a>,
    /// Lines to be printed; `usize::MAX` means no limit.
    pub(in crate::client) left: usize,
    /// The rooms to be joined. Where there is none, the connection is in the lobby, and has no history.
    pub(in crate::client) rooms: Vec<String>,
    /// Where to begin as long as there is no position.
    pub(in crate::client) start: Start,
    pub(in crate::client) progress: Progress,
    pub(in crate::client) gone: Gone,
    pub(in crate::client) deadline: Deadline,
}

/// What was told while rooms are joined one after the other: to be printed in its order when all are.
#[derive(Debug, Default)]
struct Held {
    news: Vec<(u64, String, News)>,
    bytes: usize,
}

impl Listener<'_> {
    /// Joins the rooms, and prints what has happened there since the position. Returns when what comes next is live, or when
    /// enough was printed.
    ///
    /// # Errors
    /// The server refuses a room, or ends the connection; the output takes no more.
    pub(in crate::client) fn enter(&mut self, connection: &mut Connection) -> Outcome {
        let mut held = None;
        let start = self.start_on(connection);
        if self.next_start() != start {
            complain(&format!("{LACKS_HISTORY}: going on from now"));
        }
        if self.rooms.len() > 1 {
            if start != Start::Now {
                self.merge(connection)?;
            }
            held = Some(Held::default());
        }
        let mut reached = None;
        for room in self.rooms.clone() {
            if self.left == 0 {
                break;
            }
            if connection.lacks_history && is_lobby(&room) {
                continue; // it is in there, and the server may be older than rooms
            }
            reached = self.join(connection, &room, &mut held)?;
        }
        self.release(held.unwrap_or_default(), connection.lang)?;
        self.progress.freeze(false);
        match reached {
            Some(position) if self.left > 0 => self.progress.reach(position),
            None if self.left > 0 && start != Start::Now => complain(&format!("{KEEPS_NOTHING}: going on from now")),
            Some(_) | None => {}
        }
        self.progress.save()
    }

    /// Prints what comes on this connection, until no more lines are `left` to print.
    ///
    /// # Errors
    /// The server ends the connection; the output takes no more.
    pub(in crate::client) fn follow(&mut self, connection: &mut Connection) -> Outcome {
        while self.left > 0 {
            if !connection.has_next() {
                self.progress.save()?;
            }
            let (line, message) = connection.next(self.deadline)?;
            if let ServerMessage::News(news) = message {
                self.emit(&line, &news, connection.lang)?;
            }
        }
        self.progress.save()
    }

    /// Where what is told next is to begin.
    pub(super) fn next_start(&self) -> Start {
        self.progress.position().map_or_else(|| self.start.clone(), |position| Start::Since(position.into()))
    }

    /// The same on this connection.
    fn start_on(&self, connection: &Connection) -> Start {
        if connection.lacks_history { Start::Now } else { self.next_start() }
    }

    /// Prints it if it is to be printed, and was not yet.
    pub(super) fn emit(&mut self, line: &str, news: &News, lang: Lang) -> Outcome {
        if self.left == 0 || news.position.is_some_and(|position| self.progress.includes(position)) {
            return Ok(());
        }
        let is_printed = self.printer.print(line, news, lang)?;
        if is_printed && self.left < usize::MAX {
            self.left -= 1;
        }
        if let Some(position) = news.position {
            self.progress.reach(position);
            if is_printed {
                self.progress.save()?;
            }
        }
        Ok(())
    }

    /// Joins a room, and is told before what was missed. Returns the position behind all of that.
    fn join(
        &mut self,
        connection: &mut Connection,
        room: &str,
        held: &mut Option<Held>,
    ) -> Result<Option<Position>, Failure> {
        let (mut start, mut times_gone) = (self.start_on(connection), 0);
        loop {
            let before = self.progress.position();
            match self.try_to_join(connection, room, &start, held)? {
                Joined::Yes(position) => return Ok(position),
                Joined::Gone(oldest, text) => {
                    times_gone += 1;
                    if self.progress.position() != before {
                        start = self.next_start(); // some was told before
                    }
                    if self.gone == Gone::Refused {
                        return Err(refusal(room, oldest));
                    }
                    if start == Start::Now {
                        return Err(Failure::Lost(format!("{NOT_JOINED}{room}: {text}"))); // nothing was asked for
                    }
                    start = self.tell_gone(room, &start, oldest.filter(|_| times_gone < GONE_MAX));
                }
            }
        }
    }

    /// Tells that what has happened in `room` is not kept from there on. Returns where to go on.
    pub(super) fn tell_gone(&self, room: &str, start: &Start, oldest: Option<Position>) -> Start {
        let since = match start {
            Start::Since(since) => format!(" since {since}"),
            Start::Last(_) | Start::Now => String::new(),
        };
        let (place, next) = match oldest {
            Some(oldest) => (oldest.to_string(), Start::Since(Since::from(oldest))),
            None => ("now".to_owned(), Start::Now),
        };
        complain(&format!("{room}: some of what was said{since} is not kept any more; going on from {place}"));
        next
    }

    fn try_to_join(
        &mut self,
        connection: &mut Connection,
        room: &str,
        start: &Start,
        held: &mut Option<Held>,
    ) -> Result<Joined, Failure> {
        connection.send(&start.join(room)).ok(); // if that fails, reading tells why
        let mut is_told = *start == Start::Now;
        let mut deadline = self.deadline.sooner(Deadline::after(ANSWER_MAX));
        while self.left > 0 {
            let (line, message) = connection.next(deadline)?;
            match message {
                // It comes again, with what was missed.
                ServerMessage::News(News { room: of, position: Some(_), .. }) if !is_told && is_same(&of, room) => {}
                // Nothing is heard in a room before one's own arrival, and that is no news.
                ServerMessage::News(News {
                    event: NewsEvent::Public(PublicEvent::Joined(_)),
                    room: of @ Some(_),
                    ..
                }) if is_same(&of, room) => {}
                ServerMessage::News(news) => self.take(line, news, held, connection.lang)?,
                ServerMessage::Past(past) if !is_told => {
                    self.take(line, past.into_news(), held, connection.lang)?;
                    deadline = self.deadline.sooner(Deadline::after(ANSWER_MAX));
                }
                ServerMessage::Answer(Event::Done(Done::History { .. })) => is_told = true,
                ServerMessage::Answer(Event::Done(Done::Join { position, .. })) => return Ok(Joined::Yes(position)),
                ServerMessage::Refused { verb, code, text, position, .. } if verb == Verb::Join.word() => {
                    if code != HISTORY_GONE {
                        return Err(Failure::Refused(Some(format!("{NOT_JOINED}{room}: {text}"))));
                    }
                    return Ok(Joined::Gone(position, text));
                }
                ServerMessage::Past(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Refused { .. }
                | ServerMessage::Farewell { .. } => {}
            }
        }
        Ok(Joined::Yes(None))
    }

    /// Prints this, or holds it back.
    fn take(&mut self, line: String, news: News, held: &mut Option<Held>, lang: Lang) -> Outcome {
        let Some(holder) = held else { return self.emit(&line, &news, lang) };
        holder.push(line, news);
        if holder.is_full() {
            self.progress.freeze(true);
            self.release(std::mem::take(holder), lang)?;
        }
        Ok(())
    }

    /// Prints what was held back.
    fn release(&mut self, mut held: Held, lang: Lang) -> Outcome {
        held.news.sort_by_key(|(n, ..)| *n); // stable: what has no number of its own stays where it is
        held.news.iter().try_for_each(|(_, line, news)| self.emit(line, news, lang))
    }
}

impl Held {
    fn push(&mut self, line: String, news: News) {
        let last = self.news.last().map_or(0, |(n, ..)| *n);
        self.bytes += line.len();
        self.news.push((news.position.map_or(last, |position| position.n), line, news));
    }

    fn is_full(&self) -> bool {
        self.news.len() >= HELD_COUNT_MAX || self.bytes >= HELD_BYTES_MAX
    }
}

/// How the server has answered a `join`.
enum Joined {
    /// The client is in the room; what comes next there is behind this.
    Yes(Option<Position>),
    /// It is not, because what was to be told is not kept any more; the oldest position that is, and a sentence.
    Gone(Option<Position>, String),
}

/// That the history of a room is gone, as an error. In the client's language: the server's sentence may be in another.
pub(in crate::client) fn refusal(room: &str, oldest: Option<Position>) -> Failure {
    let oldest = oldest.map_or_else(
        || "the server keeps none".to_owned(),
        |oldest| format!("the oldest is what follows {oldest} (--since {oldest})"),
    );
    Failure::Refused(Some(format!("{room}: older history is gone; {oldest}")))
}

/// Whether news of this room (`None` for the lobby) are of the room that is called so.
fn is_same(of: &Option<Arc<str>>, name: &str) -> bool {
    match (RoomName::parse(of.as_deref().unwrap_or(LOBBY)), RoomName::parse(name)) {
        (Ok(of), Ok(name)) => of.key() == name.key(),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
