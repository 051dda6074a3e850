//! `pipechat listen`: prints the news, a line each, as they come.

use pipechat::chat::{LOBBY, RoomName, composed};

use super::{
    ANSWER_MAX, Deadline, Failure, ListenArgs, Outcome,
    connection::{ConnectOptions, Connection},
    fields::{field, room},
    filter::Filter,
    json::escaped_json,
    message::ServerMessage,
    print,
    retry::{open_persistently, open_when_up, reopen},
    stdout,
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
        stdout::exit_when_unread();
        let deadline = Deadline::of(self.timeout);
        let leaves_lobby = !self.room.is_empty() && !self.room.iter().any(|name| is_lobby(name));
        let options = ConnectOptions::new(&self.host, self.port, self.lang)
            .listening(self.name.as_deref())
            .joining(&self.room, leaves_lobby);
        let (filter, mut left) = (Filter::of(self), self.count);
        let mut connection = if self.reconnect {
            open_persistently(&options, deadline)?
        } else {
            open_when_up(&options, deadline.or_after(ANSWER_MAX))?
        };
        loop {
            match self.follow(&mut connection, &filter, &mut left, deadline) {
                Ok(()) => break,
                Err(Failure::Lost(reason)) if self.reconnect => connection = reopen(&options, &reason, deadline)?,
                Err(failure) => return Err(failure),
            }
        }
        connection.close();
        Ok(())
    }

    /// Prints what comes on this connection, until no more lines are `left` to print.
    fn follow(&self, connection: &mut Connection, filter: &Filter, left: &mut usize, deadline: Deadline) -> Outcome {
        let mut early = std::mem::take(&mut connection.early).into_iter();
        while *left > 0 {
            let (line, message) = match early.next() {
                Some(news) => news,
                None => connection.next(deadline)?,
            };
            if let ServerMessage::News(event, _) = &message
                && filter.admits(event)
                && self.print(&line, &message, connection)?
                && self.count < usize::MAX
            {
                *left -= 1;
            }
        }
        Ok(())
    }

    /// Prints this message, which came as `line`, if it matches. Returns whether it does.
    fn print(&self, line: &str, message: &ServerMessage, connection: &Connection) -> Result<bool, Failure> {
        let mut bytes = if self.json { escaped_json(line).into_bytes() } else { message.in_text(connection.lang) };
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        let text = String::from_utf8_lossy(&bytes[..bytes.len() - 1]);
        if self.part.as_deref().is_some_and(|part| !composed(&text).contains(&*composed(part))) {
            return Ok(false);
        }
        print(&bytes)?;
        Ok(true)
    }
}

fn is_lobby(name: &str) -> bool {
    RoomName::parse(name).is_ok_and(|name| name.key() == LOBBY)
}
