//! What lines come to: the steps that a connection has for the broker, line by line and by the README.

use std::{mem, sync::Arc};

use pipechat::{
    chat::{Command, Departure},
    protocol::{Dialect, FormError, Limits, Line, Reply, Setting, Step},
};

/// What a line means, or what is wrong with it.
pub(crate) type Meaning = Result<Line, FormError>;

/// What the lines so far have changed for those that follow.
pub(crate) struct Understanding {
    limits: Arc<Limits>,
    dialect: Dialect,
    has_spoken: bool,
    is_over: bool,
}

impl Understanding {
    /// Of a connection that begins in this dialect.
    pub(crate) fn new(limits: Arc<Limits>, dialect: Dialect) -> Self {
        Self { limits, dialect, has_spoken: false, is_over: false }
    }

    /// The steps of the next line: none for a blank one, and none behind the end.
    pub(crate) fn steps(&mut self, line: &Meaning) -> Vec<Step> {
        if self.is_over {
            return Vec::new();
        }
        let is_first = !mem::replace(&mut self.has_spoken, true);
        match line {
            Err(error) => vec![Step::Reply(Reply::Refused(*error))],
            Ok(Line::Blank) => Vec::new(),
            Ok(Line::Command(command)) => vec![Step::Command(command.clone())],
            Ok(Line::Http(_)) if is_first => self.close(Departure::Http),
            Ok(Line::Http(text)) => vec![Step::Command(Command::Say(text.clone()))],
            Ok(Line::Quit) => self.close(Departure::Quit),
            Ok(Line::Help) => vec![Step::Reply(Reply::Help(Arc::clone(&self.limits)))],
            Ok(Line::Set(setting)) => self.set(*setting),
        }
    }

    fn set(&mut self, setting: Setting) -> Vec<Step> {
        match setting {
            Setting::Stay if self.limits.strict_idle => {
                return vec![Step::Reply(Reply::Refused(FormError::StayForbidden))];
            }
            Setting::Stay => return vec![Step::Reply(Reply::Set(setting))],
            Setting::Format(format) => self.dialect.format = format,
            Setting::Lang(lang) => self.dialect.lang = lang,
        }
        vec![Step::Speak(self.dialect), Step::Reply(Reply::Set(setting))]
    }

    fn close(&mut self, departure: Departure) -> Vec<Step> {
        self.is_over = true;
        vec![Step::Close(departure)]
    }
}
