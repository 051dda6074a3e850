//! `pipechat who`: the server's `who`, for scripts.

use pipechat::chat::Event;

use super::{
    Deadline, Outcome, WhoArgs, connection::Connection, endpoint::Endpoint, json::escaped_json, message::ServerMessage,
    options::ConnectOptions, print, token::Token,
};

impl WhoArgs {
    /// Runs the subcommand. It visits, so it is not among those who are here.
    pub(crate) fn run(&self) -> Outcome {
        let deadline = Deadline::of(self.timeout);
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let options = ConnectOptions::new(&endpoint, self.lang).visiting().logging_in(token.as_ref());
        let mut connection = Connection::open(&options, deadline)?;
        connection.send("who\n").ok(); // if that fails, reading tells why
        let mut count = 0_usize;
        loop {
            let (line, message) = connection.next(deadline.or_after(super::ANSWER_MAX))?;
            match message {
                ServerMessage::Answer(Event::User(who)) => {
                    count += 1;
                    if !self.count {
                        let shown = if self.json { escaped_json(&line) } else { who.name.clone() };
                        print(format!("{shown}\n").as_bytes())?;
                    }
                }
                ServerMessage::Answer(Event::UsersEnd(_)) => break,
                ServerMessage::News(_)
                | ServerMessage::Past(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Refused { .. }
                | ServerMessage::Farewell { .. } => {}
            }
        }
        if self.count {
            print(format!("{count}\n").as_bytes())?;
        }
        connection.close();
        Ok(())
    }
}
