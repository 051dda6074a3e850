//! What lines come to: the steps that a connection has for the broker, line by line and by the manual.

use std::sync::Arc;

use pipechat::{
    chat::{Command, Departure},
    protocol::{
        Dialect, Envelope, FormError, Limits, Line, Reply, Setting, Step,
        foreign::{self, Foreign},
    },
};

/// What a line means, or what is wrong with it.
pub(crate) type Meaning = Result<Line, FormError>;

/// What the lines so far have changed for those that follow.
pub(crate) struct Understanding {
    limits: Arc<Limits>,
    dialect: Dialect,
    /// Lines so far that may tell another protocol: two do.
    lines: usize,
    is_over: bool,
}

impl Understanding {
    /// Of a connection that begins in this dialect.
    pub(crate) fn new(limits: Arc<Limits>, dialect: Dialect) -> Self {
        Self { limits, dialect, lines: 0, is_over: false }
    }

    /// The peer has negotiated for the first time: it is telnet.
    pub(crate) fn negotiated(&mut self) -> Vec<Step> {
        if self.is_over {
            return Vec::new();
        }
        self.dialect.envelope = Envelope::CrLf;
        vec![Step::Speak(self.dialect)]
    }

    /// Whether it has.
    pub(crate) fn is_telnet(&self) -> bool {
        self.dialect.envelope == Envelope::CrLf
    }

    /// The steps of the next line: none for a blank one, and none behind the end.
    pub(crate) fn steps(&mut self, line: &Meaning) -> Vec<Step> {
        match line {
            Ok(Line::Command(Command::Say(text))) => self.steps_of(Some(text), line),
            Ok(Line::Blank) | Err(FormError::TooLong(_) | FormError::NotUtf8 | FormError::Nul) => {
                self.steps_of(None, line)
            }
            // A command, which begins no other protocol.
            Ok(_) | Err(_) => self.steps_of(Some("sync|"), line),
        }
    }

    /// The same, as the line is written, if it is text: only its writing tells another protocol.
    pub(crate) fn steps_of(&mut self, written: Option<&str>, line: &Meaning) -> Vec<Step> {
        if self.is_over {
            return Vec::new();
        }
        if let Some(written) = written.filter(|_| self.lines < 2) {
            let foreign = foreign::of_line(written).filter(|_| self.lines == 0);
            self.lines += usize::from(matches!(line, Ok(Line::Command(Command::Say(_)))));
            if foreign::is_host_header(written) || foreign == Some(Foreign::Http) {
                return self.close(Departure::Http);
            } else if foreign == Some(Foreign::Other) {
                return self.close(Departure::OtherProtocol);
            }
        }
        match line {
            Err(error) => vec![Step::Reply(Reply::Refused(*error))],
            Ok(Line::Blank) => Vec::new(),
            Ok(Line::Command(command)) => vec![Step::Command(command.clone())],
            Ok(Line::Check(token)) => vec![Step::Check(token.clone())],
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
            Setting::Visit => return vec![Step::Visit, Step::Reply(Reply::Set(setting))],
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
