//! `pipechat wait`: the server's `wait`, with an exit code.

use std::time::Duration;

use pipechat::chat::Event;

use super::{
    Deadline, Failure, Outcome, WaitArgs,
    args::{field, timeout},
    connection::{ConnectOptions, Connection},
    message::ServerMessage,
};

/// How much longer the client waits than it asks the server to, so that the server's answer has time to arrive.
const GRACE: Duration = Duration::from_secs(2);

impl WaitArgs {
    /// Runs the subcommand.
    pub(crate) fn run(&self) -> Outcome {
        let timeout = timeout(self.timeout)?;
        let (until, deadline) = (Deadline::after(timeout), Deadline::after(timeout + GRACE));
        self.check()?;
        let options = ConnectOptions {
            host: &self.host,
            port: self.port,
            name: None,
            lang: self.lang,
            idle_exempt: false,
            keeps_news: false,
        };
        let mut connection = Connection::open(&options, deadline)?;
        // What is left of the time, as the server parses it: digits and a point.
        let left = until.left().unwrap_or(timeout).as_secs_f64();
        connection.send(&format!("wait|{left:.3}|{}|{}\n", self.kind, self.arg)).ok();
        loop {
            match connection.next_answer(deadline)? {
                ServerMessage::Answer(Event::WaitMet(_)) => break,
                ServerMessage::Answer(Event::WaitTimedOut) => return Err(Failure::TimedOut("timed out".to_owned())),
                ServerMessage::Refused { text, .. } => return Err(Failure::Refused(Some(text))),
                ServerMessage::News(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Farewell { .. } => {}
            }
        }
        connection.close();
        Ok(())
    }

    fn check(&self) -> Outcome {
        let arg = &self.arg;
        match &*self.kind {
            "user" | "gone" => field("NAME", arg).map(|_| ()),
            "users" if arg.parse::<usize>().is_ok() => Ok(()),
            "users" => Err(Failure::Usage(format!("users takes a number, not {arg:?}"))),
            "text" if arg.is_empty() => Err(Failure::Usage("PART is empty".to_owned())),
            "text" if arg.contains(['\n', '\r', '\0']) => Err(Failure::Usage("PART must be one line".to_owned())),
            "text" => Ok(()),
            other => Err(Failure::Usage(format!("wait for user, gone, users or text, not for {other:?}"))),
        }
    }
}
