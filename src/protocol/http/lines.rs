//! What the lines of a session ask for: those of the line protocol, told in objects alone.

use std::sync::Arc;

use crate::{
    chat::{Command, Departure},
    protocol::{
        Dialect, FormError, Format, Limits, Reply, Setting, Step, Verb,
        line::{Line, parse},
        session::check_setting,
    },
};

/// What a line asks for: the verb that answers it if nobody else does, and the steps of it. Nothing where it is blank. The dialect
/// changes with it.
#[must_use]
pub fn steps_of(
    line: Result<String, FormError>,
    dialect: &mut Dialect,
    limits: &Arc<Limits>,
) -> Option<(Verb, Vec<Step>)> {
    let refused = |error| Some((Verb::Say, vec![Step::Reply(Reply::Refused(error))]));
    let steps = match line.and_then(|line| parse(line.as_bytes())) {
        Err(error) => return refused(error),
        Ok(Line::Blank) => return None,
        Ok(Line::Command(command)) => {
            let verb = if matches!(command, Command::Private { .. }) { Verb::To } else { Verb::Say };
            return Some((verb, vec![Step::Command(command)]));
        }
        // A stream of events has objects alone.
        Ok(Line::Set(Setting::Format(Format::Text))) => return refused(FormError::Usage(Verb::Format)),
        Ok(Line::Set(setting)) => {
            if let Err(error) = check_setting(setting, limits) {
                return refused(error);
            }
            *dialect = dialect.with(setting);
            let begins = match setting {
                Setting::Visit => Step::Visit,
                Setting::Stay | Setting::Format(_) | Setting::Lang(_) => Step::Speak(*dialect),
            };
            vec![begins, Step::Reply(Reply::Set(setting))]
        }
        Ok(Line::Check(token)) => vec![Step::Check(token)],
        Ok(Line::Help) => vec![Step::Reply(Reply::Help(Arc::clone(limits)))],
        Ok(Line::Quit) => return Some((Verb::Quit, vec![Step::Close(Departure::Quit)])),
    };
    Some((Verb::Say, steps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Lang;

    #[test]
    fn lines_mean_what_they_mean_over_nc() {
        let (mut dialect, limits) = (Dialect::default(), Arc::new(Limits { strict_idle: true, ..Limits::default() }));
        let mut steps = |line: &str| steps_of(Ok(line.to_owned()), &mut dialect, &limits);
        assert_eq!(steps(""), None);
        assert_eq!(steps("hi"), Some((Verb::Say, vec![Step::Command(Command::Say("hi".to_owned()))])));
        assert!(matches!(steps("to|ann|hi"), Some((Verb::To, _))));
        assert!(matches!(steps("quit"), Some((Verb::Quit, steps)) if steps == [Step::Close(Departure::Quit)]));
        for (line, error) in [
            ("format|text", FormError::Usage(Verb::Format)),
            ("format|xml", FormError::Usage(Verb::Format)),
            ("stay", FormError::StayForbidden),
        ] {
            let refused = Step::Reply(Reply::Refused(error));
            assert_eq!(steps(line), Some((Verb::Say, vec![refused])), "{line}");
        }
        let set = Step::Reply(Reply::Set(Setting::Lang(Lang::En)));
        let speak = Step::Speak(Dialect { lang: Lang::En, ..Dialect::default() });
        assert_eq!(steps("lang|en"), Some((Verb::Say, vec![speak, set])));
    }
}
