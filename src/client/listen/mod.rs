//! `pipechat listen`: prints the news, a line each, as they come, and before them what was missed.

mod listener;
mod merge;
mod progress;

use std::collections::HashSet;

use pipechat::chat::{LOBBY, RoomName};

pub(super) use listener::{Gone, KEEPS_NOTHING, LACKS_HISTORY, Listener, refusal};
pub(super) use progress::Progress;

use super::{
    ANSWER_MAX, Deadline, Failure, ListenArgs, Outcome,
    endpoint::Endpoint,
    fields::{field, room},
    filter::Filter,
    options::ConnectOptions,
    printer::Printer,
    resume::ResumeFile,
    retry::{open_persistently, open_when_up, reopen_with},
    start::Start,
    stdout,
    token::Token,
};

impl ListenArgs {
    /// Runs the subcommand.
    pub(crate) fn run(&self) -> Outcome {
        self.room.iter().try_for_each(|name| room("--room", name).map(|_| ()))?;
        // An empty `$variable` must not let everything pass, or nothing.
        if let Some(name) = &self.from {
            field("--from", name)?;
        }
        if self.part.as_deref() == Some("") {
            return Err(Failure::Usage("--match must not be empty".to_owned()));
        }
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let options = ConnectOptions::new(&endpoint, self.lang).listening(self.name.as_deref());
        let options = options.logging_in(token.as_ref());
        let leaves_lobby = !self.room.is_empty() && !self.room.iter().any(|name| is_lobby(name));
        let options = options.joining(&[], leaves_lobby).asking_for_history(self.goes_on());
        options.check()?;
        let mut listener = self.listener()?;
        stdout::exit_when_unread();
        let deadline = listener.deadline;
        let mut connection = if self.reconnect {
            open_persistently(&options, deadline)?
        } else {
            open_when_up(&options, deadline.or_after(ANSWER_MAX))?
        };
        let mut outcome = listener.enter(&mut connection).and_then(|()| listener.follow(&mut connection));
        while let Err(failure) = outcome {
            let reason = match failure {
                Failure::Lost(reason) if self.reconnect => reason,
                Failure::TimedOut(reason) if self.reconnect && !deadline.has_passed() => reason,
                failure => return Err(failure),
            };
            connection = reopen_with(&options, &reason, deadline, |connection| listener.enter(connection))?;
            outcome = listener.follow(&mut connection);
        }
        connection.close();
        Ok(())
    }

    /// Whether it may ask for what was missed.
    fn goes_on(&self) -> bool {
        self.since.is_some() || self.resume.is_some() || self.reconnect
    }

    fn listener(&self) -> Result<Listener<'_>, Failure> {
        let (file, saved) = match self.resume.as_deref().map(ResumeFile::open).transpose()? {
            Some((file, saved)) => (Some(file), saved),
            None => (None, None),
        };
        // A position is known only if the answer to a `join` tells one.
        let rooms = if self.room.is_empty() && self.goes_on() { vec![LOBBY.to_owned()] } else { distinct(&self.room) };
        let printer =
            Printer { filter: Filter::of(self), part: self.part.as_deref(), is_json: self.json, has_times: false };
        Ok(Listener {
            printer,
            left: self.count,
            rooms,
            start: self.since.clone().map_or(Start::Now, Start::Since),
            progress: Progress::new(saved, file),
            gone: Gone::Told,
            deadline: Deadline::of(self.timeout),
        })
    }
}

/// Each room once, as it is called first.
fn distinct(names: &[String]) -> Vec<String> {
    let mut keys = HashSet::new();
    let is_new = |name: &&String| RoomName::parse(name).map_or(true, |name| keys.insert(name.key().to_owned()));
    names.iter().filter(is_new).cloned().collect()
}

fn is_lobby(name: &str) -> bool {
    RoomName::parse(name).is_ok_and(|name| name.key() == LOBBY)
}
