//! `pipechat wait`: the server's `wait`, with an exit code.

use std::{
    thread,
    time::{Duration, Instant},
};

use pipechat::{Config, chat::Event};

use super::{
    Deadline, Failure, Outcome, WaitArgs,
    connection::Connection,
    endpoint::Endpoint,
    fields::{room, user_name},
    message::ServerMessage,
    options::ConnectOptions,
    retry::open_when_up,
    token::Token,
};

/// The least time that an endless wait asks for at once.
const ASKED_MIN: Duration = Duration::from_secs(1);

/// What stands for a room where a text is said to one alone.
const PRIVATE: &str = "@";

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
        let endpoint = Endpoint::new(&self.host, self.port, self.tls, self.ca.as_deref(), self.insecure)?;
        let token = Token::choose(self.token.as_ref(), self.token_file.as_deref())?;
        let options = ConnectOptions::new(&endpoint, self.lang).logging_in(token.as_ref());
        // One that logs in must not take the name from its owner.
        let options = if token.is_some() { options.visiting() } else { options };
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
        let rest: String = self.rest.iter().map(|field| format!("|{field}")).collect();
        connection.send(&format!("wait|{:.3}|{}|{}{rest}\n", time.as_secs_f64(), self.kind, self.arg)).ok();
        loop {
            match connection.next_answer(deadline)? {
                ServerMessage::Answer(Event::WaitMet(_)) => return Ok(Answer::Met),
                ServerMessage::Answer(Event::WaitTimedOut) => return Ok(Answer::TimedOut),
                ServerMessage::Refused { code, text, .. } if code == "wait-too-long" => {
                    return Ok(Answer::TooLong(text));
                }
                ServerMessage::Refused { text, .. } => return Err(Failure::Refused(Some(text))),
                ServerMessage::News(_)
                | ServerMessage::Past(_)
                | ServerMessage::Answer(_)
                | ServerMessage::Set(_)
                | ServerMessage::Help(_)
                | ServerMessage::Farewell { .. } => {}
            }
        }
    }

    fn check(&self) -> Outcome {
        let (kind, arg) = (&*self.kind, &*self.arg);
        let missing = |what| Err(Failure::Usage(format!("missing {what}")));
        let rest: Vec<_> = self.rest.iter().map(String::as_str).collect();
        match (kind, &*rest) {
            ("user" | "gone", []) => user_name(arg),
            ("users", []) => number(kind, arg),
            ("text", []) => part(kind, arg),
            ("members", [members]) => room("ROOM", arg).and_then(|_| number(kind, members)),
            ("in", [text]) => room("ROOM", arg).and_then(|_| part(kind, text)),
            ("by", [PRIVATE, text]) => user_name(arg).and_then(|()| part(kind, text)),
            ("by", [of, text]) => user_name(arg).and_then(|()| room("ROOM", of)).and_then(|_| part(kind, text)),
            ("members", []) => missing("N"),
            ("in", []) | ("by", [_]) => missing("PART"),
            ("by", []) => missing("ROOM"),
            ("user" | "gone" | "users" | "text", [word, ..])
            | ("members" | "in", [_, word, ..])
            | ("by", [_, _, word, ..]) => Err(Failure::Usage(format!("unexpected argument {word:?}"))),
            (other, _) => Err(Failure::Usage(format!(
                "unknown condition {other:?}; expected user, gone, users, text, members, in or by"
            ))),
        }
    }
}

fn number(kind: &str, text: &str) -> Outcome {
    match text.parse::<usize>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Failure::Usage(format!("wait {kind} needs a number, not {text:?}"))),
    }
}

/// Checks that a text can contain this.
fn part(kind: &str, text: &str) -> Outcome {
    if text.is_empty() {
        Err(Failure::Usage(format!("wait {kind} needs a non-empty argument")))
    } else if text.contains(['\n', '\r', '\0']) {
        Err(Failure::Usage(format!("wait {kind} needs a single line")))
    } else {
        Ok(())
    }
}
