//! `pipechat history`: prints what was said in a room, oldest first, and on request what is said from then on.

use pipechat::chat::Position;

use super::{
    Deadline, Failure, HistoryArgs, Outcome,
    connection::Connection,
    endpoint::Endpoint,
    fields::room,
    filter::Filter,
    listen::{Gone, KEEPS_NOTHING, LACKS_HISTORY, Listener, Progress, refusal},
    options::ConnectOptions,
    pages::{Page, Told, leads_on, read_page},
    printer::Printer,
    start::{Since, Start},
    stdout,
    token::Token,
};

impl HistoryArgs {
    /// Runs the subcommand. It visits, so nobody is told of it, unless it stays in the room to follow it.
    pub(crate) fn run(&self) -> Outcome {
        room("ROOM", &self.room)?;
        let start = match (self.last, &self.since) {
            (Some(_), Some(_)) => return Err(Failure::Usage("--last and --since exclude each other".to_owned())),
            (Some(count), None) => Start::Last(count),
            (None, Some(since)) => Start::Since(since.clone()),
            (None, None) => Start::Last(LAST),
        };
        let printer = Printer { filter: Filter::everything(), part: None, is_json: self.json, has_times: true };
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let options = ConnectOptions::new(&endpoint, self.lang).visiting().asking_for_history(true);
        let options = options.logging_in(token.as_ref());
        if self.follow {
            stdout::exit_when_unread();
            let mut connection = Connection::open(&options.listening(None), Deadline::of(self.timeout))?;
            let mut listener = Listener {
                printer,
                left: usize::MAX,
                rooms: vec![self.room.clone()],
                start,
                progress: Progress::new(None, None),
                gone: Gone::Refused,
                deadline: Deadline::NEVER,
            };
            return listener.enter(&mut connection).and_then(|()| listener.follow(&mut connection));
        }
        let mut connection = Connection::open(&options, Deadline::of(self.timeout))?;
        if connection.lacks_history {
            connection.close();
            return Err(Failure::Refused(Some(LACKS_HISTORY.to_owned())));
        }
        self.print_pages(&mut connection, start, &printer)?;
        connection.close();
        Ok(())
    }

    /// Prints all pages from there up to what happens last before this is called.
    fn print_pages(&self, connection: &mut Connection, mut start: Start, printer: &Printer<'_>) -> Outcome {
        let (lang, mut after) = (connection.lang, None);
        // However fast a room is, that is the end. The last few are one page.
        let last = match start {
            Start::Last(_) => None,
            Start::Now | Start::Since(_) => self.page(connection, &Start::Now, None, |_, _| Ok(()))?.0,
        };
        let is_later = |position: Position| last.is_some_and(|last| leads_on(Some(last), position));
        loop {
            let (end, has_more) = self.page(connection, &start, after, |line, told| match told {
                Told::Past(past) if is_later(past.position) => Ok(()),
                Told::Past(past) => printer.print(line, &past.into_news(), lang).map(|_| ()),
                Told::News(_) => Ok(()),
            })?;
            match end {
                Some(end) if has_more && last.is_some_and(|last| leads_on(Some(end), last)) => {
                    (start, after) = (Start::Since(Since::from(end)), Some(end));
                }
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Reads a page. Returns the position behind it, and whether there is more.
    fn page(
        &self,
        connection: &mut Connection,
        start: &Start,
        after: Option<Position>,
        take: impl FnMut(&str, Told) -> Outcome,
    ) -> Result<(Option<Position>, bool), Failure> {
        match read_page(connection, &self.room, start, after, (self.timeout, Deadline::NEVER), take)? {
            Page::Told { end: None, .. } => Err(Failure::Refused(Some(format!("{}: {KEEPS_NOTHING}", self.room)))),
            Page::Told { end, has_more } => Ok((end, has_more)),
            Page::Gone(oldest) => Err(refusal(&self.room, oldest)),
            Page::Refused(text) => Err(Failure::Refused(Some(format!("{}: {text}", self.room)))),
        }
    }
}

/// How many events are printed if nothing else is asked for.
const LAST: usize = 20;
