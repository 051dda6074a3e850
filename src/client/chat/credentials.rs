//! What the user has logged in with, to do that again on the next connection. It is kept in memory alone. Knows no sockets.

use std::collections::VecDeque;

use pipechat::chat::{AccountDone, Done, Event, Secret};

use crate::client::{message::ServerMessage, token::Token};

/// How many lines are waited for. A person types none before the last was answered.
const ASKED_MAX: usize = 16;

/// What logs in, and what may come to.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// What was sent and is not answered, oldest first.
    asked: VecDeque<Asked>,
    login: Option<Token>,
}

/// A line with a secret.
#[derive(Debug)]
enum Asked {
    /// What stands behind `login|`.
    Login(Secret),
    /// The password that the account is to have.
    Password(Secret),
}

impl Credentials {
    /// The user sends this line.
    pub(super) fn sent(&mut self, line: &str) {
        let secret = |text: &str| Secret::new(text.to_owned());
        let asked = match line.split_once('|') {
            Some(("login", rest)) => Asked::Login(secret(rest)),
            Some(("register", password)) => Asked::Password(secret(password)),
            Some(("password", rest)) => Asked::Password(secret(rest.split_once('|').map_or(rest, |(_, new)| new))),
            Some(_) | None => return,
        };
        if self.asked.len() < ASKED_MAX {
            self.asked.push_back(asked);
        }
    }

    /// There is another connection: what was sent on the one before is not answered any more.
    pub(super) fn connected(&mut self) {
        self.asked.clear();
    }

    /// Learns from what the server says.
    pub(super) fn observe(&mut self, message: &ServerMessage) {
        match message {
            ServerMessage::Answer(Event::Done(Done::Account(done))) => match done {
                AccountDone::Login { name, .. } | AccountDone::Register(name) | AccountDone::Password(name) => {
                    self.login = self.asked.pop_front().map(|asked| match asked {
                        Asked::Login(secret) => Token::typed(secret),
                        Asked::Password(password) => Token::typed(Secret::new(format!("{name}|{}", password.reveal()))),
                    });
                }
                AccountDone::Unregister(_) => self.login = None,
                AccountDone::Token { .. } | AccountDone::Tokens(_) | AccountDone::Revoke(_) | AccountDone::Kept(_) => {}
            },
            ServerMessage::Refused { verb, .. } if matches!(&**verb, "login" | "register" | "password") => {
                self.asked.pop_front();
            }
            // The user has another name, or somebody has logged in to this one.
            ServerMessage::Answer(Event::Renamed { new, .. }) if !new.is_account => self.login = None,
            ServerMessage::News(_)
            | ServerMessage::Past(_)
            | ServerMessage::Answer(_)
            | ServerMessage::Set(_)
            | ServerMessage::Help(_)
            | ServerMessage::Refused { .. }
            | ServerMessage::Farewell { .. } => {}
        }
    }

    /// What logs in, if the user is logged in by something that was typed.
    pub(super) fn login(&self) -> Option<&Token> {
        self.login.as_ref()
    }

    /// It is of no use.
    pub(super) fn forget(&mut self) {
        self.login = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would be sent after these lines of the user (`>`) and these objects of the server.
    fn login(lines: &[&str]) -> String {
        let mut credentials = Credentials::default();
        for line in lines {
            match line.strip_prefix('>') {
                Some(line) => credentials.sent(line),
                None => credentials.observe(&ServerMessage::parse(line).unwrap()),
            }
        }
        credentials.login().map_or_else(String::new, Token::login)
    }

    #[test]
    fn what_was_accepted_logs_in_again() {
        let renamed = |account| {
            format!(r#"{{"event":"renamed","from":{{"name":"ann","addr":"::1"}},"old":"x","account":{account}}}"#)
        };
        let ok = |verb| format!(r#"{{"event":"ok","verb":"{verb}","text":"ann","count":0}}"#);
        let refused = |verb| format!(r#"{{"event":"refused","verb":"{verb}","code":"x","text":"no"}}"#);
        let [login_ok, register_ok, password_ok] = ["login", "register", "password"].map(ok);
        let (in_name, out_name) = (renamed("\"ann\""), renamed("null"));
        let typed = [">login|ann|wrong one", ">login|ann|right one"];
        for (lines, line) in [
            (&[typed[1], &*in_name, &*login_ok][..], "login|ann|right one\n"),
            (&[typed[0], typed[1], &refused("login"), &in_name, &login_ok], "login|ann|right one\n"),
            (&[typed[1]], ""),
            (&[typed[1], &in_name, &login_ok, &out_name], ""),
            (&[">register|right one", &register_ok], "login|ann|right one\n"),
            (&[typed[0], &login_ok, ">password|wrong one|right one", &password_ok], "login|ann|right one\n"),
            (&[typed[1], &login_ok, ">password|x|y", &refused("password")], "login|ann|right one\n"),
            (&[typed[1], &login_ok, &ok("unregister")], ""),
            (&[">hello", ">login|pc_0123456789abcdefghjkmnpqrs", &login_ok], "login|pc_0123456789abcdefghjkmnpqrs\n"),
        ] {
            assert_eq!(login(lines), line, "{lines:?}");
        }
    }
}
