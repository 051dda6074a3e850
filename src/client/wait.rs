//! `pipechat wait`: the server's `wait`, with an exit code.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use pipechat::{
    Config,
    chat::{Event, Name},
};

use super::{
    Deadline, Failure, Outcome, WaitArgs,
    args::field,
    connection::{ConnectOptions, Connection},
    message::{ServerMessage, rule_of_names},
    retry::open_when_up,
};

/// The least time that an endless wait asks for at once.
const ASKED_MIN: Duration = Duration::from_secs(1);

/// How the server has answered.
enum Answer {
    Met,
    TimedOut,
    /// It allows no such long wait.
    TooLong(String),
}

impl WaitArgs {
    /// Runs the subcommand. With no limit of its own, it asks for the longest wait that the server allows, again and again.
    pub(crate) fn run(&self) -> Outcome {
        self.check()?;
        let deadline = Deadline::of(self.timeout);
        let is_endless = deadline.left().is_none();
        let options = ConnectOptions::new(&self.host, self.port, self.lang);
        let mut longest = Config::DURATION_MAX;
        let mut connection = open_when_up(&options, deadline)?;
        loop {
            let asked = Instant::now();
            match self.ask(&mut connection, deadline.left().unwrap_or(longest), deadline)? {
                Answer::Met => break,
                Answer::TooLong(_) if is_endless && longest > ASKED_MIN => longest /= 2,
                Answer::TooLong(text) => return Err(Failure::Refused(Some(text))),
                Answer::TimedOut if is_endless => {
                    // A server that does not wait is not to be asked all the time.
                    thread::sleep(ASKED_MIN.saturating_sub(asked.elapsed()));
                    connection = open_when_up(&options, deadline)?;
                }
                Answer::TimedOut => return Err(Failure::TimedOut("timed out".to_owned())),
            }
        }
        connection.close();
        Ok(())
    }

    /// Asks the server to wait for so long.
    fn ask(&self, connection: &mut Connection, time: Duration, deadline: Deadline) -> Result<Answer, Failure> {
        connection.send(&format!("wait|{:.3}|{}|{}\n", time.as_secs_f64(), self.kind, self.arg)).ok();
        loop {
            match connection.next_answer(deadline)? {
                ServerMessage::Answer(Event::WaitMet(_)) => return Ok(Answer::Met),
                ServerMessage::Answer(Event::WaitTimedOut) => return Ok(Answer::TimedOut),
                ServerMessage::Refused { code, text } if code == "wait-too-long" => return Ok(Answer::TooLong(text)),
                ServerMessage::Refused { text, .. } => return Err(Failure::Refused(Some(text))),
                ServerMessage::News(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Farewell { .. } => {}
            }
        }
    }

    fn check(&self) -> Outcome {
        let arg = &self.arg;
        let usage = |sentence: String| Err(Failure::Usage(sentence));
        match &*self.kind {
            "user" | "gone" => user_name(arg),
            "users" if arg.parse::<usize>().is_ok() => Ok(()),
            "users" => usage(format!("wait users needs a number, not {arg:?}")),
            "text" if arg.is_empty() => usage("wait text needs a non-empty argument".to_owned()),
            "text" if arg.contains(['\n', '\r', '\0']) => usage("wait text needs a single line".to_owned()),
            "text" => Ok(()),
            other => usage(format!("unknown condition {other:?}; expected user, gone, users or text")),
        }
    }
}

/// Checks that a user can have this name, or be called by this address.
fn user_name(text: &str) -> Outcome {
    field("NAME", text)?;
    match Name::parse(text) {
        Err(rule) if text.parse::<SocketAddr>().is_err() => {
            Err(Failure::Usage(format!("no user can be called {text:?}: {}", rule_of_names(rule))))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
