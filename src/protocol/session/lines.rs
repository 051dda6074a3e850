//! What a session makes of lines: commands for the chat, replies of its own, and the end.

use std::{mem, ops::ControlFlow, sync::Arc, time::Duration};

use super::{InputState, Session, Step, presence::Presence};
use crate::{
    chat::{Command, Departure},
    protocol::{
        dialect::Setting,
        line::{Frame, Line, parse_frame},
        reply::{FormError, Limits, Rate, Reply},
    },
};

/// Lines handed to the broker at once. Even lines of one letter, which become much longer with their sender before
/// them, make a bounded turn.
pub(super) const BATCH_LINES_MAX: usize = 256;
/// The same while other connections wait to be read: some microseconds of parsing for each of thousands.
pub(super) const BUSY_BATCH_LINES_MAX: usize = 32;

impl Session {
    /// Parses what can be parsed now.
    pub(super) fn advance(&mut self, now: Duration) {
        if self.may_parse() && !self.unparsed.is_empty() {
            self.parse_unparsed(self.batch_lines_max(), now);
        }
        if self.input == InputState::Ended && self.unparsed.is_empty() {
            self.finish(now);
        }
    }

    /// Hands the broker the last line, which needs no ending, and then the end of input. The latter does not wait for a credit,
    /// so that the answer to a pending wait can be the last line that the client is sent.
    fn finish(&mut self, now: Duration) {
        if self.may_parse() {
            self.parse_last(now);
        }
        if self.input == InputState::Ended && !self.framer.is_within_line() {
            match self.presence {
                Presence::Unannounced(_) if self.batch.lines == 0 => return self.abandon(),
                // It has only set up the connection: it is told so, and nobody is told of it.
                Presence::Unannounced(_) => self.batch.steps.push(Step::Close(Departure::Left)),
                Presence::Settled => self.batch.steps.push(Step::Eof),
            }
            self.presence = Presence::Settled;
            self.input = InputState::Finished;
        }
    }

    /// The most lines in the next batch: no more than the client may send at once.
    pub(super) fn batch_lines_max(&self) -> usize {
        let Rate { per_second, burst } = self.limits.rate;
        let most = if self.is_busy { BUSY_BATCH_LINES_MAX } else { BATCH_LINES_MAX };
        if per_second == 0 { most } else { most.min(burst.max(1) as usize) }
    }

    /// Takes the last line, which needs no ending, if there is one.
    pub(super) fn parse_last(&mut self, now: Duration) {
        let Some(frame) = self.framer.finish() else { return };
        let frame = if mem::take(&mut self.is_first_line) { without_mark(frame) } else { frame };
        if let Some(departure) = self.preface.check(&frame) {
            return self.close(departure);
        }
        let line = parse_frame(&frame, self.limits.line_max);
        let _: ControlFlow<()> = self.accept(line, now);
        self.spend(1, now);
    }

    pub(super) fn parse(&mut self, input: &mut &[u8], lines_max: usize, now: Duration) {
        let mut lines = 0;
        while lines < lines_max
            && let Some(frame) = self.framer.next(input)
        {
            lines += 1;
            let frame = if mem::take(&mut self.is_first_line) { without_mark(frame) } else { frame };
            if let Some(departure) = self.preface.check(&frame) {
                self.close(departure);
                break;
            }
            let line = parse_frame(&frame, self.limits.line_max);
            if self.accept(line, now).is_break() && (!self.is_broken || self.input == InputState::Closed) {
                break;
            }
        }
        if self.input == InputState::Closed {
            *input = &[]; // what follows the end is dropped
        }
        if lines > 0 {
            self.spend(lines, now);
        }
    }

    /// Handles one line. Breaks if the lines after it belong to the next batch, because its answer may be long or late: with one
    /// such line per batch, what a client can make the server hold for it is bounded.
    fn accept(&mut self, line: Result<Line, FormError>, now: Duration) -> ControlFlow<()> {
        match line {
            Ok(Line::Set(Setting::Format(_) | Setting::Lang(_) | Setting::Visit)) => {}
            Ok(Line::Blank) => self.announce_at(now), // behind it there may be a browser's request
            Ok(_) | Err(_) => self.announce(),
        }
        match line {
            Err(error) => self.reply(Reply::Refused(error)),
            Ok(Line::Blank) => {}
            Ok(Line::Command(command)) => {
                if matches!(command, Command::Say(_)) {
                    self.preface.said();
                }
                let may_take_long = may_take_long(&command);
                self.batch.steps.push(Step::Command(command));
                if may_take_long {
                    return ControlFlow::Break(());
                }
            }
            Ok(Line::Check(token)) => {
                if self.has_hidden_refusal {
                    self.close(Departure::CheckFailed);
                    return ControlFlow::Break(());
                }
                self.batch.steps.push(Step::Check(token));
            }
            Ok(Line::Quit) => {
                self.close(Departure::Quit);
                return ControlFlow::Break(());
            }
            Ok(Line::Help) => {
                self.reply(Reply::Help(Arc::clone(&self.limits)));
                return ControlFlow::Break(());
            }
            Ok(Line::Set(setting)) => self.set(setting),
        }
        ControlFlow::Continue(())
    }

    /// Changes a setting. The confirmation is the first thing that is sent in a new dialect.
    fn set(&mut self, setting: Setting) {
        if let Err(error) = check_setting(setting, &self.limits) {
            return self.reply(Reply::Refused(error));
        }
        match setting {
            Setting::Stay => self.timers.exempt_from_idle(),
            Setting::Visit => self.visit(),
            Setting::Format(_) | Setting::Lang(_) => {
                self.dialect = self.dialect.with(setting);
                self.batch.steps.push(Step::Speak(self.dialect));
            }
        }
        self.reply(Reply::Set(setting));
    }

    fn reply(&mut self, reply: Reply) {
        if self.is_broken {
            self.has_hidden_refusal |= matches!(reply, Reply::Refused(_));
            return; // nobody reads it
        }
        self.batch.steps.push(Step::Reply(reply));
    }
}

/// Whether a client may have this setting.
pub(in crate::protocol) fn check_setting(setting: Setting, limits: &Limits) -> Result<(), FormError> {
    match setting {
        Setting::Stay if limits.strict_idle => Err(FormError::StayForbidden),
        Setting::Stay | Setting::Visit | Setting::Format(_) | Setting::Lang(_) => Ok(()),
    }
}

/// Whether the answer may be long, or late.
fn may_take_long(command: &Command) -> bool {
    match command {
        Command::Who
        | Command::WhoIn(_)
        | Command::Rooms
        | Command::History(_)
        | Command::Follow { .. }
        | Command::Account(_)
        | Command::Order(_)
        | Command::Join { start: Some(_), .. }
        | Command::Wait(..) => true,
        Command::Say(_)
        | Command::Rename(_)
        | Command::Private { .. }
        | Command::Join { start: None, .. }
        | Command::In { .. }
        | Command::Leave(_)
        | Command::Topic { .. }
        | Command::Sync(_) => false,
    }
}

/// Drops a byte order mark, which a file may have before its first line.
fn without_mark(frame: Frame<'_>) -> Frame<'_> {
    match frame {
        Frame::Line(line) => Frame::Line(line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)),
        Frame::TooLong => frame,
    }
}
